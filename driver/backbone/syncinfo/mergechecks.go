package syncinfo

import (
	"context"
	"fmt"
)

func (m *merge) found(f Finding) { m.findings = append(m.findings, f) }

// checkPaths refuses what need not be read to be seen as wrong.
func (m *merge) checkPaths() error {
	o := m.o
	for _, in := range []string{o.Master, o.Slave} {
		if o.Out != Standard && samePath(o.Fs, in, o.Out) {
			return fmt.Errorf("the output %s is one of the two files to be merged; choose another name", o.Out)
		}
	}
	if o.Out != Standard {
		if info, err := o.Fs.Stat(o.Out); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("the output %s is there and is no ordinary file; choose another name, or - for standard output", o.Out)
		}
	}
	if samePath(o.Fs, o.Master, o.Slave) {
		m.found(Finding{Rule: SameFile, Where: m.move.name(), Count: 1,
			Message: fmt.Sprintf("%s and %s are the same file; give the master's file and the slave's", o.Master, o.Slave)})
		if !m.allowed[SameFile] {
			return &CheckError{m.findings} // all else that could be found would follow from this
		}
	}
	return nil
}

// judge turns what was found into a *CheckError, or into warnings where it is allowed.
func (m *merge) judge(ctx context.Context) error {
	m.checkContent()
	m.checkSwapped()
	if err := m.checkUnmatched(ctx); err != nil {
		return err
	}
	if m.sequence.count > 0 {
		m.found(m.sequence.finding(SeqDiffer, fmt.Sprintf(
			"%s still in flight or in error: the two sides' message sequence ids disagree; start both ends again until their queues are empty, stop them and download both files again",
			plural(m.sequence.count, "direction"))))
	}
	var refused []Finding
	for _, f := range m.findings {
		if m.allowed[f.Rule] {
			m.report.Warnings = append(m.report.Warnings, f)
		} else {
			refused = append(refused, f)
		}
	}
	if len(refused) > 0 {
		return &CheckError{refused}
	}
	return nil
}

// checkContent notices the same export given twice: byte for byte, or at least pair for pair.
func (m *merge) checkContent() {
	a, b := m.stay, m.move
	if a.report.Pairs == 0 || b.report.Pairs == 0 {
		return // empty exports look alike
	}
	f := Finding{Rule: SameFile, Where: b.name(), Count: 1}
	switch {
	case samePath(m.o.Fs, a.path, b.path):
		return // found before
	case a.size == b.size && a.content == b.content:
		f.Message = fmt.Sprintf("%s has the same content as %s; give the master's file and the slave's", b.name(), a.name())
	case m.unmatched.count == b.report.Pairs && m.same.count == m.unmatched.count:
		f.Message = fmt.Sprintf("%s lists its pairs the same way round as %s: both seem to be exports of the same side", b.name(), a.name())
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
		msg := fmt.Sprintf("%s of the %s's file %s not in the project that was given for its side", entries(s.swapped.count), s.role, isAre(s.swapped.count))
		if s.swapped.count == s.report.Pairs {
			msg += "; the two files look swapped"
		}
		m.found(s.swapped.finding(Swapped, msg))
	}
}

// checkUnmatched lists the pairs of either side that the other does not have.
func (m *merge) checkUnmatched(ctx context.Context) error {
	stay := tally{count: m.set.Unmatched()}
	var err error
	if stay.examples, err = m.stay.source().name(ctx, m.set.unmatched()); err != nil {
		return err
	}
	for _, c := range []struct {
		t         *tally
		has, lack *side
	}{{&stay, m.stay, m.move}, {&m.unmatched, m.move, m.stay}} {
		if c.t.count > 0 {
			m.found(c.t.finding(Unmatched, fmt.Sprintf("%s of %s %s no mirror in %s; download both files again after both ends were stopped",
				plural(c.t.count, "pair"), c.has.name(), hasHave(c.t.count), c.lack.name())))
		}
	}
	return nil
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
