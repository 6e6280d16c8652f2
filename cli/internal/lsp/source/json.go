package source

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// JSON is what has to be known to read a file in JSON.
type JSON struct {
	Blocks    map[string]int  // the types of blocks, with how many labels they have
	Addresses map[string]bool // arguments whose texts are references as they stand, without ${}
}

// ReadJSON reads a file in JSON as far as it is right: its outermost blocks with their arguments, and the references in
// their texts. Nested blocks are arguments.
func ReadJSON(src string, j JSON) *Tree {
	r := &jsonReader{src: src, json: j, tree: &Tree{File: &Block{Span: Span{0, len(src)}, Body: Span{0, len(src)},
		Closed: true}}}
	if len(src) > maxSize {
		return r.tree
	}
	r.object(func(key Word) bool {
		if n, ok := j.Blocks[key.Text]; ok {
			return r.blocks(key, n, nil)
		}
		return r.argument(r.tree.File, key)
	})
	return r.tree
}

type jsonReader struct {
	src   string
	at    int
	depth int
	json  JSON
	tree  *Tree
}

// sign skips blanks, and a sign where it comes next.
func (r *jsonReader) sign(c byte) bool {
	r.at += len(r.src[r.at:]) - len(strings.TrimLeft(r.src[r.at:], " \t\r\n"))
	if r.at < len(r.src) && r.src[r.at] == c {
		r.at++
		return true
	}
	return false
}

// list reads what stands between two signs, with commas. Each reads one element. It is false where something is wrong:
// nothing more is read then.
func (r *jsonReader) list(from, to byte, each func() bool) bool {
	if r.depth++; r.depth > maxDepth || !r.sign(from) {
		return false
	}
	defer func() { r.depth-- }()
	if r.sign(to) {
		return true
	}
	for {
		if !each() {
			return false
		}
		if r.sign(to) {
			return true
		}
		if !r.sign(',') {
			return false
		}
	}
}

func (r *jsonReader) object(each func(key Word) bool) bool {
	return r.list('{', '}', func() bool {
		key, _, ok := r.text()
		return ok && r.sign(':') && each(key)
	})
}

// peek is the next sign, 0 at the end.
func (r *jsonReader) peek() byte {
	r.sign(0)
	if r.at == len(r.src) {
		return 0
	}
	return r.src[r.at]
}

// blocks reads the blocks of a type: below each label an object, at the end bodies, each perhaps in a list.
func (r *jsonReader) blocks(typ Word, n int, labels []Word) bool {
	if r.peek() == '[' {
		return r.list('[', ']', func() bool { return r.blocks(typ, n, labels) })
	}
	if len(labels) < n {
		return r.object(func(key Word) bool { return r.blocks(typ, n, append(labels[:len(labels):len(labels)], key)) })
	}
	b := &Block{Parent: r.tree.File, Type: typ, Labels: labels, Span: Span{r.at, r.at}}
	r.tree.File.Blocks = append(r.tree.File.Blocks, b)
	ok := r.object(func(key Word) bool { return r.argument(b, key) })
	b.To, b.Closed = r.at, ok
	b.Body = b.Span
	return ok
}

func (r *jsonReader) argument(in *Block, key Word) bool {
	r.peek()
	a := &Argument{Name: key, In: in, Value: Span{r.at, r.at}}
	ok := r.value(a, r.json.Addresses[key.Text])
	a.Value.To = r.at
	a.Span = Span{key.From, r.at}
	in.Arguments = append(in.Arguments, a)
	return ok
}

func (r *jsonReader) value(a *Argument, address bool) bool {
	switch c := r.peek(); c {
	case '{':
		return r.object(func(key Word) bool {
			r.references(a, key, nil, false)
			return r.value(a, r.json.Addresses[key.Text])
		})
	case '[':
		return r.list('[', ']', func() bool { return r.value(a, address) })
	case '"':
		text, offsets, ok := r.text()
		if ok {
			r.tree.Marks = append(r.tree.Marks, Mark{text.Span, Quoted})
			r.references(a, text, offsets, address)
		}
		return ok
	case 0:
		return false
	}
	n := strings.IndexAny(r.src[r.at:], ",]} \t\r\n")
	if n <= 0 {
		return false
	}
	r.at += n
	return true
}

// text reads a text. The offsets are where each of its bytes stands, nil where it has no escapes. The span is without
// the quotes.
func (r *jsonReader) text() (Word, []int, bool) {
	if !r.sign('"') {
		return Word{}, nil, false
	}
	from := r.at
	end := strings.IndexAny(r.src[from:], "\"\\\n")
	if end >= 0 && r.src[from+end] == '"' {
		r.at += end + 1
		return Word{r.src[from : from+end], Span{from, from + end}}, nil, true
	}
	var text []byte
	var offsets []int
	for r.at < len(r.src) && r.src[r.at] != '"' {
		piece, size := unescape(r.src[r.at:])
		for range len(piece) {
			offsets = append(offsets, r.at)
		}
		text = append(text, piece...)
		r.at += size
	}
	offsets = append(offsets, r.at)
	word := Word{string(text), Span{from, r.at}}
	return word, offsets, r.sign('"')
}

// unescape reads one character of a text, and how long it is as it is written.
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

// references finds the references in a text.
func (r *jsonReader) references(a *Argument, text Word, offsets []int, address bool) {
	if !address && !strings.Contains(text.Text, "{") {
		return
	}
	inner := newReader(text.Text, nil)
	inner.push(&frame{kind: inBody, block: a.In})
	inner.push(&frame{kind: inValue, arg: a})
	var tokens hclsyntax.Tokens
	if address {
		tokens, _ = hclsyntax.LexExpression([]byte(text.Text), "", hcl.InitialPos) // what is wrong, the parser says
	} else {
		inner.push(&frame{kind: inQuote})
		tokens, _ = hclsyntax.LexTemplate([]byte(text.Text), "", hcl.InitialPos)
	}
	inner.read(tokens)
	inner.flush()
	place := func(s *Span) {
		if offsets == nil {
			s.From, s.To = s.From+text.From, s.To+text.From
			return
		}
		s.From, s.To = offsets[s.From], offsets[s.To]
	}
	placed := map[*Binding]bool{} // several references may have the same
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
