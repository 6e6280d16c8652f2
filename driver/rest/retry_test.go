package rest_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/driver/rest"
	"pgregory.net/rapid"
)

func TestWhatIsRetried(t *testing.T) {
	get, post := rest.Request{}, rest.Request{Method: "POST", Bytes: []byte("x")}
	safePost, neverGet := post, get
	safePost.Retry, neverGet.Retry = rest.Safe, rest.Never
	for _, c := range []struct {
		name    string
		request rest.Request
		first   http.HandlerFunc
		again   bool
		sent    rest.Sent
	}{
		{"GET 500", get, status(500), true, rest.SentYes},
		{"GET 502", get, status(502), true, rest.SentYes},
		{"GET 503", get, status(503), true, rest.SentYes},
		{"GET 504", get, status(504), true, rest.SentYes},
		{"GET 429", get, status(429), true, rest.SentYes},
		{"GET cut", get, cut, true, rest.SentMaybe},
		{"GET half an answer", get, half, true, rest.SentYes},
		{"GET 400", get, status(400), false, rest.SentYes},
		{"GET 401", get, status(401), false, rest.SentYes},
		{"GET 404", get, status(404), false, rest.SentYes},
		{"GET 501", get, status(501), false, rest.SentYes},
		{"HEAD 503", rest.Request{Method: "HEAD"}, status(503), true, rest.SentYes},
		{"safe POST 503", safePost, status(503), true, rest.SentYes},
		{"safe POST cut", safePost, cut, true, rest.SentMaybe},
		{"POST 500", post, status(500), false, rest.SentYes},
		{"POST 502", post, status(502), false, rest.SentYes},
		{"POST 503", post, status(503, "Retry-After", "1"), false, rest.SentYes},
		{"POST cut", post, cut, false, rest.SentMaybe},
		{"POST half an answer", post, half, false, rest.SentYes},
		{"POST 429 without Retry-After", post, status(429), false, rest.SentYes},
		{"POST 429", post, status(429, "Retry-After", "1"), true, rest.SentYes},
		{"POST 429 now", post, status(429, "Retry-After", "0"), true, rest.SentYes},
		{"DELETE 503", rest.Request{Method: "DELETE"}, status(503), false, rest.SentYes},
		{"PUT cut", rest.Request{Method: "PUT"}, cut, false, rest.SentMaybe},
		{"never GET 503", neverGet, status(503), false, rest.SentYes},
		{"never GET cut", neverGet, cut, false, rest.SentMaybe},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.first, ok)
			_, err := connect(t, s, nil).Do(t.Context(), c.request)
			want := 1
			if c.again {
				want = 2
			}
			if (err == nil) != c.again || s.count() != want {
				t.Errorf("%v after %d requests", err, s.count())
			}
			// Without retries the error says the same.
			s = serve(t, c.first)
			_, err = connect(t, s, func(o *rest.Options) { o.MaxRetries = -1 }).Do(t.Context(), c.request)
			var e *rest.Error
			if !errors.As(err, &e) || e.Sent != c.sent || e.Retryable != c.again || e.Attempts != 1 || s.count() != 1 {
				t.Errorf("without retries: %+v after %d requests", e, s.count())
			}
		})
	}
}

func TestBodyIsSentAgainWhole(t *testing.T) {
	s := serve(t, cut, status(503), ok)
	opened := 0
	_, err := connect(t, s, nil).Do(t.Context(), rest.Request{Method: "PUT", Retry: rest.Safe, ContentLength: 5,
		Body: func() (io.ReadCloser, error) {
			opened++
			return io.NopCloser(strings.NewReader("12345")), nil
		}})
	if err != nil || opened < 3 {
		t.Errorf("opened %d times, %v", opened, err)
	}
	if diff := cmp.Diff([]string{"PUT /jira 12345", "PUT /jira 12345", "PUT /jira 12345"}, s.requests); diff != "" {
		t.Error(diff)
	}
}

