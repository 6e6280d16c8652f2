package executor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Store stores the runs of one working directory. Each has a folder with plan.json, what the plan was made from,
// journal.jsonl and files/. A revised plan has a folder inside it.
type Store struct {
	Fs  afero.Fs
	Dir string // such as .syncctl/runs
	Now func() time.Time

	// Site is the site that the process acts for. It is "" if the configuration has no sites or the person has not said
	// it.
	Site string

	// Key returns the key that authenticates plans and journals as the user's own, or nil if the user has none. A run
	// that it does not fit is damaged. Without a key that is every run, and none can be created. If Key itself is nil,
	// nothing is authenticated.
	Key func() ([]byte, error)
}

// errForeign is the damage of a run that somebody else made or changed.
var errForeign = errors.New("it was not made by you with your key on this machine, or its plan was changed since")

// keyOf returns the key of one run, so that nothing of one run is valid in another.
func (s *Store) keyOf(id string) ([]byte, error) {
	if s.Key == nil {
		return nil, nil
	}
	key, err := s.Key()
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errForeign
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("run " + id))
	return mac.Sum(nil), nil
}

// authenticate marks a run's plan as made by the user.
func (s *Store) authenticate(id string, p *planner.Plan) error {
	key, err := s.keyOf(id)
	if err != nil || key == nil {
		return err
	}
	return p.Authenticate(key)
}

// Run is one run as it is on disk.
type Run struct {
	ID      string // the time it was made and the first digits of a hash of its plan; IDs sort by time
	Plan    *planner.Plan
	Entries []journal.Entry // all, or after Look the last ones
	Dir     string

	// Site is the site whose journal the folder contains, or "" if the run is not over sites. Chains holds the journals
	// of all sites as far as they are known here, each with its own numbers. Entries is then their Union.
	Site   string
	Chains map[string][]journal.Entry

	// Replaced holds the plans that the run had before its files were changed, oldest first.
	Replaced []*planner.Plan
	planDir  string // the folder of Plan and of what it was made from; "" if the plan could not be read

	told *history // see gathered

	// Damage says why the run cannot be resumed: its plan or journal was changed, cut short or removed. It is nil if the
	// run is intact. Otherwise Plan (empty if unreadable) and Entries hold what can still be read.
	Damage error
}

// Finished reports whether nothing is left to do, or the run was abandoned. Each site determines by itself that
// nothing is left to do: what another site says about that does not count.
func (r *Run) Finished() bool {
	if h := r.gathered(); h != nil {
		return h.finished || h.abandoned
	}
	for _, e := range slices.Backward(r.Entries) {
		elsewhere := len(r.Plan.Sites) > 0 && e.Site != r.Site
		if e.Key == RunKey && (e.Event == EventFinished && !elsewhere || e.Event == EventAbandoned) {
			return true
		}
	}
	return false
}

// Abandoned reports whether a person abandoned the run.
func (r *Run) Abandoned() bool {
	if h := r.gathered(); h != nil {
		return h.abandoned
	}
	return slices.ContainsFunc(r.Entries, func(e journal.Entry) bool {
		return e.Key == RunKey && e.Event == EventAbandoned
	})
}

// Decision returns the decision of Next for the run on disk. Steps stand as the last process left them: one in which it
// died counts as running.
func (r *Run) Decision(now time.Time) Decision {
	if h := r.gathered(); h != nil {
		return h.next(r.Plan, now)
	}
	return Next(r.Plan, r.Entries, r.Site, now)
}

// gathered returns what all entries say, as they were loaded. It returns nil if the run has more of them by now, or is
// over sites.
func (r *Run) gathered() *history {
	last := 0
	if n := len(r.Entries); n > 0 {
		last = r.Entries[n-1].Seq
	}
	if r.told == nil || r.told.entries != last || len(r.Plan.Sites) > 0 {
		return nil
	}
	return r.told
}

// Create creates the folder of a new run. The folder gets the run's name only once it is complete. Create removes what
// interrupted processes have left, so the caller must hold the lock. kept is what the plan was made from; nil if that
// is unknown.
func (s *Store) Create(p *planner.Plan, kept *Kept) (*Run, error) {
	content, err := p.Text()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	o, err := s.originOf(p, kept)
	if err != nil {
		return nil, err
	}
	at, err := s.nextTime()
	if err != nil {
		return nil, err
	}
	return s.create(at.Format(idTime)+"-"+hex.EncodeToString(sum[:3]), p, kept, o)
}

