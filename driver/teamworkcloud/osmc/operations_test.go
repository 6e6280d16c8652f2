package osmc

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The vendor's OpenAPI files are not part of this project. testdata/operations_RELEASE.json is a list of our own of
// what they allow: method, path, names of query parameters, media types of bodies. To make it again:
//
//	go test ./driver/teamworkcloud/osmc -run TestOperations -openapi FOLDER_WITH_twc_RELEASE.json
var openapi = flag.String("openapi", "", "the folder with the vendor's OpenAPI files: makes the lists of "+
	"operations again")

var specified = []struct {
	file    string
	release Release
}{
	{"2022xR2", Release{Year: 2022, Refresh: 2}},
	{"2024xR3", Release{Year: 2024, Refresh: 3}},
	{"2026xR1", Release{Year: 2026, Refresh: 1}},
}

// operation is one line in a list: "POST /osmc/workspaces/{id}/roles/{id}/users ?a&b application/json".
type operation struct {
	method string
	path   *regexp.Regexp
	query  []string
	media  []string
}

func operations(t *testing.T, release string) []operation {
	t.Helper()
	name := filepath.Join("testdata", "operations_"+release+".json")
	if *openapi != "" {
		writeOperations(t, filepath.Join(*openapi, "twc_"+release+".json"), name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := json.Unmarshal(text, &lines); err != nil {
		t.Fatal(err)
	}
	var out []operation
	for _, line := range lines {
		words := strings.Fields(line)
		o := operation{method: words[0], path: regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(words[1]),
			`\{id\}`, "[^/]+") + "$")}
		for _, word := range words[2:] {
			if names, ok := strings.CutPrefix(word, "?"); ok {
				o.query = strings.Split(names, "&")
			} else {
				o.media = append(o.media, word)
			}
		}
		out = append(out, o)
	}
	return out
}

func writeOperations(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	type reference struct {
		Ref string `json:"$ref"`
	}
	type parameter struct {
		reference
		Name, In string
	}
	type body struct {
		reference
		Content map[string]any
	}
	var spec struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Parameters    map[string]parameter
			RequestBodies map[string]body
		}
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for path, methods := range spec.Paths {
		var shared []parameter
		_ = json.Unmarshal(methods["parameters"], &shared)
		for method, raw := range methods {
			if !slices.Contains([]string{"get", "put", "post", "delete", "patch", "head"}, method) {
				continue
			}
			var o struct {
				Parameters  []parameter
				RequestBody body
			}
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			var query, media []string
			for _, p := range append(slices.Clone(shared), o.Parameters...) {
				if p.Ref != "" {
					p = spec.Components.Parameters[p.Ref[strings.LastIndex(p.Ref, "/")+1:]]
				}
				if p.In == "query" && !slices.Contains(query, p.Name) {
					query = append(query, p.Name)
				}
			}
			if ref := o.RequestBody.Ref; ref != "" {
				o.RequestBody = spec.Components.RequestBodies[ref[strings.LastIndex(ref, "/")+1:]]
			}
			for m := range o.RequestBody.Content {
				media = append(media, m)
			}
			slices.Sort(query)
			slices.Sort(media)
			line := strings.ToUpper(method) + " " + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "{id}")
			if len(query) > 0 {
				line += " ?" + strings.Join(query, "&")
			}
			lines = append(lines, strings.Join(append([]string{line}, media...), " "))
		}
	}
	slices.Sort(lines)
	out, _ := json.MarshalIndent(lines, "", " ")
	out = []byte(strings.NewReplacer(`\u0026`, "&").Replace(string(out)) + "\n")
	if err := os.WriteFile(to, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// among returns why a request is not one of the operations, "" if it is.
func among(all []operation, r recorded) string {
	why := "no operation has this path and method"
	for _, o := range all {
		if o.method != r.method || !o.path.MatchString(r.path) {
			continue
		}
		unknown := slices.DeleteFunc(slices.Clone(r.query), func(name string) bool { return slices.Contains(o.query, name) })
		switch {
		case len(unknown) > 0:
			why = fmt.Sprintf("the operation has no parameter %q", unknown)
		case r.body != "" && !slices.Contains(o.media, r.media):
			why = fmt.Sprintf("the operation's body is %q", o.media)
		case r.body == "" && len(o.media) > 0:
			why = "the operation has a body"
		default:
			return ""
		}
	}
	return why
}

type recorded struct {
	method, path string
	query        []string
	media, body  string
}

func record(r *http.Request) recorded {
	body, _ := io.ReadAll(r.Body)
	out := recorded{method: r.Method, path: r.URL.Path, media: r.Header.Get("Content-Type"), body: string(body)}
	for name := range r.URL.Query() {
		out.query = append(out.query, name)
	}
	slices.Sort(out.query)
	return out
}

// TestOperations checks that every request of the client is an operation in each release with a specification. The
// exception is a redirect: GET /osmc/admin/currentUser answers 307 to a URL that the specification does not list.
func TestOperations(t *testing.T) {
	const ledTo = "/osmc/admin/users/anna"
	for _, s := range specified {
		t.Run(s.file, func(t *testing.T) {
			all := operations(t, s.file)
			var mu sync.Mutex
			var requests []recorded
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				requests = append(requests, record(r))
				mu.Unlock()
				answerAnything(w, r, ledTo)
			})
			c := server.client(nil)
			driveEverything(t, c, s.release)
			if err := c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, r := range requests {
				seen[r.method+" "+r.path] = true
				if r.path == ledTo {
					continue
				}
				if why := among(all, r); why != "" {
					t.Errorf("%s %s %q %s %s: %s", r.method, r.path, r.query, r.media, r.body, why)
				}
				if strings.Contains(r.body+strings.Join(r.query, " "), "hush-hush") {
					t.Errorf("%s %s: the password is in the body or the query", r.method, r.path)
				}
			}
			for _, want := range []string{
				"GET /osmc/login", "GET /osmc/logout", "GET /osmc/version", "GET /osmc/admin/health", "GET /osmc/admin/loginusers",
				"GET /osmc/admin/tls", "PUT /osmc/admin/tls", "GET /osmc/admin/currentUser", "GET /osmc/admin/user",
				"GET /osmc/admin/roles", "GET /osmc/admin/roles/r1",
				"GET /osmc/workspaces", "POST /osmc/workspaces", "GET /osmc/workspaces/w1/resources",
				"GET /osmc/workspaces/w1/roles/r1/users",
				"GET /osmc/workspaces/w1/roles/r1/usergroups", "GET /osmc/admin/usergroups/g1", "POST /osmc/workspaces/w1/roles/r1/users", "GET /osmc/resources",
				"GET /osmc/resources/p1", "GET /osmc/resources/p1/branches", "GET /osmc/resources/p1/branches/b1",
				"GET /osmc/resources/p1/revisions", "GET /osmc/resources/p1/revisions/1", "GET /osmc/resources/p1/tags",
				"GET /osmc/resources/p1/tags/t1", "GET /osmc/resources/p1/locks",
			} {
				if !seen[want] {
					t.Errorf("%s was not made", want)
				}
			}
		})
	}
}

