package executor

import (
	"encoding/json"
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

// End is what remains relevant of a run that has ended. It is in the last entry of the run's journal, so that nothing
// else of a long run has to be read. It can be trusted: who can write that entry can write the whole journal.
type End struct {
	Abandoned bool `json:"-"` // a person abandoned the run

	Done      int            `json:"done"`
	Of        int            `json:"of"`                  // number of steps
	Retired   []string       `json:"retired,omitempty"`   // declarations whose counterparts it removed for good
	Confirmed map[string]int `json:"confirmed,omitempty"` // manual steps that are done, with the number of the last entry
	Acted     []string       `json:"acted,omitempty"`     // declarations that it changed, or may have changed, sorted

	// Changed holds, for each site of the run, when it may last have changed something (Run.LastChange); zero if it has
	// changed nothing. It is empty if the run is not over sites, and nil if an older program did not record it of
	// one that is.
	Changed map[string]time.Time `json:"changed,omitzero"`

	// Plan is the hash of the run's plan, or "" if the run had several. Older programs wrote a hash for which
	// planner.IsHash is false.
	Plan string `json:"plan,omitempty"`
}

// dataEnd is the name of the End in the data of a run's last entry.
const dataEnd = "end"

// endOf returns the End of a run as it is now.
func endOf(p *planner.Plan, d Decision) *End {
	e := &End{Of: len(p.Steps), Retired: retiredBy(p, d), Confirmed: map[string]int{}}
	for i := range p.Steps {
		s := &p.Steps[i]
		st := d.Steps[s.ID]
		if st.Phase == PhaseDone {
			e.Done++
		}
		if acted(s, st) && (len(e.Acted) == 0 || e.Acted[len(e.Acted)-1] != s.Addr) {
			e.Acted = append(e.Acted, s.Addr)
		}
		if st.Phase == PhaseDone && s.Manual != nil {
			e.Confirmed[s.ID] = st.Entry.Seq
		}
	}
	slices.Sort(e.Acted)
	e.Acted = slices.Compact(e.Acted)
	return e
}

// acted reports whether a step has changed something for its declaration, or may have. A step that waits for a person
// has not.
func acted(s *planner.Step, st StepState) bool {
	waits := s.Manual != nil && st.Entry.Event == EventWaiting
	return s.Mark != planner.MarkCheck && (st.Phase == PhaseDone || st.Before || st.Begun && !waits)
}

// ActedOn returns the declarations that a run has changed, or may have changed, by address.
func ActedOn(p *planner.Plan, d Decision) map[string]bool {
	out := map[string]bool{}
	for _, addr := range endOf(p, d).Acted {
		out[addr] = true
	}
	return out
}

// EndData returns the data of the entry that ends the run.
func (r *Run) EndData(d Decision) (map[string]string, error) {
	return endData(r.Plan, r.Entries, r.Chains, d)
}

// endData is Run.EndData. chains are the sites' journals as far as they are here: what is not recorded as received says
// what a site has changed, too. If they are unknown, so is what was changed.
func endData(
	p *planner.Plan, entries []journal.Entry, chains map[string][]journal.Entry, d Decision,
) (map[string]string, error) {
	e := endOf(p, d)
	if chains != nil || len(p.Sites) == 0 {
		e.Changed = map[string]time.Time{}
		for _, site := range p.Sites {
			e.Changed[site.Name] = lastChange(p, chains[site.Name])
		}
	}
	var err error
	if !slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.Event == EventRevised }) {
		e.Plan, err = p.Hash()
	}
	b, bad := json.Marshal(e)
	if err := errors.Join(err, bad); err != nil {
		return nil, fmt.Errorf("writing how the run ends: %w", err)
	}
	return map[string]string{dataEnd: string(b)}, nil
}

// Brief is a run, read only as far as necessary.
type Brief struct {
	ID  string
	Dir string
	End *End // nil if it has not ended
	Run *Run // nil if End is enough; as Look reads it, with its last entry
}

