package survey

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema"
)

var idForm = lazyregexp.New(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsID reports whether text has the form of a resource or category ID.
func IsID(text string) bool { return idForm.MatchString(text) }

// Visitor is called with a resource and its histories on the source and the target. A history is nil if the resource
// does not exist there or may not be read.
type Visitor func(r *Resource, source, target *revision.History)

// Copies reads the selected resources and compares their histories on both servers as of a certain time (see
// revision.Options.AsOf). It reads nothing around them. visit may be nil. Copies returns nil while observations are
// missing.
func (v *View) Copies(s *Sync, asOf time.Time, visit Visitor) *Facts {
	l := v.lookAt(s)
	if l == nil {
		return nil
	}
	l.asOf, l.visit = asOf, visit
	l.copies()
	return l.result()
}

// Selected finds the selected resources without reading any history. It returns nil while observations are missing.
func (v *View) Selected(s *Sync) *Facts {
	l := v.lookAt(s)
	if l == nil || !l.readable() {
		return nil
	}
	return l.result()
}

// Facts reads everything that a plan is made from. visit may be nil. It returns nil while observations are missing.
func (v *View) Facts(s *Sync, visit Visitor) *Facts {
	for _, hop := range s.Chain() {
		v.Server(hop.SourceServer())
	}
	if s.OverSites() {
		v.Originals(s, nil) // the source's site can observe this before the target's site has observed anything
	}
	l := v.lookAt(s)
	if l == nil {
		return nil
	}
	l.visit = visit
	l.chain()
	l.copies()
	l.role()
	l.overlaps()
	l.held()
	return l.result()
}

// Server returns what a server reports about itself, or nil while it has not been observed.
func (v *View) Server(s *connect.Server) *Server {
	return Look[Server](v, s.Resource(), AboutServer, "")
}

// History returns the history of a resource, or nil while it has not been observed.
func (v *View) History(s *connect.Server, id string) *History {
	return Look[History](v, s.Resource(), AboutHistory, id)
}

// historyFor returns the history of a resource on a server of a synchronization, or nil while it has not been
// observed. If one of the two servers is in a site, the history contains digests instead of texts.
func (v *View) historyFor(s *Sync, server *schema.Resource, id string) *History {
	what := AboutHistory
	if s.OverSites() {
		what = AboutPrints
	}
	return Look[History](v, server, what, id)
}

// copiesView fills in the facts of a synchronization.
type copiesView struct {
	*View
	declared  *Sync
	selection *Selection
	target    *Inventory
	facts     *Facts
	upstream  *Facts          // nil unless a selected resource is still to come from upstream
	elsewhere map[string]bool // IDs of resources that other declarations bring to the target

	asOf  time.Time
	visit Visitor
}

// lookAt finds the selected resources and the target category. It returns nil while observations are missing.
func (v *View) lookAt(s *Sync) *copiesView {
	selection := v.Select(s)
	source, target, inventory := v.Server(s.SourceServer()), v.Server(s.TargetServer()), v.TargetInventory(s)
	if selection != nil && v.scope != Whole && !s.OverSites() && selection.isOdd() {
		v.doubt(s.SourceServer())
	}
	if selection == nil || source == nil || target == nil || inventory == nil {
		return nil
	}
	l := &copiesView{View: v, declared: s, selection: selection, target: inventory}
	l.facts = &Facts{Source: *source, Target: *target}
	l.category()
	return l
}

func (l *copiesView) result() *Facts {
	if l.Lacks() || l.err != nil {
		return nil
	}
	return l.facts
}

// chain records the servers of the hops before this synchronization.
func (l *copiesView) chain() {
	for _, hop := range l.declared.Chain() {
		if source := l.Server(hop.SourceServer()); source != nil {
			l.facts.Chain = append(l.facts.Chain, Hop{Addr: hop.Address(), Source: *source})
		}
	}
	if l.selection.isComing() {
		l.upstream = l.View.Facts(l.declared.UpstreamSync(), nil)
	}
}

// category finds the target category.
func (l *copiesView) category() {
	text := l.declared.TargetCategory
	f := Category{Declared: text, Path: text}
	switch c := l.target.Category(text); {
	case c != nil:
		f.ID, f.Path = c.ID, l.target.Path(c.ID)
	case IsID(text):
		f.Problem = fmt.Sprintf("%s has no category of the id %s", l.facts.Target.Addr, text)
	}
	f.Path = l.target.spelled(f.Path)
	for path := f.Path; path != ""; path = parentOf(path) {
		if l.target.CategoryAt(path) != nil {
			f.Existing = append(f.Existing, path)
		}
	}
	l.facts.Category = f
}

// copies reads every selected resource on both servers and compares them.
func (l *copiesView) copies() {
	if !l.readable() {
		return
	}
	all := l.facts.Resources()
	latest := ""
	if l.upstream != nil {
		latest = l.upstream.AsOf
	}
	byID := map[string]*Resource{}
	within := resourcesBy(all)
	for _, r := range all {
		l.resource(r)
		r.Taken = l.collisions(r, within)
		latest = max(latest, r.Source.LatestAt) // RFC 3339 in UTC sorts by time
		byID[r.ID] = r
	}
	l.facts.AsOf = latest
	for i := range l.facts.Items { // a resource that is selected twice is read once
		for j, r := range l.facts.Items[i].Resources {
			l.facts.Items[i].Resources[j] = *byID[r.ID]
		}
	}
}

// readable adds the selected items to the facts, and which of their resources the source's user may read (permission
// Read Resources, MCS 247047420). It returns false while that has not been observed.
func (l *copiesView) readable() bool {
	source := l.declared.Source
	may := map[string]*Readable{}
	complete := true
	for _, item := range l.selection.items {
		for _, p := range item.picked {
			if _, asked := may[p.Category]; l.scope == Near && !l.declared.OverSites() || p.coming || p.Category == "" || asked {
				continue // its history shows it
			}
			may[p.Category] = Look[Readable](l.View, source, AboutReadable, p.Category)
			complete = complete && may[p.Category] != nil
		}
	}
	if !complete {
		return false
	}
	for _, item := range l.selection.items {
		f := item.Item
		f.Resources = []Resource{}
		for _, p := range item.picked {
			readable := may[p.Category]
			f.Resources = append(f.Resources, Resource{
				ID: p.ID, ProjectID: p.ProjectID, Name: p.Name, Path: p.path, Coming: p.coming,
				Readable: p.coming || readable == nil || !readable.Known || slices.Contains(readable.IDs, p.ID),
			})
		}
		l.facts.Items = append(l.facts.Items, f)
	}
	return true
}

// original returns the history of a resource on the source, or nil if there is none yet or the user may not read it.
func (l *copiesView) original(r *Resource) *revision.History {
	if r.Coming || !r.Readable {
		return nil
	}
	h := l.historyFor(l.declared, l.declared.Source, r.ID)
	if h == nil {
		return nil
	}
	r.Readable = !h.Refused
	if h.History == nil {
		return nil
	}
	r.Source = h.History.Summary()
	if tag := l.declared.Tag; tag != "" {
		if l.declared.OverSites() {
			tag = revision.PrintOfTag(tag)
		}
		r.Tagged = h.History.Tagged(tag)
	}
	return h.History
}

// resource compares one resource on both servers.
func (l *copiesView) resource(r *Resource) {
	original := l.original(r)
	if l.upstream != nil && r.Coming {
		r.Waits = l.waits(r.ID)
	}
	copied := l.copied(r)
	if l.Lacks() {
		return // compare only when everything has been observed
	}
	if original != nil && copied != nil {
		r.Diff = revision.Compare(original, copied, l.options(r.Tagged))
	}
	if l.visit != nil {
		l.visit(r, original, copied)
	}
}

// copied returns the history of the resource with the same ID on the target. It returns nil if there is none or the
// resource is marked as deleted.
func (l *copiesView) copied(r *Resource) *revision.History {
	t := l.target.Resource(r.ID)
	if t == nil {
		return nil
	}
	r.Target = Copy{Exists: true, Removed: t.Removed, Name: t.Name, Category: t.Category, Path: l.target.Path(t.Category),
		ProjectID: t.ProjectID}
	if t.Removed {
		return nil
	}
	h := l.CopyHistory(l.declared, r.ID, r.Name)
	if h != nil {
		r.Target.History = h.Summary()
	}
	return h
}

// CopyHistory returns the history of a copy, or nil while it has not been observed. It fails the view if the target's
// user may not read the copy, which then cannot be compared.
func (v *View) CopyHistory(s *Sync, id, name string) *revision.History {
	h := v.historyFor(s, s.Target, id)
	if h != nil && h.Refused {
		v.Fail(fmt.Errorf("comparing %s (%s): the user of %s may not read it", name, id, s.Target.Addr))
	}
	if h == nil {
		return nil
	}
	return h.History
}

// waits describes what has to happen before upstream brings a resource. It returns "" if nothing has to.
func (l *copiesView) waits(id string) string {
	up := l.declared.UpstreamSync()
	for _, r := range l.upstream.Resources() {
		switch {
		case r.ID != id:
		case r.Waits != "":
			return r.Waits
		case up.Trigger == CommitTag && !r.Coming && r.Tagged == 0:
			return fmt.Sprintf("%s brings it with the first commit that is tagged %q", up.Address(), up.Tag)
		}
	}
	return ""
}

// options returns how the histories of a resource are compared. tagged is its newest revision with the
// synchronization's tag.
func (l *copiesView) options(tagged int) revision.Options {
	o := revision.Options{Parts: comparedParts(l.declared.Parts(), &l.facts.Source, &l.facts.Target), AsOf: l.asOf}
	if l.declared.Trigger == CommitTag {
		o.UpTo = cmp.Or(tagged, -1) // nothing has to be copied before there is a tag
	}
	return o
}

// collisions finds the resources that the product would take for the same project as r. It compares project IDs,
// resource IDs and names (seed), also with resources that are marked as deleted.
func (l *copiesView) collisions(r *Resource, within chosen) []Collision {
	var out []Collision
	told := map[string]bool{}
	for _, other := range slices.Concat(within.byProject[r.ProjectID], within.byName[schema.NameForm(r.Name)]) {
		by := collides(r.ID, r.ProjectID, r.Name, other.ID, other.ProjectID, other.Name)
		if by != "" && !told[other.ID] {
			told[other.ID] = true
			out = append(out, Collision{By: by, ID: other.ID, Name: other.Name, Within: true})
		}
	}
	seen := map[string]bool{}
	for _, t := range slices.Concat(l.target.withProject(r.ProjectID), l.target.withName(r.Name)) {
		if seen[t.ID] || within.ids[t.ID] && !t.Removed {
			continue // a copy gets its name and project ID from the original
		}
		seen[t.ID] = true
		if by := collides(r.ID, r.ProjectID, r.Name, t.ID, t.ProjectID, t.Name); by != "" {
			out = append(out, Collision{By: by, ID: t.ID, Name: t.Name, Removed: t.Removed})
		}
	}
	slices.SortFunc(out, func(a, b Collision) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.By,
			b.By))
	})
	return out
}

// chosen indexes the selected resources by what identifies a project for the product.
type chosen struct {
	ids               map[string]bool
	byProject, byName map[string][]*Resource
}

func resourcesBy(all []*Resource) chosen {
	c := chosen{map[string]bool{}, map[string][]*Resource{}, map[string][]*Resource{}}
	for _, r := range all {
		c.ids[r.ID] = true
		if r.ProjectID != "" {
			c.byProject[r.ProjectID] = append(c.byProject[r.ProjectID], r)
		}
		if r.Name != "" {
			c.byName[schema.NameForm(r.Name)] = append(c.byName[schema.NameForm(r.Name)], r)
		}
	}
	return c
}

// collides returns what makes two resources with different IDs the same project: "project id" or "name". It returns ""
// if they are different projects.
func collides(id, project, name, otherID, otherProject, otherName string) string {
	switch {
	case id == otherID:
		return ""
	case project != "" && project == otherProject:
		return "project id"
	case name != "" && schema.SameName(name, otherName):
		return "name"
	}
	return ""
}
