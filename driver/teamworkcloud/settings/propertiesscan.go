package settings

import (
	"bytes"
	"unicode/utf16"
)

// This file does what java.util.Properties does to a file, according to its documentation. What that leaves open (a
// backslash at the end of the file, a line with only a backslash) follows OpenJDK 17, with which the tests compare.

// entry is one key with its value. Offsets are in bytes of the file.
type entry struct {
	key, value string
	line       int // line of the key's first character
	start      int // start of the line
	keyAt      int // first character of the key
	keyEnd     int // after the key, where separator and value begin
	valueAt    int // after the separator; keyEnd if there is none
	end        int // after the value, where the line ending is
	next       int // start of the next line
}

// comment is one line that Java ignores.
type comment struct {
	start, end, next int // as in entry
}

// logical is what Java considers one line: a line that ends in a backslash continues on the next.
type logical struct {
	start, end, next int
	text             []byte // without those backslashes and the blanks at the beginning of continued lines
	at               []int  // offset in the file of each byte of text
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }
func isEnd(c byte) bool   { return c == '\n' || c == '\r' }

// behindEnd returns the offset after the line ending at i; \r\n is one line ending.
func behindEnd(src []byte, i int) int {
	if i < len(src) && src[i] == '\r' && i+1 < len(src) && src[i+1] == '\n' {
		return i + 2
	}
	return min(i+1, len(src))
}

// scanProperties reads a whole file.
func scanProperties(src []byte) ([]entry, []comment, error) {
	var entries []entry
	var comments []comment
	lines := lineCounter{src: src, line: 1}
	for at := 0; ; {
		l, seen, ok := nextLogical(src, at)
		comments = append(comments, seen...)
		if !ok {
			return entries, comments, nil
		}
		e, bad := l.entry()
		if bad >= 0 {
			line, column := lines.position(l.at[bad])
			return nil, nil, &SyntaxError{line, column,
				`\u is not followed by four hexadecimal digits, so Java refuses the whole file; a backslash is written \\`}
		}
		e.line, _ = lines.position(e.keyAt)
		entries = append(entries, e)
		at = l.next
	}
}

// lineCounter converts offsets to lines. Offsets must be asked for in ascending order.
type lineCounter struct {
	src             []byte
	at, line, start int
}

func (c *lineCounter) position(offset int) (line, column int) {
	for c.at < offset {
		if !isEnd(c.src[c.at]) {
			c.at++
			continue
		}
		next := behindEnd(c.src, c.at)
		if next > offset {
			break
		}
		c.at, c.start = next, next
		c.line++
	}
	return c.line, offset - c.start + 1
}

// nextLogical reads from the start of a line: the comments that come first, and the logical line after them.
func nextLogical(src []byte, i int) (l logical, comments []comment, ok bool) {
	l.start = i
	skip, continued, backslash := true, false, false
	for i < len(src) {
		c := src[i]
		if skip {
			if isBlank(c) {
				i++
				continue
			}
			if !continued && isEnd(c) {
				i = behindEnd(src, i)
				l.start = i
				continue
			}
			skip, continued = false, false
		}
		if len(l.text) == 0 && (c == '#' || c == '!') {
			end := i
			for end < len(src) && !isEnd(src[end]) {
				end++
			}
			i = behindEnd(src, end)
			comments = append(comments, comment{l.start, end, i})
			l.start, skip = i, true
			continue
		}
		if !isEnd(c) {
			l.text, l.at = append(l.text, c), append(l.at, i)
			backslash = c == '\\' && !backslash
			i++
			continue
		}
		end := i
		if len(l.text) == 0 {
			i = behindEnd(src, i)
			l.start, skip = i, true
			continue
		}
		if !backslash || i+1 >= len(src) {
			return l.done(end, behindEnd(src, i), backslash), comments, true
		}
		l = l.done(end, 0, true)
		i = behindEnd(src, i)
		if len(l.text) == 0 {
			l.start = i // the line before has nothing, so edits at its start belong to the line that follows
		}
		skip, continued, backslash = true, true, false
	}
	if skip && continued {
		return l.done(l.end, i, false), comments, len(l.text) > 0 // the file ends after a backslash at the end of a line
	}
	return l.done(i, i, backslash), comments, len(l.text) > 0
}

// done completes a logical line, without the backslash that may be its last byte.
func (l logical) done(end, next int, backslash bool) logical {
	l.end, l.next = end, next
	if backslash {
		l.text, l.at = l.text[:len(l.text)-1], l.at[:len(l.at)-1]
	}
	return l
}

// entry splits a logical line. bad is the index in the text of an escape that Java refuses, or -1 if there is none.
func (l logical) entry() (e entry, bad int) {
	keyLen, valueFrom := split(l.text)
	// at returns where byte n of the text is in the file; for the first byte after a part, it returns where the part
	// ends.
	at := func(n int) int {
		switch {
		case n > 0:
			return l.at[n-1] + 1
		case len(l.at) > 0:
			return l.at[0]
		}
		return l.end
	}
	e = entry{start: l.start, keyAt: at(0), keyEnd: at(keyLen), valueAt: at(valueFrom), end: l.end, next: l.next}
	if valueFrom < len(l.text) {
		e.valueAt = l.at[valueFrom]
	}
	if e.key, bad = unescape(l.text[:keyLen]); bad >= 0 {
		return e, bad
	}
	if e.value, bad = unescape(l.text[valueFrom:]); bad >= 0 {
		return e, bad + valueFrom
	}
	return e, -1
}

// split returns the end of the key and the start of the value.
func split(text []byte) (keyLen, valueFrom int) {
	backslash, separated := false, false
	for keyLen < len(text) {
		c := text[keyLen]
		if !backslash && (c == '=' || c == ':' || isBlank(c)) {
			break
		}
		backslash = c == '\\' && !backslash
		keyLen++
	}
	for valueFrom = keyLen; valueFrom < len(text); valueFrom++ {
		c := text[valueFrom]
		if isBlank(c) {
			continue
		}
		if separated || c != '=' && c != ':' {
			break
		}
		separated = true
	}
	return keyLen, valueFrom
}

// unescape reads ISO 8859-1 with Java's escapes. bad is the index of a malformed one, or -1 if there is none. Half of
// a surrogate pair, which Go's strings cannot hold, becomes U+FFFD.
func unescape(text []byte) (s string, bad int) {
	units := make([]uint16, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			units = append(units, uint16(c))
			continue
		}
		i++
		switch c = text[i]; c {
		case 'u':
			if len(text)-i < 5 {
				return "", i - 1
			}
			var unit uint16
			for _, digit := range text[i+1 : i+5] {
				n := bytes.IndexByte([]byte("0123456789abcdef"), digit|0x20)
				if n < 0 || digit < '0' {
					return "", i - 1
				}
				unit = unit<<4 | uint16(n)
			}
			units = append(units, unit)
			i += 4
		case 't':
			units = append(units, '\t')
		case 'n':
			units = append(units, '\n')
		case 'r':
			units = append(units, '\r')
		case 'f':
			units = append(units, '\f')
		default:
			units = append(units, uint16(c))
		}
	}
	return string(utf16.Decode(units)), -1
}
