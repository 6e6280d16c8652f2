package backbonesim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// small is a world with every kind of caller: a and b with a running file synchronization, c a cloud site, d without
// Backbone.
const small = `{
  "servers": {
    "a": {"deployment":"data_center","backbone_version":"5.14","require_xsrf":true,"context_path":"/jira","sync_user":"bot","users":[
        {"name":"root","password":"pw","token":"pat","permission":"system_admin","email":"root@x.example"},
        {"name":"lead","password":"pw","permission":"project_admin","projects":["AA"],"email":"lead@x.example"},
        {"name":"other","password":"pw","permission":"project_admin","projects":["ZZ"],"email":"other@x.example"},
        {"name":"dev","password":"pw","email":"dev@x.example"},{"name":"bot","email":"bot@x.example"}],
      "projects":[{"key":"AA","issues":[{"key":"AA-1","summary":"one"},{"key":"AA-2","summary":"two"},{"key":"AA-3","summary":"three"}]}]},
    "b": {"deployment":"data_center","backbone_version":"4.1","sync_user":"bot","users":[
        {"name":"root","password":"pw","permission":"system_admin"},{"name":"bot"},
        {"name":"lead","password":"pw","permission":"project_admin","projects":["ZZ"]}],
      "projects":[{"key":"BB","issues":[{"key":"BB-1","summary":"one"},{"key":"BB-2","summary":"two"}]}]},
    "c": {"deployment":"cloud","users":[{"name":"id:1","email":"root@x.example","token":"tok","permission":"system_admin"}],
      "projects":[{"key":"CC","issues":[{"key":"CC-1","summary":"one"}]}]},
    "d": {"deployment":"data_center","users":[{"name":"root","password":"pw","permission":"system_admin"}]}
  },
  "syncs": [{"transport":"file",
    "master":{"server":"a","project":"AA","pairs":[{"localIssueKey":"AA-1","remoteIssueKey":"BB-1"}]},
    "slave":{"server":"b","project":"BB","pairs":[{"localIssueKey":"BB-1","remoteIssueKey":"AA-1"}]},
    "issue_types":[{"first":"Bug","second":"Bug"}],"fields":[{"id":"11","first":"summary","second":"summary"}]}]
}`

const apiA = "/jira" + backboneAPI

