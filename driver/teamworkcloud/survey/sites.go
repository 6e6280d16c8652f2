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

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// If a server of a synchronization is in a site, observations for it may be sent to other companies. They then contain
// the least that a plan needs. Of the source, that is what is declared, with digests of its history. Of the target, it
// is the content of the target category, and what the product would take for the same project. And each step contacts
// only one server.

// What is observed of a server in a site.
const (
	AboutSelection = "selection" // Inventory of what a declaration selects (wanted, as JSON)
	AboutCopies    = "copies"    // Inventory of what exists of a selection (sought, as JSON)
	AboutPrints    = "prints"    // History with digests (revision.History.Prints), by resource ID
)

// OverSites reports whether one of the servers is in a site.
func (s *Sync) OverSites() bool {
	return s.Source != nil && s.Source.Site != "" || s.Target != nil && s.Target.Site != ""
}

// wanted is what a declaration wants from a source.
type wanted struct {
	Categories []string `json:"categories,omitempty"`
	Resources  []string `json:"resources,omitempty"`
	Into       string   `json:"into,omitempty"` // category where upstream puts its copies
}

// sought is what is asked of a target: its category, and whether it has any of the selected resources. The target gets
// only digests of these (soughtLength characters). They tell it something only about resources with the same ID,
// project ID or name.
type sought struct {
	Category  string `json:"category"`
	Resources string `json:"resources,omitempty"`
}

// soughtLength is the length of one digest. Each resource has three.
const soughtLength = 8

// soughtNothing replaces the digest of an unknown text. It matches nothing.
var soughtNothing = strings.Repeat("0", soughtLength)

func soughtPrint(kind, text string) string {
	if text == "" {
		return soughtNothing
	}
	sum := sha256.Sum256([]byte(kind + "\n" + text))
	return hex.EncodeToString(sum[:])[:soughtLength]
}

// soughtOf returns the digests of a resource's ID, project ID and name.
func soughtOf(r *osmc.Resource) [3]string {
	return [3]string{soughtPrint("id", connect.Folded(r.ID)), soughtPrint("project", r.ProjectID),
		soughtPrint("name", schema.NameForm(r.Name))}
}

func words(of any) string {
	b, err := json.Marshal(of)
	if err != nil {
		return ""
	}
	return string(b)
}

// SourceInventory returns what the source has, as far as a declaration needs it. It returns nil while that has not
// been observed.
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

// TargetInventory returns what the target has, as far as a declaration needs it. It returns nil while that has not
// been observed.
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

// observeOfSite makes the observations that exist only for servers in sites.
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

// wanted reduces an inventory to what other sites need to find the declared resources: the categories that are meant
// with their content, and the resources that are meant. Everything else is reduced to its ID, which shows that it
// exists.
func (inv *Inventory) wanted(of wanted) *Inventory {
	named := map[string]bool{} // IDs of categories
	around := map[string]bool{}
	for _, text := range of.Categories {
		meant := inv.meantCategories(text)
		for _, c := range meant {
			around[c.ID] = true
			if len(meant) == 1 { // if several are meant, the problem is reported instead
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

// meantResources returns the resources that a text in a declaration selects: those that are found first, in the order
// of resolver.resource, and are not marked as deleted. If there are none, it returns all that the text may mean.
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

// sought reduces an inventory to what other sites need to find copies, and what the product would take for the same
// project: the category with the IDs of its resources, and each resource that has one of the digests.
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

// named returns categories and their ancestors. Those in full also have their resources.
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

// Originals reads the selected resources and their histories on the source, and no other server. visit may be nil. It
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

// Originals makes all observations of a synchronization's source, to be used with those of the target.
func Originals(ctx context.Context, o Observer, s *Sync) (*planner.Observations, *Facts, error) {
	var f *Facts
	seen, err := gather(ctx, o, func(v *View) { f = v.Originals(s, nil) })
	return seen, f, err
}

// Observer makes the observations of a verification.
type Observer struct {
	Ask func(ctx context.Context, n planner.Need) (body any, err error)

	// Known returns observations that were made elsewhere, of servers that are not asked. It may be nil.
	Known func() (*planner.Observations, error)
	// Alone leaves out what upstream will bring. Its steps come earlier, and its servers may be out of reach.
	Alone bool

	Scope Scope
}

// In returns the observer with another scope.
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

// never is the time of observations that only the run's own file holds: its journal entry has the time.
var never time.Time
