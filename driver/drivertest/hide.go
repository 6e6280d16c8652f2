package drivertest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/sandbox"
)

// Hiding describes what Hide tests: a driver must delete nothing because a server or a machine did not say something.
type Hiding struct {
	Good Case       // the whole flow is carried out, including deletions
	Bad  []BadWorld // the same flow must stop before anything is deleted

	// Deletes reports whether a request or command loses something.
	Deletes func(sandbox.AccessLine) bool

	// Carried reports whether a part is only copied unchanged from one server to another. If such a part is hidden,
	// the good world's flow may end in another state. If Carried is nil, there are no such parts.
	Carried func(sandbox.Part) bool

	// Most is the maximum number of single parts, and again of pairs of parts, that are hidden in each world. With
	// TestsAll every part is hidden in every way, and there are as many pairs.
	Most int
}

// BadWorld is a world in which nothing may be deleted, because of something that its servers or machines say. Nothing
// may be deleted either if that is hidden.
type BadWorld struct {
	Name  string
	Case  Case
	While Rehearsal // what happens meanwhile
}

// Limits of a flow in which something is hidden, so that it does not wait long for a verification that fails.
const (
	hiddenWithin  = 2 * time.Second
	hiddenLongest = 20 * time.Second
)

// Hide removes and renames members of everything that servers answer, and words of everything that commands print. It
// also makes commands fail, and makes machines print a greeting. It does so one at a time and in pairs. In the bad
// worlds nothing may be deleted then. In the good one the flow must end as usual, or stop.
func Hide(t *testing.T, b Bench, h Hiding) {
	t.Helper()
	random := Random(t)
	var parts sandbox.Parts
	good := Rehearse(t, b, h.Good, Rehearsal{Parts: &parts})
	if good.Report == nil || !good.Report.Finished || !slices.ContainsFunc(good.Lines, h.deleted) {
		t.Fatal("the good world's flow does not delete anything, so it tests nothing")
	}
	for _, world := range h.Bad {
		world.While.Parts = &parts
		if out := Rehearse(t, b, world.Case, bounded(world.While)); slices.ContainsFunc(out.Lines, h.deleted) {
			t.Errorf("%s: something is deleted even with nothing hidden", world.Name)
		}
	}
	all := parts.List()
	for _, hidden := range h.choose(random, all) {
		t.Run("nothing wrong/"+title(hidden), func(t *testing.T) {
			t.Parallel()
			out := Rehearse(t, b, h.Good, bounded(Rehearsal{Hide: hidden}))
			if slices.ContainsFunc(hidden, func(one sandbox.Hidden) bool { return h.Carried != nil && h.Carried(one.Part) }) {
				return
			}
			if out.Report != nil && out.Report.Finished && WithoutTimes(out.State) != WithoutTimes(good.State) {
				t.Errorf("it ends in another state: %s", firstDifference(WithoutTimes(out.State), WithoutTimes(good.State)))
			}
		})
	}
	for _, world := range h.Bad {
		for _, hidden := range h.choose(random, all) {
			t.Run(world.Name+"/"+title(hidden), func(t *testing.T) {
				t.Parallel()
				o := world.While
				o.Hide, o.Parts = hidden, nil
				out := Rehearse(t, b, world.Case, bounded(o))
				if i := slices.IndexFunc(out.Lines, h.deleted); i >= 0 {
					t.Errorf("something is deleted: %s", request(out.Lines[i]))
				}
			})
		}
	}
}

// deleted reports whether a request was carried out and lost something.
func (h Hiding) deleted(l sandbox.AccessLine) bool { return l.CarriedOut && h.Deletes(l) }

func bounded(o Rehearsal) Rehearsal {
	o.Within, o.Longest = hiddenWithin, hiddenLongest
	return o
}

// choose returns the sets of parts that are hidden together: each part in each way, at one server and at all of them,
// and pairs of these.
func (h Hiding) choose(random *rand.Rand, parts []sandbox.Part) [][]sandbox.Hidden {
	everywhere := func(p sandbox.Part) sandbox.Part {
		p.Server = ""
		return p
	}
	servers, added := map[sandbox.Part]int{}, map[sandbox.Part]bool{}
	for _, p := range parts {
		servers[everywhere(p)]++
	}
	var singles [][]sandbox.Hidden
	add := func(p sandbox.Part) {
		for _, way := range p.Ways() {
			singles = append(singles, []sandbox.Hidden{{Part: p, Way: way}})
		}
	}
	for _, p := range parts {
		if all := everywhere(p); !added[all] {
			add(all)
			added[all] = true
		}
		if servers[everywhere(p)] > 1 {
			add(p)
		}
	}
	var pairs [][]sandbox.Hidden
	most := h.Most
	if TestsAll() {
		most = len(singles) // there could be as many as singles squared
	}
	for range most {
		a, b := singles[random.IntN(len(singles))], singles[random.IntN(len(singles))]
		if a[0].Part != b[0].Part {
			pairs = append(pairs, slices.Concat(a, b))
		}
	}
	return append(Sample(random, singles, h.Most), pairs...)
}

// title returns a test name for what is hidden.
func title(hidden []sandbox.Hidden) string {
	var names []string
	for _, h := range hidden {
		names = append(names, h.String())
	}
	return strings.ReplaceAll(strings.Join(names, " and "), "/", ":")
}
