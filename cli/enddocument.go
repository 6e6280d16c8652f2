package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/schema"
)

// writtenAs has the formats that commands write with -json, by the names of their JSON Schemas, where it is not what
// commandsFormat has under the command's own name. Each may also write failureFormat instead.
var writtenAs = map[string][]string{
	"apply":          {eventsFormat},
	"bundle inspect": {"inspection"},
	"bundle verify":  {"inspection"},
	"docs":           {"reference", commandsFormat},
	"drift":          {"drift"},
	"plan":           {"plan", "diff"},
	"receive":        {"inspection"},
	"rehearse":       {"rehearsal"},
	"schema":         {"reference"},
	"send":           {"inspection"},
	"show":           {"plan", "run", "diff"},
	"test":           {eventsFormat},
}

// Formats that more than one command writes.
const (
	commandsFormat = "commands"
	eventsFormat   = "events"
	failureFormat  = "diagnostics"
)

// formatsOf returns the formats that a command writes with -json.
func formatsOf(name string) []string {
	of := writtenAs[name]
	if of == nil {
		of = []string{commandsFormat}
	}
	return append(slices.Clone(of), failureFormat)
}

// failedJSON writes the error that ended the command as JSON, if that is wanted and the command has written none. The
// file of -json-into gets it only if it is known to be meant: it was emptied before.
func (c *command) failedJSON(why error) {
	if c.events != nil || c.documents > 0 {
		return
	}
	if !c.emptied {
		c.flags.jsonInto = ""
	}
	var err error
	if slices.Contains(writtenAs[c.name], eventsFormat) {
		err = c.openEvents() // the error will be one
	} else {
		err = c.document(schema.DiagnosticsView{Diagnostics: []schema.DiagnosticView{errorView(why)}})
	}
	if err != nil {
		c.warn("the error is not written as JSON: %v", err)
	}
}

// errorView returns an error as diagnostics are written for programs: its first line is the summary.
func errorView(err error) schema.DiagnosticView {
	summary, detail, _ := strings.Cut(err.Error(), "\n")
	return schema.DiagnosticView{Severity: "error", Summary: summary, Detail: detail}
}

// countDocuments tells tests how many documents a command with -json has written.
func (c *command) countDocuments() {
	switch {
	case !c.flags.json:
	case c.events != nil:
		hook.Ended(c.name, 1)
	default:
		hook.Ended(c.name, c.documents)
	}
}

// typedJSON reports whether -json is on a command line that cannot be read otherwise, and whether it or -json-into is.
func typedJSON(root *cobra.Command, given []string) (printed, wanted bool) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.BoolVar(&printed, "json", false, "")
	into := flags.String("json-into", "", "")
	flags.BoolP("help", "h", false, "")          // nothing would be read after it
	_ = flags.Parse(args.TwoDashes(root, given)) // the mistake is reported
	return printed, printed || *into != ""
}

// showHelp shows the help of a command, which is not for programs.
func (c *command) showHelp(show func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, args []string) {
		if !c.wantsJSON() {
			show(cmd, args)
			return
		}
		why := fmt.Sprintf("help is text for people; `%s docs -json WORD` has the page of a command",
			cmd.Root().Name())
		if !cmd.Runnable() {
			why = groupJSON
		}
		c.noHelp = failf(exitError, "%s: -json: %s", cmd.CommandPath(), why)
	}
}
