package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Kept is what a plan was made from. The run stores it, so that its plan can be made again from changed files although
// the run itself has changed the servers since. It holds no secret.
type Kept struct {
	Basis *planner.Basis
	Seen  *planner.Observations
}

// ErrNotKept is the error for a run that has not stored what its plan was made from.
var ErrNotKept = errors.New("the run has not kept what its plan was made from")

// Names of the files of a plan, and the prefix of the folders of revised plans, which are numbered from 1.
const (
	planName      = "plan.json"
	basisName     = "basis.json"
	seenName      = "observations.jsonl"
	revisedPrefix = "revised-"
)

// Names in the data of EventRevised: the number in the name of the new plan's folder, the SHA-256 of the plan's file,
// and the digest of the configuration.
const (
	dataRevision = "revision"
	dataPlan     = "plan"
	dataDigest   = "digest"
)

// Fixed returns the steps that must be the same in a revised plan, by ID: all that may have been carried out, and all
// that a person has decided about. It leaves out checks that are not done, since they changed nothing. It also leaves
// out a person's step that only waits: it is verified, and the person is asked, before anything relies on it.
func Fixed(p *planner.Plan, entries []journal.Entry) map[string]bool {
	h := historyOf(p, entries, "")
	out := map[string]bool{}
	for id, r := range h.records {
		out[id] = r.begun
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		e := h.of(s.ID).last
		f, _ := failureOf(e)
		idle := e.Event == EventWaiting || f.Unsent
		asked := s.Manual != nil && idle && (s.Effect == nil || !s.Effect.Irreversible)
		if asked || s.Mark == planner.MarkCheck {
			delete(out, s.ID)
		}
	}
	for _, e := range entries {
		switch e.Event {
		case EventExecuted, EventDone, EventStuck, EventResolved, EventReopened:
			out[e.Key] = true
		}
	}
	return out
}

// planFiles returns the files of a plan in a run's folder, by name. kept may be nil.
func planFiles(p *planner.Plan, kept *Kept) (map[string][]byte, error) {
	text, err := p.Text()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{planName: text}
	if kept == nil {
		return out, nil
	}
	var seen bytes.Buffer
	if err := kept.Seen.Encode(&seen); err != nil {
		return nil, err
	}
	basis, err := json.MarshalIndent(kept.Basis, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the basis of the plan: %w", err)
	}
	out[seenName], out[basisName] = seen.Bytes(), append(basis, '\n')
	return out, nil
}

// writeAll writes files into a folder, each completely or not at all.
func writeAll(fsys afero.Fs, dir string, files map[string][]byte) error {
	to := &folder{fs: fsys, dir: dir}
	for _, name := range []string{planName, basisName, originName, seenName, journalName} {
		content, ok := files[name]
		if !ok {
			continue
		}
		if _, err := writeFile(context.Background(), to, name, content); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes one file of a folder, completely or not at all.
func writeFile(ctx context.Context, to *folder, name string, content []byte) (FileInfo, error) {
	return to.Create(ctx, name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Revise gives a run a new plan. The plan's files are first written to a folder of their own. The new plan takes
// effect when the journal entry is durable, so a process that dies inside leaves either the old plan or the new one.
func (s *Store) Revise(ctx context.Context, r *Run, j *journal.Journal, p *planner.Plan, kept *Kept, by string) error {
	if err := s.authenticate(r.ID, p); err != nil {
		return fmt.Errorf("revising run %s: %w", r.ID, err)
	}
	files, err := planFiles(p, kept)
	if err != nil {
		return err
	}
	number := strconv.Itoa(len(r.Replaced) + 1)
	dir := filepath.Join(r.Dir, revisedPrefix+number)
	if err := s.Fs.RemoveAll(dir); err != nil { // left by an interrupted process
		return fmt.Errorf("removing the half-written %s: %w", dir, err)
	}
	if err := s.Fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the folder of the revised plan: %w", err)
	}
	if err := errors.Join(writeAll(s.Fs, dir, files), syncDir(s.Fs, r.Dir)); err != nil {
		return fmt.Errorf("writing the revised plan of run %s: %w", r.ID, err)
	}
	data := map[string]string{dataRevision: number, dataPlan: hash(files[planName]), dataDigest: p.Digest}
	if by != "" {
		data["by"] = by
	}
	if _, err := j.Append(ctx, RunKey, EventRevised, data); err != nil {
		return err
	}
	r.Replaced, r.Plan, r.planDir, r.Entries = append(r.Replaced, r.Plan), p, dir, j.Entries()
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// readPlan reads the plan in a folder of the run. want is the hash of its file, or "" if none is recorded. key is the
// run's key; if it is nil, the plan is not authenticated.
func (s *Store) readPlan(dir, want string, key []byte) (*planner.Plan, error) {
	src, err := afero.ReadFile(s.Fs, filepath.Join(dir, planName))
	if err != nil {
		return nil, err
	}
	if want != "" && hash(src) != want {
		return nil, errors.New("reading the plan: it is not the one that the journal names: it was changed or replaced")
	}
	p, authentic, err := planner.DecodeAuthentic(src, key)
	if err == nil && key != nil && !authentic {
		err = errForeign
	}
	return p, err
}

// readingPlan begins to read the first plan of a run. The function that it returns waits for it.
func (s *Store) readingPlan(dir string, key []byte) func() (*planner.Plan, error) {
	var p *planner.Plan
	var problem, bad error
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer fault.Catch(&bad)
		p, problem = s.readPlan(dir, "", key)
	}()
	return func() (*planner.Plan, error) {
		<-read
		fault.Raise(bad)
		return p, problem
	}
}

// loadPlans takes the first plan of a run and reads its revisions, in order. damage says what is wrong with their
// content; err means that they could not be read at all.
func (s *Store) loadPlans(r *Run, key []byte, first func() (*planner.Plan, error)) (damage, err error) {
	take := func(dir string, p *planner.Plan, problem error) {
		if problem != nil {
			damage = errors.Join(damage, problem)
			if !errors.Is(problem, fs.ErrNotExist) && errors.As(problem, new(*fs.PathError)) {
				err = problem
			}
			return
		}
		if r.planDir != "" {
			r.Replaced = append(r.Replaced, r.Plan)
		}
		r.Plan, r.planDir = p, dir
	}
	p, problem := first()
	take(r.Dir, p, problem)
	for _, e := range r.told.revised {
		dir := filepath.Join(r.Dir, revisedPrefix+filepath.Base(e.Data[dataRevision]))
		p, problem := s.readPlan(dir, e.Data[dataPlan], key)
		take(dir, p, problem)
	}
	return damage, err
}

// Kept reads what the run's plan was made from. The error wraps ErrNotKept if the run has not stored it.
func (s *Store) Kept(r *Run) (*Kept, error) {
	basis, err := s.Basis(r)
	if err != nil {
		return nil, err
	}
	k := &Kept{Basis: basis}
	f, err := s.Fs.Open(filepath.Join(r.planDir, seenName))
	if err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %w", err)
	}
	defer func() { _ = f.Close() }()
	if k.Seen, err = planner.DecodeObservations(f); err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %w", err)
	}
	return k, nil
}

// Basis is like Kept without the observations, which may be large.
func (s *Store) Basis(r *Run) (*planner.Basis, error) {
	src, err := afero.ReadFile(s.Fs, filepath.Join(r.planDir, basisName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotKept
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %w", err)
	}
	b := &planner.Basis{}
	if err := json.Unmarshal(src, b); err != nil {
		return nil, fmt.Errorf("reading what the plan was made from: %s is damaged: %w", basisName, err)
	}
	return b, nil
}
