package syncinfo

import (
	"encoding/binary"
	"hash/maphash"
)

// proof shows that the two files have the same pairs, mirrored, each issue in one pair, and that their message
// counters agree. It needs no Set of the pairs, and each file is read once. If it fails, nothing is known, and the
// pairs are compared in another reading.
//
// It adds the hashes of the pairs of the side that stays, and subtracts those of the migrating side's. As the issues of
// the side that stays are all different, and both sides have the same number of pairs, the sum of different pairs is 0
// with a probability of about 1 in 2^64.
type proof struct {
	seed   maphash.Seed
	issues [2]distinct // of the side that stays: local, remote
	pairs  int         // of the side that stays, less those of the other side
	sum    uint64
	text   []byte // that was hashed last
	silent bool   // the side that stays begins with an entry without counters; then none may have one
	failed bool
}

func newProof(m *merge) *proof {
	p := &proof{seed: m.set.seed}
	for i := range p.issues {
		p.issues[i] = m.newDistinct(m.stay)
	}
	return p
}

// stays adds an entry of the side that stays.
func (p *proof) stays(e *Entry) {
	p.issues[0].add(e.LocalKey)
	p.issues[1].add(e.RemoteKey)
	if p.pairs == 0 {
		p.silent = e.Sequence == Sequence{}
	}
	p.sum += p.hash(e.LocalKey, e.RemoteKey, e.Sequence.Outgoing, e.Sequence.Incoming, e.Sequence)
	p.pairs++
}

// stayed is called once the side that stays has been read.
func (p *proof) stayed() {
	for i := range p.issues {
		p.failed = !p.issues[i].end() || p.failed
	}
}

// migrates adds an entry of the migrating side.
func (p *proof) migrates(e *Entry) {
	p.sum -= p.hash(e.RemoteKey, e.LocalKey, e.Sequence.Incoming, e.Sequence.Outgoing, e.Sequence)
	p.pairs--
}

func (p *proof) hash(local, remote []byte, out, in int64, of Sequence) uint64 {
	if p.silent {
		p.failed = p.failed || of != Sequence{}
	} else {
		p.failed = p.failed || !of.isKnown()
	}
	b := append(append(p.text[:0], local...), remote...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(local))) // so that it is clear where one key ends
	b = binary.LittleEndian.AppendUint64(b, uint64(out))
	p.text = binary.LittleEndian.AppendUint64(b, uint64(in))
	return maphash.Bytes(p.seed, p.text)
}

// holds reports whether the proof has succeeded, once both files have been read.
func (p *proof) holds() bool { return !p.failed && p.pairs == 0 && p.sum == 0 }
