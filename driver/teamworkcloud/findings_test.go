package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// back is a declaration that brings what cars brings to b back to a, or elsewhere.
const back = `
sync "teamwork_cloud" "back" {
  source          = server.teamwork_cloud.b
  target          = server.teamwork_cloud.a
  MORE
}
`

// copied is a resource that a configuration has brought as a copy of Engine: the same ID, and its first two revisions.
func copied(more ...any) j {
	r := resource("Engine", "From A", append([]any{"read_only", true, "branches", []any{j{"name": "trunk"}}, "revisions",
		[]any{rev(1, "", "ann"), rev(2, "", "bob")}}, more...)...)
	return r
}

// TestFindings checks the findings of each of the product's rules.
func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		world    func(w *world)
		hcl      string
		rule     string
		severity planner.Severity
		summary  string
		detail   string
	}{
		"another major version": {func(w *world) { w.set("b", "version", "2022x Refresh2 Hot Fix 3") }, with(cars),
			"major", planner.Refuse,
			"source server.teamwork_cloud.a (2024x Refresh 3) is 2024x and target server.teamwork_cloud.b (2022x Refresh 2 " +
				"Hot Fix 3) is 2022x", "only between servers of one major version"},
		"another major version by the database": {func(w *world) {
			w.set("b", "version", "2022x").set("b", "version_text", "Teamwork Cloud, unreleased")
		}, with(cars), "major", planner.Refuse, "server.teamwork_cloud.b (2022x by its database esi2022x0) is 2022x", ""},
		"a version nobody can read": {func(w *world) { w.set("b", "version_text", "Teamwork Cloud, unreleased") },
			with(cars),
			"version-unreadable", planner.Warn,
			"the version of server.teamwork_cloud.b (2024x by its database esi2024x0) cannot be made out",
			`It says "Teamwork Cloud, unreleased"`},
		"another major version than expected": {func(*world) {}, strings.Replace(with(cars), "sync \"", "sync \"",
			1) + expecting("2022x"),
			"major-expected", planner.Refuse,
			"source server.teamwork_cloud.a2 expects major version 2022x and is server.teamwork_cloud.a2 (2024x Refresh 3)",
			"Change expect"},
		"no synchronization yet": {func(w *world) { w.versions("2021x Refresh1") }, with(cars),
			"sync-version", planner.Refuse,
			"server.teamwork_cloud.a (2021x Refresh 1) has no synchronization of resources yet", "2021x Refresh2"},
		"several hops before 2022x Refresh2": {func(w *world) { w.versions("2022x Refresh1") }, with(cars) + hop(),
			"multi-hop", planner.Refuse,
			"several hops, and server.teamwork_cloud.c (2022x Refresh 1), server.teamwork_cloud.b (2022x Refresh 1), " +
				"server.teamwork_cloud.a (2022x Refresh 1) cannot take part", "2022x Refresh2"},
		"a hop that does not know of the one before": {func(w *world) {
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources", copied())
		}, with(cars) + strings.Replace(hop(), "upstream        = sync.teamwork_cloud.cars", "", 1),
			"no-upstream", planner.Warn, `sync.teamwork_cloud.cars brings "Engine" to server.teamwork_cloud.b`,
			"Write upstream = sync.teamwork_cloud.cars"},
		"back to where it comes from": {func(w *world) {
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources", copied())
		}, with(cars) + with(back, `resources = ["`+ids["Engine"]+`"]`, `target_category = "Back"`),
			"one-direction", planner.Refuse,
			`"Engine" would come back to server.teamwork_cloud.a: sync.teamwork_cloud.cars -> sync.teamwork_cloud.back`,
			"one direction"},
		"to one server twice": {func(*world) {}, with(cars) + strings.NewReplacer("cars", "engine",
			`categories      = ["Cars"]`, `resources = ["Engine"]`, "MORE", "").Replace(cars),
			"twice", planner.Refuse, `sync.teamwork_cloud.engine brings "Engine" to server.teamwork_cloud.b too`,
			"cannot keep one resource"},
		"in a category and by itself": {func(*world) {}, with(cars, `resources = ["Engine"]`),
			"twice", planner.Refuse, `resource "Engine" is selected by category "Cars" and by resource "Engine"`,
			"take the resource out"},
		"the id is taken by what is marked as deleted": {func(w *world) {
			w.add("b", "resources",
				resource("Engine", "", "removed", true))
		}, with(cars),
			"taken", planner.Refuse, `server.teamwork_cloud.b has resource "Engine" (` + ids["Engine"] +
				`) already, marked as deleted`, "Data Manager"},
		"the project id is taken": {func(w *world) {
			w.add("b", "resources",
				resource("Motor", "", "project_id", "PROJECT-Engine"))
		}, with(cars),
			"taken", planner.Refuse, `with the same project id "PROJECT-Engine"`, "unique on the target"},
		"the name is taken": {func(w *world) {
			w.add("b", "resources", resource("Engine", "", "id", "0b000000-0000-4000-8000-000000000001", "project_id", "OTHER"))
		}, with(cars), "taken", planner.Refuse,
			`has another one, "Engine" (0b000000-0000-4000-8000-000000000001), with the same name "Engine"`, "unique"},
		"the name is taken by what is marked as deleted": {func(w *world) {
			w.add("b", "resources", resource("Engine", "", "id", "0b000000-0000-4000-8000-000000000001", "project_id", "OTHER",
				"removed", true))
		}, with(cars), "taken", planner.Refuse,
			`(0b000000-0000-4000-8000-000000000001, marked as deleted), with the same name`, "marked as deleted"},
		"no copy": {func(w *world) {
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources",
				copied("revisions", []any{rev(1, "", "ann"), rev(2, "", "mallory")}))
		}, with(cars), "not-a-copy", planner.Refuse,
			`revision 2 of branch trunk differs in its author: "bob" on the source, "mallory" on the target`,
			"leave the field out"},
		"not to be read": {func(w *world) { w.roles("a", "Resource Creator", "Resource Reviewer@Bikes") }, with(cars),
			"readable", planner.Refuse, `user syncctl may not read resource "Engine"`, "Read Resources"},
		"the role cannot be given": {func(w *world) {
			w.roles("b", "Resource Creator", "User Manager",
				"Server Administrator")
		}, with(cars),
			"role", planner.Refuse,
			`syncctl has not the role Resource Synchronization Manager on category "From A" of ` +
				`server.teamwork_cloud.b, and may not give it`,
			"Manage User Permissions"},
		"the role is given": {func(w *world) { w.roles("b", everything...) }, with(cars),
			"role", planner.Note, `syncctl gets the role Resource Synchronization Manager on category "From A"`, ""},
		"roles cannot be read": {func(w *world) {
			w.roles("b", "Resource Creator", "Resource Synchronization Manager", "Resource Reviewer")
		}, with(cars),
			"role", planner.Note, `whether syncctl has the role Resource Synchronization Manager on category "From A"`,
			"page does not let them"},
		"a category to create": {func(*world) {}, with(cars), "category-missing", planner.Note,
			`target_category "From A" is not on server.teamwork_cloud.b and is created`, ""},
		"a category by an id": {func(*world) {}, strings.Replace(with(cars), `"From A"`,
			`"0c000000-0000-4000-8000-000000000001"`, 1),
			"target-category", planner.Refuse,
			"server.teamwork_cloud.b has no category of the id 0c000000-0000-4000-8000-000000000001", "Write the path"},
		"what a category holds": {func(*world) {}, with(cars), "holds", planner.Note,
			`categories[0] "Cars" of server.teamwork_cloud.a holds 2 resources now (9 revisions): Engine, Gearbox`,
			"2 of them are not on server.teamwork_cloud.b yet"},
		"the encrypted ports differ": {func(w *world) {
			w.set("a", "tls", true).set("b", "tls", true).set("a", "ports", j{"plain": 3579, "tls": 10443})
		}, with(cars, "tls = true"), "login-port", planner.Refuse,
			"server.teamwork_cloud.a has 10443, server.teamwork_cloud.b has 10002", `sync_address = "HOST:10443"`},
		"no encrypted port": {func(w *world) { w.set("b", "tls", true) }, with(cars, "tls = true"),
			"login-port", planner.Warn,
			"the synchronization is encrypted, and server.teamwork_cloud.a names no port for encrypted clients",
			"Switch it on"},
		"a port that the source has not": {func(*world) {}, strings.Replace(with(cars), "server.teamwork_cloud.a",
			"server.teamwork_cloud.a2", 1) + addressed("twc.a.example:4000"),
			"login-port", planner.Warn,
			`sync_address "twc.a.example:4000" of server.teamwork_cloud.a2 names no port that the server has for ` +
				`clients (3579 without encryption)`,
			"firewall"},
		"the plain port for encryption": {func(w *world) { w.set("a", "tls", true) },
			strings.Replace(with(cars, "tls = true"), "server.teamwork_cloud.a", "server.teamwork_cloud.a2",
				1) + addressed("twc.a.example:3579"),
			"login-port", planner.Refuse, "has the port for clients without encryption, and the synchronization is encrypted",
			"HOST:10002"},
		"the encrypted port without encryption": {func(w *world) { w.set("a", "tls", true) },
			strings.Replace(with(cars, "tls = false"), "server.teamwork_cloud.a", "server.teamwork_cloud.a2",
				1) + addressed("twc.a.example:10002"),
			"login-port", planner.Refuse, "has the port for encrypted clients, and the synchronization is not encrypted",
			"HOST:3579"},
		"no encryption yet": {func(w *world) { w.versions("2024x") }, with(cars, "tls = true"),
			"tls-version", planner.Refuse, "tls = true, and server.teamwork_cloud.a (2024x) cannot synchronize encrypted",
			"2024x Refresh1"},
		"no encryption yet, and its port": {func(w *world) { w.versions("2022x Refresh2").set("a", "tls", true) },
			strings.Replace(with(cars), "server.teamwork_cloud.a", "server.teamwork_cloud.a2",
				1) + addressed("twc.a.example:10002"),
			"tls-version", planner.Refuse,
			"sync_address of server.teamwork_cloud.a2 has the port for encrypted clients, and server.teamwork_cloud.a2 " +
				"(2022x Refresh 2) cannot synchronize encrypted", "do without"},
		"nothing of that name": {func(*world) {}, with(cars, `resources = ["Gearbx"]`),
			"not-found", planner.Refuse,
			`resources[0] "Gearbx": server.teamwork_cloud.a has no resource of that name, path or id that its user ` +
				`syncctl may see`, `Did you mean "Gearbox"?`},
		"no category of that name": {func(*world) {}, strings.Replace(with(cars), `["Cars"]`, `["Car"]`, 1),
			"not-found", planner.Refuse, `categories[0] "Car": server.teamwork_cloud.a has no category`,
			`Did you mean "Cars"?`},
		"several of that name": {func(w *world) {
			w.add("a", "resources", resource("Frame", "Cars", "id", "0a000000-0000-4000-8000-000000000009", "project_id",
				"OTHER"))
		}, with(cars, `resources = ["Frame"]`),
			"not-found", planner.Refuse, `2 resources of server.teamwork_cloud.a have that name: Bikes/Frame (` +
				ids["Frame"] + `), Cars/Frame (`, "category path"},
		"marked as deleted in a category": {func(w *world) {
			w.add("a", "resources",
				resource("Radio", "Cars", "removed", true))
		}, with(cars),
			"removed-marked", planner.Note, `marked as deleted on server.teamwork_cloud.a and not synchronized: "Radio"`, ""},
		"marked as deleted": {func(w *world) { w.add("a", "resources", resource("Radio", "Bikes", "removed", true)) },
			with(cars, `resources = ["Radio"]`),
			"removed-marked", planner.Refuse, `resources[0] "Radio" is marked as deleted on server.teamwork_cloud.a`,
			"Restore it"},
		"marked as deleted, with a copy": {func(w *world) {
			w.add("a", "resources", resource("Frame2", "Bikes", "id", "0a000000-0000-4000-8000-000000000009", "removed", true))
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources",
				resource("Frame2", "From A", "id", "0a000000-0000-4000-8000-000000000009", "read_only", true))
		}, with(cars, `resources = ["Frame2"]`), "removed-marked", planner.Warn,
			`resources[0] "Frame2" is marked as deleted on server.teamwork_cloud.a`, "Its copy stays"},
		"behind": {func(w *world) {
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources", copied(),
				resource("Gearbox", "From A", "read_only", true))
		}, with(cars), "behind", planner.Warn,
			"server.teamwork_cloud.b has not everything that has come to 1 resource of server.teamwork_cloud.a",
			"Engine: the target lacks revisions 3, 6 of branch dev; revision 5 of branch trunk"},
		"left its category": {func(w *world) {
			w.add("b", "categories", j{"path": "From A"}).add("b", "resources", resource("Frame", "From A", "read_only", true))
		}, with(cars), "left-category", planner.Warn,
			`"Frame" is in category "Bikes" of server.teamwork_cloud.a now, which is not selected, and its copy is ` +
				`still in "From A"`,
			"not synchronized any more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(c.hcl)
			c.world(w)
			p := w.plans(t)
			for _, f := range p.Findings {
				if f.Rule == "teamwork_cloud/"+c.rule && f.Severity == c.severity && strings.Contains(f.Summary, c.summary) &&
					strings.Contains(f.Detail, c.detail) {
					return
				}
			}
			t.Errorf("want %s %s: %s (%s), got", c.severity, c.rule, c.summary, c.detail)
			for _, f := range p.Findings {
				t.Errorf("%s %s: %s (%s)", f.Severity, f.Rule, f.Summary, f.Detail)
			}
		})
	}
}

// another declares the server a again, as a2, with an addition.
func another(more string) string {
	return strings.NewReplacer(`"a"`, `"a2"`, "sync_address = \"twc.a.example\"\n", "", "ca_file ",
		more+"\n  ca_file ").Replace(strings.Split(servers, `server "teamwork_cloud" "b"`)[0])
}

func addressed(address string) string { return another(`sync_address = "` + address + `"`) }

func expecting(major string) string {
	return another("expect {\n    major = \""+major+"\"\n  }") + strings.NewReplacer(`"cars"`, `"bikes"`,
		"server.teamwork_cloud.a", "server.teamwork_cloud.a2", "Cars", "Bikes", "From A", "From A2", "MORE",
		"").Replace(cars)
}

// hop is a declaration that copies further what cars brings.
func hop() string {
	return `
sync "teamwork_cloud" "on" {
  source          = server.teamwork_cloud.b
  target          = server.teamwork_cloud.c
  categories      = ["From A"]
  target_category = "From B"
  upstream        = sync.teamwork_cloud.cars
}
`
}
