package twcsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestWhoSeesWhat(t *testing.T) {
	g := serve(t, plant)
	const all = "/osmc/resources?includeRemovedResource=true"
	in := "/osmc/workspaces/" + powertrain + "/resources"
	for _, one := range []struct{ user, path, want string }{
		{"root", all, engine + " " + oldEngine + " " + loose},
		{"reader", all, engine + " " + oldEngine}, // a role on the category above
		{"guest", all, loose},                     // a role on the resource
		{"lister", all, engine + " " + oldEngine + " " + loose},
		{"nobody", all, ""},
		{"reader", in, engine},
		{"guest", in, ""},
		{"lister", in, engine},
		{"lister", in + "?permissions=" + readResources, ""},
		{"reader", in + "?permissions=" + readResources, engine},
		{"reader", in + "?permissions=" + editResources, ""},
	} {
		if got := listed(g.as(basic(one.user)).status(one.path, 200).body); got != one.want {
			t.Errorf("%s %s: %s, want %s", one.user, one.path, got, one.want)
		}
	}
	below := []string{"/branches", "/branches/" + trunkID, "/revisions", "/revisions?includeBody=true", "/revisions/1", "/tags", "/locks"}
	for user, want := range map[string]int{"root": 200, "reader": 200, "lister": 403, "guest": 404, "nobody": 404} {
		for _, path := range below {
			g.as(basic(user)).status("/osmc/resources/"+engine+path, want)
		}
	}
	for user, want := range map[string]int{"root": 200, "reader": 200, "lister": 200, "guest": 404, "nobody": 404} {
		g.as(basic(user)).status("/osmc/resources/"+engine, want)
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
		of + "/" + g.w.servers["prod"].role("Resource Reviewer").id + "/users":    {200, 403, 403, 403},
		of + "/" + g.w.servers["prod"].role("Server Administrator").id + "/users": {404, 404, 404, 404},
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
		g := serve(t, plant, `"2024xR3", "answers": "plain"`, fmt.Sprintf("%q, %q: %q", one.version, "answers", one.answers),
			`"tls": true`, `"tls": `+one.tls, `"oauth_token": "root-oauth",`, "")
		var got health
		decode(t, g.status("/osmc/admin/health", 200).body, &got)
		n := got.Nodes[0]
		if got.Cassandra.KeyspaceName != one.keyspace || n["status"] != "UP" || n["communicationNonSSLClientPort"] != 3579.0 || n["communicationSSLClientPort"] != one.port {
			t.Errorf("%s: %+v", one.version, got)
		}
	}
}

func TestVersionText(t *testing.T) {
	for change, want := range map[string]string{
		`"sync_address": "a.example"`:                       "Teamwork Cloud VERSION 2024x Refresh3, OSMC VERSION 2024x Refresh3, REVISION 4c1f09a",
		`"version_text": "18.5"`:                            "18.5",
		`"version_text": ""`:                                "",
		`"sync_address": "a.example", "version_text": null`: "Teamwork Cloud VERSION 2024x Refresh3, OSMC VERSION 2024x Refresh3, REVISION 4c1f09a",
	} {
		g := serve(t, plant, `"sync_address": "twc.prod.example"`, change)
		if got := g.status("/osmc/version", 200).body; got != want {
			t.Errorf("%s: %q", change, got)
		}
	}
}

