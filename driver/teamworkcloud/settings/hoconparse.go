package settings

import (
	"slices"
	"strconv"
	"strings"
)

// fieldKind is what a field does to its path.
type fieldKind int

const (
	fieldLiteral fieldKind = iota // text, a number, a boolean, or several of them in a row
	fieldNull
	fieldObject  // what is in it follows as fields of its own
	fieldArray   // what is in it cannot be named by a path
	fieldUnknown // it depends on ${...}, or on values put together that are known on the server only
	fieldInclude // another file may set everything below the path
)

// field is one thing that the file says about a path. In the order of the file they say everything.
type field struct {
	path   []string // from the root
	kind   fieldKind
	value  string // of a literal: its text as the reading program gets it
	bare   bool   // of a literal: without quotes
	from   int    // where its key begins
	at, to int    // the value
}

func (f field) same(g field) bool {
	return f.kind == g.kind && f.value == g.value && slices.Equal(f.path, g.path)
}

// object is where an object's parts are. What is not there is -1.
type object struct {
	open, closing int  // the braces; a root without them has none
	lastFrom      int  // key of the last field
	last          int  // its end
	comma         int  // behind the comma after it
	numbered      bool // a name in it is a number, so that it could be taken for an array
}

// document is a file that was read.
type document struct {
	fields []field
	root   object
}

// deepest is how deep braces and brackets may be nested: deeper than anybody writes, and not too deep for the library
// on the server, which calls itself for each.
const deepest = 500

type parser struct {
	lexer
	doc    document
	back   []token
	arrays int // how many the place is in: what is in one has no path
	depth  int
}

func parseDocument(src []byte) (document, error) {
	p := parser{lexer: lexer{src: src}}
	t, err := p.meaningful()
	if err != nil {
		return document{}, err
	}
	switch t.kind {
	case tokOpenBracket:
		return document{}, p.fail(t.start, "the file is an array, not settings")
	case tokOpenBrace:
		p.doc.root, err = p.object(nil, t.start)
	default:
		p.unread(t)
		p.doc.root, err = p.object(nil, -1)
	}
	if err != nil {
		return document{}, err
	}
	if t, err = p.meaningful(); err != nil {
		return document{}, err
	}
	if t.kind != tokEnd {
		return document{}, p.fail(t.start, tokenNames[t.kind]+" stands behind the '}' that ends the settings")
	}
	return p.doc, nil
}

func (p *parser) token() (token, error) {
	if n := len(p.back); n > 0 {
		t := p.back[n-1]
		p.back = p.back[:n-1]
		return t, nil
	}
	return p.lexer.next()
}

func (p *parser) unread(t token) { p.back = append(p.back, t) }

// meaningful is the next token that is neither comment nor newline.
func (p *parser) meaningful() (token, error) {
	for {
		t, err := p.token()
		if err != nil || t.kind != tokNewline && t.kind != tokComment {
			return t, err
		}
	}
}

func (p *parser) emit(f field) {
	if p.arrays == 0 {
		p.doc.fields = append(p.doc.fields, f)
	}
}

func (p *parser) deeper(at int) error {
	if p.depth++; p.depth > deepest {
		return p.fail(at, "braces and brackets are nested too deep")
	}
	return nil
}

// object reads fields up to the closing brace, or without an opening one (open is -1) up to the end of the file.
func (p *parser) object(path []string, open int) (object, error) {
	o := object{open, -1, -1, -1, -1, false}
	if err := p.deeper(max(open, 0)); err != nil {
		return o, err
	}
	defer func() { p.depth-- }()
	for separated := true; ; {
		t, err := p.meaningful()
		switch {
		case err != nil:
			return o, err
		case t.kind == tokCloseBrace && open >= 0:
			o.closing = t.start
			return o, nil
		case t.kind == tokCloseBrace:
			return o, p.fail(t.start, "'}' closes nothing")
		case t.kind == tokEnd && open < 0:
			return o, nil
		case t.kind == tokEnd:
			return o, p.fail(open, "'{' is not closed by '}'")
		case !separated:
			return o, p.fail(t.start, tokenNames[t.kind]+" stands behind a value: a comma or a new line is missing, or quotes around the value")
		case !t.named():
			return o, p.fail(t.start, tokenNames[t.kind]+" stands where a name should")
		}
		o.lastFrom, o.comma = t.start, -1
		if t.kind == tokWord && t.text == "include" {
			o.last, err = p.include(t)
			p.emit(field{path: path, kind: fieldInclude, from: t.start, at: t.start, to: o.last})
			o.numbered = true // perhaps
		} else {
			o.last, err = p.field(path, t, &o)
		}
		if err != nil {
			return o, err
		}
		if separated, o.comma, err = p.separator(); err != nil {
			return o, err
		}
	}
}

