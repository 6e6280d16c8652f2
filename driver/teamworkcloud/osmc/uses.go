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

// Uses returns the addresses of the projects that a resource's model uses in the newest revision on the main branch,
// sorted (GET /osmc/resources/{}/models/decomposition, in all three OpenAPI files; "twcloud:/ID/ID" for projects on a
// server). If the server answers anything else, they are unknown, and why says why.
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

// UseKeys returns the keys by which the address of a used project identifies a resource: the address means the
// resource if KeysOfUse returns one of them. It is not documented which of the two parts of the address is the
// resource's ID, so either may be.
func UseKeys(r *Resource) []string {
	keys := []string{idKey + strings.ToLower(r.ID)}
	if r.ProjectID != "" {
		keys = append(keys, projectKey+r.ProjectID)
	}
	return keys
}

// KeysOfUse returns the keys in the address of a used project. It returns nil if the project is not on a server.
func KeysOfUse(uri string) []string {
	rest, ok := strings.CutPrefix(uri, "twcloud:")
	if !ok {
		return nil
	}
	var keys []string
	for part := range strings.SplitSeq(rest, "/") {
		keys = append(keys, idKey+strings.ToLower(part), projectKey+part)
	}
	return keys
}

const (
	idKey      = "id "
	projectKey = "project "
)
