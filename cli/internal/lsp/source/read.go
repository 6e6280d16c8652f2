package source

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Read reads a file. The words are those that begin a block of a file: at the beginning of a line such a block begins,
// whatever was not closed before.
func Read(src string, words []string) *Tree {
	r := newReader(src, words)
	r.read(lex(src, 0))
	r.end(len(src))
	return r.tree
}

// At tells what stands at an offset. Only what is before it counts: so it does not matter what is wrong behind it.
func At(src string, offset int, words []string) *Place {
	src = src[:min(max(offset, 0), len(src))]
	return placeIn(src, lastBlock(src, words), words)
}

// placeIn is what stands at the end of a text that is read from an offset on.
func placeIn(src string, from int, words []string) *Place {
	r := newReader(src, words)
	tokens := lex(src, from)
	if n := len(tokens) - 1; n > 0 { // the last one is the end
		last := tokens[n-1]
		if last.Type == hclsyntax.TokenComment && last.Range.End.Byte == len(src) && !endsLine(last) {
			return &Place{Kind: Nothing, In: r.tree.File}
		}
	}
	r.read(tokens)
	return r.place(len(src))
}

// maxDepth is how deep braces, brackets and quotes may be inside each other. What is deeper is not read.
const maxDepth = 200

// maxSize is the largest file that is read, in bytes. It is read again whenever a key is pressed.
const maxSize = 4 << 20

// maxSigns is about how many words and signs are read of one file: the lexer takes some hundred bytes for each.
const maxSigns = 1 << 18

// readable is how much of a text is read: what is denser, or far deeper than what is looked at, is cut off before it is
// taken apart.
func readable(src string) int {
	signs, depth, inWord := 0, 0, false
	for i := range len(src) {
		c := src[i]
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= utf8.RuneSelf
		if c != ' ' && c != '\t' && !(word && inWord) {
			signs++
		}
		inWord = word
		switch c {
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			depth = max(depth-1, 0)
		}
		if signs > maxSigns || depth > 10*maxDepth { // brackets in quotes count, so that it is more than maxDepth
			return i
		}
	}
	return len(src)
}

// maxTorn is how many quotes without an end are made good in one file.
const maxTorn = 50

// lastBlock is where the last block of the file begins: at the beginning of a line, whatever was not closed before, and
// so what is before does not matter. Where a line may be part of something else, it is the beginning of the text.
func lastBlock(src string, words []string) int {
	if strings.Contains(src, "<<") || strings.Contains(src, "/*") {
		return 0
	}
	for end := len(src); end > 0; {
		from := strings.LastIndexAny(src[:end], "\r\n") + 1
		line := src[from:]
		if n := strings.IndexAny(line, " \t{\"\r\n"); n > 0 && slices.Contains(words, line[:n]) {
			if rest := strings.TrimLeft(line[n:], " \t"); strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, `"`) {
				return from
			}
		}
		end = from - 1
	}
	return 0
}

// lex takes a text apart, from an offset on. A quoted text ends with its line at the latest, so that one quote too few
// is the fault of one line only.
func lex(src string, at int) hclsyntax.Tokens {
	if len(src) > maxSize {
		return nil
	}
	src = src[:at+readable(src[at:])]
	var out hclsyntax.Tokens
	left := 8 * maxSize // each quote without an end has the rest read again
	for torn := 0; ; torn++ {
		left -= len(src) - at
		begin := hcl.Pos{Byte: at, Line: 1, Column: 1}
		tokens, _ := hclsyntax.LexConfig([]byte(src[at:]), "", begin) // what is wrong, the parser says
		cut := slices.IndexFunc(tokens, func(t hclsyntax.Token) bool { return t.Type == hclsyntax.TokenQuotedNewline })
		if cut < 0 || torn == maxTorn || left < 0 {
			return append(out, tokens...)
		}
		newline := tokens[cut]
		end := newline
		end.Type, end.Bytes, end.Range.End = hclsyntax.TokenCQuote, nil, end.Range.Start
		newline.Type = hclsyntax.TokenNewline
		out = append(append(out, tokens[:cut]...), end, newline)
		at = newline.Range.End.Byte
	}
}

func endsLine(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline ||
		t.Type == hclsyntax.TokenComment && strings.HasSuffix(string(t.Bytes), "\n")
}

type frameKind int

const (
	inBody    frameKind = iota
	inHead              // a word at the beginning of a line, and what stands behind it
	inValue             // behind the equals sign
	inParen             //
	inCall              //
	inList              //
	inIndex             // [ behind a reference
	inObject            //
	inQuote             // also a heredoc
	inInterp            // ${
	inControl           // %{
)

