package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// deepest is the maximum nesting of braces, brackets and names. It is deeper than anybody writes, but not too deep for
// the recursive library on the server.
const deepest = 500

// mostNames is the maximum number of names in the paths of all fields of a file. Each field has its whole path, so a
// small file with many deeply nested settings would take gigabytes. The vendor's file has some thousand.
const mostNames = 1_000_000

// parser reads a file into fields. After the first error, it only returns the end of the file.
type parser struct {
	lexer
	t      token // read, but not used yet
	fields []field
	hidden int // number of arrays around the current token: no path names their content
	depth  int
	names  int // number of names in the paths of fields
}

// parseHOCON reads a file. closing is the offset of the brace that closes the root, or -1 if there is none.
func parseHOCON(src []byte) (fields []field, closing int, err error) {
	p := parser{lexer: lexer{src: src}}
	p.next()
	p.skipLines()
	closing = -1
	switch open := p.t.start; p.t.kind {
	case tokOpenBracket:
		p.fail(open, "the file is an array, not settings")
	case tokOpenBrace:
		p.next()
		closing = p.object(nil, open)
	default:
		p.object(nil, -1)
	}
	if p.skipLines(); p.t.kind != tokEnd {
		p.fail(p.t.start, tokenNames[p.t.kind]+" after the '}' that ends the settings")
	}
	return p.fields, closing, p.err
}

func (p *parser) next() { p.t = p.token() }

func (p *parser) fail(at int, msg string) { p.t = p.lexer.fail(at, msg) }

// skipLines moves to the next token that is neither a comment nor the end of a line.
func (p *parser) skipLines() {
	for p.t.kind == tokNewline || p.t.kind == tokComment {
		p.next()
	}
}

func (p *parser) emit(f field) {
	if p.hidden == 0 {
		p.fields = append(p.fields, f)
	}
}

func (p *parser) deeper(at int) {
	if p.depth++; p.depth > deepest {
		p.fail(at, "braces and brackets are nested too deep")
	}
}

// object reads fields up to the closing brace and returns its offset. If there is no opening brace (open is -1), it
// reads to the end of the file.
func (p *parser) object(path []string, open int) (closing int) {
	p.deeper(max(open, 0))
	defer func() { p.depth-- }()
	for separated := true; ; separated = p.separator() {
		p.skipLines()
		switch t := p.t; {
		case t.kind == tokCloseBrace && open >= 0:
			p.next()
			return t.start
		case t.kind == tokCloseBrace:
			p.fail(t.start, "'}' closes nothing")
			return -1
		case t.kind == tokEnd:
			if open >= 0 {
				p.fail(open, "'{' is not closed by '}'")
			}
			return -1
		case !separated:
			p.fail(t.start, unseparated(t))
		case !t.named():
			p.fail(t.start, tokenNames[t.kind]+" instead of a name")
		case t.kind == tokWord && t.text == "include":
			p.include(path)
		default:
			p.field(path)
		}
	}
}

func unseparated(t token) string {
	return tokenNames[t.kind] + " after a value: a comma or a new line is missing, or quotes around the value"
}

// separator reads the line ends and the comma that may follow a value. It reports whether there were any.
func (p *parser) separator() (separated bool) {
	for ; ; p.next() {
		switch p.t.kind {
		case tokComma:
			p.next()
			return true
		case tokNewline:
			separated = true
		case tokComment:
		default:
			return separated
		}
	}
}

// field reads a key, what separates it from its value, and the value.
func (p *parser) field(path []string) {
	first := p.t.start
	var parts []token
	for ; p.t.named(); p.next() {
		parts = append(parts, p.t)
	}
	f := field{path: slices.Concat(path, p.path(parts))}
	if len(f.path) > deepest {
		p.fail(first, "names are nested too deep")
	}
	if p.names += len(f.path); p.names > mostNames {
		p.fail(first, fmt.Sprintf("the names of all settings, each with those above it, are more than %d", mostNames))
	}
	p.skipLines()
	switch t := p.t; {
	case p.err != nil:
	case t.kind == tokOpenBrace: // nothing can be joined to the object
		p.nested(f)
	case t.kind == tokSeparator:
		p.next()
		p.value(f)
	case t.kind != tokAppend:
		p.fail(t.start, tokenNames[t.kind]+" after a name: '=' or ':' is missing, or quotes around a value")
	case p.hidden > 0: // not documented, but the library refuses it
		p.fail(t.start, "'+=' is not allowed in an array")
	default:
		p.next()
		p.hidden++
		p.value(f)
		p.hidden--
		f.standing, f.at = Unknown, t.start
		p.emit(f)
	}
}

