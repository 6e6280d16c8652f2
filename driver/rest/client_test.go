package rest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/rest"
)

func TestNewRefuses(t *testing.T) {
	for base, want := range map[string]string{
		"":                               "must be https://HOST",
		"jira.example.org":               "must be https://HOST",
		"ftp://jira.example.org":         "must be https://HOST",
		"https://":                       "must be https://HOST",
		"https://:443":                   "must be https://HOST",
		"https://u:hush@jira.example":    "the address of jira.example holds a user",
		"https://u:hush@jira.exam\x7fle": "is not a URL",
		"https://jira.example?x=1":       "ends in a query or fragment",
		"http://jira.example.org":        "would be sent unencrypted",
		"http://127.0.0.1.example.org":   "would be sent unencrypted",
	} {
		_, err := rest.New(rest.Options{BaseURL: base})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %v, want %s", base, err, want)
		}
	}
	for _, base := range []string{"https://jira.example.org/jira/", "http://localhost:8080", "http://127.0.0.1",
		"http://[::1]:1/x"} {
		c, err := rest.New(rest.Options{BaseURL: base})
		if err != nil || c.BaseURL() != strings.TrimRight(base, "/") {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := rest.New(rest.Options{BaseURL: "https://jira.example.org", CAPEM: []byte("nothing")}); err == nil {
		t.Error("a CA without a certificate is taken")
	}
}

func TestRequest(t *testing.T) {
	var got *http.Request
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r; ok(w, r) })
	c := connect(t, s, func(o *rest.Options) {
		o.Authorize = func(r *http.Request) { r.SetBasicAuth("u", "p") }
		o.UserAgent = "syncctl/1"
	})
	for _, r := range []rest.Request{
		{Path: "rest/api/2/issue"},
		{Path: "/rest/" + url.PathEscape("a/b c%"), Query: url.Values{"jql": {"a = 1&b"}}},
		{Method: "POST", Path: "x/", JSON: map[string]int{"a": 1}, Header: http.Header{"X-Atlassian-Token": {"no-check"}}},
		{Method: "PUT", Path: "x", Bytes: []byte("raw")},
		{Method: "PUT", Path: "x", Bytes: []byte{}},
		{Method: "PUT", Path: "x", Body: func() (io.ReadCloser,
			error) {
			return io.NopCloser(strings.NewReader("streamed")), nil
		}},
	} {
		var v struct{ X int }
		answer, err := c.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.DecodeJSON(&v); err != nil || v.X != 1 || answer.Status != 200 {
			t.Errorf("decoded %v, %v", v, err)
		}
		if r.JSON != nil && (got.Header.Get("Content-Type") != "application/json" ||
			got.Header.Get("X-Atlassian-Token") != "no-check") {
			t.Errorf("headers: %v", got.Header)
		}
		if got.Header.Get("Accept") != "application/json" || got.Header.Get("User-Agent") != "syncctl/1" ||
			got.Header.Get("Cache-Control") != "no-cache" { // what a cache on the way has stored says nothing of now
			t.Errorf("headers: %v", got.Header)
		}
	}
	want := []string{
		"GET /jira/rest/api/2/issue ",
		"GET /jira/rest/a%2Fb%20c%25?jql=a+%3D+1%26b ",
		`POST /jira/x/ {"a":1}`,
		"PUT /jira/x raw",
		"PUT /jira/x ",
		"PUT /jira/x streamed",
	}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Error(diff)
	}
	for _, a := range s.auth {
		if a != "Basic dTpw" {
			t.Errorf("authorized as %q", a)
		}
	}
}

