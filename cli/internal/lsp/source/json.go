package source

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// JSON holds what must be known about the language to read a file in JSON.
type JSON struct {
	// Blocks returns the types of the blocks that a block or the file may contain, with the number of their labels.
	Blocks func(in *Block) map[string]int

	// Plain reports whether the texts of an argument are expressions as a whole, without ${}.
	Plain func(in *Block, argument string) bool
}

// ReadJSON reads a file in JSON: its blocks with their arguments, and the references in their texts. The file may be
// incomplete or invalid; ReadJSON reads as much as it can.
func ReadJSON(src string, j JSON) *Tree {
	r := newJSONReader(src, j)
	r.file()
	return r.tree
}

// AtJSON returns the place at an offset of a file in JSON. It considers only the text before the offset.
func AtJSON(src string, offset int, j JSON) *Place {
	src = src[:min(max(offset, 0), len(src))]
	r := newJSONReader(src, j)
	r.file()
	if r.place == nil || len(r.src) < len(src) {
		return &Place{Kind: Nothing, In: r.tree.File, Typed: Span{len(src), len(src)}}
	}
	return r.place
}

func newJSONReader(src string, j JSON) *jsonReader {
	return &jsonReader{src: src, json: j, tree: &Tree{File: &Block{Span: Span{0, len(src)}, Body: Span{0, len(src)},
		Closed: true}}}
}

type jsonReader struct {
	src     string
	at      int
	open    []byte // the enclosing brackets
	json    JSON
	tree    *Tree
	outer   []Enclosed // what encloses the reader within a value
	place   *Place     // the place at the end of the text; nil if it is not known
	stopped bool       // the text has ended, or is nested too deeply
}

func (r *jsonReader) file() {
	if len(r.src) <= maxSize {
		n, _ := readable(r.src)
		r.src = r.src[:n]
		r.body(r.tree.File)
	}
}

// next skips blanks and line breaks, and returns the next byte, or 0 at the end.
func (r *jsonReader) next() byte {
	r.at += len(r.src[r.at:]) - len(strings.TrimLeft(r.src[r.at:], " \t\r\n"))
	if r.stopped || r.at == len(r.src) {
		return 0
	}
	return r.src[r.at]
}

// ends records the place at the end of the text, unless p.In is nil, and stops reading.
func (r *jsonReader) ends(p Place) {
	if !r.stopped && p.In != nil {
		r.place = &p
	}
	r.stopped, r.at = true, len(r.src)
}

// bracket enters an object or a list and returns true, if c is next and the nesting is not too deep.
func (r *jsonReader) bracket(c byte) bool {
	if r.next() != c {
		return false
	}
	if len(r.open) == maxDepth {
		r.ends(Place{})
		return false
	}
	r.at++
	r.open = append(r.open, c)
	return true
}

// leaves leaves the innermost bracket and returns true, if c is its closer, closes an enclosing bracket, or is 0 (the
// end of the text).
func (r *jsonReader) leaves(c, closer byte) bool {
	other := byte('{')
	if closer == '}' {
		other = '['
	}
	if c != closer && (c != other+2 || !slices.Contains(r.open, other)) && c != 0 {
		return false
	}
	if c == closer {
		r.at++
	}
	r.open = r.open[:len(r.open)-1]
	return true
}

// object reads an object and reports whether it is closed. It calls each to read the value of each key. place is the
// place that is recorded if the text ends at a key.
func (r *jsonReader) object(place Place, each func(key Word)) bool {
	if !r.bracket('{') {
		return false
	}
	for {
		c := r.next()
		if c == 0 && !r.stopped {
			place.Typed = Span{r.at, r.at}
			r.ends(place)
		}
		if r.leaves(c, '}') {
			return c == '}'
		}
		switch c {
		case '"':
			key, _, closed := r.text()
			switch c := r.next(); {
			case !closed && key.To == len(r.src):
				place.Typed, place.Quoted = key.Span, true
				r.ends(place)
			case c == ':':
				r.at++
				each(key)
			case c == 0:
				r.ends(Place{})
			}
		case '{', '[':
			r.value(&Argument{In: r.tree.File}, false)
		default:
			if word := r.word(); word.To == len(r.src) && word.From < word.To {
				place.Typed = word
				r.ends(place)
			}
		}
	}
}

