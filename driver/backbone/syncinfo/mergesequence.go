package syncinfo

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
)

// disagreement is one direction of one pair of entries whose message counters differ.
type disagreement struct {
	from, to       *side
	fromKey, toKey string
	sent, applied  int64
	fromAt, toAt   int64 // offsets of the two entries
}

// disagreements collects the disagreements, and keeps the first ten in the order of the migrating side's file.
type disagreements struct {
	count, overrun int // overrun: of count, those with more applied than sent
	first          lowest[disagreement]
	unknown        tally // pairs where a direction could not be compared
}

// add counts a disagreement. name is called only if it is among the first ten.
func (d *disagreements) add(moveAt int64, sent, applied int64, name func() disagreement) {
	d.count++
	if applied > sent {
		d.overrun++
	}
	if d.first.wants(moveAt) {
		one := name()
		one.sent, one.applied = sent, applied
		d.first.add(moveAt, one)
	}
}

// compareSequence compares each direction of one pair of entries for which both have the counter. e is the migrating
// side's entry.
func (m *merge) compareSequence(stay Sequence, stayAt int64, e *Entry) {
	move := e.Sequence
	if stay.HasOutgoing && move.HasIncoming && stay.Outgoing != move.Incoming {
		m.sequence.add(e.Offset, stay.Outgoing, move.Incoming, func() disagreement {
			return disagreement{from: m.stay, to: m.move, fromKey: clip(string(e.RemoteKey)),
				toKey: clip(string(e.LocalKey)), fromAt: stayAt, toAt: e.Offset}
		})
	}
	if stay.HasIncoming && move.HasOutgoing && move.Outgoing != stay.Incoming {
		m.sequence.add(e.Offset, move.Outgoing, stay.Incoming, func() disagreement {
			return disagreement{from: m.move, to: m.stay, fromKey: clip(string(e.LocalKey)),
				toKey: clip(string(e.RemoteKey)), fromAt: e.Offset, toAt: stayAt}
		})
	}
}

// noteUnknown notes a pair where a direction cannot be compared.
func (m *merge) noteUnknown(stay Sequence, e *Entry) {
	if !stay.isKnown() || !e.Sequence.isKnown() {
		m.sequence.unknown.add(m.move.name, e, func() string {
			return pairName(e.LocalKey, e.RemoteKey) + ": " + stay.lacks(e.Sequence, string(m.stay.role), string(m.move.role))
		})
	}
}

// compareRepeated compares those entries of the side that stays that repeat an earlier pair. While the migrating side
// was read, only the first entry of each pair was compared.
func (m *merge) compareRepeated() error {
	again := m.move.rereader()
	return m.set.duplicates(func(r *record) error {
		lo, hi := m.set.find(r.hash())
		for i := lo; i < hi; i++ {
			first := m.set.at(i)
			if first.place()&matchedBit == 0 {
				continue
			}
			e, err := again.entryAt(first.mirror())
			if err != nil {
				return err
			}
			if hi-lo > 1 { // equal hashes of different pairs
				own, err := m.stay.rereader().entryAt(r.offset())
				if err != nil {
					return err
				}
				if !bytes.Equal(own.LocalKey, e.RemoteKey) || !bytes.Equal(own.RemoteKey, e.LocalKey) {
					continue
				}
			}
			m.compareSequence(m.set.sequenceOf(r), r.offset(), e)
			return nil
		}
		return nil
	})
}

// checkSequence makes a finding of the disagreements, and a warning of what could not be compared.
func (m *merge) checkSequence() {
	d := &m.sequence
	if n := d.unknown.count; n > 0 {
		m.report.Uncompared = n
		m.report.Warnings = append(m.report.Warnings, d.unknown.finding("",
			"whether something is in flight is unknown of "+wording.Plural(n, "pair")+": a message sequence id is missing"))
	}
	if d.count == 0 {
		return
	}
	var parts []string
	if n := d.count - d.overrun; n > 0 {
		parts = append(parts, wording.Plural(n, "direction")+" still in flight or in error: start both ends again "+
			"until their queues are empty, stop them and download both files again")
	}
	if d.overrun > 0 {
		parts = append(parts, wording.Plural(d.overrun, "direction")+" with more messages applied than sent, which no "+
			"waiting mends: the two files are not of the same moment, or not of the same synchronization; stop both ends "+
			"and download both files again")
	}
	f := Finding{Rule: SeqDiffer, Count: d.count, Message: "the two sides' message sequence ids disagree: " +
		strings.Join(parts, "; ")}
	for _, one := range d.first.sorted() {
		f.Examples = append(f.Examples, one.example())
	}
	f.Where = f.Examples[0].Where
	m.found(f)
}

// example returns the example for a finding, at the entry that has applied too few or too many messages.
func (d *disagreement) example() Example {
	sender := fmt.Sprintf("%s (%s, %s)", d.fromKey, d.from.role, d.from.places[d.fromAt].Where)
	text := fmt.Sprintf("%s has sent %d messages, %s (%s) has applied %d", sender, d.sent, d.toKey, d.to.role, d.applied)
	if d.applied > d.sent {
		text = fmt.Sprintf("%s (%s) has applied %d messages, more than the %d that %s has sent", d.toKey, d.to.role,
			d.applied, d.sent, sender)
	}
	return Example{Where: d.to.places[d.toAt].Where, Text: text}
}
