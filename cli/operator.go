package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// operator returns the operator for a person's steps: the sandbox's stand-in, the user's own command, the person at
// the terminal, or nobody.
func (c *command) operator(s schema.Settings, p view.Progress) (executor.Operator, error) {
	base := person{command: c, progress: p}
	if address, _ := c.app.env(sandbox.EnvPerson); address != "" {
		return c.standIn(base, address)
	}
	switch {
	case s.Operator != nil:
		return c.commandOperator(base, s.Operator)
	case c.app.tty.in && c.app.tty.out && c.mayAsk() && !c.flags.json:
		return newTerminalOperator(base), nil
	}
	return nobody{base}, nil
}

// person is the part common to all operators: they print one at a time, with the progress display paused.
type person struct {
	*command

	progress view.Progress
}

// say prints without other lines in between.
func (p person) say(print func(w *output.Buffer)) {
	defer p.progress.Hold()()
	w := output.NewBuffer(p.out)
	print(w)
	_ = w.Flush() // an output without a reader must not stop the run
}

// instructions prints what the person has to do.
func (p person) instructions(w *output.Buffer, ask executor.Ask) {
	fmt.Fprintf(w, "\n%s %s\n", p.outStyle.Bold("A person's step:"), schema.SanitizeLine(ask.Step.Summary))
	fmt.Fprintf(w, "  %s\n", p.outStyle.Dim(schema.SanitizeLine(ask.Step.ID)))
	view.Manual(w, p.outStyle, 2, ask)
	if ask.Step.Manual.Attest != "" {
		fmt.Fprintf(w, "  No interface can verify this. By answering 'done' you confirm: %s\n",
			schema.SanitizeLine(ask.Step.Manual.Attest))
	}
}

// nobody defers every step and prints the instructions.
type nobody struct{ person }

func (n nobody) Perform(_ context.Context, ask executor.Ask) (executor.Reply, error) {
	if n.events == nil {
		n.say(func(w *output.Buffer) { n.instructions(w, ask); fmt.Fprintln(w) })
	}
	return executor.Deferred, nil
}

// terminalOperator asks the person at the terminal.
type terminalOperator struct {
	person

	turn chan struct{} // holds one: one question at a time

	// elsewhere holds the numbers of the steps if questions are also answered on the live page; otherwise it is nil.
	// An answer then names the step, so that a late one does not count for the next question.
	elsewhere map[string]int
	wait      time.Duration // for an answer there, once nobody can answer here
}

func newTerminalOperator(p person) *terminalOperator {
	return &terminalOperator{person: p, turn: make(chan struct{}, 1)}
}

func (t *terminalOperator) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	reply, err := t.ask(ctx, ask)
	switch {
	case errors.Is(err, prompt.ErrNobody) && t.elsewhere != nil:
		return t.later(ctx, t.wait) // beside other steps, whose time runs as well
	case errors.Is(err, prompt.ErrNobody):
		return executor.Deferred, nil
	}
	return reply, err
}

// ask asks at the terminal, one step at a time. The error wraps prompt.ErrNobody where nobody can answer there.
func (t *terminalOperator) ask(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return executor.Reply{}, ctx.Err()
	}
	defer t.progress.Hold()()
	w := output.NewBuffer(t.out)
	if ask.Attempt == 0 {
		t.instructions(w, ask)
	} else {
		fmt.Fprintf(w, "\n%s %s\n  still missing: %s\n", t.outStyle.Bad("Not done yet:"),
			schema.SanitizeLine(ask.Step.ID), schema.SanitizeLine(ask.Missing))
	}
	done, later := "done", "later"
	if t.elsewhere != nil {
		n := t.elsewhere[ask.Step.ID]
		done, later = fmt.Sprintf("done %d", n), fmt.Sprintf("later %d", n)
	}
	for {
		fmt.Fprintf(w, "\n  Answer '%s' when it is done, '%s' to leave it for now, 'show' to see it again: ", done, later)
		answer, err := "", w.Flush()
		if err == nil {
			answer, err = t.app.input.Read(ctx)
		} else if t.elsewhere != nil {
			err = prompt.ErrNobody // nobody sees the question here
		}
		if err != nil {
			return executor.Reply{}, err
		}
		switch strings.Join(strings.Fields(strings.ToLower(answer)), " ") {
		case done:
			fmt.Fprintf(w, "  %s\n", verifying(ask.Step))
			_ = w.Flush() // an output without a reader must not stop the run
			return executor.Reply{Done: true, By: t.whoami()}, nil
		case later:
			return executor.Reply{By: t.whoami()}, nil
		case "show":
			t.instructions(w, ask)
		}
	}
}

// verifying says what happens after the answer, because that may take a while.
func verifying(s planner.Step) string {
	if s.Manual.Attest != "" {
		return "Checking the servers."
	}
	within := time.Duration(s.Within)
	if within == 0 {
		within = verifyWithin
	}
	return fmt.Sprintf("Checking the servers for up to %s. What is still missing is shown meanwhile; "+
		"interrupt (Ctrl-C) to leave it for later.", within)
}

// standInOperator lets the sandbox do what a person would do.
type standInOperator struct {
	person

	client *sandbox.PersonClient
}

func (c *command) standIn(base person, address string) (executor.Operator, error) {
	name, _ := c.app.env(sandbox.EnvCAFile)
	ca, err := afero.ReadFile(c.app.fs, c.app.abs(name))
	if err != nil {
		return nil, fmt.Errorf("reading the sandbox's CA (%s): %w", sandbox.EnvCAFile, err)
	}
	client, err := sandbox.NewPersonClient(address, ca)
	if err != nil {
		return nil, err
	}
	return &standInOperator{person: base, client: client}, nil
}

