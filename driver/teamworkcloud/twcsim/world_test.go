package twcsim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

const pair = `{"servers": {
	"b": {"version": "2022xR1", "users": [{"name": "u", "password": "b-secret"}],
		"machine": {"files": {"/srv/keys.conf": "file-secret"}, "cassandra": false}},
	"a": {"version": "2026xR1", "sync_address": "Sync.a", "categories": [{"path": "X/Y"}],
		"users": [{"name": "u", "password": "a-secret", "token": "a-token"}, {"name": "v", "oauth_token": "v-secret"}],
		"env": {"url": "A_URL", "user": "A_USER", "password": "A_PASSWORD", "token": "A_TOKEN", "ssh": "A_SSH",
			"ssh_key": "A_KEY", "known_hosts": "A_HOSTS"},
		"machine": {"home": "/srv/twc", "services": ["webapp"], "sudo": false}}
}}`

func TestWorld(t *testing.T) {
	w := open(t, pair)
	if got := w.Servers(); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	if got := w.Machines(); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	if got := w.Environment("b"); len(got) != 0 {
		t.Error(got)
	}
	w.SetURL("a", "https://127.0.0.1:1/osmc/")
	w.SetURL("c", "https://127.0.0.1:3")
	key := []byte("key-secret")
	w.SetSSH("a", "admin@127.0.0.1:2", key, []byte("hosts"))
	w.SetSSH("c", "admin@127.0.0.1:2", key, nil)
	key[0] = 'x' // the argument belongs to the caller
	want := map[string]string{
		"A_URL": "https://127.0.0.1:1", "A_USER": "u", "A_PASSWORD": "a-secret", "A_TOKEN": "a-token",
		"A_SSH": "admin@127.0.0.1:2",
		"A_KEY": "key-secret", "A_HOSTS": "hosts",
	}
	if got := w.Environment("a"); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if w.Environment("c") == nil || len(w.Environment("c")) != 0 {
		t.Error("an unknown server has an environment")
	}
	b, err := afero.ReadFile(w.Files("b"), "/srv/keys.conf")
	if err != nil || string(b) != "file-secret" {
		t.Errorf("%q %v", b, err)
	}
	if w.Files("c") != nil {
		t.Error("an unknown machine has files")
	}
	if open(t, plant).Machines() != nil || open(t, plant).Files("prod") != nil {
		t.Error("a server without machine has one")
	}
	a := w.Named["a"].Services
	if !reflect.DeepEqual(a.Running, map[string]bool{"cassandra": true, "twcloud": false, "webapp": true,
		"zookeeper": false}) || w.Named["b"].Services.Running["cassandra"] {
		t.Errorf("%v", a.Running)
	}
}

// TestEnvironmentWithAccessToken checks that an OAuth 2.0 token is returned as the token if there is no other.
func TestEnvironmentWithAccessToken(t *testing.T) {
	w := open(t, one(`"users": [{"name": "u", "oauth_token": "o"}], "env": {"token": "T"}`))
	if got := w.Environment("prod")["T"]; got != "o" {
		t.Errorf("%q", got)
	}
}