// IDs returns the IDs of all runs, oldest first. The folder of a run that was not completely created is skipped.
func (s *Store) IDs() ([]string, error) {
	infos, err := afero.ReadDir(s.Fs, s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	var ids []string
	for _, info := range infos {
		if info.IsDir() && info.Name()[0] != '.' {
			ids = append(ids, info.Name())
		}
	}
	return ids, nil
}

// Latest returns the IDs of all runs, that of the last one first: by when a run was made, or its journal was written
// to here, whichever is later. Unlike by ID, a run that was on its way from another site while others were made comes
// after them.
func (s *Store) Latest() ([]string, error) {
	ids, err := s.IDs()
	at := map[string]time.Time{}
	for _, id := range ids {
		at[id] = s.lastTime(id)
	}
	slices.Reverse(ids)
	slices.SortStableFunc(ids, func(a, b string) int { return at[b].Compare(at[a]) })
	return ids, err
}

// lastTime returns the time in a run's ID, or that of the last entry of its journal if it is later.
func (s *Store) lastTime(id string) time.Time {
	made := madeAt(id)
	key, err := s.keyOf(id)
	if err != nil || onlyFiles(s.Fs, filepath.Join(s.Dir, id)) != nil {
		return made
	}
	last, err := journal.Last(s.Fs, filepath.Join(s.Dir, id, journalName), key)
	if err != nil || last.Time.Before(made) { // Load reports what is wrong
		return made
	}
	return last.Time
}

// Brief reads one run. If it has ended, only its end is read.
func (s *Store) Brief(id string) (Brief, error) { return s.brief(id, 1) }

// brief is Brief; most is that of Look.
func (s *Store) brief(id string, most int) (Brief, error) {
	b := Brief{ID: id, Dir: filepath.Join(s.Dir, id), End: s.end(id)}
	if b.End != nil {
		return b, nil
	}
	var err error
	if b.Run, err = s.Look(id, most); err != nil || !b.Run.Finished() {
		return b, err
	}
	b.End = endOf(b.Run.Plan, b.Run.Decision(s.Now()))
	b.End.Abandoned = b.Run.Abandoned()
	return b, nil
}

// end reads from the last entry of a run's journal how the run ended. It returns nil if that entry does not say so.
func (s *Store) end(id string) *End {
	key, err := s.keyOf(id)
	if err != nil {
		return nil // Load reports what is wrong
	}
	if onlyFiles(s.Fs, filepath.Join(s.Dir, id)) != nil {
		return nil // Load reports what is wrong
	}
	last, err := journal.Last(s.Fs, filepath.Join(s.Dir, id, journalName), key)
	if err != nil || last.Key != RunKey || last.Event != EventFinished && last.Event != EventAbandoned {
		return nil
	}
	e := &End{Abandoned: last.Event == EventAbandoned}
	if json.Unmarshal([]byte(last.Data[dataEnd]), e) != nil {
		return nil
	}
	if e.Changed == nil && last.Data[dataOwn] == "" { // not over sites, whatever program wrote it
		e.Changed = map[string]time.Time{}
	}
	return e
}

// Earlier is what is relevant of earlier runs when a plan is made.
type Earlier struct {
	// declarations whose counterparts were removed for good, with the run's ID
	Retired map[string]string `json:"retired,omitempty"`
	// manual steps that are done, with the last time they were done, by step ID
	Confirmed map[string]planner.Confirmation `json:"confirmed,omitempty"`
	// declarations that were changed, or may have been, with the last run's ID
	Acted map[string]string `json:"acted,omitempty"`
	// IDs of abandoned runs, oldest first
	Abandoned []string `json:"abandoned,omitempty"`
}

// Earlier collects what is relevant of all runs. The run except is skipped, but counts if it was abandoned; it may be
// "".
func (s *Store) Earlier(except string) (*Earlier, error) {
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	out := &Earlier{Retired: map[string]string{}, Confirmed: map[string]planner.Confirmation{}, Acted: map[string]string{}}
	for _, id := range ids {
		b, err := s.Brief(id)
		if err != nil {
			return nil, err
		}
		if b.End != nil && b.End.Abandoned {
			out.Abandoned = append(out.Abandoned, id)
		}
		if id == except {
			continue
		}
		counts := b.End
		if counts == nil {
			counts = endOf(b.Run.Plan, b.Run.Decision(s.Now()))
		}
		for _, addr := range counts.Retired {
			out.Retired[addr] = id
		}
		for _, addr := range counts.Acted {
			out.Acted[addr] = id
		}
		for step, seq := range counts.Confirmed {
			out.Confirmed[step] = planner.Confirmation{Run: id, Seq: seq}
		}
	}
	return out, nil
}

// Unfinished returns the run to be resumed, or a damaged run that a person has to set aside first. It returns nil if
// there is neither. At most one run can be resumed: a run is created only if no other one is unfinished.
func (s *Store) Unfinished() (*Run, error) {
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Backward(ids) {
		b, err := s.brief(id, 0)
		if err != nil {
			return nil, err
		}
		if b.Run != nil && (b.End == nil || b.Run.Damage != nil) {
			return b.Run, nil
		}
	}
	return nil, nil
}

// CarriedOut returns the ID of a run that has completed the plan with the given hash, or "" if there is none.
func (s *Store) CarriedOut(hash string) (string, error) {
	ids, err := s.IDs()
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		b, err := s.Brief(id)
		if err != nil {
			return "", err
		}
		if b.End == nil || b.End.Abandoned {
			continue
		}
		plans, err := s.plans(b)
		if err != nil {
			return "", err
		}
		if slices.Contains(plans, hash) {
			return id, nil
		}
	}
	return "", nil
}

// plans returns the hashes of all plans that a run has had.
func (s *Store) plans(b Brief) ([]string, error) {
	if b.Run == nil && planner.IsHash(b.End.Plan) {
		return []string{b.End.Plan}, nil
	}
	r := b.Run
	if r == nil {
		var err error
		if r, err = s.Look(b.ID, 1); err != nil {
			return nil, err
		}
	}
	var out []string
	for _, p := range append(slices.Clone(r.Replaced), r.Plan) {
		hash, err := p.Hash()
		if err != nil {
			return nil, err
		}
		out = append(out, hash)
	}
	return out, nil
}

// retiredBy returns the declarations whose retiring steps are all done, sorted.
func retiredBy(p *planner.Plan, d Decision) []string {
	open, closed := map[string]bool{}, map[string]bool{}
	for i := range p.Steps {
		for _, addr := range p.Steps[i].Retires {
			if d.Steps[p.Steps[i].ID].Phase == PhaseDone {
				closed[addr] = true
			} else {
				open[addr] = true
			}
		}
	}
	var out []string
	for addr := range closed {
		if !open[addr] {
			out = append(out, addr)
		}
	}
	slices.Sort(out)
	return out
}
