package syncinfo

import (
	"bytes"
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// shortNumber reads a number that is written with up to nine digits and nothing else, as nearly all are. If there is
// another value at i, end is -1.
func shortNumber(b []byte, i int) (n int64, end int) {
	for end = i; end < i+9; end++ {
		d := b[end] - '0'
		if d > 9 {
			break
		}
		n = n*10 + int64(d)
	}
	c := b[end]
	if end == i || b[i] == '0' && end > i+1 || c == '.' || c|0x20 == 'e' || c-'0' <= 9 {
		return 0, -1
	}
	return n, end
}

// parseInt returns the value of a JSON number that is written as a whole number and fits.
func parseInt(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxInt64-d+1)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	switch {
	case neg && n <= 1<<63:
		return -int64(n), true
	case !neg && n <= math.MaxInt64:
		return int64(n), true
	}
	return 0, false
}

// parseWhole returns the value of a JSON number that is written with a point or an exponent but is whole, like 2.0 or
// 2e0, and fits.
func parseWhole(b []byte) (int64, bool) {
	mantissa, power := b, int64(0)
	if i := bytes.IndexAny(b, "eE"); i >= 0 {
		var fits bool
		if power, fits = parseInt(bytes.TrimPrefix(b[i+1:], []byte("+"))); !fits {
			return 0, false
		}
		mantissa = b[:i]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(bytes.Clone(whole), fraction...)
	digits, neg := bytes.CutPrefix(digits, []byte("-"))
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) == 0 {
		return 0, true
	}
	short := bytes.TrimRight(digits, "0")
	zeros := int64(len(digits)-len(short)) - int64(len(fraction))
	if power < math.MinInt64/2 || power > math.MaxInt64/2 {
		return 0, false
	}
	if zeros += power; zeros < 0 || zeros > 19 {
		return 0, false
	}
	short = append(bytes.Clone(short), "0000000000000000000"[:zeros]...)
	if neg {
		short = append([]byte("-"), short...)
	}
	return parseInt(short)
}

// unescape appends the decoded text of a valid JSON string to dst. whole is false if it had half a surrogate pair,
// which JSON allows but Unicode does not; it is replaced by U+FFFD.
func unescape(dst, text []byte) (out []byte, whole bool) {
	whole = true
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		c := text[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(text[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+6 <= len(text) && text[i] == '\\' && text[i+1] == 'u' {
					low = hex4(text[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					whole = false
				} else {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst, whole
}

func hex4(b []byte) rune {
	return rune(hexValue(b[0])<<12 | hexValue(b[1])<<8 | hexValue(b[2])<<4 | hexValue(b[3]))
}
