package survey

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/schema"
)

var idForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsID tells whether a text has the form of an id.
func IsID(text string) bool { return idForm.MatchString(text) }

// Visitor is shown both histories of a resource, nil for one that does not exist.
type Visitor func(r *Resource, source, target *revision.History)

// Copies looks at what is selected and its histories on both servers, as they are compared at a certain time (see
// revision.Options.AsOf), and at nothing around them. visit may be nil. It returns nil while observations are missing.
func (v *View) Copies(s *Sync, asOf time.Time, visit Visitor) *Facts {
	l := v.lookAt(s)
	if l == nil {
		return nil
	}
	l.asOf, l.visit = asOf, visit
	l.copies()
	return l.result()
}

// Selected looks at what is selected, and at no history. It returns nil while observations are missing.
func (v *View) Selected(s *Sync) *Facts {
	l := v.lookAt(s)
	if l == nil || !l.readable() {
		return nil
	}
	return l.result()
}

// Facts looks at all that a plan is made from. visit may be nil. It returns nil while observations are missing.
func (v *View) Facts(s *Sync, visit Visitor) *Facts {
	for _, hop := range s.Chain() {
		v.Server(hop.SourceServer())
	}
	if s.OverSites() {
		v.Originals(s, nil) // its site can look before the target's has
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

// Server is what a server says of itself, nil while it has not been observed.
func (v *View) Server(s *connect.Server) *Server {
	return Look[Server](v, s.Resource(), AboutServer, "")
}

// History is the history of a resource, nil while it has not been observed.
func (v *View) History(s *connect.Server, id string) *History {
	return Look[History](v, s.Resource(), AboutHistory, id)
}

// historyFor is the history of a resource on a server of a synchronization, nil while it has not been observed. Where
// one of its servers is in a site, it has digests in place of words.
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
	upstream  *Facts          // only where something is still to come
	elsewhere map[string]bool // what other declarations bring to the target

	asOf  time.Time
	visit Visitor
}

// lookAt resolves what is selected and the target category, nil while observations are missing.
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

// chain looks at the servers of the hops before this one.
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

// category finds where the copies are put.
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

// copies looks at every selected resource on both servers, and compares.
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
	for i := range l.facts.Items { // one that is selected twice is looked at once
		for j, r := range l.facts.Items[i].Resources {
			l.facts.Items[i].Resources[j] = *byID[r.ID]
		}
	}
}

// readable looks which of the selected resources the source's user may read (permission Read Resources, MCS
// 247047420). It is false while that has not been observed.
func (l *copiesView) readable() bool {
	source := l.declared.Source
	may := map[string]*Readable{}
	complete := true
	for _, item := range l.selection.items {
		for _, p := range item.picked {
			if _, asked := may[p.Category]; l.scope == Near && !l.declared.OverSites() || p.coming || p.Category == "" || asked {
				continue // reading the history tells as well
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

// original is the history of a resource on the source, nil where there is none yet, or none that may be read.
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

// resource looks at one resource on both servers.
func (l *copiesView) resource(r *Resource) {
	original := l.original(r)
	if l.upstream != nil && r.Coming {
		r.Waits = l.waits(r.ID)
	}
	copied := l.copied(r)
	if l.Lacks() {
		return // comparing is for when all has been observed
	}
	if original != nil && copied != nil {
		r.Diff = revision.Compare(original, copied, l.options(r.Tagged))
	}
	if l.visit != nil {
		l.visit(r, original, copied)
	}
}

// copied is the resource of the same id on the target, nil if there is none or it is marked as deleted.
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

// CopyHistory is the history of a copy. A copy that the target's user may not read cannot be compared, which is an
// error.
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

// waits says what upstream waits for before it brings a resource, "" if it brings it by itself.
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

// options are how histories are compared, for a resource whose newest revision with the synchronization's tag is
// tagged.
func (l *copiesView) options(tagged int) revision.Options {
	o := revision.Options{Parts: comparedParts(l.declared.Parts(), &l.facts.Source, &l.facts.Target), AsOf: l.asOf}
	if l.declared.Trigger == CommitTag {
		o.UpTo = cmp.Or(tagged, -1) // nothing is due before there is a tag
	}
	return o
}

// collisions are what the product takes for the same project: it checks project id, resource id and name (seed),
// also against what is marked as deleted.
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
			continue // a copy of the selection gets its name and project id from there
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

// chosen are the selected resources, found by what the product takes for the same project.
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

// collides says by what two resources with different ids are the same project.
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
