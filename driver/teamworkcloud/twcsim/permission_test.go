package twcsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func TestWhoSeesWhat(t *testing.T) {
	g := serve(t, plant)
	const all = "/osmc/resources?includeRemovedResource=true"
	in := "/osmc/workspaces/" + powertrain + "/resources"
	for _, one := range []struct{ user, path, want string }{
		{"root", all, engineID + " " + oldEngine + " " + loose},
		{"reader", all, engineID + " " + oldEngine}, // a role on the category above
		{"guest", all, loose},                       // a role on the resource
		{"lister", all, engineID + " " + oldEngine + " " + loose},
		{"nobody", all, ""},
		{"reader", in, engineID},
		{"guest", in, ""},
		{"lister", in, engineID},
		{"lister", in + "?permissions=" + state.ReadResources, ""},
		{"reader", in + "?permissions=" + state.ReadResources, engineID},
		{"reader", in + "?permissions=" + state.EditResources, ""},
	} {
		if got := listed(g.as(basic(one.user)).status(one.path, 200).body); got != one.want {
			t.Errorf("%s %s: %s, want %s", one.user, one.path, got, one.want)
		}
	}
	below := []string{"/branches", "/branches/" + trunkID, "/revisions", "/revisions?includeBody=true",
		"/revisions/1", "/tags", "/locks"}
	for user, want := range map[string]int{"root": 200, "reader": 200, "lister": 403, "guest": 404, "nobody": 404} {
		for _, path := range below {
			g.as(basic(user)).status("/osmc/resources/"+engineID+path, want)
		}
	}
	for user, want := range map[string]int{"root": 200, "reader": 200, "lister": 200, "guest": 404, "nobody": 404} {
		g.as(basic(user)).status("/osmc/resources/"+engineID, want)
	}
	for _, user := range []string{"root", "reader", "nobody"} {
		if got := strings.Count(g.as(basic(user)).status("/osmc/workspaces", 200).body, "@id"); got != 4 {
			t.Errorf("%s sees %d categories", user, got-1)
		}
	}
}

func TestAdministration(t *testing.T) {
	g := serve(t, plant)
	users := []string{"root", "reader", "lister", "nobody"}
	of := "/osmc/workspaces/" + powertrain + "/roles"
	for path, want := range map[string][4]int{
		"/osmc/version":                    {200, 200, 200, 200},
		"/osmc/admin/health":               {200, 403, 403, 403},
		"/osmc/admin/loginusers":           {200, 403, 403, 403},
		"/osmc/admin/roles":                {200, 403, 403, 403},
		"/osmc/admin/roles?filter=true":    {200, 403, 403, 403},
		"/osmc/admin/permissions":          {200, 403, 403, 403},
		"/osmc/admin/users/reader":         {200, 200, 403, 403},
		"/osmc/admin/user?username=lister": {200, 403, 200, 403},
		of:                                 {200, 403, 403, 403},
		of + "/" + g.w.Named["prod"].Role("Resource Reviewer").ID + "/users":    {200, 403, 403, 403},
		of + "/" + g.w.Named["prod"].Role("Server Administrator").ID + "/users": {404, 404, 404, 404},
	} {
		for i, user := range users {
			g.as(basic(user)).status(path, want[i])
		}
	}
}

func TestHealth(t *testing.T) {
	type health struct {
		Cassandra struct{ KeyspaceName string } `json:"cassandraClusterHealth"`
		Nodes     []map[string]any              `json:"nodeHealth"`
	}
	for _, one := range []struct {
		version, tls, answers, keyspace string
		port                            any
	}{
		{"2022x Refresh2", "false", "plain", "esi2022x0", 0.0},
		{"2024xR3", "true", "plain", "esi2024x0", 10002.0},
		{"2026x", "false", "pairs", "esi2026x0", nil},
		{"2026xR1", "true", "pairs", "esi2026x1", 10002.0},
	} {
		g := serve(t, plant, `"2024xR3", "answers": "plain"`,
			fmt.Sprintf("%q, %q: %q", one.version, "answers", one.answers),
			`"tls": true`, `"tls": `+one.tls, `"oauth_token": "root-oauth",`, "")
		var got health
		decode(t, g.status("/osmc/admin/health", 200).body, &got)
		n := got.Nodes[0]
		if got.Cassandra.KeyspaceName != one.keyspace || n["status"] != "UP" ||
			n["communicationNonSSLClientPort"] != 3579.0 || n["communicationSSLClientPort"] != one.port {
			t.Errorf("%s: %+v", one.version, got)
		}
	}
}

