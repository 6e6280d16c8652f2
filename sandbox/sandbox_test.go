package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
)

func TestServersAnswerOverTheirOwnTLS(t *testing.T) {
	s := start(t, sandbox.Options{})
	for _, server := range []string{"a", "b"} {
		status, body, err := post(t.Context(), client(t, s), address(t, s, server)+"/x")
		if err != nil || status != http.StatusCreated || body != server+" got 5 bytes" {
			t.Errorf("server %s answered %d %q, %v", server, status, body, err)
		}
	}
	env := s.Environment()
	if env["a_URL"] != address(t, s, "a") || !strings.HasPrefix(env["a_URL"], "https://127.0.0.1:") {
		t.Errorf("the world was told %q", env["a_URL"])
	}
	if _, there := env[sandbox.EnvPerson]; there {
		t.Error("there is a stand-in though none was asked for")
	}
}

func TestStrangersDoNotTrustTheSandbox(t *testing.T) {
	s := start(t, sandbox.Options{})
	stranger := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}}
	_, _, err := post(t.Context(), stranger, address(t, s, "a"))
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Fatalf("want an unknown authority, got %v", err)
	}
	other := start(t, sandbox.Options{})
	if _, _, err = post(t.Context(), client(t, other), address(t, s, "a")); !errors.As(err, &unknown) {
		t.Fatalf("another sandbox's CA is trusted: %v", err)
	}
}

func TestCertificate(t *testing.T) {
	s := start(t, sandbox.Options{Seed: []byte(`{"counter": {"servers": ["jira.example.org", "not a host"]}}`)})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	for server, names := range map[string][]string{
		"jira.example.org": {"127.0.0.1", "::1", "localhost", "jira.example.org"},
		"not a host":       {"127.0.0.1", "::1", "localhost"},
	} {
		for _, name := range names {
			conn, err := tls.Dial("tcp", strings.TrimPrefix(address(t, s, server), "https://"),
				&tls.Config{RootCAs: roots, ServerName: name})
			if err != nil {
				t.Errorf("%s as %s: %v", server, name, err)
				continue
			}
			if got := conn.ConnectionState().Version; got < tls.VersionTLS12 {
				t.Errorf("TLS version %x", got)
			}
			_ = conn.Close()
		}
	}
	_, err := tls.Dial("tcp", strings.TrimPrefix(address(t, s, "not a host"), "https://"),
		&tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11})
	if err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

func TestWriteCA(t *testing.T) {
	s := start(t, sandbox.Options{})
	if _, there := s.Environment()[sandbox.EnvCAFile]; there {
		t.Error("a CA file is named before there is one")
	}
	fs := afero.NewMemMapFs()
	if err := s.WriteCA(fs, "/ca.pem"); err != nil {
		t.Fatal(err)
	}
	got, err := afero.ReadFile(fs, s.Environment()[sandbox.EnvCAFile])
	if err != nil || !bytes.Equal(got, s.CA()) {
		t.Errorf("the CA file holds %q, %v", got, err)
	}
	if bytes.Contains(got, []byte("KEY")) {
		t.Error("the CA's key was written")
	}
}

func TestSeedErrors(t *testing.T) {
	for _, c := range []struct{ name, seed, want string }{
		{"empty", ``, `sandbox.json:1:1: the seed is not JSON: it ends too early`},
		{"no object", `[1]`, `sandbox.json:1:1: the seed must be an object`},
		{"no product", ` {}`, `sandbox.json:1:1: the seed names no product`},
		{"not JSON", "{\n  \"counter\": {,}\n}", `sandbox.json:2:15: the seed is not JSON`},
		{"cut off", "{\n  \"counter\": {\"servers\"", `the seed is not JSON: it ends too early`},
		{"trailing comma", "{\"counter\": {},}", `sandbox.json:1:16: the seed is not JSON`},
		{"trailing data", twoServers + "\n x",
			`sandbox.json:2:2: the seed is not JSON: invalid character 'x' after top-level value`},
		{"twice", "{\"counter\": {},\n\"counter\": {}}", `sandbox.json:2:9: product "counter" stands here a second time`},
		{"not UTF-8", "{\"counter\": \"\xff\"}", `sandbox.json:1:14: the seed is not UTF-8`},
		{"unknown", "{\n\"jira\": {}}", `sandbox.json:2:6: there is no product "jira" to simulate: this program knows ` +
			`counter, other`},
		{"of the product", `{"counter": {"servers": 7}}`, `seeding counter from sandbox.json: json:`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sandbox.Start(t.Context(), sandbox.Options{Seed: []byte(c.seed), Products: products()})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			var unknown *sandbox.UnknownProductError
			if is := errors.As(err, &unknown); is != (c.name == "unknown") {
				t.Errorf("an UnknownProductError: %v", is)
			}
		})
	}
}

