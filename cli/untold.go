package cli

import (
	"bytes"
	"slices"
	"time"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/schema"
)

// unfinished returns the run that must be resumed before anything new is planned, or nil if there is none. It is
// damaged, its steps are not all done, or the other sites were not told that it has ended.
func (c *command) unfinished(cfg *schema.Config) (*executor.Run, error) {
	run, err := c.store().Unfinished()
	if run == nil && err == nil && cfg.Site != "" {
		return c.untold(cfg)
	}
	return run, err
}

// untold returns the last run over sites if it has ended here, another site does not know that, and no bundle written
// for that site says so, for example because the process was killed in between. The observations of that site are then
// older than its end. If the files were changed since, no bundle can say it any more, and untold returns nil.
func (c *command) untold(cfg *schema.Config) (*executor.Run, error) {
	ids, err := c.store().Latest()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	run, err := c.store().Load(ids[0])
	switch {
	case err != nil || run.Damage != nil:
		return run, err
	case run.Site != cfg.Site || run.Plan.Digest != cfg.Digest():
		return nil, nil
	}
	var unsure []string
	for _, s := range run.Plan.Sites {
		if s.Name != run.Site && !run.KnowsEnd(s.Name) {
			unsure = append(unsure, s.Name)
		}
	}
	if len(unsure) == 0 {
		return nil, nil
	}
	chain, err := journal.Rechain(run.Chains[run.Site], nil)
	if err != nil {
		return nil, err
	}
	end := slices.IndexFunc(chain, func(e journal.Entry) bool {
		return e.Key == executor.RunKey && e.Event == executor.EventFinished
	})
	if end < 0 {
		return nil, nil
	}
	told, err := c.toldOf(run, chain[:end+1], unsure)
	if told || err != nil {
		return nil, err
	}
	return run, nil
}

// changedElsewhere returns when each other site may last have changed something on its servers, as far as the runs here
// say.
func (c *command) changedElsewhere(cfg *schema.Config) (map[string]time.Time, error) {
	if cfg.Site == "" {
		return nil, nil
	}
	var others []string
	for _, s := range cfg.Settings.Sites {
		if s.Name != cfg.Site {
			others = append(others, s.Name)
		}
	}
	return c.store().LastChanges(others)
}

// toldOf reports whether each of these sites was sent a bundle written since that contains these entries of a run: a
// journal only grows.
func (c *command) toldOf(run *executor.Run, entries []journal.Entry, sites []string) (bool, error) {
	var text bytes.Buffer
	if err := journal.Encode(&text, entries); err != nil {
		return false, err
	}
	hash, err := run.Plan.Hash()
	if err != nil {
		return false, err
	}
	end := entries[len(entries)-1].Time.Truncate(time.Second) // bundles have times in whole seconds
	sent, err := c.sent().List()
	told := map[string]bool{}
	for _, r := range sent {
		if r.Plan != hash || r.Created.Before(end) || !slices.ContainsFunc(r.Parts, func(p bundle.Part) bool {
			return p.Name == partJournal && p.Size >= int64(text.Len())
		}) {
			continue
		}
		for _, to := range r.To {
			told[to.Site] = true
		}
	}
	return !slices.ContainsFunc(sites, func(site string) bool { return !told[site] }), err
}
