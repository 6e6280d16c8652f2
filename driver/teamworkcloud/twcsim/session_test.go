package twcsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

func (g *rig) sessions() int {
	g.w.Mu.Lock()
	defer g.w.Mu.Unlock()
	s := g.w.Named["prod"]
	s.Expire(g.w.Now)
	return len(s.Sessions)
}

// login returns a client with the cookies of a new session.
func (g *rig) login() *rig {
	g.t.Helper()
	out := g.send("GET", "/osmc/login", "", "")
	if out.StatusCode != 204 || len(out.Cookies()) != 2 || out.body != "" {
		g.t.Fatalf("login: %d, cookies %v\n%s", out.StatusCode, out.Cookies(), out.body)
	}
	return g.as(cookies(out.Cookies()))
}

func TestLoginAndLogout(t *testing.T) {
	g := serve(t, plant)
	out := g.send("GET", "/osmc/login", "", "")
	set := strings.Join(out.Header["Set-Cookie"], "\n")
	want := fmt.Sprintf("twc-rest-current-user=root; Path=/osmc; Expires=Mon, 02 Mar 2026 08:15:00 GMT\n"+
		"twc-rest-session-id=%s; Path=/osmc; Expires=Mon, 02 Mar 2026 08:15:00 GMT", out.Cookies()[1].Value)
	if set != want {
		t.Errorf("cookies:\n%s\nwant\n%s", set, want)
	}
	c := g.as(cookies(out.Cookies()))
	if got := c.send("GET", "/osmc/version", "", ""); got.StatusCode != 200 || len(got.Cookies()) != 0 ||
		g.sessions() != 1 {
		t.Errorf("with cookies: %d, new cookies %v, %d sessions", got.StatusCode, got.Cookies(), g.sessions())
	}
	if got := c.send("GET", "/osmc/logout", "", ""); got.StatusCode != 204 || g.sessions() != 0 {
		t.Errorf("logout: %d, %d sessions", got.StatusCode, g.sessions())
	}
	for _, path := range []string{"/osmc/version", "/osmc/logout"} {
		got := c.send("GET", path, "", "")
		if got.StatusCode != 401 || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%s after logout: %d", path, got.StatusCode)
		}
	}
}

