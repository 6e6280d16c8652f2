package offload

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var editable = driver.Verb[*Offloading]{Name: verbEditable, Verify: (*Offloading).verifyEditable}

// editableStep has a person check that resources can be edited. No documented interface shows the read-only flag.
func (o *plan) editableStep() planner.Step {
	var ids, all []string
	for _, c := range o.moved() {
		ids, all = append(ids, c.ID), append(all, c.Name)
	}
	server := o.server(atTarget)
	return planner.Step{
		Op: opEditable + survey.Print(8, ids...), Verb: verbEditable, Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Within:  planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("see that %s on %s can be edited", wording.Plural(len(ids), "resource"), o.addr(atTarget)),
		Because: "no interface shows the read-only flag",
		Args:    o.args(atTarget),
		Manual: &planner.Manual{
			Where: server.WebPage() + ", Resources, or a modelling tool", Action: "check_editable",
			Do: []string{"Open each of the resources named below as a user with the right to edit it, and see that it can " +
				"be edited. Nothing needs to be committed."},
			Values: []planner.Value{
				{Name: "target", Label: "Server", Value: server.URL.String()},
				{Name: "resources", Label: "Resources", Value: strings.Join(ids, ","), Shown: strings.Join(all, ", ")},
			},
			Attest: "each of them can be edited",
		},
	}
}

// verifyEditable verifies that the resources exist. Only a person can tell whether they can be edited.
func (w *Offloading) verifyEditable(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := w.keptEditable(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	return executor.Unknown.Because("no interface shows whether a resource can be edited"), nil
}

// keptEditable verifies that what became editable still has everything it had. People may have added to it.
func (w *Offloading) keptEditable(ctx context.Context, t *executor.Task) error {
	all, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Final(err)
	}
	return w.kept(ctx, all, lost)
}
