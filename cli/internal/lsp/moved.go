package lsp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
)

// edit is a change of a file: what a span has instead.
type edit struct {
	at   source.Span
	text string
}

// edits are the changes of some files.
type edits map[*file][]edit

func (e edits) add(f *file, at source.Span, text string) { e[f] = append(e[f], edit{at, text}) }

// text is a file with its changes made.
func (e edits) text(f *file) string {
	all := slices.Clone(e[f])
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Compare(a.at.From, b.at.From) })
	var b strings.Builder
	from := 0
	for _, x := range all {
		b.WriteString(f.text.Source[from:x.at.From] + x.text)
		from = x.at.To
	}
	return b.String() + f.text.Source[from:]
}

// move is a moved block.
type move struct {
	file     *file
	block    *source.Block
	from, to string
}

// moves are the moved blocks of a folder.
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

// address is the address that an argument is, as it is written.
func (f *file) plain(a *source.Argument) string {
	text := f.text.Slice(a.Value)
	if f.json {
		return constant(text)
	}
	return text
}

// keepAddress adds what lets runs know a declaration, or a module with all that is in it, by its new name: a moved
// block. Moves that lead to it until now lead to the new name already. If it had the new name before, it has not moved
// from there. What was never saved no run knows.
func (v *view) keepAddress(n name, to string, all edits) {
	named := n
	named.name = to
	from, now := n.key(), named.key()
	moves := v.moves(n.dir)
	known := v.saved(n)
	for _, m := range moves {
		if m.from != now || !leads(moves, m.to, from) {
			continue
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
}

// leads tells whether moves lead from an address to another one.
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

// saved tells whether something is declared in the files as they are saved.
func (v *view) saved(n name) bool {
	s := &view{opts: v.opts, enc: v.enc, folders: v.folders, fs: newOverlay(v.opts.Fs, nil), cache: newCache(),
		files: map[string]*file{}, declaredIn: map[string]*declarations{}, mayOpen: map[[2]string]bool{}}
	return s.find(n) != nil
}

func (f *file) quoted(addr string) string {
	if f.json {
		return `"` + addr + `"`
	}
	return addr
}

// newline is what ends a line of the file.
func (f *file) newline() string {
	if strings.Contains(f.text.Source, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// moveAtEnd writes a moved block at the end of the file.
func (f *file) moveAtEnd(from, to string, all edits) {
	nl := f.newline()
	text := nl + strings.Join([]string{"moved {", "  from = " + from, "  to   = " + to, "}"}, nl)
	if end := len(f.text.Source); strings.HasSuffix(f.text.Source, "\n") {
		all.add(f, source.Span{From: end, To: end}, text+nl)
	} else {
		all.add(f, source.Span{From: end, To: end}, nl+text)
	}
}

// lines are a block with the empty line before it and the end of its line: taking out what moveAtEnd has written leaves
// what was there before.
func (f *file) lines(at source.Span) source.Span {
	src := f.text.Source
	ends := func(before int) int { // where a line break begins that ends there
		return len(strings.TrimSuffix(strings.TrimSuffix(src[:before], "\n"), "\r"))
	}
	line := ends(at.From)
	if line == at.From || !strings.HasSuffix(src[:line], "\n") && line > 0 {
		return at // something else is on the line, or there is no empty one
	}
	switch rest := src[at.To:]; {
	case strings.HasPrefix(rest, "\r\n"):
		return source.Span{From: line, To: at.To + 2}
	case strings.HasPrefix(rest, "\n"):
		return source.Span{From: line, To: at.To + 1}
	}
	return source.Span{From: ends(line), To: at.To}
}

// moveInJSON writes a moved block behind those that are there, or at the end of the file.
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
	case strings.TrimLeft(src[last.Type.To+1:last.From], ": \t\r\n") == "": // one, without a list
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

// element is a block of JSON with what separates it from its neighbours; where it is the only one, with its key.
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
