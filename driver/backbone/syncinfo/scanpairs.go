package syncinfo

// span is a piece of a scanner's data. The zero span stands for none.
type span struct{ from, to int }

func (p span) of(b []byte) []byte { return b[p.from:p.to] }

// pairSpan holds the positions of the parts of one {localId, remoteId} object.
type pairSpan struct {
	local, remote span // the values as written, with quotes; zero if missing, null or ""
	localNull     span // a localId that is null or ""
	remoteNull    span
	gap           span      // white space between '{' and the first member
	colon         span      // from the end of the first name to its value
	last          int       // end of the last member's value
	twice         bool      // one of the two ids occurs twice
	order         [2]uint64 // if it is known: see orderOf
}

// half reports whether exactly one of the two ids exists.
func (p *pairSpan) half() bool { return (p.local.to == 0) != (p.remote.to == 0) }

// pairList reads the value of comments or attachments. A value that is not an array, and elements that are not
// objects, are unknown to us: they are checked, left as they are, and not counted.
func (s *scanner) pairList(m member, i int, count, half *int, repeated *string) int {
	b := s.b
	if b[i] != '[' {
		return s.value(i)
	}
	places := &s.pairs[m-comments]
	ascending := pairOrder{}
	i = skipSpace(b, i+1)
	if b[i] == ']' {
		return i + 1
	}
	for {
		if b[i] == '{' {
			var p pairSpan
			at := i
			if i = s.likePair(at, &p); i < 0 {
				if i = s.pair(at, &p); i < 0 {
					return -1
				}
				s.rememberPair(at, i, &p)
			}
			*count++
			if p.half() {
				*half++
			}
			if (s.keepPairs || s.findTwice) && (p.local.to+p.remote.to > 0 || p.twice) {
				*places = append(*places, at)
				ascending.add(b, &p)
			}
		} else if i = s.value(i); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		if b[i] == ']' {
			if s.findTwice && ascending.broken {
				*repeated = s.repeatedID(*places)
			}
			return i + 1
		}
		if b[i] != ',' {
			return s.fail(i, missingComma(b[i], false), b[i])
		}
		if i = skipSpace(b, i+1); b[i] == ']' {
			return s.fail(i, "unexpected comma before ']'", 0)
		}
	}
}

// pair reads one {localId, remoteId} object.
func (s *scanner) pair(i int, p *pairSpan) int {
	b, before := s.b, i
	i = skipSpace(b, i+1)
	p.gap = span{before + 1, i}
	if b[i] == '}' {
		return i + 1
	}
	for {
		at := i
		if i = s.name(i, before); i < 0 {
			return -1
		}
		// The name's closing quote is the last one before the value.
		end := i
		for b[end-1] != '"' {
			end--
		}
		name := b[at+1 : end-1]
		if p.colon.to == 0 {
			p.colon = span{end, i}
		}
		if s.escaped {
			name, _ = unescape(nil, name)
		}
		value := i
		if i = s.value(i); i < 0 {
			return -1
		}
		p.last = i
		p.set(name, span{value, i}, b[value] == 'n' || b[value] == '"' && i == value+2)
		i = skipSpace(b, i)
		if b[i] == '}' {
			return i + 1
		}
		if b[i] != ',' {
			return s.fail(i, missingComma(b[i], true), b[i])
		}
		before = i
		i = skipSpace(b, i+1)
	}
}

// set records a member. none says that its value is not an id.
func (p *pairSpan) set(name []byte, value span, none bool) {
	var id, null *span
	switch string(name) {
	case "localId":
		id, null = &p.local, &p.localNull
	case "remoteId":
		id, null = &p.remote, &p.remoteNull
	default:
		return
	}
	p.twice = p.twice || id.to+null.to > 0
	if none {
		id = null
	}
	*id = value
}
