package survey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Where a server of a synchronization is in a site, what is observed for it may go to other companies. It is then the
// least that a plan needs: of the source what is declared, with digests of its history; of the target what is in the
// target category, and what the product would take for the same. And each step contacts one server alone.

// What is observed of a server in a site.
const (
	AboutSelection = "selection" // Inventory, of what a declaration selects (wanted, as JSON)
	AboutCopies    = "copies"    // Inventory, of what there is of a selection (sought, as JSON)
	AboutPrints    = "prints"    // History with digests (revision.History.Prints), of a resource's id
)

// OverSites tells whether one of the servers is in a site.
func (s *Sync) OverSites() bool {
	return s.Source != nil && s.Source.Site != "" || s.Target != nil && s.Target.Site != ""
}

// wanted is what is declared of a source.
type wanted struct {
	Categories []string `json:"categories,omitempty"`
	Resources  []string `json:"resources,omitempty"`
	Into       string   `json:"into,omitempty"` // where the hop before puts its copies
}

// sought is what is asked of a target: its category, and whether it has anything of the selected resources. Of each of
// these it learns digests (soughtLength characters): who has the same id, project id or name can tell, and nobody else.
type sought struct {
	Category  string `json:"category"`
	Resources string `json:"resources,omitempty"`
}

// soughtLength is the length of one digest, of which there are three for each resource.
const soughtLength = 8

// soughtNothing is in place of the digest of what is unknown. It is the same as nothing.
var soughtNothing = strings.Repeat("0", soughtLength)

func soughtPrint(kind, text string) string {
	if text == "" {
		return soughtNothing
	}
	sum := sha256.Sum256([]byte(kind + "\n" + text))
	return hex.EncodeToString(sum[:])[:soughtLength]
}

// soughtOf are the digests of a resource: of its id, its project id and its name.
func soughtOf(r *osmc.Resource) [3]string {
	return [3]string{soughtPrint("id", folded(r.ID)), soughtPrint("project", r.ProjectID),
		soughtPrint("name", schema.NameForm(r.Name))}
}

func words(of any) string {
	b, err := json.Marshal(of)
	if err != nil {
		return ""
	}
	return string(b)
}

// SourceInventory is what the source has, as far as a declaration needs it: nil while it has not been observed.
func (v *View) SourceInventory(s *Sync) *Inventory {
	if !s.OverSites() {
		return v.sourceOf(s)
	}
	of := wanted{Categories: s.Categories, Resources: s.Resources}
	if up := s.UpstreamSync(); up != nil {
		of.Into = up.TargetCategory
	}
	return Look[Inventory](v, s.Source, AboutSelection, words(of))
}

// TargetInventory is what the target has, as far as a declaration needs it: nil while it has not been observed.
func (v *View) TargetInventory(s *Sync) *Inventory {
	if !s.OverSites() {
		return v.targetOf(s)
	}
	selection := v.Select(s)
	if selection == nil {
		return nil
	}
	digests := map[string]bool{}
	for _, item := range selection.items {
		for _, p := range item.picked {
			d := soughtOf(&p.Resource)
			digests[strings.Join(d[:], "")] = true
		}
	}
	return Look[Inventory](v, s.Target, AboutCopies, words(sought{Category: s.TargetCategory,
		Resources: strings.Join(slices.Sorted(maps.Keys(digests)), "")}))
}

