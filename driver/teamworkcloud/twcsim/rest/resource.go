package rest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
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
		if !state.UUIDForm.MatchString(id) { // ASSUMED: several are given with commas
			refused := c.refuse(http.StatusBadRequest, "permissions: %q is not a UUID", id)
			return out, &refused
		}
		out.permissions = append(out.permissions, id)
	}
	return out, nil
}

// sees tells whether a user is shown a resource at all. ASSUMED: with Read Resources or List All Resources; who has
// neither gets 404, as if it were not there.
func sees(s *state.Server, u *state.User, r *state.Resource) bool {
	return s.CanRead(u, r) || s.HasPermission(u, state.ListResources, r.Category, r.ID)
}

func (c *call) selects(r *state.Resource, only selection) bool {
	if r.Removed && !only.removed || !sees(c.server, c.user, r) {
		return false
	}
	if last := r.Latest(); !only.after.IsZero() && (last == nil || !last.Created.After(only.after)) {
		return false
	}
	return !slices.ContainsFunc(only.permissions, func(id string) bool {
		return !c.server.HasPermission(c.user, id, r.Category, r.ID)
	})
}

func (c *call) resourceRefs(k *state.Category, only selection) []any {
	out := []any{}
	for _, r := range c.server.ResourcesIn(k.ID) {
		if c.selects(r, only) {
			out = append(out, ref(r.ID))
		}
	}
	return out
}

// listCategoryResources: a pair, the category with its resources: as ids, or whole with includeBody where answers are
// pairs (IQ reads ID and dcterms:title of each).
func (c *call) listCategoryResources() reply {
	k := c.server.Category(c.vars["category"])
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
		for _, r := range c.server.ResourcesIn(k.ID) {
			if c.selects(r, only) {
				list = append(list, c.resourceBody(r))
			}
		}
	}
	return jsonReply(http.StatusOK, TypeLinked, c.categoryPair(k, list, false))
}

// listResources: a container of all. ASSUMED: its shape, which is that of the other lists; the OpenAPI files' example
// shows a single resource, which no list can be. A public client (G2OPS/Teamwork-Cloud-RESTAPI) reads a bare array of
// ids.
func (c *call) listResources() reply {
	only, refused := c.readSelection()
	if refused != nil {
		return *refused
	}
	members, ids := []any{}, []string{}
	for _, r := range c.server.Resources {
		if !c.selects(r, only) {
			continue
		}
		ids = append(ids, r.ID)
		if c.pairs() && c.flag("includeBody") {
			head := c.pairHead("kerml:Resource", "resource", "kerml:branches", r.ID, true)
			members = append(members, []any{head, c.resourceBody(r)})
		} else {
			members = append(members, ref(r.ID))
		}
	}
	if c.server.Listing == state.ListingArray {
		return jsonReply(http.StatusOK, TypeLinked, ids)
	}
	return jsonReply(http.StatusOK, TypeLinked, c.container("resources", members))
}

func resourceByID(s *state.Server, id string) *state.Resource {
	for _, r := range s.Resources {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// resource finds the one that the path names, below its category or not. ASSUMED: a removed one is found as well.
func (c *call) resource() (*state.Resource, *reply) {
	r := resourceByID(c.server, c.vars["resource"])
	k, below := c.vars["category"]
	if r == nil || below && r.Category != k || !sees(c.server, c.user, r) {
		out := c.notFound("resource")
		return nil, &out
	}
	return r, nil
}

// readable is a resource whose contents the user may read; 403 when he only may know that it is there (ASSUMED).
func (c *call) readable() (*state.Resource, *reply) {
	r, refused := c.resource()
	if refused == nil && !c.server.CanRead(c.user, r) {
		out := c.forbidden(state.ReadResources)
		return nil, &out
	}
	return r, refused
}

// address of a resource. ASSUMED: what is in no category has no workspace in its address.
func (c *call) address(r *state.Resource) string {
	if r.Category == "" {
		return c.base() + "/resources/" + r.ID
	}
	return c.base() + "/workspaces/" + r.Category + "/resources/" + r.ID
}

func (c *call) getResource() reply {
	r, refused := c.resource()
	if refused != nil {
		return *refused
	}
	return jsonReply(http.StatusOK, TypeLinked, c.resourceBody(r))
}

// resourceBody: an object, not a pair (facts 2.4). metadata.name is "<Name>.MASTER" or ".master" (NB), PROJECT_ID
// the modelling tool's id (OMBEE-SYNC). Where answers are plain the title has the same end, as in the OpenAPI
// files, and the id shows in @base alone; where they are pairs there is ID (IQ). ASSUMED: without a category
// there is no categoryID; the local id shows nowhere.
func (c *call) resourceBody(r *state.Resource) object {
	body := object{
		"@base": c.address(r), "@context": c.base() + "/schemas/resource", "@type": "kerml:Resource",
		"dcterms:title": r.Name + ".MASTER", "dcterms:description": r.Description, "kerml:branches": c.branchRefs(r),
		"removed": r.Removed, "metadata": object{"name": r.Name + ".MASTER", "PROJECT_ID": r.ProjectID},
	}
	if r.Category != "" {
		body["categoryID"] = r.Category
	}
	if c.pairs() {
		body["ID"], body["dcterms:title"] = r.ID, r.Name
		body["metadata"] = object{"name": r.Name + ".master", "PROJECT_ID": r.ProjectID}
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
	for _, l := range r.Locks {
		name := ""
		if b := r.BranchOf(l.Branch); b != nil {
			name = b.Name
		}
		list = append(list, object{
			"username": l.User, "branchId": l.Branch, "branchName": name, "esiObjectId": l.Element, "resourceId": r.ID,
			"elementAndBranchId": object{"branchID": l.Branch, "elementID": l.Element}, "resourceName": r.Name,
			"lockType": "OBJECTLOCK", "locked": true, "notLocked": false,
		})
	}
	return jsonReply(http.StatusOK, TypeJSON, list)
}

// listTags: a container of ids. ASSUMED: the OpenAPI files' example is empty.
func (c *call) listTags() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	members := []any{}
	for _, t := range r.Tags {
		members = append(members, ref(t.ID))
	}
	body := c.container("tags", members)
	body["@base"] = c.address(r) + "/tags"
	return jsonReply(http.StatusOK, TypeLinked, body)
}

func (c *call) getTag() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	t := r.Tag(c.vars["tag"])
	if t == nil {
		return c.notFound("tag")
	}
	return jsonReply(http.StatusOK, TypeLinked, object{
		"@context": c.base() + "/schemas/tag", "@type": []string{"kerml:Tag", "ldp:DirectContainer"},
		"commitID":      t.Revision,
		"dcterms:title": t.Name, "dcterms:description": t.Description,
	})
}
