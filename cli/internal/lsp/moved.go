package lsp

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// edit is a change of a file: text replaces the span at.
type edit struct {
	at   source.Span
	text string
}

// edits holds changes by file.
type edits map[*file][]edit

func (e edits) add(f *file, at source.Span, text string) { e[f] = append(e[f], edit{at, text}) }

// text returns the text of a file with its changes applied. It returns an error if changes overlap.
func (e edits) text(f *file) (string, error) {
	all := slices.Clone(e[f])
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Compare(a.at.From, b.at.From) })
	var b strings.Builder
	from := 0
	for _, x := range all {
		if x.at.From < from {
			return "", fmt.Errorf("in %s two changes would overlap, in line %d: rename it by hand there",
				schema.SanitizeLine(filepath.Base(f.path)), f.text.Position(x.at.From, source.UTF8).Line+1)
		}
		b.WriteString(f.text.Source[from:x.at.From] + x.text)
		from = x.at.To
	}
	return b.String() + f.text.Source[from:], nil
}

// shifted returns where a place in a file is once the changes are applied.
func (e edits) shifted(path string, at int) int {
	to := at
	for f, changed := range e {
		for _, x := range changed {
			if f.path == path && x.at.To <= at {
				to += len(x.text) - (x.at.To - x.at.From)
			}
		}
	}
	return to
}

// move is a moved block, with its addresses.
type move struct {
	file     *file
	block    *source.Block
	from, to string
}

// moves returns the moved blocks of a folder.
func (v *view) moves(dir string) []move {
	var out []move
	for _, f := range v.in(dir, configuration) {
		for _, b := range f.tree.File.Blocks {
			if b.Type.Text == "moved" && b.Find("from") != nil && b.Find("to") != nil {
				out = append(out, move{f, b, f.plain(b.Find("from")), f.plain(b.Find("to"))})
			}
		}
	}
	return out
}

// plain returns the source of an argument's value; in JSON, the text of a constant string.
func (f *file) plain(a *source.Argument) string {
	text := f.text.Slice(a.Value)
	if f.json {
		return constant(text)
	}
	return text
}

// keepAddress adds a moved block from the old to the new name of a declaration or module, so that runs recognize it.
// Existing moved blocks to the old name have already been edited to lead to the new name. A moved block from the new
// name, which it had before, is turned around, or removed if it is not needed. No block is added if the declaration
// was never saved: no run knows it then. It returns an error if it is uncertain where the moved blocks lead, or whether
// the declaration was saved.
func (v *view) keepAddress(ctx context.Context, n name, to string, all edits) error {
	named := n
	named.name = to
	from, now := n.key(), named.key()
	moves := v.moves(n.dir)
	starts := map[string]bool{}
	for _, m := range moves {
		if m.from != "" && starts[m.from] {
			return fmt.Errorf("a second moved block starts at %s, in %s: remove one of them first",
				schema.SanitizeLine(m.from), schema.SanitizeLine(filepath.Base(m.file.path)))
		}
		starts[m.from] = true
	}
	known, err := v.saved(n)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if m.from != now || !leads(moves, m.to, from) {
			continue
		}
		if err := m.file.whole(ctx); err != nil {
			return err
		}
		all[m.file] = slices.DeleteFunc(all[m.file], func(e edit) bool { return m.block.Has(e.at.From) })
		if !known {
			at := m.file.lines(m.block.Span)
			if m.file.json {
				at = m.file.element(m.block)
			}
			all.add(m.file, at, "")
			continue
		}
		known = false
		all.add(m.file, m.block.Find("from").Value, m.file.quoted(from))
		all.add(m.file, m.block.Find("to").Value, m.file.quoted(now))
	}
	if d := v.find(n); known && d.file.json {
		d.file.moveInJSON(from, now, all)
	} else if known {
		d.file.moveAtEnd(from, now, all)
	}
	return nil
}

// leads reports whether moves lead from one address to another.
func leads(moves []move, from, to string) bool {
	for range moves {
		i := slices.IndexFunc(moves, func(m move) bool { return m.from == from })
		if from == to || i < 0 {
			break
		}
		from = moves[i].to
	}
	return from == to
}

