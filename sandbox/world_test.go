package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/sandbox"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counterWorld is a product of servers that count the requests.
type counterWorld struct {
	name string

	mu    sync.Mutex
	urls  map[string]string
	hits  map[string]int // "server METHOD path" -> how often it was carried out
	ticks []time.Time
	done  []string
}

type counterSeed struct {
	Servers []string `json:"servers"`
}

func openCounter(name string) sandbox.Open {
	return func(seed []byte) (sandbox.World, error) {
		var s counterSeed
		if err := json.Unmarshal(seed, &s); err != nil {
			return nil, err
		}
		w := &counterWorld{name: name, urls: map[string]string{}, hits: map[string]int{}}
		for _, server := range s.Servers {
			w.urls[server] = ""
		}
		return w, nil
	}
}

func (w *counterWorld) Servers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for name := range w.urls {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *counterWorld) Handler(server string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/panic" {
			panic("a defect")
		}
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/refuse" {
			http.Error(rw, "no", http.StatusConflict)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hits[server+" "+r.Method+" "+r.URL.Path]++
		rw.Header().Set("X-Server", server)
		rw.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(rw, "%s got %d bytes", server, len(body))
	})
}

func (w *counterWorld) SetURL(server, url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.urls[server] = url
}

func (w *counterWorld) Environment(server string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]string{strings.NewReplacer(".", "_", " ", "_").Replace(server) + "_URL": w.urls[server]}
}

func (w *counterWorld) Person(_ context.Context, action string, values map[string]string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch action {
	case "press-" + w.name:
		w.done = append(w.done, values["button"])
		return "pressed " + values["button"], nil
	case "break-" + w.name:
		return "", errors.New("it does not break")
	}
	return "", fmt.Errorf("action %q: %w", action, errors.ErrUnsupported)
}

func (w *counterWorld) Tick(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticks = append(w.ticks, now)
}

func (w *counterWorld) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"hits": w.hits, "done": w.done, "ticks": len(w.ticks)}
}

func products() map[string]sandbox.Open {
	return map[string]sandbox.Open{"counter": openCounter("counter"), "other": openCounter("other")}
}

const twoServers = `{"counter": {"servers": ["a", "b"]}}`

// start serves the seed until the test ends. Nothing ticks unless the test sets Ticks.
func start(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	if o.Seed == nil {
		o.Seed = []byte(twoServers)
	}
	if o.Products == nil {
		o.Products = products()
	}
	if o.Ticks == nil {
		o.Ticks = make(chan time.Time)
	}
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client returns a client that trusts the sandbox and keeps no connections: requests that the transport repeats by
// itself would change the counts.
func client(t *testing.T, s *sandbox.Sandbox) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CA()) {
		t.Fatal("the CA is not in PEM form")
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

func address(t *testing.T, s *sandbox.Sandbox, server string) string {
	t.Helper()
	for _, x := range s.Servers() {
		if x.Name == server {
			return x.URL
		}
	}
	t.Fatalf("there is no server %s in %v", server, s.Servers())
	return ""
}

// post returns the status and the body, or the error, of a POST with five bytes.
func post(ctx context.Context, c *http.Client, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte("12345")))
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// hits returns how often the servers carried out each request.
func hits(t *testing.T, s *sandbox.Sandbox) map[string]int {
	t.Helper()
	b, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]struct{ Hits map[string]int }
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	return state["counter"].Hits
}

// lockedBuffer is an access log in memory.
type lockedBuffer struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	writes int
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	return b.buf.Write(p)
}

func (b *lockedBuffer) lines(t *testing.T) []sandbox.AccessLine {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []sandbox.AccessLine
	dec := json.NewDecoder(bytes.NewReader(b.buf.Bytes()))
	dec.DisallowUnknownFields()
	for dec.More() {
		var l sandbox.AccessLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestStartEndsWithItsContext checks that a seed whose worlds take long to make does not outlast the context.
func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	late, making := errors.New("late"), make(chan struct{})
	defer close(making)
	_, err := sandbox.Start(ctx, sandbox.Options{Seed: []byte(`{"slow": {}}`), Products: map[string]sandbox.Open{
		"slow": func([]byte) (sandbox.World, error) {
			cancel(late)
			<-making
			return nil, errors.New("nobody waits for this")
		},
	}})
	if !errors.Is(err, late) {
		t.Error(err)
	}
}