func TestLookups(t *testing.T) {
	w := open(t, pair)
	w.SetURL("a", "https://127.0.0.1:1")
	for ref, want := range map[string]string{
		"a": "a", "https://127.0.0.1:1": "a", "https://127.0.0.1:1/osmc": "a", "https://127.0.0.1:1/": "a",
		"HTTPS://127.0.0.1:1/osmc/": "a",
		"b":                         "b", "https://127.0.0.1:2": "", "": "", "c": "",
	} {
		if s := w.Server(ref); (s == nil) != (want == "") || s != nil && s.Name != want {
			t.Errorf("%q: %v", ref, s)
		}
	}
	for address, want := range map[string]string{"sync.A": "a ", "sync.a:10002": "a 10002", "twc.b.example": "b ",
		"twc.c.example:1": " 1", "": " "} {
		s, port := w.ServerAt(address)
		got := " " + port
		if s != nil {
			got = s.Name + got
		}
		if got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
	s := w.Named["a"]
	x, y := s.CategoryByPath("X"), s.CategoryByPath("X/Y")
	if s.Path(y.ID) != "X/Y" || s.CategoryByPath(y.ID) != y || !slices.Equal(s.Lineage(y.ID), []string{y.ID, x.ID}) ||
		!slices.Equal(s.Lineage(x.ID), []string{x.ID}) || s.Lineage("none") != nil || s.Path("none") != "" {
		t.Error("categories")
	}
}

func TestIdsAreTheSameInEachRun(t *testing.T) {
	a, b := open(t, pair), open(t, pair)
	seen := map[string]bool{}
	for range 3 {
		for _, kind := range []string{"branch", "tag"} {
			id := a.NewID(kind)
			if id != b.NewID(kind) || seen[id] || !state.UUIDForm.MatchString(id) {
				t.Errorf("%s: %s", kind, id)
			}
			seen[id] = true
		}
		a.NewID("session") // logins do not affect what else is created
	}
}

func TestStateShowsNoSecret(t *testing.T) {
	w := open(t, pair)
	w.SetURL("a", "https://address-secret")
	w.SetSSH("a", "admin@address-secret", []byte("key-secret"), []byte("hosts-secret"))
	w.Named["a"].Services = machine.NewServices(w.Named["a"].Release, nil, true)
	h := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/osmc/login", nil)
	r.SetBasicAuth("u", "a-secret")
	w.Handler("a").ServeHTTP(h, r)
	if h.Code != 204 {
		t.Fatal(h.Code)
	}
	b, err := json.Marshal(w.State())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secret", "a-token", h.Result().Cookies()[1].Value} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the state has %s:\n%s", secret, b)
		}
	}
	if !strings.Contains(string(b), `"sessions":{"u":1}`) {
		t.Errorf("no session is counted:\n%s", b)
	}
	if err := afero.WriteFile(w.Files("a"), "/srv/twc/TeamworkCloud/logs/server.log", []byte("later"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(w.State()); string(again) != string(b) {
		t.Error("a log changes the state")
	}
	if err := afero.WriteFile(w.Files("a"), "/srv/keys.conf", []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(w.State()); string(again) == string(b) {
		t.Error("a changed file does not show")
	}
}

func TestStateHasEverything(t *testing.T) {
	w := open(t, plant)
	b, err := json.Marshal(w.State())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(open(t, plant).State())
	if string(again) != string(b) {
		t.Errorf("two worlds of one seed differ:\n%s\n%s", b, again)
	}
	for _, part := range []string{
		`"version":"2024x Refresh3"`, `"path":"Released/Powertrain"`, `"removed":true`, `"project_id":"PROJECT-1"`,
		`{"author":"mira","branch":"b0000000-0000-4000-8000-000000000001","created":"2021-01-01T00:00:00.000Z","description":"Merge","merged":4,"number":9,"origin":9,"parent":3}`,
		`{"description":"1.0","id":"`, `"name":"release","revision":3}`, `"element":"e0000000-0000-4000-8000-000000000001"`,
		`{"categories":[],"everywhere":true,"resources":[],"role":"Server Administrator"}`,
		`"running":["cassandra","twcloud","webapp","zookeeper"]`,
	} {
		if !strings.Contains(string(b), part) {
			t.Errorf("the state has no %s:\n%s", part, b)
		}
	}
}

// issueFor returns a server's certificate from a new authority.
func issueFor(t testing.TB, intermediate bool, names ...string) (*keystore.Authority, *keystore.KeyPair) {
	t.Helper()
	a, err := keystore.NewAuthority("Acme CA", "", intermediate)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.ForServer(names, 30, keystore.KeyEC)
	if err != nil {
		t.Fatal(err)
	}
	return a, p
}