// idTime is the form of the time in a run's ID.
const idTime = "20060102T150405.000Z"

// madeAt returns the time in a run's ID, or zero if it has none.
func madeAt(id string) time.Time {
	when, _, _ := strings.Cut(id, "-")
	at, err := time.Parse(idTime, when)
	if err != nil || at.Format(idTime) != when { // Parse also takes a comma
		return time.Time{}
	}
	return at
}

// mostAhead is how far the clock may have been ahead, or that of another site may be.
const mostAhead = 48 * time.Hour

// nextTime returns the time for the ID of a new run. If the clock was set back since another run was last written to,
// it is a moment after that, so that the new run sorts after it.
func (s *Store) nextTime() (time.Time, error) {
	now := s.Now().UTC()
	ids, err := s.Latest()
	if err != nil || len(ids) == 0 {
		return now, err
	}
	if last := s.lastTime(ids[0]).UTC(); !last.Before(now.Truncate(time.Millisecond)) && last.Sub(now) <= mostAhead {
		return last.Truncate(time.Millisecond).Add(time.Millisecond), nil
	}
	return now, nil
}

// create is Create with a given run ID and origin of the plan.
func (s *Store) create(id string, p *planner.Plan, kept *Kept, o *Origin) (*Run, error) {
	if err := s.authenticate(id, p); err != nil {
		return nil, fmt.Errorf("creating run %s: %w", id, err)
	}
	files, err := planFiles(p, kept)
	if err != nil {
		return nil, err
	}
	if o != nil {
		more, err := o.files()
		if err != nil {
			return nil, err
		}
		maps.Copy(files, more)
	}
	files[journalName] = nil // it exists from the start, so that a missing one is noticed
	if err := s.Fs.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the folder of runs: %w", err)
	}
	if err := removeParts(s.Fs, s.Dir); err != nil {
		return nil, err
	}
	r := &Run{ID: id, Plan: p, Dir: filepath.Join(s.Dir, id)}
	r.planDir = r.Dir
	if len(p.Sites) > 0 {
		r.Site, r.Chains = s.Site, map[string][]journal.Entry{}
	}
	part := filepath.Join(s.Dir, "."+id+partSuffix)
	if err = s.Fs.MkdirAll(filepath.Join(part, filesName), 0o700); err == nil {
		err = writeAll(s.Fs, part, files)
	}
	if err == nil {
		err = s.Fs.Rename(part, r.Dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("creating the folder of run %s: %w", id, err), s.Fs.RemoveAll(part))
	}
	return r, syncDir(s.Fs, s.Dir)
}

// removeParts removes files and folders that an interrupted process has not completely written.
func removeParts(fsys afero.Fs, dir string) error {
	infos, err := afero.ReadDir(fsys, dir)
	if err != nil {
		return fmt.Errorf("listing folder %s: %w", dir, err)
	}
	for _, info := range infos {
		if IsPart(info.Name()) {
			if err := fsys.RemoveAll(filepath.Join(dir, info.Name())); err != nil {
				return fmt.Errorf("removing the half-written %s: %w", info.Name(), err)
			}
		}
	}
	return nil
}

// Load reads one run. Damage says what is wrong with the content of its files; an error means that they could not be
// read at all.
func (s *Store) Load(id string) (*Run, error) { return s.Look(id, 0) }

// Look is like Load, but keeps at most so many of the last entries, so that the others take no memory; 0 keeps all.
// Finished, Abandoned and Decision know what the others say. Of a run over sites, all are kept.
func (s *Store) Look(id string, most int) (*Run, error) {
	r := &Run{ID: id, Plan: &planner.Plan{}, Dir: filepath.Join(s.Dir, id)}
	key, foreign := s.keyOf(id)
	if foreign != nil && !errors.Is(foreign, errForeign) {
		return nil, fmt.Errorf("reading run %s: %w", id, foreign)
	}
	if foreign != nil { // its entries cannot be trusted: nothing counts as removed or confirmed by them
		r.Damage = foreign
		return r, nil
	}
	if damage := onlyFiles(s.Fs, r.Dir); damage != nil {
		r.Damage = damage
		return r, nil
	}
	first := s.readingPlan(r.Dir, key) // meanwhile: both take long if the run is long
	defer func() { _, _ = first() }()  // its goroutine has ended when this returns
	err := s.readEntries(r, most, key) // while the plan is read
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, journal.ErrBroken) {
		return nil, fmt.Errorf("reading run %s: %w", id, err)
	}
	has, unlisted := s.hasFiles(r)
	if unlisted != nil {
		return nil, fmt.Errorf("reading run %s: %w", id, unlisted)
	}
	if err == nil && len(r.Entries) == 0 && has && !s.isReceived(r) {
		err = errors.New("its journal is empty, but it has files: the journal was removed or cut short")
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("its journal was removed")
	}
	damage, unread := s.loadPlans(r, key, first)
	if unread != nil {
		return nil, fmt.Errorf("reading run %s: %w", id, unread)
	}
	if len(r.Plan.Sites) > 0 && most > 0 {
		return s.Load(id)
	}
	damaged, unread := s.loadSites(r, key)
	if unread != nil {
		return nil, unread
	}
	r.Damage = errors.Join(damage, damaged, err)
	return r, nil
}

