package settings

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// replaced returns the file with another value for entry i.
func (p *Properties) replaced(i int, value string) []byte {
	e := p.entries[i]
	separator := string(p.src[e.keyEnd:e.valueAt])
	switch {
	case separator == "":
		separator = "="
	case value == "":
		separator, _, _ = strings.Cut(separator, `\`) // the value must not continue on the next line
	}
	return splice(p.src, e.keyEnd, e.end, separator+escapeValue(value, strings.ContainsAny(separator, "=:")))
}

// added returns possible edits that add a key, the best one first.
func (p *Properties) added(key, value string) [][]byte {
	line := escapeKey(key) + "=" + escapeValue(value, true)
	edits := [][]byte{p.insert(len(p.src), line)}
	if n := len(p.entries); n > 0 {
		// If the file ends in a backslash, a line added at its end would become part of the line before.
		edits = append(edits, p.insert(p.entries[n-1].start, line))
	}
	if at, indent, separator, ok := p.commentedOut(key); ok {
		beside := p.insert(at, indent+escapeKey(key)+separator+escapeValue(value, true))
		edits = append([][]byte{beside}, edits...)
	}
	return edits
}

// insert inserts a line before the one that begins at an offset. After a last line without an ending, it becomes the
// last line and has none either.
func (p *Properties) insert(at int, line string) []byte {
	ending := p.ending(at)
	if at > 0 && !isEnd(p.src[at-1]) {
		return splice(p.src, at, at, ending+line)
	}
	return splice(p.src, at, at, line+ending)
}

// ending returns the line ending used right before an offset, or else after it.
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

// commentedOut finds the comment in which a key is commented out. It returns the offset after it, its indentation and
// its separator. If there are several, the last one counts, but key=value is preferred to key: value, which may be
// prose.
func (p *Properties) commentedOut(key string) (at int, indent, separator string, ok bool) {
	comments := p.comments
	if bytes.HasPrefix(p.src, byteOrderMark) && len(p.entries) > 0 && p.entries[0].keyAt == 0 {
		// For people the first line is a comment, for Java it is a key.
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
			c = comments[i] // the rest of the value is commented out as well
		}
		if ok = true; !strings.Contains(sep, "=") {
			sep = "="
		}
		at, separator = c.next, sep
		indent = string(text[:len(text)-len(bytes.TrimLeft(text, " \t\f"))])
	}
	return at, indent, separator, ok
}

// commentedKey reads a comment as the setting that it would be without comment marks. key is "" if it would not be
// one.
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

// escapeKey escapes a key for Java.
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

// escapeValue escapes a value for Java after a separator. After a separator of only blanks, a leading = or : would be
// taken for the separator. Blanks at the end are kept, because they belong to the value.
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
