package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/afero"
)

// Role is one end of a synchronization by email or file exchange.
type Role string

// The two ends.
const (
	Master Role = "master"
	Slave  Role = "slave"
)

// Standard is the path that stands for standard input or output.
const Standard = "-"

// MergeOptions says what to merge and which checks may fail.
type MergeOptions struct {
	Fs            afero.Fs
	Master, Slave string    // paths of the two exports; one of them may be Standard
	Stdin         io.Reader // read if a path is Standard
	Out           string    // path of the merged file, or Standard
	Stdout        io.Writer // written if Out is Standard, once all checks have passed
	Migrating     Role      // the side that moves to the cloud; it becomes secondConnector

	// Project keys of the two sides. If one is given, keys of issues must belong to it, so that swapped files are
	// noticed. The project is the part before the last '-' of a key.
	MasterProject, SlaveProject string

	Allow            []Rule // checks whose failure becomes a warning
	CompleteComments bool   // fill the missing half of a comment or attachment pair from the other side's file
	Hash             bool   // fill Report.Sha256

	Clock    func() time.Time // measures Report.Seconds, if given
	TempDir  string           // for temporary files while standard streams are used; "" is the system's folder
	MaxEntry int              // maximum bytes of one entry; 0 is DefaultMaxEntry
}

// Merge joins the exports of the two ends into the file that pairs the issues of the new synchronization. The entries
// of the side that stays become firstConnector, those of the migrating side secondConnector, each byte for byte as it
// was. Order, unknown members and the form of numbers stay.
//
// It reads the side that stays first, to its end. If a proof succeeds, as it does unless something is wrong or unknown,
// each file is read once, with at most 18 bytes of memory for a pair. Otherwise, and to complete comments, both are
// read again, and memory is bounded by the largest entry and by a Set of one side's pairs (and of the other side's
// unmatched ones). A file in which two ids seem to be equal, or are too far apart while comments are completed, is read
// again to compare the ids: once up to a million pairs, at most four times. An input that is not a regular file, such
// as standard input, is copied to a temporary file as it is read.
//
// The output appears under its name complete and synced, or not at all: an existing file survives every failure. A
// symbolic link at Out stays, and the file that it points to is replaced (if Fs is an afero.LinkReader; otherwise the
// link is replaced). The new file gets the mode of the existing one, without permissions for others, and its owner if
// this process may give files away.
//
// When ctx ends, Merge returns even from a pipe whose other end does nothing. The goroutine that waits there is left
// behind until the pipe moves or closes.
//
// Errors: a *SyntaxError for a file that is not what Backbone exports (both joined if both are); a *CheckError with
// all findings of the checks that Allow does not name; any other error is about options, files or ctx.
func Merge(ctx context.Context, o MergeOptions) (*Report, error) {
	m, err := newMerge(o)
	if err != nil {
		return nil, err
	}
	report, err := m.run(ctx)
	closing := m.close()
	if err != nil {
		return nil, errors.Join(err, closing)
	}
	if closing != nil { // the output is complete nevertheless
		report.Warnings = append(report.Warnings, Finding{Message: closing.Error()})
	}
	return report, nil
}

// merge is one run of Merge.
type merge struct {
	o          MergeOptions
	allowed    map[Rule]bool
	stay, move *side
	set        *Set // pairs of the side that stays
	extra      *Set // pairs of the migrating side that have no mirror
	target     target
	out        *output
	began      time.Time

	// Cases found while the migrating side is read.
	unmatched tally
	same      int // of unmatched: pairs that the side that stays has, but not mirrored
	sequence  disagreements

	pairs    int
	sameFile bool // both sides are one file
	findings []Finding
	report   *Report
	buffer   []byte   // of the reader in use
	pieces   pieces   // what it reads ahead
	idList   []uint64 // of the side in use
	spare    spare    // of the sets and of what is distinct
}

func newMerge(o MergeOptions) (*merge, error) {
	switch {
	case o.Migrating != Master && o.Migrating != Slave:
		return nil, fmt.Errorf(`which side migrates must be "master" or "slave", not %q`, o.Migrating)
	case o.Master == "" || o.Slave == "" || o.Out == "":
		return nil, errors.New("merging needs a master file, a slave file and an output")
	case o.Master == Standard && o.Slave == Standard:
		return nil, errors.New("only one of the two files can come from standard input")
	}
	for _, r := range o.Allow {
		if !slices.Contains(Rules(), r) {
			return nil, fmt.Errorf("%q is not a check that can be allowed to fail; these are %q", r, Rules())
		}
	}
	if o.MaxEntry == 0 {
		o.MaxEntry = DefaultMaxEntry
	}
	m := &merge{o: o, allowed: map[Rule]bool{}, set: NewSet(), extra: NewSet(), report: &Report{Migrating: o.Migrating}}
	m.set.byKey, m.extra.byKey, m.extra.seed = true, true, m.set.seed
	m.set.spare, m.extra.spare = &m.spare, &m.spare
	for _, r := range o.Allow {
		m.allowed[r] = true
	}
	if o.Clock != nil {
		m.began = o.Clock()
	}
	master := newSide(m, Master, o.Master, &m.report.Master)
	slave := newSide(m, Slave, o.Slave, &m.report.Slave)
	master.local, master.remote = o.MasterProject, o.SlaveProject
	slave.local, slave.remote = o.SlaveProject, o.MasterProject
	m.stay, m.move = master, slave
	if o.Migrating == Master {
		m.stay, m.move = slave, master
	}
	return m, nil
}