func TestVersionText(t *testing.T) {
	for change, want := range map[string]string{
		`"sync_address": "a.example"`: "Teamwork Cloud VERSION 2024x Refresh3, OSMC VERSION " +
			"2024x Refresh3, REVISION 4c1f09a",
		`"version_text": "18.5"`: "18.5",
		`"version_text": ""`:     "",
		`"sync_address": "a.example", "version_text": null`: "Teamwork Cloud VERSION 2024x Refresh3, OSMC VERSION " +
			"2024x Refresh3, REVISION 4c1f09a",
	} {
		g := serve(t, plant, `"sync_address": "twc.prod.example"`, change)
		if got := g.status("/osmc/version", 200).body; got != want {
			t.Errorf("%s: %q", change, got)
		}
	}
}

func TestCurrentUser(t *testing.T) {
	g := serve(t, plant)
	role := g.w.Named["prod"].Role("Resource Reviewer")
	released := g.w.Named["prod"].CategoryByPath("Released").ID
	want := fmt.Sprintf(`{"enabled": true, "external": false, "otherAttributes": {"name": "reader"}, "realm": %q, "userGroups": [],
		"userName": "reader", "roleAssignments": [{"ID": %q, "roleID": %q, "protectedObjects": [
			{"ID": %q, "protectedType": "com.nomagic.esi.category"}]}]`, state.UUIDOf("realm prod"),
		state.UUIDOf("assignment reader "+role.ID), role.ID, released)
	read := fmt.Sprintf(`{"ID": %q, "name": "com.nomagic.esi.resource_read.resource", "operationName": "read.resource",
		"operationDisplayName": "Read Resources", "operationAssignableAccessScope": "GLOBAL_OR_OBJECT",
			"protectedType": "com.nomagic.esi.resource"}`, state.ReadResources)
	r := g.as(basic("reader"))
	r.is("/osmc/admin/users/reader", want+`}`)
	r.is("/osmc/admin/user?username=reader&permission=true", want+`, "permissions": [`+read+`]}`)
	g = serve(t, plant, `"answers": "plain"`, `"answers": "pairs"`)
	g.as(basic("reader")).is("/osmc/admin/users/reader?permission=true", want+`, "permissions": ["`+
		state.ReadResources+`"]}`)
	var user struct {
		RoleAssignments []struct{ ProtectedObjects []any }
		Permissions     []string
	}
	decode(t, g.status("/osmc/admin/users/root?permission=true", 200).body, &user)
	if len(user.RoleAssignments) != 4 || len(user.RoleAssignments[0].ProtectedObjects) != 0 ||
		len(user.Permissions) != 13 {
		t.Errorf("root: %+v", user)
	}
}

func TestRoles(t *testing.T) {
	g := serve(t, plant)
	var roles []struct {
		ID, Name   string
		Predefined bool
		Global     bool `json:"containGlobalOperationsOnly"`
	}
	decode(t, g.status("/osmc/admin/roles", 200).body, &roles)
	if len(roles) != len(state.Predefined) || roles[5].Name != state.SyncManager || !roles[5].Predefined ||
		roles[5].Global {
		t.Errorf("all roles: %+v", roles)
	}
	decode(t, g.status("/osmc/workspaces/"+powertrain+"/roles", 200).body, &roles)
	for _, r := range roles {
		if r.Global {
			t.Errorf("%s is not a role of a category", r.Name)
		}
	}
	if state.PredefinedRoles("a")[0].ID == state.PredefinedRoles("b")[0].ID {
		t.Error("servers share ids of roles")
	}
}

