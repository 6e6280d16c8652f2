package cli

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/printable"
)

// A bundle without a file that is wanted, or with another content of it, is refused before the first one is taken.
func TestBundleHasTheFilesThatAreWanted(t *testing.T) {
	want := []executor.FileInfo{{Name: "a.json", Bytes: 3, SHA256: "aa"}, {Name: "b.json", Bytes: 4, SHA256: "bb"}}
	a := bundle.Part{Name: "files/a.json", Size: 3, SHA256: "aa"}
	for name, row := range map[string]struct {
		second bundle.Part
		want   string
	}{
		"all":            {bundle.Part{Name: "files/b.json", Size: 4, SHA256: "bb"}, ""},
		"one is missing": {bundle.Part{Name: "files/c.json", Size: 4, SHA256: "bb"}, "does not have the file b.json"},
		"another":        {bundle.Part{Name: "files/b.json", Size: 4, SHA256: "cc"}, "journal names bb"},
	} {
		s := &bundle.Staged{Bundle: bundle.Bundle{Manifest: bundle.Manifest{Parts: []bundle.Part{a, row.second}}}}
		err := hasFiles(s, want)
		if row.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var r *bundle.Refusal
		if !errors.As(err, &r) || r.Reason != unfitRun || !strings.Contains(r.Detail, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// However many parts another site sends, they take no more memory than is allowed for all together.
func TestPartsFitMemoryTogether(t *testing.T) {
	long := bundle.Part{Name: partPlan, Size: mostInMemory}
	short := bundle.Part{Name: "configuration/b.sync.hcl", Size: 1}
	file := bundle.Part{Name: "files/a.json", Size: 1 << 40}
	if err := fitsMemory([]bundle.Part{long, file}); err != nil {
		t.Error(err)
	}
	var r *bundle.Refusal
	_, err := unpack(&bundle.Staged{Bundle: bundle.Bundle{Manifest: bundle.Manifest{Parts: []bundle.Part{long, short}}}})
	if !errors.As(err, &r) || r.Reason != bundle.TooLarge {
		t.Errorf("got %v", err)
	}
}

// An error shows no more than the beginning of what differs.
func TestDifferencesAreShort(t *testing.T) {
	lines := func(n int) []byte { return []byte(strings.Repeat("é = 1\n", n)) }
	for name, n := range map[string]int{"some": 10, "many": 10_000, "too many": 100_000} {
		there := map[string][]byte{"main.sync.hcl": lines(n), "other.sync.hcl": lines(n)}
		got := differences(map[string][]byte{"main.sync.hcl": lines(1)}, there, "acme", "globex")
		if got == "" || len(got) > mostOfDifference+100 || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}

// No part makes the receiver take far more memory than the part is long.
func TestPartsOfManyValues(t *testing.T) {
	many := []byte("[" + strings.Repeat("{},", 2*printable.Documents.Values+1) + "{}]")
	for _, name := range []string{partHandover, partObservations, partPlan, partOrigin, partSeen, partJournal} {
		h := &handed{configuration: map[string][]byte{}}
		if err := h.add(name, many); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPartsEnd: what stands behind the value of a part would be read by no one.
func TestPartsEnd(t *testing.T) {
	for _, name := range []string{partHandover, partOrigin} {
		for text, ok := range map[string]bool{"{}\n": true, "{} {}": false, "{}x": false, "{}{}": false} {
			if err := new(handed).add(name, []byte(text)); (err == nil) != ok {
				t.Errorf("%s of %q: %v", name, text, err)
			}
		}
	}
}
