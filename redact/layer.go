package redact

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/syncctl/syncctl/lazyregexp"
)

// layer is a text, or what it decodes to, and where in the text each byte comes from.
type layer struct {
	b      []byte
	origin []span32 // of each byte; nil: it is the text itself
	joined bool     // lines were joined
	binary bool     // it may be anything, so that only what is text in it may be encoded again
	cuts   bool     // cutOff stands in it
}

type span32 struct{ from, to int32 }

func (l *layer) from(i int) int {
	if l.origin == nil {
		return i
	}
	return int(l.origin[i].from)
}

// to is where the byte ends in the text.
func (l *layer) to(i int) int {
	if l.origin == nil {
		return i + 1
	}
	return int(l.origin[i].to)
}

// put adds what the bytes from begin to end of another layer decode to.
func (l *layer) put(of *layer, begin, end int, decoded ...byte) {
	at := span32{int32(of.from(begin)), int32(of.to(end - 1))} // #nosec G115 -- no text has 2 GiB
	for _, b := range decoded {
		l.b = append(l.b, b)
		l.origin = append(l.origin, at)
	}
}

// keep adds bytes of another layer as they are.
func (l *layer) keep(of *layer, begin, end int) {
	l.b = append(l.b, of.b[begin:end]...)
	if of.origin != nil {
		l.origin = append(l.origin, of.origin[begin:end]...)
		return
	}
	for i := begin; i < end; i++ {
		l.origin = append(l.origin, span32{int32(of.from(i)), int32(of.to(i))}) // #nosec G115 -- see put
	}
}

// unlessEmpty returns the layer, or nil if it is empty. Most texts decode to nothing, which then takes no memory.
func (l *layer) unlessEmpty() *layer {
	if len(l.b) == 0 {
		return nil
	}
	kept := *l
	return &kept
}

func (l *layer) size(n int) { l.b, l.origin = make([]byte, 0, n), make([]span32, 0, n) }

// apart keeps what stands on both sides of it from being found as one.
var apart = []byte{0xff, 0}

func (l *layer) apart(of *layer, end int) {
	if len(l.b) > 0 {
		l.put(of, end-1, end, apart...)
	}
}

// cutOff marks where a text was cut off.
const cutOff = "…"

// cut adds the mark of a text that was cut off, if it stands at end. The bytes from begin on are what is left of an
// encoded one, and belong to the mark.
func (l *layer) cut(of *layer, begin, end int) {
	if of.isCut(end) {
		l.put(of, begin, end+len(cutOff), []byte(cutOff)...)
	}
}

// isCut reports whether the text was cut off at a byte.
func (l *layer) isCut(at int) bool { return l.cuts && bytes.HasPrefix(l.b[at:], []byte(cutOff)) }

// text is the parts of a layer that are text and long enough to be an encoded secret; nil: none.
func (l *layer) text() *layer {
	out := layer{cuts: l.cuts}
	for i := 0; i < len(l.b); {
		j := textEnd(l.b, i)
		for n := l.runeCut(j); n > 0; n = l.runeCut(j) {
			j = textEnd(l.b, j+n)
		}
		if j-i >= minEncoded {
			out.apart(l, j)
			out.keep(l, i, j)
		}
		i = j + 1
	}
	return out.unlessEmpty()
}

// textEnd is where the text that begins at i ends.
func textEnd(b []byte, i int) int {
	for i < len(b) {
		if inText[b[i]] {
			i++
			continue
		}
		if !utf8.RuneStart(b[i]) || i+1 == len(b) || utf8.RuneStart(b[i+1]) { // usual where there is no text
			break
		}
		_, n := utf8.DecodeRune(b[i:])
		if n == 1 {
			break
		}
		i += n
	}
	return i
}

// inText holds the characters of ASCII that stand in texts.
var inText = func() (in [256]bool) {
	for c := range byte(0x7f) {
		in[c] = c >= ' ' || c == '\n' || c == '\r' || c == '\t'
	}
	return in
}()

// runeCut returns the length of a character of UTF-8 that was cut off. 0: none was.
func (l *layer) runeCut(at int) int {
	if !l.cuts || at == len(l.b) || l.b[at] < utf8.RuneSelf {
		return 0
	}
	b := l.b[at:min(at+utf8.UTFMax-1+len(cutOff), len(l.b))]
	return max(0, bytes.Index(b, []byte(cutOff)))
}

// escapes are kinds of escapes in a text.
type escapes int

const (
	percent   escapes = 1 << iota // %41, %u0041
	backslash                     // \u0041, \x41, \101, \n, \" and a quoted quote in a shell
	entity                        // &amp; &#65; &#x41;
	plus                          // + for a space

	allEscapes = percent | backslash | entity
)

// escapes are the kinds of which there may be one.
func (l *layer) escapes() escapes {
	var has escapes
	for i, c := range []byte(`%\&+`) { // in the order of the kinds
		if bytes.IndexByte(l.b, c) >= 0 {
			has |= 1 << i
		}
	}
	return has
}

