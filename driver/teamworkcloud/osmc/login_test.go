package osmc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

func TestRefusedLogin(t *testing.T) {
	for _, code := range []int{401, 403} {
		s := newSessions(t)
		s.login = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
		c := s.client(nil)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, err := c.Reader().LoggedIn(t.Context())
				if !errors.Is(err, ErrLogin) || NotAllowed(err) || IsGone(err) || WasSent(err) != rest.SentNo ||
					!strings.Contains(err.Error(), `user "anna"`) {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		_, err := c.Reader().LoggedIn(t.Context())
		if !errors.Is(err, ErrLogin) || len(s.requests) != 1 {
			t.Errorf("%d: %v", code, s.requests)
		}
		_ = c.Close(t.Context())
		if _, err := c.Reader().LoggedIn(t.Context()); !errors.Is(err, ErrLogin) || len(s.requests) != 2 {
			t.Errorf("%d: got %v after %v", code, err, s.requests)
		}
	}
}

func TestNoLicence(t *testing.T) {
	for _, answer := range []func(http.ResponseWriter, *http.Request){
		nil, // the stand-in's own: 403 and a page
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"message":"no licence left"}`)
		},
	} {
		s := newSessions(t)
		s.licences, s.login = 0, answer
		c := s.client(nil)
		_, err := c.Reader().LoggedIn(t.Context())
		if !errors.Is(err, ErrNoLicence) || !errors.Is(err, ErrLogin) || NotAllowed(err) ||
			WasSent(err) != rest.SentNo || len(s.requests) != 1 || !strings.Contains(err.Error(), "quarter of an hour") {
			t.Errorf("got %v after %v", err, s.requests)
		}
		s.change(func() { s.licences, s.login = 1, nil })
		ask(t, c) // a licence has become free
	}
}

// TestPatience checks that a login waits for a licence if the command allows it, says so before, and waits no longer
// than allowed, with a password or a token. A cancelled request does not wait.
func TestPatience(t *testing.T) {
	for name, credentials := range map[string]func(*Options){
		"password": func(*Options) {},
		"token":    func(o *Options) { o.Password, o.Token = "", "sesame-sesame" },
	} {
		for _, c := range []struct {
			patience time.Duration
			back     int // a licence is free after this many waits
			want     int // waits
			free     bool
		}{
			{0, 1, 0, false},
			{LicenceWait - 1, 1, 0, false},
			{17 * time.Minute, 2, 2, true},
			{17 * time.Minute, 99, 5, false},
		} {
			s := newSessions(t)
			s.licences = 0
			var told, slept int
			client := s.client(func(o *Options) {
				credentials(o)
				o.Patience = func() time.Duration { return c.patience }
				o.Rest.Waiting = func(d time.Duration, why string) {
					if told++; d != LicenceWait || told != slept+1 || !strings.Contains(why, "licence") {
						t.Errorf("told of %s: %s", d, why)
					}
				}
				o.Rest.Sleep = func(context.Context, time.Duration) error {
					if slept++; slept == c.back {
						s.change(func() { s.licences = 1 })
					}
					return nil
				}
			})
			_, err := client.Reader().LoggedIn(t.Context())
			if c.free != (err == nil) || !c.free && (!errors.Is(err, ErrNoLicence) || WasSent(err) != rest.SentNo) {
				t.Errorf("%s, %+v: %v", name, c, err)
			}
			if told != c.want || slept != c.want {
				t.Errorf("%s, %+v: told %d times, waited %d times", name, c, told, slept)
			}
			s.change(func() { s.licences = 1 })
			ask(t, client)
		}
		s := newSessions(t)
		s.licences = 0
		ctx, cancel := context.WithCancel(t.Context())
		client := s.client(func(o *Options) {
			credentials(o)
			o.Patience = func() time.Duration { return time.Hour }
			o.Rest.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		})
		if _, err := client.Reader().LoggedIn(ctx); !errors.Is(err, ErrNoLicence) || len(s.requests) != 1 {
			t.Errorf("%s: got %v after %v", name, err, s.requests)
		}
	}
}

// TestLostLogin checks that a login, or a token's first request, whose answer is lost is repeated only once, and only
// after the server has answered something else. It may have opened a session, and each repetition would take another
// licence.
func TestLostLogin(t *testing.T) {
	for name, opening := range map[string]func(*sessions) *Client{
		"a password": func(s *sessions) *Client {
			s.login = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			return s.client(nil)
		},
		"a gateway": func(s *sessions) *Client {
			s.login = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) }
			return s.client(nil)
		},
		"a token": func(s *sessions) *Client {
			s.instead = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			return s.client(func(o *Options) { o.Password, o.Token = "", "sesame-sesame" })
		},
	} {
		s := newSessions(t)
		c := opening(s)
		_, err := c.Reader().LoggedIn(t.Context())
		opened := len(s.requests) - s.count("GET /osmc/login.html")
		if err == nil || opened < 1 || opened > 2 {
			t.Errorf("%s: got %v after %v", name, err, s.requests)
		}
		if name != "a token" && !strings.Contains(err.Error(), "quarter of an hour") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoginThatIsNone(t *testing.T) {
	write := func(code int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Set-Cookie", "JSESSIONID=of-the-page")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	for want, login := range map[string]http.HandlerFunc{
		"without opening a session": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"a login page":              write(200, "text/html", "<html><title>Sign in</title></html>"),
		`titled "Welcome"`:          write(200, "text/plain", "<html><title>Welcome</title></html>"),
		"are the credentials right": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/osmc/login.html", http.StatusFound)
		},
		"to another server": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://auth.example:8443/authentication/authorize", http.StatusFound)
		},
		"status 404":   write(404, "text/plain", "nothing here"),
		"(5 attempts)": write(503, "text/plain", "starting"),
	} {
		s := newSessions(t)
		s.login = login
		_, err := s.client(nil).Reader().Resource(t.Context(), "x")
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrLogin) || IsGone(err) ||
			WasSent(err) != rest.SentNo {
			t.Errorf("got %v, want %s", err, want)
		}
		if errors.Is(err, rest.ErrAddress) != (want != "(5 attempts)") {
			t.Errorf("%s: is it the address? %v", want, err)
		}
		if s.count("GET /osmc/resources") != 0 {
			t.Errorf("%s: asked without a session", want)
		}
	}
}

// TestCanceledLogin checks that a request that is cancelled during a login does not affect the others.
func TestCanceledLogin(t *testing.T) {
	s := newSessions(t)
	begun := make(chan struct{})
	var once sync.Once
	s.login = func(w http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(begun)
			<-r.Context().Done()
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.setCookies(w, "anna")
		w.WriteHeader(http.StatusNoContent)
	}
	c := s.client(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := c.Reader().LoggedIn(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	<-begun
	all.Go(func() { ask(t, c) })
	cancel()
	all.Wait()
}

func TestTokens(t *testing.T) {
	for kind, scheme := range map[string]string{"": "Token ", "personal": "Token ", "id": "Token ", "oauth": "Bearer "} {
		s := newSessions(t)
		s.token, s.licences = scheme+"sesame-sesame", 1
		c := s.client(func(o *Options) { o.Password, o.Token, o.TokenKind = "", "sesame-sesame\n", kind })
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { ask(t, c) })
		}
		all.Wait()
		if logins(s) != 0 || s.made != 1 {
			t.Errorf("%s: %d logins, %d sessions made", kind, logins(s), s.made)
		}
		s.expire() // then the token opens a new one
		ask(t, c)
		s.pass(15 * time.Minute)
		ask(t, c)
		if s.made != 3 || s.opened() != 1 {
			t.Errorf("%s: %d sessions made, %d open", kind, s.made, s.opened())
		}
		if err := c.Close(t.Context()); err != nil || s.opened() != 0 {
			t.Errorf("%s: %v, %d sessions open", kind, err, s.opened())
		}
	}
}

func TestTokenRefused(t *testing.T) {
	s := newSessions(t)
	c := s.client(func(o *Options) { o.User, o.Password, o.Token = "", "", "another" })
	for range 2 {
		if _, err := c.Reader().LoggedIn(t.Context()); !NotAllowed(err) || !strings.Contains(err.Error(),
			"does not accept the token") {
			t.Errorf("got %v", err)
		}
	}
	if len(s.requests) != 2 {
		t.Errorf("requests: %v", s.requests)
	}
}

// TestCookiesAsTheyCome checks that user names may contain what Go's own cookies drop, and that a gateway may set its
// own cookies.
func TestCookiesAsTheyCome(t *testing.T) {
	for _, user := range []string{`ACME\jörg`, `"anna b"`, "a,b", "anna=1"} {
		s := newSessions(t)
		s.also = "ROUTE=node2; path=/; HttpOnly"
		var got []string
		s.login = func(w http.ResponseWriter, _ *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.setCookies(w, user)
			w.Header().Add("Set-Cookie", "broken")
			w.Header().Add("Set-Cookie", "=x")
			w.WriteHeader(http.StatusNoContent)
		}
		s.after = func(w http.ResponseWriter, r *http.Request) {
			got = append(got, cookieOf(r, userCookie)+" "+cookieOf(r, "ROUTE"))
			w.Header().Add("Set-Cookie", "ROUTE=gone; Max-Age=0")
			_, _ = io.WriteString(w, `[]`)
		}
		c := s.client(nil)
		ask(t, c)
		ask(t, c)
		if len(got) != 2 || got[0] != user+" node2" || got[1] != user+" " {
			t.Errorf("%s: got cookies %q", user, got)
		}
	}
}

// TestTokenOnAPoorConnection checks that the first request with a token opens the session for the others. If it fails,
// the next one does.
func TestTokenOnAPoorConnection(t *testing.T) {
	s := newSessions(t)
	s.licences = 1
	c := s.client(func(o *Options) { o.Token, o.Rest.MaxRetries = "sesame-sesame", -1 })
	s.change(func() { s.instead = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) } })
	if _, err := c.Reader().LoggedIn(t.Context()); err == nil {
		t.Error("an answer came")
	}
	s.change(func() { s.instead = nil })
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	if s.made != 1 {
		t.Errorf("%d sessions were made", s.made)
	}
	s.expire()
	if err := c.Close(t.Context()); err != nil { // that the session had expired does not matter
		t.Error(err)
	}
}