func TestProductsSeeTheFilesOwnPositions(t *testing.T) {
	const seed = "{\n  \"other\": {\"servers\": []},\n\t\"counter\": {\"servers\": [\"\u00e4\"]}\n}"
	var got string
	_, err := sandbox.Start(t.Context(), sandbox.Options{Seed: []byte(seed), Products: map[string]sandbox.Open{
		"other":   openCounter("other"),
		"counter": func(b []byte) (sandbox.World, error) { got = string(b); return nil, errors.New("enough") },
	}})
	if err == nil {
		t.Fatal("no error")
	}
	want := seed[:strings.Index(seed, "\n}")]
	if len(got) != len(want) || strings.Count(got, "\n") != 2 || !json.Valid([]byte(got)) ||
		strings.Index(got, "servers") != strings.LastIndex(want, "servers") {
		t.Errorf("the product got %q", got)
	}
}

func TestTwoServersMayNotSetAVariableDifferently(t *testing.T) {
	_, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed:     []byte(`{"counter": {"servers": ["a"]}, "other": {"servers": ["a"]}}`),
		Products: products(),
	})
	if err == nil || !strings.Contains(err.Error(),
		"server a of counter and server a of other both set the variable a_URL") {
		t.Errorf("got %v", err)
	}
}

func TestTimePasses(t *testing.T) {
	ticks := make(chan time.Time)
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	var world *counterWorld
	s := start(t, sandbox.Options{
		Ticks: ticks,
		Now:   func() time.Time { return at },
		Products: map[string]sandbox.Open{"counter": func(b []byte) (sandbox.World, error) {
			w, err := openCounter("counter")(b)
			world, _ = w.(*counterWorld)
			return w, err
		}},
	})
	ticks <- time.Time{}
	ticks <- time.Time{}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Time{at, at}, world.ticks); diff != "" {
		t.Error(diff)
	}
}

func TestPerson(t *testing.T) {
	s := start(t, sandbox.Options{
		Seed:   []byte(`{"counter": {"servers": ["a"]}, "other": {"servers": ["c"]}}`),
		Person: true,
	})
	person, err := sandbox.NewPersonClient(s.Environment()[sandbox.EnvPerson], s.CA())
	if err != nil {
		t.Fatal(err)
	}
	done, err := person.Do(t.Context(), "press-other", map[string]string{"button": "<red>"})
	if err != nil || done != "pressed <red>" {
		t.Errorf("got %q, %v", done, err)
	}
	for action, want := range map[string]string{
		"break-counter": "could not do break-counter: counter: it does not break",
		"fly":           `no simulated product knows the action "fly"`,
		"":              "no action was given",
	} {
		if _, err := person.Do(t.Context(), action, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", action, err)
		}
	}
	over, err := person.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	direct, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(direct), string(over)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(over), `"<red>"`) {
		t.Errorf("the state does not show what was done: %s", over)
	}
}

func TestPersonWantsTheToken(t *testing.T) {
	s := start(t, sandbox.Options{Person: true})
	u, err := url.Parse(s.Environment()[sandbox.EnvPerson])
	if err != nil {
		t.Fatal(err)
	}
	status, _, err := post(t.Context(), client(t, s), "https://"+u.Host+"/person")
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("without a token: %d, %v", status, err)
	}
	u.User = url.UserPassword("person", "guess")
	person, err := sandbox.NewPersonClient(u.String(), s.CA())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := person.Do(t.Context(), "press-counter", nil); err == nil ||
		!strings.Contains(err.Error(), "token is missing or wrong") {
		t.Errorf("with a wrong token: %v", err)
	}
	if _, err := person.State(t.Context()); err == nil {
		t.Error("the state is shown for a wrong token")
	}
}

func TestPersonClientRefuses(t *testing.T) {
	ca := start(t, sandbox.Options{}).CA()
	for _, c := range []struct {
		address string
		ca      []byte
	}{
		{"https://127.0.0.1:1", ca},
		{"http://person:secret@127.0.0.1:1", ca},
		{"https://person:secret@127.0.0.1:1\x7f", ca},
		{"https://person:secret@127.0.0.1:1", []byte("nothing")},
	} {
		_, err := sandbox.NewPersonClient(c.address, c.ca)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", c.address, err)
		}
	}
}

