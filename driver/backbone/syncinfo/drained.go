package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
)

// InFlight is an issue with messages that one end has sent and the other has not applied.
type InFlight struct {
	From, To      string // names of the two readers
	FromKey       string // the issue where the messages were sent
	ToKey         string // the issue where they are to be applied
	Sent, Applied int64  // the two ends' message sequence ids
	Where         string // position of the second reader's entry, file:line:column
}

// String names both issues, the direction and the counters.
func (f InFlight) String() string {
	return fmt.Sprintf("%s (%s) to %s (%s): sent %d, applied %d", f.FromKey, f.From, f.ToKey, f.To, f.Sent, f.Applied)
}

// Drain is the outcome of Drained.
type Drain struct {
	Pairs      int        // pairs that both ends have
	Compared   int        // directions of pairs where both ends have the counter
	Unpaired   int        // entries of either end without a mirror at the other, which cannot be compared
	InFlight   int        // directions of pairs whose counters differ
	First      []InFlight // the first ten, in the order of the second reader
	Overrun    int        // of InFlight: more applied than sent, which waiting does not fix
	SumA, SumB int64      // sums of the outgoing ids of the two ends; -1 if it overflows

	// Pairs where a direction could not be compared: a counter is missing at one end, or is not a whole number of 64
	// bits. Whether something is in flight there is unknown.
	Uncompared      int
	FirstUncompared []Example // the first ten, in the order of the second reader
}

// Empty reports whether nothing is in flight among the directions that could be compared. Only if Uncompared and
// Unpaired are 0 are these all directions.
func (d *Drain) Empty() bool { return d.InFlight == 0 }

// String lists what is in flight and what could not be compared, one per line, or returns "" if there is neither.
func (d *Drain) String() string {
	var b strings.Builder
	if d.InFlight > 0 {
		fmt.Fprintf(&b, "%d still in flight\n", d.InFlight)
		for _, f := range d.First {
			fmt.Fprintf(&b, "  %s\n", f)
		}
		if n := d.InFlight - len(d.First); n > 0 {
			fmt.Fprintf(&b, "  and %d more\n", n)
		}
	}
	if d.Uncompared > 0 {
		fmt.Fprintf(&b, "%s that could not be compared\n", wording.Plural(d.Uncompared, "pair"))
		writeExamples(&b, d.FirstUncompared, d.Uncompared)
	}
	return b.String()
}

// Drained compares the message counters of both ends of a synchronization. For each issue where both ends have the
// counter, what A has sent must be what B has applied, and the other way round. (That the counters mean this is
// inferred from the vendor's samples.) It reads a to its end, then b. Its memory is that of a Set of a.
func Drained(ctx context.Context, a, b *Reader) (*Drain, error) {
	d := &Drain{}
	set := NewSet()
	err := walk(ctx, a, func(e *Entry) error {
		d.SumA = addSum(d.SumA, e.Sequence)
		return set.Add(e)
	})
	if err != nil {
		return nil, err
	}
	if _, _, err := set.Seal(); err != nil {
		return nil, err
	}
	err = walk(ctx, b, func(e *Entry) error {
		d.SumB = addSum(d.SumB, e.Sequence)
		m, err := set.MatchMirror(e)
		if err != nil {
			return err
		}
		switch m.Outcome {
		case Missing:
			d.Unpaired++
		case Matched:
			d.Pairs++
			d.compare(m.Sequence, e, a.Name(), b.Name())
		}
		return nil
	})
	d.Unpaired += set.Unmatched()
	if err != nil {
		return nil, err
	}
	return d, nil
}

func walk(ctx context.Context, r *Reader, do func(e *Entry) error) error {
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := context.Cause(ctx); err != nil {
				return fmt.Errorf("reading %s: %w", r.Name(), err)
			}
		}
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

// compare compares one pair: a holds the counters of the first end, b is the entry of the second.
func (d *Drain) compare(a Sequence, b *Entry, nameA, nameB string) {
	if !a.isKnown() || !b.Sequence.isKnown() {
		d.Uncompared++
		if len(d.FirstUncompared) < examples {
			text := pairName(b.LocalKey, b.RemoteKey) + ": " + a.lacks(b.Sequence, nameA, nameB)
			d.FirstUncompared = append(d.FirstUncompared, Example{b.Where(nameB), text})
		}
	}
	if a.HasOutgoing && b.Sequence.HasIncoming {
		d.Compared++
		if a.Outgoing != b.Sequence.Incoming {
			d.add(InFlight{From: nameA, To: nameB, FromKey: string(b.RemoteKey), ToKey: string(b.LocalKey),
				Sent: a.Outgoing, Applied: b.Sequence.Incoming, Where: b.Where(nameB)})
		}
	}
	if a.HasIncoming && b.Sequence.HasOutgoing {
		d.Compared++
		if b.Sequence.Outgoing != a.Incoming {
			d.add(InFlight{From: nameB, To: nameA, FromKey: string(b.LocalKey), ToKey: string(b.RemoteKey),
				Sent: b.Sequence.Outgoing, Applied: a.Incoming, Where: b.Where(nameB)})
		}
	}
}

func (d *Drain) add(f InFlight) {
	d.InFlight++
	if f.Applied > f.Sent {
		d.Overrun++
	}
	if len(d.First) < examples {
		d.First = append(d.First, f)
	}
}

// addSum adds an outgoing id to a sum. If it overflows, the sum becomes -1 and stays so.
func addSum(sum int64, q Sequence) int64 {
	if !q.HasOutgoing || q.Outgoing < 0 || sum < 0 {
		return sum
	}
	if sum += q.Outgoing; sum < 0 {
		return -1
	}
	return sum
}
