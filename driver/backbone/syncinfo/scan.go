package syncinfo

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// pad is the number of zero bytes after the data in a scanner's slice. A zero byte is not allowed anywhere in JSON,
// so every loop stops there by itself, and eight bytes can be loaded at any place of the data.
const pad = 16

// scanner checks JSON (RFC 8259, and UTF-8 in strings) in memory. Its methods take the index of what they read and
// return the index after it, or -1 with at and msg set. It does not count lines: that is done elsewhere, for many
// bytes at a time.
type scanner struct {
	b       []byte // data and pad
	n       int    // length of the data
	at      int    // where the failure is
	unit    int    // in a string that failed: the start of the character or escape that could not be read
	msg     string // what the failure is; "%s" in it stands for found(c)
	c       byte
	broken  bool // the data are not JSON
	escaped bool // the last string had a backslash

	keepPairs bool     // remember where comments and attachments are
	findTwice bool     // look for ids that two comments, or two attachments, of an entry share
	pairs     [2][]int // of the last entry, in file order: where each object begins; comments, attachments
	decoded   []byte   // texts with escapes; of the last entry, or of all with keepTexts
	keepTexts bool

	brace, closing form    // of an entry: the latter is what its last stretch leads to
	forms          []*form // those that can be compared with
	other          form    // the last one that is not in forms

	pairForms [4]pairForm // how pairs were written
	lastPair  int         // the one that is tried first
	table     []uint64    // see allDiffer
	spread    uint64

	// The last value of the entry that had to be read: the form before it, its end, and the members since then.
	last    *form
	lastEnd int
	within  uint16
}

// fail records that the data are not JSON. The message is made only when it is needed, because most failures come
// from an entry that is not completely read yet.
func (s *scanner) fail(at int, msg string, c byte) int {
	s.at, s.msg, s.c, s.broken = at, msg, c, true
	return -1
}

// refuse records that the data may be JSON, but are not what is expected.
func (s *scanner) refuse(at int, msg string) int {
	s.at, s.msg, s.broken = at, msg, false
	return -1
}

// message returns the text of the failure.
func (s *scanner) message() string {
	if s.broken {
		return notJSON(s.msg, s.c)
	}
	return s.msg
}

// notJSON makes the message for data that are not JSON. "%s" in msg is replaced by found(c).
func notJSON(msg string, c byte) string {
	return "not valid JSON: " + strings.Replace(msg, "%s", found(c), 1) + "; mend it, or download the file again"
}

const tooDeep = "objects and arrays are nested too deep (more than 512); this cannot be from Backbone"

const (
	ones   = 0x0101010101010101
	highs  = 0x8080808080808080
	spaces = 0x2020202020202020
)

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// skipSpace returns the index of the first byte from i on that is not JSON white space.
func skipSpace(b []byte, i int) int {
	for b[i] <= ' ' {
		switch b[i] {
		case ' ':
			if x := load(b, i) ^ spaces; x == 0 {
				i += 8
			} else {
				i += bits.TrailingZeros64(x) >> 3
			}
		case '\n', '\r', '\t':
			i++
		default:
			return i
		}
	}
	return i
}

// str reads the rest of a string. i is the index after its opening quote. It sets escaped.
func (s *scanner) str(i int) int {
	b := s.b
	s.escaped = false
	for {
		// Eight bytes at a time: the lowest bit set in m belongs to the first byte that is a quote, a backslash, a
		// control character or not ASCII. (A borrow can set wrong bits, but only above a right one.)
		x := load(b, i)
		q, e := x^(ones*'"'), x^(ones*'\\')
		m := ((q-ones)&^q | (e-ones)&^e | (x-ones*0x20)&^x | x) & highs
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			s.escaped = true
			s.unit = i
			if i = s.escape(i); i < 0 {
				return -1
			}
		case c < 0x20:
			s.unit = i
			return s.fail(i, "a control character (%s) must be escaped in a string; the closing quote may be missing", c)
		default:
			for b[i] >= utf8.RuneSelf {
				if n := common(b[i], b[i+1], b[i+2]); n > 0 {
					i += n
					continue
				}
				r, size := utf8.DecodeRune(b[i:])
				if r == utf8.RuneError && size <= 1 {
					s.unit = i
					if i < s.n && !utf8.FullRune(b[i:s.n]) {
						return s.fail(s.n, "a character is cut off", 0)
					}
					return s.refuse(i, "invalid UTF-8 ("+found(b[i])+"); save the file as UTF-8, or better download it again")
				}
				i += size
			}
		}
	}
}

// common returns the number of bytes of a character of two or three bytes that begins with these. It returns 0 if there
// is none, or if it needs a closer look.
func common(one, two, three byte) int {
	switch {
	case two&0xc0 != 0x80:
		return 0
	case 0xc2 <= one && one < 0xe0:
		return 2
	case 0xe0 < one && one < 0xf0 && one != 0xed && three&0xc0 == 0x80: // with 0xe0 and 0xed not all are allowed
		return 3
	}
	return 0
}

