package revision

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"pgregory.net/rapid"
)

var day0 = time.Date(2024, 1, 8, 9, 30, 0, 0, time.UTC)

// everything is compared.
var everything = Options{Parts: Optional()}

// revision n of a branch, made n days after day0.
func revision(n int, branch string) osmc.Revision {
	return osmc.Revision{
		Number: n, Branch: "id-" + branch, BranchName: branch, Author: []string{"ann", "bob"}[n%2],
		Created:     day0.AddDate(0, 0, n),
		Description: fmt.Sprintf("change %d", n), DescriptionKnown: true, ParentKnown: true,
	}
}

// historyOf makes a history: "trunk:1-3,8 dev:4-5", with tags as "name@revision".
func historyOf(spec string, tags ...string) *History {
	h := &History{}
	for _, part := range strings.Fields(spec) {
		name, numbers, _ := strings.Cut(part, ":")
		h.Branches = append(h.Branches, osmc.Branch{ID: "id-" + name, Name: name})
		for _, span := range strings.FieldsFunc(numbers, func(c rune) bool { return c == ',' }) {
			var from, to int
			if n, _ := fmt.Sscanf(span, "%d-%d", &from, &to); n == 1 {
				to = from
			}
			for n := from; n <= to; n++ {
				h.Revisions = append(h.Revisions, revision(n, name))
			}
		}
	}
	slices.SortFunc(h.Revisions, func(a, b osmc.Revision) int { return a.Number - b.Number })
	h.followParents()
	for i, t := range tags {
		name, number, _ := strings.Cut(t, "@")
		n, err := strconv.Atoi(number)
		if err != nil {
			panic(err)
		}
		h.Tags = append(h.Tags, osmc.Tag{ID: fmt.Sprint("t", i), Name: name, Revision: n})
	}
	return h
}

// followParents makes each revision follow the one before it on its branch.
func (h *History) followParents() {
	newest := map[string]int{}
	for i := range h.Revisions {
		r := &h.Revisions[i]
		r.Parent = newest[r.Branch]
		newest[r.Branch] = r.Number
	}
}

// renumbered returns the history numbered from 1, as on targets before 2026x.
func (h *History) renumbered() *History {
	out := &History{Branches: slices.Clone(h.Branches)}
	number := map[int]int{}
	for i, r := range h.Revisions {
		number[r.Number] = i + 1
		r.Number, r.Parent, r.MergedParent = i+1, number[r.Parent], number[r.MergedParent]
		out.Revisions = append(out.Revisions, r)
	}
	for _, t := range h.Tags {
		t.Revision = number[t.Revision]
		out.Tags = append(out.Tags, t)
	}
	return out
}

