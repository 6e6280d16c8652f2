package schema

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// skimmed is a block at the top level of a file, found by skim.
type skimmed struct {
	words  []string  // its type and labels; only until the next block is found
	header hcl.Range // of these
	args   []part    // the arguments of its body that decide which declarations it stands for
	part             // the whole block
}

// part is a part of a file.
type part struct {
	src []byte
	at  hcl.Pos
}

// skim finds the blocks at the top level of a file without parsing them: it only looks for where texts, comments and
// brackets end. It is for the names of declarations, which completion needs fast. If the parser accepts the file, they
// are the blocks that it finds. It returns false if found does, or if the file has to be parsed to know them, for
// example because of a mistake; most mistakes inside of blocks are not noticed.
func skim(src []byte, path string, found func(skimmed) bool) bool {
	s, pos := &skimmer{src: src}, &positions{src: src}
	for s.blank(true) {
		if s.at == len(src) {
			return true
		}
		start := s.at
		if len(bytes.Trim(src[bytes.LastIndexByte(src[:start], '\n')+1:start], " \t")) > 0 {
			return false // behind a comment
		}
		words, end, ok := s.header()
		if !ok {
			return false
		}
		args, ok := s.body(words[0])
		if !ok || !s.lineEnds() {
			return false
		}
		b := skimmed{words: words, part: part{at: pos.of(start), src: src[start:s.at]}}
		to := b.at
		to.Column, to.Byte = to.Column+end-start, end
		b.header = hcl.Range{Filename: path, Start: b.at, End: to}
		for _, a := range args {
			b.args = append(b.args, part{at: pos.of(a[0]), src: src[a[0]:a[1]]})
		}
		if !found(b) {
			return false
		}
	}
	return false
}

// positions finds positions in a text, one after the other. Columns are right where only ASCII stands before.
type positions struct {
	src           []byte
	line, counted int // the number of line ends before counted
}

func (p *positions) of(at int) hcl.Pos {
	p.line += bytes.Count(p.src[p.counted:at], []byte("\n"))
	p.counted = at
	return hcl.Pos{Line: p.line + 1, Column: at - bytes.LastIndexByte(p.src[:at], '\n'), Byte: at}
}

// skimmer reads a file from left to right. Its methods return false if the parser must decide.
type skimmer struct {
	src   []byte
	at    int
	depth int      // of brackets and templates inside of each other
	words []string // of the last header
}

// peek returns the next byte, or 0 at the end.
func (s *skimmer) peek() byte {
	if s.at < len(s.src) {
		return s.src[s.at]
	}
	return 0
}

// blank skips spaces and comments, and line ends if lines is set. A comment to the end of its line ends before the
// line end.
func (s *skimmer) blank(lines bool) bool {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r' && bytes.HasPrefix(s.src[s.at:], []byte("\r\n"))):
			s.at++
		case c == '#' || c == '/':
			if !s.comment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// comment skips a comment. At a slash that begins none it returns false.
func (s *skimmer) comment() bool {
	rest := s.src[s.at:]
	if bytes.HasPrefix(rest, []byte("/*")) {
		end := bytes.Index(rest[2:], []byte("*/"))
		s.at += end + 4
		return end >= 0
	}
	if rest[0] != '#' && !bytes.HasPrefix(rest, []byte("//")) {
		return false
	}
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	s.at += end
	return true
}

// lineEnds skips what may follow a block on its line, and the line end.
func (s *skimmer) lineEnds() bool {
	if !s.blank(false) {
		return false
	}
	if s.peek() == '\r' {
		s.at++
	}
	if s.at == len(s.src) {
		return true
	}
	s.at++
	return s.src[s.at-1] == '\n'
}

// word skips a name in ASCII. It returns false if there is none.
func (s *skimmer) word() bool {
	start := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'; !letter &&
			(s.at == start || (c < '0' || c > '9') && c != '-') {
			break
		}
		s.at++
	}
	return s.at > start
}

