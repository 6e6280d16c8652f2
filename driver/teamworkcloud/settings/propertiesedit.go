package settings

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// replaced is the edit that gives entry i a value.
func (p *Properties) replaced(i int, value string) []byte {
	e := p.entries[i]
	separator := string(p.src[e.keyEnd:e.valueAt])
	switch {
	case separator == "":
		separator = "="
	case value == "":
		separator, _, _ = strings.Cut(separator, `\`) // nothing continues in the next line
	}
	return splice(p.src, e.keyEnd, e.end, separator+escapeValue(value, strings.ContainsAny(separator, "=:")))
}

// added are the edits that add a key, the best one first.
func (p *Properties) added(key, value string) [][]byte {
	line := escapeKey(key) + "=" + escapeValue(value, true)
	edits := [][]byte{p.insert(len(p.src), line)}
	if n := len(p.entries); n > 0 {
		// Where the file ends in a backslash, a line at its end would be a part of the one before.
		edits = append(edits, p.insert(p.entries[n-1].start, line))
	}
	if at, indent, separator, ok := p.commentedOut(key); ok {
		beside := p.insert(at, indent+escapeKey(key)+separator+escapeValue(value, true))
		edits = append([][]byte{beside}, edits...)
	}
	return edits
}

// insert puts a line in before the one that begins at an offset. Behind a last line without an ending it is
// the last line, and has none.
func (p *Properties) insert(at int, line string) []byte {
	ending := p.ending(at)
	if at > 0 && !isEnd(p.src[at-1]) {
		return splice(p.src, at, at, ending+line)
	}
	return splice(p.src, at, at, line+ending)
}

// ending is the line ending used right before an offset, or where there is none, behind it.
func (p *Properties) ending(at int) string {
	before := bytes.LastIndexAny(p.src[:at], "\r\n")
	if before >= 0 {
		before++
		return string(p.src[beforeEnd(p.src, before):before])
	}
	if behind := bytes.IndexAny(p.src[at:], "\r\n"); behind >= 0 {
		return string(p.src[at+behind : behindEnd(p.src, at+behind)])
	}
	return "\n"
}

// commentedOut finds the comment that a key is commented out in, and gives the offset behind it, its indentation and
// its separator. Of several the last counts, and key=value more than key: value, which may be prose.
func (p *Properties) commentedOut(key string) (at int, indent, separator string, ok bool) {
	comments := p.comments
	if bytes.HasPrefix(p.src, byteOrderMark) && len(p.entries) > 0 && p.entries[0].keyAt == 0 {
		// To people the first line is a comment, to Java a key.
		comments = append([]comment{{len(byteOrderMark), p.entries[0].end, p.entries[0].next}}, comments...)
	}
	certain := false
	for i, c := range comments {
		text := p.src[c.start:c.end]
		found, sep := commentedKey(text)
		if found != key || certain && !strings.Contains(sep, "=") {
			continue
		}
		certain = certain || strings.Contains(sep, "=")
		for endsInBackslash(p.src[c.start:c.end]) && i+1 < len(comments) && comments[i+1].start == c.next {
			i++
			c = comments[i] // the rest of the value, commented out as well
		}
		if ok = true; !strings.Contains(sep, "=") {
			sep = "="
		}
		at, separator = c.next, sep
		indent = string(text[:len(text)-len(bytes.TrimLeft(text, " \t\f"))])
	}
	return at, indent, separator, ok
}

// commentedKey reads a comment as the setting that it would be without its marks; key is "" if it is none.
func commentedKey(text []byte) (key, separator string) {
	rest := bytes.TrimLeft(text, " \t\f")
	if len(rest) == 0 || rest[0] != '#' && rest[0] != '!' {
		return "", ""
	}
	rest = bytes.TrimLeft(rest, "#! \t\f")
	keyLen, valueFrom := split(rest)
	separator = string(rest[keyLen:valueFrom])
	key, bad := unescape(rest[:keyLen])
	if bad >= 0 || !strings.ContainsAny(separator, "=:") {
		return "", ""
	}
	return key, separator
}

func endsInBackslash(text []byte) bool {
	return (len(text)-len(bytes.TrimRight(text, `\`)))%2 == 1
}

// escapeKey writes a key so that Java reads it.
func escapeKey(key string) string {
	var b strings.Builder
	for i, r := range key {
		if strings.ContainsRune(" =:", r) || i == 0 && strings.ContainsRune("#!", r) {
			b.WriteByte('\\')
			b.WriteRune(r)
			continue
		}
		escapeRune(&b, r)
	}
	return b.String()
}

// escapeValue writes a value so that Java reads it behind a separator. Behind one of blanks alone, the first = or :
// would be taken for the separator. Blanks at the end stay as they are: they belong to the value.
func escapeValue(value string, separated bool) string {
	var b strings.Builder
	for i, r := range value {
		if i == 0 && (r == ' ' || !separated && (r == '=' || r == ':')) {
			b.WriteByte('\\')
			b.WriteRune(r)
			continue
		}
		escapeRune(&b, r)
	}
	return b.String()
}

func escapeRune(b *strings.Builder, r rune) {
	switch {
	case r == '\\':
		b.WriteString(`\\`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\f':
		b.WriteString(`\f`)
	case r >= ' ' && r <= '~':
		b.WriteRune(r)
	default:
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(b, `\u%04X`, unit)
		}
	}
}
