package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/printable"
)

// pairsSeen sums up the pairs of a connector. Whether two ends agree can be checked without having both lists of
// pairs in one place: the digests of one end are compared with the mirrored digests of the other.
type pairsSeen struct {
	Pairs           int   `json:"pairs"`
	Comments        int   `json:"comments"`
	HalfComments    int   `json:"half_comments"`
	Attachments     int   `json:"attachments"`
	HalfAttachments int   `json:"half_attachments"`
	Sent            int64 `json:"sent"`      // sum of all message numbers sent; -1 if it overflows
	Uncounted       int   `json:"uncounted"` // pairs that do not say how many messages were sent, or applied

	Keys         digest `json:"keys"`          // of the pairs
	MirroredKeys digest `json:"mirrored_keys"` // as the other end has them
	Outgoing     digest `json:"outgoing"`      // of the pairs, with the number of messages sent
	// of the pairs as the other end has them, with the number of messages applied
	Incoming digest `json:"incoming"`
}

// digest is a sum of hashes, so it does not depend on the order of the pairs.
type digest [2]uint64

// MarshalText writes the sum in hexadecimal.
func (d digest) MarshalText() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, d[0]), d[1])
	return []byte(hex.EncodeToString(b)), nil
}

// UnmarshalText reads the output of MarshalText.
func (d *digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != 16 {
		return fmt.Errorf("reading a digest: %q is not one", text)
	}
	d[0], d[1] = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	return nil
}

// add adds a pair, with a message number if there is one.
func (d *digest) add(local, remote []byte, number int64, has bool) {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, len(local)+len(remote)+16), uint32(len(local)))
	b = append(append(b, local...), remote...)
	if has {
		b = binary.BigEndian.AppendUint64(append(b, 0), uint64(number))
	}
	sum := sha256.Sum256(b)
	var carry uint64
	d[1], carry = bits.Add64(d[1], binary.BigEndian.Uint64(sum[8:]), 0)
	d[0], _ = bits.Add64(d[0], binary.BigEndian.Uint64(sum[:]), carry)
}

func (p *pairsSeen) add(e *syncinfo.Entry) {
	p.Keys.add(e.LocalKey, e.RemoteKey, 0, false)
	p.MirroredKeys.add(e.RemoteKey, e.LocalKey, 0, false)
	p.Outgoing.add(e.LocalKey, e.RemoteKey, e.Sequence.Outgoing, e.Sequence.HasOutgoing)
	p.Incoming.add(e.RemoteKey, e.LocalKey, e.Sequence.Incoming, e.Sequence.HasIncoming)
	if !e.Sequence.HasOutgoing || !e.Sequence.HasIncoming {
		p.Uncounted++
	}
}

// agrees reports whether two ends have the same pairs, each with the same message numbers.
func (p *pairsSeen) agrees(q *pairsSeen) bool {
	return p.Keys == q.MirroredKeys && q.Keys == p.MirroredKeys && p.Outgoing == q.Incoming && q.Outgoing == p.Incoming
}

// pairs reads all pairs of a connector and returns only their summary.
func (c *reader) pairs(ctx context.Context, connector string) (*pairsSeen, error) {
	p := &pairsSeen{}
	var t syncinfo.Tally
	err := c.eachPair(ctx, connector, func(e *syncinfo.Entry) { p.add(e) }, syncinfo.Counting(&t))
	if err != nil {
		return nil, err
	}
	p.Pairs, p.Comments, p.HalfComments, p.Attachments, p.HalfAttachments = t.Pairs, t.Comments, t.HalfComments,
		t.Attachments, t.HalfAttachments
	p.Sent = t.SumOutgoing
	return p, nil
}

// tally counts a connector's pairs.
func (c *reader) tally(ctx context.Context, connector string) (t syncinfo.Tally, err error) {
	err = c.eachPair(ctx, connector, func(*syncinfo.Entry) {}, syncinfo.Counting(&t))
	return t, err
}

func (c *reader) eachPair(ctx context.Context, connector string, do func(*syncinfo.Entry),
	options ...syncinfo.ReaderOption) error {
	body, err := c.syncInformation(ctx, connector)
	if err != nil {
		return err
	}
	defer body.Close()
	r := syncinfo.NewArrayReader(connector, body, options...)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the pairs of connector %s: %w", connector, err)
		}
		do(e)
	}
}

// mostByName is the number of pairs up to which pairs are observed by name when the two ends disagree. With more, the
// plan only says that they disagree. The checks during the run read both ends at once and say where.
const mostByName = 100_000