func TestRequestsThatCannotBeMade(t *testing.T) {
	s := serve(t, ok)
	c := connect(t, s, nil)
	broken := func() (io.ReadCloser, error) { return nil, errors.New("no such file") }
	for want, r := range map[string]rest.Request{
		"would lead elsewhere":    {Path: "a/../../admin"},
		"would lead elsewhere, 2": {Path: "a/%2e%2E/admin"},
		"is not escaped":          {Path: "50%"},
		"more than one of":        {Method: "POST", Bytes: []byte("x"), JSON: 1},
		"writing its body":        {Method: "POST", JSON: make(chan int)},
		"no such file":            {Method: "POST", Body: broken, Retry: rest.Safe},
		"invalid method":          {Method: "PO ST"},
	} {
		_, err := c.Do(t.Context(), r)
		want, _, _ = strings.Cut(want, ", ")
		if err == nil || !strings.Contains(err.Error(), want) || rest.WasSent(err) != rest.SentNo {
			t.Errorf("got %v, sent %v; want %s", err, rest.WasSent(err), want)
		}
	}
	if s.count() != 0 {
		t.Errorf("the server got %q", s.requests)
	}
}

func TestTLSIsVerified(t *testing.T) {
	s := serve(t, ok)
	var waits naps
	c := connect(t, s, func(o *rest.Options) { o.CAPEM, o.Sleep = nil, waits.sleep })
	_, err := c.Do(t.Context(), rest.Request{})
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) || rest.WasSent(err) != rest.SentNo || len(waits.taken) != 0 {
		t.Errorf("without the CA: %v, sent %v, %d retries", err, rest.WasSent(err), len(waits.taken))
	}
	old := httptest.NewUnstartedServer(ok)
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	c = connect(t, s, func(o *rest.Options) { o.BaseURL, o.CAPEM = old.URL, caOf(old) })
	if _, err := c.Do(t.Context(), rest.Request{}); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestProxyIsUsed(t *testing.T) {
	s := serve(t, ok)
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	c := connect(t, s, func(o *rest.Options) {
		o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
		o.MaxRetries = -1
	})
	_, err := c.Do(t.Context(), rest.Request{Method: "POST"})
	if asked != "CONNECT "+strings.TrimPrefix(s.URL, "https://") || rest.WasSent(err) != rest.SentNo || s.count() != 0 {
		t.Errorf("the proxy was asked to %q; %v", asked, err)
	}
}

func TestRedirects(t *testing.T) {
	other := serve(t, ok)
	moved := func(to string) http.HandlerFunc { return status(302, "Location", to) }
	for _, c := range []struct {
		name    string
		method  string
		answers []http.HandlerFunc
		want    string // "": without an error
		count   int
	}{
		{"same server", "GET", []http.HandlerFunc{moved("/jira/x/"), ok}, "", 2},
		{"in a circle", "GET", []http.HandlerFunc{moved("/jira/x")}, "is not followed", 6},
		{"to a login page", "GET", []http.HandlerFunc{moved("/jira/login.jsp?os_destination=x")},
			"a login page: are the credentials right?", 1},
		{"to a login page elsewhere", "GET", []http.HandlerFunc{moved("https://sso.example.org/saml/start")},
			"a login page: are the credentials right?", 1},
		{"to another server", "GET", []http.HandlerFunc{moved(other.URL + "/x?token=1")}, "another server, " + other.URL, 1},
		{"down to http", "GET", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/x", http.StatusMovedPermanently)
		}}, "another server, http://", 1},
		{"of a POST", "POST", []http.HandlerFunc{moved("/jira/x/?token=hush")}, "a redirect to " + "https://", 1},
		{"nowhere", "GET", []http.HandlerFunc{status(302)}, "leads nowhere", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.answers...)
			_, err := connect(t, s, nil).Do(t.Context(), rest.Request{Method: c.method, Path: "x"})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "hush")) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if s.count() != c.count || other.count() != 0 {
				t.Errorf("requests: %q, elsewhere %q", s.requests, other.requests)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBodyThatFails(t *testing.T) {
	s := serve(t, ok)
	c := connect(t, s, nil)
	bad := func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("begin"), readerFunc(func([]byte) (int,
			error) {
			return 0, errors.New("disk gone")
		}))), nil
	}
	_, err := c.Do(t.Context(), rest.Request{Method: "PUT", Body: bad, Retry: rest.Safe})
	var e *rest.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "reading its body: disk gone") || e.Attempts != 1 ||
		e.Sent != rest.SentMaybe {
		t.Errorf("got %+v", e)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r); panic(http.ErrAbortHandler) })
	c := connect(t, s, nil)
	_, err := c.Do(ctx, rest.Request{})
	if !errors.Is(err, context.Canceled) || rest.WasSent(err) != rest.SentMaybe || s.count() != 1 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
	_, err = c.Do(ctx, rest.Request{})
	if !errors.Is(err, context.Canceled) || rest.WasSent(err) != rest.SentNo || s.count() != 1 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
}

