package syncinfo

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// proof shows that the two files have the same pairs, mirrored, each issue in one pair, and that their message
// counters agree. It needs no Set of the pairs, and each file is read once. It succeeds if the issues of each side are
// of one project, nearly all numbers of which are used, and nothing is wrong. If it fails, nothing is known, and the
// pairs are compared in another reading.
//
// It adds the hashes of the pairs of the side that stays, and subtracts those of the migrating side's. As the issues of
// the side that stays are all different, and both sides have the same number of pairs, the sum of different pairs is 0
// with a probability of 1 in 2^64.
type proof struct {
	seed          maphash.Seed
	projects      [2][]byte // of the side that stays: local, remote; with the dash
	seen          [2]numbers
	pairs         int // of the side that stays, less those of the other side
	sum           uint64
	failed, begun bool
}

func newProof(seed maphash.Seed, size int64) *proof {
	return &proof{seed: seed, seen: [2]numbers{newNumbers(size), newNumbers(size)}}
}

// stays adds an entry of the side that stays.
func (p *proof) stays(e *Entry) {
	if !p.begun {
		p.begun = true
		for i, key := range [2][]byte{e.LocalKey, e.RemoteKey} {
			p.projects[i] = bytes.Clone(key[:bytes.LastIndexByte(key, '-')+1])
		}
	}
	local, remote := p.number(0, e.LocalKey), p.number(1, e.RemoteKey)
	p.failed = p.failed || !p.seen[0].add(local) || !p.seen[1].add(remote)
	p.sum += p.hash(local, remote, e.Sequence.Outgoing, e.Sequence.Incoming, e.Sequence.isKnown())
	p.pairs++
}

// migrates adds an entry of the migrating side.
func (p *proof) migrates(e *Entry) {
	local, remote := p.number(0, e.RemoteKey), p.number(1, e.LocalKey)
	p.sum -= p.hash(local, remote, e.Sequence.Incoming, e.Sequence.Outgoing, e.Sequence.isKnown())
	p.pairs--
}

// number returns the number of an issue in one of the two projects.
func (p *proof) number(project int, key []byte) uint32 {
	digits, in := bytes.CutPrefix(key, p.projects[project])
	n, ok := numberIn(digits)
	p.failed = p.failed || !in || !ok
	return n
}

func (p *proof) hash(local, remote uint32, out, in int64, known bool) uint64 {
	p.failed = p.failed || !known
	var b [24]byte
	binary.LittleEndian.PutUint32(b[0:], local)
	binary.LittleEndian.PutUint32(b[4:], remote)
	binary.LittleEndian.PutUint64(b[8:], uint64(out))
	binary.LittleEndian.PutUint64(b[16:], uint64(in))
	return maphash.Bytes(p.seed, b[:])
}

// holds reports whether the proof has succeeded, once both files have been read.
func (p *proof) holds() bool { return !p.failed && p.pairs == 0 && p.sum == 0 }
