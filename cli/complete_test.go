package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestAllCompletes: no command leaves it to the shell to offer files where it does not take one.
func TestAllCompletes(t *testing.T) {
	looked := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.HasParent() && cmd.Args != nil && cmd.ValidArgsFunction == nil && cmd.Use != cmd.Name()+" FILE" {
			t.Errorf("%s: its arguments are not completed", cmd.UseLine())
		}
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			kind, _ := pflag.UnquoteUsage(flag)
			if flag.NoOptDefVal != "" || kind == "FILE" {
				return
			}
			looked++
			if _, known := cmd.GetFlagCompletionFunc(flag.Name); !known {
				t.Errorf("%s -%s: %s is not completed", cmd.CommandPath(), flag.Name, kind)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&command{app: &app{}}).root())
	if looked < 40 {
		t.Errorf("only %d flags were looked at", looked)
	}
}
