package executor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// stillClock never lets a pause pass, and calls waits when somebody waits for one.
type stillClock struct{ waits func() }

func (c stillClock) Now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func (c stillClock) After(time.Duration) <-chan time.Time { c.waits(); return nil }

// TestEndWhilePutOff checks that a run whose context ends while its only step was put off does not wait for that step.
func TestEndWhilePutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, clock := newDepot(), stillClock{cancel}
	p := plan(planner.Step{Op: "send"})
	d.refuse[p.Steps[0].ID] = &Later{After: time.Minute, Err: errors.New("busy")}
	j, err := journal.Open(afero.NewMemMapFs(), "journal", journal.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan *Report)
	go func() {
		rep, err := Carry(ctx, Options{
			Plan: p, Config: config(t), Drivers: func(schema.Addr) Driver { return d }, Journal: j, Operator: d, Clock: clock,
		})
		if err != nil {
			t.Error(err)
		}
		ended <- rep
	}()
	select {
	case rep := <-ended:
		if rep.Finished || d.thrown[p.Steps[0].ID] != 0 {
			t.Errorf("%+v", rep)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for a step that was put off")
	}
}
