package executor

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"
)

// TestLastChangesOfLostRuns: what a damaged run says is not known, also once it was set aside: its sites have to send
// again what they show, once.
func TestLastChangesOfLostRuns(t *testing.T) {
	written := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	own := func(r *Run) string { return filepath.Join(r.Dir, journalName) }
	for name, damage := range map[string]func(*testing.T, *company, *Run){
		"no damage":            nil,
		"the other's, older":   func(t *testing.T, c *company, r *Run) { c.shorten(t, r.chainPath("a"), 1) },
		"the other's, removed": func(t *testing.T, c *company, r *Run) { c.shorten(t, r.chainPath("a"), -1) },
		"the own one, removed": func(t *testing.T, c *company, r *Run) { c.shorten(t, own(r), -1) },
		"the plan, removed":    func(t *testing.T, c *company, r *Run) { c.shorten(t, filepath.Join(r.Dir, "plan.json"), -1) },
		"another key": func(_ *testing.T, c *company, _ *Run) {
			c.store.Key = func() ([]byte, error) { return []byte("another key"), nil }
		},
		"no key": func(_ *testing.T, c *company, _ *Run) {
			c.store.Key = func() ([]byte, error) { return nil, nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoCompanies()
			if _, err := b.store.Create(overTwo(), nil); err != nil {
				t.Fatal(err)
			}
			b.apply(t, sitesConfig())
			if err := a.receive(b.pack(t)); err != nil {
				t.Fatal(err)
			}
			a.apply(t, sitesConfig())
			if err := b.receive(a.pack(t)); err != nil {
				t.Fatal(err)
			}
			r := b.run(t)
			want := r.LastChange("a")
			if damage != nil {
				damage(t, b, r)
				want = written
			}
			b.writtenAt(t, written)
			changes := func() {
				t.Helper()
				got, err := b.store.LastChanges([]string{"a"}, time.Time{})
				if err != nil || len(got) != 1 || want.IsZero() || !got["a"].Equal(want) {
					t.Errorf("%v and not %v, %v", got, want, err)
				}
			}
			changes()
			if damage == nil {
				return
			}
			if _, err := b.store.SetAside(r); err != nil {
				t.Fatal(err)
			}
			changes()
		})
	}
}

// writtenAt makes everything in the company's folder look as if it was last written at a time.
func (c *company) writtenAt(t *testing.T, at time.Time) {
	t.Helper()
	err := afero.Walk(c.store.Fs, filepath.Dir(c.store.Dir), func(path string, _ fs.FileInfo, err error) error {
		if err == nil {
			err = c.store.Fs.Chtimes(path, at, at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
