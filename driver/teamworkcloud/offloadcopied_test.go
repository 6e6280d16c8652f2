package teamworkcloud

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

const (
	trunk = "11111111-0000-4000-8000-000000000001"
	dev   = "11111111-0000-4000-8000-000000000002"
)

// engine has revisions 1, 2, 5 on trunk and 3, 6 on dev; renumbered, as a target before 2026x has it, 1 to 5.
func engine(renumbered bool) *history {
	h := &history{Branches: []osmc.Branch{{ID: trunk, Name: "trunk", Latest: 5}, {ID: dev, Name: "dev", Start: 2, Latest: 6}}, Tags: []osmc.Tag{{Name: "R1", Revision: 2}}}
	for i, n := range []int{1, 2, 3, 5, 6} {
		r := osmc.Revision{Number: n, Branch: trunk, BranchName: "trunk", Author: "ann", Created: time.Date(2025, 3, n, 10, 0, 0, 0, time.UTC), Description: "change"}
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
	was := copiedOf("Engine", engine(false), engine(true))
	for name, c := range map[string]struct {
		spoil   func(h *history)
		changed string
		lost    string
	}{
		"nothing":       {func(*history) {}, "", ""},
		"a lost one":    {func(h *history) { h.Revisions = slices.Delete(h.Revisions, 3, 4) }, "revision 4 of branch trunk (5 on the source) is missing on the target", "="},
		"a first one":   {func(h *history) { h.Revisions = h.Revisions[1:] }, "revision 1 of branch trunk is missing on the target", "="},
		"an author":     {func(h *history) { h.Revisions[4].Author = "eve" }, "revision 5 of branch dev (6 on the source) is not what was verified: it is now by eve of 2025-03-06T10:00:00Z", "="},
		"a date":        {func(h *history) { h.Revisions[0].Created = h.Revisions[0].Created.Add(time.Second) }, "revision 1 of branch trunk is not what was verified: it is now by ann of 2025-03-01T10:00:01Z", "="},
		"a description": {func(h *history) { h.Revisions[1].Description = "other" }, "revision 2 of branch trunk is not what was verified: it is now by ann of 2025-03-02T10:00:00Z", "="},
		"truncated":     {func(h *history) { h.Revisions = h.Revisions[:2] }, "revision 3 of branch dev is missing on the target", "="},
		"a branch": {func(h *history) {
			h.Branches, h.Revisions = h.Branches[:1], slices.DeleteFunc(h.Revisions, func(r osmc.Revision) bool { return r.Branch == dev })
		}, "branch dev is gone from the target", "="},
		"a new revision": {func(h *history) {
			h.Revisions = append(h.Revisions, osmc.Revision{Number: 6, Branch: trunk, Author: "eve"})
		}, "revision 6 by eve of branch trunk was made on the target", ""},
		"a new branch":     {func(h *history) { h.Branches = append(h.Branches, osmc.Branch{ID: "x", Name: "y"}) }, "branch y was made on the target", ""},
		"a tag":            {func(h *history) { h.Tags = nil }, "its branches or tags are not those that were verified", ""},
		"a branch's start": {func(h *history) { h.Branches[1].Start = 1 }, "its branches or tags are not those that were verified", ""},
	} {
		now := engine(true)
		c.spoil(now)
		if c.lost == "=" {
			c.lost = c.changed
		}
		if got := was.changed(now); got != c.changed {
			t.Errorf("%s: %q, want %q", name, got, c.changed)
		}
		if got := was.lost(now); got != c.lost {
			t.Errorf("%s: lost %q, want %q", name, got, c.lost)
		}
	}
}

func TestCopiedNamesWhatIsNew(t *testing.T) {
	was := copiedOf("Engine", engine(false), engine(true))
	now := engine(false)
	if got := was.newer(now); got != "" {
		t.Errorf("nothing is new, got %q", got)
	}
	now.Revisions = append(now.Revisions, osmc.Revision{Number: 7, Branch: dev, BranchName: "dev", Author: "bo", Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	now.Branches = append(now.Branches, osmc.Branch{ID: "x", Name: "variant"})
	if got := was.newer(now); got != "revision 7 by bo (2026-01-01T00:00:00Z) of branch dev, branch variant" {
		t.Errorf("got %q", got)
	}
}

func TestCopiedIsJournaled(t *testing.T) {
	was := map[string]copied{idA: copiedOf("Engine", engine(false), engine(true)), idB: copiedOf("Gearbox", nil, engine(true))}
	out, err := packCopied(was)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackCopied(out[copiedOutput])
	if err != nil {
		t.Fatal(err)
	}
	a, b := got[idA], got[idB]
	if a.changed(engine(true)) != "" || a.newer(engine(false)) != "" || b.changed(engine(true)) != "" || b.Digest != "" {
		t.Errorf("%+v", got)
	}
	if _, err := unpackCopied("{"); err == nil {
		t.Error("half a note is taken")
	}
	if strings.Contains(out[copiedOutput], "ann") {
		t.Error("names of people are journaled without need")
	}
}
