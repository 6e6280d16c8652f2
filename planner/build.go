package planner

import "time"

// Check makes a step that changes nothing and verifies that something holds. within is how long it may take to hold;
// zero: the executor's default.
func Check(op, summary string, within time.Duration) Step {
	return Step{Op: op, Mark: MarkCheck, Repeat: Idempotent, Summary: summary, Within: Duration(within)}
}

// Act makes a step that the driver carries out and that can be undone or does no harm. mark is MarkAdd, MarkChange or
// MarkDelete.
func Act(op string, mark Mark, repeat Repeat, summary string) Step {
	return Step{Op: op, Mark: mark, Repeat: repeat, Summary: summary}
}

// Person makes a step that a person does. It is verified first, and the person is asked unless it is done.
func Person(op, summary string, m Manual) Step {
	return Step{Op: op, Mark: MarkPerson, Repeat: CheckFirst, Summary: summary, Manual: &m}
}

// Final makes a step that removes objects for good. It is never carried out twice, and right before it starts its
// guards, ids of checks, are verified once more: there is no irreversible step without one. loses says what is gone
// afterwards, in words with numbers.
func Final(op, summary string, destroys int, loses string, guard string, more ...string) Step {
	return Step{
		Op: op, Mark: MarkFinal, Repeat: Once, Summary: summary, Guards: append([]string{guard}, more...),
		Effect: &Effect{Destroy: destroys, Irreversible: true, Loses: loses},
	}
}

// Sequence collects the steps of one declaration; each follows those before it unless it says what it needs.
type Sequence struct {
	Addr    string   // of the declaration
	Servers []string // what a step contacts that does not say it by itself
	Steps   []Step

	last []string
}

// ID is the id of a step of the declaration.
func (q *Sequence) ID(op string) string { return StepID(q.Addr, op) }

// Then adds steps that need everything that the call before added, but not each other. A call without steps changes
// nothing.
func (q *Sequence) Then(steps ...Step) {
	var ids []string
	for _, s := range steps {
		if s.Needs == nil {
			s.Needs = q.last
		}
		if s.Servers == nil {
			s.Servers = q.Servers
		}
		q.Steps = append(q.Steps, s)
		ids = append(ids, q.ID(s.Op))
	}
	if len(ids) > 0 {
		q.last = ids
	}
}
