package teamworkcloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// verifySync asks the live servers whether the end of one of a sync's steps is reached.
func (d *Driver) verifySync(ctx context.Context, t *executor.Task, sync *schema.Resource) (executor.Verdict, error) {
	switch op := t.Step.Op; {
	case op == opSecured:
		return d.verifySecured(ctx, sync)
	case op == opCreateCategory:
		return d.verifyCategory(ctx, t, sync.Ref("target"))
	case op == opGrantRole:
		return d.verifyRole(ctx, t, sync.Ref("target"))
	case strings.HasPrefix(op, opConfigure), strings.HasPrefix(op, opReencrypt):
		return d.verifyConfigured(ctx, t, sync)
	case op == opSynchronize:
		return d.verifySynchronized(ctx, t, sync)
	case op == opArrived:
		return d.verifyArrived(ctx, t, sync, nil)
	case strings.HasPrefix(op, opRemoveConfiguration):
		return d.verifyRemoved(ctx, t, sync)
	}
	return unknown("a sync has no such step"), nil
}

func (d *Driver) verifyCategory(ctx context.Context, t *executor.Task, target *schema.Resource) (executor.Verdict, error) {
	inv, err := d.takeInventory(ctx, target)
	if err != nil {
		return executor.Verdict{}, err
	}
	path := t.Step.Args["path"]
	if c := inv.category(path); c != nil && inv.paths[c.ID] == path {
		return executor.Verdict{State: executor.Done, Why: fmt.Sprintf("category %q has the id %s", path, c.ID), Outputs: map[string]string{"id": c.ID}}, nil
	}
	return notDone("%s has no category %q", target.Addr, path), nil
}

func (d *Driver) verifyRole(ctx context.Context, t *executor.Task, target *schema.Resource) (executor.Verdict, error) {
	inv, err := d.takeInventory(ctx, target)
	if err != nil {
		return executor.Verdict{}, err
	}
	path := t.Step.Args["path"]
	c := inv.category(path)
	if c == nil {
		return notDone("%s has no category %q", target.Addr, path), nil
	}
	role, err := readRole(ctx, inv, categoryFacts{ID: c.ID, Path: path})
	switch {
	case err != nil:
		return executor.Verdict{}, fmt.Errorf("reading the rights of %s on %s: %w", t.Step.Args["user"], target.Addr, err)
	case !role.Known:
		return unknown("who has the role %s on category %q cannot be read", role.Name, path), nil
	case !role.Held:
		return notDone("%s has not the role %s on category %q", role.User, role.Name, path), nil
	}
	return done("%s has the role %s on category %q", role.User, role.Name, path), nil
}

// verifyConfigured looks for what the configuration brings: the configuration itself no interface shows. Where it has brought
// something before, or brings nothing by itself, only the person can tell.
func (d *Driver) verifyConfigured(ctx context.Context, t *executor.Task, sync *schema.Resource) (executor.Verdict, error) {
	f, err := d.readCopies(ctx, sync, time.Time{}, nil)
	if err != nil {
		return executor.Verdict{}, err
	}
	at := slices.IndexFunc(f.Items, func(i selectionFacts) bool { return i.key() == t.Step.Args["key"] })
	if at < 0 {
		return notDone("what is to be configured is not selected any more"), nil
	}
	item := &f.Items[at]
	if item.Problem != "" {
		return notDone("%s", item.Problem), nil
	}
	appeared, expected := item.tally()
	switch {
	case t.Step.Args["seen"] == "true":
		return unknown("some of it was on %s before, so nothing shows whether there is a configuration for it", f.Target.Addr), nil
	case appeared > 0 && item.Kind == kindResource:
		return done("resource %q is on %s", item.Path, f.Target.Addr), nil
	case appeared > 0:
		return done("%d of %s of category %q on %s", appeared, wording.Plural(expected, "resource"), item.Path, f.Target.Addr), nil
	case sync.Text("trigger") != survey.EveryCommit:
		return unknown("nothing of it has come to %s; with this trigger it need not yet", f.Target.Addr), nil
	case expected == 0:
		return unknown("there is nothing yet that could come to %s", f.Target.Addr), nil
	}
	return notDone("nothing of %s %q has come to %s yet: its status on the page says whether it is In queue, or why there is an Error", item.Kind, item.Path, f.Target.Addr), nil
}

// tally counts what has come of an element, and what can come. Whether it has come as it should, is verified by the next step.
func (s *selectionFacts) tally() (appeared, expected int) {
	for i := range s.Resource {
		r := &s.Resource[i]
		if r.Target.There && !r.Target.Removed {
			appeared++
		}
		if r.Readable && !r.Coming {
			expected++
		}
	}
	return appeared, expected
}

// verifySynchronized: something has come of everything that a person was to ask for. Whether it is all, is verified by the next
// step.
func (d *Driver) verifySynchronized(ctx context.Context, t *executor.Task, sync *schema.Resource) (executor.Verdict, error) {
	f, err := d.readCopies(ctx, sync, time.Time{}, nil)
	if err != nil {
		return executor.Verdict{}, err
	}
	var missing []string
	for i := range f.Items {
		item := &f.Items[i]
		if keys := t.Step.Args["keys"]; keys != "" && !slices.Contains(strings.Split(keys, ","), item.key()) {
			continue
		}
		if appeared, expected := item.tally(); appeared == 0 && expected > 0 {
			missing = append(missing, fmt.Sprintf("%s %q", item.Kind, item.Path))
		}
	}
	if len(missing) > 0 {
		return notDone("nothing has come to %s of %s", f.Target.Addr, wording.List(missing)), nil
	}
	return done("%s has something of all of it", f.Target.Addr), nil
}

