package share

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var arrived = driver.Verb[*Sharing]{Name: VerbArrived, Verify: (*Sharing).verifyArrived}

// ArrivedStep returns the step that verifies what has been copied. With exact, the copies must have the last revision
// and tag that the source has when it is verified; a removal depends on that. Otherwise they must have what the source
// had when the plan was made, because somebody may commit at any time.
func (p *Plan) ArrivedStep(exact bool, items ...*Standing) planner.Step {
	n := 0
	for _, s := range items {
		n += len(s.Expected())
	}
	if exact {
		n = len(p.Facts.Resources())
	}
	step := planner.Step{
		Op: VerbArrived, Servers: p.servers(), Mark: planner.MarkCheck, Repeat: planner.Idempotent,
		Within: planner.Duration(p.Sync.Within()),
		Summary: fmt.Sprintf("%s has %s of %s with all branches, revisions and tags that the trigger brings, compared "+
			"one by one: branch, order%s",
			p.Facts.Target.Addr, wording.Plural(n, "resource"), p.Facts.Source.Addr, revision.List(p.Sync.Parts())),
		Because: "a synchronization shows in what arrives, and nowhere else",
		Args:    p.demanded(items),
	}
	if exact {
		step.Summary = fmt.Sprintf("%s has every branch, revision and tag of %s of %s, compared one by one: branch, order%s",
			p.Facts.Target.Addr, wording.Plural(n, "resource"), p.Facts.Source.Addr, revision.List(p.Sync.Parts()))
		step.Args = map[string]string{"exact": "true"}
	}
	return p.compares(step)
}

// promises reports whether the trigger brings something by itself once the item is configured. ASSUMED: a
// configuration with a commit tag also brings commits that already have the tag; the documentation only speaks of
// commits "with a specific tag".
func (p *Plan) promises(s *Standing) bool {
	switch p.Sync.Trigger {
	case survey.EveryCommit:
		return len(s.Expected()) > 0
	case survey.CommitTag:
		return slices.ContainsFunc(s.Expected(), func(r *survey.Resource) bool { return r.Tagged > 0 })
	}
	return false
}

// verifyArrived compares every resource on both servers, revision by revision. With the argument exact, nothing may be
// missing. Otherwise the target must have what the source had at as_of, as far as the trigger brings it. keys are the
// items to verify.
func (w *Sharing) verifyArrived(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	asOf, _ := time.Parse(time.RFC3339, t.Step.Args["as_of"]) // without as_of, nothing is too new
	f, err := w.copies(ctx, asOf)
	if err != nil {
		return executor.Verdict{}, err
	}
	exact, keys := t.Step.Args["exact"] == "true", t.Step.Args["keys"]
	var missing []string
	var compared []*revision.Comparison
	revisions, n := 0, 0
	for i := range f.Items {
		item := &f.Items[i]
		if keys != "" && !slices.Contains(strings.Split(keys, ","), item.Key()) {
			continue
		}
		if item.Problem != "" {
			return executor.NotDone.Because("%s %q: %s", item.Kind, item.Declared, item.Problem), nil
		}
		for j := range item.Resources {
			r := &item.Resources[j]
			if r.Target.Exists && !r.Target.Removed && r.Diff.State == revision.Differs {
				return executor.Verdict{}, executor.Final(NotCopied(f, r))
			}
			lacks := NotArrived(w.Sync, r, exact)
			if lacks != "" {
				missing = append(missing, fmt.Sprintf("%q: %s", r.Name, lacks))
				continue
			}
			n, revisions = n+1, revisions+r.Target.History.Revisions
			if r.Diff.State != "" {
				compared = append(compared, &r.Diff)
			}
		}
	}
	if len(missing) > 0 {
		return executor.NotDone.Because("%s of %s: %s", f.Target.Addr, wording.Plural(n+len(missing), "resource"),
			strings.Join(wording.FirstTen(missing), "; ")+untagged(w.Sync)), nil
	}
	return executor.Done.Because("%s with %s on %s compared with %s, %s", wording.Plural(n, "resource"),
		wording.Plural(revisions, "revision"),
		f.Target.Addr, f.Source.Addr, revision.Basis(compared)), nil
}

// untagged warns about behaviour that is not documented.
func untagged(sync *survey.Sync) string {
	if sync.Trigger != survey.CommitTag {
		return ""
	}
	return " (whether a configuration brings what was tagged before it was made is not documented: if it waits for " +
		"the next tagged commit, say so with `syncctl resolve`)"
}

// NotArrived returns what is missing of a resource, "" if everything that is due has arrived.
func NotArrived(sync *survey.Sync, r *survey.Resource, exact bool) string {
	switch {
	case r.Coming && !exact && waitsForTag(sync):
		return ""
	case r.Coming:
		return "not on the source yet"
	case !r.Readable:
		return "the source's user may not read it"
	case r.Target.Removed:
		return "marked as deleted on the target"
	case !r.Target.Exists:
		if !exact && sync.Trigger == survey.CommitTag && r.Tagged == 0 {
			return ""
		}
		return fmt.Sprintf("missing (%s, the newest is %d)", wording.Plural(r.Source.Revisions, "revision"),
			r.Source.Latest)
	case exact && !r.Diff.IsEqual(), !r.Diff.IsReached():
		return r.Diff.Why()
	}
	return ""
}

// waitsForTag reports whether a hop before this one brings something only when it is tagged.
func waitsForTag(sync *survey.Sync) bool {
	return slices.ContainsFunc(sync.Chain(), func(hop *survey.Sync) bool { return hop.Trigger == survey.CommitTag })
}

// NotCopied returns the error for a resource on the target that is not a copy.
func NotCopied(f *survey.Facts, r *survey.Resource) error {
	return fmt.Errorf("resource %q (%s) on %s is not what %s has: %s", r.Name, r.ID, f.Target.Addr, f.Source.Addr,
		r.Diff.Difference)
}

// NotComparable returns the error for a copy if the servers do not show everything that is declared to be compared.
func NotComparable(sync *survey.Sync, r *survey.Resource) error {
	return fmt.Errorf("resource %q (%s) cannot be verified: %s; to accept it without comparing that, leave it out of "+
		"verify { compare } of %s, and plan again",
		r.Name, r.ID, r.Diff.Unknown, sync.Address())
}
