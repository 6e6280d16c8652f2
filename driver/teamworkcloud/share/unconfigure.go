package share

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var unconfigure = driver.Verb[*Sharing]{Name: VerbUnconfigure, Verify: (*Sharing).verifyUnconfigured}

// UnconfigureStep returns the step in which a person deletes configurations and keeps what they have brought.
func (p *Plan) UnconfigureStep(key, because string, items ...*Standing) planner.Step {
	held := 0
	for _, s := range items {
		held += s.Appeared
	}
	return p.removal(opUnconfigure+key, because, itemWords(items), p.itemValues(items), len(items), held)
}

// UnconfigureAllStep returns the step of a migration that deletes all configurations of its synchronization, after
// everything has been verified.
func (p *Plan) UnconfigureAllStep(because string) planner.Step {
	var items []*Standing
	for i := range p.Items {
		items = append(items, &p.Items[i])
	}
	s := p.removal(VerbUnconfigure, because, itemWords(items), p.itemValues(items), len(items), 0)
	delete(s.Args, "held") // what arrived is already recorded
	return s
}

// unconfigureForgotten returns the step that deletes a configuration that an earlier run has made and that is no
// longer declared.
func (p *Plan) unconfigureForgotten(key string, k survey.Known) planner.Step {
	values := []planner.Value{
		{Name: "target", Label: "Target server", Value: p.Sync.TargetServer().URL.String()},
		{Name: "items", Label: "Configurations of", Value: k.ID, Shown: k.Path},
	}
	return p.removal(opUnconfigure+key, "an earlier run made it, and it is not declared any more",
		fmt.Sprintf("%s %q", k.Kind, k.Path), values, 1, 0)
}

func (p *Plan) removal(op, because, what string, values []planner.Value, n, held int) planner.Step {
	do := []string{
		"Tick the configurations of what is named below and delete them.",
		"Choose DELETE CONFIGURATION ONLY. Never DELETE ALL: it removes the copies too.",
	}
	if p.oldTarget() {
		do = []string{
			"Tick the configurations of what is named below and delete them. The copies stay.",
			"Before 2024x Refresh1 a record of them stays behind: the same can be configured again only once Data Manager " +
				"has removed the copies.",
		}
	}
	return p.compares(planner.Step{
		Op: op, Verb: VerbUnconfigure, Servers: p.servers(), Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Exclusive: p.page(), Within: planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("on %s, delete the remote resource configuration of %s and keep the data",
			p.Facts.Target.Addr, what),
		Because: because,
		Args:    map[string]string{"held": strconv.Itoa(held)},
		Manual: &planner.Manual{
			Where: p.where(), Action: "delete_configuration", Do: do,
			Values: append(values, planner.Value{Name: "keep", Label: "Delete", Value: "true", Shown: "the configuration " +
				"only"}),
			Attest: "the list no longer shows the configurations",
		},
		Effect: &planner.Effect{Destroy: n},
		Undo:   "create them again; what is there stays and is synchronized further",
	})
}

// verifyUnconfigured verifies that the copies still exist. No interface shows whether a configuration was deleted.
func (w *Sharing) verifyUnconfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	f, err := w.copies(ctx, time.Time{})
	if err != nil {
		return executor.Verdict{}, err
	}
	held := 0
	var gone []string
	for _, r := range f.Resources() {
		switch {
		case r.Target.Exists && !r.Target.Removed:
			held++
		default:
			gone = append(gone, r.Name)
		}
	}
	want, err := strconv.Atoi(t.Step.Args["held"])
	if err != nil {
		return executor.Verdict{}, executor.Final(fmt.Errorf("reading how many copies were there: %w", err))
	}
	if held < want {
		return executor.NotDone.Because("of %s on %s only %d are left, without %s: was DELETE ALL chosen?",
			wording.Plural(want, "resource"), f.Target.Addr, held, wording.QuotedList(gone)), nil
	}
	return executor.Unknown.Because("%s on %s as before; whether there is a configuration no interface shows",
		wording.Plural(held, "resource"), f.Target.Addr), nil
}
