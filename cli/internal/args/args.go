// Package args reads command lines as people type them.
package args

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/schema"
)

// TwoDashes turns -out=x into --out=x, up to an argument "--": long flags are documented with two dashes and also
// accepted with one. args are the arguments of cmd, and may name subcommands. Short flags and the values of flags stay
// as they are. An unknown flag becomes a long one, so that it is reported as such.
func TwoDashes(cmd *cobra.Command, args []string) []string {
	out := slices.Clone(args)
	for i := 0; i < len(out) && out[i] != "--"; i++ {
		word := strings.TrimLeft(out[i], "-")
		name, _, attached := strings.Cut(word, "=")
		dashes := len(out[i]) - len(word)
		if dashes == 0 || name == "" {
			cmd = subcommand(cmd, word)
			continue
		}
		flag := longFlag(cmd, name)
		switch {
		case dashes > 1 || len(name) == 1 && flag == nil:
		case flag != nil || shortFlag(cmd, name[:1]) == nil:
			out[i] = "-" + out[i]
		}
		if flag == nil && dashes == 1 && shortFlag(cmd, name[:1]) != nil {
			flag = shortFlag(cmd, name[len(name)-1:]) // the last of several letters may have a value
		}
		if flag != nil && flag.NoOptDefVal == "" && !attached {
			i++ // its value
		}
	}
	return out
}

// subcommand returns the direct subcommand of cmd with that name, or cmd if there is none.
func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return cmd
}

func longFlag(cmd *cobra.Command, name string) *pflag.Flag {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	if len(name) == 1 {
		return nil
	}
	return cmd.Flag(name)
}

func shortFlag(cmd *cobra.Command, letter string) *pflag.Flag {
	return cmd.Flags().ShorthandLookup(letter)
}

// FirstWord returns the first argument that is neither a flag of cmd nor the value of one, or "" if there is none.
func FirstWord(cmd *cobra.Command, args []string) string {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, long := strings.CutPrefix(args[i], "--")
		if !strings.HasPrefix(args[i], "-") {
			return args[i]
		}
		if flag := longFlag(cmd, name); long && flag != nil && flag.NoOptDefVal == "" {
			i++ // its value
		}
	}
	return ""
}

// DidYouMean returns ` Did you mean "plan"?` if one of the names is similar to word. If none is, it returns otherwise.
func DidYouMean(word string, names []string, otherwise string) string {
	if n := Nearest(word, names); n != "" {
		return ` Did you mean "` + n + `"?`
	}
	return otherwise
}

// Nearest returns the name that was most likely meant, or "" if none is similar to word.
func Nearest(word string, names []string) string {
	best := schema.Nearest(word, names)
	if best == "" && len(word) >= 3 { // the beginning of a name, more than the name, or the end of an address
		for _, n := range names {
			part := strings.HasPrefix(n, word) || strings.HasSuffix(n, "/"+word)
			if part || len(n) >= 3 && strings.HasPrefix(word, n) {
				return n
			}
		}
	}
	return best
}