// answerAnything answers in the simplest form, so that everything has to be read one by one.
func answerAnything(w http.ResponseWriter, r *http.Request, ledTo string) {
	switch r.Method + " " + r.URL.Path {
	case "GET /osmc/login":
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: "0123456789"})
		w.WriteHeader(http.StatusNoContent)
	case "GET /osmc/logout":
		w.WriteHeader(http.StatusNoContent)
	case "GET /osmc/admin/currentUser":
		http.Redirect(w, r, ledTo+"?permission=true", http.StatusTemporaryRedirect)
	case "POST /osmc/workspaces", "POST /osmc/workspaces/w1/roles/r1/users":
		w.WriteHeader(http.StatusCreated)
	case "GET " + ledTo:
		w.WriteHeader(http.StatusNotFound) // as a future release may, according to the specification
	default:
		answer, ok := map[string]string{
			"/osmc/version": "2024x",
			"/osmc/admin/health": `{"cassandraClusterHealth":{"cassandraLiveNodes":[],` +
				`"cassandraUnreachableNodes":[]},"nodeHealth":[]}`,
			"/osmc/admin/loginusers":                  `[]`,
			"/osmc/admin/tls":                         `{"enabled":true,"port":10002}`,
			"/osmc/admin/user":                        `{"userName":"anna"}`,
			"/osmc/admin/roles":                       `["r1"]`,
			"/osmc/admin/roles/r1":                    `{"name":"role"}`,
			"/osmc/workspaces":                        `["w1"]`,
			"/osmc/workspaces/w1/resources":           `{"dcterms:title":"new","kerml:resources":[]}`,
			"/osmc/workspaces/w1/roles/r1/users":      `[]`,
			"/osmc/workspaces/w1/roles/r1/usergroups": `[]`,
			"/osmc/admin/usergroups/g1":               `{"roleAssignments":[],"usernames":[]}`,
			"/osmc/resources":                         `["p1"]`,
			"/osmc/resources/p1":                      `{"dcterms:title":"x"}`,
			"/osmc/resources/p1/branches":             `["b1"]`,
			"/osmc/resources/p1/branches/b1":          `{"dcterms:title":"trunk","latestRevision":1}`,
			"/osmc/resources/p1/revisions":            `[1]`,
			"/osmc/resources/p1/revisions/1":          `{"branchID":"b1","author":"a","createdDate":1}`,
			"/osmc/resources/p1/tags":                 `["t1"]`,
			"/osmc/resources/p1/tags/t1":              `{"dcterms:title":"v1","commitID":1}`,
			"/osmc/resources/p1/locks":                `[]`,
		}[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}
}

// driveEverything calls every method of the client.
func driveEverything(t *testing.T, c *Client, release Release) {
	t.Helper()
	ctx, w := t.Context(), c.Writer()
	fine := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	_, _, err := w.Version(ctx)
	fine(nil, err)
	fine(w.Health(ctx))
	fine(w.LoggedIn(ctx))
	fine(w.ClientTLS(ctx))
	fine(nil, w.SetClientTLS(ctx, ClientTLS{Enabled: true, Port: 10002, Keystore: []byte("k"),
		KeystoreName: "k.p12"}, "geheim"))
	fine(w.CurrentUser(ctx))
	fine(w.Roles(ctx))
	fine(w.CategoryRoleUsers(ctx, "w1", "r1"))
	fine(w.CategoryRoleGroups(ctx, "w1", "r1"))
	fine(w.User(ctx, "anna"))
	fine(w.GroupRoles(ctx, "g1"))
	fine(w.GroupUsers(ctx, "g1"))
	fine(w.Categories(ctx))
	fine(w.CategoryResources(ctx, "w1", true))
	fine(w.ReadableResources(ctx, "w1"))
	fine(w.Resources(ctx, true))
	fine(w.Resource(ctx, "p1"))
	_, branches, err := w.History(ctx, "p1")
	fine(branches, err)
	fine(w.Tags(ctx, "p1"))
	fine(w.Locks(ctx, "p1"))
	fine(w.CreateCategory(ctx, "new", "", nil))
	fine(nil, w.GrantCategoryRole(ctx, "w1", "r1", "anna", release))
}
