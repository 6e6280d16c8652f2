package survey

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim"
	"github.com/syncctl/syncctl/planner"
)

// TestRolesNotSaid checks that a user is not one without roles or groups if the server does not show them.
func TestRolesNotSaid(t *testing.T) {
	for name, u := range map[string]osmc.User{
		"groups not said": {RoleAssignments: []osmc.RoleAssignment{}},
		"roles not said":  {Groups: []string{}},
		"none":            {RoleAssignments: []osmc.RoleAssignment{}, Groups: []string{}},
	} {
		got, err := ownRoles(t.Context(), osmc.Reader{}, &u, "r1")
		if err != nil || got.Unknown != (name != "none") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestRolesThroughGroups checks that a role held through a group, everywhere, or on an ancestor of the category
// counts, for the client's own user or another one. What the server does not show is unknown, and never "not held".
func TestRolesThroughGroups(t *testing.T) {
	const seed = `{"servers": {"a": {"version": "2024xR3",
		"categories": [{"path": "Shared/From A", "id": "ca700000-0000-4000-8000-000000000001"}, {"path": "Other"}],
		"users": [
			{"name": "root", "password": "x", "roles": [{"role": "Security Manager"}]},
			{"name": "manager", "password": "x", "roles": [{"role": "Resource Manager"}]},
			{"name": "here", "password": "x"}, {"name": "above", "password": "x"}, {"name": "all", "password": "x"},
			{"name": "elsewhere", "password": "x"}, {"name": "nobody", "password": "x"},
			{"name": "self", "password": "x", "roles": [{"role": "Resource Synchronization Manager"}]}
		],
		"groups": [
			{"name": "one", "users": ["here"], "roles": [{"role": "Resource Synchronization Manager",
				"categories": ["Shared/From A"]}]},
			{"name": "two", "users": ["above"], "roles": [{"role": "Resource Synchronization Manager",
				"categories": ["Shared"]}]},
			{"name": "three", "users": ["all", "root"], "roles": [{"role": "Resource Synchronization Manager"}]},
			{"name": "four", "users": ["elsewhere"], "roles": [{"role": "Resource Synchronization Manager",
				"categories": ["Other"]}]}
		]}}}`
	w, err := twcsim.Open([]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(w.Handler("a"))
	defer h.Close()
	for _, c := range []struct {
		as, of, path string
		known, held  bool
	}{
		{"root", "root", "Shared/From A", true, true},
		{"root", "here", "Shared/From A", true, true},
		{"root", "here", "Shared/New", true, false},
		{"root", "above", "Shared/From A", true, true},
		{"root", "above", "Shared/New", true, true},
		{"root", "all", "New", true, true},
		{"root", "self", "Shared/From A", true, true},
		{"root", "elsewhere", "Shared/From A", true, false},
		{"root", "nobody", "Shared/From A", true, false},
		{"root", "no such user", "Shared/From A", false, false},
		{"manager", "self", "Shared/From A", false, false}, // sees only the category's list
		{"manager", "here", "Shared/From A", false, false}, // and no groups
		{"manager", "nobody", "Shared/From A", false, false},
		{"manager", "nobody", "New", false, false},
	} {
		client, err := osmc.New(osmc.Options{Rest: rest.Options{BaseURL: h.URL, MaxRetries: -1}, User: c.as, Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		r := client.Reader()
		inv, err := readInventory(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		if at := inv.CategoryAt(c.path); at != nil {
			id = at.ID
		}
		declared := &connect.Server{}
		declared.User = declare.Plain(c.of)
		rights, err := readRights(t.Context(), r, declared, id)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		seen := planner.NewObservations()
		seen.Put(planner.Need{Server: "server.teamwork_cloud.a", What: AboutRole, Of: id}, time.Time{}, "", rights)
		v := NewView(seen)
		got := v.roleIn(server("a"), inv, c.path)
		if got == nil || got.Known != c.known || got.Held != c.held || got.User != c.of {
			t.Errorf("%+v: %+v, %+v, %v", c, got, rights, v.Err())
		}
		if err := client.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
