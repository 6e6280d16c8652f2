package rest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// selection says which resources a list contains.
type selection struct {
	removed     bool
	after       time.Time // changed after this time; zero: at any time
	permissions []string  // permissions that the user must have on each
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
		if !state.UUIDForm.MatchString(id) { // ASSUMED: several are separated by commas
			refused := c.refuse(http.StatusBadRequest, "permissions: %q is not a UUID", id)
			return out, &refused
		}
		out.permissions = append(out.permissions, id)
	}
	return out, nil
}

// sees reports whether a user sees a resource at all. ASSUMED: that requires Read Resources or List All Resources;
// without either the answer is 404, as if it did not exist.
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

// listCategoryResources answers with a pair: the category with its resources. These are IDs, or complete with
// includeBody if answers are pairs (IQ reads ID and dcterms:title of each).
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

// listResources answers with a container of all resources. ASSUMED: its shape, which is that of the other lists. The
// OpenAPI files' example shows a single resource, which cannot be a list. A public client
// (G2OPS/Teamwork-Cloud-RESTAPI) reads a plain array of IDs.
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

// resource finds the resource that the path names, with or without its category. ASSUMED: it also finds removed ones.
func (c *call) resource() (*state.Resource, *reply) {
	r := resourceByID(c.server, c.vars["resource"])
	k, below := c.vars["category"]
	if r == nil || below && r.Category != k || !sees(c.server, c.user, r) {
		out := c.notFound("resource")
		return nil, &out
	}
	return r, nil
}

// readable finds a resource whose contents the user may read. It answers 403 if the user may only know that it exists
// (ASSUMED).
func (c *call) readable() (*state.Resource, *reply) {
	r, refused := c.resource()
	if refused == nil && !c.server.CanRead(c.user, r) {
		out := c.forbidden(state.ReadResources)
		return nil, &out
	}
	return r, refused
}

// address returns the URL of a resource. ASSUMED: without a category, it contains no workspace.
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

// resourceBody returns an object, not a pair (facts 2.4). metadata.name is "<Name>.MASTER" or ".master" (NB),
// PROJECT_ID the modelling tool's ID (OMBEE-SYNC). If answers are plain, the title has the same suffix, as in the
// OpenAPI files, and the ID is only in @base; if they are pairs, there is an ID (IQ). ASSUMED: without a category
// there is no categoryID; the local ID is not shown.
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

// listLocks answers with an array of locks with the members of the OpenAPI files' example.
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

// listTags answers with a container of IDs. ASSUMED, because the OpenAPI files' example is empty.
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
