package redact

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// minEncoded is the length of the shortest secret in base64, which is the shortest of all encodings.
const minEncoded = (MinLength*8 + 5) / 6

// Digits: the value of a character in base64, of either alphabet, and in hexadecimal; none for other characters.
var digits64, digits16 = func() (d64, d16 [256]byte) {
	for i := range d64 {
		d64[i], d16[i] = none, none
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		d64[c] = byte(i)
	}
	d64['-'], d64['_'] = 62, 63
	for i, c := range "0123456789abcdef" {
		d16[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		d16[c] = byte(10 + i)
	}
	return d64, d16
}()

const none = 0xff

// runs are the stretches of digits that are long enough.
func (l *layer) runs(digits *[256]byte, least int) []span32 {
	return l.within(span32{0, int32(len(l.b))}, digits, least, nil) // #nosec G115 -- see put
}

// runs16 are those of hexadecimal digits. They lie within those of base64, which has the same digits, and more.
func (l *layer) runs16(in64 []span32) []span32 {
	const least = 2 * MinLength
	var found []span32
	for _, r := range in64 {
		if r.to-r.from >= least {
			found = l.within(r, &digits16, least, found)
		}
	}
	return found
}

// within appends the stretches of digits within another stretch.
func (l *layer) within(r span32, digits *[256]byte, least int, found []span32) []span32 {
	b := l.b[:r.to]
	for i := int(r.from); i < len(b); {
		if digits[b[i]] == none {
			i++
			continue
		}
		j := i + 1
		for j < len(b) && digits[b[j]] != none {
			j++
		}
		if j-i >= least {
			if found == nil {
				const usual = 16 // bytes of a text to each of its words
				found = make([]span32, 0, (len(b)-i)/usual+1)
			}
			found = append(found, span32{int32(i), int32(j)}) // #nosec G115 -- see put
		}
		i = j
	}
	return found
}

// base64 decodes the runs that may be base64, as if it began so many characters later than it seems to: what stands
// before it may look like a part of it. nil: there is nothing, or nothing of what it holds is of use. into is room for
// the bytes; where they come from is only noted where that is needed.
func (l *layer) base64(all []span32, begin int, into *[]byte, holds func([]byte) bool) *layer {
	b := (*into)[:0]
	for _, r := range all {
		from, to := int(r.from)+begin, int(r.to)
		if to-from < minEncoded {
			continue
		}
		if len(b) > 0 {
			b = append(b, apart...)
		}
		b = decode64(b, l.b[from:to])
		if l.isCut(to) {
			b = append(b, cutOff...)
		}
	}
	*into = b
	if !holds(b) {
		return nil
	}
	out := &layer{binary: true}
	out.size(len(b))
	for _, r := range all {
		from, to := int(r.from)+begin, int(r.to)
		if to-from < minEncoded {
			continue
		}
		out.apart(l, to)
		padded := to
		for padded < len(l.b) && padded-to < 2 && l.b[padded] == '=' {
			padded++
		}
		whole := (to - from) * 6 / 8
		for k := range whole {
			first := from + k + k/3
			end := first + 2
			if end == to {
				end = padded
			}
			out.put(l, first, end, b[len(out.b)])
		}
		out.cut(l, from+whole+whole/3, to)
	}
	return out
}

// decode64 appends what characters of base64 decode to.
func decode64(b, text []byte) []byte {
	for ; len(text) >= 4; text = text[4:] {
		bits := uint32(digits64[text[0]])<<18 | uint32(digits64[text[1]])<<12 | uint32(digits64[text[2]])<<6 |
			uint32(digits64[text[3]])
		b = append(b, byte(bits>>16), byte(bits>>8), byte(bits)) // #nosec G115 -- three bytes of four characters
	}
	if len(text) > 1 {
		b = append(b, digits64[text[0]]<<2|digits64[text[1]]>>4)
	}
	if len(text) > 2 {
		b = append(b, digits64[text[1]]<<4|digits64[text[2]]>>2)
	}
	return b
}

// hex decodes the runs that may be hexadecimal, as if it began so many characters later than it seems to.
func (l *layer) hex(all []span32, begin int) *layer {
	out := layer{binary: true}
	for _, r := range all {
		i, to := int(r.from)+begin, int(r.to)
		out.apart(l, to)
		for ; i+1 < to; i += 2 {
			out.put(l, i, i+2, digits16[l.b[i]]<<4|digits16[l.b[i+1]])
		}
		out.cut(l, i, to)
	}
	return out.unlessEmpty()
}

// words appends where the words begin that may be numbers.
func (l *layer) words(at []int32) []int32 {
	within := false
	for i, c := range l.b {
		if word := inWord[c]; word != within {
			if within = word; word && digits16[c] != none {
				if at == nil {
					const usual = 16 // bytes of a text to each of them
					at = make([]int32, 0, len(l.b)/usual+1)
				}
				at = append(at, int32(i)) // #nosec G115 -- see put
			}
		}
	}
	return at
}

// numbers decodes lists of bytes as numbers, as programs print them: [99 97 110], 0x63, 0x61, 63:61:6e, a line each,
// and [-61, -87] as Java does. They begin with some of the words. list is room for one list.
func (l *layer) numbers(base int, words []int32, list *layer) *layer {
	out := layer{binary: true}
	done := 0
	for _, at := range words {
		i := int(at)
		if i < done || int(digits16[l.b[i]]) >= base {
			continue
		}
		list.b, list.origin = list.b[:0], list.origin[:0]
		end, last := i, i
		for end < len(l.b) {
			value, n := l.number(end, base)
			if n == 0 {
				break
			}
			last = end
			list.put(l, end, end+n, value)
			end += n
			gap := l.gap(end)
			if gap == 0 {
				break
			}
			end += gap
			last = end
		}
		if l.cuts {
			list.cutNumber(l, last)
		}
		if len(list.b) >= MinLength {
			out.apart(l, end)
			out.b, out.origin = append(out.b, list.b...), append(out.origin, list.origin...)
		}
		done = end
	}
	return out.unlessEmpty()
}

// cutNumber ends a list of numbers that was cut off, where its last number begins: that may have been longer.
func (l *layer) cutNumber(of *layer, last int) {
	end := last
	for end < len(of.b) && end-last < len("0xff") && isWord(of.b[end]) {
		end++
	}
	if !of.isCut(end) {
		return
	}
	if n := len(l.b) - 1; n >= 0 && l.origin[n].from >= int32(of.from(last)) { // #nosec G115 -- see put
		l.b, l.origin = l.b[:n], l.origin[:n]
	}
	l.cut(of, last, end)
}

func isWord(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// inWord says the same, faster.
var inWord = func() (in [256]bool) {
	for i := range in {
		in[i] = isWord(byte(i)) // #nosec G115 -- there are 256
	}
	return in
}()

// number reads one number of a list, and how many bytes it takes.
func (l *layer) number(at, base int) (value byte, n int) {
	b := l.b[at:]
	if base == 16 && len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		n = 2
	}
	begin, sum := n, 0
	for n < len(b) && n-begin < 3 && int(digits16[b[n]]) < base {
		sum = sum*base + int(digits16[b[n]])
		n++
	}
	if n == begin || sum > 255 || base == 16 && begin == 0 && n != 2 || n < len(b) && isWord(b[n]) {
		return 0, 0
	}
	if base == 10 && sum <= 128 && l.isNegative(at) {
		sum = (256 - sum) % 256
	}
	return byte(sum), n // #nosec G115 -- see above
}

// isNegative reports whether a minus stands before a number that is not between two numbers, as in 99-97-110.
func (l *layer) isNegative(at int) bool {
	return at > 0 && l.b[at-1] == '-' && (at == 1 || !isWord(l.b[at-2]))
}

// gap is how many bytes stand between two numbers of a list: also an indented line's beginning.
func (l *layer) gap(at int) int {
	const longest = 256
	n := 0
	for at+n < len(l.b) && n < longest {
		switch l.b[at+n] {
		case ' ', ',', ':', '-', '\n', '\r', '\t':
			n++
		default:
			return n
		}
	}
	return n
}

// zeros are at which bytes of two, the first or the second, there are two zeros in a row: the upper halves of Latin
// letters in UTF-16.
func (l *layer) zeros() (at [2]bool) {
	for i := 0; i+2 < len(l.b); i++ {
		next := bytes.IndexByte(l.b[i:len(l.b)-2], 0)
		if next < 0 {
			break
		}
		if i += next; l.b[i+2] == 0 {
			at[i%2] = true
		}
	}
	return at
}

// wide decodes UTF-16, as programs of Windows write it, in one order of bytes, beginning at an even or an odd one.
func (l *layer) wide(begin int, order binary.ByteOrder) *layer {
	out := &layer{}
	out.size(len(l.b))
	for i := begin; i+1 < len(l.b); i += 2 {
		if l.isCut(i) || l.isCut(i+1) { // perhaps within a character
			end := i
			if !l.isCut(i) {
				end++
			}
			out.cut(l, i, end)
			i = end + len(cutOff) - 2
			continue
		}
		r, end := rune(order.Uint16(l.b[i:])), i+2
		if utf16.IsSurrogate(r) && end+1 < len(l.b) {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(l.b[end:]))); pair != utf8.RuneError {
				r, end = pair, end+2
			}
		}
		out.put(l, i, end, []byte(string(r))...)
		i = end - 2
	}
	return out
}

