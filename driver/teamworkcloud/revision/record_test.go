package revision

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"pgregory.net/rapid"
)

const (
	trunk = "11111111-0000-4000-8000-000000000001"
	dev   = "11111111-0000-4000-8000-000000000002"
)

// engine has revisions 1, 2, 5 on trunk and 3, 6 on dev. renumbered, they are 1 to 5, as on a target before 2026x.
func engine(renumbered bool) *History {
	h := &History{Branches: []osmc.Branch{{ID: trunk, Name: "trunk", Latest: 5},
		{ID: dev, Name: "dev", Start: 2, Latest: 6}}, Tags: []osmc.Tag{{Name: "R1", Revision: 2}}}
	for i, n := range []int{1, 2, 3, 5, 6} {
		r := osmc.Revision{Number: n, Branch: trunk, BranchName: "trunk", Author: "ann",
			Created: time.Date(2025, 3, n, 10, 0, 0, 0, time.UTC), Description: "change"}
		if n == 3 || n == 6 {
			r.Branch, r.BranchName = dev, "dev"
		}
		if renumbered {
			r.Number = i + 1
		}
		h.Revisions = append(h.Revisions, r)
	}
	return h
}

func TestCopiedTellsWhatChanged(t *testing.T) {
	was := RecordOf("Engine", engine(false), engine(true))
	for name, c := range map[string]struct {
		spoil   func(h *History)
		changed string
		lost    string
	}{
		"nothing": {func(*History) {}, "", ""},
		"a lost one": {func(h *History) { h.Revisions = slices.Delete(h.Revisions, 3, 4) },
			"revision 4 of branch trunk (5 on the source) is missing on the target", "="},
		"a first one": {func(h *History) { h.Revisions = h.Revisions[1:] },
			"revision 1 of branch trunk is missing on the target", "="},
		"an author": {func(h *History) { h.Revisions[4].Author = "eve" },
			"revision 5 of branch dev (6 on the source) is not what was verified: it is now by eve of 2025-03-06T10:00:00Z",
			"="},
		"a date": {func(h *History) { h.Revisions[0].Created = h.Revisions[0].Created.Add(time.Second) },
			"revision 1 of branch trunk is not what was verified: it is now by ann of 2025-03-01T10:00:01Z", "="},
		"a description": {func(h *History) { h.Revisions[1].Description = "other" },
			"revision 2 of branch trunk is not what was verified: it is now by ann of 2025-03-02T10:00:00Z", "="},
		"truncated": {func(h *History) { h.Revisions = h.Revisions[:2] },
			"revision 3 of branch dev is missing on the target", "="},
		"a branch": {func(h *History) {
			h.Branches, h.Revisions = h.Branches[:1], slices.DeleteFunc(h.Revisions,
				func(r osmc.Revision) bool { return r.Branch == dev })
		}, "branch dev is missing on the target", "="},
		"a new revision": {func(h *History) {
			h.Revisions = append(h.Revisions, osmc.Revision{Number: 6, Branch: trunk, Author: "eve"})
		}, "revision 6 by eve of branch trunk was made on the target", ""},
		"a new branch": {func(h *History) { h.Branches = append(h.Branches, osmc.Branch{ID: "x", Name: "y"}) },
			"branch y was made on the target", ""},
		"a tag": {func(h *History) { h.Tags = nil }, "its branches or tags are not those that were verified", ""},
		"a branch's start": {func(h *History) { h.Branches[1].Start = 1 },
			"its branches or tags are not those that were verified", ""},
	} {
		now := engine(true)
		c.spoil(now)
		if c.lost == "=" {
			c.lost = c.changed
		}
		if got := was.Changed(now); got != c.changed {
			t.Errorf("%s: %q, want %q", name, got, c.changed)
		}
		if got := was.Lost(now); got != c.lost {
			t.Errorf("%s: lost %q, want %q", name, got, c.lost)
		}
	}
}

func TestCopiedNamesWhatIsNew(t *testing.T) {
	was := RecordOf("Engine", engine(false), engine(true))
	now := engine(false)
	if got := was.Newer(now); got != "" {
		t.Errorf("nothing is new, got %q", got)
	}
	now.Revisions = append(now.Revisions, osmc.Revision{Number: 7, Branch: dev, BranchName: "dev", Author: "bo",
		Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	now.Branches = append(now.Branches, osmc.Branch{ID: "x", Name: "variant"})
	if got := was.Newer(now); got != "revision 7 by bo (2026-01-01T00:00:00Z) of branch dev, branch variant" {
		t.Errorf("got %q", got)
	}
}

func TestCopiedIsJournaled(t *testing.T) {
	was := Records{"a": RecordOf("Engine", engine(false), engine(true)), "b": RecordOf("Gearbox", nil, engine(true))}
	out, err := was.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeRecords(out[RecordsOutput])
	if err != nil {
		t.Fatal(err)
	}
	a, b := got["a"], got["b"]
	if !slices.Equal(got.IDs(), []string{"a", "b"}) || got.Names()["b"] != "Gearbox" {
		t.Errorf("ids %v, names %v", got.IDs(), got.Names())
	}
	if a.Changed(engine(true)) != "" || a.Newer(engine(false)) != "" || b.Changed(engine(true)) != "" || b.Digest != "" {
		t.Errorf("%+v", got)
	}
	if _, err := DecodeRecords("{"); err == nil {
		t.Error("half a note is taken")
	}
	if strings.Contains(out[RecordsOutput], "ann") {
		t.Error("names of people are journaled without need")
	}
}

func TestNumbers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		numbers := rapid.SliceOfDistinct(rapid.IntRange(0, 300), func(n int) int { return n }).Draw(rt, "numbers")
		slices.Sort(numbers)
		got, err := decodeNumbers(encodeNumbers(numbers))
		if err != nil || !slices.Equal(got, numbers) {
			rt.Fatalf("%v becomes %q, and that %v, %v", numbers, encodeNumbers(numbers), got, err)
		}
	})
	for _, text := range []string{"x", "1-", "3-1", "1,,2", "1-9999999999", "-5"} {
		if got, err := decodeNumbers(text); err == nil {
			t.Errorf("%q reads as %v", text, got)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add("1-14,16")
	f.Add("9-1")
	f.Fuzz(func(t *testing.T, text string) {
		numbers, err := decodeNumbers(text)
		if err == nil && len(numbers) > 2*mostRevisions && len(text) < 20 {
			t.Errorf("%q is %d numbers", text, len(numbers))
		}
	})
}

// TestDamagedRecord checks that a record which lacks the state of some revision confirms none of them.
func TestDamagedRecord(t *testing.T) {
	was := RecordOf("Engine", engine(false), engine(true))
	was.Target[0].Prints = was.Target[0].Prints[printLength:]
	now := engine(true)
	now.Revisions[0].Author = "eve"
	if was.Lost(now) == "" || was.Changed(now) == "" {
		t.Error("a record without all prints is believed")
	}
}
