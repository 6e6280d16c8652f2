package offload

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var finished = driver.Verb[*Offloading]{Name: opFinished, Verify: (*Offloading).verifyFinished}

func (o *plan) finishedStep() planner.Step {
	var parts []string
	if o.removes() {
		parts = append(parts, fmt.Sprintf("%s has none of the resources any more, nor any marked as deleted",
			o.addr(atSource)))
	}
	parts = append(parts, fmt.Sprintf("%s has every branch and revision that was verified", o.addr(atTarget)))
	args := map[string]string{argResources: fingerprint(o.movedIDs())}
	return planner.Step{
		Op: opFinished, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(time.Minute),
		Summary: strings.Join(parts, "; "),
		Because: "the end is looked at on both servers, not concluded",
		Args:    args,
	}
}

// verifyFinished verifies the end result on both servers.
func (w *Offloading) verifyFinished(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	moved, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	all := maps.Clone(moved)
	if all == nil {
		all = revision.Records{}
	}
	maps.Copy(all, verified) // these contain more
	if len(all) == 0 {
		return executor.NotDone.Because("%s", errNothingVerified), nil
	}
	end := t.Step.Args[argEnd]
	if end != atSource {
		if err := w.kept(ctx, all, lost); err != nil {
			return executor.Verdict{}, err
		}
	}
	if w.Declaration.RemoveFromSource == nil || end == atTarget {
		return executor.Done.Because("%s has every branch and revision of %s that was verified",
			w.server(atTarget).Address(), wording.Plural(len(all), "resource")), nil
	}
	left, err := w.left(ctx, all.IDs())
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(left) > 0 {
		return executor.NotDone.Because("%s still has %s", w.server(atSource).Address(),
			strings.Join(wording.FirstTen(left), ", ")), nil
	}
	if end == atSource {
		return executor.Done.Because("%s has none of the %s any more", w.server(atSource).Address(),
			wording.Plural(len(all), "resource")), nil
	}
	return executor.Done.Because("%s has none of the %s any more; %s has every branch and revision of them that was "+
		"verified", w.server(atSource).Address(), wording.Plural(len(all), "resource"), w.server(atTarget).Address()), nil
}
