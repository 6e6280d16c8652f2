package executor

import (
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// TestLatest: the last run is the one that was last written to here, also if its ID is older than that of another one,
// and a new run comes after all others, also if the clock was set back.
func TestLatest(t *testing.T) {
	clock := &fastClock{now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := &Store{Fs: afero.NewMemMapFs(), Dir: "/runs", Now: clock.Now}
	p := &planner.Plan{Format: planner.Format}
	begin := func() string {
		t.Helper()
		r, err := s.Create(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	write := func(id string) {
		t.Helper()
		r, err := s.Load(id)
		if err != nil {
			t.Fatal(err)
		}
		j, err := s.Journal(r, journal.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), RunKey, EventOpened, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		if got, err := s.Latest(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	check()
	first := begin()
	write(first)
	clock.move(time.Hour)
	second := begin()
	write(second)
	check(second, first)
	clock.move(time.Hour)
	write(first)
	check(first, second)
	clock.move(-24 * time.Hour)
	third := begin()
	write(third)
	check(third, first, second)
	clock.move(-720 * time.Hour) // it is unknown which of the clocks was right
	if fourth := begin(); fourth > first {
		t.Errorf("%s is not of its time", fourth)
	}
}

// TestTimesOfIDs checks that a time is written in one way alone: IDs are names of folders, and sort.
func TestTimesOfIDs(t *testing.T) {
	const id = "20260101T120000.000Z-abcdef"
	if !isRunID(id) {
		t.Error(id)
	}
	for _, other := range []string{
		"20260101T120000,000Z-abcdef", "20260101T120000.0000Z-abcdef", "20261301T120000.000Z-abcdef",
	} {
		if isRunID(other) {
			t.Error(other)
		}
	}
}
