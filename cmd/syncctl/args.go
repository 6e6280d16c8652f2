package main

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
	args = twoDashes(args)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
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
		extra = append(extra, twoDashes(words)...)
	}
	return slices.Concat(path, extra, rest), nil
}

var longWithOneDash = regexp.MustCompile(`^-[A-Za-z][A-Za-z0-9-]+(=(?s:.*))?$`)

// twoDashes turns -out=x into --out=x, up to a "--".
func twoDashes(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		if longWithOneDash.MatchString(arg) {
			out[i] = "-" + arg
		}
	}
	return out
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

// flagError explains a flag that does not exist, and passes other errors on.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
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
	if best == "" && len(word) >= 3 { // the beginning of a word, or a part of an address
		for _, n := range names {
			if strings.HasPrefix(n, word) || strings.HasSuffix(n, "/"+word) {
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
		return nil, fmt.Errorf("a quotation in %q is not closed", line)
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
