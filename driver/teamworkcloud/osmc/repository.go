package osmc

import (
	"slices"
	"time"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Names of members that servers use.
const (
	contains  = "ldp:contains"
	title     = "dcterms:title"
	described = "dcterms:description"
	members   = "kerml:resources"
)

// category is a category as a list has it, perhaps incomplete.
type category struct {
	Category

	listed   bool     // the answer contained Resources
	children []string // IDs of the categories that it lists as within it
}

// parseCategories reads the list of categories.
func parseCategories(n *node) ([]category, error) {
	list, err := n.list(contains, "workspaces")
	if err != nil {
		return nil, err
	}
	var out []category
	for _, at := range list {
		id := at.reference(workspaces)
		if id == "" {
			return nil, entityAt(at).missing("id")
		}
		c, err := parseCategory(at, id)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parseCategory(at *node, id string) (category, error) {
	e := entityAt(at, title, members, "kerml:parentID")
	c := category{Category: Category{ID: id, Name: e.text(title)}}
	if parent := e.member("kerml:parentID", "parentID"); parent != nil {
		c.Parent = parent.reference(workspaces)
	}
	if children := e.member("kerml:categories"); children != nil {
		list, err := children.items()
		if err != nil {
			return c, err
		}
		for _, child := range list {
			if id := child.reference(workspaces); id != "" {
				c.children = append(c.children, id)
			}
		}
	}
	if at := e.member(members); at != nil {
		list, err := at.items()
		if err != nil {
			return c, err
		}
		if c.Resources, err = parseMembers(list, false); err != nil {
			return c, err
		}
		c.listed = true
	}
	return c, nil
}

// parseCategoryResources reads an answer that lists a category's resources.
func parseCategoryResources(n *node, removed bool) ([]string, error) {
	list, err := n.list(members, contains)
	if err != nil {
		return nil, err
	}
	return parseMembers(list, removed)
}

// parseMembers reads IDs of resources, alone or as whole resources, sorted and without duplicates. A resource that
// does not say whether it is removed counts as not removed, because removed ones are listed only on request.
func parseMembers(list []*node, removed bool) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, at := range list {
		id := at.reference(resources)
		if id == "" {
			return nil, entityAt(at).missing("id")
		}
		e := entityAt(at)
		gone, known := e.truth("removed")
		if m := e.member("removed"); m != nil && !known {
			return nil, m.wrong("is neither true nor false")
		}
		if removed || !gone {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// resource is a resource as an answer has it, perhaps incomplete.
type resource struct {
	Resource

	removed         Known[bool]
	asked, notFound bool // it was read alone; the server did not find it
}

// parseResources reads the list of resources. A resource without a title is only an ID, and has to be read separately.
func parseResources(n *node) ([]resource, error) {
	list, err := n.list(contains, members)
	if e := entityAt(n); err != nil && len(e.objects) == 1 && e.id(resources) != "" && e.member(title) != nil {
		list, err = []*node{n}, nil // a single resource, as in the specification
	}
	if err != nil {
		return nil, err
	}
	out := make([]resource, 0, len(list))
	for _, at := range list {
		r, ok := parseResource(at, at.reference(resources))
		if r.ID == "" {
			return nil, entityAt(at).missing("id")
		}
		if !ok {
			r = resource{Resource: Resource{ID: r.ID}}
		}
		out = append(out, r)
	}
	return out, nil
}

// master matches what servers append to the name of a project for its main branch.
var master = lazyregexp.New(`(?i)\.master$`)

// parseResource reads one resource. It returns false if that is only an ID, or not a resource.
func parseResource(at *node, id string) (resource, bool) {
	e := entityAt(at, title, "metadata", "categoryID")
	r := resource{Resource: Resource{ID: id, Title: e.text(title)}}
	if removed, known := e.truth("removed"); known {
		r.removed = Given(removed)
	}
	if c := e.member("categoryID", "kerml:categoryID"); c != nil {
		r.Category = c.reference(workspaces)
	}
	if base := e.text("@base"); r.Category == "" && !e.has("categoryID") {
		r.Category = after(base, workspaces)
	}
	if m := e.member("metadata"); m != nil {
		metadata := entityAt(m)
		r.Name = metadata.text("name")
		r.ProjectID = metadata.text("PROJECT_ID", "projectID", "projectId")
	}
	if r.Name == "" {
		r.Name = r.Title
	}
	if r.Title == "" {
		r.Title = r.Name
	}
	r.Name = master.ReplaceAllString(r.Name, "")
	return r, r.Title != ""
}

// parseBranches reads the list of branches. A branch without Latest is only an ID, and has to be read separately.
func parseBranches(n *node) ([]Branch, error) {
	list, err := n.list(contains, "kerml:branches")
	if err != nil {
		return nil, err
	}
	var out []Branch
	for _, at := range list {
		b := Branch{ID: at.reference(branches)}
		if b.ID == "" {
			return nil, entityAt(at).missing("id")
		}
		if e := entityAt(at); e.member(title) != nil && e.member("latestRevision", "kerml:revisions") != nil {
			if b, err = parseBranch(at, b.ID); err != nil {
				return nil, err
			}
		}
		out = append(out, b)
	}
	return out, nil
}

// parseBranch reads one branch. It also lists the revisions of its parent before the branch point. latestRevision has
// been seen to be older than that list, so the newest of both counts.
func parseBranch(at *node, id string) (Branch, error) {
	e := entityAt(at, title, "latestRevision", "startRevision", "author", "createdDate")
	b := Branch{ID: id, Name: e.text(title), Author: authorOf(e)}
	var err error
	if b.Start, err = e.count("startRevision"); err != nil {
		return b, err
	}
	if b.Latest, err = e.count("latestRevision"); err != nil {
		return b, err
	}
	for _, name := range []string{"kerml:revisions", contains} {
		m := e.member(name)
		if m == nil {
			continue
		}
		list, err := m.items()
		if err != nil {
			return b, err
		}
		for _, at := range list {
			number, err := numberOf(at)
			if err != nil {
				return b, err
			}
			b.Latest = max(b.Latest, number)
		}
	}
	if b.Latest == 0 {
		return b, e.missing("latestRevision")
	}
	if created := e.member("createdDate"); created != nil {
		b.Created, _ = created.date() // only for people; nothing depends on it
	}
	return b, nil
}

// parseBranchRevisions reads the numbers of the revisions that a branch lists.
func parseBranchRevisions(n *node) ([]int, error) {
	list, err := n.list(contains, "kerml:revisions")
	if err != nil {
		return nil, err
	}
	out := make([]int, len(list))
	for i := range list {
		if out[i], err = numberOf(list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// authorOf returns who made something: the name, or the name in the object that real servers add.
func authorOf(e entity) string {
	if author := e.text("author"); author != "" {
		return author
	}
	for _, name := range []string{"author", "authorInfo"} {
		if info := e.member(name); info != nil {
			if author := entityAt(info).text("name", "userName"); author != "" {
				return author
			}
		}
	}
	return ""
}

// numberOf returns the number of the revision at a place.
func numberOf(at *node) (int, error) {
	text := at.reference(revisions)
	number, ok := wholeNumber(text)
	switch {
	case text == "":
		return 0, entityAt(at).missing("ID")
	case !ok || number <= 0:
		return 0, at.wrong("is not the number of a revision: %q", text)
	}
	return number, nil
}

// ofRevision lists members that distinguish a revision from a mere number.
var ofRevision = []string{"author", "authorInfo", "createdDate", "commitDate", "branchID", "description",
	"directParent"}

// parseRevisions reads a list of revisions: numbers, texts, URLs, or whole revisions as in a page of the history.
// found lacks those that are only a number, and those that cannot be read completely: both have to be read one by one.
// numbers has all revisions in the list.
func parseRevisions(n *node) (found []Revision, numbers []int, err error) {
	list, err := n.list(contains, "kerml:revisions", "revisions")
	if err != nil {
		return nil, nil, err
	}
	for _, at := range list {
		number, err := numberOf(at)
		if err != nil {
			return nil, nil, err
		}
		numbers = append(numbers, number)
		if entityAt(at).member(ofRevision...) == nil {
			continue
		}
		if r, err := parseRevision(at, number); err == nil {
			found = append(found, r)
		}
	}
	return found, numbers, nil
}

// parseRevision reads one revision. It must have an author, a date and a branch, because histories are compared by
// them.
func parseRevision(at *node, number int) (Revision, error) {
	if e := entityAt(at, ofRevision...); branchOf(e) == "" {
		return Revision{Number: number}, e.missing("branchID")
	}
	return parseWithoutBranch(at, number)
}

// parseWithoutBranch reads one revision that need not name its branch. In the vendor's example of a single revision,
// the branch is "../..", which does not resolve to a branch from the revision's address.
func parseWithoutBranch(at *node, number int) (Revision, error) {
	e := entityAt(at, ofRevision...)
	r := Revision{
		Number: number, BranchName: e.text("branchName"), Author: authorOf(e),
		Description: e.text("description", described), Type: e.text("commitType"),
	}
	if said := e.member("ID"); said != nil {
		if other, ok := wholeNumber(said.reference(revisions)); ok && other != number {
			return r, said.wrong("is %d, where revision %d was asked for", other, number)
		}
	}
	r.Branch = branchOf(e)
	if r.Author == "" && !e.has("author") && !e.has("authorInfo") {
		return r, e.missing("author")
	}
	r.DescriptionKnown = e.gives("description", described)
	r.ParentKnown, r.MergedParentKnown = e.gives("directParent", "parent"), e.gives("mergedParent")
	r.RootObjects, r.ElementPackages = idsOf(e.member("rootObjectIDs")), idsOf(e.member("EPackageIDs"))
	var err error
	if r.Parent, err = e.count("directParent", "parent"); err != nil {
		return r, err
	}
	if r.MergedParent, err = e.count("mergedParent"); err != nil {
		return r, err
	}
	r.Created, err = dateOf(e)
	return r, err
}

// idsOf reads a list of IDs, sorted and without duplicates. It returns nil if n is nil or not a list of IDs.
func idsOf(n *node) []string {
	if n == nil {
		return nil
	}
	list, err := n.items()
	if err != nil {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, at := range list {
		id := at.reference("")
		if id == "" {
			return nil
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// branchOf returns the branch of a revision, which may be relative to the revision's own URL: "../..".
func branchOf(e entity) string {
	if m := e.member("branchID", "branchId", "branch"); m != nil {
		if id := m.reference(branches); id != "" {
			return id
		}
	}
	return after(e.text("@base"), branches)
}

// dateOf returns when a revision was committed: createdDate, or commitDate if that is missing or cannot be read.
func dateOf(e entity) (time.Time, error) {
	var unread error
	for _, name := range []string{"createdDate", "commitDate"} {
		m := e.member(name)
		if m == nil {
			continue
		}
		if t, ok := m.date(); ok {
			return t, nil
		}
		if text, _ := m.asText(); unread == nil {
			unread = m.wrong("is not a date in a form and zone that is known: %q", text)
		}
	}
	if unread == nil {
		unread = e.missing("createdDate")
	}
	return time.Time{}, unread
}

// parseTags reads the list of tags. A tag without a revision is only an ID, and has to be read separately.
func parseTags(n *node) ([]Tag, error) {
	list, err := n.list(contains, "tags")
	if err != nil {
		return nil, err
	}
	var out []Tag
	for _, at := range list {
		t := Tag{ID: at.reference(tags)}
		if t.ID == "" {
			return nil, entityAt(at).missing("id")
		}
		if entityAt(at).member(revisionOfTag...) != nil {
			if t, err = parseTag(at, t.ID); err != nil {
				return nil, err
			}
		}
		out = append(out, t)
	}
	return out, nil
}

var revisionOfTag = []string{"commitID", "commitId", "kerml:revision", "revision"}

func parseTag(at *node, id string) (Tag, error) {
	e := entityAt(at, title, "commitID")
	t := Tag{ID: id, Name: e.text(title), Description: e.text(described)}
	commit := e.member(revisionOfTag...)
	if commit == nil {
		return t, e.missing("commitID")
	}
	if t.Name == "" {
		return t, e.missing(title)
	}
	var err error
	t.Revision, err = numberOf(commit)
	return t, err
}

// parseLocks reads what is locked: a list, or one list under "data" for each resource (as elsewhere in the
// specification).
func parseLocks(n *node) ([]Lock, error) {
	list, err := n.list("data", "locks", contains)
	if perResource := dataOf(n); err != nil && perResource != nil {
		list, err = nil, nil
		for _, data := range perResource {
			more, err := data.items()
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([]Lock, 0, len(list))
	for _, at := range list {
		e := entityAt(at, "username", "branchId")
		if locked, known := e.truth("locked"); known && !locked {
			continue
		}
		l := Lock{User: e.text("username", "userName", "user"), BranchName: e.text("branchName"),
			Element: e.text("esiObjectId", "elementID", "elementId")}
		if l.User == "" {
			return nil, e.missing("username")
		}
		if within := e.member("elementAndBranchId"); within != nil {
			pair := entityAt(within)
			l.Branch = pair.text("branchID")
			if l.Element == "" {
				l.Element = pair.text("elementID")
			}
		}
		if branch := e.member("branchId", "branchID"); branch != nil {
			l.Branch = branch.reference(branches)
		}
		out = append(out, l)
	}
	return out, nil
}

// dataOf returns the data of an object with one entry per ID: {"ID": {"data": …, "status": 200}}. It returns nil if n
// is not such an object.
func dataOf(n *node) []*node {
	object, ok := n.v.(map[string]any)
	if !ok {
		return nil
	}
	var ids []string
	for id := range object {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out []*node
	for _, id := range ids {
		data := (&node{v: object[id], up: n, key: id}).member("data")
		if data == nil {
			return nil
		}
		out = append(out, data)
	}
	return out
}
