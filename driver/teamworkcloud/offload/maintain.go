package offload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var maintainSource = driver.Verb[*Offloading]{
	Name: opMaintain + atSource, Verify: (*Offloading).verifyMaintainedSource,
}

var maintainTarget = driver.Verb[*Offloading]{
	Name: opMaintain + atTarget, Verify: (*Offloading).verifyMaintainedTarget,
}

// verifyMaintainedSource: a person has removed them at the machine; the server, up again, knows none of them.
func (w *Offloading) verifyMaintainedSource(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	v, err := w.healthy(ctx, atSource)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	left, err := w.left(ctx, verified.IDs())
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case len(left) == len(verified):
		return executor.NotDone.Because("%s has %s still", w.server(atSource).Address(), allOf(len(left))), nil
	case len(left) > 0:
		return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%s still has %d of %d: %s",
			w.server(atSource).Address(), len(left), len(verified), wording.List(left))}, nil
	}
	return executor.Done.Because("%s; it has none of the %s any more", v.Why, wording.Plural(len(verified), "resource")),
		nil
}

// lineList collects the command lines that a person runs, each with what it must say.
type lineList struct {
	commands []string
	do       []string
}

func (l *lineList) add(command []string, what string, args ...any) {
	line := machine.Lines(command)[0]
	l.commands = append(l.commands, line)
	if what != "" {
		line += "    (" + fmt.Sprintf(what, args...) + ")"
	}
	l.do = append(l.do, line)
}

// maintainSourceStep is all of the work at the source's machine, for a person: no host is declared.
func (o *plan) maintainSourceStep() planner.Step {
	u, l := o.commands(atSource), &lineList{}
	for _, c := range u.Stop {
		l.add(c, "")
	}
	l.add(u.Database, "every node must be UN, up and normal")
	for _, r := range o.present {
		o.compareLines(l, u, r)
	}
	ids := o.ids()
	for _, c := range machine.Batches(u.DataManager, ids, machine.Remove) {
		l.add(c, "%s, for good", wording.Plural(len(c)-len(u.DataManager)-1, "resource"))
	}
	l.add(slices.Concat(u.DataManager, machine.ListResources()), "none of them may still be listed")
	for _, c := range u.Start {
		l.add(c, "")
	}
	step := o.maintainStep(atSource, l,
		fmt.Sprintf("stop the services of %s, remove %s for good with Data Manager, and start them again", o.addr(atSource),
			wording.Plural(len(ids), "resource")))
	step.Guards = []string{o.l.ID(opIdle + atSource)}
	step.Because = share.SyncPage +
		", step 2; the machine is not declared (host), so a person does it. It cannot be undone"
	step.Effect = &planner.Effect{Destroy: len(ids), Irreversible: true, Loses: o.loses()}
	step.Facts, step.Retires = []planner.Fact{o.targetFact()}, o.retires()
	return step
}

// compareLines: what is in the database beyond what was verified would be lost, and with the services stopped only
// Data Manager can tell. The numbers are those of the plan; the check before this step sees to it that they still
// hold.
func (o *plan) compareLines(l *lineList, u machine.Commands, r *survey.Resource) {
	l.add(slices.Concat(u.DataManager, machine.ListBranches(r.ID)), "%s: %s and no more", r.Name,
		wording.Plural(r.Source.Branches, "branch"))
	for _, b := range o.facts.Lines {
		if b.Resource != r.ID {
			continue
		}
		what := "none but what it began with"
		if b.Revisions > 0 {
			what = fmt.Sprintf("%s, the newest is %d", wording.Plural(b.Revisions, "revision"), b.Latest)
		}
		l.add(slices.Concat(u.DataManager, machine.ListRevisions(r.ID, b.ID)), "%s, branch %s: %s", r.Name, b.Name, what)
	}
}

// maintainTargetStep is the same for the target.
func (o *plan) maintainTargetStep() planner.Step {
	u, l := o.commands(atTarget), &lineList{}
	for _, c := range u.Stop {
		l.add(c, "")
	}
	l.add(u.Database, "every node must be UN, up and normal")
	for _, c := range machine.Batches(u.DataManager, o.movedIDs(), machine.Reactivate(o.wholeCategory())) {
		l.add(c, "")
	}
	for _, c := range u.Start {
		l.add(c, "")
	}
	n := len(o.moved())
	step := o.maintainStep(atTarget, l,
		fmt.Sprintf("stop the services of %s, take the read-only flag off %s with Data Manager, and start them again",
			o.addr(atTarget), wording.Plural(n, "resource")))
	step.Guards = []string{o.l.ID(opIdle + atTarget)}
	step.Because = share.SyncPage +
		", Removing the read-only flag; the machine is not declared (host), so a person does it"
	step.Effect = &planner.Effect{Change: n}
	step.Manual.Attest = "all of the lines were run, none of them reported an error, and the services are up"
	return step
}

func (o *plan) maintainStep(end string, l *lineList, summary string) planner.Step {
	u, url := o.commands(end), o.server(end).URL.String()
	do := append([]string{"Run these lines in their order. Where one fails, or does not say what stands behind it, " +
		"run no other but those that start the services, and come back:"}, l.do...)
	return planner.Step{
		Op: opMaintain + end, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(u.Within),
		Exclusive: machine.Exclusive(o.addr(end)),
		Summary:   summary,
		Args:      o.args(end),
		Undo:      "if the services are stopped, start them by hand: " + machine.JoinLines(u.Start...),
		Manual: &planner.Manual{
			Where: "the machine of " + url + ", as somebody who may administrate it", Action: "run_maintenance", Do: do,
			Values: []planner.Value{
				{Name: "server", Label: "Server", Value: url},
				{Name: "commands", Label: "Lines", Value: strings.Join(l.commands, "\n"),
					Shown: fmt.Sprintf("the %d above", len(l.commands))},
			},
		},
	}
}

// verifyMaintainedTarget: the server is up and has them. No interface shows the read-only flag.
func (w *Offloading) verifyMaintainedTarget(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := w.healthy(ctx, atTarget)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	if err := w.keptEditable(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("%s; no interface shows the read-only flag", v.Why), nil
}