func basic(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

const pairs, resync = "connectors/CON-1-AA/syncInformation", "connectors/CON-1-AA/resync"

var refusals = []struct {
	name, server, method, path, body string
	change                           func(*http.Request)
	want                             int
	says                             string
}{
	{"no credentials", "a", "GET", apiA + "health", "", header("Authorization", ""), 401, ""},
	{"wrong password", "a", "GET", apiA + "health", "", basic("root", "no"), 401, ""},
	{"empty password of a user without one", "a", "GET", apiA + "health", "", basic("bot", ""), 401, ""},
	{"token as Bearer", "a", "GET", apiA + "health", "", header("Authorization", "Bearer pat"), 200, ""},
	{"wrong token", "a", "GET", apiA + "health", "", header("Authorization", "Bearer tap"), 401, ""},
	{"empty token", "a", "GET", apiA + "health", "", header("Authorization", "Bearer "), 401, ""},
	{"ordinary user", "a", "GET", apiA + "integrations", "", basic("dev", "pw"), 403, "permitted"},
	{"property by an ordinary user", "a", "PUT", "/jira/rest/api/2/project/AA/properties/x", "1", basic("dev", "pw"), 403,
		"configuration"},
	{"property by the admin of another project", "a", "DELETE", "/jira/rest/api/2/project/AA/properties/x", "",
		basic("other", "pw"), 403, "configuration"},
	{"property read by an ordinary user", "a", "GET", "/jira/rest/api/2/project/AA/properties", "", basic("dev", "pw"),
		200, "keys"},
	{"project admin without projectKey", "a", "GET", apiA + "integrations", "", basic("lead", "pw"), 403, "projectKey"},
	{"project admin with projectKey", "a", "GET", apiA + "integrations?projectKey=AA", "", basic("lead", "pw"),
		200, "INT-1"},
	{"project admin before 5.2", "b", "GET", backboneAPI + "integrations", "", basic("lead", "pw"), 200, "[]"},
	{"admin of another project", "a", "GET", apiA + "integrations?projectKey=AA", "", basic("other", "pw"), 403, ""},
	{"admin of another project, one", "a", "GET", apiA + "integrations/INT-1", "", basic("other", "pw"), 403, ""},
	{"admin of another project, connector", "a", "GET", apiA + pairs, "", basic("other", "pw"), 403, ""},
	{"no XSRF header", "a", "PUT", apiA + "integrations/INT-1/stop", "", header("X-Atlassian-Token", ""), 403,
		"XSRF check failed"},
	{"XSRF header, newer spelling", "a", "PUT", apiA + "integrations/INT-1/stop", "",
		header("X-Atlassian-Token", "no-check"), 200, ""},
	{"no XSRF header where none is wanted", "b", "POST", backboneAPI + "integrations/INT-1/stop", "",
		header("X-Atlassian-Token", ""), 200, ""},
	{"without the context path", "a", "GET", backboneAPI + "health", "", nil, 404, ""},
	{"other API version", "a", "GET", strings.Replace(apiA, "/1/", "/2/", 1) + "health", "", nil, 404, ""},
	{"cloud site", "c", "GET", backboneAPI + "health", "", nil, 404, ""},
	{"no Backbone", "d", "GET", backboneAPI + "health", "", nil, 404, ""},
	{"verb of start before 5.0", "b", "PUT", backboneAPI + "integrations/INT-1/start", "", nil, 405, ""},
	{"verb of start from 5.0", "a", "POST", apiA + "integrations/INT-1/start", "", nil, 405, ""},
	{"start of a running one", "a", "PUT", apiA + "integrations/INT-1/start", "", nil, 200, ""},
	{"missing synchronization", "a", "GET", apiA + "integrations/INT-9", "", nil, 404, "INT-9"},
	{"delete of a missing one", "a", "DELETE", apiA + "integrations/INT-9", "", nil, 404, "INT-9"},
	{"create", "a", "POST", apiA + "integrations", "{}", nil, 501, "not documented"},
	{"update", "a", "PUT", apiA + "integrations/INT-1", "{}", nil, 501, "not documented"},
	{"connection", "a", "PUT", apiA + "integrations/INT-1/applicationConnection", "{}", nil, 501, "not documented"},
	{"draft mapping without a draft", "a", "POST", apiA + "integrations/INT-1/draft/fieldMappings", "{}", nil, 404, ""},
	{"no draft", "a", "GET", apiA + "integrations/INT-1/draft", "", nil, 404, ""},
	{"unknown part", "a", "GET", apiA + "integrations/INT-1/messages", "", nil, 404, ""},
	{"unknown connector", "a", "GET", apiA + "connectors/CON-9-AA/syncInformation", "", nil, 404, "CON-9-AA"},
	{"unknown part of a connector", "a", "GET", apiA + "connectors/CON-1-AA/jql", "", nil, 404, ""},
	{"resync with GET", "a", "GET", apiA + resync, "", nil, 405, ""},
	{"resync of an unknown mapping", "a", "POST", apiA + resync, `{"fieldMappings":["12"]}`, nil, 400, "12"},
	{"resync without mappings", "a", "POST", apiA + resync, `{"jql":""}`, nil, 400, "required"},
	{"resync with an unknown member", "a", "POST", apiA + resync, `{"fieldMappings":["11"],"comments":true}`, nil,
		400, "column"},
	{"resync with JQL that is none", "a", "POST", apiA + resync, `{"jql":"project =","fieldMappings":["11"]}`, nil,
		400, "JQL"},
	{"resync as text", "a", "POST", apiA + resync, `{"fieldMappings":["11"]}`,
		header("Content-Type", "text/plain"), 415, ""},
	{"pairs in an envelope", "a", "POST", apiA + pairs, `{"firstConnector":[]}`, nil, 400, "array"},
	{"pairs: null", "a", "POST", apiA + pairs, `null`, nil, 400, "array"},
	{"pairs: not an object", "a", "POST", apiA + pairs, `[1]`, nil, 400, "entry 0"},
	{"pairs: no key", "a", "POST", apiA + pairs, `[{"localIssueKey":"AA-2"}]`, nil, 400, "remoteIssueKey"},
	{"pairs: wrong type", "a", "POST", apiA + pairs, `[{"localIssueKey":"AA-2","remoteIssueKey":"BB-2","id":"1"}]`,
		nil, 400, `wrong type`},
	{"pairs: paired already", "a", "POST", apiA + pairs, `[{"localIssueKey":"AA-1","remoteIssueKey":"BB-2"}]`, nil,
		409, "paired already"},
	{"pairs: partner paired already", "a", "POST", apiA + pairs,
		`[{"localIssueKey":"AA-2","remoteIssueKey":"BB-1"}]`, nil, 409, "paired already"},
	{"pairs: twice", "a", "POST", apiA + pairs,
		`[{"localIssueKey":"AA-2","remoteIssueKey":"BB-2"},{"localIssueKey":"AA-3","remoteIssueKey":"BB-2"}]`, nil,
		400, "twice"},
	{"pairs: swapped sides", "a", "POST", apiA + pairs, `[{"localIssueKey":"BB-2","remoteIssueKey":"AA-2"}]`, nil,
		400, "not in project"},
	{"pairs: no such issue", "a", "POST", apiA + pairs, `[{"localIssueKey":"AA-9","remoteIssueKey":"BB-2"}]`, nil,
		400, "does not exist"},
	{"pairs: no such partner", "a", "POST", apiA + pairs, `[{"localIssueKey":"AA-2","remoteIssueKey":"BB-9"}]`,
		nil, 400, "does not exist"},
	{"delete of a pair unnamed", "a", "DELETE", apiA + pairs, "", nil, 400, "localIssueKey"},
	{"delete of a missing pair", "a", "DELETE", apiA + pairs + "?localIssueKey=AA-2", "", nil, 404, ""},
	{"delete of a pair by two keys that do not fit", "a", "DELETE", apiA + pairs +
		"?localIssueKey=AA-1&remoteIssueKey=BB-2", "", nil, 404, ""},
	{"unknown sync user", "a", "GET", apiA + "connectors/CON-1-AA/user?newUser=nobody", "", nil, 400, "nobody"},
	{"new sync user by email", "a", "GET", apiA + "connectors/CON-1-AA/user?newUser=dev@x.example", "", nil, 200, "dev"},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, small)
			before := stateOf(t, w)
			got := caller{w, c.server, c.change}.do(c.method, c.path, c.body)
			if got.status != c.want || !strings.Contains(got.body, c.says) {
				t.Errorf("%d %s, want %d %s", got.status, got.body, c.want, c.says)
			}
			if c.want == 405 && got.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if c.want >= 400 && stateOf(t, w) != before {
				t.Error("a refused request has changed something")
			}
		})
	}
}

