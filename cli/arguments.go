package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/args"
)

// arguments converts a command line as people type it to the form that cobra reads: one dash becomes two, and the
// arguments from the environment are added. An unknown command is reported before any other mistake.
func (c *command) arguments(root *cobra.Command, given []string) ([]string, error) {
	root.InitDefaultHelpCmd()
	given = args.TwoDashes(root, given)
	found, rest, err := root.Find(given)
	if err != nil {
		return nil, err
	}
	if _, wanted := typedJSON(root, rest); wanted && found == root && slices.ContainsFunc(rest, asksVersion) {
		found, _, _ = root.Find([]string{"version"}) // it is one of ours
		rest = slices.DeleteFunc(rest, asksVersion)
	}
	if found.HasSubCommands() && found.Annotations[takesArguments] == "" {
		if word := args.FirstWord(found, rest); word != "" {
			return nil, unknownCommand(found, word)
		}
		return given, nil
	}
	var extra []string
	path := strings.Fields(found.CommandPath())[1:]
	for _, name := range []string{"SYNCCTL_CLI_ARGS", "SYNCCTL_CLI_ARGS_" + strings.Join(path, "_")} {
		v, _ := c.app.env(name)
		words, err := shellquote.Split(v)
		if err != nil {
			return nil, fmt.Errorf("%s: a quotation is not closed", name) // without the text: it may hold a secret
		}
		extra = append(extra, args.TwoDashes(found, words)...)
	}
	return slices.Concat(path, extra, rest), nil
}

func asksVersion(word string) bool { return word == "--version" || word == "-v" }

// isCompletion reports whether a shell asks what to offer.
func isCompletion(given []string) bool {
	return len(given) > 1 && strings.HasPrefix(given[0], cobra.ShellCompRequestCmd)
}

// noneEmpty refuses a flag with an empty value, such as -expect="$HASH" if HASH is not set: without the intended hash
// or policy, everything would be allowed.
func noneEmpty(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = failf(exitError, "-%s has no value: is the variable set that it comes from? Give it one, or leave the flag "+
				"out", f.Name)
		}
	})
	return err
}

// completing makes one dash two in the words that a shell completes, and reports whether it did so in the last one: a
// flag without a value, of which cobra then offers the whole name with two.
func completing(root *cobra.Command, given []string) (words []string, oneDash bool) {
	typed := given[len(given)-1]
	words = args.TwoDashes(root, given[1:])
	oneDash = !strings.Contains(typed, "=") && words[len(words)-1] == "-"+typed
	return slices.Concat(given[:1], words), oneDash
}

// oneDash writes each offer with one dash where it has two, as the person has begun to type it.
type oneDash struct{ to io.Writer }

func (o oneDash) Write(offer []byte) (int, error) {
	if !bytes.HasPrefix(offer, []byte("--")) {
		return o.to.Write(offer)
	}
	n, err := o.to.Write(offer[1:])
	return n + 1, err
}

func unknownCommand(parent *cobra.Command, word string) error {
	if hint := otherCommands[word]; hint != "" && !parent.HasParent() {
		return failf(exitError, "unknown command %q. %s", word, hint)
	}
	var names []string
	for _, cmd := range parent.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return failf(exitError, "unknown command %q for %s.%s", word, parent.CommandPath(),
		args.DidYouMean(word, names, "\nRun `"+parent.CommandPath()+" --help` for the list of commands."))
}

// flagError explains a mistake in a flag, and returns other errors unchanged.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid):
		return invalidValue(invalid)
	case errors.As(err, &missing):
		return unknownFlag(cmd, missing.GetSpecifiedName())
	}
	return failf(exitError, "%w", err)
}

// unknownFlag suggests flags for an unknown name. For a single letter it also suggests the long flags that begin with
// it, because -o is a habit from other programs.
func unknownFlag(cmd *cobra.Command, name string) error {
	var names, begin []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names = append(names, f.Name)
		if strings.HasPrefix(f.Name, name) && !f.Hidden {
			begin = append(begin, "-"+f.Name)
		}
	})
	if len(name) == 1 && len(begin) > 0 {
		return failf(exitError, "%s has no flag -%s. Did you mean %s?",
			cmd.CommandPath(), name, strings.Join(begin, " or "))
	}
	if hint := otherFlag(cmd.Name(), name); hint != "" {
		return failf(exitError, "%s has no flag --%s. %s", cmd.CommandPath(), name, hint)
	}
	hint := "\nRun `" + cmd.CommandPath() + " --help` for the list of flags."
	if n := args.Nearest(name, names); n != "" {
		hint = " Did you mean --" + n + "?"
	}
	return failf(exitError, "%s has no flag --%s.%s", cmd.CommandPath(), name, hint)
}

// invalidValue says what the value of a flag should be.
func invalidValue(err *pflag.InvalidValueError) error {
	f := err.GetFlag()
	switch f.Value.Type() {
	case "bool":
		return failf(exitError, "--%s is on or off: leave out its value, or use =true or =false; %q is neither",
			f.Name, err.GetValue())
	case "command": // without the value: it may hold a secret
		return failf(exitError, "--%s: %w", f.Name, err.Unwrap())
	case "int", "int64", "uint", "uint64":
		return failf(exitError, "--%s must be a whole number, not %q", f.Name, err.GetValue())
	case "duration":
		return failf(exitError, "--%s must be a time like 30s or 5m, not %q", f.Name, err.GetValue())
	}
	return failf(exitError, "--%s cannot be %q: %w", f.Name, err.GetValue(), err.Unwrap())
}
