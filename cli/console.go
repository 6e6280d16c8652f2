package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
)

func (c *command) consoleCommand() *cobra.Command {
	vars := &variables{}
	cmd := &cobra.Command{
		Use: "console [DIR]", Args: atMost(1),
		Short: "Evaluate expressions, a line each, as they would be in the files; contacts no server",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			p, err := c.load(cmd.Context(), vars.list, false)
			if err != nil {
				return err
			}
			return c.console(cmd, p)
		},
	}
	c.varFlags(cmd, vars)
	return cmd
}

// console evaluates the lines of the input until it ends or a line is exit. In a pipe, the first mistake ends it.
func (c *command) console(cmd *cobra.Command, p *project) error {
	for {
		if c.app.tty.in {
			fmt.Fprint(c.out, "> ")
		}
		line, err := c.app.input.Read(cmd.Context())
		switch {
		case errors.Is(err, prompt.ErrNobody):
			return nil
		case err != nil:
			return err
		}
		text := strings.TrimSpace(line)
		if text == "exit" {
			return nil
		}
		if text == "" {
			continue
		}
		val, diags := p.cfg.Evaluate(cmd.Context(), text)
		c.redactor = p.cfg.Redactor()
		if err := c.diagnostics(diags, p.cfg.Files); err != nil {
			return err
		}
		switch {
		case !diags.HasErrors():
			c.say("%s", view.Value(val))
		case !c.app.tty.in:
			return exitQuietly(exitError)
		}
	}
}