// list reads a list. It calls each to read each element.
func (r *jsonReader) list(each func()) {
	if !r.bracket('[') {
		return
	}
	for {
		c := r.next()
		switch {
		case c == ',' || c == ':' || c == '}' && !slices.Contains(r.open, '{'):
			r.at++
			continue
		case c == 0 && !r.stopped:
			each() // records the place at the end
		}
		if r.leaves(c, ']') {
			return
		}
		each()
	}
}

// word reads a word outside of quotes and brackets, and moves on by at least one byte.
func (r *jsonReader) word() Span {
	n := strings.IndexAny(r.src[r.at:], "\",:[]{} \t\r\n")
	if n < 0 {
		n = len(r.src) - r.at
	}
	word := Span{r.at, r.at + n}
	r.at += max(n, 1)
	return word
}

// body reads the object of a block or of the file, and reports whether it is closed.
func (r *jsonReader) body(b *Block) bool {
	types := r.json.Blocks(b)
	return r.object(Place{Kind: AtItem, In: b}, func(key Word) {
		if n, ok := types[key.Text]; ok {
			r.blocks(b, key, n, nil)
		} else {
			r.argument(b, key)
		}
	})
}

// blocks reads the blocks of a type: an object for each of the n labels, and inside them the bodies. Each of these may
// be in a list.
func (r *jsonReader) blocks(in *Block, typ Word, n int, labels []Word) {
	switch c := r.next(); {
	case c == '[':
		r.list(func() { r.blocks(in, typ, n, labels) })
		return
	case len(labels) < n && c == '{':
		place := Place{Kind: AtLabel, In: in, Head: append([]Word{typ}, labels...)}
		r.object(place, func(key Word) {
			r.blocks(in, typ, n, append(labels[:len(labels):len(labels)], key))
		})
		return
	case c == 0:
		r.ends(Place{})
	}
	if len(labels) < n {
		r.value(&Argument{In: in}, false)
		return
	}
	b := &Block{Parent: in, Type: typ, Labels: labels, Span: Span{r.at, r.at}, Body: Span{r.at, r.at}}
	in.Blocks = append(in.Blocks, b)
	if b.Closed = r.body(b); !b.Closed && !r.stopped && r.at == b.From {
		r.value(&Argument{In: b}, false)
	}
	b.To, b.Body.To = r.at, r.at
}

func (r *jsonReader) argument(in *Block, key Word) {
	r.next()
	a := &Argument{Name: key, In: in, Value: Span{r.at, r.at}}
	in.Arguments = append(in.Arguments, a)
	r.value(a, r.json.Plain(in, key.Text))
	a.Value.To = r.at
	a.Span = Span{key.From, r.at}
}

// value reads a value. plain means that its texts are expressions.
func (r *jsonReader) value(a *Argument, plain bool) {
	inside := func(e Enclosed) func() {
		r.outer = append(r.outer, e)
		return func() { r.outer = r.outer[:len(r.outer)-1] }
	}
	ends := func(typed Span) {
		if a.Name.Text != "" {
			r.ends(Place{Kind: AtValue, In: a.In, Argument: a, Outer: slices.Clone(r.outer), Bare: true, Typed: typed})
		}
		r.ends(Place{})
	}
	switch r.next() {
	case 0:
		ends(Span{r.at, r.at})
	case '{':
		defer inside(Enclosed{Kind: '{'})()
		r.object(Place{}, func(key Word) {
			r.references(a, key, nil, false)
			r.value(a, false)
		})
	case '[':
		defer inside(Enclosed{Kind: '['})()
		r.list(func() { r.value(a, plain) })
	case '"':
		text, offsets, closed := r.text()
		if !closed && text.To == len(r.src) {
			r.endsInText(a, text, offsets, plain)
			return
		}
		r.tree.Marks = append(r.tree.Marks, Mark{text.Span, Quoted})
		r.references(a, text, offsets, plain)
	case ',', ':', '}', ']': // there is no value
	default:
		if word := r.word(); word.To == len(r.src) {
			ends(word)
		}
	}
}

