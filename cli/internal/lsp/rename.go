package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

var errNoName = errors.New("this does not name anything that can be renamed")

// prepareRename returns what would be renamed.
func (v *view) prepareRename(_ context.Context, p *positionParams) (*renameRange, error) {
	f, at := v.spotOf(*p)
	if f == nil {
		return nil, errNoName
	}
	u, ok := v.nameAt(f, at)
	if !ok || v.find(u.name) == nil {
		return nil, errNoName
	}
	return &renameRange{v.rangeIn(f.text, u.at), u.name.name}, nil
}

// rename returns the edits that rename something everywhere. It returns an error if the result would not be valid.
func (v *view) rename(ctx context.Context, p *renameParams) (*workspaceEdit, error) {
	f, at := v.spotOf(p.positionParams)
	if f == nil {
		return nil, errNoName
	}
	u, ok := v.nameAt(f, at)
	if !ok || v.find(u.name) == nil {
		return nil, errNoName
	}
	if err := v.mayBeCalled(u.name, p.NewName); err != nil {
		return nil, err
	}
	all := edits{}
	for _, x := range v.usesOf(ctx, u.name) {
		if all[x.file] == nil {
			if err := x.file.whole(ctx); err != nil {
				return nil, err
			}
		}
		if x.file.text.Slice(x.at) != u.name.name {
			return nil, fmt.Errorf("in %s the name is written with escapes: write it as it is first",
				schema.SanitizeLine(filepath.Base(x.file.path)))
		}
		all.add(x.file, x.at, p.NewName)
	}
	if isKind(u.kind) || u.kind == "module" {
		if err := v.keepAddress(ctx, u.name, p.NewName, all); err != nil {
			return nil, err
		}
	}
	if v.unread != nil {
		return nil, fmt.Errorf("it is not known where else the name is used: %s", schema.SanitizeLine(v.unread.Error()))
	}
	if err := v.stillRight(ctx, u.name, all); err != nil {
		return nil, err
	}
	out := &workspaceEdit{Changes: map[string][]textEdit{}}
	for f, changed := range all {
		for _, e := range changed {
			uri := v.uriOf(f.path)
			out.Changes[uri] = append(out.Changes[uri], textEdit{v.rangeIn(f.text, e.at), e.text})
		}
	}
	return out, nil
}

// mayBeCalled returns an error if a name is not an identifier, or is taken.
func (v *view) mayBeCalled(n name, to string) error {
	if !hclsyntax.ValidIdentifier(to) {
		return fmt.Errorf("%q cannot be a name: a name starts with a letter or underscore and holds letters, digits, "+
			"underscores and dashes", to)
	}
	if n.kind == "var" && slices.ContainsFunc(moduleArguments(), func(a schema.Attribute) bool { return a.Name == to }) {
		return fmt.Errorf("a variable cannot be named %q, because a module block has an argument of that name", to)
	}
	n.name = to
	if s := v.find(n); s != nil {
		return fmt.Errorf("there is a %s already, in %s", n.key(), schema.SanitizeLine(filepath.Base(s.file.path)))
	}
	return nil
}

// whole returns an error if a file does not parse: its content is not certain then.
func (f *file) whole(ctx context.Context) error {
	if f.json {
		var wrong *json.SyntaxError
		if err := json.Unmarshal([]byte(f.text.Source), new(json.RawMessage)); errors.As(err, &wrong) {
			return f.torn(f.text.Position(int(wrong.Offset), source.UTF8).Line + 1)
		}
		return nil
	}
	if _, diags := schema.FormatWithin(ctx, f.path, []byte(f.text.Source), schema.Usual); diags.HasErrors() {
		line := 0
		if diags[0].Subject != nil {
			line = diags[0].Subject.Start.Line
		}
		return f.torn(line)
	}
	return nil
}

func (f *file) torn(line int) error {
	return fmt.Errorf("%s does not parse, see line %d: mend that first",
		schema.SanitizeLine(filepath.Base(f.path)), line)
}

// stillRight loads the folders with the changes applied. It returns an error if there is an error that was not
// there before, such as for a use of the name that only evaluation finds.
func (v *view) stillRight(ctx context.Context, n name, all edits) error {
	docs := maps.Clone(v.docs)
	dirs := map[string]bool{}
	for _, f := range v.filesOf(ctx, n) {
		dirs[f.dir] = true
	}
	for f := range all {
		text, err := all.text(f)
		if err != nil {
			return err
		}
		d := newDocument("", f.path, 0, source.NewText(text))
		if was := v.docs[f.path]; was != nil {
			d.real = was.real
		}
		docs[f.path] = d
	}
	renamed := *v
	renamed.docs, renamed.fs = docs, newOverlay(v.opts.Fs, docs)
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		before, after := v.errors(ctx, dir), renamed.errors(ctx, dir)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if schema.Incomplete(before) {
			return fmt.Errorf("%s has too many errors to see what a new name breaks: mend them first",
				schema.SanitizeLine(filepath.Base(dir)))
		}
		if d := added(dir, before, after, all); d != nil {
			where := filepath.Base(dir)
			if d.Subject != nil {
				where = fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line)
			}
			return fmt.Errorf("afterwards there would be an error, in %s: %s", schema.SanitizeLine(where), messageOf(d))
		}
	}
	return nil
}

// added returns the first error in after that is not in before, or nil if there is none. The errors of a folder are the
// same if their summaries and places are; a place in before moves with the changes of its file.
func added(dir string, before, after hcl.Diagnostics, all edits) *hcl.Diagnostic {
	type mistake struct {
		summary, path string
		at            int
	}
	of := func(d *hcl.Diagnostic) mistake {
		if d.Subject == nil {
			return mistake{summary: d.Summary}
		}
		return mistake{d.Summary, filepath.Join(dir, d.Subject.Filename), d.Subject.Start.Byte}
	}
	known := map[mistake]int{}
	for _, d := range before {
		m := of(d)
		m.at = all.shifted(m.path, m.at)
		known[m]++
	}
	for _, d := range after {
		m := of(d)
		if known[m] == 0 {
			return d
		}
		known[m]--
	}
	return nil
}

// errors returns the errors in a folder, without warnings.
func (v *view) errors(ctx context.Context, dir string) hcl.Diagnostics {
	_, diags := v.load(ctx, dir)
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity != hcl.DiagError })
}
