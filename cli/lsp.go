package cli

import (
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/lsp"
	"github.com/syncctl/syncctl/reference"
)

func (c *command) lspCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "lsp", Args: atMost(0),
		Short: "Serve an editor: mistakes as you type, completion, what words mean, renaming; contacts no server",
		Long: `Speaks the Language Server Protocol on standard input and output. An editor starts it (docs/editors.md).
Files are treated as by validate -untrusted, whatever your policy says: it reads no environment, runs nothing,
contacts nothing, and reads only files of the folders that the editor has open.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.app.unused = nil // it stays for hours
			catalog, _ := c.catalog()
			return lsp.Serve(cmd.Context(), c.app.stdin, c.app.stdout, lsp.Options{
				Fs: c.app.fs, Catalog: catalog, Pages: reference.Pages(catalog, programOf(cmd.Root())), Version: version(),
				Log: c.log.Named("lsp"), After: c.app.clock.After,
			})
		},
	}
	cmd.Flags().Bool("stdio", true, "as some editors give it; there is no other way")
	return cmd
}
