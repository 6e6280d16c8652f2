package osmc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/schema"
)

// CreateCategory creates a category within the category with ID parent, or at the top if parent is "" (POST
// /osmc/workspaces). It returns the new ID: from the answer, or else by finding the category by name and parent in the
// list of all categories. There, known supplies the details of categories that the list names only by ID; it may be
// nil.
func (w Writer) CreateCategory(
	ctx context.Context, name, parent string, known func(id string) *Category,
) (id string, err error) {
	if strings.TrimSpace(name) == "" {
		return "", &partError{err: errors.New("creating a category: it has no name"), sent: new(rest.Sent)}
	}
	body := map[string]any{"@id": "#it", "@type": []string{"kerml:Workspace"}, title: name}
	if parent != "" {
		body["kerml:parentID"] = parent
	}
	answer, err := w.c.do(ctx, rest.Request{
		Method: http.MethodPost, Path: path(workspaces), Retry: rest.Never,
		Header: http.Header{"Accept": {accept}, "Content-Type": {"application/ld+json"}},
		JSON: []any{
			map[string]any{
				"@id": "", "@type": []string{"kerml:Workspace", "ldp:DirectContainer"},
				"ldp:membershipResource": map[string]any{"@id": "#it"},
			},
			body,
		},
	})
	if err != nil {
		return "", fmt.Errorf("creating category %q: %w", name, err)
	}
	if isPage(answer.Body) {
		err := answer.DecodeJSON(new(any))
		return "", fmt.Errorf("creating category %q: %w", name, err)
	}
	if id = created(answer); id != "" {
		return id, nil
	}
	if id, err = w.newest(ctx, name, parent, known); err != nil {
		sent := rest.SentYes
		return "", &partError{err: fmt.Errorf("category %q was created, but which it is could not be found out: %w",
			name, err), sent: &sent}
	}
	return id, nil
}

// created returns the ID in the answer to a creation, from its Location or its body. It returns "" if there is none,
// as in the specification's example.
func created(answer *rest.Response) string {
	if id := after(answer.Header.Get("Location"), workspaces); id != "" {
		return id
	}
	if len(bytes.TrimSpace(answer.Body)) == 0 {
		return ""
	}
	id, err := decode(answer, func(n *node) (string, error) {
		return cmp.Or(entityAt(n, title).id(workspaces), n.reference(workspaces)), nil
	})
	if err != nil {
		return ""
	}
	return id
}

// newest finds a category by its name and parent. There must be exactly one.
func (w Writer) newest(
	ctx context.Context, name, parent string, known func(id string) *Category,
) (string, error) {
	if known == nil {
		known = func(string) *Category { return nil }
	}
	all, err := w.CategoriesBeside(ctx, known)
	if err != nil {
		return "", err
	}
	isTop := func(id string) bool { // the parent may be a root that is not a category
		return !slices.ContainsFunc(all, func(c Category) bool { return c.ID == id })
	}
	var ids []string
	for _, c := range all {
		if schema.SameName(c.Name, name) && (c.Parent == parent || parent == "" && isTop(c.Parent)) {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) != 1 {
		return "", fmt.Errorf("the server has %d categories of that name there", len(ids))
	}
	return ids[0], nil
}

// GrantCategoryRole gives a user a role for a category (POST /osmc/workspaces/{}/roles/{}/users). category and role
// are IDs, user is a name. The server's release decides how the user is written: as comma-separated text up to 2024x,
// as JSON from 2024x Refresh1 on (DEVG/303989502). An unknown release is treated as a new one; if the server does not
// understand that, the request is repeated in the old form.
func (w Writer) GrantCategoryRole(ctx context.Context, category, role, user string, r Release) error {
	plain := !r.IsZero() && r.Before(SyncTLS2024R1)
	err := w.grant(ctx, category, role, user, plain)
	if r.IsZero() && isAbout(err, http.StatusBadRequest, http.StatusUnsupportedMediaType) {
		err = w.grant(ctx, category, role, user, true)
	}
	if err != nil {
		return fmt.Errorf("giving user %q role %s for category %s: %w", user, role, category, err)
	}
	return nil
}

func (w Writer) grant(ctx context.Context, category, role, user string, plain bool) error {
	request := rest.Request{
		Method: http.MethodPost, Path: path(workspaces, category, roles, role, "users"), Retry: rest.Never,
		Header: http.Header{"Accept": {accept}},
	}
	switch {
	case user == "" || plain && strings.ContainsAny(user, ",\r\n"):
		return &partError{err: errors.New("this server does not accept such a user name: it separates users with commas"),
			sent: new(rest.Sent)}
	case plain:
		request.Bytes = []byte(user)
		request.Header.Set("Content-Type", "text/plain")
	default:
		request.JSON = []string{user}
	}
	answer, err := w.c.do(ctx, request)
	if err == nil && isPage(answer.Body) {
		return answer.DecodeJSON(new(any))
	}
	return err
}