// unwrap takes line breaks, and the indentation after them, out of what may be one text that was broken for the eye,
// as base64 is. It is not worth while for short lines: words of a list would become others. nil: there are none.
func (l *layer) unwrap() *layer {
	const longLine = 16
	out := layer{joined: true}
	kept, line := 0, 0
	for {
		n := bytes.IndexByte(l.b[line:], '\n')
		if n < 0 {
			break
		}
		end, begin := line+n, line
		line = end + 1
		if end > 0 && l.b[end-1] == '\r' {
			end--
		}
		next := line
		for next < len(l.b) && (l.b[next] == ' ' || l.b[next] == '\t') {
			next++
		}
		if next == len(l.b) || digits64[l.b[next]] == none || end-begin < longLine ||
			slices.ContainsFunc(l.b[end-longLine:end], notWrapped) { // before that, anything may stand on the line
			continue
		}
		if kept == 0 {
			out.size(len(l.b))
		}
		out.keep(l, kept, end)
		kept = next
	}
	if kept > 0 {
		out.keep(l, kept, len(l.b))
	}
	return out.unlessEmpty()
}

// notWrapped reports whether a character does not stand in a text that is broken into lines.
func notWrapped(c byte) bool { return digits64[c] == none && c != '\r' && c != ' ' && c != '=' }
