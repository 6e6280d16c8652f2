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

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// Handover returns what this site sends about run r to other sites. If r is nil, it is empty except for the sender:
// only observations are sent.
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

// head returns the hash of the last entry, or "" if there is none.
func head(chain []journal.Entry) string {
	if len(chain) == 0 {
		return ""
	}
	return chain[len(chain)-1].Hash
}

// filesFor returns the files that this site's steps have written and other sites' steps read, sorted by name.
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

// ReadBy returns the names of the files that steps of a site read.
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

// HadBy returns the names of the files to send that another site already has. It has a file if it has received this
// site's journal up to the entry that names the file, since files are stored before the journal.
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

// KnowsEnd reports whether another site knows that the run has ended: it has ended there too, or that site has
// received all that this site did for the run. Entries that only open the journal, record a receipt or say that the
// run is finished do not count; otherwise confirmations would never end.
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

// filesOf returns the files named in the entries of one site's journal, each as last written. A file counts only if
// the entry belongs to a step that writes it, since an entry may name anything.
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

// Incoming is a handover of another site that has been checked and not stored yet.
type Incoming struct {
	*Handover

	cargo *Cargo
	store *Store
	run   *Run // nil if the run is new here
	stage *folder
	sites map[string]string // by step
	own   []journal.Entry   // this site's journal, chained without a key; nil until it is computed
}

// Receive checks a handover of another site against what is known here. It changes nothing, except that it removes
// files left by interrupted receptions of other runs. The caller must have verified the sender, and must hold the
// lock.
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
	if c.Plan.SiteOf(s.Site) == nil { // a run of other sites: there is nothing to do here
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
	} else if aside, err := s.setAside(); err != nil {
		return nil, err
	} else if forgotten(c.Chain, s.Site, slices.Contains(aside, h.Run)) { // lost here and over there: it is not continued
		return &Incoming{Handover: &Handover{From: h.From, Digest: h.Digest}, store: s,
			cargo: &Cargo{Observations: c.Observations}}, nil
	}
	in.stage = &folder{fs: s.Fs, dir: filepath.Join(s.Dir, "."+h.Run+incomingSuffix)}
	if err := in.checkChain(); err != nil {
		return nil, err
	}
	return in, nil
}

// Begins reports whether the handover begins a new run here.
func (in *Incoming) Begins() bool { return in.Run != "" && in.run == nil }

// forgotten reports whether a journal says that its run was abandoned and that entries of the given site were
// received. If the run was set aside here, it may also have finished there: a finished run cannot be abandoned.
func forgotten(chain []journal.Entry, site string, aside bool) bool {
	over, known := false, false
	for _, e := range chain {
		r, received := receivedOf(e)
		over = over || e.Key == RunKey && (e.Event == EventAbandoned || aside && e.Event == EventFinished)
		known = known || received && r.Site == site && r.Entries > 0
	}
	return over && known
}

// incomingSuffix is the suffix of the folder for files of a run that is being received.
const incomingSuffix = ".incoming"

// sweep removes files of runs that were not completely received, except for the given run, whose reception may be
// resumed.
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

// Discard removes the received files if the handover is not committed.
func (in *Incoming) Discard() error {
	if in.stage == nil {
		return nil
	}
	return in.store.Fs.RemoveAll(in.stage.dir)
}

// Wants returns the files that must be received: those that steps of this site read and that are missing or different
// here. A file that is not written by the sender's steps alone is an error: it could replace a file that people here
// rely on.
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

// sendersFiles returns the names of the files that steps of the sender write and nobody else does: they are not
// written by a step of another site, and are not the script of a person's step.
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

// safeName reports whether a name is a plain file name, which cannot lead out of a folder.
func safeName(name string) bool {
	return name != "" && name != "." && filepath.IsLocal(name) && filepath.Base(name) == name &&
		!strings.ContainsAny(name, `/\:`)
}

// sameFile reports whether a file exists and has the given size and hash.
func sameFile(ctx context.Context, files Files, f FileInfo) bool {
	got, err := infoOf(ctx, files, f.Name)
	return err == nil && got == f
}

// File stores the content of a wanted file, completely or not at all.
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

// Commit stores everything that was received. Repeating it changes nothing; after an interruption it can be repeated.
// by says who vouches for the sender. The caller must hold the lock. Commit returns the run, or nil if only
// observations were sent.
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
	if err := s.Fs.MkdirAll(filepath.Join(r.Dir, sitesName), 0o700); err != nil { // marks the run as received
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
		if err := in.reopen(ctx, opts); err != nil {
			return nil, err
		}
		if err := journal.Write(s.Fs, r.chainPath(in.From), in.cargo.Chain, siteKey(key, in.From)); err != nil {
			return nil, err
		}
		r.Chains[in.From] = in.cargo.Chain
	}
	return r, in.record(ctx, by, opts)
}

// reopen makes the end of a run that has ended here not its last entry. Then all of the run is read (Store.Brief), also
// if the process dies after it has stored the other site's journal, and before record.
func (in *Incoming) reopen(ctx context.Context, opts journal.Options) error {
	if !in.run.ended() {
		return nil
	}
	j, err := in.store.Journal(in.run, opts)
	if err != nil {
		return err
	}
	_, err = j.Append(ctx, RunKey, EventOpened, map[string]string{dataOwn: in.run.Site})
	return errors.Join(err, j.Close())
}

// record journals what was received, and that the run is finished if it is.
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
		if data, err = r.EndData(d); err == nil {
			data[dataOwn] = r.Site
			_, err = j.Append(ctx, RunKey, EventFinished, data)
		}
		r.Chains[r.Site] = j.Entries()
		err = errors.Join(err, r.unite())
	}
	return errors.Join(err, j.Close())
}

// ended reports whether this site's own journal says that the run has ended.
func (r *Run) ended() bool {
	return slices.ContainsFunc(r.Chains[r.Site], func(e journal.Entry) bool {
		return e.Key == RunKey && (e.Event == EventFinished || e.Event == EventAbandoned)
	})
}

// moveFiles moves the received files to the run's files.
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
