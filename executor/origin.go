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

// Origin is what a plan over sites was made from, besides the configuration. It is sent with the plan, so that each
// site can make the plan again and check that it is the same.
type Origin struct {
	planner.Selection

	Earlier *Earlier              `json:"earlier"` // what is relevant of earlier runs
	Seen    *planner.Observations `json:"-"`       // sent separately, since it may be large
}

// originName is the file of a run that holds its Origin without the observations.
const originName = "origin.json"

// originOf returns the origin of a new plan. It returns nil if the plan is not over sites, or kept is nil. The caller
// must hold the lock, so that earlier runs are the same as when the plan was made.
func (s *Store) originOf(p *planner.Plan, kept *Kept) (*Origin, error) {
	if kept == nil || len(p.Sites) == 0 {
		return nil, nil
	}
	earlier, err := s.Earlier("")
	return &Origin{Selection: kept.Basis.Selection, Earlier: earlier, Seen: kept.Seen}, err
}

// files returns the files of an origin in a run's folder.
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

// origin reads what a run's plan was made from. It returns nil if that is unknown.
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

// Vouch authenticates the observations that this site sends, see planner.Observations.Vouch.
func (s *Store) Vouch(cfg *schema.Config, own *planner.Observations) error {
	key, err := s.keyOf("sent observations")
	if err != nil {
		return err
	}
	return own.Vouch(cfg, key)
}

// CheckSeen compares what another site's plan was made from with what this site has sent and received. wrong is the
// reason to refuse the plan; err says that it could not be checked here.
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

// Known returns what another site says about earlier runs, as far as this site accepts it. Abandoned runs, whose marks
// on servers may be taken over, and completed manual steps must be known here too. The exception are steps for which
// theirs is true: those of other sites, which may have had runs of their own.
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
