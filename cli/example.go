package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/files"
)

// example is a folder that is built into the program.
type example struct {
	name    string
	summary string // the heading of its README.md
	files   fs.FS
}

// examples returns the examples of all products whose simulated servers are all built in, by name.
func (c *command) examples() ([]example, error) {
	var out []example
	for _, p := range c.app.products {
		if p.Examples == nil {
			continue
		}
		entries, err := fs.ReadDir(p.Examples, ".")
		if err != nil {
			return nil, fmt.Errorf("listing the examples: %w", err)
		}
		for _, entry := range entries {
			known := slices.ContainsFunc(out, func(e example) bool { return e.name == entry.Name() })
			if known || !entry.IsDir() {
				continue // two products may contain the same folders
			}
			folder, err := fs.Sub(p.Examples, entry.Name())
			if err != nil {
				return nil, fmt.Errorf("opening the example %s: %w", entry.Name(), err)
			}
			if !c.simulates(folder) {
				continue
			}
			out = append(out, example{entry.Name(), heading(folder), folder})
		}
	}
	slices.SortFunc(out, func(a, b example) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// simulates reports whether all products of a seed can be simulated.
func (c *command) simulates(folder fs.FS) bool {
	seed, err := fs.ReadFile(folder, seedFile)
	var worlds map[string]json.RawMessage
	if err != nil || json.Unmarshal(seed, &worlds) != nil {
		return false
	}
	for _, p := range c.app.products {
		if p.Simulator != nil {
			delete(worlds, p.Name)
		}
	}
	return len(worlds) == 0
}

// heading returns the first line of a folder's README.md.
func heading(folder fs.FS) string {
	text, err := fs.ReadFile(folder, "README.md")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(strings.TrimLeft(first, "#"))
}

// example finds an example by its name, or by its path in the project.
func (c *command) example(name string) (example, error) {
	all, err := c.examples()
	if err != nil {
		return example{}, err
	}
	var names []string
	for _, e := range all {
		if e.name == strings.TrimPrefix(path.Clean(filepath.ToSlash(name)), "examples/") {
			return e, nil
		}
		names = append(names, e.name)
	}
	return example{}, failf(exitError, "there is no example %q.%s", name,
		args.DidYouMean(name, names, ""+
			" These are in the program: "+strings.Join(names, ", ")))
}

// create writes files into a folder, which may be missing. It replaces no file: if one exists, nothing is written.
func (c *command) create(texts map[string][]byte, dir string) error {
	names := slices.Sorted(maps.Keys(texts))
	var there []string
	for _, name := range names {
		if target := filepath.Join(dir, filepath.FromSlash(name)); files.Exists(c.app.fs, target) {
			there = append(there, c.near(target))
		}
	}
	if len(there) > 0 {
		return failf(exitError, "nothing was written: init replaces no file, and these exist: %s. Name another folder, "+
			"as in `syncctl init ... DIR`", strings.Join(there, ", "))
	}
	for _, name := range names {
		if err := files.Inside(dir, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return failf(exitError, "nothing was written: %w", err)
		}
	}
	for _, name := range names {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := c.app.fs.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("creating %s: %w", c.near(filepath.Dir(target)), err)
		}
		if err := files.Create(c.app.fs, target, texts[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// texts returns all files of an example.
func (e example) texts() (map[string][]byte, error) {
	out := map[string][]byte{}
	err := fs.WalkDir(e.files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		out[name], err = fs.ReadFile(e.files, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the example %s: %w", e.name, err)
	}
	return out, nil
}

// unpacked returns the folder of the example that a person names: that folder if it exists, or else one of the
// program's own examples, written to a temporary folder that exists until remove is called.
func (c *command) unpacked(name string) (dir string, remove func() error, err error) {
	keep := func() error { return nil }
	if c.isDir(name) || strings.HasPrefix(name, ".") || filepath.IsAbs(name) {
		return name, keep, nil
	}
	e, err := c.example(name)
	if err != nil {
		if all, _ := c.examples(); len(all) == 0 {
			return name, keep, nil // whoever reads the folder reports it
		}
		return "", keep, failf(exitError, "%s is not a folder, and %w", name, err)
	}
	texts, err := e.texts()
	if err != nil {
		return "", keep, err
	}
	scratch, err := c.app.temp("syncctl-example-")
	if err != nil {
		return "", keep, fmt.Errorf("creating a folder for the example: %w", err)
	}
	remove = func() error { return c.app.fs.RemoveAll(scratch) }
	dir = filepath.Join(scratch, e.name)
	if err := c.create(texts, dir); err != nil {
		return "", keep, errors.Join(err, remove())
	}
	return dir, remove, nil
}
