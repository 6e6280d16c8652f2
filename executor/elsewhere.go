package executor

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// LastChanges returns when each of the given other sites may last have changed something on its servers, as far as the
// runs here say. A site that has changed nothing is missing.
//
// If a run is damaged or was set aside, it is unknown what the other sites have done in it. All of them then count as
// having changed something until the run's folder was last written, since a site hands over only what it has already
// done. Newer observations of a site are enough to plan again.
func (s *Store) LastChanges(sites []string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	take := func(site string, at time.Time) {
		if slices.Contains(sites, site) && at.After(out[site]) {
			out[site] = at
		}
	}
	lost := func(dir string) error {
		at, err := lastWrite(s.Fs, dir)
		for _, site := range sites {
			take(site, at)
		}
		return err
	}
	aside, err := s.setAside()
	if err != nil {
		return nil, err
	}
	for _, id := range aside {
		if err := lost(filepath.Join(s.damagedDir(), id)); err != nil {
			return nil, err
		}
	}
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		b, err := s.Brief(id)
		if err == nil && b.Run == nil && b.End.Changed == nil {
			b.Run, err = s.Load(id)
		}
		if err != nil {
			return nil, err
		}
		if b.Run == nil {
			for site, at := range b.End.Changed {
				take(site, at)
			}
			continue
		}
		run := b.Run
		if run.Damage != nil {
			if err := lost(run.Dir); err != nil {
				return nil, err
			}
		}
		for site := range run.Chains { // of a damaged run, also what can be read: the site's clock may be ahead
			take(site, run.LastChange(site))
		}
	}
	return out, nil
}

// LastChange returns when a site may last have changed something, by its own clock and as far as its journal is known
// here. It returns zero if it has changed nothing. A step that its servers show as done counts as well: a try whose
// answer was lost, or that was killed, has no other entry. A try that was certainly not sent does not count.
func (r *Run) LastChange(site string) time.Time { return lastChange(r.Plan, r.Chains[site]) }

// lastChange is LastChange for the entries of one site.
func lastChange(p *planner.Plan, chain []journal.Entry) time.Time {
	steps := make(map[string]*planner.Step, len(p.Steps))
	for i := range p.Steps {
		steps[p.Steps[i].ID] = &p.Steps[i]
	}
	last := map[string]try{} // by step
	for i, e := range chain {
		if e.Key == RunKey {
			continue
		}
		s := steps[e.Key]
		if s != nil && s.Mark == planner.MarkCheck {
			continue
		}
		t := last[e.Key]
		f, _ := failureOf(e)
		switch {
		case e.Event == EventStarted:
			t = try{changed: i + 1, before: t.changed, open: true}
		case f.Unsent:
			if t.open && s != nil && s.Manual == nil { // a person who was asked may have begun
				t.changed = t.before
			}
			t.open = false
		case slices.Contains(changing, e.Event):
			t = try{changed: i + 1}
		default:
			t.open = false
		}
		last[e.Key] = t
	}
	most := 0
	for _, t := range last {
		most = max(most, t.changed)
	}
	if most == 0 {
		return time.Time{}
	}
	return chain[most-1].Time
}

// changing holds the events of entries that say that a step has changed something, or may have. A failed step may
// have, unless it was certainly not sent.
var changing = []string{EventExecuted, EventDone, EventFailed, EventStuck, EventResolved}

// try is the last try at a step. Entries are counted from 1; 0 means none.
type try struct {
	changed int  // the last entry that says that the step may have changed something
	before  int  // changed, as it was before the try started
	open    bool // the try has started and not ended
}

// lastWrite returns when a folder, or anything in it, was last written. It follows no links.
func lastWrite(fsys afero.Fs, dir string) (time.Time, error) {
	var last time.Time
	err := afero.Walk(fsys, dir, func(_ string, info fs.FileInfo, err error) error {
		if err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("finding out when folder %s was last written: %w", dir, err)
	}
	return last, err
}

// setAside returns the IDs of the runs that were set aside, oldest first.
func (s *Store) setAside() ([]string, error) {
	infos, err := afero.ReadDir(s.Fs, s.damagedDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the runs that were set aside: %w", err)
	}
	var ids []string
	for _, info := range infos {
		if info.IsDir() {
			ids = append(ids, info.Name())
		}
	}
	return ids, nil
}