func notCopied(f *syncFacts, r *resourceFacts) error {
	return fmt.Errorf("resource %q (%s) on %s is not what %s has: %s", r.Name, r.ID, f.Target.Addr, f.Source.Addr, r.Diff.Difference)
}

// notComparable is the error of a copy of which the servers do not give all that is declared to be compared.
func notComparable(sync *schema.Resource, r *resourceFacts) error {
	return fmt.Errorf("resource %q (%s) cannot be verified: %s; to accept it without comparing that, leave it out of verify { compare } of %s, and plan again",
		r.Name, r.ID, r.Diff.Unknown, sync.Addr)
}

// verifyArrived compares every resource on both servers, revision by revision. With the argument exact nothing may be missing at
// all; otherwise what was there at as_of, as far as the trigger brings it. keys are the elements that it is about.
func (d *Driver) verifyArrived(ctx context.Context, t *executor.Task, sync *schema.Resource, visit visitor) (executor.Verdict, error) {
	asOf, _ := time.Parse(time.RFC3339, t.Step.Args["as_of"]) // without one nothing is too new
	f, err := d.readCopies(ctx, sync, asOf, visit)
	if err != nil {
		return executor.Verdict{}, err
	}
	exact, keys := t.Step.Args["exact"] == "true", t.Step.Args["keys"]
	var missing []string
	var compared []*revision.Comparison
	revisions, n := 0, 0
	for i := range f.Items {
		item := &f.Items[i]
		if keys != "" && !slices.Contains(strings.Split(keys, ","), item.key()) {
			continue
		}
		if item.Problem != "" {
			return notDone("%s %q: %s", item.Kind, item.Declared, item.Problem), nil
		}
		for j := range item.Resource {
			r := &item.Resource[j]
			if r.Target.There && !r.Target.Removed && r.Diff.State == revision.Differs {
				return executor.Verdict{}, executor.Final(notCopied(f, r))
			}
			lacks := notArrived(sync, r, exact)
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
		return notDone("%s of %s: %s", f.Target.Addr, wording.Plural(n+len(missing), "resource"), strings.Join(wording.FirstTen(missing), "; ")+untagged(sync)), nil
	}
	return done("%s with %s on %s compared with %s, %s", wording.Plural(n, "resource"), wording.Plural(revisions, "revision"),
		f.Target.Addr, f.Source.Addr, revision.Basis(compared)), nil
}

// untagged warns of what is not documented.
func untagged(sync *schema.Resource) string {
	if sync.Text("trigger") != survey.CommitTag {
		return ""
	}
	return " (whether a configuration brings what was tagged before it was made is not documented: if it waits for the next tagged commit, say so with `syncctl resolve`)"
}

// notArrived says what a resource lacks, "" if it lacks nothing that is due.
func notArrived(sync *schema.Resource, r *resourceFacts, exact bool) string {
	switch {
	case r.Coming && !exact && waitsForTag(sync.Ref("upstream")):
		return ""
	case r.Coming:
		return "not on the source yet"
	case !r.Readable:
		return "the source's user may not read it"
	case r.Target.Removed:
		return "marked as deleted on the target"
	case !r.Target.There:
		if !exact && sync.Text("trigger") == survey.CommitTag && r.Tagged == 0 {
			return ""
		}
		return fmt.Sprintf("not there (%s, the newest is %d)", wording.Plural(r.Source.Revisions, "revision"), r.Source.Latest)
	case exact && !r.Diff.IsEqual(), !r.Diff.IsReached():
		return r.Diff.Why()
	}
	return ""
}

// waitsForTag: one of the hops brings something only once it is tagged.
func waitsForTag(up *schema.Resource) bool {
	for ; up != nil; up = up.Ref("upstream") {
		if up.Text("trigger") == survey.CommitTag {
			return true
		}
	}
	return false
}

// verifyRemoved: that a configuration is gone no interface shows; that its copies are still there, it does.
func (d *Driver) verifyRemoved(ctx context.Context, t *executor.Task, sync *schema.Resource) (executor.Verdict, error) {
	f, err := d.readCopies(ctx, sync, time.Time{}, nil)
	if err != nil {
		return executor.Verdict{}, err
	}
	held := 0
	var gone []string
	for _, r := range f.resources() {
		switch {
		case r.Target.There && !r.Target.Removed:
			held++
		default:
			gone = append(gone, r.Name)
		}
	}
	if want := atLeast(t.Step.Args["held"]); held < want {
		return notDone("of %s on %s only %d are left, without %s: was DELETE ALL chosen?", wording.Plural(want, "resource"), f.Target.Addr, held, wording.QuotedList(gone)), nil
	}
	return unknown("%s on %s as before; whether there is a configuration no interface shows", wording.Plural(held, "resource"), f.Target.Addr), nil
}