// escape reads one escape sequence; i is at its backslash.
func (s *scanner) escape(i int) int {
	switch s.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if hexValue(s.b[k]) < 0 {
				return s.fail(k, `\u in a string needs four hexadecimal digits, found %s`, s.b[k])
			}
		}
		return i + 6
	}
	return s.fail(i+1, `\ in a string must be followed by one of "\/bfnrtu, found %s`, s.b[i+1])
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// digits returns the index of the first byte from i on that is not a digit.
func digits(b []byte, i int) int {
	for {
		x := load(b, i)
		m := (x&(ones*0xf0) ^ ones*0x30) | ((x+ones*0x06)&(ones*0xf0) ^ ones*0x30)
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
}

func (s *scanner) number(i int) int {
	b := s.b
	if b[i] == '-' {
		i++
	}
	k := digits(b, i)
	switch {
	case k == i:
		return s.fail(i, "a number needs a digit here, found %s", b[i])
	case b[i] == '0' && k > i+1:
		return s.fail(i+1, "a number must not start with 0", 0)
	}
	i = k
	if b[i] == '.' {
		if k = digits(b, i+1); k == i+1 {
			return s.fail(k, "a number needs a digit after its point, found %s", b[k])
		}
		i = k
	}
	if b[i]|0x20 == 'e' {
		i++
		if b[i] == '+' || b[i] == '-' {
			i++
		}
		if k = digits(b, i); k == i {
			return s.fail(k, "a number needs a digit in its exponent, found %s", b[k])
		}
		i = k
	}
	return i
}

func (s *scanner) literal(i int, word, msg string) int {
	for k := range len(word) {
		if s.b[i+k] != word[k] {
			return s.fail(i+k, msg, s.b[i+k])
		}
	}
	return i + len(word)
}

// value reads any value.
func (s *scanner) value(i int) int {
	switch c := s.b[i]; c {
	case '"':
		return s.str(i + 1)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	case '{', '[':
		return s.nested(i)
	case 't':
		return s.literal(i, "true", "expected true, found %s")
	case 'f':
		return s.literal(i, "false", "expected false, found %s")
	case 'n':
		return s.literal(i, "null", "expected null, found %s")
	case '}', ']', ',':
		return s.fail(i, "a value is missing before %s", c)
	default:
		return s.fail(i, "expected a value, found %s", c)
	}
}

// nested reads an object or array without recursion, so that hostile nesting cannot exhaust the stack.
func (s *scanner) nested(i int) int {
	var objects [MaxDepth/64 + 1]uint64 // bit d: the container at depth d is an object
	b, depth := s.b, 0
	for {
		// i is at a value.
		switch c := b[i]; c {
		case '{', '[':
			if depth == MaxDepth {
				return s.refuse(i, tooDeep)
			}
			depth++
			word, bit := depth>>6, uint64(1)<<(depth&63)
			open := i
			i = skipSpace(b, i+1)
			if c == '{' {
				objects[word] |= bit
				if b[i] != '}' {
					if i = s.name(i, open); i < 0 {
						return -1
					}
					continue
				}
			} else {
				objects[word] &^= bit
				if b[i] != ']' {
					continue
				}
			}
			i++
			depth--
		default:
			if i = s.value(i); i < 0 {
				return -1
			}
		}
		// i is behind a value.
		for {
			if depth == 0 {
				return i
			}
			i = skipSpace(b, i)
			object := objects[depth>>6]>>(depth&63)&1 == 1
			c := b[i]
			if c == ',' {
				comma := i
				if i = skipSpace(b, i+1); object {
					if i = s.name(i, comma); i < 0 {
						return -1
					}
				} else if b[i] == ']' {
					return s.fail(i, "unexpected comma before ']'", 0)
				}
				break
			}
			if object && c != '}' || !object && c != ']' {
				return s.fail(i, missingComma(c, object), c)
			}
			i++
			depth--
		}
	}
}

// name reads a member's name and its colon, and returns the index of the value. before is the index of the previous
// token.
func (s *scanner) name(i, before int) int {
	b := s.b
	if b[i] != '"' {
		if b[i] == '}' && b[before] == ',' {
			return s.fail(i, "unexpected comma before '}'", 0)
		}
		return s.fail(i, `expected a member's name in double quotes, found %s`, b[i])
	}
	if i = s.str(i + 1); i < 0 {
		return -1
	}
	return s.colon(i)
}

// colon reads the colon after a name and the white space around it.
func (s *scanner) colon(i int) int {
	b := s.b
	if b[i] != ':' {
		if i = skipSpace(b, i); b[i] != ':' {
			return s.fail(i, "expected ':' after a member's name, found %s", b[i])
		}
	}
	i++
	if b[i] == ' ' {
		i++
	}
	if b[i] <= ' ' {
		i = skipSpace(b, i)
	}
	return i
}

// missingComma says what is wrong with c where a comma or a closing bracket is expected.
func missingComma(c byte, object bool) string {
	switch {
	case c == '"' || c == '{' || c == '[':
		return "a comma is missing before %s"
	case object:
		return "expected ',' or '}', found %s"
	}
	return "expected ',' or ']', found %s"
}
