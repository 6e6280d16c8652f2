package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func ref(id string) object { return object{"@id": id} }

func refs(ids []string) []any {
	out := []any{}
	for _, id := range ids {
		out = append(out, ref(id))
	}
	return out
}

// container returns a list of what is below a path.
func (c *call) container(schema string, members []any) object {
	return object{
		"@context": c.base() + "/schemas/" + schema, "@id": "", "@type": []string{"ldp:BasicContainer"},
		"ldp:contains": members,
	}
}

// it returns the fragment that names one thing in a pair: "#it" in the OpenAPI files, "#<uuid>" in real answers
// (OMBEE-SYNC).
func (c *call) it(id string) string {
	if c.pairs() {
		return "#" + id
	}
	return "#it"
}

// pairHead returns the first part of a pair. Its @id is "" for a single thing, and the thing's ID in a list
// (OMBEE-SYNC's fixtures).
func (c *call) pairHead(kind, schema, relation, id string, inList bool) object {
	at := ""
	if inList {
		at = id
	}
	return object{
		"@context": c.base() + "/schemas/" + schema + "Container", "@id": at,
		"@type":                 []string{"ldp:DirectContainer", kind},
		"ldp:hasMemberRelation": relation, "ldp:membershipResource": ref(c.it(id)),
	}
}

// pairTail adds what all second parts of pairs have.
func (c *call) pairTail(kind, schema, id string, body object) object {
	body["@context"], body["@type"] = c.base()+"/schemas/"+schema, []string{kind}
	if body["@id"] = any(ref("#it")); c.pairs() {
		body["@id"] = "#" + id
	}
	return body
}

// categoryPair returns a category as every operation shows it, with the given resources.
func (c *call) categoryPair(k *state.Category, resources []any, inList bool) []any {
	var children []string
	for _, other := range c.server.Categories {
		if other.Parent == k.ID {
			children = append(children, other.ID)
		}
	}
	body := object{
		"dcterms:title": k.Name, "dcterms:description": k.Description, "kerml:categories": refs(children),
		"kerml:resources": resources,
	}
	if k.Parent != "" {
		body["kerml:parentID"] = k.Parent
	}
	return []any{
		c.pairHead("kerml:Workspace", "workspace", "kerml:resources", k.ID, inList),
		c.pairTail("kerml:Workspace", "workspace", k.ID, body),
	}
}

// listCategories lists all categories. ASSUMED: every user sees all of them, but only those resources in them that the
// user may see.
func (c *call) listCategories() reply {
	members := []any{}
	for _, k := range c.server.Categories {
		if c.pairs() && c.flag("includeBody") {
			members = append(members, c.categoryPair(k, c.resourceRefs(k, selection{}), true))
		} else {
			members = append(members, ref(k.ID))
		}
	}
	return jsonReply(http.StatusOK, TypeLinked, c.container("workspaces", members))
}

// getCategory redirects to the category's content (301: all OpenAPI files).
func (c *call) getCategory() reply {
	if c.server.Category(c.vars["category"]) == nil {
		return c.notFound("workspace")
	}
	return c.redirect(http.StatusMovedPermanently, "workspaces/"+c.vars["category"]+"/resources")
}

// workspaceMembers are the members that the OpenAPI files allow in the body of a new category.
var workspaceMembers = []string{
	"@context", "@id", "@type", "ldp:hasMemberRelation", "ldp:membershipResource", "ldp:contains", "dcterms:title",
	"dcterms:description", "kerml:categories", "kerml:parentID", "kerml:resources",
}

// createCategory creates a category. The body is a pair as ld+json; the answer is 201 with the pair. If answers are
// plain, it contains no ID, as in the example of the OpenAPI files; if they are pairs, it does. ASSUMED: it requires
// Manage Categories everywhere or on the parent; names within a parent are unique (409); which members are required.
func (c *call) createCategory() reply {
	s := c.server
	if !c.sends(TypeLinked) {
		return c.refuse(http.StatusUnsupportedMediaType, "want %s", TypeLinked)
	}
	in, refused := c.readCategory()
	if refused != nil {
		return *refused
	}
	if in.Parent != "" && s.Category(in.Parent) == nil {
		return c.notFound("parent workspace")
	}
	if !s.HasPermission(c.user, state.ManageCategories, in.Parent, "") {
		return c.forbidden(state.ManageCategories)
	}
	for _, k := range s.Categories {
		if k.Parent == in.Parent && k.Name == in.Name {
			return c.refuse(http.StatusConflict, "a category named %q exists", k.Name)
		}
	}
	in.ID = c.world.NewID("category " + s.Name + " " + in.Parent + " " + in.Name) // independent of other creations
	s.Categories = append(s.Categories, in)
	pair := c.categoryPair(in, []any{}, c.pairs())
	if body, ok := pair[1].(object); ok && c.pairs() {
		body["ID"] = in.ID
	}
	return jsonReply(http.StatusCreated, TypeLinked, pair)
}

