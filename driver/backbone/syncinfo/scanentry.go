package syncinfo

import (
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// member is a member of an entry that means something here. All others are checked and left alone.
type member uint8

const (
	otherMember member = iota
	localKey
	remoteKey
	connectorKey
	outgoing
	incoming
	lastOutgoing
	comments
	attachments
)

func memberOf(name []byte) member {
	switch string(name) {
	case "localIssueKey":
		return localKey
	case "remoteIssueKey":
		return remoteKey
	case "connectorKey":
		return connectorKey
	case "outgoingMessageSequenceId":
		return outgoing
	case "incomingMessageSequenceId":
		return incoming
	case "lastOutgoingChange":
		return lastOutgoing
	case "comments":
		return comments
	case "attachments":
		return attachments
	}
	return otherMember
}

var memberNames = [...]string{
	localKey: "localIssueKey", remoteKey: "remoteIssueKey", connectorKey: "connectorKey", outgoing: "outgoingMessageSequenceId",
	incoming: "incomingMessageSequenceId", lastOutgoing: "lastOutgoingChange", comments: "comments", attachments: "attachments",
}

// entry reads one entry from i on into e, all but its place in the file.
func (s *scanner) entry(i int, e *Entry) int {
	e.reset()
	s.pairs = s.pairs[:0]
	b, start := s.b, i
	if b[i] != '{' {
		if b[i] == ']' || b[i] == ',' {
			return s.fail(i, "there is a comma too many before "+found(b[i]))
		}
		return s.refuse(i, "an entry must be an object, found "+kindOf(b[i])+notExport)
	}
	var seen uint16 // bit m: member m has been there
	i = skipSpace(b, i+1)
	before := start
	for b[i] != '}' || b[before] == ',' {
		if b[i] != '"' {
			return s.name(i, before)
		}
		at := i
		if i = s.str(i + 1); i < 0 {
			return -1
		}
		name := b[at+1 : i-1]
		if s.escaped {
			name, _ = unescape(nil, name)
		}
		m := memberOf(name)
		if m != otherMember {
			if seen>>m&1 == 1 {
				return s.refuse(at, "the entry has "+memberNames[m]+" twice; remove one of them")
			}
			seen |= 1 << m
		}
		if i = s.colon(i); i < 0 {
			return -1
		}
		if m == otherMember {
			i = s.value(i)
		} else {
			i = s.known(m, i, e)
		}
		if i < 0 {
			return -1
		}
		if b[i] != ',' {
			if i = skipSpace(b, i); b[i] == '}' {
				break
			}
			if b[i] != ',' {
				return s.fail(i, missingComma(b[i], true))
			}
		}
		before = i
		i = skipSpace(b, i+1)
	}
	for _, m := range [...]member{localKey, remoteKey} {
		if seen>>m&1 == 0 {
			return s.refuse(start, "the entry has no "+memberNames[m]+notExport)
		}
	}
	i++
	e.Raw = b[start:i:i]
	return i
}

const notExport = `; use the file of "Download synchronized issues" as it was downloaded`

// known reads the value of a member that means something.
func (s *scanner) known(m member, i int, e *Entry) int {
	switch m {
	case localKey, remoteKey:
		if s.b[i] != '"' {
			return s.refuse(i, memberNames[m]+" must be a string, found "+kindOf(s.b[i])+notExport)
		}
		text, end := s.text(m, i)
		if end >= 0 && len(text) == 0 {
			return s.refuse(i, memberNames[m]+" is empty; it must be an issue key like ABC-1")
		}
		if m == localKey {
			e.LocalKey = text
		} else {
			e.RemoteKey = text
		}
		return end
	case connectorKey:
		if s.b[i] != '"' {
			return s.value(i)
		}
		text, end := s.text(m, i)
		e.ConnectorKey = text
		return end
	case outgoing:
		return s.counter(m, i, &e.Sequence.Outgoing, &e.Sequence.HasOutgoing)
	case incoming:
		return s.counter(m, i, &e.Sequence.Incoming, &e.Sequence.HasIncoming)
	case lastOutgoing:
		end := s.value(i)
		if end >= 0 {
			e.LastOutgoingChange, e.HasLastOutgoingChange = parseInt(s.b[i:end])
		}
		return end
	case comments:
		return s.pairList(m, i, &e.Comments, &e.HalfComments)
	default:
		return s.pairList(m, i, &e.Attachments, &e.HalfAttachments)
	}
}

// text reads a string and decodes it, without a copy where it has no escapes.
func (s *scanner) text(m member, i int) (text []byte, end int) {
	end = s.str(i + 1)
	if end < 0 {
		return nil, -1
	}
	text = s.b[i+1 : end-1]
	if s.escaped {
		key, whole := unescape(s.keys[m-localKey][:0], text)
		s.keys[m-localKey] = key
		if !whole && m != connectorKey {
			return nil, s.refuse(i, memberNames[m]+` has half of a \u surrogate pair, so it is no issue key`)
		}
		text = key
	}
	return text, end
}

// counter reads a message sequence id. null counts as missing.
func (s *scanner) counter(m member, i int, to *int64, has *bool) int {
	end := s.value(i)
	if end < 0 || s.b[i] == 'n' {
		return end
	}
	if c := s.b[i]; c != '-' && (c < '0' || c > '9') {
		return s.refuse(i, memberNames[m]+" must be a number, found "+kindOf(c)+notExport)
	}
	if *to, *has = parseInt(s.b[i:end]); !*has {
		return s.refuse(i, memberNames[m]+" must be a whole number of at most 64 bits"+notExport)
	}
	return end
}

// parseInt gives the value of a JSON number that is written as a whole number and fits.
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

// kindOf names the kind of value that starts with c.
func kindOf(c byte) string {
	switch {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	}
	return found(c)
}

// unescape appends the decoded text of a valid JSON string to dst. whole is false if it had half a surrogate pair, which
// JSON allows but Unicode does not; it is replaced by U+FFFD.
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
