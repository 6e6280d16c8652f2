package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func (c *call) date(t time.Time) any {
	t = t.UTC()
	switch c.server.Dates {
	case state.DatesMillis:
		return t.UnixMilli()
	case state.DatesCompact:
		return t.Format("20060102150405") + strings.TrimPrefix(t.Format(".000"), ".")
	case state.DatesText:
		return t.Format("Mon Jan 02 15:04:05 MST 2006")
	}
	return t.Unix()
}

func (c *call) branchRefs(r *state.Resource) []any {
	out := []any{}
	for _, b := range r.Branches {
		out = append(out, ref(b.ID))
	}
	return out
}

// listBranches answers with a container of IDs. With includeBody, and if answers are pairs, the branches are complete:
// OMBEE-SYNC uses that, but the OpenAPI files do not have it.
func (c *call) listBranches() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	members := c.branchRefs(r)
	if c.pairs() && c.flag("includeBody") {
		members = []any{}
		for _, b := range r.Branches {
			members = append(members, []any{
				c.pairHead("kerml:Branch", "branch", "kerml:revisions", b.ID, true),
				c.pairTail("kerml:Branch", "branch", b.ID, c.branchBody(r, b)),
			})
		}
	}
	return jsonReply(http.StatusOK, TypeLinked, c.container("branches", members))
}

// branchBody returns the second part of a branch's pair. The main branch starts at its first revision, other branches
// at the revision after which they begin (OMBEE-SYNC: 1 and 3).
func (c *call) branchBody(r *state.Resource, b *state.Branch) object {
	start, latest := b.Start, 0
	own := r.On(b)
	if len(own) > 0 {
		latest = own[0].Number
		if start == 0 {
			start = own[len(own)-1].Number
		}
	}
	body := object{
		"ID": b.ID, "author": b.Author, "createdDate": c.date(b.Created), "dcterms:title": b.Name, "latestRevision": latest,
		"resourceID": r.ID, "startRevision": start,
	}
	if c.pairs() {
		body["authorInfo"] = object{"deleted": false, "name": b.Author}
	}
	if c.server.Release.Year >= 2024 { // facts 2.5: metadata since 2024x
		body["metadata"] = object{}
	}
	return body
}

func (c *call) branch() (*state.Resource, *state.Branch, *reply) {
	r, refused := c.readable()
	if refused != nil {
		return nil, nil, refused
	}
	for _, b := range r.Branches {
		if b.ID == c.vars["branch"] {
			return r, b, nil
		}
	}
	out := c.notFound("branch")
	return nil, nil, &out
}

// getBranch answers with a pair. Both parts list the revisions, newest first, including those of the parent before the
// branch point (facts 2.5).
func (c *call) getBranch() reply {
	r, b, refused := c.branch()
	if refused != nil {
		return *refused
	}
	numbers := numbersOf(r.On(b))
	head := c.pairHead("kerml:Branch", "branch", "kerml:revisions", b.ID, false)
	head["ldp:contains"] = numbers
	body := c.branchBody(r, b)
	body["kerml:revisions"] = numbers
	return jsonReply(http.StatusOK, TypeLinked, []any{head, c.pairTail("kerml:Branch", "branch", b.ID, body)})
}

// branchRevisions redirects to the branch below its workspace (301: facts 2.5).
func (c *call) branchRevisions() reply {
	r, b, refused := c.branch()
	if refused != nil {
		return *refused
	}
	return c.redirect(http.StatusMovedPermanently, strings.TrimPrefix(c.address(r), c.base()+"/")+"/branches/"+b.ID)
}

func numbersOf(list []*state.Revision) []int {
	out := make([]int, 0, len(list))
	for _, v := range list {
		out = append(out, v.Number)
	}
	return out
}

// listRevisions lists the revisions of all branches, newest first (OMBEE-SYNC's fixture): numbers, or objects with
// includeBody. ASSUMED: without page and items it lists all of them (OMBEE-SYNC relies on that); without page the
// first page; without items everything from page on; page begins with 1; past the end the list is empty. ASSUMED:
// search looks for parts of words, ignoring case; formatter has no effect.
func (c *call) listRevisions() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	page, refused := c.number("page", 1, 1)
	if refused != nil {
		return *refused
	}
	items, refused := c.number("items", 0, 1)
	if refused != nil {
		return *refused
	}
	list := c.page(search(r, c.query.Get("search")), page, items)
	if !c.flag("includeBody") {
		return jsonReply(http.StatusOK, TypeJSON, numbersOf(list))
	}
	bodies := make([]any, 0, len(list))
	for _, v := range list {
		bodies = append(bodies, c.revisionBody(r, v))
	}
	return jsonReply(http.StatusOK, TypeJSON, bodies)
}

