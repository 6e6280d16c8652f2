package settings

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Set gives a path a value, in place where the value that counts is a plain one, and else at the end as Append does. A
// value that is there already is left alone, however it is spelled. In place, what is in quotes stays in quotes, and what
// has none gets none where that is possible: to the reading program it is the same.
//
// Set to the former value undoes a change in place, and Unset undoes an addition, to the byte; the exception is a former
// value in a spelling that Set would not choose (escapes, """, several texts in a row) after the file was parsed anew.
func (h *HOCON) Set(path, value string) error {
	keys, found, i, err := h.settable(path, value)
	if err != nil {
		return fmt.Errorf("set %s: %w", path, err)
	}
	if found.Standing != Literal {
		return h.Append(path, value)
	}
	if found.Value == value {
		return nil
	}
	f := h.doc.fields[i]
	texts := []string{quote(value)}
	if f.bare && isBare(value) {
		texts = []string{value, quote(value)}
	}
	name := renderPath(keys)
	if former, ok := h.former[name]; ok && former.value == value {
		texts = []string{former.text, quote(value)}
	}
	want := slices.Clone(h.doc.fields)
	want[i].value = value
	former := spelling{f.value, string(h.src[f.at:f.to])}
	for _, text := range texts {
		if err = h.change(want, splice(h.src, f.at, f.to, text)); err != nil {
			continue
		}
		if _, known := h.former[name]; !known {
			h.former[name] = former
		}
		return nil
	}
	return fmt.Errorf("set %s in line %d: %w", path, lineAt(h.src, f.at), err)
}

// Append gives a path a value at the end of the file, where it wins over everything before it; in a file whose root is in
// braces, before the last one. A value that counts already is left alone, wherever it stands. true, false and numbers
// are written as they are, everything else in quotes.
//
// It is refused where it would take something away: where the path is an object, or something above it is none.
func (h *HOCON) Append(path, value string) error {
	keys, found, _, err := h.settable(path, value)
	if err != nil {
		return fmt.Errorf("append %s: %w", path, err)
	}
	if found.Standing == Literal && found.Value == value {
		return nil
	}
	text := quote(value)
	if isPlain(value) {
		text = value
	}
	want := append(slices.Clip(h.doc.fields), field{path: keys, kind: fieldLiteral, value: value})
	if err := h.change(want, h.appended(renderPath(keys)+" = "+text)); err != nil {
		return fmt.Errorf("append %s: %w", path, err)
	}
	return nil
}

// settable looks up a path, and refuses one that cannot be given a value without taking others away.
func (h *HOCON) settable(path, value string) (keys []string, found Found, i int, err error) {
	if !utf8.ValidString(value) {
		return nil, found, -1, errors.New("the value is not valid UTF-8")
	}
	if keys, err = parsePath(path); err != nil {
		return nil, found, -1, err
	}
	for n := 1; n < len(keys); n++ {
		above, at := h.doc.find(keys[:n])
		if above.Standing == Literal || above.Standing == Array {
			return nil, found, -1, fmt.Errorf("%s has a value of its own in line %d, so there can be nothing below it",
				renderPath(keys[:n]), lineAt(h.src, h.doc.fields[at].at))
		}
	}
	if found, i = h.doc.find(keys); found.Standing == Object {
		return nil, found, -1, fmt.Errorf("there are settings below it in line %d, which a value would take away", lineAt(h.src, h.doc.fields[i].at))
	}
	return keys, found, i, nil
}

// change takes an edit over if it says what is wanted and nothing else.
func (h *HOCON) change(want []field, src []byte) error {
	doc, err := parseDocument(src)
	if err != nil || !slices.EqualFunc(doc.fields, want, field.same) {
		return errSpoils
	}
	h.src, h.doc = src, doc
	return nil
}

// appended is the file with a field at its end.
func (h *HOCON) appended(line string) []byte {
	root, end := h.doc.root, len(h.src)
	switch {
	case root.open >= 0:
		return h.inBraces(line)
	case len(bytes.TrimPrefix(h.src, byteOrderMark)) > 0 && h.src[end-1] != '\n':
		return splice(h.src, end, end, h.newline(end)+line)
	}
	return splice(h.src, end, end, line+h.newline(end))
}