func (s *standInOperator) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	if ask.Attempt > 0 {
		return executor.Reply{}, fmt.Errorf("the sandbox's stand-in reported the step as done, but it is not: %s",
			ask.Missing)
	}
	values := map[string]string{}
	for _, v := range ask.Step.Manual.Values {
		values[v.Name] = v.Value
		if v.File {
			values[v.Name] = ask.Files[v.Name]
		}
	}
	done, err := s.client.Do(ctx, ask.Step.Manual.Action, values)
	if err != nil {
		return executor.Reply{}, err
	}
	if s.events == nil {
		s.say(func(w *output.Buffer) {
			fmt.Fprintf(w, "        %s %s\n", s.outStyle.Dim("the sandbox's stand-in:"), schema.SanitizeLine(done))
		})
	}
	return executor.Performed, nil
}

// operatorDeferred is the exit code by which the user's command says "later" (EX_TEMPFAIL). docs/operator.md describes
// the protocol.
const operatorDeferred = 75

// mostCalls is the maximum number of calls of the user's command for one step. If the work is still missing then, the
// step waits, so that a program which reports success and does nothing is not called for ever.
const mostCalls = 3

// operatorAsk is what the user's command reads.
type operatorAsk struct {
	Step    planner.Step      `json:"step"`              // as in the plan; manual says what to do
	Files   map[string]string `json:"files"`             // where the files are that values name, by the values' names
	Script  string            `json:"script,omitempty"`  // the file with the commands, if they are long
	Attempt int               `json:"attempt"`           // how many times the command was called for the step before
	Missing string            `json:"missing,omitempty"` // what the last verification found missing
}

// commandOperator passes the step to the user's own command.
type commandOperator struct {
	person

	declared *schema.Operator

	argv []string   // with the program's name as it is started
	env  []string   // of the program, as "NAME=value"
	mu   sync.Mutex // one step at a time, as a person would
}

// operatorArgs returns the program and its arguments as they are started.
func (c *command) operatorArgs(o *schema.Operator) []string {
	argv := slices.Clone(o.Command)
	if strings.ContainsAny(argv[0], `/\`) && !filepath.IsAbs(argv[0]) {
		argv[0] = filepath.Join(c.dir, argv[0]) // it is in the folder of the configuration
	}
	return argv
}

// commandOperator returns the operator for a command, if the user's policy allows the command.
func (c *command) commandOperator(base person, o *schema.Operator) (executor.Operator, error) {
	argv := c.operatorArgs(o)
	if err := c.policy.Command(argv); err != nil {
		return nil, failf(exitError, "the operator cannot be used: %w", err)
	}
	env, err := c.bare(o.Environment)
	if err != nil {
		return nil, failf(exitError, "the operator cannot be used: %w", err)
	}
	return &commandOperator{person: base, declared: o, argv: argv, env: env}, nil
}

func (o *commandOperator) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if ask.Attempt >= mostCalls {
		o.tell(fmt.Sprintf("(syncctl) %s reported success %d times, but the work is still missing: %s. The step waits.",
			o.argv[0], mostCalls, ask.Missing))
		return executor.Deferred, nil
	}
	if err := o.unchanged(); err != nil {
		return executor.Reply{}, err
	}
	doc, err := json.Marshal(operatorAsk{ask.Step, ask.Files, ask.Script, ask.Attempt, ask.Missing})
	if err != nil {
		return executor.Reply{}, fmt.Errorf("describing the step for the operator's command: %w", err)
	}
	said := &byLine{tell: o.tell}
	cmd := exec.CommandContext(ctx, o.argv[0], o.argv[1:]...)
	cmd.Dir, cmd.Env = o.dir, o.env
	cmd.Stdin = bytes.NewReader(append(doc, '\n'))
	cmd.Stdout, cmd.Stderr = said, said
	err = cmd.Run()
	said.end()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return executor.Performed, nil
	case errors.As(err, &ended) && ended.ExitCode() == operatorDeferred:
		return executor.Deferred, nil
	}
	return executor.Reply{}, fmt.Errorf("running the operator's command %s: %w", o.argv[0], err)
}

// unchanged returns an error if a file of the configuration's folder that the command names has changed since the
// configuration was read, because it is not what was approved.
func (o *commandOperator) unchanged() error {
	folder := schema.Folder{Fs: o.files(), Dir: o.dirName}
	sums, err := folder.Sums(o.declared.Command)
	if err != nil {
		return fmt.Errorf("looking at the operator's command: %w", err)
	}
	if !maps.Equal(sums, o.declared.Files) {
		return fmt.Errorf("the operator's command %s has changed since the configuration was read: plan again", o.argv[0])
	}
	return nil
}

// tell prints a line of the command's output, marked as such.
func (o *commandOperator) tell(line string) {
	if o.events != nil {
		o.events.Write("info", line, view.OperatorOutputEvent{})
		return
	}
	o.say(func(w *output.Buffer) { fmt.Fprintf(w, "        operator | %s\n", schema.SanitizeLine(line)) })
}

// byLine passes on its input line by line.
type byLine struct {
	tell func(string)
	rest []byte
}

func (b *byLine) Write(p []byte) (int, error) {
	b.rest = append(b.rest, p...)
	for {
		line, rest, ok := bytes.Cut(b.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		b.tell(string(line))
		b.rest = rest
	}
}

// end passes on a last line without a line feed.
func (b *byLine) end() {
	if len(b.rest) > 0 {
		b.tell(string(b.rest))
	}
}