func TestCompare(t *testing.T) {
	source := historyOf("trunk:1-3,8-9 dev:4,10", "R1@3", "R2@9")
	change := func(at int, do func(*osmc.Revision)) *History {
		h := historyOf("trunk:1-3,8-9 dev:4,10", "R1@3", "R2@9")
		do(&h.Revisions[at])
		return h
	}
	numbers := Options{Parts: append(Optional(), Number)}
	without := func(part Part) Options {
		return Options{Parts: slices.DeleteFunc(Optional(), func(p Part) bool { return p == part })}
	}
	for name, c := range map[string]struct {
		target *History
		o      Options
		state  State
		why    string // a part of Why
		due    int
	}{
		"the same":   {source, numbers, Equal, "", 0},
		"renumbered": {source.renumbered(), everything, Equal, "", 0},
		"renumbered where numbers stay": {source.renumbered(), numbers, Differs,
			`revision 8 (5 on the target) of branch trunk differs in its number: "8" on the source, "5" on the target`, 0},
		"truncated": {historyOf("trunk:1-3,8 dev:4", "R1@3"), everything, Behind,
			`revision 9 of branch trunk`, 3},
		"nothing yet": {&History{}, everything, Behind, "revisions 1-3, 8, 9 of branch trunk", 9},
		"an author": {change(1, func(r *osmc.Revision) { r.Author = "sync" }), everything, Differs,
			`revision 2 of branch trunk differs in its author: "ann" on the source, "sync" on the target`, 0},
		"a date": {change(4, func(r *osmc.Revision) { r.Created = r.Created.Add(time.Second) }),
			everything, Differs, "revision 8 of branch trunk differs in its date", 0},
		"less than a second": {change(4, func(r *osmc.Revision) { r.Created = r.Created.Add(time.Millisecond) }),
			everything, Equal, "", 0},
		"a description": {change(0, func(r *osmc.Revision) { r.Description = "" }), everything, Differs,
			`revision 1 of branch trunk differs in its description: "change 1"`, 0},
		"a description nobody compares": {change(0, func(r *osmc.Revision) { r.Description = "" }), without(Description),
			Equal, "", 0},
		"one lost in the middle": {historyOf("trunk:1,3,8-9 dev:4,10", "R1@3", "R2@9"), everything, Differs,
			"revision 2 of branch trunk is missing on the target, although later ones are there", 0},
		"one more in the middle": {historyOf("trunk:1-3,7-9 dev:4,10", "R1@3", "R2@9"), everything, Differs,
			"the target has a revision (number 7 there) on branch trunk", 0},
		"one more at the end": {historyOf("trunk:1-3,8-9,11 dev:4,10", "R1@3", "R2@9"), everything, Differs,
			"(number 11 there)", 0},
		"a branch is missing": {historyOf("trunk:1-3,8-9", "R1@3", "R2@9"), everything, Behind,
			"revisions 4, 10 of branch dev", 2},
		"one branch more": {historyOf("trunk:1-3,8-9 dev:4,10 local:", "R1@3", "R2@9"), everything, Differs,
			"a branch local that the source does not have", 0},
		"a tag is missing": {historyOf("trunk:1-3,8-9 dev:4,10", "R1@3"), everything, Behind,
			`the target lacks tag "R2" of revision 9`, 1},
		"a tag is on another": {historyOf("trunk:1-3,8-9 dev:4,10", "R1@3", "R2@8"), everything, Behind,
			`a tag "R2" (of its revision 8) that the source does not have`, 1},
		"tags nobody compares": {historyOf("trunk:1-3,8-9 dev:4,10"), without(Tags), Equal, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compare(source, c.target, c.o)
			if got.State != c.state || !strings.Contains(got.Why(), c.why) || c.why == "" && got.Why() != "" {
				t.Errorf("%s, %q; want %s, %q", got.State, got.Why(), c.state, c.why)
			}
			if got.Due != c.due && got.State != Differs {
				t.Errorf("due: %d, want %d", got.Due, c.due)
			}
		})
	}
}

// TestCompareOtherBranches: branches without revisions of their own, and renamed ones.
func TestCompareOtherBranches(t *testing.T) {
	source := historyOf("trunk:1-2 empty:")
	if got := Compare(source, historyOf("trunk:1-2"), everything); got.State != Behind || got.Due != 1 ||
		got.Why() != "the target lacks branch empty" {
		t.Errorf("%+v", got)
	}
	renamed := historyOf("trunk:1-2 empty:")
	renamed.Branches[1].Name = "blank"
	got := Compare(source, renamed, everything)
	if got.State != Behind || got.Why() != "branch empty is called blank on the target" {
		t.Errorf("%+v", got)
	}
	lost := historyOf("trunk:1-2")
	lost.Revisions[1].Branch, lost.Revisions[1].BranchName = "id-old", "old" // its branch has been deleted
	if got := Compare(lost, lost.renumbered(), everything); !got.IsEqual() {
		t.Errorf("%+v", got)
	}
}

// TestDue checks that nothing is due that cannot have arrived yet.
func TestDue(t *testing.T) {
	source := historyOf("trunk:1-9", "R1@4", "R2@8")
	for name, c := range map[string]struct {
		asOf time.Time
		upTo int
		due  int
	}{
		"all, and the tag":             {time.Time{}, 0, 6},
		"before the last two":          {day0.AddDate(0, 0, 7), 0, 3},
		"up to a tagged one":           {time.Time{}, 4, 0},
		"up to the next, with its tag": {time.Time{}, 8, 5},
		"up to one, and earlier":       {day0.AddDate(0, 0, 6), 8, 2},
		"no tag yet":                   {time.Time{}, -1, 0},
	} {
		o := everything
		o.AsOf, o.UpTo = c.asOf, c.upTo
		got := Compare(source, historyOf("trunk:1-4", "R1@4"), o)
		if got.Due != c.due || got.Missing != 5 {
			t.Errorf("%s: due %d, want %d; missing %d", name, got.Due, c.due, got.Missing)
		}
		if got.IsReached() != (c.due == 0) {
			t.Errorf("%s: reached: %v", name, got.IsReached())
		}
	}
}

