package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
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
