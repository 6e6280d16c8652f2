package twcsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// ask sends a request as a user. cut is true if no server was there to answer.
func ask(w *World, server, method, path, user, kind, body string) (out *httptest.ResponseRecorder, cut bool) {
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(r)
			}
			cut = true
		}
	}()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	if u, err := url.ParseRequestURI(path); err == nil {
		r.URL = u
	} else {
		r.URL.Path = path
	}
	if u := w.Named[server].User(user); u != nil {
		r.SetBasicAuth(u.Name, u.Password)
	}
	r.Header.Set("Content-Type", kind)
	out = httptest.NewRecorder()
	w.Handler(server).ServeHTTP(out, r)
	return out, false
}

// FuzzSeed checks that any seed is either refused or makes a world whose answers are all JSON, the same each time.
func FuzzSeed(f *testing.F) {
	for _, seed := range []string{
		plant, pair, `{}`, one(`"resources": [{"name": "A", "generate": {"revisions": 3, "gap_every": 2}}]`),
		`{"servers": {` + acme + `, "b": {"version": "2024x", "categories": [{"path": "In"}], "configurations": [
			{"source": "acme", "category": "Out", "target_category": "In", "user": "reader", "trigger": "commit_tag",
				"tag": "t"}]}}}`,
		`{"authorities": {"a": {"intermediate": true}}, "servers": {"b": {"version": "2024x", "tls": true, "certificate": {"authority": "a",
			"installed": {"password": "p", "path": "/k.p12"}},
				"machine": {"trusted": {"/opt/java/webapp/lib/security/cacerts": ["a"]}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := Open(data)
		if err != nil {
			return
		}
		again, err := Open(data)
		if err != nil {
			t.Fatal(err)
		}
		state, err := json.Marshal(w.State())
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := json.Marshal(again.State()); string(other) != string(state) {
			t.Fatalf("%s\n%s", state, other)
		}
		w.Tick(w.Now)
		for name, s := range w.Named {
			w.Environment(name)
			for _, u := range s.Users {
				browse(t, w, name, u.Name)
			}
		}
	})
}

// browse reads everything on a server.
func browse(t *testing.T, w *World, server, user string) {
	s := w.Named[server]
	paths := []string{"version", "workspaces?includeBody=true",
		"resources?includeBody=true&includeRemovedResource=true", "admin/health"}
	for _, c := range s.Categories {
		paths = append(paths, "workspaces/"+c.ID+"/resources?includeBody=true")
	}
	for _, r := range s.Resources {
		paths = append(paths, "resources/"+r.ID, "resources/"+r.ID+"/tags", "resources/"+r.ID+"/locks",
			"resources/"+r.ID+"/revisions?includeBody=true&page=1&items=5")
		for _, b := range r.Branches {
			paths = append(paths, "resources/"+r.ID+"/branches/"+b.ID)
		}
	}
	for _, path := range paths {
		s.Sessions = map[string]*state.Session{}
		out, cut := ask(w, server, "GET", "/osmc/"+path, user, "", "")
		if cut {
			return
		}
		if path != "version" && !json.Valid(out.Body.Bytes()) {
			t.Fatalf("%s: %d %s", path, out.Code, out.Body)
		}
		if out.Code == http.StatusNotFound && user != "" && canReadAll(s, user) {
			t.Fatalf("%s: not found", path)
		}
	}
}

func canReadAll(s *state.Server, name string) bool {
	return s.HasPermission(s.User(name), state.ReadResources, "", "")
}

// FuzzRequest checks that every answer is one that the interface has, and that reading changes nothing.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/osmc/workspaces?includeBody=true", "root", "", "")
	f.Add("GET", "/osmc/resources/"+engineID+"/revisions?page=2&items=2&includeBody=true&search=a", "reader", "", "")
	f.Add("POST", "/osmc/workspaces", "root", rest.TypeLinked, pairOf(`, "dcterms:title": "A"`))
	f.Add("POST", "/osmc/workspaces/"+powertrain+"/roles/x/users", "root", rest.TypeJSON, `["guest"]`)
	f.Add("GET", "/osmc/workspaces/%2e%2e/%zz", "nobody", "", "")
	f.Add("PUT", "/osmc/admin/tls", "root", rest.TypeJSON, `{"enabled": true, "port": 10443}`)
	w, err := Open([]byte(plant))
	if err != nil {
		f.Fatal(err)
	}
	known := []int{200, 201, 204, 301, 307, 400, 401, 403, 404, 405, 409, 415}
	f.Fuzz(func(t *testing.T, method, path, user, kind, body string) {
		if _, err := http.NewRequestWithContext(t.Context(), method, "/", nil); err != nil {
			return // such a method cannot be sent
		}
		s := w.Named["prod"]
		s.Sessions = map[string]*state.Session{}
		before, _ := json.Marshal(w.State())
		out, cut := ask(w, "prod", method, path, user, kind, body)
		if cut {
			t.Fatal("the connection was cut")
		}
		found := false
		for _, code := range known {
			found = found || code == out.Code
		}
		if !found {
			t.Fatalf("%s %s: %d", method, path, out.Code)
		}
		s.Sessions = map[string]*state.Session{}
		changes := out.Code == http.StatusCreated || out.Code == http.StatusOK && method != http.MethodGet
		if after, _ := json.Marshal(w.State()); !changes && string(after) != string(before) {
			t.Fatalf("%s %s: %d has changed\n%s\nto\n%s", method, path, out.Code, before, after)
		}
		if len(s.Categories) > 50 {
			s.Categories = s.Categories[:3]
		}
	})
}
