package cli

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/driver"
)

// exitBrokenPipe is what a shell shows of a program that SIGPIPE ended: nobody wanted the rest of its output.
const exitBrokenPipe = 141

// toolsCommand is `syncctl PRODUCT`, with the tools the product brings; nil if it brings none.
func (c *call) toolsCommand(p Product) *cobra.Command {
	if len(p.Tools) == 0 {
		return nil
	}
	cmd := &cobra.Command{Use: p.Name, Short: "Tools for " + p.Name, Args: cobra.ArbitraryArgs}
	for _, t := range p.Tools {
		cmd.AddCommand(c.toolCommand(t))
	}
	return cmd
}

func (c *call) toolCommand(t driver.Tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: t.Name + " [flags]", Short: t.Short, Long: t.Long, Example: t.Example,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.runTool(cmd.Context(), t, driver.ToolRun{
				Fs: toolFiles{rooted{c.app.fs, c.cwd}}, Stdin: c.app.stdin, Stdout: c.app.stdout, Stderr: c.err, Args: args, Flags: cmd.Flags(),
			})
		},
	}
	if t.Flags != nil {
		t.Flags(cmd.Flags())
	}
	return cmd
}

// runTool runs a tool. The first signal asks it to end, the second one does not wait for it.
func (c *call) runTool(ctx context.Context, t driver.Tool, run driver.ToolRun) error {
	defer takeBrokenPipes()()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	now := make(chan struct{})
	leave := sync.OnceFunc(func() { close(now) })
	defer c.app.interrupts.during(func(os.Signal) {
		if ctx.Err() != nil {
			leave()
		}
		cancel()
	})()
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx, run) }()
	var err error
	select {
	case err = <-done:
	case <-now:
		err = ctx.Err()
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return failf(exitInterrupted, "interrupted")
	case errors.Is(err, syscall.EPIPE):
		return said(exitBrokenPipe)
	}
	return err
}

// toolFiles is the command line's file system, in which a tool can also see where symbolic links lead.
type toolFiles struct{ rooted }

// LstatIfPossible is of afero.Lstater.
func (t toolFiles) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	if l, ok := t.Fs.(afero.Lstater); ok {
		return l.LstatIfPossible(t.at(name))
	}
	info, err := t.Stat(name)
	return info, false, err
}

// ReadlinkIfPossible is of afero.LinkReader.
func (t toolFiles) ReadlinkIfPossible(name string) (string, error) {
	if l, ok := t.Fs.(afero.LinkReader); ok {
		return l.ReadlinkIfPossible(t.at(name))
	}
	return "", &os.PathError{Op: "readlink", Path: name, Err: afero.ErrNoReadlink}
}
