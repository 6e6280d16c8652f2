package cli

import (
	"bytes"
	"slices"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/schema"
)

// untold returns the last run if it has finished here, over sites, and no bundle for the other sites says so, as when
// the process was killed in between: they have to learn of the end before anything new is planned, since what they have
// shown is from before. nil: there is none.
func (c *command) untold(cfg *schema.Config) (*executor.Run, error) {
	if cfg.Site == "" {
		return nil, nil
	}
	ids, err := c.store().IDs()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	run, err := c.store().Load(ids[len(ids)-1])
	if err != nil || run.Damage != nil || run.Site != cfg.Site {
		return nil, err
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
	told, err := c.toldOf(run, chain[:end+1])
	if told || err != nil {
		return nil, err
	}
	return run, nil
}

// toldOf tells whether a bundle that was written has these entries of a run: a journal only grows.
func (c *command) toldOf(run *executor.Run, entries []journal.Entry) (bool, error) {
	var text bytes.Buffer
	if err := journal.Encode(&text, entries); err != nil {
		return false, err
	}
	hash, err := run.Plan.Hash()
	if err != nil {
		return false, err
	}
	sent, err := c.sent().List()
	return slices.ContainsFunc(sent, func(r bundle.Record) bool {
		return r.Plan == hash && slices.ContainsFunc(r.Parts, func(p bundle.Part) bool {
			return p.Name == partJournal && p.Size >= int64(text.Len())
		})
	}), err
}