// value reads a value, or several in a row, which are joined: texts to a text, arrays to an array, objects to an
// object. Anything with ${...} is unknown.
func (p *parser) value(f field) {
	p.skipLines()
	var parts []token // texts and substitutions after the last object or array
	kind := tokEnd    // kind of what is joined, ignoring substitutions: tokWord for texts
	for first := true; ; first = false {
		t := p.t
		switch {
		case t.kind == tokSubstitution:
			parts = append(parts, t)
			p.next()
			continue
		case t.named():
			t.kind = tokWord
		case t.kind != tokOpenBrace && t.kind != tokOpenBracket:
			if first {
				p.fail(t.start, tokenNames[t.kind]+" instead of a value")
			}
			p.literal(f, parts)
			return
		}
		if kind != tokEnd && kind != t.kind {
			p.fail(t.start, notJoined)
			return
		}
		if kind = t.kind; kind == tokWord {
			parts = append(parts, p.t)
			p.next()
			continue
		}
		p.literal(f, parts)
		parts = nil
		if kind == tokOpenBrace {
			p.nested(f)
		} else {
			p.array(f)
		}
	}
}

const notJoined = "objects, arrays and texts cannot be joined to one another: a comma or a new line is missing, " +
	"or quotes"

// literal emits the field for texts and substitutions in a row.
func (p *parser) literal(f field, parts []token) {
	if len(parts) == 0 {
		return
	}
	f.standing, f.at = Literal, parts[0].start
	var text strings.Builder
	for i, t := range parts {
		if i > 0 {
			text.Write(p.src[parts[i-1].end:t.start])
		}
		text.WriteString(t.text)
		if t.kind == tokSubstitution {
			f.standing = Unknown
		}
	}
	switch {
	case f.standing == Unknown:
	case len(parts) == 1 && parts[0].kind == tokWord && parts[0].text == "null":
		f.standing = Null
	default:
		f.value = text.String()
	}
	p.emit(f)
}

// nested reads an object that is a value. The current token is its opening brace.
func (p *parser) nested(f field) {
	open := p.t.start
	f.standing, f.at = Object, open
	p.emit(f)
	p.next()
	p.object(f.path, open)
}

// array reads an array. The current token is its opening bracket.
func (p *parser) array(f field) {
	open := p.t.start
	f.standing, f.at = Array, open
	p.emit(f)
	p.next()
	p.deeper(open)
	p.hidden++
	defer func() { p.depth--; p.hidden-- }()
	for separated := true; ; separated = p.separator() {
		p.skipLines()
		switch t := p.t; {
		case t.kind == tokCloseBracket:
			p.next()
			return
		case t.kind == tokEnd:
			p.fail(open, "'[' is not closed by ']'")
			return
		case !separated:
			p.fail(t.start, unseparated(t))
		default:
			p.value(field{})
		}
	}
}

var aroundIncluded = lazyregexp.New(`^(required\()?((file|url|classpath)\()?$`)

// include reads "name", file("name"), url("name") or classpath("name"), each also within required(...).
func (p *parser) include(path []string) {
	at, around := p.t.start, ""
	p.emit(field{path: path, standing: included, at: at})
	for p.next(); p.t.kind == tokWord && strings.HasSuffix(p.t.text, "(") || p.t.kind == tokNewline ||
		p.t.kind == tokComment; p.next() {
		around += p.t.text
	}
	if p.t.kind != tokString || !aroundIncluded.MatchString(around) {
		p.fail(at, `include is not followed by a name in quotes, or by file(...), url(...) or classpath(...) around one; `+
			`"include" in quotes is an ordinary name`)
		return
	}
	p.next()
	for missing := strings.Count(around, "("); missing > 0; p.next() {
		p.skipLines()
		if p.t.kind != tokWord || !strings.HasPrefix(strings.Repeat(")", missing), p.t.text) {
			p.fail(at, "include is not closed by ')'")
			return
		}
		missing -= len(p.t.text)
	}
}
