package lsp

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// namesIn returns all words of a file that name something, where it is declared or used, in order.
func (v *view) namesIn(f *file) []use {
	var out []use
	for _, s := range f.declared() {
		out = append(out, use{s.name, s.at})
	}
	for _, r := range f.tree.References {
		out = append(out, v.uses(f, r)...)
	}
	given := func(dir string, b *source.Block, without []schema.Attribute) {
		for _, a := range b.Arguments {
			if !slices.ContainsFunc(without, func(x schema.Attribute) bool { return x.Name == a.Name.Text }) {
				out = append(out, use{name{dir, "var", "", a.Name.Text}, a.Name.Span})
			}
		}
	}
	switch f.kind {
	case values:
		given(f.dir, f.tree.File, nil)
	case configuration:
		for _, b := range f.tree.File.Blocks {
			if a := b.Find("site"); a != nil && isKind(b.Type.Text) {
				out = append(out, siteName(f, a)...)
			}
			if b.Type.Text != "module" {
				continue
			}
			if dir, ok := v.moduleDir(f, b); ok {
				given(dir, b, moduleArguments())
			}
		}
	case tests:
		for _, b := range f.tree.File.Blocks {
			for _, inner := range append([]*source.Block{b}, b.Blocks...) {
				if inner.Type.Text == "variables" {
					given(f.dir, inner, nil)
				}
			}
			out = append(out, stepNames(f, b)...)
		}
	}
	slices.SortStableFunc(out, func(a, b use) int { return a.at.From - b.at.From })
	return out
}

// moduleArguments returns the arguments of a module block that are not variables of the module.
func moduleArguments() []schema.Attribute {
	for _, c := range outermost(configuration) {
		if c.Name == "module" {
			return c.Body.Attributes
		}
	}
	return nil
}

// siteName returns the use of a site that a declaration names with a constant text.
func siteName(f *file, a *source.Argument) []use {
	text := f.text.Slice(a.Value)
	site := constant(text)
	if len(text) != len(site)+2 { // a reference, or something with escapes
		return nil
	}
	return []use{{name{f.dir, "site", "", site}, source.Span{From: a.Value.From + 1, To: a.Value.To - 1}}}
}

// stepNames returns the declarations that a test's run names in expect_steps, in texts such as "sync.TYPE.NAME/start".
func stepNames(f *file, run *source.Block) []use {
	a := run.Find("expect_steps")
	if a == nil {
		return nil
	}
	var out []use
	for _, m := range f.tree.Marks {
		if m.Role != source.Quoted || m.From < a.Value.From || m.To > a.Value.To {
			continue
		}
		text := f.text.Slice(m.Span)
		addr := text[:len(text)-len(strings.TrimLeftFunc(text, func(r rune) bool { return r != '/' && r != '[' }))]
		words := strings.Split(addr, ".")
		if len(words) == 3 && isKind(words[0]) {
			end := m.From + len(addr)
			out = append(out, use{name{f.dir, words[0], words[1], words[2]}, source.Span{From: end - len(words[2]), To: end}})
		}
	}
	return out
}

// nameAt returns what the word at an offset names.
func (v *view) nameAt(f *file, at int) (use, bool) {
	for _, u := range v.namesIn(f) {
		if u.at.Has(at) {
			return u, true
		}
	}
	return use{}, false
}

// maxFolders is the maximum number of folders that are searched for uses of a module.
const maxFolders = 5_000