// frame is one thing that the reader is in.
type frame struct {
	kind  frameKind
	from  int
	block *Block    // of a body
	words []Word    // of a head: the type and the labels so far
	label bool      // the quoted text is one
	arg   *Argument // of a value

	function string
	n        int
	key      string
	atKey    bool
	indexed  *Reference // of an index: what it is the index of
	text     *Word      // of an index: its key, where it is a quoted text and nothing else

	begun   bool // something is in it
	phase   int  // of a for expression: forNames, forOf, forDone
	choices int  // question marks in the collection whose colon is to come
	heading []*Binding
	of      []*Reference // in the collection
	ofMore  bool         // there is more in the collection than references
	names   [][]*Binding // that for expressions give; of a text one group for each that has no endfor yet
	control string       // the word that a %{ begins with
	pending []*Binding   // of a %{ for: they hold from its end on
}

const (
	forNames = iota + 1
	forOf
	forDone
)

type reader struct {
	src    string
	words  map[string]bool
	tree   *Tree
	frames []*frame
	ref    *Reference // that has not ended yet
	dot    bool       // the last token was a dot
	deep   bool       // nothing is read any more
	call   string     // the function that is called by the parenthesis that follows
	tokens hclsyntax.Tokens
	i      int
}

func newReader(src string, words []string) *reader {
	r := &reader{src: src, words: map[string]bool{}, tree: &Tree{File: &Block{Span: Span{0, len(src)},
		Body: Span{0, len(src)}, Closed: true}}}
	for _, w := range words {
		r.words[w] = true
	}
	r.push(&frame{kind: inBody, block: r.tree.File})
	return r
}

func (r *reader) top() *frame { return r.frames[len(r.frames)-1] }

func (r *reader) push(f *frame) {
	if len(r.frames) > maxDepth {
		r.deep = true
		return
	}
	r.frames = append(r.frames, f)
}

func (r *reader) pop() *frame {
	f := r.top()
	r.frames = r.frames[:len(r.frames)-1]
	return f
}

func span(t hclsyntax.Token) Span { return Span{t.Range.Start.Byte, t.Range.End.Byte} }

func word(t hclsyntax.Token) Word { return Word{string(t.Bytes), span(t)} }

func (r *reader) mark(s Span, role Role) { r.tree.Marks = append(r.tree.Marks, Mark{s, role}) }

// block is the block that the reader is in.
func (r *reader) block() *Block {
	for _, f := range slices.Backward(r.frames) {
		if f.kind == inBody {
			return f.block
		}
	}
	return r.tree.File
}

// value is the frame of the value that the reader is in, or nil.
func (r *reader) value() *frame {
	for _, f := range slices.Backward(r.frames) {
		switch f.kind {
		case inValue:
			return f
		case inBody, inHead:
			return nil
		}
	}
	return nil
}

func (r *reader) read(tokens hclsyntax.Tokens) {
	r.tokens = tokens
	for r.i = 0; r.i < len(tokens) && !r.deep; r.i++ {
		t := tokens[r.i]
		if t.Type == hclsyntax.TokenEOF {
			break
		}
		if t.Type == hclsyntax.TokenComment {
			r.mark(span(t), Comment)
		}
		if endsLine(t) {
			r.newline(t)
			continue
		}
		if t.Type == hclsyntax.TokenComment {
			continue
		}
		r.token(t)
	}
}

// next is the token after the current one that is not a comment.
func (r *reader) next(n int) hclsyntax.Token {
	for _, t := range r.tokens[min(r.i+1, len(r.tokens)):] {
		if t.Type == hclsyntax.TokenComment && !endsLine(t) {
			continue
		}
		if n--; n == 0 {
			return t
		}
	}
	return hclsyntax.Token{Type: hclsyntax.TokenEOF}
}

func (r *reader) token(t hclsyntax.Token) {
	switch f := r.top(); f.kind {
	case inBody:
		r.inBody(f, t)
	case inHead:
		r.inHead(f, t)
	case inQuote:
		r.inQuote(f, t)
	default:
		r.expression(f, t)
	}
}

func (r *reader) inBody(f *frame, t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenIdent:
		r.push(&frame{kind: inHead, from: t.Range.Start.Byte, words: []Word{word(t)}})
	case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
		r.push(&frame{kind: inQuote, from: t.Range.End.Byte})
	case hclsyntax.TokenCBrace:
		r.closeBlock(f, t)
	}
}

func (r *reader) closeBlock(f *frame, t hclsyntax.Token) {
	if f.block.Parent == nil {
		return // a brace too many
	}
	f.block.Closed = true
	f.block.Body.To, f.block.To = t.Range.Start.Byte, t.Range.End.Byte
	r.pop()
}

