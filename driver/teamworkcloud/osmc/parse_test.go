package osmc

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAs returns what a parser reads from a text.
func readAs[T any](t *testing.T, text string, read func(*node) (T, error)) (T, error) {
	t.Helper()
	return read(parsed(t, text))
}

// exported lets cmp compare fields that are not exported.
var exported = cmp.Exporter(func(reflect.Type) bool { return true })

// same checks that each of the texts is read as want.
func same[T any](t *testing.T, want T, read func(*node) (T, error), texts ...string) {
	t.Helper()
	for _, text := range texts {
		got, err := readAs(t, text, read)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got, exported); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

// refuses checks that each text is an error with certain words. texts maps texts to these words.
func refuses[T any](t *testing.T, read func(*node) (T, error), texts map[string]string) {
	t.Helper()
	for text, want := range texts {
		if got, err := readAs(t, text, read); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want %s", text, got, err, want)
		}
	}
}

func TestHealth(t *testing.T) {
	same(t, &Health{
		Keyspace: "esi2024x0", CassandraLive: []string{"10.0.0.1", "10.0.0.2"}, CassandraUnreachable: []string{},
		Nodes: []Node{{"twc-a", "UP", Given(3579), Given(10002)}, {"twc-b", "UP", Given(3579), Given(0)}},
	}, parseHealth,
		`{"cassandraClusterHealth":{"cassandraLiveNodes":["10.0.0.2","10.0.0.1"],"cassandraUnreachableNodes":[],`+
			`"keyspaceName":"esi2024x0","clusterSize":2},
		  "nodeHealth":[{"hostName":"twc-b","status":"UP","communicationNonSSLClientPort":3579,`+
			`"communicationSSLClientPort":-1},
		                {"hostName":"twc-a","status":"UP","communicationNonSSLClientPort":"3579",`+
			`"communicationSSLClientPort":10002.0}]}`,
		`[{"cassandraClusterHealth":[{"cassandraLiveNodes":[{"address":"10.0.0.2"},{"address":"10.0.0.1"}],`+
			`"cassandraUnreachableNodes":[],"keyspaceName":"esi2024x0"}],
		  "nodeHealth":[{"hostAddress":"twc-b","status":"UP","communicationNonSSLClientPort":3579,`+
			`"communicationSSLClientPort":null},
		                {"hostName":"twc-a","status":"UP","communicationNonSSLClientPort":3579,`+
			`"communicationSSLClientPort":10002}]}]`)
	same(t, &Health{
		CassandraLive: []string{"10.0.0.1"}, CassandraUnreachable: []string{}, Nodes: []Node{{"twc", "UP",
			Given(3579), Given(10002)}},
	}, parseHealth, // a list with one element, written as that element
		`{"cassandraClusterHealth":{"cassandraLiveNodes":"10.0.0.1","cassandraUnreachableNodes":[]},
		  "nodeHealth":{"hostName":"twc","status":"UP","communicationNonSSLClientPort":3579,`+
			`"communicationSSLClientPort":10002}}`)
	same(t, &Health{CassandraLive: []string{}, CassandraUnreachable: []string{}, Nodes: []Node{{Name: "twc",
		Status: "UP", PlainPort: Given(3579)}}},
		parseHealth, // a port that is not mentioned need not be closed
		`{"cassandraClusterHealth":{"cassandraLiveNodes":[],"cassandraUnreachableNodes":[]},
		  "nodeHealth":[{"hostName":"twc","status":"UP","communicationNonSSLClientPort":3579}]}`)
	refuses(t, parseHealth, map[string]string{
		`{}`:                            "has no cassandraClusterHealth",
		`{"cassandraClusterHealth":{}}`: "has no nodeHealth",
		`{"cassandraClusterHealth":{},"nodeHealth":[]}`: "cassandraClusterHealth has no cassandraLiveNodes",
		`{"cassandraClusterHealth":{"cassandraLiveNodes":[]},` +
			`"nodeHealth":[]}`: "cassandraClusterHealth has no cassandraUnreachableNodes",
		`{"cassandraClusterHealth":{"cassandraLiveNodes":null},` +
			`"nodeHealth":[]}`: "cassandraClusterHealth.cassandraLiveNodes is null",
		`{"cassandraClusterHealth":{"cassandraLiveNodes":[],"cassandraUnreachableNodes":[]},` +
			`"nodeHealth":[{"hostName":"a"}]}`: "nodeHealth[0] has no status",
		`{"cassandraClusterHealth":{"cassandraLiveNodes":[],"cassandraUnreachableNodes":[]},` +
			`"nodeHealth":[{"status":"UP","communicationSSLClientPort":"many"}]}`: `nodeHealth[0].` +
			`communicationSSLClientPort is not a whole number: "many"`,
	})
}