// inBraces puts a field in before the closing brace of the root: on a line of its own if the brace has one.
func (h *HOCON) inBraces(line string) []byte {
	root := h.doc.root
	start := bytes.LastIndexByte(h.src[:root.closing], '\n') + 1
	own := start > root.open && len(bytes.TrimSpace(h.src[start:root.closing])) == 0
	switch {
	case own:
		indent := "  "
		if root.last >= 0 {
			indent = indentation(h.src, root.lastFrom)
		}
		return splice(h.src, start, start, indent+line+h.newline(start))
	case root.last < 0:
		blank := h.src[root.open+1 : root.closing]
		blank = blank[:len(blank)-len(bytes.TrimLeft(blank, " \t"))]
		return splice(h.src, root.open+1, root.open+1, string(blank)+line)
	case root.comma >= 0:
		return splice(h.src, root.comma, root.comma, " "+line+",")
	}
	return splice(h.src, root.last, root.last, ", "+line)
}

// indentation is the white space that the line of an offset begins with.
func indentation(src []byte, at int) string {
	line := src[bytes.LastIndexByte(src[:at], '\n')+1 : at]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// newline is the line ending used right before an offset, or where there is none, behind it.
func (h *HOCON) newline(at int) string {
	if at > 0 && h.src[at-1] == '\r' {
		return "\r\n" // with \n alone, the \r of the file would become a part of the line ending
	}
	n := bytes.LastIndexByte(h.src[:at], '\n')
	if n < 0 {
		n = bytes.IndexByte(h.src, '\n')
	}
	if n > 0 && h.src[n-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// Unset takes out what gives a path its plain value, so that a value from before it counts again, if there is one: it
// undoes Append. A line that it has to itself goes with it. A path that the file says nothing about is none.
func (h *HOCON) Unset(path string) error {
	keys, err := parsePath(path)
	if err != nil {
		return fmt.Errorf("unset %s: %w", path, err)
	}
	found, i := h.doc.find(keys)
	switch {
	case found.Standing == Absent:
		return nil
	case found.Standing != Literal:
		return fmt.Errorf("unset %s: what line %d says of it is not a plain value", path, lineAt(h.src, h.doc.fields[i].at))
	}
	want := slices.Delete(slices.Clone(h.doc.fields), i, i+1)
	if err := h.change(want, h.without(h.doc.fields[i])); err != nil {
		return fmt.Errorf("unset %s in line %d: %w", path, lineAt(h.src, h.doc.fields[i].at), err)
	}
	delete(h.former, renderPath(keys))
	return nil
}

// without is the file without a field: without its lines where it has them to itself, else without the comma next to it.
func (h *HOCON) without(f field) []byte {
	src := h.src
	start, end := bytes.LastIndexByte(src[:f.from], '\n')+1, len(src)
	if n := bytes.IndexByte(src[f.to:], '\n'); n >= 0 {
		end = f.to + n + 1
	}
	if start == 0 && bytes.HasPrefix(src, byteOrderMark) {
		start = len(byteOrderMark)
	}
	from := start + len(bytes.TrimRight(src[start:f.from], " \t"))                  // behind what is before it in the line
	behind := f.to + len(src[f.to:end]) - len(bytes.TrimLeft(src[f.to:end], " \t")) // where something is behind it
	comma := behind < end && src[behind] == ','
	if comma {
		behind++
	}
	rest := bytes.TrimSpace(src[behind:end])
	switch alone := len(rest) == 0 || rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")); {
	case from == start && alone:
		if src[end-1] != '\n' {
			start = beforeEnd(src, start) // the line before becomes the last one, and like the last one it has no ending
		}
		return splice(src, start, end, "")
	case comma && from == start:
		return splice(src, f.from, behind+len(src[behind:end])-len(bytes.TrimLeft(src[behind:end], " \t")), "")
	case comma:
		return splice(src, from, behind, "")
	case from > start && src[from-1] == ',':
		return splice(src, from-1, f.to, "")
	}
	return splice(src, from, f.to, "")
}

// isBare: without quotes, this is the same text (or null, which change refuses).
func isBare(value string) bool {
	l := lexer{src: []byte(value)}
	end := 0
	for {
		t, err := l.next()
		if err != nil {
			return false
		}
		if t.kind == tokEnd {
			return end == len(value) && end > 0
		}
		if t.kind != tokWord && t.kind != tokTyped || strings.Trim(value[end:t.start], " ") != "" || end == 0 && t.start > 0 {
			return false
		}
		end = t.end
	}
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// isPlain: true, false, or a number as JSON writes it.
func isPlain(value string) bool {
	return value == "true" || value == "false" || jsonNumber.MatchString(value)
}
