package twcsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// The shapes of ld+json lists. Plain is what the OpenAPI files show and IQ reads: containers of ids. Pairs is what NB and
// OMBEE-SYNC read with includeBody: each member as a container and the thing itself (facts 2.3, 2.5).
const (
	answersPlain = "plain"
	answersPairs = "pairs"
)

func ref(id string) object { return object{"@id": id} }

func refs(ids []string) []any {
	out := []any{}
	for _, id := range ids {
		out = append(out, ref(id))
	}
	return out
}

// container is a list of what is below a path.
func (c *call) container(schema string, members []any) object {
	return object{
		"@context": c.base() + "/schemas/" + schema, "@id": "", "@type": []string{"ldp:BasicContainer"}, "ldp:contains": members,
	}
}

// it is how one thing of a pair is told: "#it" in the OpenAPI files, "#<uuid>" in real answers (OMBEE-SYNC).
func (c *call) it(id string) string {
	if c.pairs() {
		return "#" + id
	}
	return "#it"
}

// pairHead is the first of a pair. Alone its @id is "", in a list it is the thing's (OMBEE-SYNC's fixtures).
func (c *call) pairHead(kind, schema, relation, id string, inList bool) object {
	at := ""
	if inList {
		at = id
	}
	return object{
		"@context": c.base() + "/schemas/" + schema + "Container", "@id": at, "@type": []string{"ldp:DirectContainer", kind},
		"ldp:hasMemberRelation": relation, "ldp:membershipResource": ref(c.it(id)),
	}
}

// pairTail adds to the second of a pair what all of them have.
func (c *call) pairTail(kind, schema, id string, body object) object {
	body["@context"], body["@type"] = c.base()+"/schemas/"+schema, []string{kind}
	if body["@id"] = any(ref("#it")); c.pairs() {
		body["@id"] = "#" + id
	}
	return body
}

// categoryPair is a category as every operation shows it, with the resources given.
func (c *call) categoryPair(k *category, resources []any, inList bool) []any {
	var children []string
	for _, other := range c.server.categories {
		if other.parent == k.id {
			children = append(children, other.id)
		}
	}
	body := object{
		"dcterms:title": k.name, "dcterms:description": k.description, "kerml:categories": refs(children), "kerml:resources": resources,
	}
	if k.parent != "" {
		body["kerml:parentID"] = k.parent
	}
	return []any{
		c.pairHead("kerml:Workspace", "workspace", "kerml:resources", k.id, inList),
		c.pairTail("kerml:Workspace", "workspace", k.id, body),
	}
}

// listCategories: ASSUMED: every user sees all of them; of what is in them only what he may see.
func (c *call) listCategories() reply {
	members := []any{}
	for _, k := range c.server.categories {
		if c.pairs() && c.flag("includeBody") {
			members = append(members, c.categoryPair(k, c.resourceRefs(k, selection{}), true))
		} else {
			members = append(members, ref(k.id))
		}
	}
	return jsonReply(http.StatusOK, typeLinked, c.container("workspaces", members))
}

// getCategory is a redirect to what is in it (301: all OpenAPI files).
func (c *call) getCategory() reply {
	if c.server.category(c.vars["category"]) == nil {
		return c.notFound("workspace")
	}
	return c.redirect(http.StatusMovedPermanently, "workspaces/"+c.vars["category"]+"/resources")
}

// workspaceMembers are those that the OpenAPI files know in the body of a new category.
var workspaceMembers = []string{
	"@context", "@id", "@type", "ldp:hasMemberRelation", "ldp:membershipResource", "ldp:contains", "dcterms:title",
	"dcterms:description", "kerml:categories", "kerml:parentID", "kerml:resources",
}

// createCategory: the body is a pair as ld+json; 201 with the pair. Where answers are plain there is no id in it, as in
// the example of the OpenAPI files; where they are pairs there is. ASSUMED: Manage Categories everywhere or on the parent;
// a name is there once below its parent (409); which members are demanded.
func (c *call) createCategory() reply {
	s := c.server
	if !c.sends(typeLinked) {
		return c.refuse(http.StatusUnsupportedMediaType, "want %s", typeLinked)
	}
	in, refused := c.readCategory()
	if refused != nil {
		return *refused
	}
	if in.parent != "" && s.category(in.parent) == nil {
		return c.notFound("parent workspace")
	}
	if !s.hasPermission(c.user, manageCategories, in.parent, "") {
		return c.forbidden(manageCategories)
	}
	for _, k := range s.categories {
		if k.parent == in.parent && k.name == in.name {
			return c.refuse(http.StatusConflict, "a category named %q exists", k.name)
		}
	}
	in.id = c.world.newID("category " + s.name + " " + in.parent + " " + in.name) // the same whatever else is made when
	s.categories = append(s.categories, in)
	pair := c.categoryPair(in, []any{}, c.pairs())
	if body, ok := pair[1].(object); ok && c.pairs() {
		body["ID"] = in.id
	}
	return jsonReply(http.StatusCreated, typeLinked, pair)
}

