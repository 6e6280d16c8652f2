package osmc

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// sessions is a stand-in that has sessions like Teamwork Cloud: it opens one for each request with credentials and
// without cookies, and each holds a licence until logout.
type sessions struct {
	*server

	mu       sync.Mutex
	licences int
	password string
	token    string // with its authentication scheme
	renew    bool   // each answer sets a new id
	also     string // another Set-Cookie of the login
	open     map[string]bool
	made     int
	after    http.HandlerFunc // answers requests in a session
	login    http.HandlerFunc // answers logins
	instead  http.HandlerFunc // answers every request
}

// change changes the behaviour of the stand-in.
func (s *sessions) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func newSessions(t *testing.T) *sessions {
	t.Helper()
	s := &sessions{licences: 3, password: "hush-hush", token: "Token sesame-sesame", open: map[string]bool{}}
	s.after = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["anna"]`) }
	s.server = serve(t, s.answer)
	return s
}

// setCookies opens a session.
func (s *sessions) setCookies(w http.ResponseWriter, user string) {
	s.made++
	id := fmt.Sprintf("%08d-canary", s.made)
	s.open[id] = true
	w.Header().Add("Set-Cookie", userCookie+"="+user+"; Path=/osmc; Expires=Mon, 10 Feb 2020 16:59:21 GMT")
	w.Header().Add("Set-Cookie", sessionCookie+"="+id+"; Path=/osmc; Expires=Mon, 10 Feb 2020 16:59:21 GMT; Secure")
	if s.also != "" {
		w.Header().Add("Set-Cookie", s.also)
	}
}

func (s *sessions) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	id := cookieOf(r, sessionCookie)
	user, password, basic := r.BasicAuth()
	after, instead := s.after, s.instead
	if instead == nil && r.URL.Path == "/osmc/login" {
		instead = s.login
	}
	if instead != nil {
		s.mu.Unlock()
		instead(w, r)
		return
	}
	switch {
	case r.URL.Path == "/osmc/logout":
		if r.Header.Get("Authorization") != "" {
			s.t.Error("a logout that opens a session")
		}
		if !s.open[id] {
			w.WriteHeader(http.StatusUnauthorized)
		} else {
			delete(s.open, id)
			w.Header().Add("Set-Cookie", sessionCookie+"=; Path=/osmc; Max-Age=0")
			w.WriteHeader(http.StatusNoContent)
		}
		s.mu.Unlock()
		return
	case s.open[id]:
		if s.renew {
			delete(s.open, id)
			s.setCookies(w, user)
		}
	case basic && password == s.password, r.Header.Get("Authorization") == s.token:
		if len(s.open) >= s.licences {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html><title>Status page</title><p>No licenses are available.</p></html>")
			s.mu.Unlock()
			return
		}
		s.setCookies(w, user)
	default:
		w.WriteHeader(http.StatusUnauthorized)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if r.URL.Path == "/osmc/login" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	after(w, r)
}

// cookieOf reads a cookie as Java does, which accepts all values.
func cookieOf(r *http.Request, name string) string {
	for _, line := range r.Header.Values("Cookie") {
		for _, pair := range strings.Split(line, "; ") {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
	}
	return ""
}

func (s *sessions) opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// expire ends all sessions on the server.
func (s *sessions) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.open)
}

// ask makes one request.
func ask(t *testing.T, c *Client) {
	t.Helper()
	if _, err := c.Reader().LoggedIn(t.Context()); err != nil {
		t.Errorf("asking: %v", err)
	}
}

func logins(s *sessions) int { return s.count("GET /osmc/login") }

func TestOneSessionForAll(t *testing.T) {
	s := newSessions(t)
	c := s.client(nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	if logins(s) != 1 || s.count("GET /osmc/admin/loginusers") != 20 {
		t.Errorf("requests: %v", s.requests)
	}
	for range 2 { // the second has nothing to do
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if s.opened() != 0 || s.count("GET /osmc/logout") != 1 {
		t.Errorf("%d sessions are open after %v", s.opened(), s.requests)
	}
	ask(t, c)
	if logins(s) != 2 {
		t.Error("the client cannot be used again")
	}
	if err := c.Close(t.Context()); err != nil || s.opened() != 0 {
		t.Error(err, s.opened())
	}
}

func TestClientNeverUsedAsksNothing(t *testing.T) {
	s := newSessions(t)
	if err := s.client(nil).Close(t.Context()); err != nil || len(s.requests) != 0 {
		t.Error(err, s.requests)
	}
}

// TestSessionThatEnded checks that a session ended by the server is opened again, only once however many requests
// notice, and that refused requests are sent again.
func TestSessionThatEnded(t *testing.T) {
	s := newSessions(t)
	s.licences = 1
	c := s.client(nil)
	ask(t, c)
	for round := 2; round < 5; round++ {
		s.expire()
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() { ask(t, c) })
		}
		all.Wait()
		if logins(s) != round || s.opened() != 1 {
			t.Errorf("%d logins in round %d, %d sessions open", logins(s), round, s.opened())
		}
	}
}

// TestWriteInASessionThatEnded checks that a request repeated after a 401 is complete, and is sent at most twice.
func TestWriteInASessionThatEnded(t *testing.T) {
	s := newSessions(t)
	var bodies []string
	s.after = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			b, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(b))
			w.WriteHeader(http.StatusCreated)
			return
		}
		_, _ = io.WriteString(w, `[]`)
	}
	c := s.client(nil)
	ask(t, c)
	s.expire()
	if err := c.Writer().GrantCategoryRole(t.Context(), "w", "r", "anna", Release{Year: 2026}); err != nil {
		t.Error(err)
	}
	if len(bodies) != 1 || bodies[0] != `["anna"]` || s.count("POST") != 2 {
		t.Errorf("bodies %q of %v", bodies, s.requests)
	}
}

func TestOldSession(t *testing.T) {
	s := newSessions(t)
	c := s.client(nil)
	ask(t, c)
	s.pass(13 * time.Minute)
	ask(t, c)
	if logins(s) != 1 {
		t.Error("a session is given up early")
	}
	s.pass(2 * time.Minute)
	ask(t, c)
	if logins(s) != 2 || s.count("GET /osmc/logout") != 1 || s.opened() != 1 {
		t.Errorf("after a quarter of an hour: %v, %d sessions open", s.requests, s.opened())
	}
}

// TestCookiesAreReplaced checks that new cookies in answers extend the session.
func TestCookiesAreReplaced(t *testing.T) {
	s := newSessions(t)
	s.renew, s.licences = true, 1
	c := s.client(nil)
	for range 10 {
		s.pass(13 * time.Minute)
		ask(t, c)
	}
	if logins(s) != 1 || s.opened() != 1 {
		t.Errorf("%d logins, %d sessions open", logins(s), s.opened())
	}
	s.change(func() {
		s.after = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	})
	for range 2 { // also when the answer is an error
		if _, err := c.Reader().Resource(t.Context(), "x"); !IsGone(err) {
			t.Errorf("got %v", err)
		}
	}
	if err := c.Close(t.Context()); err != nil || s.opened() != 0 {
		t.Errorf("%v, %d sessions open", err, s.opened())
	}
}

// TestForbiddenAsUnauthorized checks that a 401 in a new session is about the request: it is not repeated, and no
// session is left open.
func TestForbiddenAsUnauthorized(t *testing.T) {
	s := newSessions(t)
	s.after = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/osmc/admin/health" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `[]`)
	}
	c := s.client(nil)
	ask(t, c)
	for range 3 {
		if _, err := c.Reader().Health(t.Context()); !NotAllowed(err) || errors.Is(err, ErrLogin) ||
			!strings.Contains(err.Error(), `does not let user "anna" do this`) {
			t.Errorf("got %v", err)
		}
		ask(t, c)
	}
	if logins(s) != 2 || s.opened() != 1 {
		t.Errorf("%d logins, %d sessions open", logins(s), s.opened())
	}
}

// TestSessionThatNeverWorks checks that a session in which nothing ever works is not opened repeatedly.
func TestSessionThatNeverWorks(t *testing.T) {
	s := newSessions(t)
	s.after = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	c := s.client(nil)
	for i := range 5 {
		if _, err := c.Reader().Resource(t.Context(), fmt.Sprint("p", i)); !NotAllowed(err) {
			t.Errorf("got %v", err)
		}
	}
	if logins(s) != 1 || s.opened() != 1 {
		t.Errorf("%d logins, %d sessions open", logins(s), s.opened())
	}
}

// TestFailedLoginIsOneForAll checks that requests waiting for a login that fails get its error, and do not log in
// again.
func TestFailedLoginIsOneForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := make(chan struct{})
		var asked atomic.Int32
		c, err := New(Options{User: "anna", Password: "hush-hush", Rest: rest.Options{
			BaseURL: "https://twc.example:8111", MaxRetries: -1, Transport: discard{func(w http.ResponseWriter,
				_ *http.Request) {
				asked.Add(1)
				<-fail
				w.WriteHeader(http.StatusServiceUnavailable)
			}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			go func() {
				if _, err := c.Reader().LoggedIn(t.Context()); !errors.Is(err, ErrLogin) {
					t.Errorf("got %v", err)
				}
			}()
		}
		synctest.Wait()
		close(fail)
		synctest.Wait()
		if asked.Load() != 1 {
			t.Errorf("%d logins", asked.Load())
		}
		_, _ = c.Reader().LoggedIn(t.Context()) // a later request logs in again
		if asked.Load() != 2 {
			t.Errorf("%d logins", asked.Load())
		}
	})
}

// FuzzCookie checks cookies from servers and gateways.
func FuzzCookie(f *testing.F) {
	for _, seed := range []string{"twc-rest-session-id=1; Path=/osmc; Expires=Mon, 10 Feb 2020 16:59:21 GMT",
		"a=; Max-Age=0", `a="b c"`, "=", "a=b; max-age=-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, _, ok := parseCookie(line, "twc.example")
		if ok && (c.name == "" || strings.ContainsAny(c.name+c.value, ";\r\n\x00") || !strings.Contains(line, c.value)) {
			t.Errorf("%q is read as %+v", line, c)
		}
	})
}

func TestLogoutThatFails(t *testing.T) {
	s := newSessions(t)
	c := s.client(nil)
	ask(t, c)
	s.change(func() {
		s.instead = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	})
	err := c.Close(t.Context())
	if err == nil || !strings.Contains(err.Error(), "holds a licence until it expires") {
		t.Errorf("got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		"no credentials":                       {User: "anna"},
		"no credentials: give":                 {Password: "hush"},
		`"saml" is not a kind of token`:        {Token: "x", TokenKind: "saml"},
		"the token has an invalid character":   {Token: "a\nb"},
		`the user "a:b" has a colon`:           {User: "a:b", Password: "hush"},
		"the server's address must be https:/": {User: "a", Password: "hush", Rest: rest.Options{BaseURL: "x"}},
	} {
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, base := range []string{"https://h:8111", "https://h:8111/", "https://h:8111/osmc", "https://h:8111/osmc/"} {
		c, err := New(Options{User: "a", Password: "b", Rest: rest.Options{BaseURL: base}})
		if err != nil || c.rest.BaseURL() != "https://h:8111" {
			t.Errorf("%s: %v", base, err)
		}
	}
}

// TestSecretsNeverShow checks that no secret is shown, whatever a server repeats.
func TestSecretsNeverShow(t *testing.T) {
	const password, token = `can"ary/+ <ä>1`, "sesame-sesame"
	s := newSessions(t)
	s.password = password
	var shown []string
	show := func(err error) {
		if err == nil {
			t.Error("an error was expected")
			return
		}
		shown = append(shown, err.Error())
	}
	echo := func(w http.ResponseWriter, r *http.Request) string {
		all := fmt.Sprint(r.Header.Values("Authorization"), r.Header.Values("Cookie"), w.Header().Values("Set-Cookie"))
		if _, p, ok := r.BasicAuth(); ok {
			all += p
		}
		return all
	}
	s.after = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/osmc/admin/health":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, echo(w, r))
		case "/osmc/version":
			_, _ = io.WriteString(w, "<html><title>"+echo(w, r)+"</title></html>")
		default:
			_, _ = fmt.Fprintf(w, `{%q: [{"createdDate": %q}], %q: 1}`, "revisions", echo(w, r), echo(w, r))
		}
	}
	for _, asToken := range []bool{false, true} {
		c := s.client(func(o *Options) {
			o.Password = password
			if asToken {
				o.Token = token
			}
		})
		for range 2 {
			s.change(func() { s.renew = !s.renew })
			_, err := c.Reader().Health(t.Context())
			show(err)
			_, _, err = c.Reader().Version(t.Context())
			show(err)
			_, _, err = c.Reader().History(t.Context(), "x")
			show(err)
			_, err = c.Reader().LoggedIn(t.Context())
			show(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	s.change(func() {
		s.login = func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "no such user: "+echo(w, r))
		}
	})
	c := s.client(func(o *Options) { o.Password = password })
	_, err := c.Reader().LoggedIn(t.Context())
	show(err)
	for _, text := range append(shown, s.logged()) {
		for _, secret := range []string{"can", "ary", "sesame", "canary", basicScheme("anna:" + password)[6:],
			basicScheme(password)[6:]} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %s", secret, text)
			}
		}
	}
	if !strings.Contains(strings.Join(shown, " "), "REDACTED") || !strings.Contains(s.logged(), "logged out") {
		t.Errorf("the test shows nothing: %s %s", shown, s.logged())
	}
}

// TestSessionInAnAnswer: a server that repeats what identifies the session, as in a name, does not have it shown.
func TestSessionInAnAnswer(t *testing.T) {
	s := newSessions(t)
	s.after = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["x 00000001-canary"]`) }
	names, err := s.client(nil).Reader().LoggedIn(t.Context())
	if err != nil || !slices.Equal(names, []string{"x (sensitive value)"}) {
		t.Errorf("%q, %v", names, err)
	}
}
