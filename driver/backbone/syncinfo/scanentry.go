package syncinfo

import "strconv"

// member is a member of an entry that has a meaning here. All others are checked and otherwise ignored.
type member uint8

const (
	otherMember member = iota
	localKey
	remoteKey
	connectorKey
	entryID
	outgoing
	incoming
	lastOutgoing // nobody needs its value, but it must occur only once
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
	case "id":
		return entryID
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
	localKey: "localIssueKey", remoteKey: "remoteIssueKey", connectorKey: "connectorKey",
	entryID: "id", outgoing: "outgoingMessageSequenceId", incoming: "incomingMessageSequenceId",
	lastOutgoing: "lastOutgoingChange", comments: "comments", attachments: "attachments",
}

// entry reads the entry at i into e, except its position in the file.
func (s *scanner) entry(i int, e *Entry) int {
	e.reset()
	s.pairs[0], s.pairs[1] = s.pairs[0][:0], s.pairs[1][:0]
	if !s.keepTexts {
		s.decoded = s.decoded[:0]
	}
	b, start := s.b, i
	if b[i] != '{' {
		if b[i] == ']' || b[i] == ',' {
			return s.fail(i, "unexpected comma before %s", b[i])
		}
		return s.refuse(i, "an entry must be an object, found "+kindOf(b[i])+notExport)
	}
	var seen uint16 // bit m: member m has occurred
	i++
	for s.last, s.lastEnd, s.within = &s.brace, i, 0; ; {
		f, name, value := s.member(i, &seen)
		if i = value; i < 0 {
			return -1
		}
		if f == &s.closing {
			break
		}
		m := f.m
		if m == otherMember {
			i = s.value(i)
		} else {
			if seen>>m&1 == 1 {
				return s.refuse(name, "the entry has "+memberNames[m]+" twice; remove one of them")
			}
			seen |= 1 << m
			i = s.known(m, i, e)
		}
		if i < 0 {
			return -1
		}
		s.passed(f, i)
	}
	for _, m := range [...]member{localKey, remoteKey} {
		if seen>>m&1 == 0 {
			return s.refuse(start, "the entry has no "+memberNames[m]+notExport)
		}
	}
	e.Raw = b[start:i:i]
	return i
}

const notExport = `; use the file of "Download synchronized issues" as it was downloaded`

// known reads the value of a member that has a meaning here.
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
	case entryID:
		return s.id(i, e)
	case outgoing:
		return s.counter(m, i, e, &e.Sequence.Outgoing, &e.Sequence.HasOutgoing)
	case incoming:
		return s.counter(m, i, e, &e.Sequence.Incoming, &e.Sequence.HasIncoming)
	case lastOutgoing:
		return s.value(i)
	case comments:
		return s.pairList(m, i, &e.Comments, &e.HalfComments, &e.RepeatedComment)
	default:
		return s.pairList(m, i, &e.Attachments, &e.HalfAttachments, &e.RepeatedAttachment)
	}
}

// text reads a string and decodes it. It makes no copy if there are no escapes.
func (s *scanner) text(m member, i int) (text []byte, end int) {
	end = s.str(i + 1)
	if end < 0 {
		return nil, -1
	}
	text = s.b[i+1 : end-1]
	if s.escaped {
		from := len(s.decoded)
		var whole bool
		s.decoded, whole = unescape(s.decoded, text)
		if !whole && (m == localKey || m == remoteKey) {
			return nil, s.refuse(i, memberNames[m]+` has half of a \u surrogate pair, so it is not an issue key`)
		}
		text = s.decoded[from:]
	}
	return text, end
}

// id reads the entry's id. A whole number becomes its plain digits, however it is written.
func (s *scanner) id(i int, e *Entry) (end int) {
	switch c := s.b[i]; {
	case c == '"':
		e.ID, end = s.text(entryID, i)
	case c == '-' || '0' <= c && c <= '9':
		if _, end = shortNumber(s.b, i); end >= 0 {
			e.ID = s.b[i:end]
			break
		}
		if end = s.number(i); end < 0 {
			return -1
		}
		e.ID = s.b[i:end]
		if digits(s.b, i) < end {
			if n, whole := parseWhole(e.ID); whole {
				from := len(s.decoded)
				s.decoded = strconv.AppendInt(s.decoded, n, 10)
				e.ID = s.decoded[from:]
			}
		}
	default:
		end = s.value(i)
	}
	return end
}

// counter reads a message sequence id. null counts as missing. So does a number that cannot be one, which also sets
// OddSequence.
func (s *scanner) counter(m member, i int, e *Entry, to *int64, has *bool) int {
	if n, end := shortNumber(s.b, i); end >= 0 {
		*to, *has = n, true
		return end
	}
	end := s.value(i)
	if end < 0 || s.b[i] == 'n' {
		return end
	}
	if c := s.b[i]; c != '-' && (c < '0' || c > '9') {
		return s.refuse(i, memberNames[m]+" must be a number, found "+kindOf(c)+notExport)
	}
	if *to, *has = parseInt(s.b[i:end]); !*has {
		if *to, *has = parseWhole(s.b[i:end]); !*has {
			e.OddSequence = true
		}
	}
	return end
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
