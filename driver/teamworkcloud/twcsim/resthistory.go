package twcsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How dates are written (facts 2.5): seconds on real servers (OMBEE-SYNC), the last two in examples of the OpenAPI files.
const (
	datesSeconds = "seconds"
	datesMillis  = "millis"  // ASSUMED: as commitDate is
	datesCompact = "compact" // 20180713082509555; ASSUMED: UTC
	datesText    = "text"    // Mon Aug 08 13:00:13 ICT 2016; here always UTC
)

// What page means together with items. The OpenAPI files call it a page number and, in the same breath, a start revision.
const (
	pagingNumber   = "number"   // page 2 of 10 items each: the 11th to the 20th newest
	pagingPosition = "position" // page 2 with 10 items: the 2nd to the 11th newest
)

func (c *call) date(t time.Time) any {
	t = t.UTC()
	switch c.server.dates {
	case datesMillis:
		return t.UnixMilli()
	case datesCompact:
		return t.Format("20060102150405") + strings.TrimPrefix(t.Format(".000"), ".")
	case datesText:
		return t.Format("Mon Jan 02 15:04:05 MST 2006")
	}
	return t.Unix()
}

func (c *call) branchRefs(r *resource) []any {
	out := []any{}
	for _, b := range r.branches {
		out = append(out, ref(b.id))
	}
	return out
}

// listBranches: a container of ids; whole with includeBody where answers are pairs, which the OpenAPI files do not have
// and OMBEE-SYNC uses.
func (c *call) listBranches() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	members := c.branchRefs(r)
	if c.pairs() && c.flag("includeBody") {
		members = []any{}
		for _, b := range r.branches {
			members = append(members, []any{
				c.pairHead("kerml:Branch", "branch", "kerml:revisions", b.id, true),
				c.pairTail("kerml:Branch", "branch", b.id, c.branchBody(r, b)),
			})
		}
	}
	return jsonReply(http.StatusOK, typeLinked, c.container("branches", members))
}

// branchBody is the second of a branch's pair. The main branch starts at its first revision, another one at the revision
// that it begins after (OMBEE-SYNC: 1 and 3).
func (c *call) branchBody(r *resource, b *branch) object {
	start, latest := b.start, 0
	own := r.on(b)
	if len(own) > 0 {
		latest = own[0].number
		if start == 0 {
			start = own[len(own)-1].number
		}
	}
	body := object{
		"ID": b.id, "author": b.author, "createdDate": c.date(b.created), "dcterms:title": b.name, "latestRevision": latest,
		"resourceID": r.id, "startRevision": start,
	}
	if c.pairs() {
		body["authorInfo"] = object{"deleted": false, "name": b.author}
	}
	if c.server.release.year >= 2024 { // facts 2.5: metadata from 2024x on
		body["metadata"] = object{}
	}
	return body
}

func (c *call) branch() (*resource, *branch, *reply) {
	r, refused := c.readable()
	if refused != nil {
		return nil, nil, refused
	}
	for _, b := range r.branches {
		if b.id == c.vars["branch"] {
			return r, b, nil
		}
	}
	out := c.notFound("branch")
	return nil, nil, &out
}

// getBranch: a pair; the first lists the revisions, newest first and with those of the parent before the branch point
// (facts 2.5), the second too.
func (c *call) getBranch() reply {
	r, b, refused := c.branch()
	if refused != nil {
		return *refused
	}
	numbers := numbersOf(r.on(b))
	head := c.pairHead("kerml:Branch", "branch", "kerml:revisions", b.id, false)
	head["ldp:contains"] = numbers
	body := c.branchBody(r, b)
	body["kerml:revisions"] = numbers
	return jsonReply(http.StatusOK, typeLinked, []any{head, c.pairTail("kerml:Branch", "branch", b.id, body)})
}

// branchRevisions is a redirect to the branch below its workspace (301: facts 2.5).
func (c *call) branchRevisions() reply {
	r, b, refused := c.branch()
	if refused != nil {
		return *refused
	}
	return c.redirect(http.StatusMovedPermanently, strings.TrimPrefix(c.address(r), c.base()+"/")+"/branches/"+b.id)
}

func numbersOf(list []*revision) []int {
	out := make([]int, 0, len(list))
	for _, v := range list {
		out = append(out, v.number)
	}
	return out
}