func TestCancelWhileWaitingForARetry(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, status(503))
	c := connect(t, s, func(o *rest.Options) {
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	})
	_, err := c.Do(ctx, rest.Request{})
	if !errors.Is(err, context.Canceled) || !rest.IsStatus(err, 503) || s.count() != 1 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
}

func TestSecretsNeverShow(t *testing.T) {
	const secret = `can"ary/+ <ä>&1`
	forms := []string{secret, url.QueryEscape(secret), "dXNlcjpjYW4iYXJ5LysgPMOkPiYx"} // the last: base64 of user:secret
	echo := strings.Join(forms, " ")
	var log bytes.Buffer
	s := serve(t, text(400, "text/plain", echo), text(503, "application/json",
		`{"errorMessages":["no `+strings.ReplaceAll(secret, `"`, `\"`)+`"]}`),
		text(200, "text/html", "<title>"+secret+"</title>"))
	c := connect(t, s, func(o *rest.Options) {
		o.Secrets = []string{"", secret, "user:" + secret}
		o.Authorize = func(r *http.Request) { r.SetBasicAuth("user", secret) }
		o.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &log})
		o.MaxRetries = 1
	})
	var shown []string
	request := rest.Request{Path: url.PathEscape(secret), Query: url.Values{"os_password": {"other"}, "q": {secret}}}
	_, err := c.Do(t.Context(), request)
	shown = append(shown, err.Error())
	answer, err := c.Do(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, answer.DecodeJSON(nil).Error(), log.String())
	for _, text := range shown {
		for _, form := range append(forms, "can", "ary", "other") {
			if strings.Contains(text, form) {
				t.Errorf("%q shows in %s", form, text)
			}
		}
		if !strings.Contains(text, "REDACTED") {
			t.Errorf("nothing was replaced in %s", text)
		}
	}
	if s.auth[0] != "Basic dXNlcjpjYW4iYXJ5LysgPMOkPiYx" {
		t.Errorf("the test's own base64 is wrong: %s", s.auth[0])
	}
}

// TestSecretInBadHeader checks that a header that cannot be parsed is not quoted: it may have a session's ID.
func TestSecretInBadHeader(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1<<10))
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=canary4711; Path=/\x01\r\n\r\n"))
			_ = c.Close()
		}
	}()
	c, err := rest.New(rest.Options{BaseURL: "http://" + l.Addr().String(), MaxRetries: 1,
		Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), rest.Request{Path: "x"}); err == nil || strings.Contains(err.Error(), "canary4711") {
		t.Errorf("%v", err)
	}
}

// TestSecretInBadRedirect checks that an address that cannot be parsed is not quoted: its parts would be shown.
func TestSecretInBadRedirect(t *testing.T) {
	const secret = "Zu+per-Geh3im/9"
	s := serve(t, status(302, "Location", "https://user:"+secret+"@127.0.0.1/"))
	c := connect(t, s, func(o *rest.Options) {
		o.Secrets, o.MaxRetries = []string{secret}, 1
	})
	if _, err := c.Do(t.Context(), rest.Request{Path: "x"}); err == nil || strings.Contains(err.Error(), "Zu+per") {
		t.Errorf("%v", err)
	}
}
