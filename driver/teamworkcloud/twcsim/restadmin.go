package twcsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// version: text/plain with the versions of both and a revision in one text (SW26; its layout is documented nowhere, so the
// seed may give another one).
func (c *call) version() reply {
	return textReply(http.StatusOK, c.server.versionText)
}

// keyspace of the database. Vendor's examples show esi2022x0, esi2024x0 and, in that of 2026xR1, esi2026x1 (facts 2.2).
func (r release) keyspace() string {
	if r.year >= 2026 && r.refresh > 0 {
		return "esi" + r.major() + "1"
	}
	return "esi" + r.major() + "0"
}

// health: the members of the OpenAPI files' example that say something here. Only who is up can answer, so all is well;
// a port that is not open is 0, or left out where answers are pairs (ASSUMED, no example shows either). ASSUMED: it takes
// Configure Server.
func (c *call) health() reply {
	s := c.server
	if !s.hasPermission(c.user, configureServer, "", "") {
		return c.forbidden(configureServer)
	}
	node := object{
		"status": "UP", "hostName": s.syncAddress, "hostAddress": "127.0.0.1", "addresses": []string{"127.0.0.1"},
		"broadcastAddress": "127.0.0.1", "communicationNonSSLClientPort": s.plainPort, "communicationServerPort": 2552,
		"operatingSystemName": "Linux", "availableProcessors": 4, "readLevel": "QUORUM", "writeLevel": "QUORUM",
		"stamp": c.world.now.UnixMilli(), "diskUsages": []any{},
	}
	switch {
	case s.tls:
		node["communicationSSLClientPort"] = s.tlsPort
	case !c.pairs():
		node["communicationSSLClientPort"] = 0
	}
	return jsonReply(http.StatusOK, typeJSON, object{
		"cassandraClusterHealth": object{
			"cassandraLiveNodes": []string{"127.0.0.1"}, "cassandraUnreachableNodes": []string{}, "clusterSize": 1,
			"keyspaceName": s.release.keyspace(), "replicationFactor": 1,
			"replication": object{"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "1"},
		},
		"nodeHealth": []any{node},
	})
}

// loginUsers: an array of names. ASSUMED: it takes Configure Server or List All Users.
func (c *call) loginUsers() reply {
	s := c.server
	if !s.hasPermission(c.user, configureServer, "", "") && !s.hasPermission(c.user, listUsers, "", "") {
		return c.forbidden(listUsers)
	}
	return jsonReply(http.StatusOK, typeJSON, s.loggedIn(c.world.now))
}

// currentUser is a redirect (307) to the user. ASSUMED: the parameter goes along.
func (c *call) currentUser() reply {
	path := "admin/users/" + url.PathEscape(c.user.name)
	if c.query.Has("permission") {
		path += "?permission=" + c.query.Get("permission")
	}
	return c.redirect(http.StatusTemporaryRedirect, path)
}

// getUser: the user as in the example of the OpenAPI files. ASSUMED: everybody may see himself, others only with List All
// Users; the form of permissions (whole, or ids where answers are pairs) and that of a role held everywhere, which has no
// objects; the protected type of categories.
func (c *call) getUser() reply {
	name, byPath := c.vars["user"]
	if !byPath {
		name = c.query.Get("username")
	}
	if name != c.user.name && !c.server.hasPermission(c.user, listUsers, "", "") {
		return c.forbidden(listUsers)
	}
	u := c.server.user(name)
	if u == nil {
		return c.notFound("user")
	}
	assignments := []any{}
	for _, g := range u.grants {
		objects := []any{}
		for _, id := range g.categories {
			objects = append(objects, object{"ID": id, "protectedType": "com.nomagic.esi.category"})
		}
		for _, id := range g.resources {
			objects = append(objects, object{"ID": id, "protectedType": "com.nomagic.esi.resource"})
		}
		assignments = append(assignments, object{
			"ID": uuidOf("assignment " + u.name + " " + g.role), "roleID": g.role, "protectedObjects": objects,
		})
	}
	body := object{
		"userName": u.name, "enabled": true, "external": false, "roleAssignments": assignments, "userGroups": []string{},
		"otherAttributes": object{"name": u.name}, "realm": uuidOf("realm " + c.server.name),
	}
	if c.flag("permission") {
		body["permissions"] = c.permissionsOf(u)
	}
	return jsonReply(http.StatusOK, typeJSON, body)
}

func (c *call) permissionsOf(u *user) []any {
	out := []any{}
	for _, p := range permissions {
		if !slices.ContainsFunc(u.grants, func(g grant) bool { return c.server.role(g.role).has(p.id) }) {
			continue
		}
		if c.pairs() {
			out = append(out, p.id)
		} else {
			out = append(out, p.body())
		}
	}
	return out
}

// body is a permission as the OpenAPI files show Read Resources.
func (p permission) body() object {
	protected, operation := p.parts()
	scope := "GLOBAL_OR_OBJECT"
	if strings.HasSuffix(protected, ".server") || strings.HasSuffix(protected, ".user") {
		scope = "GLOBAL"
	}
	return object{
		"ID": p.id, "name": p.name, "operationName": operation, "operationDisplayName": p.display, "protectedType": protected,
		"operationAssignableAccessScope": scope,
	}
}

func (r *role) body() object {
	list := []any{}
	for _, p := range r.permissions {
		list = append(list, p.body())
	}
	return object{
		"ID": r.id, "name": r.name, "description": r.name, "predefined": true, "containGlobalOperationsOnly": r.globalOnly,
		"permissions": list,
	}
}

// mayGrant: Manage User Permissions everywhere, or on the category what a Resource Manager has. ASSUMED: pages say of the
// first that it assigns any role in any scope, of the second that it grants access to resources.
func (s *server) mayGrant(u *user, categoryID string) bool {
	return s.hasPermission(u, managePermissions, categoryID, "") || s.hasPermission(u, ownAccess, categoryID, "")
}

// administers tells whether a user has anything to do with roles at all.
func (s *server) administers(u *user) bool {
	return slices.ContainsFunc(u.grants, func(g grant) bool {
		r := s.role(g.role)
		return r.has(managePermissions) || r.has(ownAccess) || r.has(configureServer) || r.has(listUsers)
	})
}

// listPermissions: ASSUMED to take what listRoles takes; the parameter changes nothing.
func (c *call) listPermissions() reply {
	if !c.server.administers(c.user) {
		return c.forbidden(managePermissions)
	}
	list := []any{}
	for _, p := range permissions {
		list = append(list, p.body())
	}
	return jsonReply(http.StatusOK, typeJSON, list)
}

// listRoles: ASSUMED to take a role that has to do with roles, users or the server; "filter" changes nothing.
func (c *call) listRoles() reply {
	if !c.server.administers(c.user) {
		return c.forbidden(managePermissions)
	}
	list := []any{}
	for _, r := range c.server.roles {
		list = append(list, r.body())
	}
	return jsonReply(http.StatusOK, typeJSON, list)
}