// page returns the requested part, newest first. 0 items means all.
func (c *call) page(list []*state.Revision, page, items int64) []*state.Revision {
	n := int64(len(list))
	if items == 0 || items > n {
		items = max(n, 1)
	}
	skip := min(page-1, n)
	if c.server.Paging == state.PagingNumber {
		skip = min(skip*items, n) // no overflow: both are at most n
	}
	out := slices.Clone(list[max(0, n-skip-items) : n-skip])
	slices.Reverse(out)
	return out
}

// search returns the revisions with a text in author, number, tags, description or branch name (SW24).
func search(r *state.Resource, text string) []*state.Revision {
	if text == "" {
		return r.Revisions
	}
	text = strings.ToLower(text)
	var out []*state.Revision
	for _, v := range r.Revisions {
		words := []string{v.Author, strconv.Itoa(v.Number), v.Description}
		if b := r.BranchOf(v.Branch); b != nil {
			words = append(words, b.Name)
		}
		for _, t := range r.Tags {
			if t.Revision == v.Number {
				words = append(words, t.Name)
			}
		}
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(strings.ToLower(word), text) }) {
			out = append(out, v)
		}
	}
	return out
}

// orNone returns a revision's number, or -1 for none (facts 2.5; the parent of OMBEE-SYNC's first revision is -1).
func orNone(number int) int {
	if number == 0 {
		return -1
	}
	return number
}

// rootObjects returns a resource's root objects. They never change, because models have no contents here.
func rootObjects(r *state.Resource) []string { return []string{state.UUIDOf("root " + r.ID)} }

// revisionBody returns a revision in a list. If answers are pairs, it has the form of TWC 19 (OMBEE-SYNC: authorInfo,
// no branchName); if they are plain, that of the OpenAPI files.
func (c *call) revisionBody(r *state.Resource, v *state.Revision) object {
	body := object{
		"ID": v.Number, "branchID": v.Branch, "author": v.Author, "commitType": "NORMAL", "createdDate": c.date(v.Created),
		"description": v.Description, "directParent": orNone(v.Parent), "pickedRevision": -1, "dependencies": []any{},
		"resourceID": r.ID,
	}
	if c.pairs() {
		body["authorInfo"] = object{"deleted": false, "name": v.Author}
		body["rootObjectIDs"] = rootObjects(r)
		return body
	}
	if b := r.BranchOf(v.Branch); b != nil {
		body["branchName"] = b.Name
	}
	return body
}

// getRevision answers with a revision. If answers are plain, it is an object as in the OpenAPI files, with IDs
// relative to @base. If they are pairs, it is a list that begins with the object, as OMBEE-SYNC reads it. ID is "" in
// both. ASSUMED: @base in the files' example names the branch of the revision.
func (c *call) getRevision() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	n, err := strconv.Atoi(c.vars["revision"])
	v := r.Revision(n)
	if err != nil || v == nil {
		return c.notFound("revision")
	}
	body := object{
		"@context": c.base() + "/schemas/revision", "ID": "", "artifacts": "artifacts", "author": v.Author,
		"createdDate": c.date(v.Created), "dependencies": []any{}, "description": v.Description,
		"directParent":  orNone(v.Parent),
		"rootObjectIDs": rootObjects(r), "resourceID": "../../..",
	}
	if c.pairs() {
		body["@base"] = c.address(r) + "/revisions/" + strconv.Itoa(n) + "/elements"
		body["@type"] = []string{"RDFSource", "kerml:Revision"}
		body["branchID"], body["commitType"], body["pickedRevision"] = "../../../branches/"+v.Branch, "NORMAL", -1
		body["authorInfo"] = object{"deleted": false, "name": v.Author}
		return jsonReply(http.StatusOK, TypeLinked, []any{body})
	}
	body["@base"] = c.address(r) + "/branches/" + v.Branch + "/revisions/" + strconv.Itoa(n)
	body["branchID"], body["mergedParent"] = "../..", orNone(v.Merged)
	body["commitDate"], body["EPackageIDs"], body["dependencyImpls"] = v.Created.UnixMilli(), []any{}, []any{}
	return jsonReply(http.StatusOK, TypeLinked, body)
}
