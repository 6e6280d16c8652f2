package executor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Origin is what a plan over sites was made from, beside the configuration. It travels with the plan, so that each site
// can make the plan again and see whether it is the same.
type Origin struct {
	planner.Selection

	Earlier *Earlier              `json:"earlier"`
	Seen    *planner.Observations `json:"-"` // travels by itself: it may be large
}

// originName is the file of a run with its Origin, but for what was seen.
const originName = "origin.json"

// originOf is the origin of a new plan; nil where the plan is not over sites, or what it was made from is not known.
// Its caller holds the lock: what earlier runs have done is the same as when the plan was made.
func (s *Store) originOf(p *planner.Plan, kept *Kept) (*Origin, error) {
	if kept == nil || len(p.Sites) == 0 {
		return nil, nil
	}
	earlier, err := s.Earlier("")
	return &Origin{Selection: kept.Basis.Selection, Earlier: earlier, Seen: kept.Seen}, err
}

// files are those of an origin in a run's folder.
func (o *Origin) files() (map[string][]byte, error) {
	var seen bytes.Buffer
	if err := o.Seen.Encode(&seen); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing what the plan was made from: %w", err)
	}
	return map[string][]byte{originName: append(text, '\n'), seenName: seen.Bytes()}, nil
}

// origin is what a run's plan was made from; nil where that is not known.
func (s *Store) origin(r *Run) (*Origin, error) {
	text, err := afero.ReadFile(s.Fs, filepath.Join(r.Dir, originName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	seen, bad := afero.ReadFile(s.Fs, filepath.Join(r.Dir, seenName))
	if err := errors.Join(err, bad); err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %w", err)
	}
	o := &Origin{}
	err = json.Unmarshal(text, o)
	if err == nil {
		o.Seen, err = planner.DecodeObservations(bytes.NewReader(seen))
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %w", err)
	}
	return o, nil
}

// Vouch puts onto observations that this site sends that they are its own.
func (s *Store) Vouch(cfg *schema.Config, own *planner.Observations) error {
	key, err := s.keyOf("sent observations")
	if err != nil {
		return err
	}
	return own.Vouch(cfg, key)
}

// CheckSeen holds what another site's plan was made from against what this site has sent, and has been sent. wrong is
// what the plan is to be refused for; err, that it could not be checked here.
func (s *Store) CheckSeen(cfg *schema.Config, p *planner.Plan, from string, o *Origin) (wrong, err error) {
	key, err := s.keyOf("sent observations")
	if err != nil {
		return nil, err
	}
	sent := map[string]*planner.Observations{}
	for _, site := range cfg.Settings.Sites {
		if site.Name == s.Site || site.Name == from {
			continue
		}
		if sent[site.Name], err = s.Seen(site.Name); err != nil {
			return nil, err
		}
	}
	return o.Seen.CheckOrigin(cfg, p, from, key, sent), nil
}

// Known is what another site says of earlier runs, as far as this site believes it. That a run was given up, which lets
// its marks be taken over, and that a person's step is done, this site has to know too, but for steps that theirs tells
// of: those of other sites, which may have had runs of their own.
func (e *Earlier) Known(here *Earlier, theirs func(step string) bool) *Earlier {
	out := &Earlier{Retired: e.Retired, Acted: e.Acted, Confirmed: map[string]planner.Confirmation{}}
	for step, c := range e.Confirmed {
		if own, ok := here.Confirmed[step]; ok && own.Run == c.Run || theirs(step) {
			out.Confirmed[step] = c
		}
	}
	for _, id := range e.Abandoned {
		if slices.Contains(here.Abandoned, id) {
			out.Abandoned = append(out.Abandoned, id)
		}
	}
	return out
}
