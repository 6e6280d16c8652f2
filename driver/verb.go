package driver

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/executor"
)

// Verb is one kind of step: its name, how it is carried out, and how its end is recognised. It is in one file with
// the function that plans the step. D is what the verb works with, such as the driver.
type Verb[D any] struct {
	Name string // planner.Step.Verb

	// Execute carries out the step. It is nil if the step is a check or a person's, so that there is nothing to carry
	// out.
	Execute func(D, context.Context, *executor.Task) (executor.Result, error)

	// Verify reports whether the step is done. It changes nothing.
	Verify func(D, context.Context, *executor.Task) (executor.Verdict, error)
}

// Verbs is the table of the verbs of a driver, or of a part of one. It returns the error for an unknown verb.
type Verbs[D any] []Verb[D]

// Names returns the verbs' names, sorted.
func (v Verbs[D]) Names() []string {
	names := make([]string, len(v))
	for i := range v {
		names[i] = v[i].Name
	}
	slices.Sort(names)
	return names
}

// Has reports whether there is a verb with that name.
func (v Verbs[D]) Has(name string) bool { return v.find(name) != nil }

// Execute carries out a task with the verb of its step.
func (v Verbs[D]) Execute(ctx context.Context, d D, t *executor.Task) (executor.Result, error) {
	verb := v.find(t.Step.Verb)
	if verb == nil || verb.Execute == nil {
		return executor.Result{}, executor.NotSent(fmt.Errorf("executing %s: this driver cannot carry out %q", t.Step.ID,
			t.Step.Verb))
	}
	return verb.Execute(d, ctx, t)
}

// Verify checks whether a task is done, with the verb of its step.
func (v Verbs[D]) Verify(ctx context.Context, d D, t *executor.Task) (executor.Verdict, error) {
	verb := v.find(t.Step.Verb)
	if verb == nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("verifying %s: this driver does not know %q", t.Step.ID,
			t.Step.Verb))
	}
	return verb.Verify(d, ctx, t)
}

func (v Verbs[D]) find(name string) *Verb[D] {
	for i := range v {
		if v[i].Name == name {
			return &v[i]
		}
	}
	return nil
}