// readEntries reads the journal of a run, gathers what it says, and keeps the last entries, or all if most is 0.
func (s *Store) readEntries(r *Run, most int, key []byte) (err error) {
	path := filepath.Join(r.Dir, journalName)
	if most == 0 {
		r.Entries, err = journal.Read(s.Fs, path, key)
		r.told = historyOf(nil, r.Entries, "")
		return err
	}
	r.told = historyOf(nil, nil, "")
	err = journal.Each(s.Fs, path, key, func(e journal.Entry) {
		r.told.add(e)
		if len(r.Entries) == 2*most {
			r.Entries = append(r.Entries[:0], r.Entries[most:]...)
		}
		r.Entries = append(r.Entries, e)
	})
	r.Entries = r.Entries[max(0, len(r.Entries)-most):]
	return err
}

// onlyFiles refuses a run that contains links or devices. syncctl makes none, and reading them might never end.
func onlyFiles(fsys afero.Fs, dir string) error {
	infos, err := afero.ReadDir(fsys, dir)
	if err != nil {
		return fmt.Errorf("listing folder %s: %w", dir, err)
	}
	for _, info := range infos {
		switch {
		case info.IsDir():
			if err := onlyFiles(fsys, filepath.Join(dir, info.Name())); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", filepath.Join(dir, info.Name()))
		}
	}
	return nil
}

// hasFiles reports whether a run has any files.
func (s *Store) hasFiles(r *Run) (bool, error) {
	infos, err := afero.ReadDir(s.Fs, filepath.Join(r.Dir, filesName))
	return len(infos) > 0, ignoreMissing(err)
}

// isReceived reports whether the run was received from another site.
func (s *Store) isReceived(r *Run) bool {
	there, err := afero.DirExists(s.Fs, filepath.Join(r.Dir, sitesName))
	return err == nil && there
}

// SetAside moves a damaged run, with all its files, to another folder and returns its path. A new plan can then be
// made, and nothing is lost.
func (s *Store) SetAside(r *Run) (string, error) {
	dir := s.damagedDir()
	if err := s.Fs.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("creating the folder of damaged runs: %w", err)
	}
	to := filepath.Join(dir, r.ID)
	if err := s.Fs.Rename(r.Dir, to); err != nil {
		return "", fmt.Errorf("setting run %s aside: %w", r.ID, err)
	}
	return to, syncDir(s.Fs, s.Dir)
}

func (s *Store) damagedDir() string { return filepath.Join(filepath.Dir(s.Dir), "damaged") }

// LastSetAside returns the ID of the last run that was set aside, or "" if there is none.
func (s *Store) LastSetAside() (string, error) {
	ids, err := s.setAside()
	if len(ids) == 0 {
		return "", err
	}
	return slices.Max(ids), nil
}

const journalName, filesName, partSuffix = "journal.jsonl", "files", ".part"

// Journal opens the run's journal for appending, and removes half-written files that an interrupted process has left.
// The caller must hold the lock.
func (s *Store) Journal(r *Run, opts journal.Options) (*journal.Journal, error) {
	if err := removeParts(s.Fs, filepath.Join(r.Dir, filesName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := s.keyOf(r.ID)
	if err != nil {
		return nil, fmt.Errorf("opening the journal of run %s: %w", r.ID, err)
	}
	opts.Key = key
	return journal.Open(s.Fs, filepath.Join(r.Dir, journalName), opts)
}

// Files returns the run's files.
func (s *Store) Files(r *Run) Files { return NewFiles(s.Fs, filepath.Join(r.Dir, filesName)) }
