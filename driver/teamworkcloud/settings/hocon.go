package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// HOCON is a settings file in Human-Optimized Config Object Notation, read as Lightbend's library reads it. Later
// values override earlier ones, objects are merged, a key may be a path, and the root may have no braces.
//
// Included files are not opened, and ${...} is not replaced: a value that may depend on either is Unknown. An object
// joined to an array or a text, which the library accepts in some cases, is refused.
type HOCON struct {
	src     []byte
	fields  []field
	closing int // offset of the brace that closes the root, -1 if the root has no braces
}

// Standing is what a file says about a path.
type Standing int

// What a file can say about a path.
const (
	Absent   Standing = iota // nothing
	Literal                  // a text, a number or a boolean
	Null                     // null: for the reading program the same as absent
	Object                   // it has settings below it
	Array                    // a path cannot name its elements
	Unknown                  // it depends on ${...}, on an included file, or on the value that += adds to
	included                 // only for a field: an included file may set anything below the path
)

// field is one statement of a file about a path. The fields, in the order of the file, contain everything.
type field struct {
	path     []string // from the root
	standing Standing
	value    string // for a Literal: as the reading program gets it
	at       int    // offset of the value
}

func (f field) same(g field) bool {
	return f.standing == g.standing && f.value == g.value && slices.Equal(f.path, g.path)
}

// Found is what a file says about a path, with the place of the field that decides it.
type Found struct {
	Standing Standing
	Value    string // for a Literal: its text, without quotes and with escapes resolved
	Line     int    // 1-based; 0 if the file says nothing
}

// ParseHOCON reads a file. It returns a *SyntaxError if the text is not valid HOCON.
func ParseHOCON(src []byte) (*HOCON, error) {
	if err := refuseUTF16(src); err != nil {
		return nil, err
	}
	src = bytes.Clone(src)
	fields, closing, err := parseHOCON(src)
	if err != nil {
		return nil, err
	}
	return &HOCON{src, fields, closing}, nil
}

// Bytes returns the current content of the file.
func (h *HOCON) Bytes() []byte { return bytes.Clone(h.src) }

// Find returns what the file says about a path, which is names separated by dots.
func (h *HOCON) Find(path string) Found { return h.find(strings.Split(path, ".")) }

// find merges the fields in order, as the library does: the last one that concerns the path decides.
func (h *HOCON) find(path []string) (found Found) {
	at := -1 // offset of the field that decides
	for _, f := range h.fields {
		n := min(len(f.path), len(path))
		if !slices.Equal(f.path[:n], path[:n]) {
			continue
		}
		standing, value := f.standing, f.value
		switch above, below := len(f.path) < len(path), len(f.path) > len(path); {
		case above && standing == Object:
			continue // it is merged with what was set before
		case above && (standing == Unknown || standing == included):
			standing, value = Unknown, ""
		case above:
			standing, value = Absent, "" // it replaces everything below it
		case below || standing == included:
			standing, value = Object, ""
		}
		found, at = Found{Standing: standing, Value: value}, f.at
	}
	if at >= 0 {
		found.Line = lineAt(h.src, at)
	}
	return found
}

// Append adds the line "path = value" at the end of the file, or before the brace that closes the root. There it
// overrides everything before it. If the path already has that value, nothing is changed.
//
// Append returns an error if it would replace other settings: the path is an object, or something above it is not an
// object. It also returns an error if the line does not read as that path with that value, because a name or the value
// would need quotes.
func (h *HOCON) Append(path, value string) error {
	keys := strings.Split(path, ".")
	for n := 1; n < len(keys); n++ {
		if above := h.find(keys[:n]); above.Standing == Literal || above.Standing == Array {
			return fmt.Errorf("append %s: line %d gives %s a value, so nothing can be set below it",
				path, above.Line, strings.Join(keys[:n], "."))
		}
	}
	switch found := h.find(keys); {
	case found.Standing == Object:
		return fmt.Errorf("append %s: line %d has settings below it, which a value would replace", path, found.Line)
	case found.Standing == Literal && found.Value == value:
		return nil
	}
	want := append(slices.Clip(h.fields), field{path: keys, standing: Literal, value: value})
	src := h.withLine(path + " = " + value)
	fields, closing, err := parseHOCON(src)
	if err != nil || !slices.EqualFunc(fields, want, field.same) {
		return fmt.Errorf("append %s: %w", path, errSpoils)
	}
	h.src, h.fields, h.closing = src, fields, closing
	return nil
}

// errSpoils means that an edited file, read again, does not say what was intended.
var errSpoils = errors.New("the file cannot be edited without changing other settings")

// withLine returns the file with one more line at the end of the root.
func (h *HOCON) withLine(line string) []byte {
	at, newline := len(h.src), "\n"
	if h.closing >= 0 {
		at = h.closing
	}
	if bytes.Contains(h.src, []byte("\r\n")) {
		newline = "\r\n"
	}
	line += newline
	if start := bytes.LastIndexByte(h.src[:at], '\n') + 1; len(bytes.Trim(h.src[start:at], " \t")) == 0 {
		at = start
	} else {
		line = newline + line
	}
	return splice(h.src, at, at, line)
}
