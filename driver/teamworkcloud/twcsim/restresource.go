package twcsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// selection is which resources a list is about.
type selection struct {
	removed     bool
	after       time.Time // changed after this; zero: whenever
	permissions []string  // that the user must have on each
}

// readSelection reads the parameters of a list of resources. ASSUMED: modifiedDate is in milliseconds; a resource was
// changed when its newest revision was made.
func (c *call) readSelection() (selection, *reply) {
	out := selection{removed: c.flag("includeRemovedResource")}
	after, refused := c.number("modifiedDate", -1, 0)
	if refused != nil {
		return out, refused
	}
	if after >= 0 {
		out.after = time.UnixMilli(after)
	}
	if !c.query.Has("permissions") {
		return out, nil
	}
	for id := range strings.SplitSeq(c.query.Get("permissions"), ",") {
		if !uuidForm.MatchString(id) { // ASSUMED: several are given with commas
			refused := c.refuse(http.StatusBadRequest, "permissions: %q is no UUID", id)
			return out, &refused
		}
		out.permissions = append(out.permissions, id)
	}
	return out, nil
}

// sees tells whether a user is shown a resource at all. ASSUMED: with Read Resources or List All Resources; who has
// neither gets 404, as if it were not there.
func (s *server) sees(u *user, r *resource) bool {
	return s.canRead(u, r) || s.hasPermission(u, listResources, r.category, r.id)
}

func (c *call) selects(r *resource, only selection) bool {
	if r.removed && !only.removed || !c.server.sees(c.user, r) {
		return false
	}
	if last := r.latest(); !only.after.IsZero() && (last == nil || !last.created.After(only.after)) {
		return false
	}
	return !slices.ContainsFunc(only.permissions, func(id string) bool {
		return !c.server.hasPermission(c.user, id, r.category, r.id)
	})
}

func (c *call) resourceRefs(k *category, only selection) []any {
	out := []any{}
	for _, r := range c.server.resourcesIn(k.id) {
		if c.selects(r, only) {
			out = append(out, ref(r.id))
		}
	}
	return out
}

// listCategoryResources: a pair, the category with its resources: as ids, or whole with includeBody where answers are
// pairs (IQ reads ID and dcterms:title of each).
func (c *call) listCategoryResources() reply {
	k := c.server.category(c.vars["category"])
	if k == nil {
		return c.notFound("workspace")
	}
	only, refused := c.readSelection()
	if refused != nil {
		return *refused
	}
	list := c.resourceRefs(k, only)
	if c.pairs() && c.flag("includeBody") {
		list = []any{}
		for _, r := range c.server.resourcesIn(k.id) {
			if c.selects(r, only) {
				list = append(list, c.resourceBody(r))
			}
		}
	}
	return jsonReply(http.StatusOK, typeLinked, c.categoryPair(k, list, false))
}

// listResources: a container of all. ASSUMED: its shape, which is that of the other lists; the OpenAPI files' example
// shows a single resource, which no list can be.
func (c *call) listResources() reply {
	only, refused := c.readSelection()
	if refused != nil {
		return *refused
	}
	members := []any{}
	for _, r := range c.server.resources {
		if !c.selects(r, only) {
			continue
		}
		if c.pairs() && c.flag("includeBody") {
			head := c.pairHead("kerml:Resource", "resource", "kerml:branches", r.id, true)
			members = append(members, []any{head, c.resourceBody(r)})
		} else {
			members = append(members, ref(r.id))
		}
	}
	return jsonReply(http.StatusOK, typeLinked, c.container("resources", members))
}

func (s *server) resourceByID(id string) *resource {
	for _, r := range s.resources {
		if r.id == id {
			return r
		}
	}
	return nil
}

// resource finds the one that the path names, below its category or not. ASSUMED: a removed one is found as well.
func (c *call) resource() (*resource, *reply) {
	r := c.server.resourceByID(c.vars["resource"])
	k, below := c.vars["category"]
	if r == nil || below && r.category != k || !c.server.sees(c.user, r) {
		out := c.notFound("resource")
		return nil, &out
	}
	return r, nil
}

// readable is a resource whose contents the user may read; 403 when he only may know that it is there (ASSUMED).
func (c *call) readable() (*resource, *reply) {
	r, refused := c.resource()
	if refused == nil && !c.server.canRead(c.user, r) {
		out := c.forbidden(readResources)
		return nil, &out
	}
	return r, refused
}

// address of a resource. ASSUMED: what is in no category has no workspace in its address.
func (c *call) address(r *resource) string {
	if r.category == "" {
		return c.base() + "/resources/" + r.id
	}
	return c.base() + "/workspaces/" + r.category + "/resources/" + r.id
}

func (c *call) getResource() reply {
	r, refused := c.resource()
	if refused != nil {
		return *refused
	}
	return jsonReply(http.StatusOK, typeLinked, c.resourceBody(r))
}

// resourceBody: an object, not a pair (facts 2.4). metadata.name is "<Name>.MASTER" or ".master" (NB), PROJECT_ID the
// modelling tool's id (OMBEE-SYNC). Where answers are plain the title has the same end, as in the OpenAPI files, and the
// id shows in @base alone; where they are pairs there is ID (IQ). ASSUMED: without a category there is no categoryID; the
// local id shows nowhere.
func (c *call) resourceBody(r *resource) object {
	body := object{
		"@base": c.address(r), "@context": c.base() + "/schemas/resource", "@type": "kerml:Resource",
		"dcterms:title": r.name + ".MASTER", "dcterms:description": r.description, "kerml:branches": c.branchRefs(r),
		"removed": r.removed, "metadata": object{"name": r.name + ".MASTER", "PROJECT_ID": r.projectID},
	}
	if r.category != "" {
		body["categoryID"] = r.category
	}
	if c.pairs() {
		body["ID"], body["dcterms:title"] = r.id, r.name
		body["metadata"] = object{"name": r.name + ".master", "PROJECT_ID": r.projectID}
	}
	return body
}

// listLocks: an array, each with the members of the OpenAPI files' example.
func (c *call) listLocks() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	list := []any{}
	for _, l := range r.locks {
		name := ""
		if b := r.branchOf(l.branch); b != nil {
			name = b.name
		}
		list = append(list, object{
			"username": l.user, "branchId": l.branch, "branchName": name, "esiObjectId": l.element, "resourceId": r.id,
			"elementAndBranchId": object{"branchID": l.branch, "elementID": l.element}, "resourceName": r.name,
			"lockType": "OBJECTLOCK", "locked": true, "notLocked": false,
		})
	}
	return jsonReply(http.StatusOK, typeJSON, list)
}

// listTags: a container of ids. ASSUMED: the OpenAPI files' example is empty.
func (c *call) listTags() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	members := []any{}
	for _, t := range r.tags {
		members = append(members, ref(t.id))
	}
	body := c.container("tags", members)
	body["@base"] = c.address(r) + "/tags"
	return jsonReply(http.StatusOK, typeLinked, body)
}

func (c *call) getTag() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	t := r.tag(c.vars["tag"])
	if t == nil {
		return c.notFound("tag")
	}
	return jsonReply(http.StatusOK, typeLinked, object{
		"@context": c.base() + "/schemas/tag", "@type": []string{"kerml:Tag", "ldp:DirectContainer"}, "commitID": t.revision,
		"dcterms:title": t.name, "dcterms:description": t.description,
	})
}