func TestUsers(t *testing.T) {
	same(t, []string{"anna", "berta"}, parseUsers,
		`["berta","anna","anna"]`, `[{"userName":"berta"},{"username":"anna"}]`, `{"users":["anna","berta"]}`)
	same(t, []string{}, parseUsers, `[]`)
	refuses(t, parseUsers, map[string]string{
		`{}`: "has no users", `null`: "it is null", `[{}]`: "[0] has no userName", `[null]`: "[0] has no userName",
		`[true]`: "[0] has no",
	})
}

func TestUser(t *testing.T) {
	same(t, &User{
		Name: "anna", PermissionsKnown: true,
		RoleAssignments: []RoleAssignment{
			{"r1", Given([]ProtectedObject{})},
			{"r2", Given([]ProtectedObject{{"c1", "com.nomagic.esi.category"}, {"c2", "com.nomagic.esi.category"}})},
		},
		Permissions: []Permission{{"p1", "com.nomagic.esi.resource_read.resource", "Read Resources"}, {ID: "p2"}},
	}, parseUser,
		`{"userName":"anna","roleAssignments":[
		   {"ID":"x","roleID":"r2","protectedObjects":[{"ID":"c2","protectedType":"com.nomagic.esi.category"},`+
			`{"ID":"c1","protectedType":"com.nomagic.esi.category"}]},
		   {"roleID":"r1","protectedObjects":[]}],
		  "permissions":["p2",{"ID":"p1","name":"com.nomagic.esi.resource_read.resource","operationDisplayName":"Read `+
			`Resources"}]}`,
		`[{"username":"anna","roleAssignments":[
		   {"roleID":{"@id":"r2"},"protectedObjects":[{"ID":"c1","protectedType":"com.nomagic.esi.category"},`+
			`{"ID":"c2","protectedType":"com.nomagic.esi.category"}]},
		   {"roleID":"r1","protectedObjects":null}],
		  "permissions":[{"ID":"p2"},{"ID":"p1","name":"com.nomagic.esi.resource_read.resource",`+
			`"operationDisplayName":"Read Resources"}]}]`)
	same(t, &User{Name: "anna", RoleAssignments: []RoleAssignment{{RoleID: "r1"}}}, parseUser,
		`{"userName":"anna","roleAssignments":{"roleID":"r1"}}`,
		`{"userName":"anna","roleAssignments":[{"roleID":"r1"}],"permissions":{"a":true}}`,
		`{"userName":"anna","roleAssignments":[{"roleID":"r1"}],"permissions":null}`)
	same(t, &User{Name: "anna", PermissionsKnown: true}, parseUser, `{"userName":"anna","permissions":[]}`)
	refuses(t, parseUser, map[string]string{
		`{}`:   "has no userName",
		`[]`:   "has no userName",
		`"x"`:  "has no userName",
		`null`: "has no userName",
		`{"userName":"anna","roleAssignments":true}`: "roleAssignments is a " +
			"boolean",
		`{"userName":"anna","roleAssignments":[{}]}`: "roleAssignments[0] has " +
			"no roleID",
		`{"userName":"anna","roleAssignments":[{"roleID":"r",` +
			`"protectedObjects":[{}]}]}`: "roleAssignments[0].protectedObjects[0] has no ID",
		`{"userName":"anna","roleAssignments":[{"roleID":"r",` +
			`"protectedObjects":true}]}`: "roleAssignments[0].protectedObjects is a boolean",
		`{"userName":"anna","roleAssignments":[{"roleID":"#it","protectedObjects":true}]}`: "roleAssignments[0] has " +
			"no roleID",
	})
}

