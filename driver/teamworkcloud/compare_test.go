package teamworkcloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"pgregory.net/rapid"
)

var day0 = time.Date(2024, 1, 8, 9, 30, 0, 0, time.UTC)

// everything is compared.
var everything = comparing{Author: true, Date: true, Description: true, Tags: true}

// revision n of a branch, made n days after day0.
func revision(n int, branch string) osmc.Revision {
	return osmc.Revision{Number: n, Branch: "id-" + branch, BranchName: branch, Author: []string{"ann", "bob"}[n%2], Created: day0.AddDate(0, 0, n), Description: fmt.Sprintf("change %d", n)}
}

// historyOf makes a history: "trunk:1-3,8 dev:4-5", with tags as "name@revision".
func historyOf(spec string, tags ...string) *history {
	h := &history{}
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
	for i, t := range tags {
		name, number, _ := strings.Cut(t, "@")
		h.Tags = append(h.Tags, osmc.Tag{ID: fmt.Sprint("t", i), Name: name, Revision: atLeast(number)})
	}
	return h
}

// renumbered counts anew, as targets before 2026x do.
func (h *history) renumbered() *history {
	out := &history{Branches: slices.Clone(h.Branches)}
	number := map[int]int{}
	for i, r := range h.Revisions {
		number[r.Number] = i + 1
		r.Number = i + 1
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
	change := func(at int, do func(*osmc.Revision)) *history {
		h := historyOf("trunk:1-3,8-9 dev:4,10", "R1@3", "R2@9")
		do(&h.Revisions[at])
		return h
	}
	numbers := everything
	numbers.Numbers = true
	for name, c := range map[string]struct {
		target *history
		o      comparing
		state  string
		why    string // part of it
		due    int
	}{
		"the same":                        {source, numbers, equal, "", 0},
		"counted anew":                    {source.renumbered(), everything, equal, "", 0},
		"counted anew where numbers stay": {source.renumbered(), numbers, differs, `revision 8 (5 on the target) of branch trunk: the number is "8" on the source and "5" on the target`, 0},
		"truncated":                       {historyOf("trunk:1-3,8 dev:4", "R1@3"), everything, behind, `revision 9 of branch trunk`, 3},
		"nothing yet":                     {&history{}, everything, behind, "revisions 1-3, 8, 9 of branch trunk", 9},
		"an author":                       {change(1, func(r *osmc.Revision) { r.Author = "sync" }), everything, differs, `revision 2 of branch trunk: the author is "ann" on the source and "sync" on the target`, 0},
		"a date":                          {change(4, func(r *osmc.Revision) { r.Created = r.Created.Add(time.Second) }), everything, differs, "revision 8 of branch trunk: the date", 0},
		"less than a second":              {change(4, func(r *osmc.Revision) { r.Created = r.Created.Add(time.Millisecond) }), everything, equal, "", 0},
		"a description":                   {change(0, func(r *osmc.Revision) { r.Description = "" }), everything, differs, `revision 1 of branch trunk: the description is "change 1"`, 0},
		"a description nobody compares":   {change(0, func(r *osmc.Revision) { r.Description = "" }), comparing{Author: true, Date: true, Tags: true}, equal, "", 0},
		"one lost in the middle":          {historyOf("trunk:1,3,8-9 dev:4,10", "R1@3", "R2@9"), everything, differs, "revision 2 of branch trunk is missing on the target, although later ones are there", 0},
		"one more in the middle":          {historyOf("trunk:1-3,7-9 dev:4,10", "R1@3", "R2@9"), everything, differs, "the target has a revision (its number is 7 there) on branch trunk", 0},
		"one more at the end":             {historyOf("trunk:1-3,8-9,11 dev:4,10", "R1@3", "R2@9"), everything, differs, "(its number is 11 there)", 0},
		"a branch is missing":             {historyOf("trunk:1-3,8-9", "R1@3", "R2@9"), everything, behind, "revisions 4, 10 of branch dev", 2},
		"one branch more":                 {historyOf("trunk:1-3,8-9 dev:4,10 local:", "R1@3", "R2@9"), everything, differs, "a branch local that the source has not", 0},
		"a tag is missing":                {historyOf("trunk:1-3,8-9 dev:4,10", "R1@3"), everything, behind, `the target lacks tag "R2" of revision 9`, 1},
		"a tag is on another":             {historyOf("trunk:1-3,8-9 dev:4,10", "R1@3", "R2@8"), everything, behind, `a tag "R2" (of its revision 8) that the source has not`, 1},
		"tags nobody compares":            {historyOf("trunk:1-3,8-9 dev:4,10"), comparing{Author: true, Date: true, Description: true}, equal, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := compareHistories(source, c.target, c.o)
			if got.State != c.state || !strings.Contains(got.why(), c.why) || c.why == "" && got.why() != "" {
				t.Errorf("%s, %q; want %s, %q", got.State, got.why(), c.state, c.why)
			}
			if got.Due != c.due && got.State != differs {
				t.Errorf("due: %d, want %d", got.Due, c.due)
			}
		})
	}
}

