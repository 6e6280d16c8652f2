package offload

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
)

// facts are what an offload's plan is made from.
type facts struct {
	SyncGone bool // the synchronization is not declared any more
	Sync     survey.Facts
	Pair     *share.Pair      // how its ends stand, where it is encrypted
	Copies   []copyFacts      // on the target, of what is no longer on the source; by name and id
	Lines    []lineFacts      // of what is on the source, where a person compares them: by resource and name
	Readers  []survey.Overlap // other declarations that bring what is selected from the source to other servers
	Used     *survey.Used     // who uses what is removed; nil where that was not looked at
	Locks    []lockFacts      // on selected resources of the source
	SourceIn machine.LoggedIn // as is TargetIn, only where the services of that end may be stopped
	TargetIn machine.LoggedIn
	Servers  []string // all that were looked at
}

// copyFacts are a resource of the target that was brought there and is not on the source any more.
type copyFacts struct {
	ID       string
	Name     string
	Item     int    // of survey.Facts.Items: what it was selected by
	Alone    bool   // it is not on the source; false: it is there, and on the target or will be
	LatestBy string // as is LatestAt, "": unknown
	LatestAt string
	Brought  string // the other declaration that brings it to the target
}

// lineFacts are a branch of a resource on the source.
type lineFacts struct {
	Resource  string // id
	ID        string
	Name      string
	Revisions int // those made on it
	Latest    int
}

// lockFacts are what one user has locked in one resource.
type lockFacts struct {
	Resource string // name
	User     string
	Branch   string
	Elements int
}

func (l lockFacts) String() string {
	text := fmt.Sprintf("%s has %s of %s locked", l.User, wording.Plural(l.Elements, "element"), l.Resource)
	if l.Branch != "" {
		text += " (branch " + l.Branch + ")"
	}
	return text
}

// lookAt looks at all that the plan is made from. It returns nil while observations are missing.
func (w *Offloading) lookAt(v *survey.View) *facts {
	decl, sync := w.Declaration, w.sync()
	if sync == nil {
		return &facts{SyncGone: true}
	}
	f := &facts{}
	var visit survey.Visitor
	if sync.SourceServer().Host == nil && decl.RemoveFromSource != nil {
		visit = f.lines
	}
	selected := v.Facts(sync, visit)
	if selected == nil {
		return nil
	}
	f.Sync = *selected
	f.Pair = w.Encryption.Look(v, sync, selected)
	f.Copies = offloadedCopies(v, sync, selected)
	if decl.RemoveFromSource != nil {
		f.Readers = v.Readers(sync, selected)
	}
	if sync.OverSites() { // other companies need not know who works on a server
		f.SourceIn.Unasked, f.TargetIn.Unasked = true, true
	} else {
		w.lookAtPeople(v, f)
	}
	if v.Err() != nil {
		return nil
	}
	for _, n := range v.Needs() {
		f.Servers = append(f.Servers, n.Server)
	}
	slices.Sort(f.Servers)
	f.Servers = slices.Compact(f.Servers)
	return f
}

// lookAtPeople looks at who works on what services are stopped for.
func (w *Offloading) lookAtPeople(v *survey.View, f *facts) {
	sync := w.sync()
	if w.Declaration.Reactivate {
		f.TargetIn = lookLoggedIn(v, sync.TargetServer())
	}
	if w.Declaration.RemoveFromSource != nil {
		f.Locks = lookLocks(v, sync.SourceServer(), f.Sync.Resources())
		f.SourceIn = lookLoggedIn(v, sync.SourceServer())
	}
}

func lookLoggedIn(v *survey.View, server *connect.Server) machine.LoggedIn {
	if in := survey.Look[machine.LoggedIn](v, server.Resource(), survey.AboutUsers, ""); in != nil {
		return *in
	}
	return machine.LoggedIn{}
}

// Needs names what is observed for the plan.
func (w *Offloading) Needs(v *survey.View) { w.lookForPlan(v) }