func TestRoles(t *testing.T) {
	read := Permission{"9649", "com.nomagic.esi.resource_read.resource", "Read Resources"}
	same(t, []Role{{"r1", "Resource Reviewer", []Permission{read}}, {ID: "r2", Name: "Empty"}}, parseRoles,
		`[{"ID":"r1","name":"Resource Reviewer","predefined":true,"permissions":[{"ID":"9649",`+
			`"name":"com.nomagic.esi.resource_read.resource","operationDisplayName":"Read Resources"}]},{"ID":"r2",`+
			`"name":"Empty","permissions":[]}]`,
		`{"roles":[{"@id":"r1","name":"Resource Reviewer","permissions":{"ID":"9649",`+
			`"name":"com.nomagic.esi.resource_read.resource","operationDisplayName":"Read Resources"}},{"ID":"r2",`+
			`"name":"Empty"}]}`)
	same(t, []Role{{ID: "r1"}, {ID: "r2"}}, parseRoles, `["r1","r2"]`, `[{"@id":"r1"},{"ID":"r2"}]`)
	same(t, Role{"r1", "R", []Permission{{ID: "9649"}}}, func(n *node) (Role, error) { return parseRole(n, "r1") },
		`{"name":"R","permissions":["9649"]}`)
	refuses(t, parseRoles, map[string]string{
		`{}`: "has no roles", `[{"name":"x"}]`: "[0] has no ID", `[{"ID":"a"},{"name":"x"}]`: "[1] has no ID",
		`[{"ID":"a","name":"x","permissions":[{}]}]`: "[0].permissions[0] has no ID",
	})
	refuses(t, func(n *node) (Role, error) { return parseRole(n, "r1") }, map[string]string{`{}`: "has no name",
		`[]`: "has no name"})
}

// fuzzed gives a parser arbitrary bytes. It must not panic, and must not read something from nothing.
func fuzzed[T any](f *testing.F, read func(*node) (T, error), check func(t *testing.T, out T), seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, `[]`, `{}`, `null`, `[[],{}]`, `{"ldp:contains":[]}`) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := tree(b)
		if err != nil {
			return
		}
		out, err := read(n)
		if err == nil {
			check(t, out)
		} else if err.Error() == "" {
			t.Error("an error without a word")
		}
	})
}

func FuzzHealth(f *testing.F) {
	fuzzed(f, parseHealth, func(t *testing.T, h *Health) {
		for _, n := range h.Nodes {
			if n.Status == "" || n.PlainPort.value < 0 || n.TLSPort.value < 0 {
				t.Errorf("%+v", n)
			}
		}
		_ = h.Major()
	}, `{"cassandraClusterHealth":{"cassandraLiveNodes":["a"],"cassandraUnreachableNodes":[],`+
		`"keyspaceName":"esi2024x0"},"nodeHealth":[{"hostName":"a","status":"UP","communicationNonSSLClientPort":3579}]}`)
}

func FuzzUsers(f *testing.F) {
	fuzzed(f, parseUsers, func(*testing.T, []string) {}, `["a","b"]`, `[{"userName":"a"}]`)
}

func FuzzUser(f *testing.F) {
	fuzzed(f, parseUser, func(t *testing.T, u *User) {
		if u.Name == "" || !u.PermissionsKnown && u.Permissions != nil {
			t.Errorf("%+v", u)
		}
	}, `{"userName":"anna","roleAssignments":[{"roleID":"r","protectedObjects":[{"ID":"c","protectedType":"t"}]}],`+
		`"permissions":["p",{"ID":"q"}]}`)
}

func FuzzRoles(f *testing.F) {
	fuzzed(f, parseRoles, func(t *testing.T, list []Role) {
		for _, r := range list {
			if r.ID == "" {
				t.Errorf("%+v", r)
			}
		}
	}, `[{"ID":"r1","name":"R","permissions":[{"ID":"9649"}]},"r2"]`)
}

func FuzzRole(f *testing.F) {
	fuzzed(f, func(n *node) (Role, error) { return parseRole(n, "r") }, func(t *testing.T, r Role) {
		if r.Name == "" {
			t.Errorf("%+v", r)
		}
	}, `{"name":"R","permissions":["9649"]}`)
}