// TestCompareOtherBranches: branches without revisions of their own, and renamed ones.
func TestCompareOtherBranches(t *testing.T) {
	source := historyOf("trunk:1-2 empty:")
	if got := compareHistories(source, historyOf("trunk:1-2"), everything); got.State != behind || got.Due != 1 || got.why() != "the target lacks branch empty" {
		t.Errorf("%+v", got)
	}
	renamed := historyOf("trunk:1-2 empty:")
	renamed.Branches[1].Name = "blank"
	got := compareHistories(source, renamed, everything)
	if got.State != behind || got.why() != "branch empty is called blank on the target" {
		t.Errorf("%+v", got)
	}
	lost := historyOf("trunk:1-2")
	lost.Revisions[1].Branch, lost.Revisions[1].BranchName = "id-old", "old" // its branch has been deleted
	if got := compareHistories(lost, lost.renumbered(), everything); !got.isEqual() {
		t.Errorf("%+v", got)
	}
}

// TestDue: what nobody can expect yet is not due.
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
		got := compareHistories(source, historyOf("trunk:1-4", "R1@4"), o)
		if got.Due != c.due || got.Missing != 5 {
			t.Errorf("%s: due %d, want %d; missing %d", name, got.Due, c.due, got.Missing)
		}
		if got.isReached() != (c.due == 0) {
			t.Errorf("%s: reached: %v", name, got.isReached())
		}
	}
}

// genHistory makes any history with gaps in its numbers.
func genHistory(t *rapid.T) *history {
	h := &history{}
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
			Created: day0.Add(time.Duration(n) * time.Hour), Description: rapid.SampledFrom([]string{"", "fix", "line\nline"}).Draw(t, "description"),
		})
		if rapid.Bool().Draw(t, "tagged") {
			h.Tags = append(h.Tags, osmc.Tag{Name: fmt.Sprint("T", len(h.Tags)), Revision: n})
		}
	}
	return h
}

// TestCompareProperties: whatever a history is, a copy of it counted anew is equal, one cut off is behind by what was cut off,
// and one in which anything was changed differs.
func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := genHistory(t)
		if c := compareHistories(source, source.renumbered(), everything); !c.isEqual() {
			t.Fatalf("counted anew: %s", c.why())
		}
		if source.digest() != (&history{Branches: source.Branches, Revisions: slices.Clone(source.Revisions), Tags: source.Tags}).digest() {
			t.Fatal("the digest is not the same twice")
		}
		keep := rapid.IntRange(0, len(source.Revisions)-1).Draw(t, "keep")
		cut := &history{Branches: source.Branches, Revisions: source.Revisions[:keep]}
		for _, tag := range source.Tags {
			if keep > 0 && tag.Revision <= source.Revisions[keep-1].Number {
				cut.Tags = append(cut.Tags, tag)
			}
		}
		if c := compareHistories(source, cut.renumbered(), everything); c.State != behind || c.Missing != len(source.Revisions)-keep || c.Due < c.Missing {
			t.Fatalf("cut off after %d of %d: %+v", keep, len(source.Revisions), c)
		}
		if cut.digest() == source.digest() {
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
		c := compareHistories(source, changed, everything)
		if c.State != differs || c.Difference.Source != source.Revisions[at].Number {
			t.Fatalf("revision %d changed: %+v", source.Revisions[at].Number, c)
		}
	})
}

// TestLost: a revision that is lost in the middle of a branch is named.
func TestLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := genHistory(t)
		at := rapid.IntRange(0, len(source.Revisions)-1).Draw(t, "at")
		lost := source.Revisions[at]
		target := &history{Branches: source.Branches, Revisions: slices.Delete(slices.Clone(source.Revisions), at, at+1)}
		o := everything
		o.Tags = false
		c := compareHistories(source, target.renumbered(), o)
		last := !slices.ContainsFunc(source.Revisions[at+1:], func(r osmc.Revision) bool { return r.Branch == lost.Branch })
		switch {
		case c.isEqual() || c.Missing != 1:
			t.Fatalf("revision %d is lost: %+v", lost.Number, c)
		case last && (c.State != behind || !strings.Contains(c.why(), fmt.Sprintf("revision %d of", lost.Number))):
			t.Fatalf("revision %d, the last of its branch, is lost: %s", lost.Number, c.why())
		case !last && (c.Difference == nil || c.Difference.Source != lost.Number || c.Difference.Field != "revision"):
			t.Fatalf("revision %d is lost: %s", lost.Number, c.why())
		}
	})
}

func TestHistoryFacts(t *testing.T) {
	f := historyOf("trunk:1-3 dev:4", "R1@3", "R1@4").facts()
	want := historyFacts{Branches: 2, Revisions: 4, Tags: 2, Latest: 4, LatestAt: "2024-01-12T09:30:00Z", LatestBy: "ann", Creator: "bob", Authors: []string{"ann", "bob"}, Digest: f.Digest}
	if fmt.Sprint(f) != fmt.Sprint(want) || len(f.Digest) != 16 {
		t.Errorf("%+v", f)
	}
	if n := historyOf("trunk:1-3 dev:4", "R1@3", "R1@4").tagged("R1"); n != 4 {
		t.Errorf("tagged: %d", n)
	}
}