// unescape decodes escapes of the kinds, once. nil: there are none.
func (l *layer) unescape(kinds escapes) *layer {
	if l.escapes()&kinds == 0 {
		return nil
	}
	var out *layer
	kept := 0
	for i := 0; i < len(l.b); i++ {
		var decoded string
		n := 0
		switch c := l.b[i]; {
		case l.cuts && kinds.begin(c) && brokenOff(l.b[i:]) > 0:
			decoded, n = cutOff, brokenOff(l.b[i:])+len(cutOff)
		case c == '%' && kinds&percent != 0:
			decoded, n = unpercent(l.b[i:])
		case c == '\\' && kinds&backslash != 0:
			decoded, n = unbackslash(l.b[i:])
		case c == '\'' && kinds&backslash != 0:
			if strings.HasPrefix(string(l.b[i:min(i+4, len(l.b))]), `'\''`) {
				decoded, n = "'", 4
			}
		case c == '&' && kinds&entity != 0:
			decoded, n = unentity(l.b[i:])
		case c == '+' && kinds&plus != 0:
			decoded, n = " ", 1
		}
		if n == 0 {
			continue
		}
		if out == nil {
			out = &layer{}
			out.size(len(l.b))
		}
		out.keep(l, kept, i)
		out.put(l, i, i+n, []byte(decoded)...)
		kept = i + n
		i = kept - 1
	}
	if out != nil {
		out.keep(l, kept, len(l.b))
	}
	return out
}

// begin reports whether an escape of the kinds may begin with a character.
func (kinds escapes) begin(c byte) bool {
	return c == '%' && kinds&percent != 0 || c == '\\' && kinds&backslash != 0 || c == '&' && kinds&entity != 0
}

// incomplete is an escape that is not whole, or may be the beginning of a longer one.
var incomplete = lazyregexp.New(`^(?:%(?:[0-9a-fA-F]?|[uU][0-9a-fA-F]{0,3})` +
	`|\\(?:|[0-3][0-7]?|[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|u\{[0-9a-fA-F]{0,6})` +
	`|&(?:|#[0-9]*|#[xX][0-9a-fA-F]*|[a-zA-Z][0-9a-zA-Z]*))$`)

// brokenOff returns the length of an escape that was cut off. 0: it was not.
func brokenOff(b []byte) int {
	end := bytes.Index(b[:min(len(b), longestEntity+len(cutOff))], []byte(cutOff))
	if end < 0 || !incomplete.Match(b[:end]) {
		return 0
	}
	return end
}

// number reads so many digits.
func number(b []byte, digits, base int) (rune, bool) {
	if len(b) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:digits]), base, 31)
	return rune(n), err == nil // #nosec G115 -- it has 31 bits
}

func unpercent(b []byte) (string, int) {
	if len(b) > 1 && (b[1] == 'u' || b[1] == 'U') {
		if r, ok := number(b[2:], 4, 16); ok {
			return string(r), 6
		}
	}
	if r, ok := number(b[1:], 2, 16); ok {
		return string([]byte{byte(r)}), 3
	}
	return "", 0
}

var oneLetter = map[byte]string{
	'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f", 'a': "\a", 'v': "\v", 'e': "\x1b",
}

func unbackslash(b []byte) (string, int) {
	if len(b) < 2 {
		return "", 0
	}
	switch b[1] {
	case 'u':
		return unicodeEscape(b)
	case 'U':
		if r, ok := number(b[2:], 8, 16); ok && r <= utf8.MaxRune {
			return string(r), 10
		}
		return unicodeEscape(b) // in capitals
	case 'x', 'X':
		if r, ok := number(b[2:], 2, 16); ok {
			return string([]byte{byte(r)}), 4
		}
	case '0', '1', '2', '3':
		if r, ok := number(b[1:], 3, 8); ok {
			return string([]byte{byte(r)}), 4
		}
	}
	if c, ok := oneLetter[b[1]]; ok {
		return c, 2
	}
	if c := b[1]; c >= ' ' && c < 0x7f && !isWord(c) { // a shell's, JSON's and HCL's way with quotes and the like
		return string(rune(c)), 2
	}
	return "", 0
}

// unicodeEscape decodes \u0041, \ud83d\ude80 in pairs, and \u{41}.
func unicodeEscape(b []byte) (string, int) {
	if len(b) > 3 && b[2] == '{' {
		for n := 1; n <= 6; n++ {
			if r, ok := number(b[3:], n, 16); ok && len(b) > 3+n && b[3+n] == '}' {
				return string(r), 4 + n
			}
		}
	}
	r, ok := number(b[2:], 4, 16)
	if !ok {
		return "", 0
	}
	if utf16.IsSurrogate(r) && len(b) >= 12 && b[6] == '\\' && b[7]|0x20 == 'u' {
		if low, ok := number(b[8:], 4, 16); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return string(pair), 12
			}
		}
	}
	return string(r), 6
}

// longestEntity is the length of the longest name of HTML, and its marks.
const longestEntity = 33

func unentity(b []byte) (string, int) {
	end := min(len(b), longestEntity+1)
	for n := 1; n < end; n++ {
		switch c := b[n]; {
		case c == ';':
			if n+1 < 4 && b[1] != '#' {
				return "", 0
			}
			s := string(b[:n+1])
			if decoded := html.UnescapeString(s); decoded != s {
				return decoded, n + 1
			}
			return "", 0
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '#' && n == 1:
		default:
			end = n
		}
	}
	if s := string(b[:end]); len(s) > 2 && s[1] == '#' { // browsers do without the semicolon
		if decoded := html.UnescapeString(s); decoded != s {
			return decoded, len(s)
		}
	}
	return "", 0
}
