package twcsim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// plant is one category with a resource of two branches, seen by users with different rights.
const plant = `{
	"now": "2026-03-02T08:00:00Z",
	"servers": {"prod": {
		"version": "2024xR3", "answers": "plain", "sync_address": "twc.prod.example", "tls": true,
		"env": {"url": "URL", "user": "USER", "password": "PASSWORD", "token": "TOKEN", "account": "root"},
		"users": [
			{"name": "root", "password": "root-secret", "token": "root-token", "oauth_token": "root-oauth", "roles": [
				{"role": "Server Administrator"}, {"role": "Resource Manager"}, {"role": "Resource Creator"},
					{"role": "Security Manager"}]},
			{"name": "reader", "password": "reader-secret", "roles": [{"role": "Resource Reviewer",
				"categories": ["Released"]}]},
			{"name": "lister", "password": "lister-secret", "roles": [{"role": "Resource Creator"}]},
			{"name": "guest", "password": "guest-secret", "roles": [{"role": "Resource Reviewer", "resources": ["Loose"]}]},
			{"name": "nobody", "password": "nobody-secret"}
		],
		"categories": [
			{"path": "Released/Powertrain", "id": "ca700000-0000-4000-8000-000000000001",
				"description": "what others may use"},
			{"path": "Released/Body"}
		],
		"resources": [
			{"id": "0a000000-0000-4000-8000-000000000001", "project_id": "PROJECT-1", "name": "Engine",
				"category": "Released/Powertrain",
				"description": "four strokes",
				"branches": [
					{"name": "trunk", "id": "b0000000-0000-4000-8000-000000000001"},
					{"name": "hybrid", "id": "b0000000-0000-4000-8000-000000000002", "from": 3, "author": "jonas"}
				],
				"revisions": [
					{"n": 1, "author": "mira", "created": "2020-09-16T11:54:52.037Z", "description": "Initial commit"},
					{"n": 2, "author": "mira", "created": "2020-09-16T12:16:58Z"},
					{"n": 3, "author": "mira", "created": "2020-09-16T12:30:59Z", "description": "Crankshaft"},
					{"n": 4, "author": "jonas", "branch": "hybrid", "created": "2020-09-30T14:46:56Z", "description": "Motor"},
					{"n": 9, "author": "mira", "created": "2021-01-01T00:00:00Z", "description": "Merge", "merged": 4}
				],
				"tags": [{"name": "release", "revision": 3, "description": "1.0"}],
				"locks": [{"user": "mira", "branch": "hybrid", "element": "e0000000-0000-4000-8000-000000000001"}]},
			{"id": "0a000000-0000-4000-8000-000000000002", "project_id": "PROJECT-2", "name": "Old Engine",
				"category": "Released/Powertrain", "removed": true},
			{"id": "0a000000-0000-4000-8000-000000000003", "project_id": "PROJECT-3", "name": "Loose"}
		]
	}}
}`

const (
	powertrain = "ca700000-0000-4000-8000-000000000001"
	engineID   = "0a000000-0000-4000-8000-000000000001"
	oldEngine  = "0a000000-0000-4000-8000-000000000002"
	loose      = "0a000000-0000-4000-8000-000000000003"
	trunkID    = "b0000000-0000-4000-8000-000000000001"
	hybridID   = "b0000000-0000-4000-8000-000000000002"
)

// rig is a server of a world behind HTTP, with the credentials of its client.
type rig struct {
	t      *testing.T
	w      *World
	server string
	url    string
	auth   func(*http.Request)
}

func open(t testing.TB, seed string) *World {
	t.Helper()
	w, err := Open([]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// serve opens a seed with some changes and serves its server prod.
func serve(t *testing.T, seed string, changes ...string) *rig {
	t.Helper()
	w := open(t, strings.NewReplacer(changes...).Replace(seed))
	h := httptest.NewServer(w.Handler("prod"))
	t.Cleanup(h.Close)
	w.SetURL("prod", h.URL+"/osmc/")
	return &rig{t: t, w: w, server: "prod", url: h.URL, auth: basic("root")}
}

func basic(name string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, name+"-secret") }
}

func header(value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

func cookies(list []*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, c := range list {
			r.AddCookie(c)
		}
	}
}

func (g *rig) as(auth func(*http.Request)) *rig {
	out := *g
	out.auth = auth
	return &out
}

