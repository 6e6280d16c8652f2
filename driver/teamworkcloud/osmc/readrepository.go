package osmc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Resources lists all resources that the user may see, by id; with removed, those marked as removed too (GET /osmc/resources).
func (r Reader) Resources(ctx context.Context, removed bool) ([]Resource, error) {
	query := withBody()
	query.Set("includeRemovedResource", strconv.FormatBool(removed))
	list, err := get(ctx, r.c, path(resources), query, parseResources)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			if list[i].Title != "" {
				return nil
			}
			one, err := r.Resource(ctx, list[i].ID)
			switch {
			case err == nil:
				list[i] = *one
			case NotAllowed(err):
				list[i].Unreadable = true
			case IsGone(err):
				list[i].ID = "" // since it was listed
			default:
				return part(err)
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("listing resources: %w", err)
	}
	list = slices.DeleteFunc(list, func(one Resource) bool { return one.ID == "" || one.Removed && !removed })
	slices.SortFunc(list, func(a, b Resource) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b Resource) bool { return a.ID == b.ID }), nil
}

// Resource asks for one resource (GET /osmc/resources/{}). IsGone tells that there is none.
func (r Reader) Resource(ctx context.Context, id string) (*Resource, error) {
	one, err := get(ctx, r.c, path(resources, id), nil, func(n *node) (*Resource, error) {
		one, ok := parseResource(n, id)
		if !ok {
			return nil, entityAt(n).missing(title)
		}
		return &one, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading resource %s: %w", id, err)
	}
	return one, nil
}

// Branches lists a resource's branches with what each is (GET /osmc/resources/{}/branches, then each), those that begin earlier
// first.
func (r Reader) Branches(ctx context.Context, resource string) ([]Branch, error) {
	list, err := get(ctx, r.c, path(resources, resource, branches), nil, parseBranches)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			id := list[i].ID
			if list[i].Latest != 0 {
				return nil
			}
			var err error
			list[i], err = get(ctx, r.c, path(resources, resource, branches, id), nil, func(n *node) (Branch, error) { return parseBranch(n, id) })
			return part(err)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("reading the branches of resource %s: %w", resource, err)
	}
	slices.SortFunc(list, func(a, b Branch) int {
		return cmp.Or(a.Start-b.Start, strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(list, func(a, b Branch) bool { return a.ID == b.ID }), nil
}

// Tags lists a resource's tags with what each is on (GET /osmc/resources/{}/tags, then each), by revision.
func (r Reader) Tags(ctx context.Context, resource string) ([]Tag, error) {
	list, err := get(ctx, r.c, path(resources, resource, tags), nil, parseTags)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			id := list[i].ID
			if list[i].Revision != 0 {
				return nil
			}
			var err error
			list[i], err = get(ctx, r.c, path(resources, resource, tags, id), nil, func(n *node) (Tag, error) { return parseTag(n, id) })
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

// Locks lists what is locked in a resource, over all branches (GET /osmc/resources/{}/locks), by user.
func (r Reader) Locks(ctx context.Context, resource string) ([]Lock, error) {
	list, err := get(ctx, r.c, path(resources, resource, "locks"), nil, parseLocks)
	if err != nil {
		return nil, fmt.Errorf("reading the locks of resource %s: %w", resource, err)
	}
	slices.SortFunc(list, func(a, b Lock) int {
		return cmp.Or(strings.Compare(a.User, b.User), strings.Compare(a.Branch, b.Branch), strings.Compare(a.Element, b.Element))
	})
	return list, nil
}

// Revisions reads a resource's whole history over all branches, by number. The plain list of numbers (GET
// /osmc/resources/{}/revisions) is what there is; each of them is described in the answer, or an error names it.
func (r Reader) Revisions(ctx context.Context, resource string) ([]Revision, error) {
	h := &history{Reader: r, resource: resource, found: map[int]Revision{}}
	out, err := h.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the revisions of resource %s: %w", resource, err)
	}
	return out, nil
}
