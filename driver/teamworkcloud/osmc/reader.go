package osmc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/fault"
)

// get requests JSON and reads it with read.
func get[T any](
	ctx context.Context, c *Client, path string, query url.Values, read func(*node) (T, error),
) (T, error) {
	answer, err := c.do(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query,
		Header: http.Header{"Accept": {accept}}})
	if err != nil {
		var none T
		return none, err
	}
	return decode(answer, read)
}

// decode reads an answer with read. The error for what cannot be understood names the request and the member.
func decode[T any](answer *rest.Response, read func(*node) (T, error)) (T, error) {
	d := decoder[T]{read: read}
	if err := answer.DecodeJSON(&d); err != nil {
		var none T
		return none, err
	}
	return d.out, nil
}

type decoder[T any] struct {
	read func(*node) (T, error)
	out  T
}

// UnmarshalJSON is called by rest, which describes the answer if it is not JSON.
func (d *decoder[T]) UnmarshalJSON(b []byte) error {
	n, err := tree(b)
	if err == nil {
		d.out, err = d.read(n)
	}
	return err
}

func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/osmc")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

func withBody() url.Values { return url.Values{"includeBody": {"true"}} }

// atOnce is the number of concurrent requests when each of many things has to be read.
const atOnce = 8

// each calls f for every index below n, a few at the same time. It returns the error of the lowest index, preferring
// errors that are not a cancellation.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs, faults := make([]error, n), make([]error, min(n, atOnce))
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range faults {
		all.Go(func() {
			defer fault.Catch(&faults[worker])
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				if errs[i] = f(ctx, i); errs[i] != nil {
					cancel() // the other calls fail with a cancellation, which firstOf ranks below this error
					return
				}
			}
		})
	}
	all.Wait()
	fault.Raise(errors.Join(faults...))
	return firstOf(ctx, errs)
}

func isCanceled(err error) bool { return errors.Is(err, context.Canceled) }

func firstOf(ctx context.Context, errs []error) error {
	var first error
	for _, err := range errs {
		switch {
		case err == nil:
		case first == nil, isCanceled(first) && !isCanceled(err):
			first = err
		}
	}
	if first == nil {
		return context.Cause(ctx)
	}
	return first
}

// longestVersion is the limit of what a server answers to what it is, in bytes. It is plain text, for which rest knows
// no limit but that of a whole answer, and plans, findings and journals show it.
const longestVersion = 4 << 10

// Version returns the server's answer to what it is (GET /osmc/version), and the release in it. The release is zero if
// the answer contains none. The form of the answer is not documented.
func (r Reader) Version(ctx context.Context) (text string, release Release, err error) {
	answer, err := r.c.do(ctx, rest.Request{Method: http.MethodGet, Path: path("version"),
		Header: http.Header{"Accept": {"text/plain, */*;q=0.1"}}})
	if err != nil {
		return "", Release{}, fmt.Errorf("asking for the version: %w", r.c.misdirected(err))
	}
	if isPage(answer.Body) {
		return "", Release{}, fmt.Errorf("asking for the version: %w", answer.DecodeJSON(new(any)))
	}
	if len(answer.Body) > longestVersion {
		return "", Release{}, fmt.Errorf("asking for the version: the server at %s answers %d bytes, and a version has at "+
			"most %d: %w", r.c.rest.BaseURL(), len(answer.Body), longestVersion, rest.ErrAddress)
	}
	text = strings.TrimSpace(strings.ToValidUTF8(string(bytes.TrimPrefix(answer.Body, []byte("\ufeff"))), "\ufffd"))
	if text == "" {
		return "", Release{}, fmt.Errorf("asking for the version: the server at %s answers nothing", r.c.rest.BaseURL())
	}
	release, _ = ParseRelease(text)
	return text, release, nil
}

func isPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff"))), []byte("<"))
}

// Health returns the state of the cluster (GET /osmc/admin/health).
func (r Reader) Health(ctx context.Context) (*Health, error) {
	h, err := get(ctx, r.c, path("admin", "health"), nil, parseHealth)
	if err != nil {
		return nil, fmt.Errorf("asking for the server's health: %w", err)
	}
	return h, nil
}

// LoggedIn lists the users who are logged in, including our own (GET /osmc/admin/loginusers), sorted, without
// duplicates.
func (r Reader) LoggedIn(ctx context.Context) ([]string, error) {
	names, err := get(ctx, r.c, path("admin", "loginusers"), nil, parseUsers)
	if err != nil {
		return nil, fmt.Errorf("listing who is logged in: %w", err)
	}
	return names, nil
}