func (r *reader) inHead(f *frame, t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenIdent:
		f.words = append(f.words, word(t))
	case hclsyntax.TokenOQuote:
		r.push(&frame{kind: inQuote, from: t.Range.End.Byte, label: true})
	case hclsyntax.TokenEqual:
		r.pop()
		name := f.words[0]
		r.mark(name.Span, Name)
		r.mark(span(t), Operator)
		a := &Argument{Name: name, In: r.block(), Span: Span{name.From, t.Range.End.Byte}, Value: Span{t.Range.End.Byte,
			t.Range.End.Byte}}
		a.In.Arguments = append(a.In.Arguments, a)
		r.push(&frame{kind: inValue, from: t.Range.End.Byte, arg: a})
	case hclsyntax.TokenOBrace:
		r.pop()
		in := r.block()
		b := &Block{Parent: in, Type: f.words[0], Labels: f.words[1:], Span: Span{f.from, t.Range.End.Byte},
			Body: Span{t.Range.End.Byte, t.Range.End.Byte}}
		in.Blocks = append(in.Blocks, b)
		r.mark(b.Type.Span, BlockType)
		for _, l := range b.Labels {
			r.mark(l.Span, Label)
		}
		r.push(&frame{kind: inBody, from: t.Range.End.Byte, block: b})
	case hclsyntax.TokenCBrace:
		r.alone()
		r.token(t)
	}
}

// alone ends a head of which nothing has come.
func (r *reader) alone() {
	f := r.pop()
	b := r.block()
	b.Words = append(b.Words, f.words[0])
}

func (r *reader) inQuote(f *frame, t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenTemplateInterp:
		r.push(&frame{kind: inInterp, from: t.Range.End.Byte})
		r.mark(span(t), Operator)
	case hclsyntax.TokenTemplateControl:
		r.push(&frame{kind: inControl, from: t.Range.End.Byte})
		r.mark(span(t), Operator)
	case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		r.pop()
		text := Word{r.src[min(f.from, t.Range.Start.Byte):t.Range.Start.Byte], Span{f.from, t.Range.Start.Byte}}
		switch over := r.top(); {
		case f.label && over.kind == inHead:
			over.words = append(over.words, text)
		case over.kind == inIndex && !over.begun && !f.begun:
			over.text = &text
		}
		r.top().begun = true
		r.touch(nil)
		if !f.label {
			r.mark(span(t), Quoted)
		}
	default:
		if !f.label {
			r.mark(span(t), Quoted)
		}
	}
	f.begun = f.begun || t.Type == hclsyntax.TokenTemplateInterp || t.Type == hclsyntax.TokenTemplateControl
}

// touch notes that something other than a reference, or a reference, is in the collection of a for expression.
func (r *reader) touch(ref *Reference) {
	f := r.top()
	if f.phase != forOf {
		return
	}
	if ref == nil {
		f.ofMore = true
		return
	}
	f.of = append(f.of, ref)
}

// newline ends what a line ends, and what cannot go on in the next one.
func (r *reader) newline(t hclsyntax.Token) {
	r.flush()
	r.dot = false
	for {
		f := r.top()
		if f.kind == inHead {
			r.alone()
			continue
		}
		if f.kind != inValue {
			break
		}
		r.closeValue(t.Range.Start.Byte)
	}
	if f := r.top(); f.kind == inObject && f.phase == 0 {
		f.atKey, f.key = true, ""
	}
	r.recover(t)
}

func (r *reader) closeValue(at int) {
	f := r.pop()
	f.arg.Value.To = f.from + len(strings.TrimRight(r.src[f.from:max(f.from, at)], " \t\r"))
	f.arg.To = f.arg.Value.To
	f.arg.Value.From = f.arg.Value.To - len(strings.TrimLeft(r.src[f.from:f.arg.Value.To], " \t"))
}

// recover leaves what was not closed, where the next line can only stand outside of it.
func (r *reader) recover(newline hclsyntax.Token) {
	first, second := r.next(1), r.next(2)
	if first.Type != hclsyntax.TokenIdent {
		return
	}
	at := newline.Range.End.Byte
	head := second.Type == hclsyntax.TokenOQuote || second.Type == hclsyntax.TokenOBrace
	if r.words[string(first.Bytes)] && first.Range.Start.Byte == at && head && r.top().kind != inQuote {
		for len(r.frames) > 1 {
			r.leave(at)
		}
		return
	}
	for {
		var out bool
		switch r.top().kind {
		case inParen, inCall, inList, inIndex:
			out = second.Type == hclsyntax.TokenEqual || head && second.Type == hclsyntax.TokenOBrace
		case inObject:
			out = head && r.top().phase == 0
		}
		if !out {
			return
		}
		r.leave(at)
		switch f := r.top(); f.kind {
		case inValue:
			r.closeValue(at)
			return
		case inObject:
			f.atKey, f.key = true, ""
		}
	}
}

// leave ends the innermost frame, which was not closed.
func (r *reader) leave(at int) {
	r.flush()
	switch f := r.top(); f.kind {
	case inValue:
		r.closeValue(at)
	case inIndex:
		r.pop()
		if f.indexed != nil {
			r.tree.References = append(r.tree.References, f.indexed)
		}
	case inHead:
		r.alone()
	case inBody:
		f.block.Body.To, f.block.To = at, at
		r.pop()
	default:
		r.pop()
	}
}

// end ends what the end of the file leaves open.
func (r *reader) end(at int) {
	r.flush()
	for len(r.frames) > 1 {
		r.leave(at)
	}
}
