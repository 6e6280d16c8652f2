package osmc

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/rest"
)

// answers is a stand-in server that accepts every login. The keys are "METHOD uri", or only the path. A value that is
// a number is a status, and one that begins with > is a redirect.
type answers map[string]string

// serve answers from a copy: a request that was given up may still be read when the test goes on to another answer.
func (a answers) serve(t *testing.T) *server {
	t.Helper()
	a = maps.Clone(a)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/osmc/login" {
			w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		body, ok := a[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			body, ok = a[r.URL.Path]
		}
		code := 0
		switch _, err := fmt.Sscanf(body, "%d", &code); {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case strings.HasPrefix(body, ">"):
			w.Header().Set("Location", body[1:])
			w.WriteHeader(http.StatusTemporaryRedirect)
		case err == nil && code >= 400:
			w.WriteHeader(code)
		default:
			_, _ = io.WriteString(w, body)
		}
	})
}

func (a answers) reader(t *testing.T) Reader {
	t.Helper()
	return a.serve(t).client(nil).Reader()
}

func TestVersion(t *testing.T) {
	for body, want := range map[string]Release{
		"18.5": {}, "\ufeff 2024x Refresh3 Hot Fix 1\n": {2024, 3, 1}, "TWC: 2026x\nOSMC: 19.0\nrevision: " +
			"\xff": {Year: 2026}, `"2022x"`: {Year: 2022},
	} {
		text, r, err := answers{"/osmc/version": body}.reader(t).Version(t.Context())
		if err != nil || r != want || text == "" || text != strings.TrimSpace(text) || strings.HasPrefix(text, "\ufeff") {
			t.Errorf("%q: got %q, %v, %v", body, text, r, err)
		}
	}
	for body, want := range map[string]string{"": "answers nothing", " \n": "answers nothing",
		"<html><title>Welcome</title>": `an HTML page titled "Welcome"`, "503": "status 503"} {
		if _, _, err := (answers{"/osmc/version": body}).reader(t).Version(t.Context()); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", body, err, want)
		}
	}
}

// TestVersionWithoutEnd checks that what a server says of itself is bounded: it is shown, and looked through for
// secrets, and 50 MB took 14 GB of memory.
func TestVersionWithoutEnd(t *testing.T) {
	longest := "TWC 2024x" + strings.Repeat(" a", (longestVersion-9)/2)
	for body, ok := range map[string]bool{longest: true, longest + "\x1b\x1b": false} {
		text, _, err := answers{"/osmc/version": body}.reader(t).Version(t.Context())
		if (err == nil) != ok || (err == nil) != (text != "") || err != nil && len(err.Error()) > 1000 {
			t.Errorf("%d bytes: got %d bytes, %v", len(body), len(text), err)
		}
	}
}

