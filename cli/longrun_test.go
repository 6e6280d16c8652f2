package cli

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// longRun returns an app with a run of one step and so many entries, and what its commands print.
func longRun(t *testing.T, entries int) (*app, *bytes.Buffer) {
	t.Helper()
	a, out, _ := appFor(afero.NewMemMapFs())
	a.stderr = out
	a.env = func(name string) (string, bool) {
		v, ok := map[string]string{"SYNCCTL_CONFIG_DIR": "/user"}[name]
		return v, ok
	}
	if err := afero.WriteFile(a.fs, "/user/key", bytes.Repeat([]byte{1}, keyLength), 0o600); err != nil {
		t.Fatal(err)
	}
	step := planner.Step{ID: "sync.a.b/copy", Addr: "sync.a.b", Op: "copy", Repeat: planner.CheckFirst}
	store := (&command{dir: "/", app: a}).store()
	r, err := store.Create(&planner.Plan{Format: planner.Format, Steps: []planner.Step{step}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := store.Journal(r, journal.Options{Now: a.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range entries {
		if _, err := j.Append(t.Context(), step.ID, executor.EventStarted, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return a, out
}

// TestMemoryOfShownRuns: what status and show allocate, garbage included, hardly depends on how many entries a run has.
func TestMemoryOfShownRuns(t *testing.T) {
	const few, many, most = 5000, 15000, 100 // bytes of an entry: its hash has 64
	for _, line := range []string{"status", "status -json", "show"} {
		var all [2]int64
		for i, entries := range []int{few, many} {
			a, out := longRun(t, entries)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			code := a.run(t.Context(), strings.Fields(line))
			runtime.ReadMemStats(&after)
			if code != exitDone {
				t.Fatalf("%s: exit code %d: %s", line, code, out)
			}
			all[i] = int64(after.TotalAlloc - before.TotalAlloc)
		}
		if each := (all[1] - all[0]) / (many - few); each > most {
			t.Errorf("%s: an entry takes %d bytes, at most %d", line, each, most)
		}
	}
}