// genHistory draws a history with gaps in its numbers.
func genHistory(t *rapid.T) *History {
	h := &History{}
	branches := rapid.IntRange(1, 4).Draw(t, "branches")
	for i := range branches {
		h.Branches = append(h.Branches, osmc.Branch{ID: fmt.Sprint("b", i), Name: fmt.Sprint("branch ", i)})
	}
	n := 0
	for range rapid.IntRange(1, 25).Draw(t, "revisions") {
		n += rapid.IntRange(1, 3).Draw(t, "gap")
		b := rapid.SampledFrom(h.Branches).Draw(t, "branch")
		h.Revisions = append(h.Revisions, osmc.Revision{
			Number: n, Branch: b.ID, BranchName: b.Name, Author: rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "author"),
			Created: day0.Add(time.Duration(n) * time.Hour), Description: rapid.SampledFrom([]string{"", "fix",
				"line\nline"}).Draw(t, "description"),
			DescriptionKnown: true, ParentKnown: true,
		})
		if rapid.Bool().Draw(t, "tagged") {
			h.Tags = append(h.Tags, osmc.Tag{Name: fmt.Sprint("T", len(h.Tags)), Revision: n})
		}
	}
	h.followParents()
	return h
}

// TestCompareProperties checks that a renumbered copy of any history is Equal, that one with its end cut off is behind
// by exactly that, and that one with any change differs.
func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := genHistory(t)
		if c := Compare(source, source.renumbered(), everything); !c.IsEqual() {
			t.Fatalf("renumbered: %s", c.Why())
		}
		if source.Digest() != (&History{Branches: source.Branches, Revisions: slices.Clone(source.Revisions),
			Tags: source.Tags}).Digest() {
			t.Fatal("the digest is not the same twice")
		}
		keep := rapid.IntRange(0, len(source.Revisions)-1).Draw(t, "keep")
		cut := &History{Branches: source.Branches, Revisions: source.Revisions[:keep]}
		for _, tag := range source.Tags {
			if keep > 0 && tag.Revision <= source.Revisions[keep-1].Number {
				cut.Tags = append(cut.Tags, tag)
			}
		}
		if c := Compare(source, cut.renumbered(), everything); c.State != Behind ||
			c.Missing != len(source.Revisions)-keep || c.Due < c.Missing {
			t.Fatalf("cut off after %d of %d: %+v", keep, len(source.Revisions), c)
		}
		if cut.Digest() == source.Digest() {
			t.Fatal("the digest does not see what is missing")
		}
		changed := source.renumbered()
		at := rapid.IntRange(0, len(changed.Revisions)-1).Draw(t, "at")
		r := &changed.Revisions[at]
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			r.Author += "x"
		case 1:
			r.Created = r.Created.Add(time.Minute)
		case 2:
			r.Description += "x"
		}
		c := Compare(source, changed, everything)
		if c.State != Differs || c.Difference.Source != source.Revisions[at].Number {
			t.Fatalf("revision %d changed: %+v", source.Revisions[at].Number, c)
		}
	})
}

