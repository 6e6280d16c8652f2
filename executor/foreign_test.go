package executor

import (
	"errors"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// TestForeignRun: a run that somebody else made, such as one that came with a repository, is damaged, and nothing
// counts as removed, confirmed or given up by it, whether the user has a key or none yet.
func TestForeignRun(t *testing.T) {
	keys := map[string]func() ([]byte, error){
		"none":   nil, // nothing is authenticated: anybody can write such a run
		"theirs": func() ([]byte, error) { return []byte("theirs"), nil },
		"ours":   func() ([]byte, error) { return []byte("ours"), nil },
		"no key": func() ([]byte, error) { return nil, nil },
		"broken": func() ([]byte, error) { return nil, errors.New("no access") },
	}
	for _, made := range []string{"none", "theirs", "ours"} {
		store := &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Now: time.Now, Key: keys[made]}
		r, err := store.Create(sealed(t, planner.Step{Op: "configure", Mark: planner.MarkPerson,
			Manual: &planner.Manual{Action: "do"}, Retires: []string{addr}}), nil)
		if err != nil {
			t.Fatal(err)
		}
		j, err := store.Journal(r, journal.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range [][2]string{
			{RunKey, EventOpened}, {planner.StepID(addr, "configure"), EventDone}, {RunKey, EventAbandoned},
		} {
			if _, err := j.Append(t.Context(), e[0], e[1], nil); err != nil {
				t.Fatal(err)
			}
		}
		j.Close()
		for _, read := range []string{"theirs", "ours", "no key", "broken"} {
			store.Key = keys[read]
			got, err := store.Load(r.ID)
			if read == "broken" {
				if err == nil {
					t.Errorf("made with %s: read although the key could not be", made)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			own := made == read
			earlier, err := store.Earlier("")
			if err != nil {
				t.Fatal(err)
			}
			counts := len(earlier.Retired)+len(earlier.Confirmed)+len(earlier.Abandoned)+len(got.Entries) > 0
			if own != (got.Damage == nil) || own != counts {
				t.Errorf("made with %s, read with %s: damage %v, it counts: %v", made, read, got.Damage, counts)
			}
		}
	}
}