// CurrentUser returns our own user and its permissions (GET /osmc/admin/currentUser, which redirects to the user's own
// URL). If a server redirects elsewhere, or does not know the path, the user is read by name.
func (r Reader) CurrentUser(ctx context.Context) (*User, error) {
	query := url.Values{"permission": {"true"}}
	u, err := get(ctx, r.c, path("admin", "currentUser"), query, parseUser)
	if rest.IsStatus(err, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusNotFound, http.StatusGone) {
		name, unknown := r.c.userName(ctx)
		switch {
		case unknown != nil:
			err = unknown
		case name != "":
			query.Set("username", name)
			u, err = get(ctx, r.c, path("admin", "user"), query, parseUser)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("asking for our own user: %w", err)
	}
	return u, nil
}

// User returns a user by name, with roles and groups (GET /osmc/admin/user).
func (r Reader) User(ctx context.Context, name string) (*User, error) {
	u, err := get(ctx, r.c, path("admin", "user"), url.Values{"username": {name}}, parseUser)
	if err != nil {
		return nil, fmt.Errorf("asking for user %q: %w", name, err)
	}
	return u, nil
}

// GroupRoles returns the roles of a user group (GET /osmc/admin/usergroups/{}), which all of its users have.
func (r Reader) GroupRoles(ctx context.Context, group string) ([]RoleAssignment, error) {
	out, err := get(ctx, r.c, path("admin", "usergroups", group), nil, parseGroup)
	if err != nil {
		return nil, fmt.Errorf("reading the roles of user group %s: %w", group, err)
	}
	return out, nil
}

// GroupUsers returns the names of the users of a user group, sorted (the same request).
func (r Reader) GroupUsers(ctx context.Context, group string) ([]string, error) {
	out, err := get(ctx, r.c, path("admin", "usergroups", group), nil, parseGroupUsers)
	if err != nil {
		return nil, fmt.Errorf("reading the users of user group %s: %w", group, err)
	}
	return out, nil
}

// userName returns the name of our user, as declared or from the server's cookie. It returns "" if neither has it.
func (c *Client) userName(ctx context.Context) (string, error) {
	if c.user != "" {
		return c.user, nil
	}
	leave, err := c.wait(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	if c.open == nil {
		return "", nil
	}
	c.open.mu.Lock()
	defer c.open.mu.Unlock()
	for _, one := range c.open.cookies {
		if one.name == userCookie {
			return unescaped(strings.Trim(one.value, `"`)), nil
		}
	}
	return "", nil
}

// Roles lists all roles with their permissions (GET /osmc/admin/roles), sorted by name.
func (r Reader) Roles(ctx context.Context) ([]Role, error) {
	list, err := get(ctx, r.c, path("admin", roles), nil, parseRoles)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			id := list[i].ID
			if list[i].Name != "" {
				return nil
			}
			var err error
			list[i], err = get(ctx, r.c, path("admin", roles, id), nil, func(n *node) (Role, error) { return parseRole(n, id) })
			return part(err)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("listing roles: %w", err)
	}
	slices.SortFunc(list, func(a, b Role) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// CategoryRoleUsers lists the names of the users who have a role for a category (GET
// /osmc/workspaces/{}/roles/{}/users), sorted. category and role are IDs. ASSUMED: it does not list users who have the
// role everywhere, on a category above, or through a group.
func (r Reader) CategoryRoleUsers(ctx context.Context, category, role string) ([]string, error) {
	names, err := get(ctx, r.c, path(workspaces, category, roles, role, "users"), nil, parseUsers)
	if err != nil {
		return nil, fmt.Errorf("listing who has role %s for category %s: %w", role, category, err)
	}
	return names, nil
}

// CategoryRoleGroups lists the IDs of the user groups that have a role for a category (GET
// /osmc/workspaces/{}/roles/{}/usergroups), sorted. category and role are IDs.
func (r Reader) CategoryRoleGroups(ctx context.Context, category, role string) ([]string, error) {
	ids, err := get(ctx, r.c, path(workspaces, category, roles, role, "usergroups"), nil, parseGroupIDs)
	if err != nil {
		return nil, fmt.Errorf("listing which groups have role %s for category %s: %w", role, category, err)
	}
	return ids, nil
}

// Categories lists all categories that the user may see, with the resources in each (GET /osmc/workspaces), sorted by
// ID.
func (r Reader) Categories(ctx context.Context) ([]Category, error) {
	return r.CategoriesBeside(ctx, func(string) *Category { return nil })
}

// CategoriesBeside is Categories, but details of a category that the list names only by ID come from known, and may be
// stale. Which categories exist is always up to date.
func (r Reader) CategoriesBeside(ctx context.Context, known func(id string) *Category) ([]Category, error) {
	list, err := get(ctx, r.c, path(workspaces), withBody(), parseCategories)
	if err == nil {
		err = each(ctx, len(list), func(ctx context.Context, i int) error {
			if list[i].listed {
				return nil
			}
			if was := known(list[i].ID); was != nil {
				list[i].Category = *was
				return nil
			}
			return part(r.complete(ctx, &list[i]))
		})
	}
	if err != nil {
		return nil, fmt.Errorf("listing categories: %w", err)
	}
	parents := map[string]string{} // parents of categories, as the parents list them
	for _, c := range list {
		for _, child := range c.children {
			parents[child] = c.ID
		}
	}
	out := make([]Category, 0, len(list))
	for _, c := range list {
		if c.Parent == "" {
			c.Parent = parents[c.ID]
		}
		out = append(out, c.Category)
	}
	slices.SortFunc(out, func(a, b Category) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b Category) bool { return a.ID == b.ID }), nil
}

// complete reads the details of a category that the list of categories lacks.
func (r Reader) complete(ctx context.Context, c *category) error {
	return r.inCategory(ctx, c.ID, url.Values{}, func(n *node) error {
		var err error
		if c.Resources, err = parseCategoryResources(n, false); err != nil {
			return err
		}
		if _, isArray := n.v.([]any); isArray && !n.isPair() {
			return nil // only its resources
		}
		whole, err := parseCategory(n, c.ID)
		c.Name, c.Parent = cmp.Or(c.Name, whole.Name), cmp.Or(c.Parent, whole.Parent)
		c.children = append(c.children, whole.children...)
		return err
	})
}

// CategoryNow reads one category with all resources in it, including removed ones (GET /osmc/workspaces/{}/resources).
// Its name is "" if the server lists only the resources.
func (r Reader) CategoryNow(ctx context.Context, id string) (*Category, error) {
	var c Category
	err := r.inCategory(ctx, id, url.Values{"includeRemovedResource": {"true"}}, func(n *node) error {
		in, err := parseCategoryResources(n, true)
		if err != nil {
			return err
		}
		if _, isArray := n.v.([]any); !isArray || n.isPair() {
			whole, err := parseCategory(n, id)
			if err != nil {
				return err
			}
			c = whole.Category
		}
		c.ID, c.Resources = id, in
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading category %s: %w", id, err)
	}
	return &c, nil
}

// CategoryResources lists the IDs of the resources in a category (GET /osmc/workspaces/{}/resources), sorted. With
// removed, it includes those marked as removed.
func (r Reader) CategoryResources(ctx context.Context, category string, removed bool) (ids []string, err error) {
	query := url.Values{"includeRemovedResource": {strconv.FormatBool(removed)}}
	err = r.inCategory(ctx, category, query, func(n *node) error {
		ids, err = parseCategoryResources(n, removed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the resources of category %s: %w", category, err)
	}
	return ids, nil
}

// readResources is the permission "Read Resources" (DEVG/303989540).
const readResources = "9649cb30-6933-49f1-b309-7aade63340cc"

// ReadableResources lists the IDs of the resources in a category that the user may read, sorted (the same request,
// limited to a permission).
func (r Reader) ReadableResources(ctx context.Context, category string) (ids []string, err error) {
	err = r.inCategory(ctx, category, url.Values{"permissions": {readResources}}, func(n *node) error {
		ids, err = parseCategoryResources(n, false)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the resources of category %s that may be read: %w", category, err)
	}
	return ids, nil
}

func (r Reader) inCategory(ctx context.Context, category string, query url.Values, read func(*node) error) error {
	at := path(workspaces, category, resources)
	_, err := get(ctx, r.c, at, query, func(n *node) (any, error) { return nil, read(n) })
	return err
}

// Endpoint returns what the last answer showed about the server itself, or nil if there was no answer yet.
func (r Reader) Endpoint() *rest.Endpoint { return r.c.rest.Endpoint() }
