package syncinfo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/syncctl/syncctl/driver/wording"
)

func (m *merge) found(f Finding) { m.findings = append(m.findings, f) }

// checkPaths refuses paths that are wrong whatever the files contain.
func (m *merge) checkPaths() error {
	var err error
	if m.target, err = m.o.resolve(); err != nil {
		return err
	}
	stdout := statOf(m.o.Stdout)
	if stdout != nil && !stdout.Mode().IsRegular() {
		stdout = nil // a terminal may be both standard input and output
	}
	for _, s := range []*side{m.stay, m.move} {
		switch {
		case m.o.Out == Standard && same(stdout, s.info):
			return fmt.Errorf("standard output leads into %s, which is one of the two files to be merged; "+
				"choose another file", s.name)
		case m.o.Out != Standard && (samePath(s.path, m.o.Out) || same(m.target.info, s.info)):
			return fmt.Errorf("the output %s is one of the two files to be merged; choose another name", m.target.name)
		}
	}
	if m.o.Out != Standard && same(stdout, m.target.info) {
		return fmt.Errorf("the output %s is the file that standard output leads into; use -o -", m.target.name)
	}
	if samePath(m.stay.path, m.move.path) || same(m.stay.info, m.move.info) {
		m.sameFile = true
		m.found(Finding{Rule: SameFile, Where: m.move.name, Count: 1,
			Message: fmt.Sprintf("%s and %s are the same file; give the master's file and the slave's", m.stay.name,
				m.move.name)})
		if !m.allowed[SameFile] {
			return &CheckError{Findings: m.findings} // any other finding would follow from this
		}
	}
	return nil
}

// same reports whether both exist and are one file.
func same(a, b os.FileInfo) bool { return a != nil && b != nil && os.SameFile(a, b) }

// samePath reports whether two paths are equal, whether or not the file exists.
func samePath(a, b string) bool {
	return a != Standard && b != Standard && filepath.Clean(a) == filepath.Clean(b)
}

// judge makes a *CheckError of the findings; those that are allowed become warnings.
func (m *merge) judge(ctx context.Context) error {
	if err := m.compareRepeated(); err != nil {
		return err
	}
	if err := m.findShared(ctx); err != nil {
		return err
	}
	for _, s := range []*side{m.stay, m.move} {
		if err := s.findRepeatedIDs(ctx); err != nil {
			return err
		}
	}
	unmatched := m.set.unmatched()
	if err := m.locate(ctx, unmatched); err != nil {
		return err
	}
	for _, s := range []*side{m.stay, m.move} {
		s.checkRepeated()
		s.checkConnector()
	}
	m.checkContent()
	m.checkSwapped()
	m.checkUnmatched(unmatched)
	m.checkSequence()
	var refused []Finding
	for _, f := range m.findings {
		if m.allowed[f.Rule] {
			m.report.Warnings = append(m.report.Warnings, f)
		} else {
			refused = append(refused, f)
		}
	}
	if len(refused) > 0 {
		return &CheckError{refused, m.report.Warnings}
	}
	return nil
}

// locate finds the positions of all entries that findings name, in one more pass over each file.
func (m *merge) locate(ctx context.Context, unmatched []int64) error {
	at := map[*side][]int64{m.stay: unmatched}
	for _, s := range []*side{m.stay, m.move} {
		for _, all := range []*repeats{&s.repeated, &s.repeatedID, &s.sharedLocal, &s.sharedRemote} {
			for _, one := range all.first.sorted() {
				at[s] = append(at[s], one.at)
				at[one.in] = append(at[one.in], one.first)
			}
		}
	}
	for _, d := range m.sequence.first.sorted() {
		at[d.from] = append(at[d.from], d.fromAt)
		at[d.to] = append(at[d.to], d.toAt)
	}
	for _, s := range []*side{m.stay, m.move} {
		if err := s.locate(ctx, slices.Clone(at[s])); err != nil {
			return err
		}
	}
	return nil
}

// checkContent notices when both sides are the same export: byte for byte, or at least pair for pair.
func (m *merge) checkContent() {
	a, b := m.stay, m.move
	if a.report.Pairs == 0 || b.report.Pairs == 0 {
		return // empty exports look alike
	}
	f := Finding{Rule: SameFile, Where: b.name, Count: 1}
	switch {
	case m.sameFile:
		return // found before
	case a.size == b.size && a.content == b.content:
		f.Message = fmt.Sprintf("%s has the same content as %s; give the master's file and the slave's", b.name, a.name)
	case m.unmatched.count == b.report.Pairs && m.same == m.unmatched.count:
		f.Message = fmt.Sprintf("%s lists its pairs the same way round as %s: both seem to be exports "+
			"of the same side", b.name, a.name)
	default:
		return
	}
	m.found(f)
}

func (m *merge) checkSwapped() {
	for _, s := range []*side{m.stay, m.move} {
		if s.swapped.count == 0 {
			continue
		}
		msg := fmt.Sprintf("%s of the %s's file %s not in the project that was given for its side",
			entries(s.swapped.count), s.role, isAre(s.swapped.count))
		if s.swapped.count == s.report.Pairs {
			msg += "; the two files look swapped"
		}
		m.found(s.swapped.finding(Swapped, msg))
	}
}

// checkUnmatched lists the pairs of either side that the other side does not have. first are the offsets of those of
// the side that stays.
func (m *merge) checkUnmatched(first []int64) {
	stay := tally{count: m.set.Unmatched()}
	for _, offset := range first {
		stay.examples = append(stay.examples, m.stay.places[offset])
	}
	for _, c := range []struct {
		t         *tally
		has, lack *side
	}{{&stay, m.stay, m.move}, {&m.unmatched, m.move, m.stay}} {
		if c.t.count == 0 {
			continue
		}
		empty := ""
		if c.lack.report.Pairs == 0 {
			empty = ", which has no pair at all"
		}
		m.found(c.t.finding(Unmatched, fmt.Sprintf("%s of %s %s no mirror in %s%s; download both files again after "+
			"both ends were stopped",
			wording.Plural(c.t.count, "pair"), c.has.name, hasHave(c.t.count), c.lack.name, empty)))
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func hasHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}