// lookForPlan looks at who uses what is removed, too, which is read of every resource of the source.
func (w *Offloading) lookForPlan(v *survey.View) *facts {
	f := w.lookAt(v)
	if f == nil || f.SyncGone || w.Declaration.RemoveFromSource == nil || w.sync().OverSites() {
		return f
	}
	var ids []string
	for _, r := range f.Sync.Resources() {
		if !r.Coming {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) > 0 {
		f.Used = v.UsedBy(w.sync().SourceServer(), ids)
	}
	return f
}

// observe reads both servers as a whole: whatever either has may collide with what is moved.
func (w *Offloading) observe(ctx context.Context) (f *facts, err error) {
	err = survey.Gather(ctx, w.Observe.In(survey.Whole), func(v *survey.View) { f = w.lookAt(v) })
	return f, err
}

// lines notes the branches of a resource on the source.
func (f *facts) lines(r *survey.Resource, source, _ *revision.History) {
	if source == nil {
		return
	}
	for _, l := range source.Lines() {
		if l.Deleted {
			continue
		}
		n := lineFacts{Resource: r.ID, ID: l.ID, Name: l.Name, Revisions: len(l.Revisions)}
		if len(l.Revisions) > 0 {
			n.Latest = l.Revisions[len(l.Revisions)-1].Number
		}
		f.Lines = append(f.Lines, n)
	}
	slices.SortStableFunc(f.Lines, func(a, b lineFacts) int { return strings.Compare(a.Resource, b.Resource) })
}

// offloadedCopies finds on the target what was selected and is not on the source any more: what is declared by id or
// name, and for a category everything in the target category that is neither on the source nor brought by another
// declaration.
func offloadedCopies(v *survey.View, sync *survey.Sync, f *survey.Facts) []copyFacts {
	source, target, elsewhere := v.SourceInventory(sync), v.TargetInventory(sync), v.Brought(sync)
	if v.Lacks() {
		return nil
	}
	var out []copyFacts
	seen := map[string]bool{}
	add := func(item int, r *osmc.Resource) {
		if r.Removed || source.Lists(r.ID) || seen[r.ID] {
			return
		}
		seen[r.ID] = true
		c := copyFacts{ID: r.ID, Name: r.Name, Item: item, Alone: true, Brought: elsewhere[r.ID]}
		if !sync.OverSites() { // else other companies would learn of what may be none of theirs
			if h := v.CopyHistory(sync, r.ID, r.Name); h != nil {
				summary := h.Summary()
				c.LatestBy, c.LatestAt = summary.LatestBy, summary.LatestAt
			}
		}
		out = append(out, c)
	}
	for i := range f.Items {
		item := &f.Items[i]
		switch {
		case item.Kind == survey.KindCategory && f.Category.ID != "":
			for _, r := range target.Members(f.Category.ID) {
				if elsewhere[r.ID] == "" {
					add(i, r)
				}
			}
		case item.Kind == survey.KindResource && item.Problem != "":
			if r := target.CopyOf(item.Declared, f.Category.ID); r != nil {
				add(i, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b copyFacts) int {
		return cmp.Or(strings.Compare(a.Name, b.Name),
			strings.Compare(a.ID, b.ID))
	})
	return out
}

// lookLocks lists what is locked in resources that are on the source, by resource, user and branch.
func lookLocks(v *survey.View, server *connect.Server, resources []*survey.Resource) []lockFacts {
	var out []lockFacts
	for _, r := range resources {
		if r.Coming {
			continue
		}
		if l := survey.Look[survey.Locks](v, server.Resource(), survey.AboutLocks, r.ID); l != nil {
			out = append(out, tallyLocks(r.Name, l.Locks)...)
		}
	}
	return out
}

func tallyLocks(resource string, locks []osmc.Lock) []lockFacts {
	var out []lockFacts
	for _, l := range locks {
		branch := cmp.Or(l.BranchName, l.Branch)
		at := slices.IndexFunc(out, func(f lockFacts) bool { return f.User == l.User && f.Branch == branch })
		if at < 0 {
			at = len(out)
			out = append(out, lockFacts{Resource: resource, User: l.User, Branch: branch})
		}
		out[at].Elements++
	}
	slices.SortFunc(out, func(a, b lockFacts) int {
		return cmp.Or(strings.Compare(a.User, b.User), strings.Compare(a.Branch, b.Branch))
	})
	return out
}

// looked is what a fresh look at both servers shows, or at the source alone.
type looked struct {
	facts     *survey.Facts
	onSource  bool              // only the source was looked at
	target    *survey.Inventory // nil: all that is selected was found on the source
	histories map[string]pair
}

type pair struct {
	source, target *revision.History
	project        string // the PROJECT_ID that the target shows, "" where it shows none
}

// look looks at what is selected and its histories, on both servers; onSource: for a step of the source, which looks at
// no other server where that may be another company's.
func (w *Offloading) look(ctx context.Context, onSource bool) (*looked, error) {
	l, sync := &looked{}, w.sync()
	if sync.OverSites() && onSource {
		err := survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
			l.histories = map[string]pair{}
			l.onSource = true
			l.facts = v.Originals(sync, func(r *survey.Resource, source, _ *revision.History) {
				l.histories[r.ID] = pair{source: source}
			})
		})
		return l, err
	}
	err := survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		v.Strictly()
		l.histories = map[string]pair{}
		l.facts = v.Copies(sync, time.Time{}, func(r *survey.Resource, source, target *revision.History) {
			l.histories[r.ID] = pair{source, target, r.Target.ProjectID}
		})
		if l.facts != nil && slices.ContainsFunc(l.facts.Items, func(i survey.Item) bool { return i.Problem != "" }) {
			v.Doubt(sync.TargetServer()) // something else may be called as it was, or be where it was
			l.target = v.Inventory(sync.TargetServer())
		}
	})
	return l, err
}
