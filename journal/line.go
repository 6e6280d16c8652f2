package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// scanner reads lines in the layout in which they are written. It is several times as fast as encoding/json, and
// leaves to it whatever looks different.
type scanner struct {
	rest  []byte
	other bool              // the line does not have the layout
	words map[string]string // texts that occur in many lines, each held once
	last  string            // the hash of the line before
}

func newScanner() *scanner { return &scanner{words: map[string]string{}} }

// forget begins with other lines: texts of lines that are far apart are seldom the same, and few are found sooner.
func (s *scanner) forget() {
	clear(s.words)
	s.last = ""
}

// hashLen is the length of a hash in a line.
var hashLen = hex.EncodedLen(sha256.Size)

// entry reads a line. It returns false if the line does not have the layout; perhaps it is an entry nevertheless.
func (s *scanner) entry(line []byte) (e Entry, ok bool) {
	s.rest, s.other = line, false
	s.must(`{"seq":`)
	e.Seq = s.number()
	s.must(`,"time":"`)
	e.Time = s.time()
	s.must(`,"key":"`)
	e.Key = s.word()
	s.must(`,"event":"`)
	e.Event = s.word()
	if s.skip(`,"data":{`) {
		e.Data = s.data()
	}
	s.must(`,"prev":"`)
	if s.last != "" && s.skip(s.last) {
		e.Prev = s.last
		s.must(`"`)
	} else {
		e.Prev = s.text()
	}
	s.must(`,"hash":"`)
	hash, plain := s.raw()
	if e.Hash = string(hash); !plain {
		e.Hash = s.decoded(hash)
	}
	if s.must(`}`); s.other || len(s.rest) > 0 {
		return Entry{}, false
	}
	if s.last = ""; plain && len(hash) == hashLen { // so that in the next line, these bytes mean themselves
		s.last = e.Hash
	}
	return e, true
}

// skip skips a text if it comes next.
func (s *scanner) skip(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

// must skips a text that comes next in the layout.
func (s *scanner) must(text string) { s.other = !s.skip(text) || s.other }

// number reads a number from 1.
func (s *scanner) number() (n int) {
	i := 0
	for ; i < min(len(s.rest), 9) && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		n = n*10 + int(s.rest[i]-'0')
	}
	s.other = s.other || i == 0 || s.rest[0] == '0'
	s.rest = s.rest[i:]
	return n
}

// time reads a time up to its closing quote.
func (s *scanner) time() (t time.Time) {
	raw, plain := s.raw()
	s.other = s.other || !plain || t.UnmarshalText(raw) != nil
	return t
}

// raw skips the bytes up to the closing quote and returns them. They are plain if they mean themselves: they have no
// escapes, and only characters of ASCII.
func (s *scanner) raw() (raw []byte, plain bool) {
	plain = true
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			raw, s.rest = s.rest[:i], s.rest[i+1:]
			return raw, plain
		case c == '\\':
			i++
			plain = false
		case c < ' ' || c >= 0x7f:
			plain = false
		}
	}
	s.other = true
	return nil, false
}

// text reads a text up to its closing quote.
func (s *scanner) text() string {
	raw, plain := s.raw()
	if plain {
		return string(raw)
	}
	return s.decoded(raw)
}

// word is like text, for what occurs in many lines.
func (s *scanner) word() string {
	raw, plain := s.raw()
	if !plain {
		return s.decoded(raw)
	}
	w, known := s.words[string(raw)]
	if !known {
		w = string(raw)
		s.words[w] = w
	}
	return w
}

// decoded returns a text that is not plain.
func (s *scanner) decoded(raw []byte) (text string) {
	quoted := append(append([]byte{'"'}, raw...), '"')
	s.other = s.other || json.Unmarshal(quoted, &text) != nil
	return text
}

// data reads texts by name, up to the closing bracket.
func (s *scanner) data() map[string]string {
	out := map[string]string{}
	for {
		s.must(`"`)
		name := s.word()
		s.must(`:"`)
		out[name] = s.text()
		if s.other || !s.skip(`,`) {
			break
		}
	}
	s.must(`}`)
	return out
}

// plainJSON appends what json.Marshal returns for an entry without a hash. It returns false if a text in it may have to
// be escaped. Most entries have none, and a run writes three for each step.
func (e *Entry) plainJSON(b []byte) ([]byte, bool) {
	ok := e.Time.Location() == time.UTC && e.Time.Year() >= 0 && e.Time.Year() <= 9999
	text := func(before, text string) {
		b = append(append(append(b, before...), text...), '"')
		for i := range len(text) {
			c := text[i]
			ok = ok && c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
		}
	}
	b = strconv.AppendInt(append(b, `{"seq":`...), int64(e.Seq), 10)
	b = append(e.Time.AppendFormat(append(b, `,"time":"`...), time.RFC3339Nano), '"')
	text(`,"key":"`, e.Key)
	text(`,"event":"`, e.Event)
	before := `,"data":{"`
	if len(e.Data) > 0 {
		for _, name := range slices.Sorted(maps.Keys(e.Data)) {
			text(before, name)
			text(`:"`, e.Data[name])
			before = `,"`
		}
		b = append(b, '}')
	}
	text(`,"prev":"`, e.Prev)
	return append(b, `,"hash":""}`...), ok
}
