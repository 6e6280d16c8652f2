package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report/page"
)

// wantsJSON reports whether JSON is to be written: to the output, to a file, or both.
func (c *command) wantsJSON() bool { return c.flags.json || c.flags.jsonInto != "" }

// writeJSON writes one document for programs: to the output with -json, and to the file of -json-into. That file keeps
// the last document of a command. Without these flags it does nothing.
func (c *command) writeJSON(write func(io.Writer) error) error {
	if !c.wantsJSON() {
		return nil
	}
	c.documents++
	if hook.Document != nil {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return err
		}
		hook.Document(c.name, formatsOf(c.name), text.Bytes())
	}
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
	return c.replace(c.flags.jsonInto, text.Bytes())
}

// document writes one JSON document, as writeJSON does.
func (c *command) document(v any) error {
	return c.writeJSON(func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// guard returns a writer that redacts secrets.
func (c *command) guard(w io.Writer) *output.Guarded {
	return output.Guard(w, func() *redact.Set { return c.redactor })
}

// emptyInto empties the file of -json-into before anything else is done. The output of an earlier command is then not
// mistaken for this one's, and an unwritable file does not stop the command half-way.
func (c *command) emptyInto() error {
	name := c.flags.jsonInto
	if name == "" {
		return nil
	}
	if err := c.freeToWrite("json-into", name, "out.json"); err != nil {
		return err
	}
	if err := c.wasSuch("json-into", name, documentJSON); err != nil {
		return err
	}
	err := c.replace(name, nil)
	c.emptied = err == nil
	return err
}

// freeToWrite refuses a file that a flag names for writing if its name is that of a plan or of a part of a
// configuration, if it is in the data folder, or if another flag names it too. Flags in from may name it, because it
// may be read from there. another is an example of a suitable name.
func (c *command) freeToWrite(flag, name, another string, from ...string) error {
	path := files.Resolved(c.abs(name))
	rel, err := filepath.Rel(files.Resolved(c.dataDir()), path)
	other := filepath.Join(filepath.Dir(name), another)
	switch {
	case configurationName(name) || configurationName(path):
		return failf(exitError, "-%s=%s: a file of that name is read as configuration; choose another name, such as %s",
			flag, name, other)
	case filepath.Base(name) == seedFile || filepath.Base(path) == seedFile:
		return failf(exitError, "-%s=%s: a file of that name describes simulated servers; choose another name, such as %s",
			flag, name, other)
	case strings.HasSuffix(name, planSuffix) || strings.HasSuffix(path, planSuffix):
		return failf(exitError, "-%s=%s: a file of that name is a plan; choose another name, such as %s", flag, name, other)
	case err == nil && filepath.IsLocal(rel):
		return failf(exitError, "-%s=%s: the data folder is for what syncctl keeps itself; choose another folder", flag, name)
	}
	return c.notNamedTwice(flag, name, from)
}

// planSuffix is the suffix of the names of plan files.
const planSuffix = ".syncplan.json"

// notNamedTwice refuses to write a file that the command line also names for something else.
func (c *command) notNamedTwice(flag, name string, from []string) error {
	if info, err := c.app.fs.Stat(c.abs(name)); c.typed == nil || err == nil && !info.Mode().IsRegular() {
		return nil // a device can be named more than once
	}
	into := files.Resolved(c.abs(name))
	same := func(name string) bool { return name != "" && files.Resolved(c.abs(name)) == into }
	also := ""
	for _, arg := range c.typedArgs {
		if same(arg) {
			also = "an argument"
		}
	}
	c.typed.Visit(func(f *pflag.Flag) {
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
		if f.Name != flag && !slices.Contains(from, f.Name) && slices.ContainsFunc(values, same) {
			also = "-" + f.Name
		}
	})
	if also != "" {
		return failf(exitError, "-%s=%s: %s names the same file; choose another name", flag, name, also)
	}
	return nil
}

// The documents that may replace earlier ones, as people call them.
const (
	documentJSON     = "JSON"
	documentHTML     = "a page of syncctl"
	documentMarkdown = "a comment of syncctl"
	documentXML      = "XML"
)

// wasSuch refuses an existing file that syncctl has not written as such a document: it may be a key, or a text.
func (c *command) wasSuch(flag, name, document string) error {
	info, err := c.app.fs.Stat(c.abs(name))
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil // the error is reported when it is written
	}
	f, err := c.app.fs.Open(c.abs(name))
	if err != nil {
		return fmt.Errorf("-%s: %w", flag, err)
	}
	var is bool
	if document == documentJSON {
		is = beginsAsJSON(f)
	} else {
		head, reading := io.ReadAll(io.LimitReader(f, mostOfHead))
		err, is = reading, beginsAs(string(head), document)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("-%s: %w", flag, err)
	}
	if !is {
		return failf(exitError, "-%s=%s: the file exists and is not %s, so that it is not replaced; choose another "+
			"name, or remove it", flag, name, document)
	}
	return nil
}

// mostOfHead is the number of bytes read to recognize a file.
const mostOfHead = 256

// beginsAs reports whether a text begins like a document that is not JSON.
func beginsAs(text, document string) bool {
	switch document {
	case documentHTML:
		return strings.HasPrefix(text, "<!doctype html>\n") && strings.Contains(text, page.PolicyMark)
	case documentXML:
		return strings.HasPrefix(text, "<?xml ")
	}
	return strings.HasPrefix(text, page.CommentMark)
}

// beginsAsJSON reports whether the input is a JSON value, or begins with an object or array (events are written one on
// each line). A text may begin like a number: "-----BEGIN PRIVATE KEY-----".
func beginsAsJSON(r io.Reader) bool {
	dec := json.NewDecoder(r)
	first, err := dec.Token()
	if err != nil {
		return false
	}
	_, err = dec.Token()
	if _, compound := first.(json.Delim); compound {
		return err == nil
	}
	return errors.Is(err, io.EOF)
}

// openEvents starts reporting everything as events, if JSON is wanted.
func (c *command) openEvents() error {
	var to []io.Writer
	if c.flags.json {
		to = append(to, output.JSON(c.out))
	}
	if c.flags.jsonInto != "" {
		path, err := c.place(c.flags.jsonInto)
		if err != nil {
			return err
		}
		f, err := files.Stream(c.app.fs, path, 0o644)
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
	c.events.Write("info", "syncctl "+version(), view.VersionEvent{})
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