// tick advances the world's clock.
func (g *rig) tick(d time.Duration) {
	g.w.Mu.Lock()
	now := g.w.Now.Add(d)
	g.w.Mu.Unlock()
	g.w.Tick(now)
}

type answer struct {
	*http.Response
	body string
}

// send sends one request and follows no redirect.
func (g *rig) send(method, path, kind, body string) answer {
	g.t.Helper()
	out, err := g.try(method, path, kind, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

func (g *rig) try(method, path, kind, body string) (answer, error) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if g.auth != nil {
		g.auth(r)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer{res, string(b)}, nil
}

// get reads something and ends its session afterwards.
func (g *rig) get(path string) answer {
	g.t.Helper()
	out := g.send("GET", path, "", "")
	if len(out.Cookies()) == 2 {
		g.as(cookies(out.Cookies())).send("GET", "/osmc/logout", "", "")
	}
	return out
}

func (g *rig) status(path string, want int) answer {
	g.t.Helper()
	out := g.get(path)
	if out.StatusCode != want {
		g.t.Fatalf("GET %s: %d, want %d\n%s", path, out.StatusCode, want, out.body)
	}
	return out
}

// is checks an answer's whole body. BASE stands for the address of the interface.
func (g *rig) is(path, want string) {
	g.t.Helper()
	out := g.status(path, 200)
	same(g.t, path, strings.ReplaceAll(out.body, g.url+"/osmc", "BASE"), want)
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

// TestPlainAnswers checks the forms in the vendor's OpenAPI files, compared by hand with their examples.
func TestPlainAnswers(t *testing.T) {
	g := serve(t, plant)
	released := g.w.Named["prod"].CategoryByPath("Released").ID
	body := g.w.Named["prod"].CategoryByPath("Released/Body").ID
	tag := g.w.Named["prod"].Resource("Engine").Tags[0].ID
	for path, want := range map[string]string{
		"/osmc/workspaces": fmt.Sprintf(`{"@context": "BASE/schemas/workspaces", "@id": "", "@type": ["ldp:BasicContainer"],
			"ldp:contains": [{"@id": %q}, {"@id": %q}, {"@id": %q}]}`, released, powertrain, body),
		"/osmc/workspaces/" + powertrain + "/resources": fmt.Sprintf(`[
			{"@context": "BASE/schemas/workspaceContainer", "@id": "", "@type": ["ldp:DirectContainer", "kerml:Workspace"],
				"ldp:hasMemberRelation": "kerml:resources", "ldp:membershipResource": {"@id": "#it"}},
			{"@context": "BASE/schemas/workspace", "@id": {"@id": "#it"}, "@type": ["kerml:Workspace"],
				"dcterms:title": "Powertrain",
				"dcterms:description": "what others may use", "kerml:categories": [], "kerml:parentID": %q,
					"kerml:resources": [{"@id": %q}]}
		]`, released, engineID),
		"/osmc/resources": fmt.Sprintf(`{"@context": "BASE/schemas/resources", "@id": "", "@type": ["ldp:BasicContainer"],
			"ldp:contains": [{"@id": %q}, {"@id": %q}]}`, engineID, loose),
		"/osmc/resources/" + engineID: fmt.Sprintf(`{"@base": "BASE/workspaces/%s/resources/%s", "@context": "BASE/schemas/resource",
			"@type": "kerml:Resource", "categoryID": %q, "dcterms:title": "Engine.MASTER",
				"dcterms:description": "four strokes",
			"kerml:branches": [{"@id": %q}, {"@id": %q}], "removed": false,
			"metadata": {"name": "Engine.MASTER", "PROJECT_ID": "PROJECT-1"}}`, powertrain, engineID, powertrain,
			trunkID, hybridID),
		"/osmc/resources/" + engineID + "/branches": fmt.Sprintf(`{"@context": "BASE/schemas/branches", "@id": "",
			"@type": ["ldp:BasicContainer"], "ldp:contains": [{"@id": %q}, {"@id": %q}]}`, trunkID, hybridID),
		"/osmc/resources/" + engineID + "/branches/" + hybridID: fmt.Sprintf(`[
			{"@context": "BASE/schemas/branchContainer", "@id": "", "@type": ["ldp:DirectContainer", "kerml:Branch"],
				"ldp:contains": [4, 3, 2, 1], "ldp:hasMemberRelation": "kerml:revisions",
					"ldp:membershipResource": {"@id": "#it"}},
			{"@context": "BASE/schemas/branch", "@id": {"@id": "#it"}, "@type": ["kerml:Branch"], "ID": %q, "author": "jonas",
				"createdDate": 1601477216, "dcterms:title": "hybrid", "kerml:revisions": [4, 3, 2, 1], "latestRevision": 4,
				"resourceID": %q, "startRevision": 3, "metadata": {}}
		]`, hybridID, engineID),
		"/osmc/resources/" + engineID + "/revisions": `[9, 4, 3, 2, 1]`,
		"/osmc/resources/" + engineID + "/revisions?includeBody=true&page=1&items=1": fmt.Sprintf(`[{"ID": 9, "author": "mira",
			"branchID": %q, "branchName": "trunk", "commitType": "NORMAL", "createdDate": 1609459200, "dependencies": [],
			"description": "Merge", "directParent": 3, "pickedRevision": -1, "resourceID": %q}]`, trunkID, engineID),
		"/osmc/resources/" + engineID + "/revisions/9": fmt.Sprintf(`{
			"@base": "BASE/workspaces/%s/resources/%s/branches/%s/revisions/9", "@context": "BASE/schemas/revision",
				"EPackageIDs": [],
			"ID": "", "artifacts": "artifacts", "author": "mira", "branchID": "../..", "commitDate": 1609459200000,
			"createdDate": 1609459200, "dependencies": [], "dependencyImpls": [], "description": "Merge", "directParent": 3,
			"mergedParent": 4, "resourceID": "../../..", "rootObjectIDs": [%q]}`, powertrain, engineID, trunkID,
			state.UUIDOf("root "+engineID)),
		"/osmc/resources/" + engineID + "/tags": fmt.Sprintf(`{"@base": "BASE/workspaces/%s/resources/%s/tags",
			"@context": "BASE/schemas/tags", "@id": "", "@type": ["ldp:BasicContainer"], "ldp:contains": [{"@id": %q}]}`,
			powertrain, engineID, tag),
		"/osmc/resources/" + engineID + "/tags/" +
			tag: `{"@context": "BASE/schemas/tag", "@type": ["kerml:Tag", "ldp:DirectContainer"],
			"commitID": 3, "dcterms:title": "release", "dcterms:description": "1.0"}`,
		"/osmc/resources/" + engineID + "/locks": fmt.Sprintf(`[{"branchId": %q, "branchName": "hybrid",
			"elementAndBranchId": {"branchID": %q, "elementID": "e0000000-0000-4000-8000-000000000001"},
			"esiObjectId": "e0000000-0000-4000-8000-000000000001", "lockType": "OBJECTLOCK", "locked": true,
				"notLocked": false,
			"resourceId": %q, "resourceName": "Engine", "username": "mira"}]`, hybridID, hybridID, engineID),
	} {
		g.is(path, want)
		if rest, ok := strings.CutPrefix(path, "/osmc/resources/"+engineID); ok { // the same below its category
			g.is("/osmc/workspaces/"+powertrain+"/resources/"+engineID+rest, want)
			g.status("/osmc/workspaces/"+released+"/resources/"+engineID+rest, 404)
		}
	}
	// includeBody has no effect on lists of IDs.
	for _, path := range []string{"/osmc/workspaces", "/osmc/resources", "/osmc/workspaces/" + powertrain +
		"/resources"} {
		same(t, path, g.get(path+"?includeBody=true").body, g.get(path).body)
	}
}

// TestPairsAnswers checks the forms that public clients show of real servers: OMBEE-SYNC's fixtures, NB, IQ.
func TestPairsAnswers(t *testing.T) {
	g := serve(t, plant, `"answers": "plain"`, `"answers": "pairs"`)
	branch := func(id, name, author string, created, start, latest int) string {
		return fmt.Sprintf(`[
			{"@context": "BASE/schemas/branchContainer", "@id": %q, "@type": ["ldp:DirectContainer", "kerml:Branch"],
				"ldp:hasMemberRelation": "kerml:revisions", "ldp:membershipResource": {"@id": "#%s"}},
			{"@context": "BASE/schemas/branch", "@id": "#%s", "@type": ["kerml:Branch"], "ID": %q, "author": %q,
				"authorInfo": {"deleted": false, "name": %q}, "createdDate": %d, "dcterms:title": %q, "latestRevision": %d,
				"resourceID": %q, "startRevision": %d, "metadata": {}}
		]`, id, id, id, id, author, author, created, name, latest, engineID, start)
	}
	for path, want := range map[string]string{
		"/osmc/resources/" + engineID + "/branches?includeBody=true": `{"@context": "BASE/schemas/branches", "@id": "",
			"@type": ["ldp:BasicContainer"], "ldp:contains": [` + branch(trunkID, "trunk", "mira", 1600257292, 1, 9) + `,` +
			branch(hybridID, "hybrid", "jonas", 1601477216, 3, 4) + `]}`,
		"/osmc/resources/" + engineID + "/revisions?includeBody=True&page=2&items=3": fmt.Sprintf(`[
			{"ID": 2, "author": "mira", "authorInfo": {"deleted": false, "name": "mira"}, "branchID": %q,
				"commitType": "NORMAL",
				"createdDate": 1600258618, "dependencies": [], "description": "", "directParent": 1, "pickedRevision": -1,
				"resourceID": %q, "rootObjectIDs": [%q]},
			{"ID": 1, "author": "mira", "authorInfo": {"deleted": false, "name": "mira"}, "branchID": %q,
				"commitType": "NORMAL",
				"createdDate": 1600257292, "dependencies": [], "description": "Initial commit", "directParent": -1,
				"pickedRevision": -1, "resourceID": %q, "rootObjectIDs": [%q]}
		]`, trunkID, engineID, state.UUIDOf("root "+engineID), trunkID, engineID, state.UUIDOf("root "+engineID)),
		"/osmc/resources/" + engineID + "/revisions/4": fmt.Sprintf(`[{"@base": "BASE/workspaces/%s/resources/%s/revisions/4/elements",
			"@context": "BASE/schemas/revision", "@type": ["RDFSource", "kerml:Revision"], "ID": "", "artifacts": "artifacts",
			"author": "jonas", "authorInfo": {"deleted": false, "name": "jonas"}, "branchID": "../../../branches/%s",
			"commitType": "NORMAL", "createdDate": 1601477216, "dependencies": [], "description": "Motor", "directParent": 3,
			"pickedRevision": -1, "resourceID": "../../..", "rootObjectIDs": [%q]}]`, powertrain, engineID, hybridID,
			state.UUIDOf("root "+engineID)),
	} {
		g.is(path, want)
	}
	var list struct {
		Contains [][]map[string]any `json:"ldp:contains"`
	}
	decode(t, g.get("/osmc/workspaces?includeBody=true").body, &list)
	// as NB reads it
	if got := list.Contains[1]; got[0]["@id"] != powertrain || got[1]["dcterms:title"] != "Powertrain" {
		t.Errorf("pairs of categories: %v", got)
	}
	decode(t, g.get("/osmc/resources?includeBody=true").body, &list)
	if got := list.Contains[0]; got[0]["@id"] != engineID || got[1]["ID"] != engineID ||
		got[1]["dcterms:title"] != "Engine" {
		t.Errorf("pairs of resources: %v", got)
	}
	var pair []map[string]any
	decode(t, g.get("/osmc/workspaces/"+powertrain+"/resources?includeBody=True").body, &pair)
	one := pair[1]["kerml:resources"].([]any)[0].(map[string]any) // as IQ reads it
	if one["ID"] != engineID || one["dcterms:title"] != "Engine" ||
		one["metadata"].(map[string]any)["name"] != "Engine.master" {
		t.Errorf("resources of a category: %v", one)
	}
}

func decode(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func TestTypesOfAnswers(t *testing.T) {
	g := serve(t, plant)
	for path, want := range map[string]string{
		"/osmc/version": "text/plain", "/osmc/admin/health": "application/json", "/osmc/workspaces": "application/ld+json",
		"/osmc/resources/" + engineID: "application/ld+json", "/osmc/resources/" + engineID +
			"/revisions": "application/json",
	} {
		out := g.status(path, 200)
		if got := out.Header.Get("Content-Type"); got != want+";charset=UTF-8" {
			t.Errorf("%s: %s", path, got)
		}
		if got := out.Header.Get("Server"); got != "Restlet-Framework/2.2.3" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestRedirects(t *testing.T) {
	g := serve(t, plant)
	for path, want := range map[string]string{
		"/osmc/admin/currentUser":                 "307 /osmc/admin/users/root",
		"/osmc/admin/currentUser?permission=true": "307 /osmc/admin/users/root?permission=true",
		"/osmc/workspaces/" + powertrain: "301 /osmc/workspaces/" + powertrain +
			"/resources",
		"/osmc/resources/" + engineID + "/branches/" + trunkID + "/revisions": "301 /osmc/workspaces/" + powertrain +
			"/resources/" + engineID + "/branches/" + trunkID,
	} {
		out := g.get(path)
		if got := fmt.Sprintf("%d %s", out.StatusCode, strings.TrimPrefix(out.Header.Get("Location"), g.url)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	out := g.as(nil).get("/osmc/admin/currentUser")
	if out.StatusCode != 401 {
		t.Errorf("without credentials: %d", out.StatusCode)
	}
}

func TestRefusals(t *testing.T) {
	g := serve(t, plant)
	for path, want := range map[string]int{
		"/":                              404,
		"/osmc":                          404,
		"/osmc/":                         404,
		"/osmc/workspaces/":              404,
		"/osmc/remote":                   404,
		"/osmc/version/":                 404,
		"/osmc/version?x=1":              400,
		"/osmc/version?%zz":              400,
		"/osmc/workspaces?includeBody=1": 400,
		"/osmc/workspaces?includeBody=true&includeBody=true":             400,
		"/osmc/workspaces?permissions=x":                                 400,
		"/osmc/workspaces/" + loose:                                      404,
		"/osmc/workspaces/" + loose + "/resources":                       404,
		"/osmc/workspaces/" + powertrain + "/resources?permissions=read": 400,
		"/osmc/resources?modifiedDate=yesterday":                         400,
		"/osmc/resources/Engine":                                         404, // a name is not an ID
		"/osmc/resources/" + powertrain:                                  404,
		"/osmc/resources/" + engineID + "/branches/trunk":                404,
		"/osmc/resources/" + engineID + "/revisions/5":                   404,
		"/osmc/resources/" + engineID + "/revisions/x":                   404,
		"/osmc/resources/" + engineID + "/revisions?page=0&items=1":      400,
		"/osmc/resources/" + engineID + "/revisions?page=1&items=0":      400,
		"/osmc/resources/" + engineID + "/revisions?page=a":              400,
		"/osmc/resources/" + engineID + "/tags/release":                  404,
		"/osmc/admin/users/mira":                                         404,
		"/osmc/workspaces/" + powertrain + "/roles/x/users":              404,
	} {
		g.status(path, want)
	}
	for method, path := range map[string]string{
		"POST": "/osmc/login", "PUT": "/osmc/workspaces", "PATCH": "/osmc/resources/" + engineID,
		"DELETE": "/osmc/resources/" + engineID,
		"HEAD":   "/osmc/version", "OPTIONS": "/osmc/workspaces",
	} {
		out := g.send(method, path, "", "")
		if out.StatusCode != 405 || !strings.HasPrefix(out.Header.Get("Allow"), "GET") {
			t.Errorf("%s %s: %d, Allow %q", method, path, out.StatusCode, out.Header.Get("Allow"))
		}
	}
	if out := g.send("GET", "/osmc/version", "", strings.Repeat("x", rest.MaxBody+1)); out.StatusCode != 413 {
		t.Errorf("a body without end: %d", out.StatusCode)
	}
	h := httptest.NewRecorder()
	g.w.Handler("other").ServeHTTP(h, httptest.NewRequest("GET", "/osmc/version", nil))
	if h.Code != 404 {
		t.Errorf("an unknown server: %d", h.Code)
	}
}

func TestPaging(t *testing.T) {
	seed := `{"servers": {"prod": {"version": "2026x", "paging": "PAGING", "users": [
		{"name": "root", "password": "root-secret", "roles": [{"role": "Resource Reviewer"}]}],
		"resources": [{"id": "` + engineID + `", "name": "Long", "generate": {"revisions": 7, "gap_every": 4}}]}}}`
	for paging, wants := range map[string]map[string]string{
		// 1 2 3 5 6 7 9: numbers 4 and 8 are missing.
		"number": {"page=1&items=3": "[9,7,6]", "page=2&items=3": "[5,3,2]", "page=3&items=3": "[1]",
			"page=4&items=3": "[]", "page=2": "[]"},
		"position": {"page=1&items=3": "[9,7,6]", "page=2&items=3": "[7,6,5]", "page=6&items=3": "[2,1]",
			"page=8&items=3": "[]", "page=3": "[6,5,3,2,1]"},
	} {
		g := serve(t, seed, "PAGING", paging)
		wants[""], wants["items=2"], wants["page=1&items=99999"] = "[9,7,6,5,3,2,1]", "[9,7]", "[9,7,6,5,3,2,1]"
		wants["page=9223372036854775807&items=9223372036854775807"] = "[]"
		for query, want := range wants {
			if got := g.status("/osmc/resources/"+engineID+"/revisions?"+query, 200).body; got != want {
				t.Errorf("%s: %s: %s, want %s", paging, query, got, want)
			}
			var bodies []struct{ ID int }
			numbers := []int{}
			decode(t, g.get("/osmc/resources/"+engineID+"/revisions?includeBody=true&"+query).body, &bodies)
			for _, b := range bodies {
				numbers = append(numbers, b.ID)
			}
			if got, _ := json.Marshal(numbers); string(got) != want {
				t.Errorf("%s: %s with bodies: %s, want %s", paging, query, got, want)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	g := serve(t, plant)
	for search, want := range map[string]string{"JONAS": "[4]", "release": "[3]", "crank": "[3]", "hyb": "[4]",
		"9": "[9]", "none": "[]"} {
		if got := g.status("/osmc/resources/"+engineID+"/revisions?search="+search, 200).body; got != want {
			t.Errorf("%s: %s, want %s", search, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	for dates, want := range map[string]string{
		"seconds": `1600257292`, "millis": `1600257292037`, "compact": `"20200916115452037"`,
		"text": `"Wed Sep 16 11:54:52 UTC 2020"`,
	} {
		for _, shape := range []string{"plain", "pairs"} {
			g := serve(t, plant, `"answers": "plain"`, `"answers": "`+shape+`", "dates": "`+dates+`"`)
			for _, path := range []string{"/revisions?includeBody=true", "/revisions/1", "/branches/" + trunkID} {
				if body := g.status("/osmc/resources/"+engineID+path, 200).body; !strings.Contains(body, `"createdDate":`+want) {
					t.Errorf("%s, %s: %s has no %s\n%s", dates, shape, path, want, body)
				}
			}
		}
	}
}

func TestSelections(t *testing.T) {
	g := serve(t, plant)
	for path, want := range map[string]string{
		"/osmc/resources?includeRemovedResource=true": engineID + " " + oldEngine +
			" " + loose,
		"/osmc/resources?includeRemovedResource=false":                              engineID + " " + loose,
		"/osmc/resources?modifiedDate=1609459199999":                                engineID,
		"/osmc/resources?modifiedDate=1609459200000":                                "",
		"/osmc/workspaces/" + powertrain + "/resources":                             engineID,
		"/osmc/workspaces/" + powertrain + "/resources?includeRemovedResource=true": engineID + " " + oldEngine,
		"/osmc/workspaces/" + powertrain + "/resources?permissions=" +
			state.ReadResources: engineID,
		"/osmc/workspaces/" + powertrain + "/resources?permissions=" + state.ReadResources + "," +
			loose: "",
		"/osmc/workspaces/" + powertrain + "/resources?includeRemovedResource=true&permissions=" +
			state.ReadResources + "," + state.Administer: engineID + " " + oldEngine,
	} {
		if got := listed(g.status(path, 200).body); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if body := g.status("/osmc/resources/"+oldEngine, 200).body; !strings.Contains(body, `"removed":true`) {
		t.Errorf("a removed resource: %s", body)
	}
}

// listed returns the IDs of resources in an answer, in the order of the seed.
func listed(body string) string {
	var out []string
	for _, id := range []string{engineID, oldEngine, loose} {
		if strings.Contains(body, `{"@id":"`+id+`"}`) {
			out = append(out, id)
		}
	}
	return strings.Join(out, " ")
}

// TestArrayOfResources checks the other form of the list, which has only the IDs.
func TestArrayOfResources(t *testing.T) {
	g := serve(t, plant, `"tls": true,`, `"tls": true, "resource_list": "array",`)
	g.is("/osmc/resources?includeBody=true", fmt.Sprintf(`[%q, %q]`, engineID, loose))
}
