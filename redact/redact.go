// Package redact takes secrets out of text: as they are, and however programs on the way have encoded them.
//
// A text is decoded in layers: percent encoding, escapes with backslashes, HTML entities, hexadecimal, base64, lists
// of numbers, UTF-16, each in every spelling and wherever it begins, one inside of the other. Each layer remembers
// where its bytes come from, so that what is found in it is taken out of the text itself.
//
// Bounds: other encodings inside each other are decoded four deep, and escapes as often as they can be, at most eight
// times. In secrets of at least 8 bytes, letters beyond ASCII are recognised in another case, decomposed, in Latin-1,
// and read wrongly as that. What was compressed, encrypted, hashed or taken apart is not recognised, nor another case
// of secrets shorter than 8 bytes. Of a secret that was cut off at its end, and is marked so by "…", the beginning is
// taken out, however it is encoded. A text that would take too long to be looked through is taken out whole. A text of
// more than 2 MiB is looked through in stretches, in which a secret is found if its encoding makes it no more than
// 1,000 times longer.
package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// MinLength is the length in bytes below which a secret is not looked for: it would be found everywhere.
const MinLength = 4

// minLine is the length from which a line of a secret that has several is a secret by itself, so is what a secret
// decodes to, and a secret is recognised in another case.
const minLine = 2 * MinLength

// Set is the secrets that are taken out. It may be used by several goroutines. nil has none.
type Set struct {
	instead string
	index   map[uint32][]pattern // by the keys of their beginnings, sorted
	filter  [1 << 10]uint64      // says fast which four bytes begin no secret
	longest int
	weight  int // of all patterns
}

// mostWeight bounds the memory of a set: two million patterns, or 256 MiB of them. Beyond it nothing is shown.
const mostWeight = 1 << 21

// Full reports whether there are too many secrets to look for. Then all of every text is taken out.
func (s *Set) Full() bool { return s != nil && s.weight > mostWeight }

// pattern is what is looked for.
type pattern struct {
	text string
	line bool // of a longer secret. The last lines of a private key also stand in its certificate, broken elsewhere.
}

// New makes a set. instead takes the place of a secret in a text. Of a secret with several lines each is a secret too,
// but for short ones and the frames of PEM, as programs print line by line.
func New(instead string, secrets ...string) *Set {
	s := &Set{instead: instead, index: map[uint32][]pattern{}}
	for _, secret := range secrets {
		s.add(secret, false)
		if !strings.Contains(secret, "\n") {
			continue
		}
		var joined strings.Builder
		for line := range strings.SplitSeq(secret, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "-----") {
				continue
			}
			if len(line) >= minLine {
				s.add(line, true)
			}
			joined.WriteString(line)
		}
		s.add(joined.String(), false)
	}
	for key, bucket := range s.index {
		slices.SortFunc(bucket, pattern.order)
		s.index[key] = slices.Compact(bucket)
	}
	return s
}

// add takes in a secret, and what is left of it where text is decoded as far as it can be, where spaces are joined,
// where bytes that are not UTF-8 are replaced, and where quotes are doubled.
func (s *Set) add(secret string, line bool) {
	if strings.TrimSpace(secret) == "" || s.Full() {
		return
	}
	decoded := &layer{b: []byte(secret)}
	for range mostEscapes {
		next := decoded.unescape(allEscapes)
		if next == nil {
			break
		}
		decoded = next
	}
	forms := []string{secret, strings.Join(strings.Fields(secret), " "), string([]rune(secret)),
		doubled(secret, "'"), doubled(secret, `"`)} // as in SQL, in YAML and in CSV
	if len(decoded.b) >= minLine {
		forms = append(forms, string(decoded.b))
	}
	if len(secret) >= minLine {
		forms = append(forms, beyondASCII(secret)...)
	}
	for i, form := range forms {
		if len(form) < MinLength || strings.TrimSpace(form) == "" || slices.Contains(forms[:i], form) {
			continue
		}
		s.put(pattern{form, line})
		if len(form) < minLine {
			continue
		}
		for before := range 3 { // as base64 it is decoded, unless its case was changed
			usual, inURL := inBase64(base64.RawStdEncoding, form, before), inBase64(base64.RawURLEncoding, form, before)
			s.put(pattern{usual, line})
			if inURL != usual {
				s.put(pattern{inURL, line})
			}
		}
	}
}

