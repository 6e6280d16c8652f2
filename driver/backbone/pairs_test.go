package backbone

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"pgregory.net/rapid"
)

// TestPartnerMustShow checks that two halves without a common pair, whose partners cannot be read, are not taken for
// one synchronization, unless the declaration names both by their keys.
func TestPartnerMustShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		partners, keys [2]string
		matched        int
		refused        bool
	}{
		"nothing shows it":       {refused: true},
		"one partner alone":      {partners: [2]string{"B", ""}, refused: true},
		"one key alone":          {keys: [2]string{"INT-4", ""}, refused: true},
		"both partners":          {partners: [2]string{"B", "A"}},
		"both keys are declared": {keys: [2]string{"INT-4", "INT-5"}},
		"a pair in common":       {matched: 1},
	} {
		var halves [2]*live
		for i := range halves {
			halves[i] = &live{syncSeen: &syncSeen{integration: integration{Partner: c.partners[i]}},
				end: &end{endBlock: &endBlock{Key: c.keys[i]}}}
		}
		if got := belongTogether(halves[0], halves[1], c.matched); got == c.refused {
			t.Errorf("%s: they belong together: %v", name, got)
		}
	}
}

// TestDigestsAgreeWithPairs checks that comparing the digests of two ends gives the same result as comparing their
// pairs by name.
func TestDigestsAgreeWithPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Custom(func(t *rapid.T) *int64 {
			if n := rapid.Int64Range(-1, 2).Draw(t, "n"); n >= 0 {
				return &n
			}
			return nil
		})
		one := rapid.Custom(func(t *rapid.T) pairSeen {
			return pairSeen{
				Local:    rapid.SampledFrom([]string{"A-1", "A-2", "A-11"}).Draw(t, "local"),
				Remote:   rapid.SampledFrom([]string{"B-1", "B-2", "1B-1"}).Draw(t, "remote"),
				Outgoing: number.Draw(t, "out"), Incoming: number.Draw(t, "in"),
			}
		})
		key := func(p pairSeen) string { return p.Local + " " + p.Remote }
		a := rapid.SliceOfNDistinct(one, 0, 4, key).Draw(t, "a")
		var b []pairSeen
		for _, p := range a { // the pairs of the other end once everything is applied
			b = append(b, pairSeen{Local: p.Remote, Remote: p.Local, Outgoing: p.Incoming, Incoming: p.Outgoing})
		}
		if len(b) > 0 && rapid.Bool().Draw(t, "changed") {
			i := rapid.IntRange(0, len(b)-1).Draw(t, "where")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				b = slices.Delete(b, i, i+1)
			case 1:
				b[i].Incoming = number.Draw(t, "changed in")
			case 2:
				b[i].Remote += "0"
			}
		}
		slices.Reverse(b)
		sumA, sumB := summed(a), summed(b)
		var byName comparison
		byName.byName("a", "b", a, b, nil)
		same := byName.unmatched == 0 && byName.inFlight == 0
		for _, p := range a {
			i := slices.IndexFunc(b, func(q pairSeen) bool { return q.Local == p.Remote && q.Remote == p.Local })
			same = same && i >= 0 && cmp.Equal(p.Outgoing, b[i].Incoming) && cmp.Equal(p.Incoming, b[i].Outgoing)
		}
		if sumA.agrees(sumB) != same {
			t.Fatalf("the digests agree: %v; the pairs do: %v", sumA.agrees(sumB), same)
		}
		if !same {
			return
		}
		got := compare(sumA, sumB, "a", "b", [2]*pairListSeen{}, nil)
		if got.matched != byName.matched || got.uncompared != byName.uncompared || got.unmatched+got.inFlight != 0 {
			t.Fatalf("by digests %+v, by name %+v", got, byName)
		}
	})
}

func summed(list []pairSeen) *pairsSeen {
	p := &pairsSeen{Pairs: len(list)}
	for _, s := range list {
		e := &syncinfo.Entry{LocalKey: []byte(s.Local), RemoteKey: []byte(s.Remote)}
		if s.Outgoing != nil {
			e.Sequence.Outgoing, e.Sequence.HasOutgoing = *s.Outgoing, true
		}
		if s.Incoming != nil {
			e.Sequence.Incoming, e.Sequence.HasIncoming = *s.Incoming, true
		}
		p.add(e)
	}
	return p
}

// TestTooManyToName checks that two large ends that disagree are refused, without naming the pairs.
func TestTooManyToName(t *testing.T) {
	t.Parallel()
	one, two := int64(1), int64(2)
	a := []pairSeen{{Local: "A-1", Remote: "B-1", Outgoing: &one, Incoming: &one}}
	behind := []pairSeen{{Local: "B-1", Remote: "A-1", Outgoing: &one, Incoming: &two}}
	other := []pairSeen{{Local: "B-2", Remote: "A-1", Outgoing: &one, Incoming: &one}}
	if c := compare(summed(a), summed(behind), "a", "b", [2]*pairListSeen{}, nil); !c.unnamed || c.inFlight == 0 ||
		c.unmatched != 0 || c.matched != 1 {
		t.Errorf("a message in flight: %+v", c)
	}
	if c := compare(summed(a), summed(other), "a", "b", [2]*pairListSeen{}, nil); !c.unnamed || c.unmatched == 0 {
		t.Errorf("another pair: %+v", c)
	}
}

func TestDigestAsText(t *testing.T) {
	t.Parallel()
	var d, back digest
	d.add([]byte("A-1"), []byte("B-1"), 7, true)
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || back != d || d == (digest{}) {
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []string{`""`, `"00"`, `"x"`, `"000000000000000000000000000000000"`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is taken for a digest", bad)
		}
	}
}

// TestMadeBetweenTheLooks checks that a pair that was made after one end was read, and before the other was, does not
// count as unmatched. A pair that is still missing does.
func TestMadeBetweenTheLooks(t *testing.T) {
	t.Parallel()
	old, made := pairSeen{Local: "A-1", Remote: "B-1"}, pairSeen{Local: "A-2", Remote: "B-2"}
	mirror := func(list ...pairSeen) (out []pairSeen) {
		for _, p := range list {
			out = append(out, pairSeen{Local: p.Remote, Remote: p.Local})
		}
		return out
	}
	for name, c := range map[string]struct {
		later     []pairSeen
		unmatched int
	}{
		"not read again": {nil, 1}, "there now": {[]pairSeen{old, made}, 0}, "still missing": {[]pairSeen{old}, 1},
	} {
		var got comparison
		got.byName("a", "b", []pairSeen{old}, mirror(old, made), c.later)
		if got.unmatched != c.unmatched || got.matched+got.unmatched != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
