package syncinfo

import "bytes"

// form is how a member of an entry begins: the bytes from behind the brace or the value before it up to its own value.
// The entries of a file are written alike, so what follows is compared with what followed last time, and a name is
// read only if that has changed. Bytes that were right in one place are right in every other one.
type form struct {
	text []byte
	name int // where the name begins in text
	m    member
	next *form // the form that followed last time
}

// Limits of the forms that a scanner remembers. Others are read each time.
const (
	mostForms   = 64
	longestForm = 256
)

// member reads what is before the next value of an entry: a comma unless it is the first member, and the name. after is
// the form of the member before it. At the end of the entry the form is nil and the index is that of the brace.
func (s *scanner) member(i int, after *form) (*form, int) {
	b, from := s.b, i
	if f := after.next; f != nil && bytes.HasPrefix(b[i:], f.text) {
		if i += len(f.text); b[i] <= ' ' {
			i = skipSpace(b, i)
		}
		return f, i
	}
	i = skipSpace(b, i)
	if b[i] == '}' {
		return nil, i
	}
	before := from - 1
	if after != &s.brace {
		if before = i; b[i] != ',' {
			return nil, s.fail(i, missingComma(b[i], true), b[i])
		}
		i = skipSpace(b, i+1)
	}
	if b[i] != '"' {
		return nil, s.name(i, before)
	}
	at := i
	if i = s.str(i + 1); i < 0 {
		return nil, -1
	}
	name := b[at+1 : i-1]
	if s.escaped {
		name, _ = unescape(nil, name)
	}
	if i = s.colon(i); i < 0 {
		return nil, -1
	}
	f := s.remember(form{text: b[from:i], name: at - from, m: memberOf(name)})
	if f != &s.other {
		after.next = f
	}
	return f, i
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