// TestLost checks that a revision lost in the middle of a branch is named.
func TestLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := genHistory(t)
		at := rapid.IntRange(0, len(source.Revisions)-1).Draw(t, "at")
		lost := source.Revisions[at]
		target := &History{Branches: source.Branches, Revisions: slices.Delete(slices.Clone(source.Revisions), at, at+1)}
		o := Options{Parts: []Part{Author, Date, Description, Parents, Contents}}
		c := Compare(source, target.renumbered(), o)
		last := !slices.ContainsFunc(source.Revisions[at+1:], func(r osmc.Revision) bool { return r.Branch == lost.Branch })
		switch {
		case c.IsEqual() || c.Missing != 1:
			t.Fatalf("revision %d is lost: %+v", lost.Number, c)
		case last && (c.State != Behind || !strings.Contains(c.Why(), fmt.Sprintf("revision %d of", lost.Number))):
			t.Fatalf("revision %d, the last of its branch, is lost: %s", lost.Number, c.Why())
		case !last && (c.Difference == nil || c.Difference.Source != lost.Number || c.Difference.Field != "revision"):
			t.Fatalf("revision %d is lost: %s", lost.Number, c.Why())
		}
	})
}

// TestParents checks that parents of revisions are compared by their places, not by their numbers.
func TestParents(t *testing.T) {
	t.Parallel()
	source := historyOf("trunk:1-3,8-9 dev:4,10")
	source.Revisions[3].Parent = 2                                                    // revision 4 is where dev begins
	source.Revisions[6].MergedParent, source.Revisions[6].MergedParentKnown = 9, true // revision 10 merges 9
	renumbered := source.renumbered()
	if c := Compare(source, renumbered, everything); !c.IsEqual() || !slices.Contains(c.Compared, Parents) {
		t.Fatalf("renumbered: %+v", c)
	}
	for name, c := range map[string]struct {
		spoil func(*osmc.Revision)
		at    int
		field Part
	}{
		"another parent":        {func(r *osmc.Revision) { r.Parent = 1 }, 3, Parents},
		"no parent":             {func(r *osmc.Revision) { r.Parent = 0 }, 2, Parents},
		"another merged parent": {func(r *osmc.Revision) { r.MergedParent = 2 }, 6, MergedParents},
		"no merged parent":      {func(r *osmc.Revision) { r.MergedParent = 0 }, 6, MergedParents},
	} {
		target := source.renumbered()
		c.spoil(&target.Revisions[c.at])
		got := Compare(source, target, everything)
		if got.State != Differs || got.Difference.Field != string(c.field) || got.Difference.Target != c.at+1 {
			t.Errorf("%s: %s, %s", name, got.State, got.Why())
		}
		if got := Compare(source, target, Options{Parts: []Part{Author, Date, Description, Tags}}); !got.IsEqual() {
			t.Errorf("%s, not compared: %s", name, got.Why())
		}
	}
	// A parent that the server no longer lists has no place to compare.
	purged := historyOf("trunk:1-3")
	purged.Revisions[0].Parent = 7
	if got := Compare(purged, historyOf("trunk:1-3"), everything); got.State != Unknown {
		t.Errorf("a parent that is not listed: %s", got.State)
	}
}

// TestUnknown checks that what a server does not show is neither equal nor different, on one side or both.
func TestUnknown(t *testing.T) {
	t.Parallel()
	hide := map[Part]func(*osmc.Revision){
		Description: func(r *osmc.Revision) { r.Description, r.DescriptionKnown = "", false },
		Parents:     func(r *osmc.Revision) { r.Parent, r.ParentKnown = 0, false },
		Author:      func(r *osmc.Revision) { r.Author = "" },
		Date:        func(r *osmc.Revision) { r.Created = time.Time{} },
	}
	for part, hide := range hide {
		for name, sides := range map[string][2]bool{"neither server gives": {true, true},
			"the source does not give": {true, false}, "the target does not give": {false, true}} {
			histories := [2]*History{historyOf("trunk:1-3"), historyOf("trunk:1-3")}
			for side, hidden := range sides {
				if hidden {
					hide(&histories[side].Revisions[1])
				}
			}
			got := Compare(histories[0], histories[1], everything)
			if got.State != Unknown || got.IsEqual() || !strings.HasPrefix(got.Unknown,
				name+" the "+string(part)+" of 1 revision (revision 2 of branch trunk first)") {
				t.Errorf("%s, %s: %s, %q", part, name, got.State, got.Unknown)
			}
			if slices.Contains(got.Compared, part) || got.Why() == "" {
				t.Errorf("%s, %s: compared %v, why %q", part, name, got.Compared, got.Why())
			}
			if !got.IsCopy() || !got.IsReached() {
				t.Errorf("%s, %s: what is unknown counts as a difference", part, name)
			}
			rest := Options{Parts: slices.DeleteFunc(Optional(), func(p Part) bool { return p == part })}
			if got := Compare(histories[0], histories[1], rest); !got.IsEqual() {
				t.Errorf("%s, %s, not compared: %s", part, name, got.Why())
			}
			if want := []Part{part}; sides[0] && !slices.Equal(histories[0].Summary().Unknown, want) {
				t.Errorf("%s, %s: the summary has %v", part, name, histories[0].Summary().Unknown)
			}
		}
	}
}

