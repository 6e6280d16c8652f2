package serve

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/report/reporttest"
)

// TestToken checks that the token opens one session at a time, cannot be guessed, and is never sent. Readers of the
// page cannot lock anybody out.
func TestToken(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	c := b.browser()
	form := func(token string) url.Values { return url.Values{"name": {"Eve"}, "token": {token}} }
	for _, token := range []string{"", "aaaaa-aaaaa-aaaaa-aaaaa", b.Token()[1:], b.Token() + "a"} {
		if status, body := b.post(c, "session", form(token), nil); status != http.StatusForbidden ||
			strings.Contains(body, b.Token()) {
			t.Errorf("token %q: %d", token, status)
		}
	}
	if status, _ := b.post(c, "session", url.Values{"token": {b.Token()}}, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("without a name: %d", status)
	}
	for range 20 {
		b.post(b.browser(), "session", form("no"), nil)
	}
	other := b.browser()
	former := b.session(other)
	b.session(c) // in place of the one before
	answer := url.Values{"secret": {former}, "reply": {"done"}}
	if status, _ := b.post(other, "answer", answer, nil); status != http.StatusForbidden {
		t.Errorf("the former session answers: %d", status)
	}
	if page := b.get(c); strings.Count(page, "A session was opened on the page, by Ada.") != 2 {
		t.Error("the sessions do not stand in the log")
	}
	for name, client := range map[string]*http.Client{"who answers": c, "a reader": other} {
		if page := b.get(client); strings.Contains(page, b.Token()) {
			t.Errorf("the token is in the page of %s", name)
		}
	}
	if strings.Contains(b.get(other), `name="secret"`) {
		t.Error("a reader has the secret of the session")
	}
	// A browser with another cookie is a reader.
	secret := b.secretOf(c)
	if status, _ := b.post(other, "answer", url.Values{"secret": {secret}, "reply": {"done"}}, func(r *http.Request) {
		r.Header.Set("Cookie", cookieName+"="+strings.Repeat("A", 43))
	}); status != http.StatusForbidden {
		t.Errorf("a made up cookie: %d", status)
	}
}

// secretOf returns the secret of the open session.
func (b *bench) secretOf(c *http.Client) string {
	_, rest, _ := strings.Cut(b.get(c), `name="secret" value="`)
	secret, _, _ := strings.Cut(rest, `"`)
	return secret
}

