package osmc

import (
	"cmp"
	"slices"
	"strings"
)

func parseHealth(n *node) (*Health, error) {
	e := entityAt(n, "cassandraClusterHealth", "nodeHealth")
	database, nodes := e.member("cassandraClusterHealth"), e.member("nodeHealth")
	if database == nil {
		return nil, e.missing("cassandraClusterHealth")
	}
	if nodes == nil {
		return nil, e.missing("nodeHealth")
	}
	cluster := entityAt(database, "keyspaceName")
	h := &Health{Keyspace: cluster.text("keyspaceName")}
	var err error
	if h.CassandraLive, err = parseAddresses(database, "cassandraLiveNodes"); err != nil {
		return nil, err
	}
	if h.CassandraUnreachable, err = parseAddresses(database, "cassandraUnreachableNodes"); err != nil {
		return nil, err
	}
	list, err := nodes.items()
	if err != nil {
		return nil, err
	}
	for _, at := range list {
		one, err := parseNode(at)
		if err != nil {
			return nil, err
		}
		h.Nodes = append(h.Nodes, one)
	}
	slices.SortFunc(h.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return h, nil
}

// port reads a member that is a port. null and negative numbers mean that it is closed.
func (e entity) port(name string) (Known[int], error) {
	if !e.has(name) {
		return Known[int]{}, nil
	}
	number, err := e.count(name)
	return Given(number), err
}

func parseAddresses(database *node, name string) ([]string, error) {
	list, err := database.list(name)
	if err != nil {
		return nil, err
	}
	return namesOf(list, "address", "hostAddress", "name")
}

func parseNode(at *node) (Node, error) {
	e := entityAt(at)
	one := Node{Name: e.text("hostName", "hostAddress", "broadcastAddress"), Status: e.text("status")}
	if one.Status == "" {
		return one, e.missing("status")
	}
	var err error
	if one.PlainPort, err = e.port("communicationNonSSLClientPort"); err != nil {
		return one, err
	}
	one.TLSPort, err = e.port("communicationSSLClientPort")
	return one, err
}

// namesOf returns texts, or the texts that objects have in one of the members, sorted and without duplicates.
func namesOf(list []*node, members ...string) ([]string, error) {
	names := make([]string, 0, len(list))
	for _, at := range list {
		name, ok := at.asText()
		if !ok {
			e := entityAt(at, members...)
			if name = e.text(members...); name == "" {
				return nil, e.missing(strings.Join(members, " or "))
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// parseUsers reads a list of users' names.
func parseUsers(n *node) ([]string, error) {
	list, err := n.list("users", "usernames", "ldp:contains")
	if err != nil {
		return nil, err
	}
	return namesOf(list, "userName", "username", "name", "ID")
}

// parseUser reads what a server tells about a user. roleAssignments may be missing: different kinds of users have
// different members (public client code checks for each of them).
func parseUser(n *node) (*User, error) {
	e := entityAt(n, "userName", "username", "roleAssignments")
	u := &User{Name: e.text("userName", "username", "name")}
	if u.Name == "" {
		return nil, e.missing("userName")
	}
	var err error
	if u.RoleAssignments, err = parseAssignments(e); err != nil {
		return nil, err
	}
	u.Groups = idsOf(e.member("userGroups"))
	// ASSUMED: permissions of a user have the same form as those of a role, since no document shows them. In any other
	// form they are unknown.
	if at := e.member("permissions", "permission"); at != nil {
		if permissions, err := parsePermissions(at); err == nil {
			u.Permissions, u.PermissionsKnown = permissions, true
		}
	}
	return u, nil
}

// parseAssignments reads the roles of a user or a group. It returns nil if the answer does not contain them.
func parseAssignments(e entity) ([]RoleAssignment, error) {
	at := e.member("roleAssignments")
	if at == nil {
		return nil, nil
	}
	list, err := at.items()
	if err != nil {
		return nil, err
	}
	out := make([]RoleAssignment, 0, len(list))
	for _, one := range list {
		a, err := parseAssignment(one)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b RoleAssignment) int { return strings.Compare(a.RoleID, b.RoleID) })
	return out, nil
}

// parseGroupIDs reads a list of user groups. Each is a pair of ID and name, as in the vendor's example, or has a form
// that other lists use.
func parseGroupIDs(n *node) ([]string, error) {
	list, err := n.list("usergroups", contains)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(list))
	for _, at := range list {
		if pair, ok := at.v.([]any); ok && len(pair) == 2 {
			at = at.item(0, pair[0])
		}
		id := at.reference("")
		if id == "" {
			return nil, entityAt(at).missing("ID")
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// parseGroupUsers reads the names of the users of a user group. The answer must have the list, which may be empty.
func parseGroupUsers(n *node) ([]string, error) {
	e := entityAt(n, "usernames")
	names := e.member("usernames")
	if names == nil {
		return nil, e.missing("usernames")
	}
	return parseUsers(names)
}

// parseGroup reads the roles of a user group. The answer must have the list, which may be empty.
func parseGroup(n *node) ([]RoleAssignment, error) {
	e := entityAt(n, "roleAssignments")
	if e.member("roleAssignments") == nil {
		return nil, e.missing("roleAssignments")
	}
	return parseAssignments(e)
}

func parseAssignment(at *node) (RoleAssignment, error) {
	e := entityAt(at, "roleID")
	a := RoleAssignment{}
	if id := e.member("roleID", "roleId", "role"); id != nil {
		a.RoleID = id.reference(roles)
	}
	if a.RoleID == "" {
		return a, e.missing("roleID")
	}
	objects := e.member("protectedObjects")
	if objects == nil {
		if e.has("protectedObjects") { // null: everything
			a.Objects = Given([]ProtectedObject{})
		}
		return a, nil
	}
	list, err := objects.items()
	if err != nil {
		return a, err
	}
	all := make([]ProtectedObject, 0, len(list))
	for _, one := range list {
		o := entityAt(one)
		object := ProtectedObject{ID: one.reference(""), Type: o.text("protectedType")}
		if object.ID == "" {
			return a, o.missing("ID")
		}
		all = append(all, object)
	}
	slices.SortFunc(all, func(x, y ProtectedObject) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), strings.Compare(x.Type, y.Type))
	})
	a.Objects = Given(all)
	return a, nil
}

func parsePermissions(at *node) ([]Permission, error) {
	list, err := at.items()
	if err != nil {
		return nil, err
	}
	var out []Permission
	for _, one := range list {
		e := entityAt(one)
		p := Permission{ID: one.reference(""), Name: e.text("name", "operationName"),
			DisplayName: e.text("operationDisplayName", "displayName")}
		if p.ID == "" {
			return nil, e.missing("ID")
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Permission) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// parseRoles reads a list of roles. A role without a name is only an ID, and has to be read separately.
func parseRoles(n *node) ([]Role, error) {
	list, err := n.list("roles", "ldp:contains")
	if err != nil {
		return nil, err
	}
	var out []Role
	for _, at := range list {
		r := Role{ID: at.reference(roles)}
		if r.ID == "" {
			return nil, entityAt(at).missing("ID")
		}
		if entityAt(at).text("name") != "" {
			if r, err = parseRole(at, r.ID); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func parseRole(at *node, id string) (Role, error) {
	e := entityAt(at, "name", "permissions")
	r := Role{ID: id, Name: e.text("name")}
	if r.Name == "" {
		return r, e.missing("name")
	}
	if permissions := e.member("permissions"); permissions != nil {
		var err error
		if r.Permissions, err = parsePermissions(permissions); err != nil {
			return r, err
		}
	}
	return r, nil
}
