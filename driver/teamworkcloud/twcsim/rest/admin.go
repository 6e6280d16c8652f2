package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// version answers with text/plain, one text with the versions of both and a revision (SW26; its form is not
// documented, so the seed may set another text).
func (c *call) version() reply {
	return textReply(http.StatusOK, c.server.VersionText)
}

// keyspace returns the name of the database's keyspace. The vendor's examples show esi2022x0, esi2024x0 and, for
// 2026xR1, esi2026x1 (facts 2.2).
func keyspace(r state.Release) string {
	if r.Year >= 2026 && r.Refresh > 0 {
		return "esi" + r.Major() + "1"
	}
	return "esi" + r.Major() + "0"
}

// health answers with those members of the OpenAPI files' example that matter here. Only a server that is up can
// answer, so everything is healthy. A port that is not open is 0, or left out if answers are pairs (ASSUMED, no
// example shows either). ASSUMED: it requires Configure Server.
func (c *call) health() reply {
	s := c.server
	if !s.HasPermission(c.user, state.ConfigureServer, "", "") {
		return c.forbidden(state.ConfigureServer)
	}
	node := object{
		"status": "UP", "hostName": s.SyncAddress, "hostAddress": "127.0.0.1", "addresses": []string{"127.0.0.1"},
		"broadcastAddress": "127.0.0.1", "communicationNonSSLClientPort": s.PlainPort, "communicationServerPort": 2552,
		"operatingSystemName": "Linux", "availableProcessors": 4, "readLevel": "QUORUM", "writeLevel": "QUORUM",
		"stamp": c.world.Now.UnixMilli(), "diskUsages": []any{},
	}
	switch {
	case s.TLS:
		node["communicationSSLClientPort"] = s.TLSPort
	case !c.pairs():
		node["communicationSSLClientPort"] = 0
	}
	return jsonReply(http.StatusOK, TypeJSON, object{
		"cassandraClusterHealth": object{
			"cassandraLiveNodes": []string{"127.0.0.1"}, "cassandraUnreachableNodes": []string{}, "clusterSize": 1,
			"keyspaceName": keyspace(s.Release), "replicationFactor": 1,
			"replication": object{"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "1"},
		},
		"nodeHealth": []any{node},
	})
}

// loginUsers answers with an array of names. ASSUMED: it requires Configure Server or List All Users.
func (c *call) loginUsers() reply {
	s := c.server
	if !s.HasPermission(c.user, state.ConfigureServer, "", "") && !s.HasPermission(c.user, state.ListUsers, "", "") {
		return c.forbidden(state.ListUsers)
	}
	return jsonReply(http.StatusOK, TypeJSON, s.LoggedIn(c.world.Now))
}

// currentUser redirects (307) to the user. ASSUMED: with the parameter.
func (c *call) currentUser() reply {
	path := "admin/users/" + url.PathEscape(c.user.Name)
	if c.query.Has("permission") {
		path += "?permission=" + c.query.Get("permission")
	}
	return c.redirect(http.StatusTemporaryRedirect, path)
}

// getUser answers with the user as in the example of the OpenAPI files. ASSUMED: users may see themselves, but others
// only with List All Users; the form of permissions (complete, or only IDs if answers are pairs); a role held
// everywhere has no objects; the protected type of categories.
func (c *call) getUser() reply {
	name, byPath := c.vars["user"]
	if !byPath {
		name = c.query.Get("username")
	}
	if name != c.user.Name && !c.server.HasPermission(c.user, state.ListUsers, "", "") {
		return c.forbidden(state.ListUsers)
	}
	u := c.server.User(name)
	if u == nil {
		return c.notFound("user")
	}
	groups := []string{}
	for _, g := range c.server.GroupsOf(u) {
		groups = append(groups, g.ID)
	}
	body := object{
		"userName": u.Name, "enabled": true, "external": false, "roleAssignments": assignments(u.Name, u.Grants),
		"userGroups":      groups,
		"otherAttributes": object{"name": u.Name}, "realm": state.UUIDOf("realm " + c.server.Name),
	}
	if c.flag("permission") {
		body["permissions"] = c.permissionsOf(u)
	}
	return jsonReply(http.StatusOK, TypeJSON, body)
}

// getGroup answers with a user group as in the example of the OpenAPI files. ASSUMED: its members may see it, others
// only with List All Users.
func (c *call) getGroup() reply {
	g := c.server.Group(c.vars["group"])
	if !c.server.HasPermission(c.user, state.ListUsers, "", "") && !slices.Contains(c.server.GroupsOf(c.user), g) {
		return c.forbidden(state.ListUsers)
	}
	if g == nil {
		return c.notFound("user group")
	}
	return jsonReply(http.StatusOK, TypeLinked, object{
		"ID": g.ID, "name": g.Name, "description": g.Name, "realm": state.UUIDOf("realm " + c.server.Name),
		"usernames": append([]string{}, g.Users...), "roleAssignments": assignments(g.Name, g.Grants),
	})
}

// assignments returns the roles of a user or a group.
func assignments(holder string, grants []state.Grant) []any {
	out := []any{}
	for _, g := range grants {
		objects := []any{}
		for _, id := range g.Categories {
			objects = append(objects, object{"ID": id, "protectedType": "com.nomagic.esi.category"})
		}
		for _, id := range g.Resources {
			objects = append(objects, object{"ID": id, "protectedType": "com.nomagic.esi.resource"})
		}
		out = append(out, object{
			"ID": state.UUIDOf("assignment " + holder + " " + g.Role), "roleID": g.Role, "protectedObjects": objects,
		})
	}
	return out
}

// permissionsOf returns the permissions of a user, including those of its groups (ASSUMED: whether these are included
// is not documented).
func (c *call) permissionsOf(u *state.User) []any {
	out := []any{}
	for _, p := range state.Permissions {
		if !slices.ContainsFunc(c.server.GrantsOf(u), func(g state.Grant) bool { return c.server.Role(g.Role).Has(p.ID) }) {
			continue
		}
		if c.pairs() {
			out = append(out, p.ID)
		} else {
			out = append(out, permissionBody(p))
		}
	}
	return out
}

// permissionBody returns a permission in the form of Read Resources in the OpenAPI files.
func permissionBody(p state.Permission) object {
	protected, operation := p.Parts()
	scope := "GLOBAL_OR_OBJECT"
	if strings.HasSuffix(protected, ".server") || strings.HasSuffix(protected, ".user") {
		scope = "GLOBAL"
	}
	return object{
		"ID": p.ID, "name": p.Name, "operationName": operation, "operationDisplayName": p.Display,
		"protectedType":                  protected,
		"operationAssignableAccessScope": scope,
	}
}

func roleBody(r *state.Role) object {
	list := []any{}
	for _, p := range r.Permissions {
		list = append(list, permissionBody(p))
	}
	return object{
		"ID": r.ID, "name": r.Name, "description": r.Name, "predefined": true, "containGlobalOperationsOnly": r.GlobalOnly,
		"permissions": list,
	}
}

// mayGrant reports whether a user may grant roles on a category: with Manage User Permissions, or with a Resource
// Manager's permission on the category. ASSUMED: pages say of the first that it assigns any role in any scope, of the
// second that it grants access to resources.
func mayGrant(s *state.Server, u *state.User, categoryID string) bool {
	return s.HasPermission(u, state.ManagePermissions, categoryID, "") ||
		s.HasPermission(u, state.OwnAccess, categoryID, "")
}

// administers reports whether a user has any permission that concerns roles, users or the server.
func administers(s *state.Server, u *state.User) bool {
	return slices.ContainsFunc(s.GrantsOf(u), func(g state.Grant) bool {
		r := s.Role(g.Role)
		return r.Has(state.ManagePermissions) || r.Has(state.OwnAccess) || r.Has(state.ConfigureServer) ||
			r.Has(state.ListUsers)
	})
}

// listPermissions lists all permissions. ASSUMED: it requires the same as listRoles; the parameter has no effect.
func (c *call) listPermissions() reply {
	if !administers(c.server, c.user) {
		return c.forbidden(state.ManagePermissions)
	}
	list := []any{}
	for _, p := range state.Permissions {
		list = append(list, permissionBody(p))
	}
	return jsonReply(http.StatusOK, TypeJSON, list)
}

// listRoles lists all roles. ASSUMED: it requires a permission that concerns roles, users or the server; "filter" has
// no effect.
func (c *call) listRoles() reply {
	if !administers(c.server, c.user) {
		return c.forbidden(state.ManagePermissions)
	}
	list := []any{}
	for _, r := range c.server.Roles {
		list = append(list, roleBody(r))
	}
	return jsonReply(http.StatusOK, TypeJSON, list)
}
