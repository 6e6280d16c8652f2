package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// pause is the time after the last change before files are checked.
const pause = 200 * time.Millisecond

// checker checks folders whose files have changed, and sends the diagnostics to the editor.
type checker struct {
	server  *server
	changed chan struct{} // signals that touched is not empty

	mu      sync.Mutex
	touched map[string]bool    // paths
	stop    context.CancelFunc // cancels the check in progress

	// The fields below are used only by the goroutine of run.
	found     map[string]*findings // by folder
	published map[string]string    // by path
}

// findings holds the diagnostics of the configuration of a folder.
type findings struct {
	files map[string]bool         // files that it was read from
	dirs  map[string]bool         // folders of its modules, also missing ones
	diags map[string][]diagnostic // by file
}

// touch makes run check the folders that a file belongs to. A check in progress is canceled.
func (c *checker) touch(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.touched == nil {
		c.touched = map[string]bool{}
	}
	c.touched[path] = true
	if c.stop != nil {
		c.stop()
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// run checks what is touched until ctx ends.
func (c *checker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.changed:
		}
		for quiet := c.server.opts.After(pause); quiet != nil; {
			select {
			case <-ctx.Done():
				return
			case <-c.changed:
				quiet = c.server.opts.After(pause)
			case <-quiet:
				quiet = nil
			}
		}
		c.check(ctx)
		if c.server.settled != nil {
			c.server.settled()
		}
	}
}