func (m *merge) run(ctx context.Context) (*Report, error) {
	if err := m.look(ctx); err != nil {
		return nil, err
	}
	if err := m.checkPaths(); err != nil {
		return nil, err
	}
	var err error
	if m.out, err = newOutput(m.o, m.target); err != nil {
		return nil, err
	}
	if m.o.CompleteComments {
		err = m.twice(ctx)
	} else {
		err = m.once(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := m.out.finish(ctx); err != nil {
		return nil, err
	}
	r := m.report
	r.Pairs, r.BytesOut, r.Sha256 = m.pairs, m.out.size, m.out.sum()
	r.sum()
	if m.out.warning != "" {
		r.Warnings = append(r.Warnings, Finding{Where: m.out.name(), Message: m.out.warning})
	}
	if m.o.Clock != nil {
		r.Seconds = m.o.Clock().Sub(m.began).Seconds()
	}
	return r, nil
}

// once checks and writes at the same time: one pass over each file. If the proof fails, both are read again to find
// out what is wrong.
func (m *merge) once(ctx context.Context) error {
	p := newProof(m)
	if err := m.out.section(First); err != nil {
		return err
	}
	err := m.readStaying(ctx, func(e *Entry) error { p.stays(e); return m.out.entry(e.Raw) })
	if err != nil {
		return err
	}
	p.stayed()
	if err := m.out.section(Second); err != nil {
		return err
	}
	err = m.move.read(ctx, func(e *Entry) error {
		if p.migrates(e); p.silent {
			m.noteUnknown(Sequence{}, e)
		}
		return m.out.entry(e.Raw)
	})
	if err != nil {
		return err
	}
	if p.holds() {
		m.pairs = m.stay.report.Pairs
	} else {
		m.sequence.unknown = tally{}
		if err := m.match(ctx); err != nil {
			return err
		}
	}
	return m.judge(ctx)
}

// twice checks both files, then reads them again to write, because the half pairs of the first file are completed
// from the second.
func (m *merge) twice(ctx context.Context) error {
	if err := m.match(ctx); err != nil {
		return err
	}
	if err := m.judge(ctx); err != nil {
		return err
	}
	if err := m.out.section(First); err != nil {
		return err
	}
	if err := m.complete(ctx, m.stay, m.move); err != nil {
		return err
	}
	if err := m.out.section(Second); err != nil {
		return err
	}
	return m.complete(ctx, m.move, m.stay)
}

// match reads the side that stays into the set, then the migrating side, and looks up its pairs in the set.
func (m *merge) match(ctx context.Context) error {
	err := m.readStaying(ctx, func(e *Entry) error {
		if err := m.set.Add(e); err != nil {
			return fmt.Errorf("%s: %w", m.stay.name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.set.confirmed = m.stay.rereader()
	first, count, err := m.set.Seal()
	if m.stay.addRepeated(first, count); err != nil {
		return err
	}
	err = m.move.read(ctx, func(e *Entry) error {
		if err := m.meet(e); err != nil {
			return fmt.Errorf("%s: %w", m.move.name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.extra.confirmed = m.move.rereader()
	first, count, err = m.extra.Seal()
	m.move.addRepeated(first, count) // in addition to those found by meet
	return err
}

// readStaying reads the side that stays. If it has a mistake, the second file is looked through too, so that people can
// mend both at once.
func (m *merge) readStaying(ctx context.Context, do func(e *Entry) error) error {
	err := m.stay.read(ctx, do)
	var broken *SyntaxError
	if !errors.As(err, &broken) {
		return err
	}
	second := m.move.read(ctx, func(*Entry) error { return nil })
	if errors.As(second, &broken) {
		return errors.Join(err, second)
	}
	return err
}

// meet looks up the mirror of one entry of the migrating side.
func (m *merge) meet(e *Entry) error {
	match, err := m.set.MatchMirror(e)
	if err != nil {
		return err
	}
	switch match.Outcome {
	case Matched:
		m.pairs++
		m.noteUnknown(match.Sequence, e)
		m.compareSequence(match.Sequence, match.Offset, e)
	case Again:
		m.move.addRepeated([]Duplicate{{Offset: e.Offset, First: match.Earlier}}, 1)
		m.compareSequence(match.Sequence, match.Offset, e)
	default:
		m.unmatched.add(m.move.name, e, func() string { return pairName(e.LocalKey, e.RemoteKey) })
		if m.set.has(e.LocalKey, e.RemoteKey) {
			m.same++
		}
		return m.extra.Add(e)
	}
	return nil
}

func (m *merge) close() error {
	var errs []error
	if m.out != nil {
		errs = append(errs, m.out.close())
	}
	for _, s := range []*side{m.stay, m.move} {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