func (c *call) readCategory() (*state.Category, *reply) {
	refuse := func(format string, args ...any) (*state.Category, *reply) {
		out := c.refuse(http.StatusBadRequest, format, args...)
		return nil, &out
	}
	var pair []map[string]json.RawMessage
	if err := json.Unmarshal(c.body, &pair); err != nil || len(pair) != 2 {
		return refuse("the body is not a list of two objects")
	}
	for i, one := range pair {
		for name := range one {
			if !slices.Contains(workspaceMembers, name) {
				return refuse("a workspace has no member %q", name)
			}
		}
		var types []string
		if err := json.Unmarshal(one["@type"], &types); err != nil || !slices.Contains(types, "kerml:Workspace") {
			return refuse("@type of object %d is not kerml:Workspace", i)
		}
	}
	k := &state.Category{}
	for name, to := range map[string]*string{"dcterms:title": &k.Name, "dcterms:description": &k.Description,
		"kerml:parentID": &k.Parent} {
		raw, there := pair[1][name]
		if there && json.Unmarshal(raw, to) != nil {
			return refuse("%s is not text", name)
		}
	}
	for _, name := range []string{"kerml:categories", "kerml:resources"} {
		if raw := bytes.TrimSpace(pair[1][name]); len(raw) > 0 && !bytes.Equal(raw, []byte("[]")) {
			return refuse("%s: a new category is empty", name) // ASSUMED
		}
	}
	if strings.TrimSpace(k.Name) == "" {
		return refuse("dcterms:title is missing")
	}
	return k, nil
}

// listCategoryRoles lists the roles that can be held on a category.
func (c *call) listCategoryRoles() reply {
	if c.server.Category(c.vars["category"]) == nil {
		return c.notFound("workspace")
	}
	if !mayGrant(c.server, c.user, c.vars["category"]) {
		return c.forbidden(state.ManagePermissions)
	}
	list := []any{}
	for _, r := range c.server.Roles {
		if !r.GlobalOnly {
			list = append(list, roleBody(r))
		}
	}
	return jsonReply(http.StatusOK, TypeJSON, list)
}

// roleOfCategory finds the category and role that the path names. ASSUMED: who may not grant roles sees none of it.
func (c *call) roleOfCategory() (*state.Category, *state.Role, *reply) {
	k := c.server.Category(c.vars["category"])
	r := c.server.Role(c.vars["role"])
	var out reply
	switch {
	case k == nil:
		out = c.notFound("workspace")
	case r == nil || r.ID != c.vars["role"] || r.GlobalOnly:
		out = c.notFound("role")
	case !mayGrant(c.server, c.user, k.ID):
		out = c.forbidden(state.ManagePermissions)
	default:
		return k, r, nil
	}
	return nil, nil, &out
}

// listRoleUsers answers with the names of the users who hold the role on exactly this category. ASSUMED: it does not
// list those who hold it everywhere, on a category above or through a group.
func (c *call) listRoleUsers() reply {
	k, r, refused := c.roleOfCategory()
	if refused != nil {
		return *refused
	}
	names := []string{}
	for _, u := range c.server.Users {
		if holds(u.Grants, r, k) {
			names = append(names, u.Name)
		}
	}
	return jsonReply(http.StatusOK, TypeJSON, names)
}

// listRoleGroups answers with an array of pairs of ID and name, for the groups that hold the role on exactly this
// category (the OpenAPI files' example).
func (c *call) listRoleGroups() reply {
	k, r, refused := c.roleOfCategory()
	if refused != nil {
		return *refused
	}
	out := [][2]string{}
	for _, g := range c.server.Groups {
		if holds(g.Grants, r, k) {
			out = append(out, [2]string{g.ID, g.Name})
		}
	}
	return jsonReply(http.StatusOK, TypeJSON, out)
}

// holds reports whether grants contain a role on exactly this category.
func holds(grants []state.Grant, r *state.Role, k *state.Category) bool {
	return slices.ContainsFunc(grants, func(g state.Grant) bool {
		return g.Role == r.ID && slices.Contains(g.Categories, k.ID)
	})
}

// takesLists reports whether bodies with several names or IDs are JSON arrays: since 2024xR1. Before, they were
// comma-separated text (DEVG/pages/303989502).
func takesLists(r state.Release) bool { return r.Since(2024, 1, 0) }

// grantRole gives users a role on a category: 201. Who already holds it keeps it. ASSUMED: an unknown user is 400, and
// then no user gets the role.
func (c *call) grantRole() reply {
	k, r, refused := c.roleOfCategory()
	if refused != nil {
		return *refused
	}
	names, refused := c.readNames()
	if refused != nil {
		return *refused
	}
	var users []*state.User
	for _, name := range names {
		u := c.server.User(name)
		if u == nil {
			return c.refuse(http.StatusBadRequest, "there is no user %s", name)
		}
		users = append(users, u)
	}
	for _, u := range users {
		grant(u, r, k.ID)
	}
	return reply{status: http.StatusCreated, header: http.Header{}}
}

func (c *call) readNames() ([]string, *reply) {
	kind := TypeText
	if takesLists(c.server.Release) {
		kind = TypeJSON
	}
	var out reply
	if !c.sends(kind) {
		out = c.refuse(http.StatusUnsupportedMediaType, "want %s", kind)
		return nil, &out
	}
	var names []string
	if kind == TypeText {
		for name := range strings.SplitSeq(string(c.body), ",") {
			names = append(names, strings.TrimSpace(name))
		}
	} else if json.Unmarshal(c.body, &names) != nil {
		names = nil
	}
	if len(names) == 0 || slices.Contains(names, "") {
		out = c.refuse(http.StatusBadRequest, "the body is not a list of names")
		return nil, &out
	}
	return names, nil
}

// grant gives a user a role on another category.
func grant(u *state.User, r *state.Role, categoryID string) {
	for i, g := range u.Grants {
		if g.Role != r.ID || g.Global {
			continue
		}
		if !slices.Contains(g.Categories, categoryID) {
			u.Grants[i].Categories = append(g.Categories, categoryID)
		}
		return
	}
	u.Grants = append(u.Grants, state.Grant{Role: r.ID, Categories: []string{categoryID}})
}
