package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// HOCON is a file of settings in Human-Optimized Config Object Notation, read as Lightbend's library reads it: later
// values win over earlier ones, objects are merged, a key may be a path, and the root may do without braces.
//
// What stands in the file is read, not what it leads to: files that are included are not opened, and ${...} is not
// replaced. A value that may depend on either is Unknown.
//
// Paths are written as HOCON writes them: a.b.c, and in quotes what has dots or blanks in it: a."b.c".
type HOCON struct {
	src    []byte
	doc    document
	former map[string]spelling // of the first value that Set replaced, by path
}

// Standing is what a file says about a path.
type Standing int

// What a file can say about a path.
const (
	Absent  Standing = iota // nothing
	Literal                 // text, a number or a boolean
	Null                    // null: like Absent to whoever reads it
	Object                  // there are settings below it
	Array
	Unknown // it depends on ${...}, on an included file, or on values that the server puts together
)

// Found is what a file says about a path, and where the last word on it stands.
type Found struct {
	Standing Standing
	Value    string // of a Literal: its text, without quotes and with escapes resolved
	Line     int    // 1-based; 0 if the file says nothing
}

// ParseHOCON reads a file. What is not HOCON is refused with a *SyntaxError.
func ParseHOCON(src []byte) (*HOCON, error) {
	if err := refuseUTF16(src); err != nil {
		return nil, err
	}
	src = bytes.Clone(src)
	doc, err := parseDocument(src)
	if err != nil {
		return nil, err
	}
	return &HOCON{src, doc, map[string]spelling{}}, nil
}

// Bytes is the file as it is now.
func (h *HOCON) Bytes() []byte { return bytes.Clone(h.src) }

// Lookup is the value of a path that has a plain one (Literal), and the line (1-based) that it stands in.
func (h *HOCON) Lookup(path string) (value string, line int, ok bool) {
	f, err := h.Find(path)
	if err != nil || f.Standing != Literal {
		return "", 0, false
	}
	return f.Value, f.Line, true
}

// Find is what the file says about a path. The error is about the path alone.
func (h *HOCON) Find(path string) (Found, error) {
	keys, err := parsePath(path)
	if err != nil {
		return Found{}, err
	}
	found, i := h.doc.find(keys)
	if i >= 0 {
		found.Line = lineAt(h.src, h.doc.fields[i].at)
	}
	return found, nil
}

// find goes through the file from its start, as merging does. The index is of the field that had the last word, -1 if
// none had any.
func (d *document) find(path []string) (found Found, last int) {
	last = -1
	for i, f := range d.fields {
		var standing Standing
		value := ""
		switch n := len(f.path); {
		case n < len(path) && slices.Equal(f.path, path[:n]): // something above it
			switch f.kind {
			case fieldObject:
				continue
			case fieldUnknown, fieldInclude:
				standing = Unknown
			default: // nothing from before is merged with what comes below it later
				standing = Absent
			}
		case n == len(path) && slices.Equal(f.path, path):
			standing = map[fieldKind]Standing{
				fieldLiteral: Literal, fieldNull: Null, fieldObject: Object, fieldArray: Array, fieldUnknown: Unknown, fieldInclude: Object,
			}[f.kind]
			value = f.value
		case n > len(path) && slices.Equal(f.path[:len(path)], path): // something below it
			standing = Object
		default:
			continue
		}
		found, last = Found{Standing: standing, Value: value}, i
	}
	return found, last
}

// parsePath reads a path as one reads it in a key.
func parsePath(path string) ([]string, error) {
	if !utf8.ValidString(path) {
		return nil, errors.New("the path of a setting is not valid UTF-8")
	}
	l := lexer{src: []byte(path)}
	var parts []token
	for {
		t, err := l.next()
		if err == nil && t.kind != tokEnd && !t.named() {
			err = l.fail(t.start, tokenNames[t.kind]+" may not stand in a path")
		}
		if err == nil && t.kind == tokEnd {
			if len(parts) == 0 {
				return nil, errors.New("the path of a setting is empty")
			}
			var keys []string
			if keys, err = pathOf(l.src, parts); err == nil {
				return keys, nil
			}
		}
		if err != nil {
			return nil, fmt.Errorf("the path %q of a setting: %w", path, err)
		}
		parts = append(parts, t)
	}
}

// renderPath writes a path so that it can be a key.
func renderPath(keys []string) string {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = key
		if !isName(key) || i == 0 && key == "include" {
			texts[i] = quote(key)
		}
	}
	return strings.Join(texts, ".")
}

// isName: letters, digits, - and _, and a letter first.
func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// quote writes a text as JSON does.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if i := strings.IndexRune("\"\\\b\f\n\r\t", r); i >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`"\bfnrt`[i])
			continue
		}
		if r < ' ' {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
