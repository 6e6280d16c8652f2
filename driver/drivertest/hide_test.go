package drivertest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/sandbox"
)

// yardHiding has a bad world in which a box is labelled wrongly at the last moment: the old one must not be purged.
func yardHiding() Hiding {
	relabel := func(act func(string, map[string]string)) {
		act("label", map[string]string{"box": "new", "text": "light"})
	}
	return Hiding{
		Good: move(),
		Bad: []BadWorld{{
			Name: "another label", Case: move(),
			While: Rehearsal{Before: map[string]func(func(string, map[string]string)){"purge": relabel}},
		}},
		Deletes: func(l sandbox.AccessLine) bool { return strings.HasPrefix(l.Path, "purge") },
		Most:    5,
	}
}

// TestHide runs Hide with a correct driver.
func TestHide(t *testing.T) {
	Hide(t, yard(os.Getenv(defectVariable)), yardHiding())
}

// TestHideFinds checks that Hide finds a driver that takes silence for consent.
func TestHideFinds(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self,
		"-test.run=^TestHide$/another_label/^GET_:boxes:+_boxes.*label_removed$")
	cmd.Env = append(os.Environ(), defectVariable+"=trusts silence", AllVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "something is deleted: north EXEC purge old") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestHideChooses(t *testing.T) {
	parts := []sandbox.Part{
		{Server: "a", Method: "GET", Route: "/x", Member: "m"}, {Server: "b", Method: "GET", Route: "/x", Member: "m"},
		{Server: "a", Method: "EXEC", Route: "look"}, {Server: "a", Method: "EXEC", Route: "look", Word: 1},
	}
	count := map[int]int{}
	seen := map[string]bool{}
	for _, hidden := range (Hiding{Most: 100}).choose(Random(t), parts) {
		count[len(hidden)]++
		seen[title(hidden)] = true
	}
	if count[1] != 3*3+2+2 || count[2] < 50 || len(count) != 2 {
		t.Errorf("%v", count)
	}
	for _, want := range []string{"GET :x: m removed", "a GET :x: m null", "b GET :x: m renamed",
		"EXEC look bannered", "EXEC look: word 1 renamed"} {
		if !seen[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestSample(t *testing.T) {
	t.Setenv(AllVariable, "")
	t.Setenv(SeedVariable, "7")
	list := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
	want := 3
	if testing.Short() {
		want = 1
	}
	first, again := Sample(Random(t), list, 3), Sample(Random(t), list, 3)
	if len(first) != want || !slices.Equal(first, again) || !slices.IsSorted(first) {
		t.Errorf("%v, again %v", first, again)
	}
	t.Setenv(AllVariable, "1")
	if all := Sample(Random(t), list, 3); len(all) != len(list) {
		t.Errorf("%v", all)
	}
}