// TestWhatErrorsSay checks that an error says which request it is about, what was answered instead, and where.
func TestWhatErrorsSay(t *testing.T) {
	for body, want := range map[string]string{
		`{"ldp:contains":[{"commitID":1}]}`: `reading the tags of resource p1: GET http://127.0.0.1`,
		`{"ldp:contains":[{"@id":"x","commitID":{}}]}`: "/osmc/resources/p1/tags: status 200 (OK): the answer is not " +
			"the JSON that was expected: ldp:contains[0] has no dcterms:title: it is an object with @id, commitID",
		``:                                   "answered nothing where JSON was expected",
		`<html><body>no title</body></html>`: "answered with an HTML page where JSON was expected",
		`<html><title>Log in - Teamwork Cloud</title></html>`: "answered with a login page: are the credentials right?",
		`{"ldp:contains":[`:            "it ends too early",
		`[] []`:                        "invalid character",
		`{"message":"internal error"}`: "has no ldp:contains or tags: it is an object with message",
		`>https://auth.example:8443/authentication/authorize?x=y`: "a redirect to another server, https://auth.example:8443",
		`>/osmc/login.html`: "a login page: are the credentials right?",
		`500`:               "status 500",
	} {
		_, err := answers{"/osmc/resources/p1/tags": body}.reader(t).Tags(t.Context(), "p1")
		if err == nil || !strings.Contains(err.Error(), want) || IsGone(err) || NotAllowed(err) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
	for status, is := range map[string]func(error) bool{"404": IsGone, "403": NotAllowed} {
		_, err := answers{"/osmc/resources/p1/tags": status}.reader(t).Tags(t.Context(), "p1")
		if !is(err) || IsGone(err) && NotAllowed(err) {
			t.Errorf("%s: got %v", status, err)
		}
		// An error about a tag says nothing about the resource.
		_, err = answers{"/osmc/resources/p1/tags": `["t1"]`,
			"/osmc/resources/p1/tags/t1": status}.reader(t).Tags(t.Context(), "p1")
		if err == nil || IsGone(err) || NotAllowed(err) || !rest.IsStatus(err, 403, 404) {
			t.Errorf("%s: got %v", status, err)
		}
	}
	if IsGone(nil) || NotAllowed(nil) || WasSent(nil) != rest.SentYes || WasSent(errors.New("x")) != rest.SentMaybe {
		t.Error("errors of others")
	}
}

func TestCurrentUser(t *testing.T) {
	const anna = `{"userName":"anna","roleAssignments":[{"roleID":"r1"}]}`
	want := &User{Name: "anna", RoleAssignments: []RoleAssignment{{RoleID: "r1"}}}
	for name, a := range map[string]answers{
		"leads on": {"/osmc/admin/currentUser": ">/osmc/admin/users/anna?permission=true",
			"GET /osmc/admin/users/anna?permission=true": anna},
		"answers itself": {"/osmc/admin/currentUser": anna},
		"leads to nothing": {"/osmc/admin/currentUser": ">/osmc/admin/users/anna",
			"GET /osmc/admin/user?permission=true&username=anna": anna},
		"leads elsewhere": {"/osmc/admin/currentUser": ">https://10.0.0.1:8111/osmc/admin/users/anna",
			"GET /osmc/admin/user?permission=true&username=anna": anna},
		"looks like a login": {"/osmc/admin/currentUser": ">/osmc/admin/users/sso-anna",
			"GET /osmc/admin/user?permission=true&username=anna": anna},
		"knows it no more": {"GET /osmc/admin/user?permission=true&username=anna": anna},
	} {
		got, err := a.reader(t).CurrentUser(t.Context())
		if err != nil || !cmp.Equal(got, want, exported) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	// With a token no user need be declared: the cookie has the name.
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", userCookie+`="anna"; Path=/osmc`)
		if r.URL.RequestURI() != "/osmc/admin/user?permission=true&username=anna" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, anna)
	})
	c := s.client(func(o *Options) { o.User, o.Password, o.Token = "", "", "sesame" })
	if got, err := c.Reader().CurrentUser(t.Context()); err != nil || !cmp.Equal(got, want, exported) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := (answers{"/osmc/admin/currentUser": "403"}).reader(t).CurrentUser(t.Context()); !NotAllowed(err) {
		t.Errorf("got %v", err)
	}
}

