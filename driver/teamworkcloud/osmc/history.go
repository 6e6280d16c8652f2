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

// pageSize is how many revisions are asked for at once. With all that real servers tell of a revision, a page is a
// megabyte.
const pageSize = 200

// history is a resource's history while it is read.
//
// It comes in pages, and what a page is the documents do not agree on: the specification calls the parameter "the
// page number. In this case, it is a start revision in the result", and a real client gets the newest revision with
// page=1&items=1. So the client goes by what comes: it asks for page 1 and 2, sees whether they overlap, and goes on
// in the way that brings the most. Whatever is missing in the end is asked for revision by revision.
type history struct {
	Reader

	resource string
	numbers  []int            // all there are, ascending
	found    map[int]Revision // those that are described
	asked    map[int]bool     // pages
	branches *branchList
	noBranch error // why branches are nil
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
	// The branches are read after the list, so that they have those of all that it names. Their error comes later.
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

// describe asks for what is told of the revisions: of many at once, and then of each that is still missing.
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
	numbers []int // ascending, each once
	found   []Revision
}

func parseListed(n *node) (listed, error) {
	found, numbers, err := parseRevisions(n)
	slices.Sort(numbers)
	return listed{slices.Compact(numbers), found}, err
}

// missing are the revisions that are not described yet, ascending.
func (h *history) missing() []int {
	var out []int
	for _, number := range h.numbers {
		if _, ok := h.found[number]; !ok {
			out = append(out, number)
		}
	}
	return out
}

// pages reads pages for as long as they bring something.
func (h *history) pages(ctx context.Context) error {
	first, err := h.page(ctx, 1)
	if err != nil {
		return err
	}
	next := 1
	ways := []func(last *progress) int{
		// page counts pages
		func(*progress) int { next++; return next },
		// page counts revisions, from 1, in the order in which they come
		func(last *progress) int {
			if last == nil {
				next = 1 + first.came
			} else {
				next += last.came
			}
			return next
		},
		// page is the number of the revision to start with, upwards or downwards
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

// progress is what a page has brought.
type progress struct {
	came  int // revisions that it names
	added int // those of them that were not described before
}

// page asks for one page, unless it was asked for already. A page that the server refuses brings nothing: what it
// would have brought is asked for in another way.
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

// unlisted refuses a history that has what the list has not: the list is not whole, so nothing can be said to be
// complete. What is newer than all that is listed was committed since, and is left to the next reading.
func (h *history) unlisted(numbers []int) error {
	for _, number := range numbers {
		if !h.isListed(number) && (len(h.numbers) == 0 || number < h.numbers[len(h.numbers)-1]) {
			return fmt.Errorf("the server's list of revisions lacks revision %d, which its history describes: the list "+
				"is not whole", number)
		}
	}
	return nil
}

// singly asks for each revision that no page has described (GET /osmc/resources/{}/revisions/{}).
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

// findBranches completes revisions that do not say which branch they are on, by the branches' own lists. A branch's
// list has those of its parent before the branch point too, so that a revision is on the one of them that begins
// first.
func (h *history) findBranches(ctx context.Context) error {
	if !slices.ContainsFunc(h.numbers, func(number int) bool { return h.found[number].Branch == "" }) {
		return nil
	}
	list, err := h.branches, h.noBranch
	if err != nil {
		return err
	}
	on := map[int][]Branch{}
	for _, b := range list.all { // those that begin earlier first
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

// nameBranches adds the names of branches where revisions come without: those of older servers do. The name of a
// branch that the server does not show any more stays empty.
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