// pairListSeen lists the pairs of a connector by name.
type pairListSeen struct {
	List []pairSeen `json:"list"`
}

type pairSeen struct {
	Local    string `json:"l"`
	Remote   string `json:"r"`
	Outgoing *int64 `json:"o,omitempty"` // nil: unknown
	Incoming *int64 `json:"i,omitempty"` // nil: unknown
}

func (c *reader) pairList(ctx context.Context, connector string) (*pairListSeen, error) {
	p := &pairListSeen{}
	err := c.eachPair(ctx, connector, func(e *syncinfo.Entry) {
		s := pairSeen{Local: string(e.LocalKey), Remote: string(e.RemoteKey)}
		if q := e.Sequence; q.HasOutgoing {
			s.Outgoing = &q.Outgoing
		}
		if q := e.Sequence; q.HasIncoming {
			s.Incoming = &q.Incoming
		}
		p.List = append(p.List, s)
	})
	return p, err
}

// comparison is the result of comparing the pairs of both halves of the original.
type comparison struct {
	matched    int      // pairs that both ends have
	unmatched  int      // pairs that only one end has
	lonely     []string // the first of them, in words
	inFlight   int      // issues with messages that are not applied yet, by their message numbers
	flying     []string // the first of them, in words
	uncompared int      // pairs where an end lacks a message number, so that they cannot be compared
	unnamed    bool     // the ends disagree, and have too many pairs to say where
}

// mostNamed is the number of pairs that are named.
const mostNamed = 10

// compare compares the pairs of two ends. If the summaries disagree and byName has both lists, it compares pair by
// pair. again is the current list of the end that was read first, or nil if it was not read again.
func compare(a, b *pairsSeen, nameA, nameB string, byName [2]*pairListSeen, again *pairListSeen) comparison {
	var c comparison
	switch {
	case a.agrees(b):
		c.matched, c.uncompared = a.Pairs, a.Uncounted
	case byName[0] != nil && byName[1] != nil:
		var later []pairSeen
		if again != nil {
			later = again.List
		}
		c.byName(nameA, nameB, byName[0].List, byName[1].List, later)
	default:
		c.unnamed = true
		if a.Keys == b.MirroredKeys {
			c.matched, c.inFlight = a.Pairs, 1
		} else {
			c.matched, c.unmatched = min(a.Pairs, b.Pairs), max(a.Pairs-b.Pairs, b.Pairs-a.Pairs, 1)
		}
		c.uncompared = max(a.Uncounted, b.Uncounted)
	}
	return c
}

// byName compares both lists. Pairs that B has and A lacks are looked up in later, a newer list of A: they were made
// after A was read.
func (c *comparison) byName(nameA, nameB string, listA, listB, later []pairSeen) {
	type keys struct{ local, remote string }
	at, since := map[keys]int{}, map[keys]bool{}
	for _, p := range later {
		since[keys{p.Local, p.Remote}] = true
	}
	for i, p := range listA {
		at[keys{p.Local, p.Remote}] = i + 1
	}
	matched := map[int]bool{}
	for _, p := range listB {
		i := at[keys{p.Remote, p.Local}]
		if i == 0 && since[keys{p.Remote, p.Local}] {
			delete(since, keys{p.Remote, p.Local})
			c.matched++
			continue
		}
		if i == 0 || matched[i] {
			c.alone(p, nameB)
			continue
		}
		matched[i] = true
		c.matched++
		q := listA[i-1]
		if q.Outgoing == nil || q.Incoming == nil || p.Outgoing == nil || p.Incoming == nil {
			c.uncompared++
		}
		c.direction(q.Outgoing, p.Incoming, syncinfo.InFlight{From: nameA, To: nameB, FromKey: q.Local, ToKey: p.Local})
		c.direction(p.Outgoing, q.Incoming, syncinfo.InFlight{From: nameB, To: nameA, FromKey: p.Local, ToKey: q.Local})
	}
	for i, p := range listA {
		if !matched[i+1] {
			c.alone(p, nameA)
		}
	}
}

func (c *comparison) alone(p pairSeen, connector string) {
	c.unmatched++
	if len(c.lonely) < mostNamed {
		c.lonely = append(c.lonely, printable.Line(fmt.Sprintf("%s with %s is on %s only", p.Local, p.Remote, connector)))
	}
}

func (c *comparison) direction(sent, applied *int64, f syncinfo.InFlight) {
	if sent == nil || applied == nil || *sent == *applied {
		return
	}
	c.inFlight++
	if f.Sent, f.Applied = *sent, *applied; len(c.flying) < mostNamed {
		c.flying = append(c.flying, f.String())
	}
}
