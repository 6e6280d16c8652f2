package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"regexp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// syncRoles are the names of the role that a user needs on the target category: the page on roles has the first, the page on
// remote resource configurations the second (MCS 247047172, 247047420).
var syncRoles = []string{"Resource Synchronization Manager", "Remote Synchronization Manager"}

// Permissions by which a user may give the role: the first everywhere, by its id (DEVG 303989540); the second on what a Resource
// Manager manages, of which no page has the id.
const (
	manageUserPermissions = "8d7423b8-4e8c-4d32-8d3c-783504bef044"
	manageOwnedRights     = "Manage Owned Resource Access Right"
)

var idForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func isID(text string) bool { return idForm.MatchString(text) }

// role reads whether the target's user may have resources synchronized into the target category.
func (x *syncReader) role(ctx context.Context) error {
	f, err := readRole(ctx, x.target, x.facts.Category)
	if err != nil {
		return planner.About(x.target.server, fmt.Errorf("reading the rights of %s on %s: %w", f.User, x.facts.Target.Addr, err))
	}
	x.facts.Role = f
	return nil
}

func readRole(ctx context.Context, inv *inventory, category categoryFacts) (roleFacts, error) {
	f := roleFacts{User: inv.facts.User, Name: syncRoles[0], MayGrant: true}
	roles, err := inv.client.Roles(ctx)
	if osmc.NotAllowed(err) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	at := slices.IndexFunc(roles, func(r osmc.Role) bool { return slices.Contains(syncRoles, r.Name) })
	if at < 0 {
		return f, nil
	}
	f.RoleID, f.Name = roles[at].ID, roles[at].Name
	user, err := inv.client.CurrentUser(ctx)
	if err != nil && !osmc.NotAllowed(err) {
		return f, err
	}
	if err == nil {
		f.MayGrant = mayGrant(user, roles)
		if user.Name == f.User {
			f.Known, f.Held = true, holds(user, f.RoleID, inv.ancestors(category.Path))
			return f, nil
		}
	}
	if category.ID == "" { // nobody has a role on what is not there
		f.Known = true
		return f, nil
	}
	users, err := inv.client.CategoryRoleUsers(ctx, category.ID, f.RoleID)
	if osmc.NotAllowed(err) || osmc.IsGone(err) {
		return f, nil
	}
	f.Known, f.Held = err == nil, slices.Contains(users, f.User)
	return f, err
}

// holds: everywhere, on the category, or on one that it is in. ASSUMED: a role on a category holds in those within it; the
// documents say only that it must cover every target category.
func holds(u *osmc.User, role string, categories []string) bool {
	return slices.ContainsFunc(u.RoleAssignments, func(a osmc.RoleAssignment) bool {
		objects, known := a.Objects.Get()
		return a.RoleID == role && known && (len(objects) == 0 || slices.ContainsFunc(objects, func(o osmc.ProtectedObject) bool {
			return slices.Contains(categories, o.ID)
		}))
	})
}

// mayGrant is false only where the server says so. Permissions may be ids alone; the roles have their names.
func mayGrant(u *osmc.User, roles []osmc.Role) bool {
	words := map[string]string{}
	for _, r := range roles {
		for _, p := range r.Permissions {
			words[p.ID] = p.DisplayName
		}
	}
	return !u.PermissionsKnown || slices.ContainsFunc(u.Permissions, func(p osmc.Permission) bool {
		return p.ID == manageUserPermissions || cmp.Or(p.DisplayName, words[p.ID]) == manageOwnedRights
	})
}

// held lists what else is in the target category, which of it was synchronized once, and what everything is called.
func (x *syncReader) held() {
	chosen := map[string]bool{}
	for _, r := range x.facts.resources() {
		chosen[r.ID] = true
	}
	categories := map[string]bool{}
	for i := range x.facts.Items {
		if x.facts.Items[i].Kind == kindCategory {
			categories[x.facts.Items[i].ID] = true
		}
	}
	src := x.selection.source
	if x.facts.Category.ID != "" {
		for _, t := range x.target.members(x.facts.Category.ID) {
			if chosen[t.ID] {
				continue
			}
			x.facts.Held = append(x.facts.Held, heldFacts{ID: t.ID, ProjectID: t.ProjectID, Name: t.Name, Path: x.facts.Category.Path, Removed: t.Removed})
			o := src.byID[t.ID]
			if len(categories) == 0 || o == nil || o.Removed || t.Removed || categories[o.Category] || x.elsewhere[t.ID] {
				continue
			}
			x.facts.Left = append(x.facts.Left, heldFacts{ID: t.ID, ProjectID: t.ProjectID, Name: t.Name, Path: src.paths[o.Category]})
		}
	}
	x.facts.Known = map[string]knownFacts{}
	for i := range src.resources {
		r := &src.resources[i]
		x.facts.Known[configurationKey(kindResource, r.ID, "")] = knownFacts{Kind: kindResource, ID: r.ID, Path: src.path(r)}
	}
	for i := range src.categories {
		path := src.paths[src.categories[i].ID]
		x.facts.Known[configurationKey(kindCategory, "", path)] = knownFacts{Kind: kindCategory, ID: src.categories[i].ID, Path: path}
	}
}

