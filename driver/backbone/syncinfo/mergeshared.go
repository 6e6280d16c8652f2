package syncinfo

import "context"

// findShared finds the issues that are in more than one pair, in either of the two files: an issue has only one
// partner. Pairs that both files have are looked up in the file of the side that stays.
func (m *merge) findShared(ctx context.Context) error {
	m.extra.turn()
	err := m.findSharedKeys(ctx, &m.stay.sharedLocal, &m.move.sharedRemote, func(e *Entry, in *side) []byte {
		if in == m.stay {
			return e.LocalKey
		}
		return e.RemoteKey
	})
	if err != nil {
		return err
	}
	m.extra.turn()
	m.set.turn()
	err = m.findSharedKeys(ctx, &m.stay.sharedRemote, &m.move.sharedLocal, func(e *Entry, in *side) []byte {
		if in == m.stay {
			return e.RemoteKey
		}
		return e.LocalKey
	})
	if m.o.CompleteComments {
		m.set.turn() // complete looks up pairs again
	}
	return err
}

// findSharedKeys finds the shared issues of one of the two projects. key returns the issue of an entry in that
// project.
func (m *merge) findSharedKeys(ctx context.Context, ofStay, ofMove *repeats,
	key func(e *Entry, in *side) []byte) error {
	type place struct {
		in *side
		at int64
	}
	seen := map[string]place{}
	return sharedKeys(m.set, m.extra, func(stay, move run) error {
		clear(seen)
		for _, part := range []struct {
			run
			in    *side
			cases *repeats
		}{{stay, m.stay, ofStay}, {move, m.move, ofMove}} {
			for i := range part.n {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				at := part.s.at(part.from + i).offset()
				e, err := part.in.rereader().entryAt(at)
				if err != nil {
					return err
				}
				k := key(e, part.in)
				if first, again := seen[string(k)]; again {
					part.cases.add(repeat{at: at, first: first.at, in: first.in})
				} else {
					seen[string(k)] = place{part.in, at}
				}
			}
		}
		return nil
	})
}
