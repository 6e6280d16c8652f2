package share

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var synchronize = driver.Verb[*Sharing]{Name: VerbSynchronize, Verify: (*Sharing).verifySynchronized}

// synchronizeStep returns the step in which a person starts the synchronization. A configuration with a manual trigger
// brings nothing before that.
func (p *Plan) synchronizeStep(items []*Standing) planner.Step {
	return p.compares(planner.Step{
		Op: VerbSynchronize, Servers: p.servers(), Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Within: planner.Duration(p.Sync.Within()), Exclusive: p.page(),
		Summary: fmt.Sprintf("on %s, synchronize %s for the first time", p.Facts.Target.Addr, itemWords(items)),
		Because: "the trigger is manual, and nothing of it has arrived yet (" + SyncPage + ")",
		Args:    p.demanded(items),
		Manual: &planner.Manual{
			Where: p.where(), Action: "synchronize",
			Do: []string{"Tick the configurations of what is named below and press the button Synchronize at the top " +
				"right."},
			Values: p.itemValues(items),
		},
		Effect: &planner.Effect{},
	})
}

// neverSynchronized returns the items of a manual synchronization of which nothing has arrived yet.
func (p *Plan) neverSynchronized() []*Standing {
	if p.Sync.Trigger != survey.Manual {
		return nil
	}
	var out []*Standing
	for i := range p.Items {
		s := &p.Items[i]
		if s.Problem == "" && s.Waits == "" && s.Appeared == 0 && len(s.Expected()) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// verifySynchronized verifies that something has arrived for each item that a person had to synchronize. Whether
// everything has arrived is verified by the next step.
func (w *Sharing) verifySynchronized(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	f, err := w.copies(ctx, time.Time{})
	if err != nil {
		return executor.Verdict{}, err
	}
	var missing []string
	for i := range f.Items {
		item := &f.Items[i]
		if keys := t.Step.Args["keys"]; keys != "" && !slices.Contains(strings.Split(keys, ","), item.Key()) {
			continue
		}
		if appeared, expected := tally(item); appeared == 0 && expected > 0 {
			missing = append(missing, fmt.Sprintf("%s %q", item.Kind, item.Path))
		}
	}
	if len(missing) > 0 {
		return executor.NotDone.Because("nothing has come to %s of %s", f.Target.Addr, wording.List(missing)), nil
	}
	return executor.Done.Because("%s has something of all of it", f.Target.Addr), nil
}
