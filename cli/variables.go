package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/schema"
)

// variables are the -var, -var-file and -var-command flags in the order given.
type variables struct {
	list  []schema.VarSource
	typed []string // the value of each flag
}

// varFlags adds the flags that set variables.
func (c *command) varFlags(cmd *cobra.Command, to *variables) {
	flag := func(name, kind, usage string, source func(string) (schema.VarSource, error)) {
		cmd.Flags().Var(varFlag{to, kind, source}, name, usage)
	}
	flag("var", "value", "value of a variable, as `NAME=VALUE`; may be repeated",
		func(s string) (schema.VarSource, error) { return schema.VarSource{Assign: s}, nil })
	flag("var-file", "value", "`FILE` of values (*.syncvars.hcl, *.json); may be repeated",
		func(s string) (schema.VarSource, error) { return schema.VarSource{File: s}, nil })
	flag("var-command", "command", "secret value of a variable: what a command prints, as `NAME=COMMAND`, without a "+
		"shell and without one newline at its end; may be repeated", c.varCommand)
	words := c.words(c.completeVariables)
	complete := func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		out, directive := words(cmd, args, word)
		return out, directive | cobra.ShellCompDirectiveNoSpace
	}
	for _, name := range []string{"var", "var-command"} {
		_ = cmd.RegisterFlagCompletionFunc(name, complete)
	}
}

func (c *command) completeVariables(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, name := range c.declared(ctx).Variables() {
		out = append(out, name+"=")
	}
	return out
}

type varFlag struct {
	to     *variables
	kind   string
	source func(string) (schema.VarSource, error)
}

func (f varFlag) Set(s string) error {
	src, err := f.source(s)
	if err != nil {
		return err
	}
	f.to.list, f.to.typed = append(f.to.list, src), append(f.to.typed, s)
	return nil
}

func (f varFlag) String() string { return "" }

func (f varFlag) Type() string { return f.kind }

// varCommand returns the source of a -var-command. Its errors do not quote the text, which may contain a secret.
func (c *command) varCommand(text string) (schema.VarSource, error) {
	name, line, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return schema.VarSource{}, errors.New("a -var-command is written NAME=COMMAND")
	}
	argv, err := shellquote.Split(line)
	if err != nil {
		return schema.VarSource{}, fmt.Errorf("a quotation in the command for %s is not closed", name)
	}
	if len(argv) == 0 {
		return schema.VarSource{}, fmt.Errorf("the command for %s is empty", name)
	}
	var value string
	var failure error
	ran := false // a command may ask for a password, so it is run only once
	return schema.VarSource{Name: name, Read: func(ctx context.Context) (string, error) {
		if !ran {
			value, failure = c.commandOutput(ctx, argv)
			ran = true
		}
		return value, failure
	}}, nil
}

// mostOfCommand is the maximum output of a -var-command, in bytes.
const mostOfCommand = 1 << 20

// commandOutput runs a person's own program at the person's terminal, and returns its output without the final
// newline. Errors do not quote the output.
func (c *command) commandOutput(ctx context.Context, argv []string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &bounded{most: mostOfCommand + 1, full: cancel} // the final newline does not count
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = c.cwd, c.app.environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.app.stdin, out, c.app.stderr
	cmd.WaitDelay = closeWithin // its child processes may keep the output open
	err := cmd.Run()
	text := strings.TrimSuffix(out.text.String(), "\n")
	var ended *exec.ExitError
	switch {
	case out.over || len(text) > mostOfCommand:
		return "", fmt.Errorf("the command %s prints more than 1 MiB", argv[0])
	case ctx.Err() != nil:
		return "", fmt.Errorf("the command %s was interrupted", argv[0])
	case errors.As(err, &ended):
		return "", fmt.Errorf("the command %s failed: %s", argv[0], ended.ProcessState)
	case err != nil:
		return "", fmt.Errorf("the command could not be run: %w", err)
	}
	return text, nil
}

// bounded stores what is written, up to a limit.
type bounded struct {
	text bytes.Buffer
	most int
	over bool
	full func() // called at the limit
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > b.most {
		b.over = true
		b.full()
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}

// asker returns a function that asks the person at the terminal for the values of variables, or nil if nobody is
// there.
func (c *command) asker() func(ctx context.Context, name, description string, sensitive bool) (string, error) {
	if !c.app.tty.in || !c.app.tty.err || !c.mayAsk() || c.flags.json || c.app.answers == nil {
		return nil
	}
	return func(ctx context.Context, name, description string, sensitive bool) (string, error) {
		key := c.dir + "\x00" + name
		if text, ok := c.app.answers[key]; ok {
			return text, nil
		}
		fmt.Fprintln(c.err, c.errStyle.Bold("var."+schema.SanitizeLine(name)))
		if description != "" {
			fmt.Fprintf(c.err, "  %s\n", schema.SanitizeLine(description))
		}
		fmt.Fprint(c.err, "\n  Enter a value: ")
		read := c.app.input.Read
		if sensitive {
			read = c.app.input.ReadHidden
		}
		text, err := read(ctx)
		if sensitive || err != nil {
			fmt.Fprintln(c.err) // the person's newline was not echoed
		}
		fmt.Fprintln(c.err)
		if err == nil {
			c.app.answers[key] = text
		}
		return text, err
	}
}