// listRevisions: all branches', newest first (OMBEE-SYNC's fixture): numbers, or objects with includeBody. ASSUMED: without
// page and items all of them (OMBEE-SYNC reads so), without one of them the first page, or all from there on; page begins
// with 1; past the end the list is empty. ASSUMED: search looks for parts of words whatever their case; formatter changes
// nothing.
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
	list := c.page(r.search(c.query.Get("search")), page, items)
	if !c.flag("includeBody") {
		return jsonReply(http.StatusOK, typeJSON, numbersOf(list))
	}
	bodies := make([]any, 0, len(list))
	for _, v := range list {
		bodies = append(bodies, c.revisionBody(r, v))
	}
	return jsonReply(http.StatusOK, typeJSON, bodies)
}

// page cuts out what is asked for and puts the newest first. 0 items are as many as there are.
func (c *call) page(list []*revision, page, items int64) []*revision {
	n := int64(len(list))
	if items == 0 || items > n {
		items = max(n, 1)
	}
	skip := min(page-1, n)
	if c.server.paging == pagingNumber {
		skip = min(skip*items, n) // no overflow: both are at most n
	}
	out := slices.Clone(list[max(0, n-skip-items) : n-skip])
	slices.Reverse(out)
	return out
}

// search: author, number, tags, description and branch name (SW24).
func (r *resource) search(text string) []*revision {
	if text == "" {
		return r.revisions
	}
	text = strings.ToLower(text)
	var out []*revision
	for _, v := range r.revisions {
		words := []string{v.author, strconv.Itoa(v.number), v.description}
		if b := r.branchOf(v.branch); b != nil {
			words = append(words, b.name)
		}
		for _, t := range r.tags {
			if t.revision == v.number {
				words = append(words, t.name)
			}
		}
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(strings.ToLower(word), text) }) {
			out = append(out, v)
		}
	}
	return out
}

// orNone is a revision's number, -1 for none (facts 2.5; OMBEE-SYNC's first revision has the parent -1).
func orNone(number int) int {
	if number == 0 {
		return -1
	}
	return number
}

// rootObjects of a resource never change here: models have no contents.
func (r *resource) rootObjects() []string { return []string{uuidOf("root " + r.id)} }

// revisionBody is a revision in a list. Where answers are pairs it is as TWC 19's (OMBEE-SYNC: no branchName, authorInfo),
// where they are plain as in the OpenAPI files.
func (c *call) revisionBody(r *resource, v *revision) object {
	body := object{
		"ID": v.number, "branchID": v.branch, "author": v.author, "commitType": "NORMAL", "createdDate": c.date(v.created),
		"description": v.description, "directParent": orNone(v.parent), "pickedRevision": -1, "dependencies": []any{},
		"resourceID": r.id,
	}
	if c.pairs() {
		body["authorInfo"] = object{"deleted": false, "name": v.author}
		body["rootObjectIDs"] = r.rootObjects()
		return body
	}
	if b := r.branchOf(v.branch); b != nil {
		body["branchName"] = b.name
	}
	return body
}

// getRevision: where answers are plain an object as in the OpenAPI files, with ids relative to @base; where they are pairs
// a list whose first is the object, as OMBEE-SYNC reads it. ID is "" in both. ASSUMED: what @base of the files' example
// names is the branch that the revision is on.
func (c *call) getRevision() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	n, err := strconv.Atoi(c.vars["revision"])
	v := r.revision(n)
	if err != nil || v == nil {
		return c.notFound("revision")
	}
	body := object{
		"@context": c.base() + "/schemas/revision", "ID": "", "artifacts": "artifacts", "author": v.author,
		"createdDate": c.date(v.created), "dependencies": []any{}, "description": v.description, "directParent": orNone(v.parent),
		"rootObjectIDs": r.rootObjects(), "resourceID": "../../..",
	}
	if c.pairs() {
		body["@base"] = c.address(r) + "/revisions/" + strconv.Itoa(n) + "/elements"
		body["@type"] = []string{"RDFSource", "kerml:Revision"}
		body["branchID"], body["commitType"], body["pickedRevision"] = "../../../branches/"+v.branch, "NORMAL", -1
		body["authorInfo"] = object{"deleted": false, "name": v.author}
		return jsonReply(http.StatusOK, typeLinked, []any{body})
	}
	body["@base"] = c.address(r) + "/branches/" + v.branch + "/revisions/" + strconv.Itoa(n)
	body["branchID"], body["mergedParent"] = "../..", orNone(v.merged)
	body["commitDate"], body["EPackageIDs"], body["dependencyImpls"] = v.created.UnixMilli(), []any{}, []any{}
	return jsonReply(http.StatusOK, typeLinked, body)
}