func TestRepeatRefused(t *testing.T) {
	w := open(t, strings.Replace(small, `"context_path"`, `"repeat":"refuse","context_path"`, 1))
	for _, step := range []struct {
		what string
		want int
	}{{"start", 409}, {"stop", 200}, {"stop", 409}, {"start", 200}} {
		if got := on(w, "a").do("PUT", apiA+"integrations/INT-1/"+step.what, ""); got.status != step.want {
			t.Errorf("%s: %d %s, want %d", step.what, got.status, got.body, step.want)
		}
	}
}

func TestStartWithConflicts(t *testing.T) {
	w := open(t, strings.Replace(small, `"project":"AA","pairs"`,
		`"status":"STOPPED","conflicts":["Workflows: a status is missing."],"project":"AA","pairs"`, 1))
	a := on(w, "a")
	if got := a.do("PUT", apiA+"integrations/INT-1/start", ""); got.status != 409 ||
		!strings.Contains(got.body, "a status is missing") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := a.do("GET", apiA+"integrations/INT-1/conflicts",
		""); got.body != `[{"message":"Workflows: a status is missing."}]` {
		t.Error(got.body)
	}
	if got := a.do("POST", apiA+"connectors/CON-1-AA/resync", `{"fieldMappings":["11"]}`); got.status != 409 {
		t.Errorf("resync while stopped: %d", got.status)
	}
}

