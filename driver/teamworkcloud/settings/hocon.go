package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// HOCON is a file of settings in Human-Optimized Config Object Notation, read as Lightbend's library reads it: later
// values win over earlier ones, objects are merged, a key may be a path, and the root may do without braces.
//
// Included files are not opened, and ${...} is not replaced: a value that may depend on either is Unknown. An object
// joined to an array or to a text, which the library takes in some cases, is refused.
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
	Null                     // null: the reading program takes it for absent
	Object                   // there are settings below it
	Array                    // its elements cannot be named by a path
	Unknown                  // it depends on ${...}, on an included file, or on what += adds to
	included                 // a field only: an included file may set anything below the path
)

// field is one thing that a file says about a path. The fields in the order of the file say everything.
type field struct {
	path     []string // from the root
	standing Standing
	value    string // of a Literal: as the reading program gets it
	at       int    // offset of the value
}

func (f field) same(g field) bool {
	return f.standing == g.standing && f.value == g.value && slices.Equal(f.path, g.path)
}

// Found is what a file says about a path, and where the field stands that decides it.
type Found struct {
	Standing Standing
	Value    string // of a Literal: its text, without quotes and with escapes resolved
	Line     int    // 1-based; 0 if the file says nothing
}

// ParseHOCON reads a file. Text that is not valid HOCON is refused with a *SyntaxError.
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

// Bytes is the file as it is now.
func (h *HOCON) Bytes() []byte { return bytes.Clone(h.src) }

// Find is what the file says about a path: names with dots between them.
func (h *HOCON) Find(path string) Found { return h.find(strings.Split(path, ".")) }

// find merges the fields from first to last, as the library does: whichever concerns the path last decides.
func (h *HOCON) find(path []string) (found Found) {
	at := -1 // of the field that decides
	for _, f := range h.fields {
		n := min(len(f.path), len(path))
		if !slices.Equal(f.path[:n], path[:n]) {
			continue
		}
		standing, value := f.standing, f.value
		switch above, below := len(f.path) < len(path), len(f.path) > len(path); {
		case above && standing == Object:
			continue // it is merged with what was there before
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

// Append adds the line "path = value" to the end of the file, or before the brace that closes the root: there it
// wins over everything before it. If the path has that value already, nothing is changed.
//
// It is refused where it would replace other settings: where the path is an object, or something above it is none;
// and where the line does not read as that path with that value, since a name or the value needs quotes.
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

// errSpoils: an edit is read again before it counts, and this one would say something else than was meant.
var errSpoils = errors.New("the file cannot be edited without changing other settings")

// withLine is the file with one more line where the root ends.
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