// separator reads the newlines and the comma that may follow a value. comma is the offset behind it, -1 without one.
func (p *parser) separator() (separated bool, comma int, err error) {
	for {
		t, err := p.token()
		switch {
		case err != nil:
			return false, -1, err
		case t.kind == tokComma:
			return true, t.end, nil
		case t.kind == tokNewline:
			separated = true
		case t.kind != tokComment:
			p.unread(t)
			return separated, -1, nil
		}
	}
}

// field reads a key, what separates it, and its value; it returns where the value ends.
func (p *parser) field(path []string, t token, in *object) (end int, err error) {
	f := field{from: t.start}
	parts := []token{t}
	for {
		if t, err = p.token(); err != nil {
			return 0, err
		}
		if !t.named() {
			break
		}
		parts = append(parts, t)
	}
	p.unread(t)
	name, err := pathOf(p.src, parts)
	if err != nil {
		return 0, err
	}
	if f.path = slices.Concat(path, name); len(f.path) > deepest {
		return 0, p.fail(f.from, "names are nested too deep")
	}
	_, notNumber := strconv.ParseUint(name[0], 10, 31)
	in.numbered = in.numbered || notNumber == nil
	if t, err = p.meaningful(); err != nil {
		return 0, err
	}
	switch {
	case t.kind == tokOpenBrace: // and nothing can be joined to it
		end, _, err = p.nested(f, t)
		return end, err
	case t.kind == tokSeparator:
		return p.value(f)
	case t.kind != tokAppend:
		return 0, p.fail(t.start, tokenNames[t.kind]+" stands behind a name: '=' or ':' is missing, or quotes around a value")
	case p.arrays > 0:
		return 0, p.fail(t.start, "'+=' may not stand in an array") // nowhere says so, but the library refuses it
	}
	p.arrays++
	end, err = p.value(f)
	p.arrays--
	f.kind, f.at, f.to = fieldUnknown, t.start, end
	p.emit(f)
	return end, err
}

