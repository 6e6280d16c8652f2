package syncinfo

import "bytes"

// form is how a member of an entry begins: the bytes from behind the brace or the value before it up to its own value.
// The entries of a file are written alike, so what follows a value is compared with what followed last time, and is
// read only if that has changed. Bytes that were right in one place are right in every other one.
type form struct {
	text []byte
	name int // where the name begins in text
	m    member
	stretch
}

// stretch is what followed a value last time, up to the next one that has to be read: whole members whose values nobody
// needs, and then a form.
type stretch struct {
	bytes  []byte
	to     *form  // nil if nothing is remembered
	within uint16 // bit m: m is among the members before it
	misses int    // how often something else has followed, less how often this
}

// Limits of what a scanner remembers. The rest is read each time.
const (
	mostForms      = 64
	longestForm    = 256
	longestStretch = 1024
	mostMisses     = 8 // with so many, a stretch has no members whose values nobody needs
)

// member reads from behind a value, or the first brace, up to the next value that has to be read. It returns the form
// before that value, where the name in it begins, and where the value begins. At the end of the entry the form is
// &s.closing, and the last index is the one behind the brace. It adds the members on the way to seen.
func (s *scanner) member(i int, seen *uint16) (f *form, name, value int) {
	last := &s.last.stretch
	if i == s.lastEnd {
		if last.to != nil && last.within&*seen == 0 && bytes.HasPrefix(s.b[i:], last.bytes) {
			if 0 < last.misses && last.misses < mostMisses {
				last.misses--
			}
			*seen |= last.within
			f, value = last.to, i+len(last.bytes)
			name = value - len(f.text) + f.name
			if s.b[value] <= ' ' && f != &s.closing {
				value = skipSpace(s.b, value)
			}
			return f, name, value
		}
		last.misses++
	}
	if f, name, value = s.readMember(i); value < 0 || s.last == &s.other {
		return f, name, value
	}
	if f == &s.other || value-s.lastEnd > longestStretch {
		last.to, last.misses = nil, mostMisses
		return f, name, value
	}
	last.to, last.within = f, s.within
	last.bytes = append(last.bytes[:0], s.b[s.lastEnd:value]...)
	return f, name, value
}

// passed notes that the value after f has been read. It ends at i.
func (s *scanner) passed(f *form, i int) {
	if (f.m == otherMember || f.m == lastOutgoing) && s.last.misses < mostMisses {
		s.within |= 1 << f.m &^ 1
		return
	}
	s.last, s.lastEnd, s.within = f, i, 0
}

// readMember reads a comma, unless it is the first member, and a name.
func (s *scanner) readMember(from int) (f *form, name, value int) {
	b, before := s.b, from-1
	i := skipSpace(b, from)
	if b[i] == '}' {
		return &s.closing, i, i + 1
	}
	if s.last != &s.brace || from != s.lastEnd {
		if before = i; b[i] != ',' {
			return nil, i, s.fail(i, missingComma(b[i], true), b[i])
		}
		i = skipSpace(b, i+1)
	}
	if b[i] != '"' {
		return nil, i, s.name(i, before)
	}
	name = i
	if i = s.str(i + 1); i < 0 {
		return nil, name, -1
	}
	text := b[name+1 : i-1]
	if s.escaped {
		text, _ = unescape(nil, text)
	}
	if i = s.colon(i); i < 0 {
		return nil, name, -1
	}
	return s.remember(form{text: b[from:i], name: name - from, m: memberOf(text)}), name, i
}

// remember returns the form that is like f.
func (s *scanner) remember(f form) *form {
	for _, known := range s.forms {
		if bytes.Equal(known.text, f.text) {
			return known
		}
	}
	if len(s.forms) == mostForms || len(f.text) > longestForm {
		s.other = form{name: f.name, m: f.m}
		return &s.other
	}
	kept := f // so that memory is taken only for forms that are kept
	kept.text = bytes.Clone(f.text)
	s.forms = append(s.forms, &kept)
	return &kept
}