// check checks the folders that the touched files belong to.
func (c *checker) check(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	touched := c.touched
	c.touched, c.stop = nil, cancel
	select { // drops the signal for what was already in touched
	case <-c.changed:
	default:
	}
	c.mu.Unlock()
	c.server.mu.Lock()
	v := c.server.view()
	c.server.mu.Unlock()

	open := map[string]bool{}
	for path := range v.docs {
		if kindOf(path) != other {
			open[filepath.Dir(path)] = true
		}
	}
	for dir := range c.found {
		if !open[dir] {
			delete(c.found, dir)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(open)) {
		if !c.concerns(dir, touched) {
			continue
		}
		found := v.check(ctx, dir)
		if ctx.Err() != nil { // check again, with what has been typed since
			for path := range touched {
				c.touch(path)
			}
			return
		}
		c.found[dir] = found
	}
	c.publish(ctx, v)
}

// concerns reports whether a folder must be checked after files were touched.
func (c *checker) concerns(dir string, touched map[string]bool) bool {
	was := c.found[dir]
	for path := range touched {
		if was == nil || filepath.Dir(path) == dir || was.files[path] ||
			kindOf(path) != other && was.dirs[filepath.Dir(path)] { // a new file of a module
			return true
		}
		if inside(path, []string{dir}) && kindOf(path) == other { // a file that file() may have read
			return true
		}
	}
	return false
}

// errElsewhere is the reason why a file is not read.
var errElsewhere = errors.New("it is outside of the configuration's folder, and is not read while it is edited")

// load loads the configuration of a folder and reads its tests, as validate does for files that nobody has reviewed:
// variables of the environment are unknown. It returns the files that were read, and the diagnostics.
func (v *view) load(ctx context.Context, dir string) (map[string]bool, hcl.Diagnostics) {
	opts := schema.Options{Fs: files.In(v.fs, dir), Dir: ".", Catalog: v.opts.Catalog, Version: v.opts.Version,
		AllowUnset: true, Access: schema.Access{ReadFile: func(schema.Reading) error { return errElsewhere }}}
	read := map[string]bool{}
	var diags hcl.Diagnostics
	if v.holds(dir, configuration) {
		select { // what is left of an earlier load takes as much memory as another one
		case v.loading <- struct{}{}:
		case <-ctx.Done():
			return nil, nil
		}
		opts.Ended = func() { <-v.loading }
		cfg, wrong := schema.Load(ctx, opts)
		diags = wrong
		for _, name := range cfg.FileNames() {
			read[filepath.Join(dir, name)] = true
		}
	}
	if v.holds(dir, tests) && ctx.Err() == nil {
		_, _, wrong := schema.ReadTests(ctx, opts)
		diags = append(diags, wrong...)
	}
	return read, diags
}

func (v *view) check(ctx context.Context, dir string) *findings {
	read, diags := v.load(ctx, dir)
	found := &findings{files: read, dirs: v.moduleDirs(read), diags: map[string][]diagnostic{}}
	for _, d := range diags {
		path, rng := v.where(dir, d)
		found.diags[path] = append(found.diags[path], diagnostic{Range: rng, Severity: severity(d), Source: "syncctl",
			Message: messageOf(d), Data: v.missing(dir, d)})
	}
	return found
}

// moduleDirs returns the folders of the modules that are used in files.
func (v *view) moduleDirs(files map[string]bool) map[string]bool {
	out := map[string]bool{}
	for path := range files {
		f := v.file(path)
		if f == nil {
			continue
		}
		for _, b := range f.tree.File.Blocks {
			if dir, ok := v.moduleDir(f, b); ok && b.Type.Text == "module" {
				out[dir] = true
			}
		}
	}
	return out
}

// missing returns the data of a diagnostic, "" if it says of nothing that it is missing.
func (v *view) missing(dir string, d *hcl.Diagnostic) string {
	what := schema.MissingOf(d)
	if len(what.Ways) == 0 || what.Range == nil {
		return ""
	}
	path, rng := v.where(dir, &hcl.Diagnostic{Subject: what.Range})
	text, err := json.Marshal(missing{v.uriOf(path), rng.Start, what.Ways})
	if err != nil {
		return ""
	}
	return string(text)
}

// where returns a diagnostic's file and range. A diagnostic without a place is put at the beginning of an open file of
// the folder.
func (v *view) where(dir string, d *hcl.Diagnostic) (string, textRange) {
	if d.Subject != nil {
		path := filepath.Join(dir, d.Subject.Filename)
		span := source.Span{From: d.Subject.Start.Byte, To: d.Subject.End.Byte}
		if f := v.file(path); f != nil {
			return path, v.rangeIn(f.text, span)
		}
		return path, textRange{}
	}
	for _, path := range slices.Sorted(maps.Keys(v.docs)) {
		if filepath.Dir(path) == dir && kindOf(path) != other {
			return path, textRange{}
		}
	}
	return dir, textRange{}
}

func severity(d *hcl.Diagnostic) int {
	if d.Severity == hcl.DiagError {
		return 1
	}
	return 2
}

// messageOf returns the text of a diagnostic. It is sanitized, since parts of it may be foreign text.
func messageOf(d *hcl.Diagnostic) string {
	text := d.Summary
	if addr := schema.AddrOf(d); addr.Module != "" || addr.Index != "" {
		text += ", in " + addr.String()
	}
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return schema.Sanitize(strings.TrimRight(text, "\n"))
}

// publish sends the diagnostics of each file to the editor. For files that are not open, it sends only changes.
func (c *checker) publish(ctx context.Context, v *view) {
	all := map[string][]diagnostic{}
	for path := range v.docs {
		if kindOf(path) != other {
			all[path] = nil
		}
	}
	for path := range c.published {
		all[path] = nil
	}
	for _, dir := range slices.Sorted(maps.Keys(c.found)) {
		for path, diags := range c.found[dir].diags {
			for _, d := range diags {
				if !slices.Contains(all[path], d) {
					all[path] = append(all[path], d)
				}
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := publishParams{URI: v.uriOf(path), Diagnostics: all[path]}
		if p.Diagnostics == nil {
			p.Diagnostics = []diagnostic{}
		}
		text, err := json.Marshal(p)
		d := v.docs[path]
		if err != nil || d == nil && c.published[path] == string(text) {
			continue
		}
		if d != nil {
			p.Version = &d.version
		}
		_ = c.server.conn.Notify(ctx, "textDocument/publishDiagnostics", p) // an error means that the editor is gone
		if c.published[path] = string(text); len(p.Diagnostics) == 0 && d == nil {
			delete(c.published, path)
		}
	}
}
