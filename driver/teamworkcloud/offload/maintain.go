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

// verifyMaintainedSource verifies that a person has removed the resources on the machine: the server is up again, and
// has none of them.
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

// maintainSourceStep returns the step in which a person does all of the work on the source's machine, because no host
// is declared.
func (o *plan) maintainSourceStep() planner.Step {
	u, ids := o.commands(atSource), o.ids()
	script := stopped(u)
	for _, r := range o.present {
		o.compareBy(&script, u, r)
	}
	for _, c := range machine.PastedBatches(u.DataManager, ids, machine.Remove) {
		script.Note("removes %s for good", wording.Plural(len(c)-len(u.DataManager)-1, "resource"))
		script.Run(c)
	}
	script.Note("none of them may still be listed")
	script.Run(slices.Concat(u.DataManager, machine.ListResources()))
	step := o.maintainStep(atSource, started(script, u),
		fmt.Sprintf("stop the services of %s, remove %s for good with Data Manager, and start them again", o.addr(atSource),
			wording.Plural(len(ids), "resource")))
	step.Guards = o.guardedBy(opIdle+atSource, atSource)
	step.Because = share.SyncPage +
		", step 2; the machine is not declared (host), so a person does it. It cannot be undone"
	step.Effect = &planner.Effect{Destroy: len(ids), Irreversible: true, Loses: o.loses()}
	step.Facts, step.Retires = o.removalFacts(), o.retires()
	return step
}

// stopped begins a script: it stops the services, and checks that the whole database is up.
func stopped(u machine.Commands) machine.Script {
	var script machine.Script
	script.Note("stop the services")
	script.Run(u.Stop...)
	script.Note("every node must be UN, up and normal")
	script.Run(u.Database)
	return script
}

// started ends a script.
func started(script machine.Script, u machine.Commands) machine.Script {
	script.Note("start the services")
	script.Run(u.Start...)
	return script
}

// compareBy adds commands that compare the database with what was verified, because anything beyond that would be
// lost. While the services are stopped, only Data Manager can show it. The numbers are those of the plan; the check
// before this step ensures that they still hold.
func (o *plan) compareBy(script *machine.Script, u machine.Commands, r *survey.Resource) {
	script.Note("%s: %s and no more", r.Name, wording.Plural(r.Source.Branches, "branch"))
	script.Run(slices.Concat(u.DataManager, machine.ListBranches(r.ID)))
	for _, b := range o.facts.Lines {
		if b.Resource != r.ID {
			continue
		}
		what := "none but what it began with"
		if b.Revisions > 0 {
			what = fmt.Sprintf("%s, the newest is %d", wording.Plural(b.Revisions, "revision"), b.Latest)
		}
		script.Note("%s, branch %s: %s", r.Name, b.Name, what)
		script.Run(slices.Concat(u.DataManager, machine.ListRevisions(r.ID, b.ID)))
	}
}

// maintainTargetStep returns the step in which a person does all of the work on the target's machine.
func (o *plan) maintainTargetStep() planner.Step {
	u, n := o.commands(atTarget), len(o.moved())
	script := stopped(u)
	script.Note("takes the read-only flag off %s", wording.Plural(n, "resource"))
	script.Run(machine.PastedBatches(u.DataManager, o.movedIDs(), machine.Reactivate(o.wholeCategory()))...)
	step := o.maintainStep(atTarget, started(script, u),
		fmt.Sprintf("stop the services of %s, take the read-only flag off %s with Data Manager, and start them again",
			o.addr(atTarget), wording.Plural(n, "resource")))
	step.Guards = []string{o.l.ID(opIdle + atTarget)}
	step.Because = share.SyncPage +
		", Removing the read-only flag; the machine is not declared (host), so a person does it"
	step.Effect = &planner.Effect{Change: n}
	step.Manual.Attest = "all of the commands were run, none of them reported an error, and the services are up"
	return step
}

func (o *plan) maintainStep(end string, script machine.Script, summary string) planner.Step {
	u, url := o.commands(end), o.server(end).URL.String()
	lines := script.Lines()
	return planner.Step{
		Op: opMaintain + end, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(u.Within),
		Exclusive: machine.Exclusive(o.addr(end)),
		Summary:   summary,
		Args:      o.args(end),
		Undo:      "if the services are stopped, start them by hand, with the last of its commands",
		Manual: &planner.Manual{
			Where: "the machine of " + url + ", as somebody who may administrate it", Action: "run_maintenance",
			Do: []string{"Run the commands in their order, one at a time. Where one fails, or does not show what the comment " +
				"before it says, run no other but those that start the services, and come back."},
			Commands: script,
			Values: []planner.Value{
				{Name: "server", Label: "Server", Value: url},
				{Name: "commands", Label: "Lines", Value: strings.Join(lines, "\n"),
					Shown: wording.Plural(len(lines), "command")},
			},
		},
	}
}

// verifyMaintainedTarget verifies that the server is up and has the resources. No interface shows the read-only flag.
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
