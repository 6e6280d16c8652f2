package cli

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestAllCompletes: each flag of each command completes its values itself, takes a file or a folder, or stands in the
// list of those whose values nobody can offer; no argument is left to the shell that is not a file.
func TestAllCompletes(t *testing.T) {
	looked, free := 0, map[string]bool{}
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
			complete, known := cmd.GetFlagCompletionFunc(flag.Name)
			if !known {
				t.Errorf("%s -%s: %s is not completed: offer its values, or let it be in freeText", cmd.CommandPath(),
					flag.Name, kind)
				return
			}
			if slices.Contains(freeText, flag.Name) {
				free[flag.Name] = true
				if words, what := complete(cmd, nil, ""); len(words) > 0 || what != cobra.ShellCompDirectiveNoFileComp {
					t.Errorf("%s -%s: it is free text, and offers %q, %d", cmd.CommandPath(), flag.Name, words, what)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&command{app: &app{}}).root())
	if len(free) != len(freeText) {
		t.Errorf("of the flags of free text there are only %v", free)
	}
	if looked < 40 {
		t.Errorf("only %d flags were looked at", looked)
	}
}
