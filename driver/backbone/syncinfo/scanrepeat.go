package syncinfo

import (
	"bytes"
	"slices"
)

// ascends reports whether b comes after a in the order of numbers: longer texts come after shorter ones. A sequence
// of texts that ascend has no duplicates.
func ascends(a, b []byte) bool {
	return len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0
}

// pairOrder records whether the ids of a list of comments or attachments ascend, as far as it has been read.
type pairOrder struct {
	last   [2][]byte // localId, remoteId
	broken bool      // they do not, or it would be costly to tell
}

func (o *pairOrder) add(b []byte, p *pairSpan) {
	if o.broken {
		return
	}
	o.broken = p.twice
	for i, id := range [2]span{p.local, p.remote} {
		if id.to == 0 {
			continue
		}
		text, escaped := idText(id.of(b))
		o.broken = o.broken || escaped || o.last[i] != nil && !ascends(o.last[i], text)
		o.last[i] = text
	}
}

// idText returns an id without its quotes, and whether it has escapes. It does not matter whether an id is written as
// a number or as a string.
func idText(value []byte) (text []byte, escaped bool) {
	if value[0] != '"' {
		return value, false
	}
	value = value[1 : len(value)-1]
	return value, bytes.IndexByte(value, '\\') >= 0
}

// repeatedID names an id that two of the objects at the places share, as "localId 10019 twice", or returns "" if
// there is none.
func (s *scanner) repeatedID(places []int) string {
	texts := [2][][]byte{make([][]byte, 0, len(places)), make([][]byte, 0, len(places))}
	for _, at := range places {
		var p pairSpan
		s.pair(at, &p)
		if p.twice {
			return "localId or remoteId twice in one object"
		}
		for i, id := range [2]span{p.local, p.remote} {
			if id.to == 0 {
				continue
			}
			text, escaped := idText(id.of(s.b))
			if escaped {
				text, _ = unescape(nil, text)
			}
			texts[i] = append(texts[i], text)
		}
	}
	for i, name := range [2]string{"localId", "remoteId"} {
		slices.SortFunc(texts[i], bytes.Compare)
		for k := 1; k < len(texts[i]); k++ {
			if bytes.Equal(texts[i][k-1], texts[i][k]) {
				return name + " " + clip(string(texts[i][k])) + " twice"
			}
		}
	}
	return ""
}
