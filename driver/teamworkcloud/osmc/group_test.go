package osmc

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestGroupRoles: the vendor's example of a group; a group that says nothing of its roles is not one without roles.
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