// overlaps looks at the other declarations that bring the same resources to the same server, back to where they come from, or
// to the source.
func (x *syncReader) overlaps(ctx context.Context) error {
	x.elsewhere = map[string]bool{}
	if x.declared.Text("state") == survey.Removed {
		return nil
	}
	mine := map[string]string{}
	for _, r := range x.facts.resources() {
		mine[r.ID] = r.Name
	}
	before := map[*schema.Resource]bool{}
	for up := x.declared.Ref("upstream"); up != nil; up = up.Ref("upstream") {
		before[up] = true
	}
	for _, p := range activePeers(x.declared) {
		toMine := sameServer(p.Ref("target"), x.declared.Ref("target"))
		if !toMine && (before[p] || !sameServer(p.Ref("target"), x.declared.Ref("source"))) {
			continue
		}
		theirs, err := x.selectedIDs(ctx, p)
		if err != nil {
			return err
		}
		o := overlapFacts{Chain: []string{p.Addr.String()}, Resources: common(mine, theirs)}
		for id := range theirs {
			x.elsewhere[id] = x.elsewhere[id] || toMine
		}
		switch {
		case len(o.Resources) == 0:
		case toMine:
			x.facts.Twice = append(x.facts.Twice, o)
		default:
			x.facts.Feeds = append(x.facts.Feeds, o)
		}
	}
	return x.loop(ctx, []*schema.Resource{x.declared}, mine)
}

// loop follows what is selected over the hops of other declarations, and notes those that bring it back.
func (x *syncReader) loop(ctx context.Context, chain []*schema.Resource, carried map[string]string) error {
	at := chain[len(chain)-1].Ref("target")
	for _, p := range activePeers(x.declared) {
		if slices.Contains(chain, p) || !sameServer(p.Ref("source"), at) || !leadsBack(p, x.declared, chain) {
			continue
		}
		theirs, err := x.selectedIDs(ctx, p)
		if err != nil {
			return err
		}
		on := map[string]string{}
		for id, name := range carried {
			if _, ok := theirs[id]; ok {
				on[id] = name
			}
		}
		if len(on) == 0 {
			continue
		}
		longer := append(slices.Clone(chain), p)
		if sameServer(p.Ref("target"), x.declared.Ref("source")) {
			o := overlapFacts{Resources: common(carried, on)}
			for _, c := range longer {
				o.Chain = append(o.Chain, c.Addr.String())
			}
			x.facts.Loops = append(x.facts.Loops, o)
			continue
		}
		if err := x.loop(ctx, longer, on); err != nil {
			return err
		}
	}
	return nil
}

// leadsBack tells whether hops lead from a declaration's target to where another begins: only then its selection is looked at.
func leadsBack(p, start *schema.Resource, chain []*schema.Resource) bool {
	if sameServer(p.Ref("target"), start.Ref("source")) {
		return true
	}
	longer := append(slices.Clone(chain), p)
	return slices.ContainsFunc(activePeers(start), func(next *schema.Resource) bool {
		return !slices.Contains(longer, next) && sameServer(next.Ref("source"), p.Ref("target")) && leadsBack(next, start, longer)
	})
}

func (x *syncReader) selectedIDs(ctx context.Context, sync *schema.Resource) (map[string]string, error) {
	sel, err := x.resolve(ctx, sync)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, item := range sel.items {
		for _, p := range item.picked {
			out[p.ID] = p.Name
		}
	}
	return out, nil
}

// common are the names of what two selections have in common, sorted.
func common(a, b map[string]string) []string {
	var out []string
	for id, name := range a {
		if _, ok := b[id]; ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// activePeers are the other syncs that are to be there, by address.
func activePeers(sync *schema.Resource) []*schema.Resource {
	var out []*schema.Resource
	for _, p := range sync.Peers {
		if p.Text("state") != survey.Removed && p.Ref("source") != nil && p.Ref("target") != nil {
			out = append(out, p)
		}
	}
	return out
}

// sameServer: one declaration, or two of the same address.
func sameServer(a, b *schema.Resource) bool {
	if a == nil || b == nil {
		return false
	}
	x, y := a.Get("url"), b.Get("url")
	return a.Addr == b.Addr || known(x) && known(y) && strings.EqualFold(strings.TrimRight(x.AsString(), "/"), strings.TrimRight(y.AsString(), "/"))
}