func (c *call) readCategory() (*category, *reply) {
	refuse := func(format string, args ...any) (*category, *reply) {
		out := c.refuse(http.StatusBadRequest, format, args...)
		return nil, &out
	}
	var pair []map[string]json.RawMessage
	if err := json.Unmarshal(c.body, &pair); err != nil || len(pair) != 2 {
		return refuse("the body is no list of two objects")
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
	k := &category{}
	for name, to := range map[string]*string{"dcterms:title": &k.name, "dcterms:description": &k.description, "kerml:parentID": &k.parent} {
		raw, there := pair[1][name]
		if there && json.Unmarshal(raw, to) != nil {
			return refuse("%s is no text", name)
		}
	}
	for _, name := range []string{"kerml:categories", "kerml:resources"} {
		if raw := bytes.TrimSpace(pair[1][name]); len(raw) > 0 && !bytes.Equal(raw, []byte("[]")) {
			return refuse("%s: a new category is empty", name) // ASSUMED
		}
	}
	if strings.TrimSpace(k.name) == "" {
		return refuse("dcterms:title is missing")
	}
	return k, nil
}

// listCategoryRoles: the roles that can be held on a category.
func (c *call) listCategoryRoles() reply {
	if c.server.category(c.vars["category"]) == nil {
		return c.notFound("workspace")
	}
	if !c.server.mayGrant(c.user, c.vars["category"]) {
		return c.forbidden(managePermissions)
	}
	list := []any{}
	for _, r := range c.server.roles {
		if !r.globalOnly {
			list = append(list, r.body())
		}
	}
	return jsonReply(http.StatusOK, typeJSON, list)
}

// roleOfCategory finds what the path names. ASSUMED: whoever may not grant sees nothing of it.
func (c *call) roleOfCategory() (*category, *role, *reply) {
	k := c.server.category(c.vars["category"])
	r := c.server.role(c.vars["role"])
	var out reply
	switch {
	case k == nil:
		out = c.notFound("workspace")
	case r == nil || r.id != c.vars["role"] || r.globalOnly:
		out = c.notFound("role")
	case !c.server.mayGrant(c.user, k.id):
		out = c.forbidden(managePermissions)
	default:
		return k, r, nil
	}
	return nil, nil, &out
}

// listRoleUsers: an array of the names of those who hold the role on this very category. ASSUMED: who holds it everywhere
// or on a category above is not among them.
func (c *call) listRoleUsers() reply {
	k, r, refused := c.roleOfCategory()
	if refused != nil {
		return *refused
	}
	names := []string{}
	for _, u := range c.server.users {
		if slices.ContainsFunc(u.grants, func(g grant) bool { return g.role == r.id && slices.Contains(g.categories, k.id) }) {
			names = append(names, u.name)
		}
	}
	return jsonReply(http.StatusOK, typeJSON, names)
}

// takesLists: bodies with several names or ids are JSON arrays since 2024xR1, before they were text with commas
// (DEVG/pages/303989502).
func (r release) takesLists() bool { return r.since(2024, 1, 0) }

// grantRole gives a role on a category to users: 201. Whoever holds it already keeps it. ASSUMED: unknown users are 400,
// and then nobody gets it.
func (c *call) grantRole() reply {
	k, r, refused := c.roleOfCategory()
	if refused != nil {
		return *refused
	}
	names, refused := c.readNames()
	if refused != nil {
		return *refused
	}
	var users []*user
	for _, name := range names {
		u := c.server.user(name)
		if u == nil {
			return c.refuse(http.StatusBadRequest, "there is no user %s", name)
		}
		users = append(users, u)
	}
	for _, u := range users {
		u.grant(r, k.id)
	}
	return reply{status: http.StatusCreated, header: http.Header{}}
}

func (c *call) readNames() ([]string, *reply) {
	kind := typeText
	if c.server.release.takesLists() {
		kind = typeJSON
	}
	var out reply
	if !c.sends(kind) {
		out = c.refuse(http.StatusUnsupportedMediaType, "want %s", kind)
		return nil, &out
	}
	var names []string
	if kind == typeText {
		for name := range strings.SplitSeq(string(c.body), ",") {
			names = append(names, strings.TrimSpace(name))
		}
	} else if json.Unmarshal(c.body, &names) != nil {
		names = nil
	}
	if len(names) == 0 || slices.Contains(names, "") {
		out = c.refuse(http.StatusBadRequest, "the body is no list of names")
		return nil, &out
	}
	return names, nil
}

// grant gives a user a role on one more category.
func (u *user) grant(r *role, categoryID string) {
	for i, g := range u.grants {
		if g.role != r.id || g.global {
			continue
		}
		if !slices.Contains(g.categories, categoryID) {
			u.grants[i].categories = append(g.categories, categoryID)
		}
		return
	}
	u.grants = append(u.grants, grant{role: r.id, categories: []string{categoryID}})
}
