package offload

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

var allArrived = driver.Verb[*Offloading]{Name: verbAllArrived, Verify: (*Offloading).verifyAllArrived}

// verifiedHere returns the resources that this run has verified, with their state at that time.
func verifiedHere(t *executor.Task) (revision.Records, error) {
	all, err := revision.DecodeRecords(t.Output(share.VerbArrived, revision.RecordsOutput))
	if err != nil {
		return nil, executor.Final(err)
	}
	return all, nil
}

// errNothingVerified means that this run has not verified any resource, so it removes none.
var errNothingVerified = errors.New("this run has not verified any resource yet")

// verifyAllArrived compares every branch, revision and tag of every resource, and records their state. Nothing else is
// ever removed.
func (w *Offloading) verifyAllArrived(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := w.look(ctx, false)
	if err != nil {
		return executor.Verdict{}, err
	}
	f, all := l.facts, revision.Records{}
	before, err := verifiedHere(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(before) > 0 {
		if err := l.sameSelection(before); err != nil {
			return executor.Verdict{}, executor.Final(err)
		}
	}
	revisions := 0
	var missing []string
	var compared []*revision.Comparison
	for i := range f.Items {
		if item := &f.Items[i]; item.Problem != "" && !l.movedEarlier(item) {
			missing = append(missing, fmt.Sprintf("%s %q: %s", item.Kind, item.Declared, item.Problem))
		}
	}
	for _, r := range f.Resources() {
		if r.Target.Exists && !r.Target.Removed && r.Diff.State == revision.Differs {
			return executor.Verdict{}, executor.Final(share.NotCopied(f, r))
		}
		if r.Diff.State == revision.Unknown {
			return executor.Verdict{}, executor.Final(share.NotComparable(w.sync(), r))
		}
		if lacks := share.NotArrived(w.sync(), r, true); lacks != "" {
			missing = append(missing, fmt.Sprintf("%q (%s): %s", r.Name, r.ID, lacks))
			continue
		}
		record, lacks, err := w.recordOf(l, r)
		switch {
		case err != nil:
			return executor.Verdict{}, err
		case lacks != "":
			missing = append(missing, fmt.Sprintf("%q (%s): %s", r.Name, r.ID, lacks))
			continue
		}
		all[r.ID] = record
		compared = append(compared, &r.Diff)
		revisions += len(l.histories[r.ID].source.Revisions)
	}
	if len(missing) > 0 {
		return executor.NotDone.Because("%s of %s: %s", f.Target.Addr, wording.Plural(len(f.Resources()), "resource"),
			strings.Join(wording.FirstTen(missing), "; ")), nil
	}
	if want := t.Step.Args[argResources]; fingerprint(all.IDs()) != want {
		return executor.Verdict{},
			executor.Final(fmt.Errorf("what is selected on %s is not what was planned: it is %s now; make the plan again",
				f.Source.Addr, wording.Plural(len(all), "resource")))
	}
	v := executor.Done.Because("%s with %s on %s compared with %s one by one, %s", wording.Plural(len(all), "resource"),
		wording.Plural(revisions, "revision"),
		f.Target.Addr, f.Source.Addr, revision.Basis(compared))
	v.Outputs, err = all.Outputs()
	return v, err
}

// recordOf records the state of a resource and its copy. lacks says why that is not possible yet. If the resource is
// to be removed, it is an error if the copy may belong to another project.
func (w *Offloading) recordOf(l *looked, r *survey.Resource) (record revision.Record, lacks string, err error) {
	h := l.histories[r.ID]
	if h.source == nil || h.target == nil {
		return record, "it could not be read", nil
	}
	record = revision.RecordOf(r.Name, h.source, h.target)
	record.ProjectID = r.ProjectID
	if w.Declaration.RemoveFromSource == nil {
		return record, "", nil
	}
	if why := record.OtherProject(h.project); why != "" {
		f := l.facts
		return record, "", executor.Final(fmt.Errorf("%q (%s) on %s is not known to be a copy of that on %s: %s",
			r.Name, r.ID, f.Target.Addr, f.Source.Addr, why))
	}
	return record, "", nil
}

// movedEarlier reports whether an item that is not on the source is on the target, because an earlier run or somebody
// has already moved it.
func (l *looked) movedEarlier(item *survey.Item) bool {
	if item.Kind == survey.KindCategory {
		return l.facts.Category.ID != "" && len(l.target.Members(l.facts.Category.ID)) > 0
	}
	return l.target.CopyOf(item.Declared, l.facts.Category.ID) != nil
}