// TestCookie checks that the cookie is only for this page, not for scripts, and not for requests from other sites.
func TestCookie(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Address()+"session",
		strings.NewReader(url.Values{"name": {"Ada"}, "token": {b.Token()}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Origin", b.origin())
	res, err := b.browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	cookies := res.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode ||
		cookies[0].Path != b.base || len(cookies[0].Value) != 43 || res.Header.Get("Location") != b.base {
		t.Errorf("%+v, to %s", cookies, res.Header.Get("Location"))
	}
}

// TestHostileRequests checks that requests that do not come from the page itself are refused, and change nothing.
func TestHostileRequests(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	c := b.browser()
	secret := b.session(c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answers := b.ask(ctx, p.Steps[1], 0)
	form := url.Values{"secret": {secret}, "step": {"2"}, "attempt": {"0"}, "reply": {"done"}}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	get := func(path string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
			r.URL.Opaque = "//" + r.URL.Host + path
		}
	}
	for name, s := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"another host":           {func(r *http.Request) { r.Host = "evil.example" }, 403},
		"a host that leads here": {func(r *http.Request) { r.Host = "127.0.0.1.evil.example:80" }, 403},
		"localhost of others":    {func(r *http.Request) { r.Host = "localhost.evil.example" }, 403},
		"an address elsewhere":   {func(r *http.Request) { r.Host = "10.0.0.1" }, 403},
		"a zone":                 {func(r *http.Request) { r.Host = "[::1%25evil]:80" }, 403},
		"no origin":              {func(r *http.Request) { r.Header.Del("Origin") }, 403},
		"an origin that is null": {header("Origin", "null"), 403},
		"another origin":         {header("Origin", "http://evil.example"), 403},
		"another port":           {header("Origin", "http://127.0.0.1:1"), 403},
		"another name":           {header("Origin", strings.Replace(b.origin(), "127.0.0.1", "localhost", 1)), 403},
		"an origin with more":    {header("Origin", b.origin()+".evil.example"), 403},
		"cross-site":             {header("Sec-Fetch-Site", "cross-site"), 403},
		"same-site":              {header("Sec-Fetch-Site", "same-site"), 403},
		"typed by hand":          {header("Sec-Fetch-Site", "none"), 403},
		"another type":           {header("Content-Type", "text/plain"), 415},
		"parts":                  {header("Content-Type", "multipart/form-data; boundary=x"), 415},
		"too large": {func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x="+strings.Repeat("a", mostBody))), -1
		}, 413},
		"a broken form": {func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("%zz=1")), 5
		}, 400},
		"no cookie": {func(r *http.Request) { r.Header.Set("Cookie", "a=b"); r.Header.Add("X", "y") }, 0},

		"an answer by GET":      {get(b.base + "answer?" + form.Encode()), 405},
		"a session by GET":      {get(b.base + "session?token=" + b.Token()), 405},
		"another path":          {get("/"), 404},
		"half a path":           {get(b.base[:9]), 404},
		"without its end":       {get(strings.TrimSuffix(b.base, "/")), 404},
		"another page":          {get(b.base + "other"), 404},
		"dots":                  {get(b.base + "../" + b.base[1:]), 404},
		"dots, escaped":         {get(b.base + "%2e%2e/answer"), 404},
		"an escaped letter":     {get(b.base + "%61nswer"), 404},
		"two slashes":           {get("/" + b.base), 404},
		"a backslash":           {get(b.base + `..\answer`), 404},
		"a file":                {get(b.base + "live.js/../page.html"), 404},
		"PUT":                   {func(r *http.Request) { r.Method = http.MethodPut }, 405},
		"OPTIONS, before":       {func(r *http.Request) { r.Method = http.MethodOptions }, 405},
		"events of others":      {func(r *http.Request) { get(b.base + "events")(r); r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		"the script of others":  {func(r *http.Request) { get(b.base + "live.js")(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"the page in a picture": {func(r *http.Request) { get(b.base)(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
	} {
		client := c
		if s.status == 0 { // the jar would add the right one
			client, s.status = b.browser(), http.StatusForbidden
		}
		status, body := b.post(client, "answer", form, s.change)
		if status != s.status {
			t.Errorf("%s: %d, want %d: %s", name, status, s.status, body)
		}
		if strings.Contains(body, "evil") {
			t.Errorf("%s: repeats what was sent: %s", name, body)
		}
	}
	select {
	case reply := <-answers:
		t.Fatalf("answered: %+v", reply)
	default:
	}
	for _, host := range []string{"localhost", "localhost:9000", "127.0.0.1:9000", "[::1]:9000"} { // through a tunnel
		if status, _ := b.post(c, "answer", url.Values{"secret": {secret}, "reply": {"later"}}, func(r *http.Request) {
			for _, cookie := range c.Jar.Cookies(r.URL) {
				r.AddCookie(cookie)
			}
			r.Host = host
			r.Header.Set("Origin", "http://"+host)
		}); status != http.StatusConflict {
			t.Errorf("%s: %d", host, status)
		}
	}
	if status, _ := b.post(c, "answer", form, nil); status != http.StatusSeeOther {
		t.Errorf("the page's own: %d", status)
	}
	if reply := <-answers; !reply.Done {
		t.Errorf("%+v", reply)
	}
}

// TestLargeHeader checks that a request with too large a header is refused, or its connection is closed.
func TestLargeHeader(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Large", strings.Repeat("a", 8*mostHeader))
	res, err := b.browser().Do(r)
	if err != nil {
		return // cut off
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(res.Status)
	}
}

// TestHeaders checks that the page may do only what it needs, and is not cached.
func TestHeaders(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	for _, to := range []string{"", "live.js", "other"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Address()+to, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := b.browser().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		h := res.Header
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none';", "script-src 'self';", "frame-ancestors 'none'",
			"base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%q: no %s in %s", to, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || h.Get("Cache-Control") != "no-store" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" ||
			h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q: %v", to, h)
		}
	}
}
