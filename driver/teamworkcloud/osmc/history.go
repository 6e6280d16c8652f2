package osmc

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/syncctl/syncctl/driver/rest"
)

// pageSize is the number of revisions in one request. With everything that real servers tell about a revision, a page
// takes a megabyte.
const pageSize = 200

// history is a resource's history while it is read.
//
// It comes in pages, but the documents disagree on what a page is. The specification calls the parameter "the page
// number. In this case, it is a start revision in the result", and a real client gets the newest revision with
// page=1&items=1. So this client depends only on the answers: it tries several ways of counting pages, and continues
// in each as long as its pages bring mostly new revisions. What is still missing then is read revision by revision.
type history struct {
	Reader

	resource string
	numbers  []int            // numbers of all revisions, ascending
	found    map[int]Revision // the revisions that an answer has described so far
	asked    map[int]bool     // pages that were read
	branches *branchList
	noBranch error // why branches is nil
}

func (h *history) read(ctx context.Context) ([]Revision, error) {
	all, err := get(ctx, h.c, path(resources, h.resource, revisions), nil, parseListed)
	if err != nil {
		return nil, err
	}
	h.numbers, h.asked = all.numbers, map[int]bool{}
	for _, r := range all.found {
		h.found[r.Number] = r
	}
	// The branches are read after the list of revisions, so that they contain all of those. Their error is reported
	// later.
	err = rest.Beside(ctx, h.describe, func(ctx context.Context) error {
		h.branches, h.noBranch = h.Reader.branches(ctx, h.resource)
		return nil
	})
	if err != nil {
		return nil, part(err)
	}
	if err := h.findBranches(ctx); err != nil {
		return nil, part(err)
	}
	if err := h.nameBranches(); err != nil {
		return nil, part(err)
	}
	out := make([]Revision, 0, len(h.numbers))
	for _, number := range h.numbers {
		out = append(out, h.found[number])
	}
	return out, nil
}

// describe reads the descriptions of the revisions: of many at the same time, and then of each that is still missing.
func (h *history) describe(ctx context.Context) error {
	if len(h.missing()) > 0 {
		if err := h.pages(ctx); err != nil {
			return err
		}
	}
	return h.singly(ctx)
}

// listed is an answer about revisions.
type listed struct {
	numbers []int // ascending, without duplicates
	found   []Revision
}

func parseListed(n *node) (listed, error) {
	found, numbers, err := parseRevisions(n)
	slices.Sort(numbers)
	return listed{slices.Compact(numbers), found}, err
}

// missing returns the revisions that are not described yet, ascending.
func (h *history) missing() []int {
	var out []int
	for _, number := range h.numbers {
		if _, ok := h.found[number]; !ok {
			out = append(out, number)
		}
	}
	return out
}

// pages reads pages as long as they bring something.
func (h *history) pages(ctx context.Context) error {
	first, err := h.page(ctx, 1)
	if err != nil {
		return err
	}
	next := 1
	ways := []func(last *progress) int{
		// page counts pages
		func(*progress) int { next++; return next },
		// page counts revisions, from 1, in the order of the answers
		func(last *progress) int {
			if last == nil {
				next = 1 + first.came
			} else {
				next += last.came
			}
			return next
		},
		// page is the number of the first revision, in ascending or descending order
		func(*progress) int { return h.missing()[0] },
		func(*progress) int { missing := h.missing(); return missing[len(missing)-1] },
		// pages are counted from 0
		func(*progress) int { return 0 },
	}
	for _, way := range ways {
		for last := (*progress)(nil); len(h.missing()) > 0; {
			p, err := h.page(ctx, way(last))
			if err != nil {
				return err
			}
			if last = p; p.added == 0 || 2*p.added < p.came {
				break
			}
		}
	}
	return nil
}

// progress says what a page has brought.
type progress struct {
	came  int // revisions in the page
	added int // those that were not described before
}

