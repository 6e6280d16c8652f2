package encrypt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// restore says how to undo the edit of a file.
const restore = "restore the timestamped backup next to the file, and start the services again"

// editStep returns a step that changes one file on a server's machine.
func (s *state) editStep(verb, op, file, sum, summary, because string) planner.Step {
	step := planner.Act(op, planner.MarkChange, planner.CheckFirst, wording.OneLine(summary))
	step.Verb, step.Because, step.Undo = verb, wording.OneLine(because), restore
	step.Servers, step.Exclusive = []string{s.addr()}, machine.Exclusive(s.addr())
	step.Args = s.args()
	step.Args[argFile] = file
	step.Facts = []planner.Fact{sumFact(file, sum)}
	step.Effect = &planner.Effect{Change: 1}
	return step
}

// factFile is the prefix of the fact that a file is unchanged; its path follows.
const factFile = "file:"

func sumFact(path, sum string) planner.Fact {
	if sum == "" {
		return planner.Fact{Name: factFile + path, Value: "absent"}
	}
	return planner.Fact{Name: factFile + path, Value: "sha256:" + sum}
}

// edit is a change to one file. It contains secrets.
type edit struct {
	path   string
	change func(content []byte) ([]byte, error)
	left   func(content []byte) ([]string, error) // what is not as declared yet, in words
}

var errNotDeclared = errors.New("the declaration no longer covers this file")

// planned returns the release and the port that a step was planned with.
func planned(t *executor.Task) (release osmc.Release, port int) {
	release, _ = osmc.ParseRelease(t.Step.Args[argRelease]) // an unknown release counts as a new one
	return release, number(t.Step.Args[argPort])
}

// replace replaces the content of a file, either completely or not at all, and keeps a backup next to it.
func (e *Encryption) replace(ctx context.Context, t *executor.Task, x *edit) (executor.Result, error) {
	var out executor.Result
	fail := func(err error) (executor.Result, error) {
		return out, executor.NotSent(fmt.Errorf("editing %s: %w", x.path, err))
	}
	h, err := e.machine(t.Resource)
	if err != nil {
		return fail(err)
	}
	content, _, err := readWhole(h.Files(ctx), x.path, mostStore)
	if err != nil {
		return fail(err)
	}
	was := host.Sum(content)
	if plannedFact(&t.Step, factFile+x.path) != sumFact(x.path, was).Value {
		return fail(fmt.Errorf("%w since the plan was made", host.ErrChanged))
	}
	edited, err := x.change(content)
	if err != nil {
		return fail(err)
	}
	// The file is replaced only if the new content is exactly as declared.
	if left, err := x.left(edited); err != nil || len(left) > 0 {
		return fail(errors.Join(err, fmt.Errorf("the new content is not as declared: %s", strings.Join(left, ", "))))
	}
	done, err := host.Replace(ctx, h.Files(ctx), host.Replacement{
		Name: x.path, Content: edited, Was: was, Now: e.Env.Now(), Random: e.Random,
	})
	switch {
	case err != nil && !done.Maybe:
		return fail(err)
	case err != nil:
		return out, fmt.Errorf("editing %s: %w", x.path, err)
	}
	out.Note, out.Outputs = "the former file is "+done.Backup, map[string]string{"backup": done.Backup}
	return out, nil
}

func plannedFact(s *planner.Step, name string) string {
	for _, f := range s.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// verifyEdit reads the file again and verifies it.
func (e *Encryption) verifyEdit(ctx context.Context, t *executor.Task, x *edit) (executor.Verdict, error) {
	h, err := e.machine(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	f, content, err := readFile(ctx, h, x.path, mostStore)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case f.Problem != "":
		return executor.NotDone.Because("%s: %s", x.path, f.Problem), nil
	}
	left, err := x.left(content)
	if ctx.Err() != nil {
		return executor.Verdict{}, context.Cause(ctx)
	}
	if err != nil {
		return executor.NotDone.Because("%s: %s", x.path, wording.OneLine(err.Error())), nil
	}
	if len(left) > 0 {
		return executor.NotDone.Because("%s: %s", x.path, wording.OneLine(strings.Join(left, ", "))), nil
	}
	return executor.Done.Because("%s is as declared", x.path), nil
}

// Facts reads the facts of a server's steps again: "client_tls", and "file:" followed by a path.
func (e *Encryption) Facts(ctx context.Context, server *connect.Server, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range names {
		var err error
		file, isFile := strings.CutPrefix(name, factFile)
		switch {
		case isFile:
			out[name], err = e.fileFact(ctx, server, file)
		case name == factPort:
			var p *Port
			if p, err = e.readPort(ctx, server); err == nil {
				out[name] = p.fact()
			}
		default:
			err = errors.New("a server has no such fact")
		}
		if err != nil {
			return nil, fmt.Errorf("reading fact %q: %w", name, err)
		}
	}
	return out, nil
}

func (e *Encryption) fileFact(ctx context.Context, server *connect.Server, file string) (string, error) {
	h, err := e.machine(server.Resource())
	if err != nil {
		return "", err
	}
	content, _, err := readWhole(h.Files(ctx), file, mostStore)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sumFact(file, "").Value, nil
	case err != nil:
		return "", err
	}
	return sumFact(file, host.Sum(content)).Value, nil
}

// number parses an argument of a step that is a number. It returns 0 if there is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
