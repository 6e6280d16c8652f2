package survey

import (
	"cmp"
	"context"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/schema"
)

// RoleNames are the names of the role that a user needs on the target category. The documentation of roles uses the
// first, that of remote resource configurations the second (MCS 247047172, 247047420).
var RoleNames = []string{"Resource Synchronization Manager", "Remote Synchronization Manager"}

// Permissions that allow a user to grant the role. The first holds everywhere and is known by its ID (DEVG 303989540).
// The second holds for what a Resource Manager manages; its ID is not documented.
const (
	manageUserPermissions = "8d7423b8-4e8c-4d32-8d3c-783504bef044"
	manageOwnedRights     = "Manage Owned Resource Access Right"
)

// Rights is what a server reports about who may have resources synchronized into a category.
type Rights struct {
	User     string // the user that the client works as
	RoleID   string // "" if the role cannot be found
	Name     string // of the role
	MayGrant bool   // false: the server says that the client's user may not grant roles

	Own    *Assignments // where the user has the role; nil: unknown
	Others []string     // the user, if the server lists it as having the role on the category although Own is unknown
}

// Assignments lists where a user has a role.
type Assignments struct {
	Everywhere bool
	Objects    []string // IDs, for example of categories
	Unknown    bool     // there may be more assignments
}

// FindRole returns the role that is needed, or nil if the server does not list it.
func FindRole(roles []osmc.Role) *osmc.Role {
	if at := slices.IndexFunc(roles, func(r osmc.Role) bool { return slices.Contains(RoleNames, r.Name) }); at >= 0 {
		return &roles[at]
	}
	return nil
}

func readRights(ctx context.Context, c osmc.Reader, server *connect.Server, category string) (*Rights, error) {
	out := &Rights{User: server.User.String(), Name: RoleNames[0], MayGrant: true}
	roles, err := c.Roles(ctx)
	if err != nil && !osmc.NotAllowed(err) {
		return nil, err
	}
	role := FindRole(roles)
	user, err := c.CurrentUser(ctx)
	if err != nil && !osmc.NotAllowed(err) {
		return nil, err
	}
	declared := server.User.Reveal()
	own, secret := err == nil && (declared == "" || schema.SameName(declared, user.Name)), out.User != declared
	if own && !secret {
		out.User = user.Name // as the server spells it
	}
	if role == nil {
		return out, nil
	}
	out.RoleID, out.Name = role.ID, role.Name
	if err == nil {
		out.MayGrant = mayGrant(user, roles)
		if own {
			out.Own, err = ownRoles(ctx, c, user, role.ID)
			return out, err
		}
	}
	if out.User != "" && !secret { // a secret must not be part of a URL
		theirs, err := c.User(ctx, out.User)
		switch {
		case osmc.NotAllowed(err) || osmc.IsGone(err):
		case err != nil:
			return nil, err
		case schema.SameName(theirs.Name, out.User):
			out.Own, err = ownRoles(ctx, c, theirs, role.ID)
			return out, err
		}
	}
	if category == "" {
		return out, nil
	}
	out.Others, err = holders(ctx, c, category, role.ID)
	out.Others = slices.DeleteFunc(out.Others, func(name string) bool { return !schema.SameName(name, out.User) })
	return out, err
}

// holders returns the users who visibly have a role on a category, directly or through a group. Others may have it
// too: everywhere, on an ancestor of the category, or through a group that the server does not show.
func holders(ctx context.Context, c osmc.Reader, category, role string) ([]string, error) {
	out, err := shown(c.CategoryRoleUsers(ctx, category, role))
	if err != nil {
		return nil, err
	}
	groups, err := shown(c.CategoryRoleGroups(ctx, category, role))
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		theirs, err := shown(c.GroupUsers(ctx, group))
		if err != nil {
			return nil, err
		}
		out = append(out, theirs...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// shown returns nil if the server does not show the list.
func shown(list []string, err error) ([]string, error) {
	if osmc.NotAllowed(err) || osmc.IsGone(err) {
		return nil, nil
	}
	return list, err
}

// ownRoles returns where a user has a role, directly or through its groups. Unknown is set if the server does not show
// the roles of a group, or does not say which groups or roles the user has.
func ownRoles(ctx context.Context, c osmc.Reader, u *osmc.User, role string) (*Assignments, error) {
	all, hidden := slices.Clone(u.RoleAssignments), u.Groups == nil || u.RoleAssignments == nil
	for _, group := range u.Groups {
		theirs, err := c.GroupRoles(ctx, group)
		switch {
		case osmc.NotAllowed(err) || osmc.IsGone(err):
			hidden = true
		case err != nil:
			return nil, err
		}
		all = append(all, theirs...)
	}
	out := assignments(all, role)
	out.Unknown = out.Unknown || hidden
	return out, nil
}

func assignments(all []osmc.RoleAssignment, role string) *Assignments {
	out := &Assignments{}
	for _, a := range all {
		if a.RoleID != role {
			continue
		}
		objects, known := a.Objects.Get()
		out.Unknown = out.Unknown || !known
		out.Everywhere = out.Everywhere || known && len(objects) == 0
		for _, o := range objects {
			out.Objects = append(out.Objects, o.ID)
		}
	}
	return out
}

// mayGrant returns false only if the server says so. Permissions may be listed by ID only; the roles have their names.
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

// RoleIn finds out whether the server's user has the role on a category, or will have it once the category exists. It
// returns nil while that has not been observed.
func (v *View) RoleIn(server *connect.Server, inv *Inventory, path string) *Role {
	return v.roleIn(server.Resource(), inv, path)
}

func (v *View) roleIn(server *schema.Resource, inv *Inventory, path string) *Role {
	id := ""
	if c := inv.CategoryAt(path); c != nil {
		id = c.ID
	}
	rights := Look[Rights](v, server, AboutRole, id)
	if rights == nil {
		return nil
	}
	r := &Role{User: rights.User, RoleID: rights.RoleID, Name: rights.Name, MayGrant: rights.MayGrant}
	switch {
	case rights.RoleID == "":
	case rights.Own != nil:
		r.Held = rights.Own.hold(inv.ancestors(path))
		r.Known = r.Held || !rights.Own.Unknown
	default: // a user who is not listed may still have the role
		r.Held = slices.ContainsFunc(rights.Others, func(name string) bool { return schema.SameName(name, rights.User) })
		r.Known = r.Held
	}
	return r
}

// hold reports whether the role is held everywhere, on a category, or on one of its ancestors, given the IDs of all
// these. ASSUMED: a role on a category also holds in the categories within it. The documentation says only that it
// must cover every target category.
func (a *Assignments) hold(categories []string) bool {
	return a.Everywhere || slices.ContainsFunc(a.Objects, func(id string) bool { return slices.Contains(categories, id) })
}

func (l *copiesView) role() {
	if r := l.RoleIn(l.declared.TargetServer(), l.target, l.facts.Category.Path); r != nil {
		l.facts.Role = *r
	}
}