func TestAccessLog(t *testing.T) {
	var log lockedBuffer
	at := time.Date(2031, 1, 2, 3, 4, 5, 6, time.FixedZone("somewhere", 3600))
	s := start(t, sandbox.Options{AccessLog: &log, Now: func() time.Time { return at }})
	if _, _, err := post(t.Context(), client(t, s), address(t, s, "b")+
		"/x/y?z=1&os_password=hush&a%54oken=hush&flag"); err != nil {
		t.Fatal(err)
	}
	want := []sandbox.AccessLine{{
		Time: at.UTC(), Server: "b", Product: "counter", Protocol: "https", Method: "POST", Path: "/x/y",
		Query: "z=1&os_password=REDACTED&a%54oken=REDACTED&flag", Status: 201, CarriedOut: true, OK: true, BytesIn: 5,
		BytesOut: 13,
		Body:     "5994471a",
	}}
	if diff := cmp.Diff(want, log.lines(t)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.buf.String(), `"time":"2031-01-02T02:04:05.000000006Z"`) {
		t.Errorf("the time's form: %s", log.buf.String())
	}
}

// TestAccessLogTellsChangesApart checks that a line tells whether a request only reads, and whether it was carried
// out without an error.
func TestAccessLogTellsChangesApart(t *testing.T) {
	for _, c := range []struct {
		method, path, fault string
		reading, ok         bool
	}{
		{"GET", "/x", "", true, true},
		{"HEAD", "/x", "", true, true},
		{"OPTIONS", "/x", "", true, true},
		{"DELETE", "/x", "", false, true},
		{"POST", "/refuse", "", false, false},
		{"POST", "/panic", "", false, false},
		{"POST", "/abort", "", false, false},
		{"POST", "/x", "kind=fail", false, false},
		{"POST", "/x", "kind=cut", false, false},
		{"POST", "/x", "kind=lost", false, true}, // the answer was lost, but the request was carried out
		{"POST", "/refuse", "kind=lost", false, false},
		{"POST", "/abort", "kind=lost", false, false},
		{"POST", "/x", "kind=late", false, true},
	} {
		var log lockedBuffer
		o := sandbox.Options{AccessLog: &log, Sleep: func(context.Context, time.Duration) error { return nil }}
		if c.fault != "" {
			o.Faults = []sandbox.Fault{parse(t, c.fault)}
		}
		s := start(t, o)
		req, err := http.NewRequestWithContext(t.Context(), c.method, address(t, s, "a")+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client(t, s).Do(req); err == nil {
			_ = resp.Body.Close()
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if lines := log.lines(t); len(lines) != 1 || lines[0].Reading != c.reading || lines[0].OK != c.ok ||
			lines[0].Body != "" {
			t.Errorf("%+v: %+v", c, lines)
		}
	}
}

func TestAccessLogKeepsLinesWhole(t *testing.T) {
	var log lockedBuffer
	s := start(t, sandbox.Options{AccessLog: &log})
	c := client(t, s)
	var wg sync.WaitGroup
	const n = 40
	for range n {
		wg.Go(func() {
			if _, _, err := post(t.Context(), c, address(t, s, "a")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(log.lines(t)); got != n || log.writes != n {
		t.Errorf("%d requests made %d lines in %d writes", n, got, log.writes)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAccessLogFailureIsTold(t *testing.T) {
	s, err := sandbox.Start(t.Context(), sandbox.Options{Seed: []byte(twoServers), Products: products(),
		AccessLog: brokenWriter{}})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := post(t.Context(), client(t, s), address(t, s, "a")); err != nil ||
		status != http.StatusCreated {
		t.Errorf("got %d, %v", status, err)
	}
	for range 2 {
		if err := s.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("got %v", err)
		}
	}
}

func TestDefectsOfASimulator(t *testing.T) {
	var access, defects lockedBuffer
	s := start(t, sandbox.Options{AccessLog: &access, ErrorLog: &defects})
	status, body, err := post(t.Context(), client(t, s), address(t, s, "a")+"/panic")
	if err != nil || status != http.StatusInternalServerError || !strings.Contains(body, "a defect") {
		t.Errorf("got %d %q, %v", status, body, err)
	}
	if !strings.Contains(defects.buf.String(), "POST /panic panicked: a defect") {
		t.Errorf("the error log holds %q", defects.buf.String())
	}
	if _, _, err := post(t.Context(), client(t, s), address(t, s, "a")+"/abort"); err == nil {
		t.Error("an aborted answer came whole")
	}
	lines := access.lines(t)
	if len(lines) != 2 || lines[0].Status != 500 || lines[1].Status != 0 || lines[0].OK || lines[1].OK {
		t.Errorf("access log: %+v", lines)
	}
}