func TestCategoriesAreCompleted(t *testing.T) {
	want := []Category{
		{"w1", "Released", "", []string{"p1"}}, {"w2", "Powertrain", "w1", []string{"p2", "p3"}}, {"w3", "Empty",
			"w2", []string{}},
	}
	for name, a := range map[string]answers{
		"ids alone": {
			"GET /osmc/workspaces?includeBody=true": `{"ldp:contains":[{"@id":"w3"},{"@id":"w1"},{"@id":"w2"}]}`,
			"/osmc/workspaces/w1/resources": `[{"@id":"","ldp:membershipResource":{"@id":"#it"}},` +
				`{"@id":{"@id":"#it"},"dcterms:title":"Released","dcterms:description":"out",` +
				`"kerml:categories":[{"@id":"w2"}],"kerml:resources":[{"@id":"p1"}]}]`,
			"/osmc/workspaces/w2/resources": `{"dcterms:title":"Powertrain","kerml:resources":["p3","p2"]}`,
			"/osmc/workspaces/w3/resources": `{"dcterms:title":"Empty","kerml:parentID":"w2","kerml:resources":[]}`,
		},
		"without resources": {
			"/osmc/workspaces": `[[{"@id":"w1"},{"dcterms:title":"Released","dcterms:description":"out"}],[{"@id":"w2"},` +
				`{"dcterms:title":"Powertrain","kerml:parentID":"w1"}],
				[{"@id":"w3"},{"dcterms:title":"Empty","kerml:parentID":"w2","kerml:resources":[]}]]`,
			"/osmc/workspaces/w1/resources": `["p1"]`,
			"/osmc/workspaces/w2/resources": `[{"ID":"p2","dcterms:title":"not the category's"},{"ID":"p3",` +
				`"dcterms:title":"x"}]`,
		},
	} {
		got, err := a.reader(t).Categories(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, err := answers{"/osmc/workspaces": `["w1"]`,
		"/osmc/workspaces/w1/resources": `{"dcterms:title":"x"}`}.reader(t).Categories(t.Context())
	if err == nil || !strings.Contains(err.Error(), "/osmc/workspaces/w1/resources: ") ||
		!strings.Contains(err.Error(), "has no kerml:resources") {
		t.Errorf("got %v", err)
	}
}

func TestResourcesInCategory(t *testing.T) {
	const in = "GET /osmc/workspaces/w%2F1/resources"
	a := answers{
		in + "?includeRemovedResource=false":                     `{"kerml:resources":["p1"]}`,
		in + "?includeRemovedResource=true":                      `{"kerml:resources":["p2",{"ID":"p1","removed":true}]}`,
		in + "?permissions=9649cb30-6933-49f1-b309-7aade63340cc": `{"kerml:resources":[]}`,
	}
	r := a.reader(t)
	for i, want := range [][]string{{"p1"}, {"p1", "p2"}} {
		if got, err := r.CategoryResources(t.Context(), "w/1", i == 1); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if got, err := r.ReadableResources(t.Context(), "w/1"); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := r.CategoryResources(t.Context(), "..", true); err == nil || !strings.Contains(err.Error(),
		"would lead elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestResourcesAreCompleted(t *testing.T) {
	a := answers{
		"GET /osmc/resources?includeBody=true&includeRemovedResource=true": `["p4","p1","p2","p3"]`,
		"GET /osmc/resources?includeBody=true&includeRemovedResource=false": `[{"ID":"p1","dcterms:title":"x"},` +
			`{"ID":"p4","dcterms:title":"y","removed":true}]`,
		"/osmc/resources/p1": `{"dcterms:title":"One.MASTER","metadata":{"PROJECT_ID":"P-1"}}`,
		"/osmc/resources/p2": "403",
		// and p3 is not found
		"/osmc/resources/p4": `{"dcterms:title":"Four","removed":true}`,
	}
	got, err := a.reader(t).Resources(t.Context(), true)
	want := []Resource{{ID: "p1", Title: "One.MASTER", Name: "One", ProjectID: "P-1"}, {ID: "p2",
		Unreadable: true}, {ID: "p3", Removed: true, Unreadable: true}, {ID: "p4", Title: "Four", Name: "Four",
		Removed: true}}
	if err != nil || !cmp.Equal(got, want, exported) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = a.reader(t).Resources(t.Context(), false)
	if err != nil || len(got) != 1 || got[0].ID != "p1" {
		t.Errorf("got %+v, %v", got, err)
	}
	// which resources are removed stays unknown
	a["GET /osmc/resources?includeBody=true&includeRemovedResource=false"] = "500"
	if _, err = a.reader(t).Resources(t.Context(), true); !rest.IsStatus(err, 500) {
		t.Errorf("got %v", err)
	}
	a["/osmc/resources/p1"] = "500"
	if _, err = a.reader(t).Resources(t.Context(), true); !rest.IsStatus(err, 500) {
		t.Errorf("got %v", err)
	}
	a["/osmc/resources/p1"] = `{"error":"none"}`
	if _, err = a.reader(t).Resource(t.Context(), "p1"); err == nil || !strings.Contains(err.Error(),
		"has no dcterms:title: it is an object with error") {
		t.Errorf("got %v", err)
	}
}

func TestOrder(t *testing.T) {
	a := answers{
		"/osmc/resources/p1/revisions":   `[]`,
		"/osmc/resources/p1/branches":    `{"ldp:contains":["b2","b1","b3"]}`,
		"/osmc/resources/p1/branches/b1": `{"dcterms:title":"trunk","latestRevision":9,"startRevision":1}`,
		"/osmc/resources/p1/branches/b2": `{"dcterms:title":"b","latestRevision":9,"startRevision":4}`,
		"/osmc/resources/p1/branches/b3": `{"dcterms:title":"a","latestRevision":9,"startRevision":4}`,
		"/osmc/resources/p1/tags":        `{"ldp:contains":["t2","t1"]}`,
		"/osmc/resources/p1/tags/t1":     `{"dcterms:title":"z","commitID":2}`,
		"/osmc/resources/p1/tags/t2":     `{"dcterms:title":"a","commitID":3}`,
		"/osmc/resources/p1/locks": `[{"username":"b"},{"username":"a","esiObjectId":"2"},{"username":"a",` +
			`"esiObjectId":"1"}]`,
		"/osmc/admin/roles":    `["r1","r2"]`,
		"/osmc/admin/roles/r1": `{"name":"z"}`,
		"/osmc/admin/roles/r2": `{"name":"a"}`,
	}
	r := a.reader(t)
	var got []string
	_, branches, err := r.History(t.Context(), "p1")
	for _, b := range branches {
		got = append(got, b.ID)
	}
	tags, err2 := r.Tags(t.Context(), "p1")
	for _, one := range tags {
		got = append(got, one.ID)
	}
	locks, err3 := r.Locks(t.Context(), "p1")
	for _, l := range locks {
		got = append(got, l.User+l.Element)
	}
	roles, err4 := r.Roles(t.Context())
	for _, one := range roles {
		got = append(got, one.ID)
	}
	if err := errors.Join(err, err2, err3, err4); err != nil || strings.Join(got, " ") != "b1 b3 b2 t1 t2 a1 a2 b r2 r1" {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestEach checks that what is read one by one is read a few at a time, and that the first failure stops it.
func TestEach(t *testing.T) {
	var mu sync.Mutex
	list, failing, under, most := []string{}, "", 0, 0
	for i := range 100 {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint("t", i)))
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		under++
		most = max(most, under)
		mu.Unlock()
		defer func() { mu.Lock(); under--; mu.Unlock() }()
		switch r.URL.Path {
		case "/osmc/login":
			w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
			w.WriteHeader(http.StatusNoContent)
		case "/osmc/resources/p1/tags":
			_, _ = io.WriteString(w, "["+strings.Join(list, ",")+"]")
		case "/osmc/resources/p1/tags/" + failing:
			w.WriteHeader(http.StatusTeapot)
		default:
			var i int
			if _, err := fmt.Sscanf(r.URL.Path, "/osmc/resources/p1/tags/t%d", &i); err == nil && failing != "" && i > 7 {
				<-r.Context().Done() // until the client gives up
				return
			}
			_, _ = io.WriteString(w, `{"dcterms:title":"x","commitID":1}`)
		}
	})
	c := s.client(nil)
	got, err := c.Reader().Tags(t.Context(), "p1")
	if err != nil || len(got) != 100 || most > atOnce {
		t.Errorf("%d tags, %d at once, %v", len(got), most, err)
	}
	failing = "t7"
	if _, err := c.Reader().Tags(t.Context(), "p1"); !rest.IsStatus(err, http.StatusTeapot) {
		t.Errorf("got %v", err)
	}
	if n := s.count("GET /osmc/resources/p1/tags/"); n > 100+7+atOnce {
		t.Errorf("%d requests after a failure", n-100)
	}
}

// TestMissingFromAListIsNotRemoved checks that a resource missing in the list without removed ones is read alone.
func TestMissingFromAListIsNotRemoved(t *testing.T) {
	a := answers{
		"GET /osmc/resources?includeBody=true&includeRemovedResource=true": `[{"ID":"p1","dcterms:title":"One"},` +
			`{"ID":"p2","dcterms:title":"Two"},{"ID":"p3","dcterms:title":"Three"},{"ID":"p4","dcterms:title":"Four"}]`,
		"GET /osmc/resources?includeBody=true&includeRemovedResource=false": `["p4"]`,
		"/osmc/resources/p1": `{"dcterms:title":"One","removed":false}`,
		"/osmc/resources/p2": `{"dcterms:title":"Two","removed":true}`,
		"/osmc/resources/p3": "404",
	}
	got, err := a.reader(t).Resources(t.Context(), true)
	want := []Resource{{ID: "p1", Title: "One", Name: "One"}, {ID: "p2", Title: "Two", Name: "Two", Removed: true},
		{ID: "p3", Title: "Three", Name: "Three", Removed: true, Unreadable: true}, {ID: "p4", Title: "Four", Name: "Four"}}
	if err != nil || !cmp.Equal(got, want, exported) {
		t.Errorf("got %+v, %v", got, err)
	}
	a["/osmc/resources/p1"] = `{"dcterms:title":"One"}`
	if got, err = a.reader(t).Resources(t.Context(), true); err == nil || !strings.Contains(err.Error(), "p1 (One)") {
		t.Errorf("got %+v, %v", got, err)
	}
	a["/osmc/resources/p1"] = "500"
	if _, err = a.reader(t).Resources(t.Context(), true); !rest.IsStatus(err, 500) {
		t.Errorf("got %v", err)
	}
}
