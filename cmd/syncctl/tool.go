package main

import (
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/driver"
)

// toolsCommand is `syncctl PRODUCT`, with the tools the product brings; nil if it brings none.
func (c *call) toolsCommand(p product) *cobra.Command {
	if len(p.tools) == 0 {
		return nil
	}
	cmd := &cobra.Command{Use: p.name, Short: "Tools for " + p.name, Args: cobra.ArbitraryArgs}
	for _, t := range p.tools {
		cmd.AddCommand(c.toolCommand(t))
	}
	return cmd
}

func (c *call) toolCommand(t driver.Tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: t.Name + " [flags] [ARGS]", Short: t.Short, Long: t.Long, Example: t.Example,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.Run(cmd.Context(), driver.ToolRun{
				Fs: c.files(), Stdin: c.app.stdin, Stdout: c.app.stdout, Stderr: c.err, Args: args, Flags: cmd.Flags(),
			})
		},
	}
	if t.Flags != nil {
		t.Flags(cmd.Flags())
	}
	return cmd
}