// doubled returns a text with all of the quotes within it doubled. One at an end is found without.
func doubled(text, quote string) string {
	end := max(1, len(text)-1)
	return text[:1] + strings.ReplaceAll(text[1:end], quote, quote+quote) + text[end:]
}

// beyondASCII returns how programs write a text with other letters than those of ASCII: in another case, decomposed
// or composed, as Latin-1 or Windows-1252, and as UTF-8 that was taken for one of these.
func beyondASCII(text string) []string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return nil
	}
	forms := []string{strings.ToUpper(text), strings.ToLower(text), norm.NFD.String(text), norm.NFC.String(text)}
	for _, set := range []*charmap.Charmap{charmap.ISO8859_1, charmap.Windows1252} {
		if in, err := set.NewEncoder().String(text); err == nil {
			forms = append(forms, in, string([]rune(in))) // which is not UTF-8, and may be mended
		}
		if taken, err := set.NewDecoder().String(text); err == nil {
			forms = append(forms, taken)
		}
	}
	return forms
}

func (s *Set) put(p pattern) {
	if s.weight += 1 + len(p.text)>>7; s.Full() {
		s.index = nil
		return
	}
	key := keyOf([]byte(p.text))
	s.index[key] = append(s.index[key], p)
	at := hash(key)
	s.filter[at>>6] |= 1 << (at & 63)
	s.longest = max(s.longest, len(p.text))
}

// inBase64 returns the characters that encode nothing but the secret, if so many bytes stand before it.
func inBase64(encoding *base64.Encoding, secret string, before int) string {
	text := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	return text[(8*before+5)/6 : 8*(before+len(secret))/6]
}

// keyOf is the first four bytes of a secret or of what may be one, the same in another case.
func keyOf(b []byte) uint32 { return binary.LittleEndian.Uint32(b) | 0x20202020 }

// fold returns a letter of ASCII in lower case.
func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// order sorts patterns by their letters in any case, and then by all else.
func (p pattern) order(q pattern) int {
	for i := range min(len(p.text), len(q.text)) {
		if x, y := fold(p.text[i]), fold(q.text[i]); x != y {
			return int(x) - int(y)
		}
	}
	switch {
	case len(p.text) != len(q.text):
		return len(p.text) - len(q.text)
	case p.line != q.line && q.line:
		return -1
	case p.line != q.line:
		return 1
	}
	return strings.Compare(p.text, q.text)
}

// like tells whether a text, which is the same in any case, is the beginning of what is looked for. Another case
// counts if that is long.
func (p pattern) like(b []byte) bool { return len(p.text) >= minLine || p.text[:len(b)] == string(b) }

func hash(key uint32) uint32 { return key * 0x9e3779b1 >> 16 }

// String is the text without the secrets.
func (s *Set) String(text string) string {
	spans := s.Spans(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, span := range spans {
		b.WriteString(text[at:span.From] + s.instead)
		at = span.To
	}
	b.WriteString(text[at:])
	return b.String()
}

// Span is the bytes of a text from From up to To.
type Span struct{ From, To int }

// Spans are where the secrets stand in the text, sorted, and apart from each other.
func (s *Set) Spans(text string) []Span {
	if s.Full() && text != "" {
		return []Span{{0, len(text)}}
	}
	if s == nil || len(s.index) == 0 || len(text) < MinLength {
		return nil
	}
	overlap := max(leastOverlap, mostGrowth*s.longest)
	return s.stretches(text, 4*overlap, overlap)
}

const (
	leastOverlap = 512 << 10
	mostGrowth   = 1 << 10 // how much longer an encoding may make a secret in a text that is looked through in stretches
)

// stretches looks through a text in stretches of a size, because what it decodes to takes many times its memory. They
// overlap, so that what is not longer than that stands whole in one of them.
func (s *Set) stretches(text string, size, overlap int) []Span {
	var found []Span
	for from := 0; ; from += size - overlap {
		to := min(from+size, len(text))
		for _, span := range s.find(text[from:to]) {
			found = append(found, Span{from + span.From, from + span.To})
		}
		if to == len(text) {
			return joined(found)
		}
	}
}

// find looks through a text as a whole.
func (s *Set) find(text string) []Span {
	f := &finder{set: s, text: text, seen: map[uint64]int{}, work: mostWork(len(text)), compare: mostCompared(len(text)),
		room: make([]byte, 0, len(text))}
	f.find(&layer{b: []byte(text)})
	if f.compare < 0 || f.work < 0 {
		return []Span{{0, len(text)}}
	}
	return f.spans
}

// joined sorts spans, and joins those that overlap.
func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int {
		if a.From != b.From {
			return a.From - b.From
		}
		return b.To - a.To
	})
	var out []Span
	for _, span := range spans {
		if n := len(out); n > 0 && span.From < out[n-1].To {
			out[n-1].To = max(out[n-1].To, span.To)
			continue
		}
		out = append(out, span)
	}
	return out
}