// observeOfSite makes the observations that only servers in sites have.
func observeOfSite(ctx context.Context, c osmc.Reader, n planner.Need) (any, error) {
	if n.What == AboutPrints {
		h, err := revision.Read(ctx, c, n.Of)
		if osmc.NotAllowed(err) {
			return &History{Refused: true}, nil
		}
		if err != nil {
			return nil, err
		}
		return &History{History: h.Prints()}, nil
	}
	inv, err := readInventory(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	if n.What == AboutSelection {
		var of wanted
		if err := json.Unmarshal([]byte(n.Of), &of); err != nil {
			return nil, fmt.Errorf("reading what is selected: %w", err)
		}
		return inv.wanted(of), nil
	}
	var of sought
	if err := json.Unmarshal([]byte(n.Of), &of); err != nil {
		return nil, fmt.Errorf("reading what is sought: %w", err)
	}
	return inv.sought(of), nil
}

// wanted is what others need to know of an inventory to find what is declared: the categories that are meant, with what
// is in them, and the resources that are meant. Of everything else it has ids, which tell whether something is there.
func (inv *Inventory) wanted(of wanted) *Inventory {
	named := map[string]bool{} // ids of categories
	around := map[string]bool{}
	for _, text := range of.Categories {
		meant := inv.meantCategories(text)
		for _, c := range meant {
			around[c.ID] = true
			if len(meant) == 1 { // of several it is said that it is not clear which
				named[c.ID] = true
			}
		}
	}
	full := maps.Clone(named)
	if c := inv.Category(of.Into); c != nil && of.Into != "" {
		around[c.ID], full[c.ID] = true, true
	}
	listed := map[string]bool{}
	for _, text := range of.Resources {
		for _, r := range inv.meantResources(text) {
			listed[r.ID] = true
		}
	}
	out := &Inventory{Resources: []osmc.Resource{}}
	for i := range inv.Resources {
		r := inv.Resources[i]
		switch {
		case listed[r.ID]:
			around[r.Category] = true
		case named[r.Category] && !r.Removed:
		case named[r.Category]:
			r = osmc.Resource{ID: r.ID, Name: r.ID, Category: r.Category, Removed: true}
		default:
			r = osmc.Resource{ID: r.ID, Name: r.ID, Removed: r.Removed}
		}
		out.Resources = append(out.Resources, r)
	}
	out.Categories = inv.named(around, full)
	return out
}

// meantResources are those that are selected by a text: by the first way that finds any which is not marked as deleted
// (resolver.resource), else all that it may mean.
func (inv *Inventory) meantResources(text string) []*osmc.Resource {
	var all []*osmc.Resource
	for _, found := range [][]*osmc.Resource{inv.withID(text), inv.withFullName(text), inv.withName(text)} {
		there := slices.DeleteFunc(slices.Clone(found), func(r *osmc.Resource) bool { return r.Removed })
		if len(there) > 0 {
			return there
		}
		all = append(all, found...)
	}
	return all
}

// sought is what others need to know of an inventory to find copies, and what the product would take for the same: the
// category with the ids of what is in it, and each resource that has one of the digests.
func (inv *Inventory) sought(of sought) *Inventory {
	digests := map[string]bool{}
	for at := 0; at+soughtLength <= len(of.Resources); at += soughtLength {
		if digest := of.Resources[at : at+soughtLength]; digest != soughtNothing {
			digests[soughtKey(at/soughtLength%3, digest)] = true
		}
	}
	around := map[string]bool{}
	category := ""
	for path := of.Category; path != ""; path = parentOf(path) {
		if c := inv.Category(path); c != nil {
			around[c.ID] = true
			if path == of.Category {
				category = c.ID
			}
		}
	}
	out := &Inventory{Resources: []osmc.Resource{}}
	for i := range inv.Resources {
		r := inv.Resources[i]
		same := false
		for kind, d := range soughtOf(&r) {
			same = same || digests[soughtKey(kind, d)]
		}
		switch {
		case same:
			around[r.Category] = true
		case category != "" && r.Category == category:
			r = osmc.Resource{ID: r.ID, Name: r.ID, Category: r.Category, Removed: r.Removed}
		default:
			continue
		}
		out.Resources = append(out.Resources, r)
	}
	out.Categories = inv.named(around, map[string]bool{category: true})
	return out
}

func soughtKey(kind int, digest string) string { return fmt.Sprint(kind) + digest }

// named are categories and those that they are in; of those that are full also what is in them.
func (inv *Inventory) named(ids, full map[string]bool) []osmc.Category {
	byID := map[string]*osmc.Category{}
	for i := range inv.Categories {
		byID[inv.Categories[i].ID] = &inv.Categories[i]
	}
	keep := map[string]bool{}
	for id := range ids {
		for c := byID[id]; c != nil && !keep[c.ID]; c = byID[c.Parent] {
			keep[c.ID] = true
		}
	}
	out := []osmc.Category{}
	for i := range inv.Categories {
		c := inv.Categories[i]
		if !keep[c.ID] {
			continue
		}
		if !full[c.ID] {
			c.Resources = nil
		}
		out = append(out, c)
	}
	return out
}

// Originals looks at what is selected and its history on the source, and at no other server. visit may be nil. It
// returns nil while observations are missing.
func (v *View) Originals(s *Sync, visit Visitor) *Facts {
	selection, source := v.Select(s), v.Server(s.SourceServer())
	if selection == nil || source == nil {
		return nil
	}
	l := &copiesView{View: v, declared: s, selection: selection, facts: &Facts{Source: *source}}
	if !l.readable() {
		return nil
	}
	byID := map[string]*Resource{}
	for _, r := range l.facts.Resources() {
		byID[r.ID] = r
		original := l.original(r)
		if visit != nil && !l.Lacks() {
			visit(r, original, nil)
		}
	}
	for i := range l.facts.Items {
		for j, r := range l.facts.Items[i].Resources {
			l.facts.Items[i].Resources[j] = *byID[r.ID]
		}
	}
	return l.result()
}

// Originals makes all observations of a synchronization's source, for those who look at the target.
func Originals(ctx context.Context, o Observer, s *Sync) (*planner.Observations, *Facts, error) {
	var f *Facts
	seen, err := gather(ctx, o, func(v *View) { f = v.Originals(s, nil) })
	return seen, f, err
}

// Observer makes the observations of a verification.
type Observer struct {
	Ask func(ctx context.Context, n planner.Need) (body any, err error)

	// Known are observations that were made elsewhere, of servers that are not asked. nil: none.
	Known func() (*planner.Observations, error)
	// Alone: what upstream will bring is not looked at. Its steps come before, and its servers may be out of reach.
	Alone bool

	Scope Scope
}

// In is the same observer for a look of a scope.
func (o Observer) In(s Scope) Observer {
	o.Scope = s
	return o
}

func (o Observer) begin() (*planner.Observations, error) {
	seen := planner.NewObservations()
	if o.Known == nil {
		return seen, nil
	}
	known, err := o.Known()
	if err != nil {
		return nil, err
	}
	seen.Take(known)
	return seen, nil
}

// never is when an observation was made that only the run's own file holds: its entry says when.
var never time.Time
