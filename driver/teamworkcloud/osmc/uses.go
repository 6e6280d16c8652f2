package osmc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
)

// Uses are the addresses of the projects that a resource's model uses, as its newest revision on the main branch says
// (GET /osmc/resources/{}/models/decomposition, in all three OpenAPI files: "twcloud:/ID/ID" where they are on a
// server); sorted. They are unknown, and why says it, where the server answers anything else.
func (r Reader) Uses(ctx context.Context, resource string) (uris Known[[]string], why string, err error) {
	answer, err := r.c.do(ctx, rest.Request{
		Method: http.MethodGet, Path: path(resources, resource, "models", "decomposition"),
		Header: http.Header{"Accept": {accept}},
	})
	var refused *rest.Error
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Status != 0 && !errors.Is(err, ErrLogin):
		return uris, err.Error(), nil
	default:
		return uris, "", fmt.Errorf("reading what resource %s uses: %w", resource, err)
	}
	list, err := decode(answer, parseUses)
	if err != nil {
		return uris, err.Error(), nil
	}
	return Given(list), "", nil
}

// parseUses reads the decomposition of a model: each project in it, and those that it uses.
func parseUses(n *node) ([]string, error) {
	usages, err := n.list("models:usages")
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, at := range usages {
		uses := entityAt(at).member("models:uses")
		if uses == nil {
			return nil, entityAt(at).missing("models:uses")
		}
		list, err := uses.items()
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			uri := entityAt(one).text("models:uri")
			if uri == "" {
				return nil, entityAt(one).missing("models:uri")
			}
			out = append(out, uri)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// IsUseOf tells whether the address of a used project is that of a resource of the server. No page says which of its
// two parts is the id of the resource: either may be.
func IsUseOf(uri string, r *Resource) bool {
	rest, ok := strings.CutPrefix(uri, "twcloud:")
	return ok && slices.ContainsFunc(strings.Split(rest, "/"), func(part string) bool {
		return strings.EqualFold(part, r.ID) || r.ProjectID != "" && part == r.ProjectID
	})
}
