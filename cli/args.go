package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// arguments makes a command line as people type it into one that cobra reads: one dash becomes two, the arguments from
// the environment are put in, and a command that does not exist is told before anything else.
func (c *call) arguments(root *cobra.Command, args []string) ([]string, error) {
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		return args, nil // half a word is no mistake
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	args = twoDashes(root, args)
	found, rest, err := root.Find(args)
	if err != nil {
		return nil, err
	}
	if found.HasSubCommands() {
		if word := firstWord(rest); word != "" {
			return nil, unknownCommand(found, word)
		}
		return args, nil
	}
	var extra []string
	path := strings.Fields(found.CommandPath())[1:]
	for _, name := range []string{"SYNCCTL_CLI_ARGS", "SYNCCTL_CLI_ARGS_" + strings.Join(path, "_")} {
		v, _ := c.app.env(name)
		words, err := splitWords(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		extra = append(extra, twoDashes(found, words)...)
	}
	return slices.Concat(path, extra, rest), nil
}

var longWithOneDash = regexp.MustCompile(`^-[A-Za-z][A-Za-z0-9-]+(=(?s:.*))?$`)

// twoDashes turns -out=x into --out=x, up to a "--", where the command that the arguments lead to from cmd has a flag of
// that name, or no flags by which it could be meant as it is; the mistake is then told in the words of the long flag.
// What is the value of a flag stays.
func twoDashes(cmd *cobra.Command, args []string) []string {
	out := slices.Clone(args)
	for i := 0; i < len(out); i++ {
		arg := out[i]
		if arg == "--" {
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			if sub := subcommand(cmd, arg); sub != nil {
				cmd = sub
			}
			continue
		}
		name, _, attached := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if f := longFlag(cmd, name); f != nil && len(name) > 1 {
			if !strings.HasPrefix(arg, "--") {
				out[i] = "-" + arg
			}
			if !attached && f.NoOptDefVal == "" {
				i++ // its value
			}
			continue
		}
		if strings.HasPrefix(arg, "--") {
			continue
		}
		known, value := shortFlags(cmd, arg[1:])
		switch {
		case known && value:
			i++
		case !known && longWithOneDash.MatchString(arg):
			out[i] = "-" + arg
		}
	}
	return out
}

// subcommand is the command of that name directly beneath cmd.
func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

func longFlag(cmd *cobra.Command, name string) *pflag.Flag {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	return cmd.Flag(name)
}

// shortFlags tells whether letters are short flags of the command, the last of them perhaps with its value attached, and
// whether the value of the last one is the next argument.
func shortFlags(cmd *cobra.Command, letters string) (known, value bool) {
	for i := range len(letters) {
		f := cmd.LocalFlags().ShorthandLookup(letters[i : i+1])
		if f == nil {
			f = cmd.InheritedFlags().ShorthandLookup(letters[i : i+1])
		}
		switch {
		case f == nil:
			return false, false
		case f.NoOptDefVal == "":
			return true, i == len(letters)-1
		case i+1 < len(letters) && letters[i+1] == '=':
			return true, false
		}
	}
	return true, false
}

// firstWord is the first argument that is neither a flag nor the value of -chdir, the only flag before a command that
// has one.
func firstWord(args []string) string {
	for i, a := range args {
		switch {
		case a == "--":
			return ""
		case !strings.HasPrefix(a, "-") && (i == 0 || args[i-1] != "--chdir"):
			return a
		}
	}
	return ""
}

func unknownCommand(parent *cobra.Command, word string) error {
	var names []string
	for _, cmd := range parent.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return failf(exitError, "there is no command %q in %s.%s", word, parent.CommandPath(), meant(word, names, "\nRun `"+parent.CommandPath()+" --help` for the commands there are."))
}

// flagError explains a flag that does not exist, or whose value cannot be understood, and passes other errors on.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return invalidValue(invalid)
	}
	if !errors.As(err, &missing) {
		return failf(exitError, "%w", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	name := missing.GetSpecifiedName()
	hint := "\nRun `" + cmd.CommandPath() + " --help` for the flags there are."
	if n := nearest(name, names); n != "" {
		hint = " Did you mean --" + n + "?"
	}
	return failf(exitError, "%s has no flag --%s.%s", cmd.CommandPath(), name, hint)
}

// invalidValue says what the value of a flag should be.
func invalidValue(err *pflag.InvalidValueError) error {
	f := err.GetFlag()
	switch kind := f.Value.Type(); kind {
	case "bool":
		return failf(exitError, "--%s is on or off: leave its value away, or say =true or =false; %q is neither", f.Name, err.GetValue())
	case "int", "int64", "uint", "uint64":
		return failf(exitError, "--%s must be a whole number, not %q", f.Name, err.GetValue())
	case "duration":
		return failf(exitError, "--%s must be a time like 30s or 5m, not %q", f.Name, err.GetValue())
	}
	return failf(exitError, "--%s cannot be %q: %w", f.Name, err.GetValue(), err.Unwrap())
}

// meant is " Did you mean ...?", or otherwise.
func meant(word string, names []string, otherwise string) string {
	if n := nearest(word, names); n != "" {
		return fmt.Sprintf(" Did you mean %q?", n)
	}
	return otherwise
}

// nearest is the name that was most likely meant, "" if none is near.
func nearest(word string, names []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(n), nil)
		if d < distance && d < len(word) {
			best, distance = n, d
		}
	}
	if best == "" && len(word) >= 3 { // the beginning of a word, or more than it, or a part of an address
		for _, n := range names {
			if strings.HasPrefix(n, word) || strings.HasSuffix(n, "/"+word) || len(n) >= 3 && strings.HasPrefix(word, n) {
				return n
			}
		}
	}
	return best
}

// splitWords splits a line as a shell does: at blanks, with quotes and backslashes, nothing expanded.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	open, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quotation is not closed") // not the text itself: it may hold a secret
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
