package syncinfo

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestSetMemory measures the memory of a pair, while the set grows and when it is sealed.
func TestSetMemory(t *testing.T) {
	setMemory(t, 24, 1<<31)
	setMemory(t, 40, 1604663032918) // a time instead of a counter
}

func setMemory(t *testing.T, most int, id int64) {
	const n = 1_000_000
	before := heap()
	s := NewSet()
	e := Entry{RemoteKey: []byte("PAR-1"), Sequence: Sequence{id, 7, true, true}}
	check := func(when string) {
		// The one chunk that is not yet full has a constant size.
		if got, limit := heap()-before, int64(most*s.Len()+recordSize*chunkLen); got > limit {
			t.Errorf("%s: %d pairs take %d bytes, more than %d", when, s.Len(), got, limit)
		} else {
			t.Logf("%s: %.2f bytes a pair", when, float64(got)/float64(s.Len()))
		}
	}
	var total runtime.MemStats
	runtime.ReadMemStats(&total)
	for i := range n {
		e.LocalKey = appendInt(append(e.LocalKey[:0], "SAM-"...), i)
		e.Offset = int64(i) * 500
		if err := s.Add(&e); err != nil {
			t.Fatal(err)
		}
		if i%99_991 == 99_990 || i == 9_999 {
			check("growing")
		}
	}
	if _, _, err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	check("sealed")
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if all := int64(after.TotalAlloc - total.TotalAlloc); all > int64(most+2)*n {
		t.Errorf("growing leaves garbage: %d bytes were allocated in all", all)
	}
	for i := range n {
		e.LocalKey = appendInt(append(e.LocalKey[:0], "SAM-"...), i)
		m, err := s.Match(&e)
		if err != nil || m.Outcome != Matched || m.Offset != int64(i)*500 || m.Sequence != e.Sequence {
			t.Fatal(i, m, err)
		}
	}
	check("matched")
	if s.Unmatched() != 0 {
		t.Error(s.Unmatched())
	}
	runtime.KeepAlive(s)
}

// TestSetAgainstMap compares a set with an ordinary map, with good hashes and with ones that collide all the time.
func TestSetAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewSet()
		s.weaken = rapid.SampledFrom([]uint64{0, math.MaxUint64, math.MaxUint64 - 15, math.MaxUint64 >> 2,
			0xff << 52}).Draw(t, "weaken")
		key := rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("P-%d", rapid.IntRange(0, rapid.SampledFrom([]int{3, 400}).Draw(t, "keys")).Draw(t, "key"))
		})
		type two struct{ local, remote string }
		draw := func(name string) []two {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) two {
				return two{key.Draw(t, "local"), key.Draw(t,
					"remote")}
			}), 0, 300).Draw(t, name)
		}
		mine := draw("mine")
		var text strings.Builder
		offsets := map[two]int64{}
		want := map[two]Sequence{}
		var duplicates []Duplicate
		number := rapid.Int64()
		for _, p := range mine {
			q := Sequence{}
			if q.HasOutgoing = rapid.Bool().Draw(t, "has out"); q.HasOutgoing {
				q.Outgoing = number.Draw(t, "out")
			}
			if q.HasIncoming = rapid.Bool().Draw(t, "has in"); q.HasIncoming {
				q.Incoming = rapid.Int64Range(-20, 20).Draw(t, "in")
			}
			at := int64(text.Len())
			counters := ""
			if q.HasOutgoing {
				counters += fmt.Sprintf(`,"outgoingMessageSequenceId":%d`, q.Outgoing)
			}
			if q.HasIncoming {
				counters += fmt.Sprintf(`,"incomingMessageSequenceId":%d`, q.Incoming)
			}
			text.WriteString(pair(p.local, p.remote, counters) + "\n")
			if err := s.Add(&Entry{LocalKey: []byte(p.local), RemoteKey: []byte(p.remote), Offset: at,
				Sequence: q}); err != nil {
				t.Fatal(err)
			}
			if first, ok := offsets[p]; ok {
				duplicates = append(duplicates, Duplicate{at, first})
			} else {
				offsets[p], want[p] = at, q
			}
		}
		s.confirmed = newRereader("mine", strings.NewReader(text.String()), DefaultMaxEntry)
		first, n, err := s.Seal()
		if err != nil || n != len(duplicates) || s.Pairs() != len(want) {
			t.Fatalf("%d duplicates, %d pairs, %v; want %d and %d", n, s.Pairs(), err, len(duplicates), len(want))
		}
		if diff := cmp.Diff(duplicates[:min(10, n)], first); diff != "" && n > 0 {
			t.Fatal(diff)
		}
		met := map[two]int64{}
		for i, p := range draw("others") {
			// Records without a mirror are identified by their hash only. With weak hashes only existing pairs may be
			// looked up.
			if _, there := want[p]; !there && s.weaken != 0 {
				continue
			}
			e := &Entry{LocalKey: []byte(p.remote), RemoteKey: []byte(p.local), Offset: int64(i)}
			m, err := s.MatchMirror(e)
			if err != nil {
				t.Fatal(err)
			}
			w := Match{Outcome: Missing}
			if earlier, again := met[p]; again {
				w = Match{Outcome: Again, Offset: offsets[p], Earlier: earlier, Sequence: want[p]}
			} else if q, ok := want[p]; ok {
				w = Match{Outcome: Matched, Offset: offsets[p], Sequence: q}
				met[p] = int64(i)
			}
			if m != w {
				t.Fatalf("%v: got %+v, want %+v", p, m, w)
			}
		}
		if s.Unmatched() != len(want)-len(met) {
			t.Fatal("unmatched:", s.Unmatched(), len(want)-len(met))
		}
	})
}

func TestSetMisuse(t *testing.T) {
	s := NewSet()
	e := &Entry{LocalKey: []byte("A"), RemoteKey: []byte("B"), Offset: maxOffset + 1}
	if err := s.Add(e); err == nil {
		t.Error("an offset beyond the layout is taken")
	}
	if _, err := s.Match(e); err == nil {
		t.Error("an open set answers")
	}
	if _, _, err := s.Seal(); err != nil {
		t.Error(err)
	}
	e.Offset = 0
	if err := s.Add(e); err == nil {
		t.Error("a sealed set takes more")
	}
	if m, err := s.Match(e); err != nil || m.Outcome != Missing {
		t.Error(m, err)
	}
}