func TestDraft(t *testing.T) {
	w := open(t, small)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"POST", "draft", 200}, {"POST", "draft", 409}, {"GET", "draft", 200}, {"GET", "draft/conflicts", 200},
		{"PUT", "draft/issueTypeMappings", 501}, {"PUT", "draft", 405}, {"DELETE", "draft", 200}, {"GET", "draft", 404},
		{"POST", "draft/publish", 404}, {"POST", "draft", 200}, {"POST", "draft/publish", 200},
		{"GET", "draft/conflicts", 404},
	} {
		if got := on(w, "a").do(c.method, apiA+"integrations/INT-1/"+c.path, ""); got.status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, got.status, got.body, c.want)
		}
	}
}

func TestDeleteStopsFirst(t *testing.T) {
	w := open(t, small)
	a := on(w, "a")
	if got := a.do("DELETE", apiA+"integrations/INT-1", ""); got.status != 200 {
		t.Fatal(got)
	}
	if got := a.do("GET", apiA+"integrations/INT-1", ""); got.status != 404 {
		t.Errorf("a deleted synchronization answers %d", got.status)
	}
	if got := a.do("GET", apiA+"connectors/CON-1-AA/syncInformation", ""); got.status != 404 {
		t.Errorf("a deleted connector answers %d", got.status)
	}
	if w.Named["a"].Issue("AA-1").Panels["a/INT-1"] != nil {
		t.Error("the sync info panel is still there")
	}
	byPerson(t, w, "edit_issue", "server", "b", "issue", "BB-1", "field", "summary", "value", "nobody listens")
	ticks(w)
}