// saved reports whether a name is declared in the files as they are saved on disk. It returns an error if a file that
// may declare the name cannot be read.
func (v *view) saved(n name) (bool, error) {
	s := &view{opts: v.opts, enc: v.enc, folders: v.folders, fs: newOverlay(v.opts.Fs, nil), cache: newCache(),
		files: map[string]*file{}, declaredIn: map[string]*declarations{}, mayOpen: map[[2]string]bool{}}
	if s.find(n) != nil {
		return true, nil
	}
	if s.unread != nil {
		return false, fmt.Errorf("it is not known whether %s was saved: %s", n.key(), schema.SanitizeLine(s.unread.Error()))
	}
	return false, nil
}

func (f *file) quoted(addr string) string {
	if f.json {
		return `"` + addr + `"`
	}
	return addr
}

// newline returns the line break that the file uses.
func (f *file) newline() string {
	if strings.Contains(f.text.Source, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// moveAtEnd adds a moved block at the end of the file.
func (f *file) moveAtEnd(from, to string, all edits) {
	nl := f.newline()
	text := nl + strings.Join([]string{"moved {", "  from = " + from, "  to   = " + to, "}"}, nl)
	if end := len(f.text.Source); strings.HasSuffix(f.text.Source, "\n") {
		all.add(f, source.Span{From: end, To: end}, text+nl)
	} else {
		all.add(f, source.Span{From: end, To: end}, nl+text)
	}
}

// lines returns the span of a block with the empty line before it and the line break after it. Removing that span
// undoes moveAtEnd.
func (f *file) lines(at source.Span) source.Span {
	src := f.text.Source
	ends := func(before int) int { // returns where the line break that ends at before begins
		return len(strings.TrimSuffix(strings.TrimSuffix(src[:before], "\n"), "\r"))
	}
	line := ends(at.From)
	if line == at.From || !strings.HasSuffix(src[:line], "\n") && line > 0 {
		return at // something else is on the line, or there is no empty line before it
	}
	switch rest := src[at.To:]; {
	case strings.HasPrefix(rest, "\r\n"):
		return source.Span{From: line, To: at.To + 2}
	case strings.HasPrefix(rest, "\n"):
		return source.Span{From: line, To: at.To + 1}
	}
	return source.Span{From: ends(line), To: at.To}
}

// moveInJSON adds a moved block after the last moved block, or at the end of the file.
func (f *file) moveInJSON(from, to string, all edits) {
	src := f.text.Source
	text := `{ "from": "` + from + `", "to": "` + to + `" }`
	nl := f.newline()
	var last *source.Block
	for _, b := range f.tree.File.Blocks {
		if b.Type.Text == "moved" {
			last = b
		}
	}
	at := func(n int) source.Span { return source.Span{From: n, To: n} }
	switch {
	case last == nil:
		end := len(strings.TrimRight(strings.TrimSuffix(strings.TrimRight(src, " \t\r\n"), "}"), " \t\r\n"))
		comma := ","
		if strings.HasSuffix(src[:end], "{") {
			comma = ""
		}
		all.add(f, at(end), comma+nl+`  "moved": [`+nl+"    "+text+nl+"  ]")
	case strings.TrimLeft(src[last.Type.To+1:last.From], ": \t\r\n") == "": // a single block, without a list
		all.add(f, at(last.From), "[")
		all.add(f, at(last.To), ", "+text+"]")
	default:
		blanks := src[len(strings.TrimRight(src[:last.From], " \t\r\n")):last.From]
		if !strings.Contains(blanks, "\n") {
			blanks = " "
		}
		all.add(f, at(last.To), ","+blanks+text)
	}
}

// element returns the span of a block in JSON with the comma that separates it from its neighbours. If the block is
// the only one of its type, the span includes the key.
func (f *file) element(b *source.Block) source.Span {
	src, at := f.text.Source, b.Span
	for {
		before, after := strings.TrimRight(src[:at.From], " \t\r\n"), strings.TrimLeft(src[at.To:], " \t\r\n")
		switch {
		case strings.HasSuffix(before, ","):
			return source.Span{From: len(before) - 1, To: at.To}
		case strings.HasSuffix(before, ":"):
			at.From = b.Type.From - 1
		case strings.HasPrefix(after, ","):
			return source.Span{From: at.From, To: len(src) - len(strings.TrimLeft(after[1:], " \t\r\n"))}
		case strings.HasSuffix(before, "[") && strings.HasPrefix(after, "]"):
			at = source.Span{From: len(before) - 1, To: len(src) - len(after) + 1}
		default:
			return at
		}
	}
}