// TestContents checks that root objects and element packages are compared if both servers show them, and mentioned if
// one does not.
func TestContents(t *testing.T) {
	t.Parallel()
	with := func(roots, packages []string) *History {
		h := historyOf("trunk:1-3 dev:4")
		for i := range h.Revisions {
			h.Revisions[i].RootObjects, h.Revisions[i].ElementPackages = roots, packages
		}
		return h
	}
	one, two := []string{"a"}, []string{"a", "b"}
	for name, c := range map[string]struct {
		source, target *History
		state          State
		field          Part
		uncompared     []Part
	}{
		"the same":              {with(one, two), with(one, two), Equal, "", []Part{MergedParents}},
		"other roots":           {with(one, two), with(two, two), Differs, RootObjects, []Part{MergedParents}},
		"no roots":              {with(one, two), with([]string{}, two), Differs, RootObjects, []Part{MergedParents}},
		"other packages":        {with(one, one), with(one, two), Differs, ElementPackages, []Part{MergedParents}},
		"packages given by one": {with(one, one), with(one, nil), Equal, "", []Part{MergedParents, ElementPackages}},
		"neither given by either": {with(nil, nil), with(nil, nil), Equal, "",
			[]Part{MergedParents, RootObjects, ElementPackages}},
		"roots given by the target": {with(nil, one), with(one, one), Equal, "", []Part{MergedParents, RootObjects}},
		"older revisions are others": {with(one, one), func() *History {
			h := with(one,
				one)
			h.Revisions[0].RootObjects = two
			return h
		}(), Equal, "", []Part{MergedParents}},
	} {
		got := Compare(c.source, c.target, everything)
		if got.State != c.state || !slices.Equal(got.Uncompared, c.uncompared) || c.field != "" &&
			got.Difference.Field != string(c.field) {
			t.Errorf("%s: %s, not compared %v, %s", name, got.State, got.Uncompared, got.Why())
		}
		for _, part := range []Part{RootObjects, ElementPackages} {
			if slices.Contains(got.Compared, part) == slices.Contains(c.uncompared, part) {
				t.Errorf("%s: compared %v", name, got.Compared)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	f := historyOf("trunk:1-3 dev:4", "R1@3", "R1@4").Summary()
	want := Summary{Branches: 2, Revisions: 4, Tags: 2, Latest: 4, LatestAt: "2024-01-12T09:30:00Z", LatestBy: "ann",
		Creator: "bob", Authors: []string{"ann", "bob"}, Digest: f.Digest}
	if fmt.Sprint(f) != fmt.Sprint(want) || len(f.Digest) != 16 {
		t.Errorf("%+v", f)
	}
	if n := historyOf("trunk:1-3 dev:4", "R1@3", "R1@4").Tagged("R1"); n != 4 {
		t.Errorf("tagged: %d", n)
	}
}

// TestBasis checks that a part counts as compared only if it was compared for all copies, and that other parts are
// mentioned.
func TestBasis(t *testing.T) {
	t.Parallel()
	all := []*Comparison{
		{Compared: []Part{Author, Date, Tags, RootObjects}, Uncompared: []Part{MergedParents}},
		{Compared: []Part{Author, Date, Tags}, Uncompared: []Part{MergedParents, RootObjects}},
	}
	want := "by branch, order, author, date, tags; not by merged parents, root objects, which not both servers give"
	if got := Basis(all); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Basis(nil); got != "by branch, order" {
		t.Errorf("of nothing: %q", got)
	}
}
