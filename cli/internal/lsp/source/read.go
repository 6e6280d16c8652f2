package source

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Read reads a file. words are the types of the blocks at the top of a file. If such a block begins at the beginning
// of a line, everything that was not closed before it ends there.
func Read(src string, words []string) *Tree {
	r := newReader(src, words)
	r.read(lex(src, 0))
	r.end(len(src))
	return r.tree
}

// At returns the place at an offset. It considers only the text before it, so errors after it do not matter.
func At(src string, offset int, words []string) *Place {
	src = src[:min(max(offset, 0), len(src))]
	return placeIn(src, lastBlock(src, words), words)
}

// placeIn returns the place at the end of a text. It reads the text from an offset on.
func placeIn(src string, from int, words []string) *Place {
	r := newReader(src, words)
	tokens := lex(src, from)
	if n := len(tokens) - 1; n > 0 { // the last token is the end of the text
		last := tokens[n-1]
		if last.Type == hclsyntax.TokenComment && last.Range.End.Byte == len(src) && !endsLine(last) {
			return &Place{Kind: Nothing, In: r.tree.File}
		}
	}
	r.read(tokens)
	return r.place(len(src))
}

// maxDepth is the maximum nesting of braces, brackets and quotes. Deeper text is not read.
const maxDepth = 200

// maxSize is the maximum size of a file that is read, in bytes. A file is read again after each key press.
const maxSize = 4 << 20

// maxSigns is the approximate maximum number of words and other characters that are read from one file. The lexer
// needs some hundred bytes for each.
const maxSigns = 1 << 18

// Cost estimates how many bytes of memory a file takes once it was read.
func Cost(src string) int {
	if len(src) > maxSize {
		return len(src)
	}
	_, signs := readable(src)
	return len(src) + 128*signs
}

// readable returns how many bytes of a text are read, and about how many words and signs they have. A text with too
// many of them, or nested far too deeply, is cut off before it is lexed.
func readable(src string) (n, signs int) {
	depth, inWord := 0, false
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
		if signs > maxSigns || depth > 10*maxDepth { // brackets in quotes count too, so the limit is larger than maxDepth
			return i, signs
		}
	}
	return len(src), signs
}

// maxTorn is the maximum number of unclosed quotes that are repaired in one file.
const maxTorn = 50

// lastBlock returns where the last block at the top of the file begins. It begins at the beginning of a line, and ends
// whatever was not closed before, so the text before it does not matter. If a line could be inside a heredoc or a
// comment, lastBlock returns 0.
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

// lex returns the tokens of a text from an offset on. A quoted text ends at the end of its line at the latest, so that
// a missing quote affects only one line.
func lex(src string, at int) hclsyntax.Tokens {
	if len(src) > maxSize {
		return nil
	}
	n, _ := readable(src[at:])
	src = src[:at+n]
	var out hclsyntax.Tokens
	left := 8 * maxSize // bytes that may still be lexed: after each unclosed quote, the rest is lexed again
	for torn := 0; ; torn++ {
		left -= len(src) - at
		begin := hcl.Pos{Byte: at, Line: 1, Column: 1}
		tokens, _ := hclsyntax.LexConfig([]byte(src[at:]), "", begin) // the parser reports errors
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
	inHead              // a word at the beginning of a line, and what follows it
	inValue             // after the equals sign
	inParen             //
	inCall              //
	inList              //
	inIndex             // [ after a reference or another value
	inObject            //
	inQuote             // also a heredoc
	inInterp            // ${
	inControl           // %{
)

// frame is one syntax element that encloses the reader.
type frame struct {
	kind  frameKind
	from  int
	block *Block    // in a body
	words []Word    // in a head: the type and the labels so far
	label bool      // the quoted text is a label
	arg   *Argument // in a value

	function string     // in a call
	n        int        // number of commas so far: the index of the argument or element
	key      string     // in an object: the current key
	atKey    bool       // in an object: a key is expected
	indexed  *Reference // in an index: the reference that is indexed, or nil
	text     *Word      // in an index: the key, if it is only a quoted text

	begun   bool         // it is not empty
	phase   int          // of a for expression: forNames, forOf, forDone; 0: there is none
	choices int          // number of question marks in the collection whose colon has not come yet
	heading []*Binding   // the names in the head of a for expression
	of      []*Reference // the references in the collection
	ofMore  bool         // the collection contains more than references
	names   [][]*Binding // names that for expressions bind; in a text, a group for each for without endfor yet
	control string       // the first word of a %{
	pending []*Binding   // names of a %{ for; they are visible after its end
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
	ref    *Reference // the reference that is being read, or nil
	dot    bool       // the last token was a dot
	deep   bool       // the nesting is too deep: reading has stopped
	call   string     // the function whose opening parenthesis is next
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

// block returns the innermost block that encloses the reader.
func (r *reader) block() *Block {
	for _, f := range slices.Backward(r.frames) {
		if f.kind == inBody {
			return f.block
		}
	}
	return r.tree.File
}

// value returns the frame of the value that encloses the reader, or nil if there is none.
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

// next returns the nth token after the current one. Comments that do not end a line are not counted.
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
		return // there is one brace too many
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

// alone ends a head that has become neither an argument nor a block.
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

// touch records that ref is in the collection of a for expression. If ref is nil, something other than a reference is
// in it.
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

// newline ends what ends with its line, and what cannot continue on the next line.
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

// recover leaves frames that were not closed if the next line can only be outside of them.
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

// leave ends the innermost frame although it was not closed.
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

// end ends everything that is still open at the end of the file.
func (r *reader) end(at int) {
	r.flush()
	for len(r.frames) > 1 {
		r.leave(at)
	}
}
