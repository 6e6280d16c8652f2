package cli

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/redact"
)

// wantsJSON tells whether JSON is to be written: to the output, into a file, or both.
func (c *command) wantsJSON() bool { return c.flags.json || c.flags.jsonInto != "" }

// writeJSON writes one document where programs read it: to the output with -json, into the file of -json-into. There
// the last document of a command counts.
func (c *command) writeJSON(write func(io.Writer) error) error {
	if c.flags.json {
		w := output.NewBuffer(output.JSON(c.out))
		if err := errors.Join(write(w), w.Flush()); err != nil {
			return err
		}
	}
	if c.flags.jsonInto == "" {
		return nil
	}
	var text bytes.Buffer
	w := output.NewBuffer(output.JSON(c.guard(&text)))
	if err := errors.Join(write(w), w.Flush()); err != nil {
		return err
	}
	return files.Replace(c.app.fs, c.abs(c.flags.jsonInto), text.Bytes(), 0o644)
}

// guard takes the secrets out of what is written.
func (c *command) guard(w io.Writer) io.Writer {
	return output.Guard(w, func() *redact.Set { return c.redactor })
}

// emptyInto empties the file of -json-into before anything else is done: what an earlier command wrote is not taken for
// what this one says, and a file that cannot be written stops nothing half-way.
func (c *command) emptyInto() error {
	name := c.flags.jsonInto
	if name == "" {
		return nil
	}
	if configurationName(name) || strings.HasSuffix(name, ".syncplan.json") {
		return failf(exitError, "-json-into=%s: a file of that name is a configuration or a plan; choose another name, "+
			"such as %s", name, filepath.Join(filepath.Dir(name), "out.json"))
	}
	return files.Replace(c.app.fs, c.abs(name), nil, 0o644)
}

// openEvents has everything that happens reported as events, where JSON is wanted.
func (c *command) openEvents() error {
	var to []io.Writer
	if c.flags.json {
		to = append(to, output.JSON(c.out))
	}
	if c.flags.jsonInto != "" {
		f, err := files.Stream(c.app.fs, c.abs(c.flags.jsonInto))
		if err != nil {
			return err
		}
		c.into = f
		to = append(to, output.JSON(c.guard(f)))
	}
	if len(to) == 0 {
		return nil
	}
	c.events = view.NewEvents(io.MultiWriter(to...), c.app.clock.Now)
	c.events.Write("info", "version", "syncctl "+version(), nil)
	return nil
}

// closeInto closes the file of events.
func (c *command) closeInto() {
	if c.into == nil {
		return
	}
	if err := c.into.Close(); err != nil {
		c.warn("-json-into: %v", err)
	}
}