// page reads one page, unless it was already read. If the server refuses a page, it brings nothing: its revisions are
// read in another way.
func (h *history) page(ctx context.Context, number int) (*progress, error) {
	if h.asked[number] {
		return &progress{}, nil
	}
	h.asked[number] = true
	query := withBody()
	query.Set("page", strconv.Itoa(number))
	query.Set("items", strconv.Itoa(pageSize))
	came, err := get(ctx, h.c, path(resources, h.resource, revisions), query, parseListed)
	if isAbout(err, http.StatusBadRequest, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable,
		http.StatusUnprocessableEntity) {
		return &progress{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := h.unlisted(came.numbers); err != nil {
		return nil, err
	}
	p := &progress{came: len(came.numbers)}
	for _, r := range came.found {
		if _, ok := h.found[r.Number]; !ok && h.isListed(r.Number) {
			h.found[r.Number] = r
			p.added++
		}
	}
	return p, nil
}

func (h *history) isListed(number int) bool {
	_, ok := slices.BinarySearch(h.numbers, number)
	return ok
}

// unlisted returns an error if a page has a revision that the list lacks: the list is then incomplete, so no history
// can be called complete. Revisions newer than the whole list were committed since, and are left to the next reading.
func (h *history) unlisted(numbers []int) error {
	for _, number := range numbers {
		if !h.isListed(number) && (len(h.numbers) == 0 || number < h.numbers[len(h.numbers)-1]) {
			return fmt.Errorf("the server's list of revisions lacks revision %d, which its history describes: the list "+
				"is not whole", number)
		}
	}
	return nil
}

// singly reads each revision that no page has described (GET /osmc/resources/{}/revisions/{}).
func (h *history) singly(ctx context.Context) error {
	missing := h.missing()
	if len(missing) > 0 {
		h.c.log.Debug("asking for revisions one by one", "resource", h.resource, "revisions", len(missing), "of",
			len(h.numbers))
	}
	got := make([]Revision, len(missing))
	err := each(ctx, len(missing), func(ctx context.Context, i int) error {
		number := missing[i]
		var err error
		got[i], err = get(ctx, h.c, path(resources, h.resource, revisions, strconv.Itoa(number)), url.Values{},
			func(n *node) (Revision, error) {
				return parseWithoutBranch(n, number)
			})
		if err != nil {
			return fmt.Errorf("revision %d is listed, but the server does not describe it: %w", number, err)
		}
		return nil
	})
	for i, r := range got {
		h.found[missing[i]] = r
	}
	return err
}

// findBranches adds the branch to revisions that do not name it, using the lists of the branches. A branch also lists
// the revisions of its parent before the branch point, so a revision belongs to the branch that begins first.
func (h *history) findBranches(ctx context.Context) error {
	if !slices.ContainsFunc(h.numbers, func(number int) bool { return h.found[number].Branch == "" }) {
		return nil
	}
	list, err := h.branches, h.noBranch
	if err != nil {
		return err
	}
	on := map[int][]Branch{}
	for _, b := range list.all { // in the order in which they begin
		numbers, ok := list.numbers[b.ID]
		if !ok {
			at := path(resources, h.resource, branches, b.ID)
			if numbers, err = get(ctx, h.c, at, nil, parseBranchRevisions); err != nil {
				return err
			}
		}
		for _, number := range numbers {
			on[number] = append(on[number], b)
		}
	}
	for _, number := range h.numbers {
		r, lines := h.found[number], on[number]
		switch {
		case r.Branch != "":
			continue
		case len(lines) == 0:
			return fmt.Errorf("revision %d is on no branch that the server lists, and does not say its own", number)
		case len(lines) > 1 && (lines[0].Start == 0 || lines[0].Start == lines[1].Start):
			return fmt.Errorf("revision %d does not say its branch, and %q and %q both list it", number, lines[0].Name,
				lines[1].Name)
		}
		r.Branch, r.BranchName = lines[0].ID, lines[0].Name
		h.found[number] = r
	}
	return nil
}

// nameBranches adds the names of branches to revisions that lack them, as on older servers. The name stays empty if
// the server no longer shows the branch.
func (h *history) nameBranches() error {
	if !slices.ContainsFunc(h.numbers, func(number int) bool { return h.found[number].BranchName == "" }) {
		return nil
	}
	list, err := h.branches, h.noBranch
	if err != nil && !rest.IsStatus(err, http.StatusNotFound, http.StatusForbidden) {
		return err
	}
	names := map[string]string{}
	if err == nil {
		for _, b := range list.all {
			names[b.ID] = b.Name
		}
	}
	for _, number := range h.numbers {
		if r := h.found[number]; r.BranchName == "" {
			r.BranchName = names[r.Branch]
			h.found[number] = r
		}
	}
	return nil
}
