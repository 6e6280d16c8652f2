package planner_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/syncctl/syncctl/planner"
)

// TestOwnObservationsBelongTogether: another site's plan is not made from what this site has sent at different times.
func TestOwnObservationsBelongTogether(t *testing.T) {
	cfg, key, now := loadAt(t, "a", overSites), []byte("key"), time.Date(2026, 1, 9, 12, 0, 0, 0, time.UTC)
	for age, ok := range map[time.Duration]bool{0: true, 24 * time.Hour: true, 25 * time.Hour: false} {
		o := planner.NewObservations()
		for of, at := range map[string]time.Time{"new": now, "old": now.Add(-age)} {
			o.Put(planner.Need{Server: "server.depot.a", What: "box", Of: of}, at, "", &box{})
		}
		if err := o.Vouch(cfg, key); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := o.Encode(&b); err != nil {
			t.Fatal(err)
		}
		back, err := planner.DecodeObservations(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.CheckOrigin(cfg, &planner.Plan{}, "b", key, nil); (err == nil) != ok {
			t.Errorf("%s apart: %v", age, err)
		}
	}
}
