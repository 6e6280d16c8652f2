package cli

import (
	"bytes"

	"github.com/spf13/cobra"
)

// shells are those that completion writes scripts for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

// scriptDoc is the document of completion -json.
type scriptDoc struct {
	Shell  string `json:"shell"`  // bash, zsh, fish or powershell
	Script string `json:"script"` // for the shell to read
}

// completionCommand is like cobra's, but is described as other commands are, and writes our own scripts.
func (c *command) completionCommand() *cobra.Command {
	brief := false
	cmd := jsonCommand(&cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Args: one("the name of a shell"),
		Short: "Write the script with which a shell completes commands, flags, addresses, steps, runs and plans",
		Long: `Writes a script for a shell to read. The shell then asks this program what to offer, which contacts no server.
It trusts the files as little as -untrusted does: keys that depend on the environment are not offered.

  bash        source <(syncctl completion bash)
  zsh         source <(syncctl completion zsh)
  fish        syncctl completion fish | source
  powershell  syncctl completion powershell | Out-String | Invoke-Expression

That lasts as long as the shell does. To have it in each, put the line into ~/.bashrc, ~/.zshrc (after compinit),
~/.config/fish/config.fish or $PROFILE.`,
		Example: "  source <(syncctl completion bash)",
		RunE: func(cmd *cobra.Command, args []string) error {
			var script bytes.Buffer
			if err := writeScript(&script, cmd.Root(), args[0], !brief); err != nil {
				return err
			}
			if err := c.document(scriptDoc{args[0], script.String()}); err != nil || c.flags.json {
				return err
			}
			_, err := script.WriteTo(c.out)
			return err
		},
		ValidArgsFunction: func(
			_ *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return shells, cobra.ShellCompDirectiveNoFileComp
		},
	})
	cmd.Flags().BoolVar(&brief, "no-descriptions", false, "offer words without what they mean")
	return cmd
}
