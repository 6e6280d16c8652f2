package connect_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
)

// TestSent checks that after a failed creation only the answer to the creation itself counts, never that to a login or
// a later request.
func TestSent(t *testing.T) {
	for name, c := range map[string]struct {
		login, create, list int
		unsent, later       bool
	}{
		"the login is refused":              {login: 403, unsent: true},
		"the login fails":                   {login: 500, unsent: true},
		"the login is to come later":        {login: 429, later: true},
		"the creation is refused":           {create: 403, unsent: true},
		"the creation is to come later":     {create: 429, later: true},
		"the creation fails":                {create: 500},
		"created, and the list is refused":  {list: 403},
		"created, and the list is missing":  {list: 404},
		"created, and the list comes later": {list: 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status := c.list
				switch {
				case strings.HasSuffix(r.URL.Path, "/login"):
					status = c.login
				case r.Method == http.MethodPost:
					status = c.create
				}
				if status != 0 {
					w.WriteHeader(status)
					return
				}
				http.SetCookie(w, &http.Cookie{Name: "twc-rest-session-id", Value: "s", Path: "/osmc"})
				_ = json.NewEncoder(w).Encode(map[string]any{})
			}))
			defer s.Close()
			client, err := osmc.New(osmc.Options{
				Rest: rest.Options{BaseURL: s.URL, MaxRetries: -1}, User: "u", Password: "geheim",
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Writer().CreateCategory(t.Context(), "new", "", nil)
			if err == nil {
				t.Fatal("it was created")
			}
			got := connect.Sent(err)
			var later *executor.Later
			if isLater := errors.As(got, &later); isLater != c.later || executor.WasNotSent(got) != c.unsent {
				t.Errorf("not sent: %v, later: %v, of %v", executor.WasNotSent(got), isLater, err)
			}
		})
	}
}