// mayBegin tells whether a secret may begin so; only if it does not, that is certain.
func (s *Set) mayBegin(key uint32) bool {
	at := hash(key)
	return s.filter[at>>6]&(1<<(at&63)) != 0
}

// mayHold tells whether there may be a secret in bytes that were decoded, or a text or UTF-16 that encodes one. Words
// are base64 too, and what they decode to holds nothing.
func (s *Set) mayHold(b []byte) bool {
	for i := 0; i < len(b); {
		end := textEnd(b, i)
		if end-i >= minEncoded {
			return true
		}
		i = end + 1
	}
	for i := range max(0, len(b)-2) {
		if b[i] == 0 && b[i+2] == 0 || i+MinLength <= len(b) && s.mayBegin(keyOf(b[i:])) {
			return true
		}
	}
	return false
}

// note notes a secret. Most overlap the last one, if they repeat themselves.
func (f *finder) note(from, to int) {
	if n := len(f.spans); n > 0 && from >= f.spans[n-1].From && from < f.spans[n-1].To {
		f.spans[n-1].To = max(f.spans[n-1].To, to)
		return
	}
	f.spans = append(f.spans, Span{from, to})
}

// begun finds the longest pattern that a text begins with, and those that begin with the whole text and are longer. It
// narrows sorted patterns byte by byte, as many may begin alike.
func (f *finder) begun(patterns []pattern, b []byte, joined bool) (longest int, longer []pattern) {
	for at := 0; f.compare >= 0; at++ {
		for len(patterns) > 0 && len(patterns[0].text) == at {
			if p := patterns[0]; !(p.line && joined) && p.like(b[:at]) {
				longest = at
			}
			f.compare--
			patterns = patterns[1:]
		}
		if len(patterns) == 0 || at == len(b) {
			return longest, patterns
		}
		c, last := fold(b[at]), len(patterns)-1
		f.compare--
		if fold(patterns[0].text[at]) == c && fold(patterns[last].text[at]) == c {
			continue
		}
		f.compare -= 2 * bits.Len(uint(last)) // #nosec G115 -- it is not negative
		from := sort.Search(len(patterns), func(i int) bool { return fold(patterns[i].text[at]) >= c })
		to := sort.Search(len(patterns), func(i int) bool { return fold(patterns[i].text[at]) > c })
		patterns = patterns[from:to]
	}
	return longest, nil
}

// match finds the secrets in a layer.
func (f *finder) match(l *layer) {
	for i := 0; i+MinLength <= len(l.b) && f.compare >= 0; i++ {
		key := keyOf(l.b[i:])
		if !f.set.mayBegin(key) {
			continue
		}
		if n, _ := f.begun(f.set.index[key], l.b[i:], l.joined); n > 0 { // the others lie inside of the longest
			f.note(l.from(i), l.to(i+n-1))
		}
	}
}

// matchCut finds the beginnings of secrets whose ends were cut off. What is left of an encoded character is taken out,
// too.
func (f *finder) matchCut(l *layer) {
	at := 0
	for {
		end := bytes.Index(l.b[at:], []byte(cutOff))
		if end < 0 {
			return
		}
		end += at
		for i := max(at, end-f.set.longest); i+MinLength <= end && f.compare >= 0; i++ {
			key := keyOf(l.b[i:])
			if !f.set.mayBegin(key) {
				continue
			}
			n, longer := f.begun(f.set.index[key], l.b[i:end], false)
			if n == end-i || slices.ContainsFunc(longer, func(p pattern) bool { f.compare--; return p.like(l.b[i:end]) }) {
				to := l.to(end + len(cutOff) - 1)
				if strings.HasSuffix(f.text[:to], cutOff) {
					to -= len(cutOff)
				} // else the mark is encoded, too: it is taken out with the rest
				f.note(l.from(i), max(l.to(end-1), to))
			}
		}
		at = end + len(cutOff)
	}
}