func TestPersonRefusals(t *testing.T) {
	for _, c := range []struct {
		action string
		values []string
		says   string
	}{
		{"make_coffee", nil, "no web page"},
		{"edit_issue", []string{"server", "a", "issue", "AA-1", "field", "summary"}, "value for value"},
		{"edit_issue", []string{"server", "x", "issue", "AA-1", "field", "summary", "value", "y"}, "no server"},
		{"edit_issue", []string{"server", "a", "issue", "AA-9", "field", "summary", "value", "y"}, "no issue"},
		{"edit_issue", []string{"server", "a", "issue", "AA-1", "field", "summary", "value", "y", "user", "ghost"},
			"ghost"},
		{"create_sync", []string{"server", "c", "first_project", "CC", "second_server_url", "a", "second_project",
			"AA"}, "Data Center side"},
		{"create_sync", []string{"server", "d", "first_project", "CC", "second_server_url", "a", "second_project",
			"AA"}, "Data Center with Backbone"},
		{"create_sync", []string{"server", "a", "first_project", "AA", "second_server_url", "c", "second_project",
			"BB"}, "no project"},
		{"create_sync", []string{"server", "a", "first_project", "AA", "second_server_url", "c", "second_project",
			"CC", "transport", "file"}, "two halves"},
		{"create_sync", []string{"server", "a", "first_project", "AA", "second_server_url", "a", "second_project",
			"AA"}, "two projects"},
		{"create_half", []string{"server", "a", "project", "AA", "role", "master", "transport", "file",
			"partner_project", "CC", "partner_server", "c"}, "cloud site"},
		{"create_half", []string{"server", "a", "project", "AA", "role", "king", "transport", "file",
			"partner_project", "BB"}, "neither master nor slave"},
		{"move_project_to_cloud", []string{"server", "a", "project", "AA", "cloud_server", "b"}, "cloud site"},
		{"move_project_to_cloud", []string{"server", "a", "project", "XX", "cloud_server", "c"}, "no project"},
		{"start_sync", []string{"server", "a", "integration", "INT-7"}, "INT-7"},
		{"start_sync", []string{"server", "d"}, "0 synchronizations"},
		{"fix_error", []string{"server", "a", "issue", "AA-1"}, "not in error"},
		{"configure_sync", []string{"server", "a", "fields", `[{"mapping":"passthrough"}]`}, "needs name"},
		{"configure_sync", []string{"server", "a", "fields", `[{"name":"x","mapping":"magic"}]`}, "magic"},
		{"configure_sync", []string{"server", "a", "issue_types", `{"Bug":1}`}, "issue_types"},
		{"configure_sync", []string{"server", "a", "first_jql", `project = NOPE`}, "NOPE"},
		{"pair_by_file", []string{"server", "a", "content", `{"firstConnector":[],"secondConnector":[{}]}`},
			"one connector"},
		{"pair_by_file", []string{"server", "a", "path", "/does/not/exist"}, "read the file"},
	} {
		w := open(t, small)
		before := stateOf(t, w)
		_, err := w.Person(t.Context(), c.action, valuesOf(c.values))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %v: %v, want %q", c.action, c.values, err, c.says)
		}
		if stateOf(t, w) != before {
			t.Errorf("%s %v: refused, but something has changed", c.action, c.values)
		}
	}
}

func TestSeveralSyncsOfAProject(t *testing.T) {
	w := open(t, small)
	byPerson(t, w, "create_sync", "server", "a", "first_project", "AA", "second_server_url", "c", "second_project", "CC")
	byPerson(t, w, "create_sync", "server", "a", "first_project", "AA", "second_server_url", "https://b.example",
		"second_project", "BB")
	var list []map[string]any
	on(w, "a").do("GET", apiA+"integrations?projectKey=AA", "").into(t, &list)
	if len(list) != 3 {
		t.Errorf("%d synchronizations of AA, want 3", len(list))
	}
	on(w, "a").do("GET", apiA+"integrations?projectKey=CC&jiraBaseUrl=https://c.example", "").into(t, &list)
	if len(list) != 1 {
		t.Errorf("%d synchronizations of CC, want 1", len(list))
	}
}

func TestRestartRequired(t *testing.T) {
	w := open(t, small)
	byPerson(t, w, "create_sync", "server", "a", "first_project", "AA", "second_server_url", "c", "second_project", "CC")
	types := []string{"server", "a", "integration", "INT-2", "issue_types", `{"Epic":"Epic"}`, "fields",
		`[{"name":"summary"}]`}
	byPerson(t, w, "configure_sync", types...)
	for _, step := range []struct{ what, want string }{
		{"start", state.Running}, {"configure", state.RestartRequired}, {"refused", state.RestartRequired},
		{"stop", state.Stopped}, {"start", state.Running},
	} {
		switch step.what {
		case "configure":
			byPerson(t, w, "configure_sync", types...)
		case "refused":
			if got := on(w, "a").do("PUT", apiA+"integrations/INT-2/start", ""); got.status != 409 {
				t.Errorf("start where a restart is required: %d", got.status)
			}
		default:
			on(w, "a").do("PUT", apiA+"integrations/INT-2/"+step.what, "")
		}
		if got := w.Named["a"].Integration("INT-2").Status; got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
}
