package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
	"github.com/syncctl/syncctl/schema"
)

// mostOfRehearsal is the maximum size of a rehearsal file, in bytes.
const mostOfRehearsal = 8 << 20

// mayWriteRehearsal refuses a file whose name means something else to syncctl, or that has other contents. Then it
// empties the file, so that the result of an earlier rehearsal is not mistaken for this one's.
func (c *command) mayWriteRehearsal(name string) error {
	if name == "" {
		return nil
	}
	if err := c.freeToWrite("out", name, record.RehearsalName); err != nil {
		return err
	}
	if err := c.wasSuch("out", name, documentJSON); err != nil {
		return err
	}
	return c.replace(name, nil)
}

// saveRehearsal writes the result of a rehearsal to a file if a name was given, and as JSON if that is wanted.
func (s *scratch) saveRehearsal(name, at string, cfg *schema.Config, begun time.Time, ended error) error {
	text, err := s.rehearsal(at, cfg, begun, ended)
	if err != nil || text == nil {
		return err
	}
	if name != "" {
		if err := s.command.replace(name, text); err != nil {
			return err
		}
	}
	return s.writeJSON(func(w io.Writer) error { _, err := w.Write(text); return err })
}

// rehearsal returns the result of a rehearsal, however it ended. Without a plan there was none. at is the folder in
// which the plan was made.
func (s *scratch) rehearsal(at string, cfg *schema.Config, begun time.Time, ended error) ([]byte, error) {
	text, err := afero.ReadFile(s.app.fs, filepath.Join(at, rehearsedPlan))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the plan that was rehearsed: %w", err)
	}
	plan, err := planner.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading the plan that was rehearsed: %w", err)
	}
	r, err := record.NewRehearsal(plan, configurationParts(cfg))
	if err != nil {
		return nil, err
	}
	seed, err := afero.ReadFile(s.app.fs, filepath.Join(s.work, seedFile))
	if err != nil {
		return nil, fmt.Errorf("reading the seed: %w", err)
	}
	sum := sha256.Sum256(seed)
	r.Syncctl, r.At, r.Seed, r.Result = version(), begun.UTC(), hex.EncodeToString(sum[:]), record.RehearsalComplete
	if ended != nil {
		r.Result = record.RehearsalFailed
		r.Exit, _ = codeOf(ended)
	}
	return r.Encode()
}

// addRehearsal adds the rehearsal in a file to the parts of a record, if it is the rehearsal of the run's plan.
func (c *command) addRehearsal(p *project, run *executor.Run, name string, parts map[string][]byte) error {
	text, err := schema.ReadBounded(c.foreign(), c.abs(name), mostOfRehearsal)
	if err != nil {
		return fmt.Errorf("reading the rehearsal: %w", err)
	}
	r, err := record.DecodeRehearsal(text)
	if err != nil {
		return failf(exitRefused, "-rehearsal=%s is refused: %w", schema.SanitizeLine(name), err)
	}
	if p.cfg.Digest() != run.Plan.Digest {
		return failf(exitRefused, "-rehearsal=%s is refused: the files or variables have changed since run %s was planned, "+
			"so it is not known whether the rehearsal was of them", schema.SanitizeLine(name), schema.SanitizeLine(run.ID))
	}
	if err := r.Of(run.Plan, configurationParts(p.cfg)); err != nil {
		return failf(exitRefused, "-rehearsal=%s is not that of run %s: %w", schema.SanitizeLine(name),
			schema.SanitizeLine(run.ID), err)
	}
	parts[record.RehearsalName] = text
	return nil
}

// rehearsalWords describes the rehearsal of its plan that a record contains.
func rehearsalWords(r *record.Record) string {
	h := r.Rehearsed
	if h == nil {
		return "none: the record does not show that the plan was rehearsed"
	}
	words := fmt.Sprintf("%s, of the same steps and files, %s, syncctl %s", h.Result, h.At.Format(time.RFC3339), h.Syncctl)
	if h.Result == record.RehearsalFailed {
		words += fmt.Sprintf(", exit code %d", h.Exit)
	}
	return words
}

// rehearsedAt returns the folder in which a rehearsal plans.
func rehearsedAt(s *scratch, sites *sitesRehearsal) string {
	if sites != nil && sites.planner != nil {
		return sites.planner.work()
	}
	return s.work
}