func TestCurrentUser(t *testing.T) {
	g := serve(t, plant)
	role := g.w.servers["prod"].role("Resource Reviewer")
	released := g.w.servers["prod"].categoryByPath("Released").id
	want := fmt.Sprintf(`{"enabled": true, "external": false, "otherAttributes": {"name": "reader"}, "realm": %q, "userGroups": [],
		"userName": "reader", "roleAssignments": [{"ID": %q, "roleID": %q, "protectedObjects": [
			{"ID": %q, "protectedType": "com.nomagic.esi.category"}]}]`, uuidOf("realm prod"), uuidOf("assignment reader "+role.id), role.id, released)
	read := fmt.Sprintf(`{"ID": %q, "name": "com.nomagic.esi.resource_read.resource", "operationName": "read.resource",
		"operationDisplayName": "Read Resources", "operationAssignableAccessScope": "GLOBAL_OR_OBJECT", "protectedType": "com.nomagic.esi.resource"}`, readResources)
	r := g.as(basic("reader"))
	r.is("/osmc/admin/users/reader", want+`}`)
	r.is("/osmc/admin/user?username=reader&permission=true", want+`, "permissions": [`+read+`]}`)
	g = serve(t, plant, `"answers": "plain"`, `"answers": "pairs"`)
	g.as(basic("reader")).is("/osmc/admin/users/reader?permission=true", want+`, "permissions": ["`+readResources+`"]}`)
	var user struct {
		RoleAssignments []struct{ ProtectedObjects []any }
		Permissions     []string
	}
	decode(t, g.status("/osmc/admin/users/root?permission=true", 200).body, &user)
	if len(user.RoleAssignments) != 4 || len(user.RoleAssignments[0].ProtectedObjects) != 0 || len(user.Permissions) != 13 {
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
	if len(roles) != len(predefined) || roles[5].Name != syncManager || !roles[5].Predefined || roles[5].Global {
		t.Errorf("all roles: %+v", roles)
	}
	decode(t, g.status("/osmc/workspaces/"+powertrain+"/roles", 200).body, &roles)
	for _, r := range roles {
		if r.Global {
			t.Errorf("%s is no role of a category", r.Name)
		}
	}
	if predefinedRoles("a")[0].id == predefinedRoles("b")[0].id {
		t.Error("servers share ids of roles")
	}
}

func TestGrantRole(t *testing.T) {
	lists := `["reader", "guest"]`
	for _, one := range []struct {
		version, kind, body, user, role string
		want                            int
	}{
		{"2024xR1", "application/json", lists, "root", syncManager, 201},
		{"2026xR1", "application/json; charset=utf-8", lists, "root", syncManager, 201},
		{"2024xR1", "text/plain", "reader,guest", "root", syncManager, 415},
		{"2024x HF3", "text/plain", "reader,guest", "root", syncManager, 201},
		{"2022xR2", "text/plain", "reader, guest", "root", syncManager, 201},
		{"2021xR2", "application/json", lists, "root", syncManager, 415},
		{"2022xR2", "text/plain", "", "root", syncManager, 400},
		{"2024xR3", "application/json", `[]`, "root", syncManager, 400},
		{"2024xR3", "application/json", `"reader"`, "root", syncManager, 400},
		{"2024xR3", "application/json", `["reader", "mira"]`, "root", syncManager, 400},
		{"2024xR3", "application/json", lists, "root", "Server Administrator", 404},
		{"2024xR3", "application/json", lists, "reader", syncManager, 403},
		{"2024xR3", "application/json", lists, "lister", syncManager, 403},
	} {
		g := serve(t, plant, `"2024xR3"`, `"`+one.version+`"`, `"oauth_token": "root-oauth",`, "")
		s := g.w.servers["prod"]
		path := "/osmc/workspaces/" + powertrain + "/roles/" + s.role(one.role).id + "/users"
		out := g.as(basic(one.user)).send("POST", path, one.kind, one.body)
		if out.StatusCode != one.want {
			t.Errorf("%+v: %d\n%s", one, out.StatusCode, out.body)
		}
		if got, want := s.hasRole(s.user("guest"), syncManager, powertrain), one.want == 201; got != want {
			t.Errorf("%+v: guest has the role: %t", one, got)
		}
		if one.want != 201 {
			continue
		}
		g.as(basic(one.user)).send("POST", path, one.kind, one.body) // again: nothing more
		if got := g.get(path).body; got != `["reader","guest"]` {
			t.Errorf("%+v: users %s", one, got)
		}
		if s.hasRole(s.user("guest"), syncManager, s.categoryByPath("Released").id) || len(s.user("guest").grants) != 2 {
			t.Errorf("%+v: %+v", one, s.user("guest").grants)
		}
	}
}

func pairOf(second string) string {
	return `[{"@type": ["kerml:Workspace", "ldp:DirectContainer"]}, {"@type": ["kerml:Workspace"]` + second + `}]`
}

func TestCreateCategory(t *testing.T) {
	for _, shape := range []string{"plain", "pairs"} {
		g := serve(t, plant, `"answers": "plain"`, `"answers": "`+shape+`"`)
		s := g.w.servers["prod"]
		out := g.send("POST", "/osmc/workspaces", typeLinked, pairOf(`, "dcterms:title": "From Acme", "dcterms:description": "new"`))
		top := s.categoryByPath("From Acme")
		if out.StatusCode != 201 || top == nil || top.description != "new" {
			t.Fatalf("%s: %d %+v\n%s", shape, out.StatusCode, top, out.body)
		}
		var pair []map[string]any
		decode(t, out.body, &pair)
		if pair[1]["dcterms:title"] != "From Acme" || strings.Contains(out.body, top.id) != (shape == "pairs") {
			t.Errorf("%s: %s", shape, out.body)
		}
		out = g.send("POST", "/osmc/workspaces", typeLinked, pairOf(`, "dcterms:title": "Body", "kerml:resources": [], "kerml:parentID": "`+top.id+`"`))
		if below := s.categoryByPath("From Acme/Body"); out.StatusCode != 201 || below == nil || below.id == top.id {
			t.Errorf("%s: below: %d %+v", shape, out.StatusCode, below)
		}
		if out := g.get("/osmc/workspaces/" + top.id + "/resources"); out.StatusCode != 200 || !strings.Contains(out.body, `"dcterms:title":"From Acme"`) {
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
		{"root", typeJSON, pairOf(`, "dcterms:title": "A"`), 415},
		{"root", "", pairOf(`, "dcterms:title": "A"`), 415},
		{"root", typeLinked, `{"dcterms:title": "A"}`, 400},
		{"root", typeLinked, `[{"@type": ["kerml:Workspace"], "dcterms:title": "A"}]`, 400},
		{"root", typeLinked, pairOf(``), 400},
		{"root", typeLinked, pairOf(`, "dcterms:title": " "`), 400},
		{"root", typeLinked, pairOf(`, "dcterms:title": 1`), 400},
		{"root", typeLinked, pairOf(`, "dcterms:title": "A", "title": "A"`), 400},
		{"root", typeLinked, pairOf(`, "dcterms:title": "A", "kerml:resources": [{"@id": "` + engine + `"}]`), 400},
		{"root", typeLinked, `[{"@type": ["ldp:DirectContainer"]}, {"@type": ["kerml:Workspace"], "dcterms:title": "A"}]`, 400},
		{"root", typeLinked, pairOf(`, "dcterms:title": "A", "kerml:parentID": "` + engine + `"`), 404},
		{"root", typeLinked, pairOf(`, "dcterms:title": "Released"`), 409},
		{"reader", typeLinked, pairOf(`, "dcterms:title": "A"`), 403},
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
