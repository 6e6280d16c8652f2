package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// verifyUnchanged guards the removal. Whatever it finds, people are told that the services are stopped.
func (d *Driver) verifyUnchanged(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := d.reach(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.unchanged(ctx, t, m)
	standstill := fmt.Sprintf("; if the services of %s are stopped, syncctl apply resumes here, or start them by "+
		"hand: %s", m.Server, machine.JoinLines(m.Start...))
	switch {
	case err != nil:
		return v, fmt.Errorf("%w%s", err, standstill)
	case v.State != executor.Done:
		v.Why += standstill
	}
	return v, nil
}

// unchanged: with the services of the source stopped nothing is in its database that was not verified, and the target
// still has what was.
func (d *Driver) unchanged(ctx context.Context, t *executor.Task, m *machine.Machine) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	if v, err := m.VerifyStopped(ctx); err != nil || v.State != executor.Done {
		if v.State == executor.NotDone && t.IsDone(opStop+atSource) {
			v.Why += fmt.Sprintf("; somebody has started them: have them stopped again: syncctl resolve %s -retry",
				planner.StepID(t.Step.Addr, opStop+atSource))
		}
		return v, err
	}
	if why, err := m.DatabaseProblem(ctx); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	if err := d.kept(ctx, t, verified, (*revision.Record).Changed); err != nil {
		return executor.Verdict{}, err
	}
	return verifyUntouched(ctx, m, t, verified, !t.IsDone(opUnchanged))
}

// verifyRemoval: the database lists none of them. Data Manager's own word and exit code count for nothing.
func (d *Driver) verifyRemoval(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	m, err := d.reach(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	return verifyGone(ctx, m, verified.IDs(), t.Output(opUnchanged, witnessOutput))
}

// removeResources removes exactly what this run has verified, as far as it is there still. The plan must name the
// same.
func (d *Driver) removeResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := verified.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{},
			executor.NotSent(fmt.Errorf("removing: the %s that this run has verified are not those that the plan is about",
				wording.Plural(len(ids), "resource")))
	}
	m, err := d.reach(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	held, err := m.Manager.Holds(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	left := held.Of(ids)
	if len(left) == 0 {
		return executor.Result{Note: "all of them are removed already"}, nil
	}
	return m.Change(ctx, t, left, machine.Remove)
}

// reactivateResources takes the flag off what was looked at before the services were stopped.
func (d *Driver) reactivateResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	all, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := all.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{},
			executor.NotSent(fmt.Errorf(
				"reactivating: the %s that this run has looked at are not those that the plan is about", wording.Plural(len(ids),
					"resource")))
	}
	m, err := d.reach(serverOf(t, atTarget), t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	v, err := m.VerifyStopped(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if v.State != executor.Done {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s; have them stopped: syncctl resolve %s -retry", v.Why,
			planner.StepID(t.Step.Addr, opStop+atTarget)))
	}
	if why, err := m.UnfitDatabase(ctx, all.Names()); err != nil || why != "" {
		return executor.Result{}, executor.NotSent(errors.Join(err, textError(why)))
	}
	category := t.Output(opIdle+atTarget, categoryOutput)
	if category != "" {
		if err := machine.CheckIDs([]string{category}); err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
	}
	return m.Change(ctx, t, ids, machine.Reactivate(category))
}

func textError(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// migrationFacts reads the named facts again. Those about the target alone are read of the target alone: the source's
// services may be stopped by then.
func (d *Driver) migrationFacts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	sync := survey.Declared(declaredOffload(r).Sync)
	if sync == nil {
		return out, nil
	}
	for _, name := range names {
		switch end, what, _ := strings.Cut(name, "."); {
		case what == "major" && (end == atSource || end == atTarget):
			major, err := d.major(ctx, sync, end)
			if err != nil {
				return nil, err
			}
			out[name] = major
		case name == "source.resources":
			f, err := d.observeOffload(ctx, r)
			if err != nil {
				return nil, err
			}
			out[name] = resourcesText(d.newOffloading(r, f, nil).present)
		default:
			return nil, fmt.Errorf("reading fact %q: an offload has no such fact", name)
		}
	}
	return out, nil
}
