package report_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
)

// TestParties: of each site it is known until when a plan may be made from what it has sent, and until when others may
// rest on what it has verified, which is looked at again and again until they are done.
func TestParties(t *testing.T) {
	p := reporttest.Sites()
	of := func(entries ...journal.Entry) report.Party {
		t.Helper()
		run := &report.Run{Entries: entries, Decision: executor.Next(p, entries, "", time.Time{})}
		return made(t, p, run).Parties[0]
	}
	plan := made(t, p, nil).Parties
	if len(plan) != 2 || plan[0].Plans || !plan[1].Plans || len(plan[0].Numbers) != 1 || !plan[1].Until.IsZero() ||
		!plan[0].Until.Equal(p.Sites[0].Observed.At.Add(36*time.Hour)) || !plan[0].Holds.IsZero() {
		t.Errorf("of the plan: %+v", plan)
	}
	at := time.Date(2027, 2, 4, 0, 0, 0, 0, time.UTC)
	compared := journal.Entry{Seq: 1, Time: at, Key: p.Steps[0].ID, Event: executor.EventDone, Site: "acme",
		Own: 1}
	again := journal.Entry{Seq: 3, Time: at.Add(time.Hour), Key: p.Steps[0].ID, Event: executor.EventVerified,
		Site: "acme", Own: 2}
	receipt := func(seq, n int, late time.Duration) journal.Entry {
		return journal.Entry{Seq: seq, Time: at.Add(late), Key: executor.RunKey, Event: executor.EventReceived,
			Site: "globex", Data: map[string]string{"site": "acme", "entries": strconv.Itoa(n)}}
	}
	first, second := receipt(2, 1, 0), receipt(4, 2, time.Hour)
	removed := journal.Entry{Seq: 5, Time: at.Add(2 * time.Hour), Key: p.Steps[1].ID, Event: executor.EventDone,
		Site: "globex"}
	for name, c := range map[string]struct {
		entries []journal.Entry
		holds   time.Time
		done    int
	}{
		"not verified": {},
		"not received": {[]journal.Entry{compared}, time.Time{}, 1},
		"verified":     {[]journal.Entry{compared, first}, at.Add(36 * time.Hour), 1},
		"once more":    {[]journal.Entry{compared, first, again, second}, at.Add(37 * time.Hour), 1},
		"all is done":  {[]journal.Entry{compared, first, again, second, removed}, time.Time{}, 1},
	} {
		if got := of(c.entries...); !got.Holds.Equal(c.holds) || got.Done != c.done {
			t.Errorf("%s: %+v", name, got)
		}
	}
	failed := journal.Entry{Seq: 3, Time: at.Add(time.Hour), Key: p.Steps[0].ID, Event: executor.EventFailed,
		Site: "acme"}
	if got := of(compared, first, failed); !got.Verified.IsZero() || !got.Holds.IsZero() || got.Done != 0 {
		t.Errorf("failed since: %+v", got)
	}
	stop := p.Steps[1]
	stop.ID, stop.Op, stop.Mark, stop.Effect = stop.ID+"_stop", "stop", planner.MarkChange, nil
	p.Steps = append(p.Steps, stop)
	if got := of(compared, first); !got.Verified.Equal(at) || !got.Holds.Equal(at.Add(27*time.Hour)) {
		t.Errorf("with a step that leaves time for the removal: %+v", got)
	}
	if got := made(t, reporttest.Small(), nil).Parties; got != nil {
		t.Errorf("without sites: %+v", got)
	}
}

func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 10 * time.Minute: "10m", 61 * time.Second: "1m1s", 24 * time.Hour: "24h",
		90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 100 * time.Hour: "100h",
	} {
		if got := report.Length(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
