package planner

import "time"

// Check returns a step that changes nothing and verifies that something holds. within is how long that may take; zero
// means the executor's default.
func Check(op, summary string, within time.Duration) Step {
	return Step{Op: op, Mark: MarkCheck, Repeat: Idempotent, Summary: summary, Within: Duration(within)}
}

// Act returns a step that the driver carries out and that can be undone or does no harm. mark is MarkAdd, MarkChange
// or MarkDelete.
func Act(op string, mark Mark, repeat Repeat, summary string) Step {
	return Step{Op: op, Mark: mark, Repeat: repeat, Summary: summary}
}

// Person returns a step that a person does. It is verified first; the person is asked only if it is not done.
func Person(op, summary string, m Manual) Step {
	return Step{Op: op, Mark: MarkPerson, Repeat: CheckFirst, Summary: summary, Manual: &m}
}

// Final returns a step that removes objects for good. It is never carried out twice. Its guards, which are IDs of
// check steps, are verified again right before it starts: every irreversible step has at least one. loses says what is
// lost, in words with numbers.
func Final(op, summary string, destroys int, loses string, guard string, more ...string) Step {
	return Step{
		Op: op, Mark: MarkFinal, Repeat: Once, Summary: summary, Guards: append([]string{guard}, more...),
		Effect: &Effect{Destroy: destroys, Irreversible: true, Loses: loses},
	}
}

// Sequence collects the steps of one declaration. A step without Needs needs the steps that the previous call of Then
// added.
type Sequence struct {
	Addr    string   // of the declaration
	Servers []string // the servers of a step that names none itself
	Steps   []Step

	last []string
}

// usualSteps is the number of steps for which a sequence has room at first: steps are large, and most sequences have
// few.
const usualSteps = 4

// ID returns the ID of a step of the declaration.
func (q *Sequence) ID(op string) string { return StepID(q.Addr, op) }

// Then adds steps that need everything that the previous call added, but not each other. A call without steps does
// nothing.
func (q *Sequence) Then(steps ...Step) {
	if q.Steps == nil {
		q.Steps = make([]Step, 0, usualSteps)
	}
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
