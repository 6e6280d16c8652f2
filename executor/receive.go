package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Handover is what the store's site hands over of a run; r nil: there is none, and only observations travel.
func (s *Store) Handover(r *Run) (*Handover, *Cargo, error) {
	if r == nil {
		return &Handover{From: s.Site}, &Cargo{}, nil
	}
	hash, err := r.Plan.Hash()
	if err != nil {
		return nil, nil, err
	}
	chain, err := journal.Rechain(r.Chains[r.Site], nil)
	if err != nil {
		return nil, nil, err
	}
	h := &Handover{From: r.Site, Digest: r.Plan.Digest, Run: r.ID, Plan: hash, Entries: len(chain), Head: head(chain),
		Files: r.filesFor()}
	origin, err := s.origin(r)
	return h, &Cargo{Plan: r.Plan, Origin: origin, Chain: chain}, err
}

// head is the hash of the last entry, "" where there is none.
func head(chain []journal.Entry) string {
	if len(chain) == 0 {
		return ""
	}
	return chain[len(chain)-1].Hash
}

// filesFor are the files that own steps have written and steps of other sites read, sorted by name.
func (r *Run) filesFor() []FileInfo {
	read := map[string]bool{}
	for i := range r.Plan.Steps {
		if s := &r.Plan.Steps[i]; s.Site != r.Site {
			for _, name := range s.Reads {
				read[name] = true
			}
		}
	}
	var out []FileInfo
	for name, info := range filesOf(r.Plan, r.Chains[r.Site]) {
		if read[name] {
			out = append(out, info)
		}
	}
	slices.SortFunc(out, func(a, b FileInfo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// ReadBy are the names of the files that steps of a site read.
func (r *Run) ReadBy(site string) map[string]bool { return readBy(r.Plan, site) }

func readBy(p *planner.Plan, site string) map[string]bool {
	out := map[string]bool{}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Site == site {
			for _, name := range s.Reads {
				out[name] = true
			}
		}
	}
	return out
}

// HadBy are the names of the files to hand over that another site has: it says that it has received this site's journal
// of the run up to the entry that names the file, and a journal is taken in after its files.
func (r *Run) HadBy(site string) map[string]bool {
	own, known := r.Chains[r.Site], 0
	for _, e := range r.Chains[site] {
		if got, ok := receivedOf(e); ok && got.Site == r.Site {
			known = max(known, min(got.Entries, len(own)))
		}
	}
	had := filesOf(r.Plan, own[:known])
	out := map[string]bool{}
	for _, f := range r.filesFor() {
		if had[f.Name] == f {
			out[f.Name] = true
		}
	}
	return out
}

// KnowsEnd tells of a run that has ended whether another site knows that: it has ended there too, or that site says
// that it has received all that this one did for the run. That this site has opened its journal, has received
// something or has found out that the run is finished counts for nothing: there would be no end of confirming.
func (r *Run) KnowsEnd(site string) bool {
	known := 0
	for _, e := range r.Chains[site] {
		if e.Key == RunKey && (e.Event == EventFinished || e.Event == EventAbandoned) {
			return true
		}
		if got, ok := receivedOf(e); ok && got.Site == r.Site {
			known = max(known, got.Entries)
		}
	}
	own := r.Chains[r.Site]
	return !slices.ContainsFunc(own[min(known, len(own)):], func(e journal.Entry) bool {
		return e.Key != RunKey || e.Event != EventOpened && e.Event != EventReceived && e.Event != EventFinished
	})
}

// LastChange is when a site has carried out a step that changes something last, by its own clock, as far as its journal
// is here; zero: it has not.
func (r *Run) LastChange(site string) time.Time {
	for _, e := range slices.Backward(r.Chains[site]) {
		if s := r.Plan.Step(e.Key); s != nil && s.Mark != planner.MarkCheck && e.Event == EventExecuted {
			return e.Time
		}
	}
	return time.Time{}
}

// filesOf are the files that the entries of one site's journal name, each as it was written last. A file counts where
// the entry is of a step that writes it: an entry may name anything.
func filesOf(p *planner.Plan, entries []journal.Entry) map[string]FileInfo {
	if p == nil {
		return nil
	}
	writes := map[string][]string{} // by step
	for i := range p.Steps {
		writes[p.Steps[i].ID] = p.Steps[i].Writes
	}
	out := map[string]FileInfo{}
	for _, e := range entries {
		for k, v := range e.Data {
			name, ok := strings.CutPrefix(k, filePrefix)
			if !ok || !slices.Contains(writes[e.Key], name) {
				continue
			}
			sum, size, _ := strings.Cut(v, " ")
			n, _ := strconv.ParseInt(size, 10, 64)
			out[name] = FileInfo{Name: name, SHA256: sum, Bytes: n}
		}
	}
	return out
}

// Incoming is a handover of another site that has been checked, and of which nothing is taken in yet.
type Incoming struct {
	*Handover

	cargo *Cargo
	store *Store
	run   *Run // nil: it is not here yet
	stage *folder
	sites map[string]string // by step
	own   []journal.Entry   // the own journal as far as it is here, chained without a key; nil: not computed yet
}

// Receive checks what another site hands over against what is here. It changes nothing, but removes what was left of
// receiving other runs. Who sent it must have been made sure of. Its caller holds the lock.
func (s *Store) Receive(h *Handover, c *Cargo) (*Incoming, error) {
	in := &Incoming{Handover: h, cargo: c, store: s}
	if err := s.sweep(h.Run); err != nil {
		return nil, err
	}
	if h.From == s.Site {
		return nil, fmt.Errorf("it comes from site %q, which is this one", h.From)
	}
	if h.Run == "" {
		if len(c.Chain) > 0 || c.Plan != nil || len(h.Files) > 0 {
			return nil, errors.New("it names no run, and has something of one")
		}
		return in, nil
	}
	if err := in.checkPlan(); err != nil {
		return nil, err
	}
	if c.Plan.SiteOf(s.Site) == nil { // a run of others: there is nothing to do for it here
		return &Incoming{Handover: &Handover{From: h.From, Digest: h.Digest}, store: s,
			cargo: &Cargo{Observations: c.Observations}}, nil
	}
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	if slices.Contains(ids, h.Run) {
		if in.run, err = s.Load(h.Run); err != nil {
			return nil, err
		}
	} else if open, err := s.Unfinished(); err != nil {
		return nil, err
	} else if open != nil {
		return nil, fmt.Errorf("it is of run %s, and run %s is unfinished here: resume that first, or abandon it with "+
			"`syncctl resolve -abandon`", h.Run, open.ID)
	} else if forgotten(c.Chain, s.Site) { // by this site, and given up there: nothing of it is to go on
		return &Incoming{Handover: &Handover{From: h.From, Digest: h.Digest}, store: s,
			cargo: &Cargo{Observations: c.Observations}}, nil
	}
	in.stage = &folder{fs: s.Fs, dir: filepath.Join(s.Dir, "."+h.Run+incomingSuffix)}
	if err := in.checkChain(); err != nil {
		return nil, err
	}
	return in, nil
}

// Begins tells whether it begins a run here: its plan is seen for the first time.
func (in *Incoming) Begins() bool { return in.Run != "" && in.run == nil }

// forgotten tells of a journal whether its run was abandoned, and knows of entries of the site's.
func forgotten(chain []journal.Entry, site string) bool {
	abandoned, known := false, false
	for _, e := range chain {
		r, received := receivedOf(e)
		abandoned = abandoned || e.Key == RunKey && e.Event == EventAbandoned
		known = known || received && r.Site == site && r.Entries > 0
	}
	return abandoned && known
}

// incomingSuffix is that of the folder with the files of a run that are not all here yet.
const incomingSuffix = ".incoming"

// sweep removes the files of runs that were not all received, but for one run: a process may have died while it
// received them, and have to go on.
func (s *Store) sweep(but string) error {
	infos, err := afero.ReadDir(s.Fs, s.Dir)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, info := range infos {
		id, found := strings.CutSuffix(info.Name(), incomingSuffix)
		if !found || !strings.HasPrefix(id, ".") || id == "."+but {
			continue
		}
		if err := s.Fs.RemoveAll(filepath.Join(s.Dir, info.Name())); err != nil {
			return fmt.Errorf("removing what was left of receiving run %s: %w", id[1:], err)
		}
	}
	return nil
}

// Discard removes the files that were taken, where it is not to be taken in after all.
func (in *Incoming) Discard() error {
	if in.stage == nil {
		return nil
	}
	return in.store.Fs.RemoveAll(in.stage.dir)
}

// Wants are the files that have to be taken in: those that steps of this site read, and that are not here as they are
// named. A file that no step of the
// sender's writes, or that is this site's own, is an error: it would take the place of one that people rely on here.
func (in *Incoming) Wants(ctx context.Context) ([]FileInfo, error) {
	var out []FileInfo
	named, senders, listed := filesOf(in.cargo.Plan, in.cargo.Chain), in.sendersFiles(), map[string]bool{}
	read := map[string]bool{}
	if in.cargo.Plan != nil {
		read = readBy(in.cargo.Plan, in.store.Site)
	}
	for _, f := range in.Files {
		switch {
		case !senders[f.Name]:
			return nil, fmt.Errorf("its file %s is not one that the steps of site %q alone write", f.Name, in.From)
		case named[f.Name] != f || !safeName(f.Name):
			return nil, fmt.Errorf("its file %s is not one that its journal names", f.Name)
		case listed[f.Name]:
			return nil, fmt.Errorf("its file %s is listed twice", f.Name)
		}
		if listed[f.Name] = true; !read[f.Name] {
			continue
		}
		if in.run != nil && sameFile(ctx, in.store.Files(in.run), f) {
			continue
		}
		if !sameFile(ctx, in.stage, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

// sendersFiles are the names of the files that steps of the sender write and that nothing else in the run's folder has:
// no step of another site writes them, and no person's commands are in them.
func (in *Incoming) sendersFiles() map[string]bool {
	if in.cargo.Plan == nil { // only observations
		return nil
	}
	out := map[string]bool{}
	steps := in.cargo.Plan.Steps
	for i := range steps {
		for _, name := range steps[i].Writes {
			if steps[i].Site == in.From {
				out[name] = true
			}
		}
	}
	for i := range steps {
		if steps[i].Manual != nil {
			delete(out, scriptName(&steps[i]))
		}
		if steps[i].Site != in.From {
			for _, name := range steps[i].Writes {
				delete(out, name)
			}
		}
	}
	return out
}

// safeName tells whether a name is that of a file in a folder, and of nothing else.
func safeName(name string) bool {
	return name != "" && name != "." && filepath.IsLocal(name) && filepath.Base(name) == name &&
		!strings.ContainsAny(name, `/\:`)
}

// sameFile tells whether a file is there with the content that is named.
func sameFile(ctx context.Context, files Files, f FileInfo) bool {
	got, err := infoOf(ctx, files, f.Name)
	return err == nil && got == f
}

// File takes the content of a file that is wanted, whole or not at all.
func (in *Incoming) File(ctx context.Context, want FileInfo, src io.Reader) error {
	if err := in.store.Fs.MkdirAll(in.stage.dir, 0o700); err != nil {
		return fmt.Errorf("taking in the file %s: %w", want.Name, err)
	}
	got, err := in.stage.Create(ctx, want.Name, func(w io.Writer) error {
		_, err := io.Copy(w, io.LimitReader(src, want.Bytes+1))
		return err
	})
	if err == nil && got != want {
		err = errors.Join(fmt.Errorf("the file %s is not the one that site %q has written: its SHA-256 is %s, and its "+
			"journal names %s", want.Name, in.From, got.SHA256, want.SHA256), in.stage.fs.Remove(in.stage.Path(want.Name)))
	}
	return err
}

// Commit takes all in. Done twice, it changes nothing more; interrupted, it is done again. by is who vouches for the
// sender. Its caller holds the lock. It returns the run, nil where only observations were handed over.
func (in *Incoming) Commit(ctx context.Context, by string, opts journal.Options) (*Run, error) {
	s := in.store
	if seen := in.cargo.Observations; seen != nil {
		if err := s.KeepSeen(ctx, in.From, seen); err != nil {
			return nil, err
		}
	}
	if in.Run == "" {
		return nil, nil
	}
	if in.run == nil {
		var err error
		if in.run, err = s.create(in.Run, in.cargo.Plan, nil, in.cargo.Origin); err != nil {
			return nil, err
		}
		in.run.Site, in.run.Chains = s.Site, map[string][]journal.Entry{s.Site: nil}
	}
	r := in.run
	if err := s.Fs.MkdirAll(filepath.Join(r.Dir, sitesName), 0o700); err != nil { // from here on it is known as received
		return nil, fmt.Errorf("taking in the journal of site %q: %w", in.From, err)
	}
	if err := in.moveFiles(ctx); err != nil {
		return nil, err
	}
	if len(in.cargo.Chain) > len(r.Chains[in.From]) {
		key, err := s.keyOf(r.ID)
		if err != nil {
			return nil, err
		}
		if err := journal.Write(s.Fs, r.chainPath(in.From), in.cargo.Chain, siteKey(key, in.From)); err != nil {
			return nil, err
		}
		r.Chains[in.From] = in.cargo.Chain
	}
	return r, in.record(ctx, by, opts)
}

// record journals what was received, and that the run is finished where that follows from it.
func (in *Incoming) record(ctx context.Context, by string, opts journal.Options) error {
	s, r := in.store, in.run
	j, err := s.Journal(r, opts)
	if err != nil {
		return err
	}
	known := 0
	for _, e := range j.Entries() {
		if got, ok := receivedOf(e); ok && got.Site == in.From {
			known = max(known, got.Entries)
		}
	}
	if all := r.Chains[in.From]; len(all) > known {
		plain, bad := journal.Rechain(all, nil)
		data := ReceivedData{Site: in.From, Entries: len(all), Head: head(plain), By: by}.data()
		data[dataOwn] = r.Site
		if err = bad; err == nil {
			_, err = j.Append(ctx, RunKey, EventReceived, data)
		}
	}
	r.Chains[r.Site] = j.Entries()
	err = errors.Join(err, r.unite())
	if d := r.Decision(s.Now()); err == nil && d.Finished && !r.ended() {
		var data map[string]string
		if data, err = EndData(r.Plan, r.Entries, d); err == nil {
			data[dataOwn] = r.Site
			_, err = j.Append(ctx, RunKey, EventFinished, data)
		}
		r.Chains[r.Site] = j.Entries()
		err = errors.Join(err, r.unite())
	}
	return errors.Join(err, j.Close())
}

// ended tells whether the site's own journal says that the run has ended.
func (r *Run) ended() bool {
	return slices.ContainsFunc(r.Chains[r.Site], func(e journal.Entry) bool {
		return e.Key == RunKey && (e.Event == EventFinished || e.Event == EventAbandoned)
	})
}

// moveFiles moves the files that were taken in to the run's.
func (in *Incoming) moveFiles(ctx context.Context) error {
	s := in.store
	for _, f := range in.Files {
		from := in.stage.Path(f.Name)
		if _, err := s.Fs.Stat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := s.Fs.Rename(from, filepath.Join(in.run.Dir, filesName, f.Name)); err != nil {
			return fmt.Errorf("taking in the file %s: %w", f.Name, err)
		}
	}
	read := readBy(in.run.Plan, s.Site)
	for _, f := range in.Files {
		if read[f.Name] && !sameFile(ctx, s.Files(in.run), f) {
			return fmt.Errorf("the file %s of site %q was not taken in", f.Name, in.From)
		}
	}
	return s.Fs.RemoveAll(in.stage.dir)
}
