package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/schema"
)

// unread reports whether the output has lost its reader.
func (c *command) unread() bool {
	return c.out.Unread()
}

// styles returns the styles of the two streams.
func (c *command) styles() (out, err view.Style) {
	color := func(tty bool) bool {
		switch {
		case c.flags.color.value == "always":
			return true
		case c.flags.color.value == "never", c.flags.noColor, c.app.set("NO_COLOR"):
			return false
		case c.app.set("FORCE_COLOR") && !c.app.is("FORCE_COLOR", "0"):
			return true
		}
		return tty && !c.app.is("TERM", "dumb")
	}
	width := c.width()
	out, err = view.Style{Color: color(c.app.tty.out)}, view.Style{Color: color(c.app.tty.err)}
	if c.app.tty.out || c.app.set("COLUMNS") {
		out.Width = width
	}
	if c.app.tty.err || c.app.set("COLUMNS") {
		err.Width = width
	}
	return out, err
}

// width returns COLUMNS, or the terminal's width.
func (c *command) width() int {
	if v, _ := c.app.env("COLUMNS"); v != "" {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return n
		}
	}
	if c.app.tty.width == nil {
		return 0
	}
	return c.app.tty.width()
}

// say prints a line.
func (c *command) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

// warn prints a line to the error stream.
func (c *command) warn(format string, args ...any) {
	fmt.Fprintln(c.err, c.errStyle.Bold("Warning: ")+schema.Sanitize(fmt.Sprintf(format, args...)))
}

// diagnostics reports errors and warnings: on the error stream for people, and as JSON if that is wanted. With warnings
// alone, the command goes on, and writes a document of its own.
func (c *command) diagnostics(diags hcl.Diagnostics, sources func() map[string]*hcl.File) error {
	diags = reworded(diags, c.long.cut)
	switch {
	case c.events != nil:
		c.diagnosticEvents(diags, sources)
	case diags.HasErrors():
		write := func(w io.Writer) error { return schema.WriteJSON(w, diags, sources()) }
		if err := c.writeJSON(write); err != nil {
			return err
		}
	}
	if len(diags) == 0 || c.flags.json {
		return nil
	}
	return c.printDiagnostics(diags, sources())
}

// known returns sources that were read and masked before.
func known(files map[string]*hcl.File) func() map[string]*hcl.File {
	return func() map[string]*hcl.File { return files }
}

// printDiagnostics prints errors and warnings for people. Secrets are taken out before lines are broken, where they
// could not be found any more.
func (c *command) printDiagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) error {
	whole, diags := output.NewBuffer(c.err), reworded(diags, c.redactor.String)
	if c.flags.compact && !diags.HasErrors() {
		for _, line := range schema.Compact(diags) {
			fmt.Fprintln(whole, c.errStyle.Bold("Warning: ")+line)
		}
		return whole.Flush()
	}
	o := schema.TextOptions{Width: c.errStyle.Width, Color: c.errStyle.Color}
	if err := schema.WriteText(whole, diags, files, o); err != nil {
		return err
	}
	return whole.Flush()
}

// reworded returns diagnostics that say the same in other words.
func reworded(diags hcl.Diagnostics, words func(string) string) hcl.Diagnostics {
	var out hcl.Diagnostics
	for _, d := range diags {
		said := *d
		said.Summary, said.Detail = words(d.Summary), words(d.Detail)
		out = append(out, &said)
	}
	return out
}

// diagnosticEvents reports each diagnostic as an event.
func (c *command) diagnosticEvents(diags hcl.Diagnostics, sources func() map[string]*hcl.File) {
	for _, d := range diags {
		level := "error"
		if d.Severity == hcl.DiagWarning {
			level = "warn"
		}
		for _, one := range schema.Views(hcl.Diagnostics{d}, sources()) {
			c.events.Write(level, d.Summary, view.DiagnosticEvent{Diagnostic: one})
		}
	}
}
