package printable

import (
	"bytes"
	"fmt"
	"strings"
)

// Bounds limits a JSON document that somebody else has written: a value of two bytes, such as {}, takes hundreds of
// bytes in memory once it is decoded.
type Bounds struct {
	Values int // maximum number of opening braces and brackets, commas and colons, whatever the length
	Each   int // a document may have more of them if it has so many bytes for each; 0: it may not
	// Objects is the maximum number of opening braces alone, whatever the length: an object takes the memory of all its
	// members, also of those that it leaves out. 0: as many as values.
	Objects int
	// EachObject is how many bytes a document must have for each object if it has more than a quarter of the maximum.
	EachObject int
	Depth      int // maximum nesting of objects and lists
	Text       int // maximum length of one text or number, in bytes
}

// Documents are the bounds for plans, journals and other documents of programs like this one. A step of a plan has
// about 60 values, in five to eleven objects, and at least 18 bytes for each value. A declaration without changes has
// eight objects, with 91 bytes each, and 46 values, with 16. A step that is {} takes 1900 bytes in memory while it is
// read.
var Documents = Bounds{Values: 2_000_000, Each: 12, Objects: 1_000_000, EachObject: 64, Depth: 100, Text: 16 << 20}

// Times returns the bounds of a document that may hold so many times as much.
func (b Bounds) Times(n int) Bounds {
	b.Values *= n
	b.Objects *= n
	return b
}

// Check reports, without decoding it, whether one or more documents are within the bounds. The error reads like a
// sentence whose subject, the document, is missing. Anything that does not begin like JSON passes.
func (b Bounds) Check(body []byte) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 || !strings.ContainsRune(`{["`, rune(body[0])) {
		return nil
	}
	most := b.Values
	if b.Each > 0 {
		most = max(most, len(body)/b.Each)
	}
	mostObjects := b.Objects
	if b.EachObject > 0 {
		mostObjects = min(b.Objects, max(b.Objects/4, len(body)/b.EachObject))
	}
	values, objects, depth, begun := 0, 0, 0, 0 // begun: where the last text or number may have begun
	for i := 0; i <= len(body); i++ {
		if i-begun > b.Text {
			return fmt.Errorf("has a text or a number of more than %d bytes, from byte %d", b.Text, begun+1)
		}
		if i == len(body) {
			break
		}
		switch body[i] {
		case '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
			continue
		case ' ', '\t', '\r', '\n':
			begun = i + 1
			continue
		case '{', '[':
			if depth++; body[i] == '{' {
				objects++
			}
		case '}', ']':
			depth--
			begun = i + 1
			continue
		case ',', ':':
		default:
			continue
		}
		begun = i + 1
		if values++; values > most {
			return fmt.Errorf("has more than %d values (braces, brackets, commas and colons) in its first %d of "+
				"%d bytes", most, i+1, len(body))
		}
		if mostObjects > 0 && objects > mostObjects {
			return fmt.Errorf("has more than %d objects in its first %d of %d bytes", mostObjects, i+1, len(body))
		}
		if depth > b.Depth {
			return fmt.Errorf("nests objects and lists more than %d deep, at byte %d", b.Depth, i+1)
		}
	}
	return nil
}
