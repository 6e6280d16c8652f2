// Package rest simulates the REST interface of a server.
package rest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// MaxBody is the maximum size of a request's body in bytes: lists of users and categories are short.
const MaxBody = 1 << 20

const pathLogin = "login"

// Handler serves one server's REST interface under /osmc. The caller provides TLS. While the server's process is
// stopped or starting, connections are cut (http.ErrAbortHandler). For an unknown server, every answer is 404.
func Handler(w *state.World, name string) http.Handler {
	s := w.Named[name]
	if s == nil {
		return http.NotFoundHandler()
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, MaxBody))
		if err != nil {
			http.Error(rw, "the request's body could not be read", http.StatusRequestEntityTooLarge)
			return
		}
		out, up := serve(w, s, r, body)
		if !up {
			panic(http.ErrAbortHandler)
		}
		out.write(rw)
	})
}

// call is one request.
type call struct {
	*http.Request
	world   *state.World
	server  *state.Server
	path    string // below /osmc/
	vars    map[string]string
	query   url.Values
	body    []byte
	user    *state.User
	session *state.Session
	opened  bool // this call opened the session
}

// reply is an answer, encoded while the world is locked.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) write(rw http.ResponseWriter) {
	for name, values := range r.header {
		rw.Header()[name] = values
	}
	rw.Header().Set("Server", "Restlet-Framework/2.2.3") // facts 2: a vendor's sample
	rw.WriteHeader(r.status)
	_, _ = rw.Write(r.body) // the client may be gone
}

// The types of bodies.
const (
	TypeJSON   = "application/json"
	TypeLinked = "application/ld+json"
	TypeText   = "text/plain"
)

// object is a JSON object.
type object = map[string]any

func jsonReply(status int, kind string, body any) reply {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // only documents of this package
	}
	return reply{status: status, header: http.Header{"Content-Type": {kind + ";charset=UTF-8"}}, body: data}
}

func textReply(status int, text string) reply {
	return reply{status: status, header: http.Header{"Content-Type": {TypeText + ";charset=UTF-8"}}, body: []byte(text)}
}

// refuse returns an error. ASSUMED: its body, because the form of errors is not documented (facts 2.5).
func (c *call) refuse(status int, format string, args ...any) reply {
	return jsonReply(status, TypeJSON, object{"code": status, "message": fmt.Sprintf(format, args...)})
}

func (c *call) notFound(what string) reply {
	return c.refuse(http.StatusNotFound, "%s not found", what)
}

// forbidden returns an error that names the missing permission.
func (c *call) forbidden(permissionID string) reply {
	return c.refuse(http.StatusForbidden, "%s needs the permission %s", c.user.Name,
		state.PermissionOf(permissionID).Display)
}

// operation is what one path and method does. query lists all parameters that it accepts.
type operation struct {
	method  string
	pattern string
	query   []string
	serve   func(*call) reply
}

var resourceQuery = []string{"includeBody", "includeRemovedResource", "modifiedDate"}

// operations lists all operations. Those of resources also exist below the category of a resource (facts 2.4).
var operations = []operation{
	{"GET", "version", nil, (*call).version},
	{"GET", pathLogin, nil, (*call).login},
	{"GET", "logout", nil, (*call).logout},
	{"GET", "admin/health", nil, (*call).health},
	{"GET", "admin/tls", nil, (*call).getClientTLS},
	{"PUT", "admin/tls", nil, (*call).setClientTLS},
	{"PATCH", "admin/tls", nil, (*call).setClientTLS},
	{"GET", "admin/loginusers", nil, (*call).loginUsers},
	{"GET", "admin/currentUser", []string{"permission"}, (*call).currentUser},
	{"GET", "admin/users/{user}", []string{"permission", "group", "filter"}, (*call).getUser},
	{"GET", "admin/user", []string{"username", "permission", "group", "filter"}, (*call).getUser},
	{"GET", "admin/usergroups/{group}", []string{"filter"}, (*call).getGroup},
	{"GET", "admin/permissions", []string{"resourceScope"}, (*call).listPermissions},
	{"GET", "admin/roles", []string{"filter"}, (*call).listRoles},
	{"GET", "workspaces", []string{"includeBody"}, (*call).listCategories},
	{"POST", "workspaces", nil, (*call).createCategory},
	{"GET", "workspaces/{category}", nil, (*call).getCategory},
	{"GET", "workspaces/{category}/roles", nil, (*call).listCategoryRoles},
	{"GET", "workspaces/{category}/roles/{role}/users", nil, (*call).listRoleUsers},
	{"GET", "workspaces/{category}/roles/{role}/usergroups", nil, (*call).listRoleGroups},
	{"POST", "workspaces/{category}/roles/{role}/users", nil, (*call).grantRole},
	{"GET", "workspaces/{category}/resources", append([]string{"permissions"}, resourceQuery...),
		(*call).listCategoryResources},
	{"GET", "resources", resourceQuery, (*call).listResources},
	{"GET", "resources/{resource}", nil, (*call).getResource},
	{"GET", "resources/{resource}/branches", []string{"includeBody"}, (*call).listBranches},
	{"GET", "resources/{resource}/branches/{branch}", nil, (*call).getBranch},
	{"GET", "resources/{resource}/branches/{branch}/revisions", nil, (*call).branchRevisions},
	{"GET", "resources/{resource}/revisions", []string{"includeBody", "page", "items", "search", "formatter"},
		(*call).listRevisions},
	{"GET", "resources/{resource}/revisions/{revision}", nil, (*call).getRevision},
	{"GET", "resources/{resource}/tags", nil, (*call).listTags},
	{"GET", "resources/{resource}/tags/{tag}", nil, (*call).getTag},
	{"GET", "resources/{resource}/locks", nil, (*call).listLocks},
	{"GET", "resources/{resource}/models/decomposition", nil, (*call).getDecomposition},
}

