package syncinfo

// span is a piece of a scanner's data. The zero span is none.
type span struct{ from, to int }

func (p span) of(b []byte) []byte { return b[p.from:p.to] }

// pairSpan is where the parts of one {localId, remoteId} object stand.
type pairSpan struct {
	list          member // comments or attachments
	local, remote span   // the values as written, quotes included; none if missing or null
	localNull     span   // a localId that is null
	remoteNull    span
	gap           span // white space between '{' and the first member
	colon         span // from behind the first name to its value
	last          int  // behind the last member's value
}

// half says whether exactly one of the two ids is there.
func (p *pairSpan) half() bool { return (p.local.to == 0) != (p.remote.to == 0) }

// pairList reads the value of comments or attachments. What is no array of objects is unknown to us: checked, left
// alone, not counted.
func (s *scanner) pairList(m member, i int, count, half *int) int {
	b := s.b
	if b[i] != '[' {
		return s.value(i)
	}
	i = skipSpace(b, i+1)
	if b[i] == ']' {
		return i + 1
	}
	for {
		if b[i] == '{' {
			p := pairSpan{list: m}
			if i = s.pair(i, &p); i < 0 {
				return -1
			}
			*count++
			if p.half() {
				*half++
			}
			if s.keepPairs {
				s.pairs = append(s.pairs, p)
			}
		} else if i = s.value(i); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		if b[i] == ']' {
			return i + 1
		}
		if b[i] != ',' {
			return s.fail(i, missingComma(b[i], false))
		}
		if i = skipSpace(b, i+1); b[i] == ']' {
			return s.fail(i, "there is a comma too many before ']'")
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
		p.set(string(name), span{value, i}, b[value] == 'n')
		i = skipSpace(b, i)
		if b[i] == '}' {
			return i + 1
		}
		if b[i] != ',' {
			return s.fail(i, missingComma(b[i], true))
		}
		before = i
		i = skipSpace(b, i+1)
	}
}

func (p *pairSpan) set(name string, value span, null bool) {
	switch {
	case name == "localId" && null:
		p.localNull = value
	case name == "localId":
		p.local = value
	case name == "remoteId" && null:
		p.remoteNull = value
	case name == "remoteId":
		p.remote = value
	}
}

// shift moves all places by so many bytes.
func (p *pairSpan) shift(by int) {
	for _, s := range [...]*span{&p.local, &p.remote, &p.localNull, &p.remoteNull, &p.gap, &p.colon} {
		if s.to != 0 {
			s.from, s.to = s.from+by, s.to+by
		}
	}
	p.last += by
}