// header reads the type and the labels of a block with its opening brace. It returns where the last of them ends.
func (s *skimmer) header() (words []string, end int, ok bool) {
	last := s.words
	words = last[:0]
	defer func() { s.words = words }()
	add := func(start, end int) {
		if at, word := len(words), s.src[start:end]; at < len(last) && last[at] == string(word) { // it needs no memory again
			words = words[:at+1]
		} else {
			words = append(words, string(word))
		}
	}
	for {
		start := s.at
		switch c := s.peek(); {
		case c == '{' && len(words) > 0:
			s.at++
			return words, end, true
		case c == '"' && len(words) > 0:
			if !s.plainText() {
				return nil, 0, false
			}
			end = s.at
			add(start+1, end-1)
		default:
			if !s.word() {
				return nil, 0, false
			}
			end = s.at
			add(start, end)
		}
		for s.peek() == ' ' || s.peek() == '\t' {
			s.at++
		}
	}
}

// plainText skips a text in quotes that stands for itself.
func (s *skimmer) plainText() bool {
	for s.at++; s.at < len(s.src); s.at++ {
		switch c := s.src[s.at]; {
		case c == '"':
			s.at++
			return true
		case c < ' ' || c > '~' || c == '\\' || c == '$' || c == '%':
			return false
		}
	}
	return false
}

// labels skips the labels of a block inside of another, and its opening brace.
func (s *skimmer) labels() bool {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; c {
		case '{':
			s.at++
			return true
		case ' ', '\t':
			s.at++
		case '"':
			s.at++
			if !s.text() {
				return false
			}
		default:
			if !s.word() {
				return false
			}
		}
	}
	return false
}

// body skips the body of a block of this type with its closing brace. It returns where the arguments are that decide
// which declarations there are, with the ends of their lines. Local values may decide that, unless the parser must read
// their block.
func (s *skimmer) body(of string) (args [][2]int, ok bool) {
	start := s.at
	switch {
	case isKind(of):
		return s.arguments("for_each", "enabled")
	case of == "locals":
		if args, ok := s.arguments(); ok {
			return args, true
		}
		s.at = start
	}
	return nil, s.closed('}')
}

// arguments skips the body of a block with its closing brace. It returns where the arguments with these names are, or
// all if there are no names.
func (s *skimmer) arguments(names ...string) (args [][2]int, ok bool) {
	for s.blank(true) {
		if s.peek() == '}' {
			s.at++
			return args, true
		}
		start := s.at
		if !s.word() {
			return nil, false
		}
		name := s.src[start:s.at]
		for s.peek() == ' ' || s.peek() == '\t' {
			s.at++
		}
		if s.peek() == '=' {
			if s.at++; !s.expression() {
				return nil, false
			}
			if len(names) == 0 || slices.Contains(names, string(name)) {
				args = append(args, [2]int{start, s.at})
			}
			continue
		}
		if !s.labels() || !s.closed('}') {
			return nil, false
		}
	}
	return nil, false
}

// expression skips an expression with the end of its line. The closing brace of a block on one line is left.
func (s *skimmer) expression() bool {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; c {
		case '\n':
			s.at++
			return true
		case '}':
			return true
		default:
			if !s.token(c) {
				return false
			}
		}
	}
	return false
}

// closed skips everything to a closing bracket that belongs to one before.
func (s *skimmer) closed(by byte) bool {
	if s.depth++; s.depth > maxNesting {
		return false
	}
	defer func() { s.depth-- }()
	for s.at < len(s.src) {
		c := s.src[s.at]
		if c == by {
			s.at++
			return true
		}
		if c == '}' || !s.token(c) {
			return false
		}
	}
	return false
}

// plainByte holds the bytes that stand for themselves everywhere outside of texts and comments.
var plainByte = func() (is [256]bool) {
	for c := range is {
		is[c] = c != '\n' && strings.IndexByte(`"{[(}])#/<`, byte(c)) < 0
	}
	return is
}()

// token skips what begins with a byte: a text, a comment, a bracketed part, or bytes that stand for themselves.
func (s *skimmer) token(c byte) bool {
	switch c {
	case '"':
		s.at++
		return s.text()
	case '(':
		s.at++
		return s.closed(')')
	case '{', '[':
		s.at++
		return s.closed(c + 2)
	case ']', ')':
		return false
	case '#':
		return s.comment()
	case '/':
		if next := s.src[s.at:]; len(next) > 1 && (next[1] == '/' || next[1] == '*') {
			return s.comment()
		}
	case '<':
		if bytes.HasPrefix(s.src[s.at:], []byte("<<")) {
			return s.heredoc()
		}
	}
	for s.at++; s.at < len(s.src) && plainByte[s.src[s.at]]; {
		s.at++
	}
	return true
}