// text reads a quoted text, at most to the end of its line. The span excludes the quotes. The offsets say where each
// byte of the text is in the file; they are nil if the text has no escapes. text returns false if the closing quote is
// missing.
func (r *jsonReader) text() (Word, []int, bool) {
	r.at++
	from := r.at
	end := strings.IndexAny(r.src[from:], "\"\\\n")
	if end >= 0 && r.src[from+end] == '"' {
		r.at += end + 1
		return Word{r.src[from : from+end], Span{from, from + end}}, nil, true
	}
	var text []byte
	var offsets []int
	for r.at < len(r.src) && r.src[r.at] != '"' && r.src[r.at] != '\n' {
		piece, size := unescape(r.src[r.at:])
		for range len(piece) {
			offsets = append(offsets, r.at)
		}
		text = append(text, piece...)
		r.at += size
	}
	offsets = append(offsets, r.at)
	word := Word{string(text), Span{from, r.at}}
	closed := r.at < len(r.src) && r.src[r.at] == '"'
	if closed {
		r.at++
	}
	return word, offsets, closed
}

// unescape returns the first character of a text, and its length in the source, in bytes.
func unescape(src string) (string, int) {
	if src[0] != '\\' || len(src) == 1 {
		_, size := utf8.DecodeRuneInString(src)
		return src[:size], size
	}
	if n := strings.IndexByte(`"\/bfnrt`, src[1]); n >= 0 {
		return "\"\\/\b\f\n\r\t"[n : n+1], 2
	}
	if src[1] == 'u' && len(src) >= 6 {
		if n, err := strconv.ParseUint(src[2:6], 16, 16); err == nil {
			return string(rune(n)), 6
		}
	}
	return src[1:2], 2
}

// inner reads a text of an argument as an expression or a template.
func (r *jsonReader) inner(a *Argument, text string, plain bool) *reader {
	inner := newReader(text, nil)
	inner.push(&frame{kind: inBody, block: a.In})
	inner.push(&frame{kind: inValue, arg: a})
	var tokens hclsyntax.Tokens
	if plain {
		tokens, _ = hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos) // the parser reports errors
	} else {
		inner.push(&frame{kind: inQuote})
		tokens, _ = hclsyntax.LexTemplate([]byte(text), "", hcl.InitialPos)
	}
	inner.read(tokens)
	return inner
}

// endsInText records the place at the end of a text that is also the end of the file.
func (r *jsonReader) endsInText(a *Argument, text Word, offsets []int, plain bool) {
	p := *r.inner(a, text.Text, plain).place(len(text.Text))
	inText(text, offsets)(&p.Typed)
	if p.Quoted = true; len(p.Outer) > 1 && strings.HasPrefix(text.Text, "${") {
		p.Outer = p.Outer[2:] // the text and ${ do not count: the expression is the whole value
	}
	p.Outer = append(slices.Clone(r.outer), p.Outer...)
	if p.Plain = plain; a.Name.Text == "" {
		p.In = nil
	}
	r.ends(p)
}

// inText returns a function that changes a span in a text into the span in the file.
func inText(text Word, offsets []int) func(*Span) {
	return func(s *Span) {
		if offsets == nil {
			s.From, s.To = s.From+text.From, s.To+text.From
			return
		}
		s.From, s.To = offsets[s.From], offsets[s.To]
	}
}

// references adds the references and the function names in a text to the tree.
func (r *jsonReader) references(a *Argument, text Word, offsets []int, plain bool) {
	if !plain && !strings.Contains(text.Text, "{") {
		return
	}
	inner := r.inner(a, text.Text, plain)
	inner.flush()
	place := inText(text, offsets)
	for _, m := range inner.tree.Marks {
		if m.Role == Function {
			place(&m.Span)
			r.tree.Marks = append(r.tree.Marks, m)
		}
	}
	placed := map[*Binding]bool{} // several references may share a binding
	for _, ref := range inner.tree.References {
		if b := ref.Bound; b != nil && !placed[b] {
			placed[b] = true
			place(&b.Span)
		}
		place(&ref.Span)
		for i := range ref.Steps {
			place(&ref.Steps[i].Span)
		}
		r.tree.References = append(r.tree.References, ref)
	}
}
