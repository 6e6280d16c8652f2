package osmc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/rest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a stand-in for a server. The test sets its answers.
type server struct {
	*httptest.Server

	t *testing.T

	mu       sync.Mutex
	requests []string // "METHOD uri"
	now      time.Time
	log      strings.Builder
}

func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) client(change func(*Options)) *Client {
	s.t.Helper()
	o := Options{
		User: "anna", Password: "hush-hush",
		Rest: rest.Options{
			BaseURL: s.URL, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Now: s.clock, Log: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &lockedLog{s}}),
		},
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.rest.Close)
	return c
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// count returns the number of requests with a prefix.
func (s *server) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

type lockedLog struct{ *server }

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}
