package reference

import (
	"slices"
	"strings"
	"testing"
)

// TestGuide: a guide is found by its name and by the words of its tables, unless these have a page of their own.
func TestGuide(t *testing.T) {
	guide := Guide("more/tests", "# Tests\n\nSaid in `NAME.unit.hcl`.\n\n| `run \"NAME\"` | one |\n| `plan` | two |\n")
	pages := []*Page{{Word: "plan", Group: Commands}, guide}
	for word, want := range map[string]string{
		"more/tests": "more/tests", "tests": "more/tests", "run": "more/tests", "unit": "more/tests",
		"unit.hcl": "more/tests",
		"plan":     "plan",
	} {
		found, err := Find(pages, nil, word)
		if err != nil || len(found) != 1 || found[0].Word != want {
			t.Errorf("%s: %v, %v", word, found, err)
		}
	}
	var b strings.Builder
	if err := guide.Write(&b, Layout{}); err != nil || !strings.HasSuffix(b.String(), "| `plan` | two |\n") {
		t.Error(b.String(), err)
	}
	if Guide("x", "# X\n\nWritten by `go test`.\n") != nil {
		t.Error("a page made from the program is shown twice")
	}
	if guide.Summary != "Tests." || !slices.Contains(Groups, guide.Group) {
		t.Error(guide)
	}
}
