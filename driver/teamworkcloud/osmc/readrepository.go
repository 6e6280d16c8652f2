package osmc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Resources lists all resources that the user may see, sorted by ID (GET /osmc/resources). With removed, it includes
// those marked as removed.
func (r Reader) Resources(ctx context.Context, removed bool) ([]Resource, error) {
	return r.resources(ctx, removed, func(string) *Resource { return nil })
}

// ResourcesBeside is Resources with those marked as removed, but details of a resource that the list names only by ID
// come from known, if the resource could be read, and may be stale. Which resources exist, and which are removed, is
// always up to date.
func (r Reader) ResourcesBeside(ctx context.Context, known func(id string) *Resource) ([]Resource, error) {
	return r.resources(ctx, true, known)
}

func (r Reader) resources(ctx context.Context, removed bool, known func(id string) *Resource) ([]Resource, error) {
	list, err := r.listResources(ctx, removed)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			if was := known(list[i].ID); was != nil && !was.Unreadable && list[i].Title == "" {
				list[i].Resource = *was
				return nil
			}
			return r.completeResource(ctx, &list[i])
		})
	}
	if err == nil && removed {
		err = r.tellRemoved(ctx, list)
	}
	if err != nil {
		return nil, fmt.Errorf("listing resources: %w", err)
	}
	out := make([]Resource, 0, len(list))
	for _, one := range list {
		gone, known := one.removed.Get() // it counts as present unless it is said to be removed
		if one.Removed = known && gone; !one.Removed || removed {
			out = append(out, one.Resource)
		}
	}
	slices.SortFunc(out, func(a, b Resource) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b Resource) bool { return a.ID == b.ID }), nil
}

func (r Reader) listResources(ctx context.Context, removed bool) ([]resource, error) {
	query := withBody()
	query.Set("includeRemovedResource", strconv.FormatBool(removed))
	return get(ctx, r.c, path(resources), query, parseResources)
}

// completeResource reads a resource that a list names only by ID. If it cannot be read, it stays in the list, because
// a 404 does not prove that it was removed.
func (r Reader) completeResource(ctx context.Context, one *resource) error {
	if one.Title != "" {
		return nil
	}
	return r.ask(ctx, one)
}

// ask reads a resource alone.
func (r Reader) ask(ctx context.Context, one *resource) error {
	whole, err := r.readResource(ctx, one.ID)
	one.asked = true
	switch {
	case err == nil:
		whole.asked = true
		*one = whole
	case NotAllowed(err) || IsGone(err):
		one.Unreadable, one.notFound = true, IsGone(err)
	default:
		return part(err)
	}
	return nil
}

// tellRemoved finds out which resources are removed, for those where a list with removed ones does not say so. A
// resource in the list without removed ones is not removed. If it is missing there, that proves nothing. It is then
// read alone, and is removed if the server says so or does not find it. A resource that the user may not read counts
// as not removed. For any other, it is an error if the server does not say it.
func (r Reader) tellRemoved(ctx context.Context, all []resource) error {
	isUnknown := func(one resource) bool { _, known := one.removed.Get(); return !known }
	if !slices.ContainsFunc(all, isUnknown) {
		return nil
	}
	left, err := r.listResources(ctx, false)
	if err != nil {
		return part(err)
	}
	gone := map[string]bool{} // by ID, for those in the list without removed ones
	for i := range left {
		if _, twice := gone[left[i].ID]; !twice {
			removed, known := left[i].removed.Get()
			gone[left[i].ID] = known && removed
		}
	}
	for i := range all {
		one := &all[i]
		if !isUnknown(*one) {
			continue
		}
		if removed, listed := gone[one.ID]; listed {
			one.removed = Given(removed)
			continue
		}
		if !one.asked {
			if err := r.ask(ctx, one); err != nil {
				return err
			}
		}
		switch {
		case one.notFound:
			one.removed = Given(true)
		case isUnknown(*one) && !one.Unreadable:
			return part(fmt.Errorf("the server does not say whether resource %s (%s) is removed", one.ID, one.Name))
		}
	}
	return nil
}

// Resource reads one resource (GET /osmc/resources/{}). IsGone is true for the error if it does not exist. Whether it
// is marked as removed is known only from a list.
func (r Reader) Resource(ctx context.Context, id string) (*Resource, error) {
	one, err := r.readResource(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading resource %s: %w", id, err)
	}
	return &one.Resource, nil
}

