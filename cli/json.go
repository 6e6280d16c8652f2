package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
func (c *command) emptyInto(cmd *cobra.Command, args []string) error {
	name := c.flags.jsonInto
	if name == "" {
		return nil
	}
	if strings.HasSuffix(name, ".syncplan.json") {
		return failf(exitError, "-json-into=%s: a file of that name is a plan; choose another name, such as %s", name,
			filepath.Join(filepath.Dir(name), "out.json"))
	}
	if err := c.freeToWrite("json-into", name, "out.json"); err != nil {
		return err
	}
	if err := c.notNamedTwice(cmd, args); err != nil {
		return err
	}
	if err := c.wasJSON(name); err != nil {
		return err
	}
	return files.Replace(c.app.fs, c.abs(name), nil, 0o644)
}

// freeToWrite refuses what a flag names to be written where a file of that name is read as a part of a configuration,
// or is kept in the data folder. another is a name that would do.
func (c *command) freeToWrite(flag, name, another string) error {
	path := resolved(c.abs(name))
	rel, err := filepath.Rel(resolved(c.dataDir()), path)
	switch {
	case configurationName(name) || configurationName(path):
		return failf(exitError, "-%s=%s: a file of that name is read as configuration; choose another name, such as %s",
			flag, name, filepath.Join(filepath.Dir(name), another))
	case filepath.Base(name) == seedFile || filepath.Base(path) == seedFile:
		return failf(exitError, "-%s=%s: a file of that name describes simulated servers; choose another name, such as %s",
			flag, name, filepath.Join(filepath.Dir(name), another))
	case err == nil && filepath.IsLocal(rel):
		return failf(exitError, "-%s=%s: the data folder is for what syncctl keeps itself; choose another folder", flag, name)
	}
	return nil
}

// notNamedTwice refuses a file of -json-into that the command line names for something else too.
func (c *command) notNamedTwice(cmd *cobra.Command, args []string) error {
	into := resolved(c.abs(c.flags.jsonInto))
	same := func(name string) bool { return name != "" && resolved(c.abs(name)) == into }
	also := ""
	for _, arg := range args {
		if same(arg) {
			also = "an argument"
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			values = v.GetSlice()
		case varFlag:
			for _, source := range v.to.list {
				values = append(values, source.File)
			}
		case *addressFile:
			for _, given := range *v.to {
				values = append(values, strings.TrimPrefix(given, fileOfAddresses))
			}
		}
		if f.Name != "json-into" && slices.ContainsFunc(values, same) {
			also = "-" + f.Name
		}
	})
	if also != "" {
		return failf(exitError, "-json-into=%s: %s names the same file; choose another name", c.flags.jsonInto, also)
	}
	return nil
}

// wasJSON refuses a file that is there and that syncctl has not written with -json: it may be a key, or a text.
func (c *command) wasJSON(name string) error {
	info, err := c.app.fs.Stat(c.abs(name))
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil // whoever writes it says what is wrong
	}
	f, err := c.app.fs.Open(c.abs(name))
	if err != nil {
		return fmt.Errorf("-json-into: %w", err)
	}
	first := make([]byte, 1)
	_, err = io.ReadFull(f, first)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("-json-into: %w", err)
	}
	if first[0] != '{' && first[0] != '[' {
		return failf(exitError, "-json-into=%s: the file exists and is not JSON, so that it is not replaced; choose another "+
			"name, or remove it", name)
	}
	return nil
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