// TestGroups checks that users have the roles of their groups. The answers are those in the OpenAPI files' examples.
func TestGroups(t *testing.T) {
	g := serve(t, plant, `"tls": true,`, `"tls": true, "groups": [{"name": "reviewers", "users": ["nobody"], "roles": [
		{"role": "Resource Reviewer", "categories": ["Released/Powertrain"]}]}],`)
	s := g.w.Named["prod"]
	group, role := s.Groups[0].ID, s.Role("Resource Reviewer").ID
	g.as(basic("nobody")).status("/osmc/resources/"+engineID+"/revisions", 200)
	g.as(basic("guest")).status("/osmc/resources/"+engineID+"/revisions", 404)
	var user struct {
		UserGroups      []string
		RoleAssignments []any
		Permissions     []struct{ ID string }
	}
	decode(t, g.as(basic("nobody")).status("/osmc/admin/users/nobody?permission=true", 200).body, &user)
	if len(user.UserGroups) != 1 || user.UserGroups[0] != group || len(user.RoleAssignments) != 0 ||
		len(user.Permissions) != 1 || user.Permissions[0].ID != state.ReadResources {
		t.Errorf("%+v", user)
	}
	at := "/osmc/admin/usergroups/" + group
	for name, want := range map[string]int{"root": 200, "nobody": 200, "guest": 403} {
		g.as(basic(name)).status(at, want)
	}
	g.status(at+"0", 404)
	g.is(at, fmt.Sprintf(`{"ID": %q, "name": "reviewers", "description": "reviewers", "realm": %q, "usernames": ["nobody"],
		"roleAssignments": [{"ID": %q, "roleID": %q, "protectedObjects": [
			{"ID": %q, "protectedType": "com.nomagic.esi.category"}]}]}`, group, state.UUIDOf("realm prod"),
		state.UUIDOf("assignment reviewers "+role), role, powertrain))
	of := "/osmc/workspaces/" + powertrain + "/roles/" + role
	if got, want := g.status(of+"/usergroups", 200).body, `[["`+group+`","reviewers"]]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := g.status(of+"/users", 200).body; got != `[]` {
		t.Errorf("users %s", got)
	}
	g.as(basic("nobody")).status(of+"/usergroups", 403)
	for _, bad := range []string{`{}`, `{"name": "g", "users": ["mira"]}`, `{"name": "g", "id": "g"}`,
		`{"name": "g", "roles": [{"role": "King"}]}`, `{"name": "g"}, {"name": "g"}`} {
		text := strings.Replace(plant, `"tls": true,`, `"tls": true, "groups": [`+bad+`],`, 1)
		if _, err := Open([]byte(text)); err == nil || !strings.Contains(err.Error(), "groups[") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestGrantRole(t *testing.T) {
	lists := `["reader", "guest"]`
	for _, one := range []struct {
		version, kind, body, user, role string
		want                            int
	}{
		{"2024xR1", "application/json", lists, "root", state.SyncManager, 201},
		{"2026xR1", "application/json; charset=utf-8", lists, "root", state.SyncManager, 201},
		{"2024xR1", "text/plain", "reader,guest", "root", state.SyncManager, 415},
		{"2024x HF3", "text/plain", "reader,guest", "root", state.SyncManager, 201},
		{"2022xR2", "text/plain", "reader, guest", "root", state.SyncManager, 201},
		{"2021xR2", "application/json", lists, "root", state.SyncManager, 415},
		{"2022xR2", "text/plain", "", "root", state.SyncManager, 400},
		{"2024xR3", "application/json", `[]`, "root", state.SyncManager, 400},
		{"2024xR3", "application/json", `"reader"`, "root", state.SyncManager, 400},
		{"2024xR3", "application/json", `["reader", "mira"]`, "root", state.SyncManager, 400},
		{"2024xR3", "application/json", lists, "root", "Server Administrator", 404},
		{"2024xR3", "application/json", lists, "reader", state.SyncManager, 403},
		{"2024xR3", "application/json", lists, "lister", state.SyncManager, 403},
	} {
		g := serve(t, plant, `"2024xR3"`, `"`+one.version+`"`, `"oauth_token": "root-oauth",`, "")
		s := g.w.Named["prod"]
		path := "/osmc/workspaces/" + powertrain + "/roles/" + s.Role(one.role).ID + "/users"
		out := g.as(basic(one.user)).send("POST", path, one.kind, one.body)
		if out.StatusCode != one.want {
			t.Errorf("%+v: %d\n%s", one, out.StatusCode, out.body)
		}
		if got, want := s.HasRole(s.User("guest"), state.SyncManager, powertrain), one.want == 201; got != want {
			t.Errorf("%+v: guest has the role: %t", one, got)
		}
		if one.want != 201 {
			continue
		}
		g.as(basic(one.user)).send("POST", path, one.kind, one.body) // again: no change
		if got := g.get(path).body; got != `["reader","guest"]` {
			t.Errorf("%+v: users %s", one, got)
		}
		if s.HasRole(s.User("guest"), state.SyncManager, s.CategoryByPath("Released").ID) ||
			len(s.User("guest").Grants) != 2 {
			t.Errorf("%+v: %+v", one, s.User("guest").Grants)
		}
	}
}

func pairOf(second string) string {
	return `[{"@type": ["kerml:Workspace", "ldp:DirectContainer"]}, {"@type": ["kerml:Workspace"]` + second + `}]`
}

func TestCreateCategory(t *testing.T) {
	for _, shape := range []string{"plain", "pairs"} {
		g := serve(t, plant, `"answers": "plain"`, `"answers": "`+shape+`"`)
		s := g.w.Named["prod"]
		out := g.send("POST", "/osmc/workspaces", rest.TypeLinked,
			pairOf(`, "dcterms:title": "From Acme", "dcterms:description": "new"`))
		top := s.CategoryByPath("From Acme")
		if out.StatusCode != 201 || top == nil || top.Description != "new" {
			t.Fatalf("%s: %d %+v\n%s", shape, out.StatusCode, top, out.body)
		}
		var pair []map[string]any
		decode(t, out.body, &pair)
		if pair[1]["dcterms:title"] != "From Acme" || strings.Contains(out.body, top.ID) != (shape == "pairs") {
			t.Errorf("%s: %s", shape, out.body)
		}
		out = g.send("POST", "/osmc/workspaces", rest.TypeLinked,
			pairOf(`, "dcterms:title": "Body", "kerml:resources": [], "kerml:parentID": "`+top.ID+`"`))
		if below := s.CategoryByPath("From Acme/Body"); out.StatusCode != 201 || below == nil || below.ID == top.ID {
			t.Errorf("%s: below: %d %+v", shape, out.StatusCode, below)
		}
		if out := g.get("/osmc/workspaces/" + top.ID + "/resources"); out.StatusCode != 200 ||
			!strings.Contains(out.body, `"dcterms:title":"From Acme"`) {
			t.Errorf("%s: it cannot be read: %s", shape, out.body)
		}
	}
}

func TestCreateCategoryRefusals(t *testing.T) {
	g := serve(t, plant)
	before, _ := json.Marshal(g.w.State())
	for _, one := range []struct {
		user, kind, body string
		want             int
	}{
		{"root", rest.TypeJSON, pairOf(`, "dcterms:title": "A"`), 415},
		{"root", "", pairOf(`, "dcterms:title": "A"`), 415},
		{"root", rest.TypeLinked, `{"dcterms:title": "A"}`, 400},
		{"root", rest.TypeLinked, `[{"@type": ["kerml:Workspace"], "dcterms:title": "A"}]`, 400},
		{"root", rest.TypeLinked, pairOf(``), 400},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": " "`), 400},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": 1`), 400},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": "A", "title": "A"`), 400},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": "A", "kerml:resources": [{"@id": "` + engineID + `"}]`), 400},
		{"root", rest.TypeLinked, `[{"@type": ["ldp:DirectContainer"]}, {"@type": ["kerml:Workspace"], ` +
			`"dcterms:title": "A"}]`, 400},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": "A", "kerml:parentID": "` + engineID + `"`), 404},
		{"root", rest.TypeLinked, pairOf(`, "dcterms:title": "Released"`), 409},
		{"reader", rest.TypeLinked, pairOf(`, "dcterms:title": "A"`), 403},
	} {
		out := g.as(basic(one.user)).send("POST", "/osmc/workspaces", one.kind, one.body)
		if out.StatusCode != one.want {
			t.Errorf("%+v: %d\n%s", one, out.StatusCode, out.body)
		}
		g.as(cookies(out.Cookies())).send("GET", "/osmc/logout", "", "")
	}
	if after, _ := json.Marshal(g.w.State()); string(after) != string(before) {
		t.Errorf("a refused request has changed something:\n%s\n%s", before, after)
	}
}