// ResourceNow reads one resource (the same request), and whether it is marked as removed, which only some servers show
// here.
func (r Reader) ResourceNow(ctx context.Context, id string) (*Resource, Known[bool], error) {
	one, err := r.readResource(ctx, id)
	if err != nil {
		return nil, one.removed, fmt.Errorf("reading resource %s: %w", id, err)
	}
	gone, known := one.removed.Get()
	one.Removed = known && gone
	return &one.Resource, one.removed, nil
}

func (r Reader) readResource(ctx context.Context, id string) (resource, error) {
	return get(ctx, r.c, path(resources, id), nil, func(n *node) (resource, error) {
		one, ok := parseResource(n, id)
		if !ok {
			return one, entityAt(n).missing(title)
		}
		return one, nil
	})
}

// branchList holds a resource's branches, in the order in which they begin. numbers holds the revisions that each
// branch lists, by branch ID, for branches that were read alone.
type branchList struct {
	all     []Branch
	numbers map[string][]int
}

// branches lists a resource's branches (GET /osmc/resources/{}/branches, then each that is only an ID).
func (r Reader) branches(ctx context.Context, resource string) (*branchList, error) {
	list, err := get(ctx, r.c, path(resources, resource, branches), nil, parseBranches)
	numbers := make([][]int, len(list))
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			id := list[i].ID
			if list[i].Latest != 0 {
				return nil
			}
			var err error
			list[i], err = get(ctx, r.c, path(resources, resource, branches, id), nil, func(n *node) (Branch, error) {
				b, err := parseBranch(n, id)
				if err == nil {
					numbers[i], _ = parseBranchRevisions(n) // if they cannot be read here, findBranches reads them again
				}
				return b, err
			})
			return part(err)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("reading the branches of resource %s: %w", resource, err)
	}
	out := &branchList{numbers: map[string][]int{}}
	for i := range list {
		if numbers[i] != nil {
			out.numbers[list[i].ID] = numbers[i]
		}
	}
	slices.SortFunc(list, func(a, b Branch) int {
		return cmp.Or(a.Start-b.Start, strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	out.all = slices.CompactFunc(list, func(a, b Branch) bool { return a.ID == b.ID })
	return out, nil
}

// Tags lists a resource's tags with their revisions (GET /osmc/resources/{}/tags, then each), sorted by revision.
func (r Reader) Tags(ctx context.Context, resource string) ([]Tag, error) {
	list, err := get(ctx, r.c, path(resources, resource, tags), nil, parseTags)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			id := list[i].ID
			if list[i].Revision != 0 {
				return nil
			}
			var err error
			list[i], err = get(ctx, r.c, path(resources, resource, tags, id), nil, func(n *node) (Tag, error) {
				return parseTag(n, id)
			})
			return part(err)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("reading the tags of resource %s: %w", resource, err)
	}
	slices.SortFunc(list, func(a, b Tag) int {
		return cmp.Or(a.Revision-b.Revision, strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(list, func(a, b Tag) bool { return a.ID == b.ID }), nil
}

// Locks lists what is locked in a resource, on all branches (GET /osmc/resources/{}/locks), sorted by user.
func (r Reader) Locks(ctx context.Context, resource string) ([]Lock, error) {
	list, err := get(ctx, r.c, path(resources, resource, "locks"), nil, parseLocks)
	if err != nil {
		return nil, fmt.Errorf("reading the locks of resource %s: %w", resource, err)
	}
	slices.SortFunc(list, func(a, b Lock) int {
		return cmp.Or(strings.Compare(a.User, b.User), strings.Compare(a.Branch, b.Branch),
			strings.Compare(a.Element, b.Element))
	})
	return list, nil
}

// History reads a resource's whole history on all branches, sorted by number, and its branches. The plain list of
// numbers (GET /osmc/resources/{}/revisions) says which revisions exist. The result describes each of them, or the
// error names one that is missing.
func (r Reader) History(ctx context.Context, resource string) ([]Revision, []Branch, error) {
	h := &history{Reader: r, resource: resource, found: map[int]Revision{}}
	out, err := h.read(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the revisions of resource %s: %w", resource, err)
	}
	if h.noBranch != nil {
		return nil, nil, h.noBranch
	}
	return out, h.branches.all, nil
}