func TestCookiesThatAreNoSession(t *testing.T) {
	g := serve(t, plant)
	good := g.send("GET", "/osmc/login", "", "").Cookies()
	other := g.as(basic("reader")).send("GET", "/osmc/login", "", "").Cookies()
	if _, err := g.w.Person(t.Context(), "login", map[string]string{"server": "prod", "user": "reader"}); err != nil {
		t.Fatal(err)
	}
	var tool string // session of the modelling tool
	g.w.Mu.Lock()
	for id, s := range g.w.Named["prod"].Sessions {
		if s.Person {
			tool = id
		}
	}
	g.w.Mu.Unlock()
	for name, list := range map[string][]*http.Cookie{
		"only the user":    good[:1],
		"only the session": good[1:],
		"mixed":            {good[0], other[1]},
		"unknown session":  {good[0], {Name: rest.CookieSession, Value: "00000000-0000-4000-8000-000000000000"}},
		"a tool's":         {{Name: rest.CookieUser, Value: "reader"}, {Name: rest.CookieSession, Value: tool}},
	} {
		if got := g.as(cookies(list)).send("GET", "/osmc/version", "", ""); got.StatusCode != 401 {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	if got := g.sessions(); got != 3 {
		t.Errorf("%d sessions, want 3", got)
	}
}

func TestSessionsEndWhenUnused(t *testing.T) {
	g := serve(t, plant)
	c := g.login()
	for range 3 { // every use restarts the time
		g.tick(14 * time.Minute)
		if got := c.send("GET", "/osmc/version", "", "").StatusCode; got != 200 {
			t.Fatalf("used within the time: %d", got)
		}
	}
	g.tick(15*time.Minute - time.Second)
	if got := g.sessions(); got != 1 {
		t.Errorf("just before: %d sessions", got)
	}
	g.tick(time.Second)
	if got := g.sessions(); got != 0 {
		t.Errorf("just then: %d sessions", got)
	}
	if got := c.send("GET", "/osmc/version", "", "").StatusCode; got != 401 {
		t.Errorf("after it: %d", got)
	}
	g = serve(t, plant, `"answers": "plain"`, `"session_minutes": 1`)
	g.login()
	if g.tick(time.Minute); g.sessions() != 0 {
		t.Error("session_minutes does not count")
	}
}

func TestCredentials(t *testing.T) {
	g := serve(t, plant)
	for name, one := range map[string]struct {
		auth func(*http.Request)
		want int
	}{
		"password":          {basic("root"), 200},
		"wrong password":    {func(r *http.Request) { r.SetBasicAuth("root", "reader-secret") }, 401},
		"no password":       {func(r *http.Request) { r.SetBasicAuth("root", "") }, 401},
		"unknown user":      {basic("mira"), 401},
		"nothing":           {nil, 401},
		"token":             {header("Token root-token"), 200},
		"wrong token":       {header("Token root-oauth"), 401},
		"no token":          {header("Token "), 401},
		"access token":      {header("Bearer root-oauth"), 200},
		"token as bearer":   {header("Bearer root-token"), 401},
		"another scheme":    {header("Negotiate root-token"), 401},
		"in the query only": {func(r *http.Request) { r.URL.RawQuery = "username=root&password=root-secret" }, 400},
	} {
		if got := g.as(one.auth).get("/osmc/version").StatusCode; got != one.want {
			t.Errorf("%s: %d, want %d", name, got, one.want)
		}
		if got := g.sessions(); got != 0 {
			t.Fatalf("%s: left %d sessions", name, got)
		}
	}
}

// TestLicencesRunOut checks that "Any call with Basic opens a new session each time and does not close it"
// (DEVG/pages/303989493).
func TestLicencesRunOut(t *testing.T) {
	g := serve(t, plant, `"answers": "plain"`, `"licences": 3`)
	for n := range 3 {
		auth := []func(*http.Request){basic("root"), header("Token root-token"), basic("reader")}[n]
		if got := g.as(auth).send("GET", "/osmc/version", "", ""); got.StatusCode != 200 || len(got.Cookies()) != 2 {
			t.Fatalf("call %d: %d, cookies %v", n, got.StatusCode, got.Cookies())
		}
	}
	out := g.send("GET", "/osmc/login", "", "")
	if out.StatusCode != 403 || !strings.Contains(out.body, "No licenses available") || len(out.Cookies()) != 0 {
		t.Errorf("the fourth: %d, cookies %v\n%s", out.StatusCode, out.Cookies(), out.body)
	}
	if _, err := g.w.Person(t.Context(), "login", map[string]string{"server": "prod", "user": "reader"}); err == nil {
		t.Error("a modelling tool got a licence that is not there")
	}
	g.tick(15 * time.Minute)
	c := g.login()
	if got := g.login().send("GET", "/osmc/logout", "", "").StatusCode; got != 204 || g.sessions() != 1 {
		t.Errorf("logout ended another session: %d, %d sessions", got, g.sessions())
	}
	if got := c.send("GET", "/osmc/version", "", "").StatusCode; got != 200 {
		t.Errorf("the other session: %d", got)
	}
}

// TestRefusedCallsOpenSessions checks that a refused call still opens a session, because it has authenticated.
func TestRefusedCallsOpenSessions(t *testing.T) {
	g := serve(t, plant).as(basic("nobody"))
	if got := g.send("GET", "/osmc/admin/health", "", ""); got.StatusCode != 403 || len(got.Cookies()) != 2 ||
		g.sessions() != 1 {
		t.Errorf("%d, cookies %v, %d sessions", got.StatusCode, got.Cookies(), g.sessions())
	}
}

func TestLoggedInUsers(t *testing.T) {
	g := serve(t, plant)
	c := g.login()
	g.as(basic("reader")).login()
	g.as(basic("reader")).login()
	if _, err := g.w.Person(t.Context(), "login", map[string]string{"server": "prod", "user": "guest"}); err != nil {
		t.Fatal(err)
	}
	if got := c.send("GET", "/osmc/admin/loginusers", "", "").body; got != `["guest","reader","root"]` {
		t.Error(got)
	}
	g.tick(time.Hour) // the tool stays logged in
	if got := g.as(c.auth).send("GET", "/osmc/version", "", "").StatusCode; got != 401 {
		t.Error(got)
	}
	if got := g.login().send("GET", "/osmc/admin/loginusers", "", "").body; got != `["guest","root"]` {
		t.Error(got)
	}
}

func TestDownAndUp(t *testing.T) {
	g := serve(t, plant)
	c := g.login()
	s := g.w.Named["prod"]
	change := func(f func()) {
		g.w.Mu.Lock()
		defer g.w.Mu.Unlock()
		f()
	}
	change(func() { s.Services.Running[state.UnitDatabase] = false })
	if got := c.send("GET", "/osmc/version", "", ""); got.StatusCode != 503 {
		t.Errorf("without Cassandra: %d", got.StatusCode)
	}
	change(func() { s.Services.Running[state.UnitDatabase] = true; machine.StopUnit(s, state.UnitServer) })
	if out, err := c.try("GET", "/osmc/version", "", ""); err == nil {
		t.Errorf("while it is stopped: %d", out.StatusCode)
	}
	change(func() { _ = machine.StartUnit(s, state.UnitServer, g.w.Now) })
	if out, err := c.try("GET", "/osmc/version", "", ""); err == nil {
		t.Errorf("while it starts: %d", out.StatusCode)
	}
	g.tick(machine.StartUp)
	if got := c.send("GET", "/osmc/version", "", ""); got.StatusCode != 401 {
		t.Errorf("sessions live on after a start: %d", got.StatusCode)
	}
	g.status("/osmc/version", 200)
}