func TestNothingSentIsRetriedForEveryMethod(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "https://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, ok)
	var n naps
	c := connect(t, s, func(o *rest.Options) { o.BaseURL, o.Sleep = nobody, n.sleep })
	_, err = c.Do(t.Context(), rest.Request{Method: "POST", Bytes: []byte("x")})
	var e *rest.Error
	if !errors.As(err, &e) || e.Sent != rest.SentNo || !e.Retryable || e.Attempts != 5 || len(n.taken) != 4 ||
		!strings.Contains(err.Error(), "(5 attempts)") {
		t.Errorf("got %+v after %d waits", e, len(n.taken))
	}
}

// TestBrokenHandshakeIsNotSent checks that a request is not sent if the connection breaks in the handshake.
func TestBrokenHandshakeIsNotSent(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	go func() {
		n := 0
		for {
			conn, err := l.Accept()
			if err != nil {
				done <- n
				return
			}
			n++
			_ = conn.Close()
		}
	}()
	s := serve(t, ok)
	c := connect(t, s, func(o *rest.Options) { o.BaseURL = "https://" + l.Addr().String() })
	_, err = c.Do(t.Context(), rest.Request{Method: "POST"})
	_ = l.Close()
	if n := <-done; rest.WasSent(err) != rest.SentNo || n != 5 || strings.Contains(err.Error(), "EOF") {
		t.Errorf("%v, sent %v, %d connections", err, rest.WasSent(err), n)
	}
}

// TestSentIsThatOfAllAttempts checks that a request counts as perhaps sent if any attempt may have been sent, even if
// the last one was not.
func TestSentIsThatOfAllAttempts(t *testing.T) {
	s := serve(t, cut)
	c := connect(t, s, func(o *rest.Options) {
		o.MaxRetries = 1
		o.Sleep = func(context.Context, time.Duration) error { s.Listener.Close(); return nil }
	})
	_, err := c.Do(t.Context(), rest.Request{Method: "PUT", Retry: rest.Safe})
	var e *rest.Error
	if !errors.As(err, &e) || e.Sent != rest.SentMaybe || e.Attempts != 2 || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %+v", e)
	}
}

type untraced struct{}

func (untraced) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("something") }

func TestTransportThatDoesNotTellMayHaveSent(t *testing.T) {
	s := serve(t, ok)
	c := connect(t, s, func(o *rest.Options) { o.Transport = untraced{} })
	_, err := c.Do(t.Context(), rest.Request{Method: "POST"})
	var e *rest.Error
	if !errors.As(err, &e) || e.Sent != rest.SentMaybe || e.Attempts != 1 {
		t.Errorf("got %+v", e)
	}
}

