package executor

import (
	"errors"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestCheckSeenHere: what prevents a site from checking another one's plan is not taken for a fault of that plan.
func TestCheckSeenHere(t *testing.T) {
	cfg := &schema.Config{Settings: schema.Settings{Sites: []*schema.Site{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}
	s := &Store{Fs: afero.NewMemMapFs(), Dir: "runs", Site: "b"}
	check := func() (wrong, err error) {
		return s.CheckSeen(cfg, &planner.Plan{}, "a", &Origin{Seen: planner.NewObservations()})
	}
	if wrong, err := check(); wrong != nil || err != nil {
		t.Fatal(wrong, err)
	}
	if err := afero.WriteFile(s.Fs, s.seenPath("c"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong, err := check(); wrong != nil || err == nil {
		t.Errorf("what is kept of another site is damaged: %v, %v", wrong, err)
	}
	s.Key = func() ([]byte, error) { return nil, os.ErrPermission }
	if wrong, err := check(); wrong != nil || !errors.Is(err, os.ErrPermission) {
		t.Errorf("the key cannot be read: %v, %v", wrong, err)
	}
}