// open returns the folders that contain files of the language: the open folders, the folders of open documents, and
// all folders inside them. Folders whose name begins with a dot are skipped. Links are not followed.
func (v *view) open(ctx context.Context) []string {
	var out []string
	todo := slices.Clone(v.folders)
	for path := range v.docs {
		if dir := filepath.Dir(path); !inside(dir, v.folders) && !slices.Contains(todo, dir) {
			todo = append(todo, dir)
		}
	}
	slices.Sort(todo)
	for len(todo) > 0 && len(out) < maxFolders && ctx.Err() == nil {
		dir := todo[0]
		todo = todo[1:]
		infos, err := afero.ReadDir(v.fs, dir)
		if err != nil {
			v.missed(err)
			continue
		}
		holds := false
		for _, info := range infos {
			switch path := filepath.Join(dir, info.Name()); {
			case info.IsDir() && !strings.HasPrefix(info.Name(), "."):
				todo = append(todo, path)
			case kindOf(path) != other:
				holds = true
			}
		}
		if holds && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	if len(todo) > 0 {
		v.missed(errTooMuch)
	}
	return out
}

// filesOf returns the files in which a name may be used.
func (v *view) filesOf(ctx context.Context, n name) []*file {
	var out []*file
	for _, kind := range []fileKind{configuration, values, tests} {
		out = append(out, v.in(n.dir, kind)...)
	}
	if n.kind != "var" && n.kind != "output" {
		return out
	}
	for _, dir := range v.open(ctx) {
		if dir == n.dir {
			continue
		}
		files := v.in(dir, configuration)
		if slices.ContainsFunc(files, func(f *file) bool { return v.calls(f, n.dir) }) {
			out = append(append(out, files...), v.in(dir, tests)...)
		}
	}
	return out
}

// calls reports whether a file uses a folder as a module.
func (v *view) calls(f *file, dir string) bool {
	return slices.ContainsFunc(f.tree.File.Blocks, func(b *source.Block) bool {
		if b.Type.Text != "module" {
			return false
		}
		of, ok := v.moduleDir(f, b)
		return ok && of == dir
	})
}

// found is a use of a name in a file.
type found struct {
	file *file
	at   source.Span
}

// usesOf returns all places where a name is used, including its declaration.
func (v *view) usesOf(ctx context.Context, n name) []found {
	var out []found
	for _, f := range v.filesOf(ctx, n) {
		var last source.Span // uses are in order, so duplicates are neighbours
		for _, u := range v.namesIn(f) {
			if u.name == n && u.at != last {
				out = append(out, found{f, u.at})
				last = u.at
			}
		}
	}
	return out
}

func (v *view) location(f *file, at source.Span) location {
	return location{v.uriOf(f.path), v.rangeIn(f.text, at)}
}

// spotOf returns the file and the offset that a question is about. It returns nil if the file is not open.
func (v *view) spotOf(p positionParams) (*file, int) {
	f := v.document(p.TextDocument)
	if f == nil {
		return nil, 0
	}
	return f, f.text.Offset(p.Position, v.enc)
}

// definition returns where a name is declared.
func (v *view) definition(_ context.Context, p *positionParams) ([]location, error) {
	out := []location{}
	f, at := v.spotOf(*p)
	if f == nil {
		return out, nil
	}
	if u, ok := v.nameAt(f, at); ok {
		for _, s := range v.symbols(u.dir) {
			if s.name == u.name {
				out = append(out, v.location(s.file, s.at))
			}
		}
		return out, nil
	}
	if s, ok := f.spot(at); ok && s.ref != nil && s.ref.Bound != nil && s.step == 0 {
		out = append(out, v.location(f, s.ref.Bound.Span))
	}
	return out, nil
}

// references returns where a name is used.
func (v *view) references(ctx context.Context, p *referenceParams) ([]location, error) {
	out := []location{}
	f, at := v.spotOf(p.positionParams)
	if f == nil {
		return out, nil
	}
	u, ok := v.nameAt(f, at)
	if !ok {
		return out, nil
	}
	for _, x := range v.usesOf(ctx, u.name) {
		if s := v.find(u.name); p.Context.IncludeDeclaration || s == nil || s.file != x.file || s.at != x.at {
			out = append(out, v.location(x.file, x.at))
		}
	}
	return out, nil
}

// highlights returns where a name is used in the same file.
func (v *view) highlights(_ context.Context, p *positionParams) ([]highlight, error) {
	out := []highlight{}
	f, at := v.spotOf(*p)
	if f == nil {
		return out, nil
	}
	u, ok := v.nameAt(f, at)
	if !ok {
		return out, nil
	}
	for _, x := range v.namesIn(f) {
		if x.name == u.name {
			out = append(out, highlight{v.rangeIn(f.text, x.at)})
		}
	}
	return out, nil
}