// TestConnectionsAreKept checks that consecutive requests share a connection. Requests that may be retried have
// another one than the others, which would be lost on a connection that the server closes while it is idle.
func TestConnectionsAreKept(t *testing.T) {
	remotes := map[string][]string{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = append(remotes[r.RemoteAddr], r.Method)
		ok(w, r)
	})
	c := connect(t, s, nil)
	for _, method := range []string{"GET", "POST", "GET", "POST"} {
		if _, err := c.Do(t.Context(), rest.Request{Method: method}); err != nil {
			t.Fatal(err)
		}
	}
	got := slices.SortedFunc(maps.Values(remotes), slices.Compare)
	if diff := cmp.Diff([][]string{{"GET", "GET"}, {"POST", "POST"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestHungUpWhileIdle checks a server that closes an idle connection: a write is carried out once, or its error does
// not say that it was not sent if it may have been.
func TestHungUpWhileIdle(t *testing.T) {
	s := serve(t, ok)
	c := connect(t, s, nil)
	for range 20 {
		if _, err := c.Do(t.Context(), rest.Request{Method: "POST", Bytes: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		before := s.count()
		s.CloseClientConnections()
		_, err := c.Do(t.Context(), rest.Request{Method: "POST", Bytes: []byte("x")})
		done := s.count() - before
		if done > 1 || err == nil && done != 1 || done > 0 && err != nil && rest.WasSent(err) == rest.SentNo {
			t.Fatalf("carried out %d times, sent %v, %v", done, rest.WasSent(err), err)
		}
	}
}

func TestWaits(t *testing.T) {
	now := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	after := func(v string) http.HandlerFunc { return status(503, "Retry-After", v) }
	for _, c := range []struct {
		name   string
		first  http.HandlerFunc
		random float64
		want   []time.Duration
	}{
		{"doubling to the most", status(503), 1, []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second,
			5 * time.Second}},
		{"with jitter", status(503), 0, []time.Duration{500 * time.Millisecond, 1 * time.Second, 2 * time.Second,
			2500 * time.Millisecond}},
		{"seconds", after("7"), 1, []time.Duration{7 * time.Second}},
		{"zero", after("0"), 1, []time.Duration{1 * time.Second}},
		{"negative", after("-5"), 1, []time.Duration{1 * time.Second}},
		{"nonsense", after("soon"), 1, []time.Duration{1 * time.Second}},
		{"too long", after("86400"), 1, nil},
		{"overlong", after("99999999999999999"), 1, nil},
		{"a date", after("Thu, 02 Jan 2031 03:04:15 GMT"), 1, []time.Duration{10 * time.Second}},
		{"a date gone by", after("Thu, 02 Jan 2031 03:04:00 GMT"), 1, []time.Duration{1 * time.Second}},
		{"a far date", after("Fri, 03 Jan 2031 03:04:00 GMT"), 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n naps
			var told []time.Duration
			s := serve(t, c.first)
			client := connect(t, s, func(o *rest.Options) {
				o.Waiting = func(d time.Duration, _ string) {
					if told = append(told, d); len(told) != len(n.taken)+1 {
						t.Errorf("told of %s after it", d)
					}
				}
				o.Sleep, o.Now, o.MaxRetries = n.sleep, func() time.Time { return now }, len(c.want)
				o.Random = func() float64 { return c.random }
			})
			_, err := client.Do(t.Context(), rest.Request{})
			if !rest.IsStatus(err, 503, 504) || c.want == nil && !strings.Contains(err.Error(), "it asks to come back in ") {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(c.want, n.taken); diff != "" {
				t.Error(diff)
			}
			var asked []time.Duration // only what the server asked for is reported
			if c.name == "seconds" || c.name == "a date" {
				asked = c.want
			}
			if !slices.Equal(told, asked) {
				t.Errorf("told of %v, want %v", told, asked)
			}
		})
	}
}

func TestRate(t *testing.T) {
	now := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	var n naps
	s := serve(t, ok)
	c := connect(t, s, func(o *rest.Options) {
		o.RatePerSecond, o.Now = 4, func() time.Time { return now }
		o.Sleep = func(ctx context.Context, d time.Duration) error { now = now.Add(d); return n.sleep(ctx, d) }
	})
	for range 7 {
		if _, err := c.Do(t.Context(), rest.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	quarter := 250 * time.Millisecond // a second's worth, four, may go at once
	if diff := cmp.Diff([]time.Duration{quarter, quarter, quarter}, n.taken); diff != "" {
		t.Error(diff)
	}
}

// TestNeverTwice checks that a request that is not marked safe is carried out at most once, whatever the server does,
// and that an error that says "not sent" is true.
func TestNeverTwice(t *testing.T) {
	var done int
	carriedOut := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { done++; h(w, r) }
	}
	behaviours := map[string]http.HandlerFunc{
		"ok": carriedOut(ok), "lost": carriedOut(cut), "half": carriedOut(half), "500": carriedOut(status(500)),
		"503": carriedOut(status(503, "Retry-After", "1")),
		"504": carriedOut(status(504)), "429": status(429, "Retry-After", "1"), "429 bare": status(429),
		"401": status(401), "302": status(302, "Location", "/jira/x"),
		"cut": cut,
	}
	names := slices.Sorted(maps.Keys(behaviours))
	rapid.Check(t, func(rt *rapid.T) {
		done = 0
		var answers []http.HandlerFunc
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 4).Draw(rt, "behaviour") {
			answers = append(answers, behaviours[name])
		}
		s := serve(t, answers...)
		defer s.Close()
		c := connect(t, s, nil)
		defer c.Close()
		_, err := c.Do(t.Context(), rest.Request{Method: "POST", Bytes: []byte("x")})
		if done > 1 || err == nil && done != 1 || done > 0 && rest.WasSent(err) == rest.SentNo {
			rt.Fatalf("carried out %d times, sent %v, %v", done, rest.WasSent(err), err)
		}
	})
}