// match compares a path with a pattern and returns the values of the variables.
func (o operation) match(path string) (map[string]string, bool) {
	parts, pattern := strings.Split(path, "/"), strings.Split(o.pattern, "/")
	vars := map[string]string{}
	if pattern[0] == "resources" && len(pattern) > 1 && parts[0] == "workspaces" && len(parts) > 2 {
		vars["category"], parts = parts[1], parts[2:]
	}
	if len(parts) != len(pattern) {
		return nil, false
	}
	for i, p := range pattern {
		if name, ok := strings.CutPrefix(p, "{"); ok && parts[i] != "" {
			vars[strings.TrimSuffix(name, "}")] = parts[i]
		} else if p != parts[i] {
			return nil, false
		}
	}
	return vars, true
}

// serve answers a request. It returns false if no server is running that could answer.
func serve(w *state.World, s *state.Server, r *http.Request, body []byte) (out reply, up bool) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if !machine.Answers(s, w.Now) {
		return reply{}, false
	}
	c := &call{Request: r, world: w, server: s, body: body}
	if !machine.Works(s, w.Now) {
		// ASSUMED: without its database the server cannot check passwords, so nothing works.
		return c.refuse(http.StatusServiceUnavailable, "Cassandra is not available"), true
	}
	out = c.dispatch()
	if c.opened {
		out.header["Set-Cookie"] = c.cookies()
	}
	return out, true
}

// dispatch finds and performs the operation of a request. It is strict, so that clients do not use what does not
// exist. ASSUMED: 400 for parameters that an operation does not have (the product may well ignore them), 405 for
// methods.
func (c *call) dispatch() reply {
	path, ok := strings.CutPrefix(c.URL.EscapedPath(), "/osmc/")
	if !ok {
		return c.notFound("path")
	}
	if path, err := url.PathUnescape(path); err == nil {
		c.path = path
	}
	var methods []string
	for _, o := range operations {
		vars, ok := o.match(c.path)
		if !ok {
			continue
		}
		if o.method == c.Method {
			c.vars = vars
			return c.perform(o)
		}
		methods = append(methods, o.method)
	}
	if len(methods) == 0 {
		return c.notFound("path")
	}
	out := c.refuse(http.StatusMethodNotAllowed, "method not allowed")
	slices.Sort(methods)
	out.header.Set("Allow", strings.Join(methods, ", "))
	return out
}

func (c *call) perform(o operation) reply {
	query, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return c.refuse(http.StatusBadRequest, "the query cannot be read")
	}
	for name, values := range query {
		if !slices.Contains(o.query, name) || len(values) != 1 {
			return c.refuse(http.StatusBadRequest, "%s has no parameter %q, or only one of it", o.pattern, name)
		}
	}
	c.query = query
	for _, name := range []string{"includeBody", "includeRemovedResource", "permission", "group", "filter",
		"resourceScope"} {
		if _, ok := readBool(query.Get(name)); !ok {
			return c.refuse(http.StatusBadRequest, "%s is neither true nor false", name)
		}
	}
	if refused := c.authenticate(); refused != nil {
		return *refused
	}
	return o.serve(c)
}

// readBool also accepts True, which public clients send (IQ, NB).
func readBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "":
		return false, true
	case "true", "false":
		return strings.EqualFold(text, "true"), true
	}
	return false, false
}

// flag returns a boolean parameter, false if it is missing. Its form is already checked.
func (c *call) flag(name string) bool {
	value, _ := readBool(c.query.Get(name))
	return value
}

// number returns a parameter that is a number not below least, or otherwise if it is missing.
func (c *call) number(name string, otherwise, least int64) (int64, *reply) {
	if !c.query.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(c.query.Get(name), 10, 64)
	if err != nil || n < least {
		out := c.refuse(http.StatusBadRequest, "%s is not a number of at least %d", name, least)
		return 0, &out
	}
	return n, nil
}

// base returns the base address of the REST interface, which many answers contain.
func (c *call) base() string {
	if c.server.URL != "" {
		return c.server.URL + "/osmc"
	}
	return "https://" + c.Host + "/osmc"
}

// sends reports whether the body's content type is kind.
func (c *call) sends(kind string) bool {
	got, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(got) == kind
}

// pairs reports whether the server answers with pairs, one of the two shapes of ld+json.
func (c *call) pairs() bool { return c.server.Shape == state.AnswersPairs }

func (c *call) redirect(status int, path string) reply {
	out := reply{status: status, header: http.Header{}}
	out.header.Set("Location", c.base()+"/"+path)
	return out
}
