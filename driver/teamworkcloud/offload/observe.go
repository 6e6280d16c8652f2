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

// facts are the input for the plan of an offload.
type facts struct {
	SyncGone bool // the synchronization is no longer declared
	Sync     survey.Facts
	Pair     *share.Pair      // state of encryption at its ends; nil if it is not encrypted
	Copies   []copyFacts      // resources on the target that are no longer on the source, sorted by name and ID
	Lines    []lineFacts      // branches on the source, if a person has to compare them, sorted by resource ID and name
	Readers  []survey.Overlap // other declarations that bring selected resources from the source to other servers
	Used     *survey.Used     // which models use what is removed; nil if that was not observed
	Locks    []lockFacts      // locks on selected resources of the source
	SourceIn machine.LoggedIn // SourceIn, like TargetIn, is set only if the services of that end may be stopped
	TargetIn machine.LoggedIn
	Servers  []string // addresses of all servers that were observed
}

// copyFacts describes a resource on the target that was brought there and is no longer on the source.
type copyFacts struct {
	ID       string
	Name     string
	Item     int    // index in survey.Facts.Items of the item that selected it
	Alone    bool   // it is not on the source; false: it is on the source, and is or will be on the target
	LatestBy string // author of the newest revision; like LatestAt, "" if unknown
	LatestAt string
	Brought  string // address of the other declaration that brings it to the target
}

// lineFacts describes a branch of a resource on the source.
type lineFacts struct {
	Resource  string // ID of the resource
	ID        string
	Name      string
	Revisions int // number of revisions made on it
	Latest    int
}

// lockFacts says what one user has locked in one resource.
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

// lookAt observes everything that the plan is made from, except uses. It returns nil while observations are missing.
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
	if sync.OverSites() { // other companies must not learn who works on a server
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

// lookAtPeople observes who works on servers whose services are stopped.
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

// Needs asks for all observations that the plan is made from.
func (w *Offloading) Needs(v *survey.View) { w.lookForPlan(v) }

// lookForPlan is lookAt, and also observes which models use what is removed. That reads every resource of the source.
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

// observe reads both servers completely, because anything on them may collide with what is moved.
func (w *Offloading) observe(ctx context.Context) (f *facts, err error) {
	err = survey.Gather(ctx, w.Observe.In(survey.Whole), func(v *survey.View) { f = w.lookAt(v) })
	return f, err
}

// lines records the branches of a resource on the source.
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

// offloadedCopies finds on the target what was selected and is no longer on the source. For a resource, it looks for
// the declared ID or name. For a category, it returns everything in the target category that is neither on the source
// nor brought by another declaration.
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
		if !sync.OverSites() { // other companies could learn about resources that do not concern them
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

// lookLocks lists what is locked in resources on the source. For each resource, it is sorted by user and branch.
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

// looked is the current state of the selected resources, on both servers or only on the source.
type looked struct {
	facts     *survey.Facts
	onSource  bool              // only the source was read
	target    *survey.Inventory // nil: all selected items were found on the source
	histories map[string]pair
}

type pair struct {
	source, target *revision.History
	project        string // PROJECT_ID on the target, "" if the target does not show it
}

// look reads the selected resources and their histories on both servers. onSource means that the caller is a step of
// the source. If a server is in a site, only the source is read then, since the other server may be another company's.
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
			v.Doubt(sync.TargetServer()) // something else may have its name or its place now
			l.target = v.Inventory(sync.TargetServer())
		}
	})
	return l, err
}
