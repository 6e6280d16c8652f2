package osmc

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestGroupRoles checks the vendor's example of a group. A group whose answer lacks roles is not one without roles.
func TestGroupRoles(t *testing.T) {
	body := `{"ID":"g1","name":"group name","usernames":["anna"],"roleAssignments":[{"ID":"a1","protectedObjects":` +
		`[{"ID":"c1","protectedType":"com.nomagic.esi.resource"}],"roleID":"r1"}]}`
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/login"):
			http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: "0123456789"})
		case strings.HasSuffix(r.URL.Path, "/currentUser"):
			_, _ = io.WriteString(w, `{"userName":"anna","roleAssignments":[],"userGroups":["g1"]}`)
		default:
			_, _ = io.WriteString(w, body)
		}
	})
	u, err := s.client(nil).Reader().CurrentUser(t.Context())
	if err != nil || len(u.Groups) != 1 || u.Groups[0] != "g1" {
		t.Fatalf("%+v, %v", u, err)
	}
	roles, err := s.client(nil).Reader().GroupRoles(t.Context(), u.Groups[0])
	if err != nil || len(roles) != 1 || roles[0].RoleID != "r1" {
		t.Errorf("%+v, %v", roles, err)
	}
	body = `{"ID":"g1","name":"group name"}`
	if roles, err := s.client(nil).Reader().GroupRoles(t.Context(), "g1"); err == nil {
		t.Errorf("got %+v", roles)
	}
}

// TestGroupsOfRoles checks the vendor's example with pairs of ID and name. An answer without usernames does not mean
// an empty group.
func TestGroupsOfRoles(t *testing.T) {
	same(t, []string{"g1", "g2"}, parseGroupIDs, `[["g2","two"],["g1","one"]]`, `["g1","g2"]`,
		`[{"ID":"g1","name":"one"},{"ID":"g2"}]`, `{"ldp:contains":[{"@id":"g1"},{"@id":"g2"}]}`)
	same(t, []string{"g1"}, parseGroupIDs, `[["g1","one"]]`)
	same(t, []string{}, parseGroupIDs, `[]`)
	refuses(t, parseGroupIDs, map[string]string{`{}`: "has no usergroups", `[{}]`: "has no ID", `null`: "null"})
	same(t, []string{"anna", "bob"}, parseGroupUsers, `{"ID":"g1","usernames":["bob","anna"]}`)
	same(t, []string{}, parseGroupUsers, `{"ID":"g1","usernames":[]}`)
	refuses(t, parseGroupUsers, map[string]string{`{"ID":"g1"}`: "has no usernames"})
}

// TestRolesSaidOrNot checks that missing roles are unknown, but an empty list means none.
func TestRolesSaidOrNot(t *testing.T) {
	same(t, &User{Name: "anna"}, parseUser, `{"userName":"anna"}`, `{"userName":"anna","roleAssignments":null}`)
	same(t, &User{Name: "anna", RoleAssignments: []RoleAssignment{}}, parseUser,
		`{"userName":"anna","roleAssignments":[]}`)
}

// TestRemovedOrNot checks that a value of removed must be understood.
func TestRemovedOrNot(t *testing.T) {
	read := func(n *node) ([]string, error) { return parseCategoryResources(n, false) }
	same(t, []string{"p1", "p2", "p3"}, read,
		`{"kerml:resources":["p1",{"ID":"p2","removed":null},{"ID":"p3","removed":false},{"ID":"p4","removed":true}]}`)
	refuses(t, read, map[string]string{`{"kerml:resources":[{"ID":"p1","removed":"perhaps"}]}`: "removed is neither"})
}