// value reads a value, or several that are joined because they stand in a row, and says with f what they do to its path.
func (p *parser) value(f field) (end int, err error) {
	t, err := p.meaningful()
	f.at = t.start
	j := joined{}
	for ; err == nil; t, err = p.token() {
		switch {
		case t.simple():
			end, err = t.end, j.simple(p, t)
		case t.kind == tokOpenBrace || t.kind == tokOpenBracket:
			if len(j.run) > 0 {
				f.kind, f.to = fieldUnknown, t.start
				p.emit(f)
			}
			end, err = j.nested(p, f, t)
		case end == 0:
			return 0, p.fail(t.start, tokenNames[t.kind]+" stands where a value should")
		default:
			p.unread(t)
			if f.to = end; j.literal(p.src, &f) {
				p.emit(f)
			}
			return end, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, err
}

// joined are values in a row. Texts make a text, arrays an array, objects an object, and what ${...} makes is not known.
type joined struct {
	run      []token   // the simple values since the last object or array
	last     tokenKind // what has been read: tokWord for text, the opening brace or bracket, tokEnd for nothing
	complex  bool      // there was an object or an array
	numbered bool      // the objects could be taken for an array
}

func (j *joined) simple(p *parser, t token) error {
	switch {
	case t.kind == tokSubstitution:
		j.last = t.kind
	case j.last != tokOpenBrace && j.last != tokOpenBracket:
		j.last = tokWord
	case t.kind != tokWord: // of a word the library takes no notice there
		return p.fail(t.start, "a text cannot be joined to an object or an array")
	}
	j.run = append(j.run, t)
	return nil
}

func (j *joined) nested(p *parser, f field, t token) (end int, err error) {
	before := j.last
	if before == tokWord {
		return 0, p.fail(t.start, "an object or an array cannot be joined to a text")
	}
	j.run, j.last, j.complex = nil, t.kind, true
	var numbered bool
	if t.kind == tokOpenBracket {
		if end, err = p.array(t.start); err != nil {
			return 0, err
		}
		f.kind, f.at, f.to = fieldArray, t.start, end
		p.emit(f)
		numbered = j.numbered
	} else {
		if end, numbered, err = p.nested(f, t); err != nil {
			return 0, err
		}
		j.numbered = j.numbered || numbered
	}
	if (before == tokOpenBrace || before == tokOpenBracket) && before != t.kind {
		if !numbered {
			return 0, p.fail(t.start, "an object and an array cannot be joined")
		}
		j.last = tokOpenBracket
	}
	return end, nil
}

// literal says what simple values at the end of a row do to the path, false if there are none.
func (j *joined) literal(src []byte, f *field) bool {
	if len(j.run) == 0 {
		return false
	}
	f.kind, f.bare = fieldLiteral, true
	var text strings.Builder
	for i, t := range j.run {
		if i > 0 {
			text.Write(src[j.run[i-1].end:t.start])
		}
		text.WriteString(t.text)
		f.bare = f.bare && t.kind != tokString
		if t.kind == tokSubstitution || j.complex {
			f.kind = fieldUnknown
		}
	}
	if f.kind == fieldLiteral {
		f.value = text.String()
	}
	if len(j.run) == 1 && j.run[0].kind == tokTyped && f.value == "null" {
		f.kind, f.value = fieldNull, ""
	}
	return true
}

// nested reads an object that is a value; t is its opening brace.
func (p *parser) nested(f field, t token) (end int, numbered bool, err error) {
	f.kind, f.at, f.to = fieldObject, t.start, t.end
	p.emit(f)
	o, err := p.object(f.path, t.start)
	return o.closing + 1, o.numbered, err
}

// array reads up to the closing bracket, and returns where it ends.
func (p *parser) array(open int) (end int, err error) {
	if err := p.deeper(open); err != nil {
		return 0, err
	}
	p.arrays++
	defer func() { p.depth--; p.arrays-- }()
	for separated := true; ; {
		t, err := p.meaningful()
		switch {
		case err != nil:
			return 0, err
		case t.kind == tokCloseBracket:
			return t.end, nil
		case t.kind == tokEnd:
			return 0, p.fail(open, "'[' is not closed by ']'")
		case !separated:
			return 0, p.fail(t.start, tokenNames[t.kind]+" stands behind a value: a comma or a new line is missing, or quotes around the value")
		}
		p.unread(t)
		if _, err = p.value(field{}); err != nil {
			return 0, err
		}
		if separated, _, err = p.separator(); err != nil {
			return 0, err
		}
	}
}

// include reads what follows the word: "name", file("name"), url("name") or classpath("name"), each also within
// required(...). It returns where that ends.
func (p *parser) include(t token) (end int, err error) {
	closing := ""
	at := t.start
	if t, err = p.meaningful(); err != nil {
		return 0, err
	}
	for _, around := range [][]string{{"required("}, {"file(", "url(", "classpath("}} {
		for _, name := range around {
			rest, ok := strings.CutPrefix(t.text, name)
			if t.kind != tokWord || !ok {
				continue
			}
			closing += ")"
			if t.text = rest; rest != "" {
				break
			}
			if t, err = p.meaningful(); err != nil {
				return 0, err
			}
			break
		}
	}
	if t.kind != tokString {
		return 0, p.fail(at, `include is not followed by a name in quotes, or by file(...), url(...) or classpath(...) around one; "include" in quotes is an ordinary name`)
	}
	for end = t.end; closing != ""; end = t.end {
		if t, err = p.meaningful(); err != nil {
			return 0, err
		}
		if t.kind != tokWord || !strings.HasPrefix(closing, t.text) {
			return 0, p.fail(at, "include is not closed by ')'")
		}
		closing = closing[len(t.text):]
	}
	return end, nil
}