// text skips the rest of a text in quotes.
func (s *skimmer) text() bool {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; c {
		case '"':
			s.at++
			return true
		case '\n':
			return false
		case '\\':
			s.at += 2
		case '$', '%':
			if !s.interpolation(c) {
				return false
			}
		default:
			s.at++
		}
	}
	return false
}

// interpolation skips what begins with a sign that may begin an expression in a template.
func (s *skimmer) interpolation(c byte) bool {
	rest := s.src[s.at:]
	switch {
	case bytes.HasPrefix(rest, []byte{c, c, c}):
		return false
	case bytes.HasPrefix(rest, []byte{c, c, '{'}):
		s.at += 3
	case bytes.HasPrefix(rest, []byte{c, '{'}):
		s.at += 2
		return s.closed('}')
	default:
		s.at++
	}
	return true
}

// heredoc skips a text of several lines. The line end after its last line is left.
func (s *skimmer) heredoc() bool {
	s.at += 2
	if s.peek() == '-' {
		s.at++
	}
	start := s.at
	s.word()
	mark := s.src[start:s.at]
	if s.peek() == '\r' {
		s.at++
	}
	if len(mark) == 0 || s.peek() != '\n' {
		return false
	}
	s.at++
	for s.at < len(s.src) {
		start := s.at
		end := start + bytes.IndexByte(s.src[start:], '\n')
		if end < start {
			return false
		}
		line := s.src[start:end]
		if trimmed := bytes.TrimSpace(line); bytes.Equal(trimmed, mark) {
			s.at = end
			return bytes.HasSuffix(line, mark)
		}
		for s.at < end {
			if c := s.src[s.at]; c != '$' && c != '%' {
				s.at++
			} else if !s.interpolation(c) || s.at > end {
				return false
			}
		}
		s.at = end + 1
	}
	return false
}

// textSet reads an argument whose value is toset([...]) of texts that stand for themselves. There may be thousands, and
// parsing them takes longer than all else that is done for their names. It returns nil for any other argument, and if
// the parser must decide.
func textSet(p part, path string) *hclsyntax.Body {
	s := &skimmer{src: p.src}
	if !s.word() {
		return nil
	}
	name := string(s.src[:s.at])
	if !s.sign('=', false) || !s.blank(false) {
		return nil
	}
	if start := s.at; !s.word() || string(s.src[start:s.at]) != "toset" || !s.sign('(', false) || !s.sign('[', true) {
		return nil
	}
	rng := hcl.Range{Filename: path, Start: p.at, End: p.at} // mistakes in what is read here are not shown
	list := &hclsyntax.TupleConsExpr{SrcRange: rng, OpenRange: rng}
	for !s.sign(']', true) {
		start := s.at
		if s.peek() != '"' || !s.plainText() || s.at-start == len(`""`) {
			return nil
		}
		text := string(s.src[start+1 : s.at-1])
		if !s.sign(',', true) && s.peek() != ']' {
			return nil
		}
		list.Exprs = append(list.Exprs, &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: rng})
	}
	if !s.sign(')', true) || !s.lineEnds() || s.at < len(s.src) {
		return nil
	}
	call := &hclsyntax.FunctionCallExpr{Name: "toset", Args: []hclsyntax.Expression{list}, NameRange: rng,
		OpenParenRange: rng, CloseParenRange: rng}
	return &hclsyntax.Body{SrcRange: rng, Attributes: hclsyntax.Attributes{
		name: {Name: name, Expr: call, SrcRange: rng, NameRange: rng, EqualsRange: rng}}}
}

// sign skips spaces, comments, and line ends if lines is set, and then a sign, if it is this one.
func (s *skimmer) sign(c byte, lines bool) bool {
	if !s.blank(lines) || s.peek() != c {
		return false
	}
	s.at++
	return true
}
