package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// operator is who does a person's steps here: the sandbox's stand-in, the user's own command, the person at the terminal,
// or nobody.
func (c *call) operator(s schema.Settings, p view.Progress) (executor.Operator, error) {
	base := person{call: c, progress: p}
	if address, _ := c.app.env(sandbox.EnvPerson); address != "" {
		return c.standIn(base, address)
	}
	switch {
	case s.Operator != nil:
		return &commandOperator{person: base, command: s.Operator.Command}, nil
	case c.app.tty.in && c.app.tty.out && c.mayAsk() && c.events == nil:
		return &terminalOperator{person: base}, nil
	}
	return nobody{base}, nil
}

// person is what all operators have in common: they speak in turn, with the progress out of the way.
type person struct {
	*call

	progress view.Progress
}

// speak prints for as long as print takes, without other lines in between.
func (p person) speak(print func(w *whole)) {
	defer p.progress.Hold()()
	w := &whole{w: p.out}
	print(w)
	_ = w.flush() // an output that went away must not stop the run
}

// instructions print what is to be done.
func (p person) instructions(w *whole, ask executor.Ask) {
	fmt.Fprintf(w, "\n%s %s\n", p.outStyle.Bold("A person's step:"), schema.SanitizeLine(ask.Step.Summary))
	fmt.Fprintf(w, "  %s\n", p.outStyle.Dim(schema.SanitizeLine(ask.Step.ID)))
	view.Manual(w, p.outStyle, ask.Step.Manual, 2, ask.Files)
	if ask.Step.Manual.Attest != "" {
		fmt.Fprintf(w, "  No interface can verify this. By answering 'done' you confirm: %s\n", schema.SanitizeLine(ask.Step.Manual.Attest))
	}
}

// nobody puts every step off, with the instructions printed.
type nobody struct{ person }

func (n nobody) Perform(_ context.Context, ask executor.Ask) (executor.Reply, error) {
	if n.events == nil {
		n.speak(func(w *whole) { n.instructions(w, ask); fmt.Fprintln(w) })
	}
	return executor.Deferred, nil
}

// terminalOperator asks the person at the terminal.
type terminalOperator struct {
	person

	mu sync.Mutex // one question at a time
}

func (t *terminalOperator) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.progress.Hold()()
	w := &whole{w: t.out}
	if ask.Attempt == 0 {
		t.instructions(w, ask)
	} else {
		fmt.Fprintf(w, "\n%s %s\n  still missing: %s\n", t.outStyle.Bad("Not there yet:"), schema.SanitizeLine(ask.Step.ID), schema.SanitizeLine(ask.Missing))
	}
	for {
		fmt.Fprint(w, "\n  Answer 'done' when it is done, 'later' to leave it for now, 'show' to see it again: ")
		if err := w.flush(); err != nil {
			return "", err
		}
		answer, err := t.app.input.read(ctx)
		switch {
		case errors.Is(err, errNobody):
			return executor.Deferred, nil
		case err != nil:
			return "", err
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "done":
			fmt.Fprintf(w, "  %s\n", looking(ask.Step))
			_ = w.flush() // an output that went away must not stop the run
			return executor.Performed, nil
		case "later":
			return executor.Deferred, nil
		case "show":
			t.instructions(w, ask)
		}
	}
}

// looking says what happens between an answer and the step's end, which may take its time.
func looking(s planner.Step) string {
	if s.Manual.Attest != "" {
		return "Looking at the servers."
	}
	within := time.Duration(s.Within)
	if within == 0 {
		within = verifyWithin
	}
	return fmt.Sprintf("Looking for it on the servers, for up to %s. What is missing is shown as it is found; interrupt (Ctrl-C) to leave it for later.", within)
}

// standInOperator has the sandbox do what a person would.
type standInOperator struct {
	person

	client *sandbox.PersonClient
}

func (c *call) standIn(base person, address string) (executor.Operator, error) {
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
		return "", fmt.Errorf("the sandbox's stand-in said it was done, but it is not: %s", ask.Missing)
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
		return "", err
	}
	if s.events == nil {
		s.speak(func(w *whole) {
			fmt.Fprintf(w, "        %s %s\n", s.outStyle.Dim("the sandbox's stand-in:"), schema.SanitizeLine(done))
		})
	}
	return executor.Performed, nil
}

// exitDeferred is how the user's command says "later" (EX_TEMPFAIL).
const exitDeferred = 75

// commandOperator hands the step to a command of the user's.
type commandOperator struct {
	person

	command []string
	mu      sync.Mutex // one step at a time, as a person would
}

func (o *commandOperator) Perform(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	doc, err := json.Marshal(struct {
		Step    planner.Step      `json:"step"`
		Files   map[string]string `json:"files"`
		Attempt int               `json:"attempt"`
		Missing string            `json:"missing,omitempty"`
	}{ask.Step, ask.Files, ask.Attempt, ask.Missing})
	if err != nil {
		return "", fmt.Errorf("describing the step for the operator's command: %w", err)
	}
	program := o.command[0]
	if strings.ContainsAny(program, `/\`) && !filepath.IsAbs(program) {
		program = filepath.Join(o.dir, program) // it lies beside the configuration
	}
	output := &byLine{tell: o.tell}
	cmd := exec.CommandContext(ctx, program, o.command[1:]...)
	cmd.Dir, cmd.Env = o.dir, o.app.environ()
	cmd.Stdin = bytes.NewReader(append(doc, '\n'))
	cmd.Stdout, cmd.Stderr = output, output
	err = cmd.Run()
	output.end()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return executor.Performed, nil
	case errors.As(err, &ended) && ended.ExitCode() == exitDeferred:
		return executor.Deferred, nil
	}
	return "", fmt.Errorf("running the operator's command %s: %w", o.command[0], err)
}

// tell prints a line the command said, marked as its words.
func (o *commandOperator) tell(line string) {
	if o.events != nil {
		o.events.Write("info", "operator_output", line, nil)
		return
	}
	o.speak(func(w *whole) { fmt.Fprintf(w, "        operator | %s\n", schema.SanitizeLine(line)) })
}

// byLine tells lines as they come.
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

// end tells a last line that had no end.
func (b *byLine) end() {
	if len(b.rest) > 0 {
		b.tell(string(b.rest))
	}
}
