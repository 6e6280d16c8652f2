package cli

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/fault"
)

// exitBrokenPipe is the exit code that a shell shows for a program ended by SIGPIPE, because nobody reads the rest of
// its output.
const exitBrokenPipe = 141

// productsTool marks a command that is a product's own.
const productsTool = "tool"

// toolsCommand returns the command `syncctl PRODUCT` with the tools of the product, or nil if it has none.
func (c *command) toolsCommand(p Product) *cobra.Command {
	if len(p.Tools) == 0 {
		return nil
	}
	cmd := &cobra.Command{Use: p.Name, Short: "Tools for " + p.Name, Args: cobra.ArbitraryArgs}
	for _, t := range p.Tools {
		cmd.AddCommand(c.toolCommand(t))
	}
	return cmd
}

func (c *command) toolCommand(t driver.Tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: t.Name + " [flags]", Short: t.Short, Long: t.Long, Example: t.Example,
		Annotations: map[string]string{productsTool: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			said := c.redactor.Writer(c.err) // whole lines, however the tool splits its output
			run := driver.ToolRun{
				Fs: c.files(), Stdin: c.app.stdin, Stdout: c.app.stdout, Stderr: said, Args: args, Flags: cmd.Flags(),
			}
			shown := c.redactor.Writer(c.out)
			if c.app.tty.out { // for a person, not for a program
				run.Stdout = shown
			}
			return errors.Join(c.runTool(cmd.Context(), t, run), shown.Flush(), said.Flush())
		},
	}
	if t.Flags != nil {
		t.Flags(cmd.Flags())
	}
	return cmd
}

// runTool runs a tool. The first signal asks it to end; after the second, runTool no longer waits for it.
func (c *command) runTool(ctx context.Context, t driver.Tool, run driver.ToolRun) error {
	defer takeBrokenPipes()()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	now := make(chan struct{})
	leave := sync.OnceFunc(func() { close(now) })
	defer c.app.interrupts.During(func(os.Signal) {
		if ctx.Err() != nil {
			leave()
		}
		cancel()
	})()
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer fault.Catch(&err)
		err = t.Run(ctx, run)
	}()
	var err error
	select {
	case err = <-done:
	case <-now:
		err = ctx.Err()
	}
	fault.Raise(err)
	switch {
	case err != nil && ctx.Err() != nil:
		return failf(exitInterrupted, "interrupted")
	case errors.Is(err, syscall.EPIPE):
		return exitQuietly(exitBrokenPipe)
	}
	return err
}
