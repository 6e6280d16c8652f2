package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// still is a clock that stands still, so that nothing is sent because time has passed.
type still struct{}

func (still) Now() time.Time { return time.Date(2027, 2, 3, 4, 5, 30, 0, time.UTC) }
func (still) After(d time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	if d < heartbeat {
		c <- still{}.Now() // pauses
	}
	return c
}

// bench is a page of a run, and the state of the run.
type bench struct {
	*Page

	t      *testing.T
	mu     sync.Mutex
	plan   *planner.Plan
	done   int
	event  string
	opened []string
}

func (b *bench) report() (*report.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	run := reporttest.Run(b.plan, b.done, b.event, "why <b>not</b>")
	run.Live = true
	return report.New(b.plan, run)
}

// goTo sets the state of the run.
func (b *bench) goTo(done int, event string) {
	b.mu.Lock()
	b.done, b.event = done, event
	b.mu.Unlock()
	b.Changed()
}

func serving(t *testing.T, p *planner.Plan, change func(*Options)) *bench {
	t.Helper()
	l, _, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return servingAt(t, l, p, change)
}

func servingAt(t *testing.T, l net.Listener, p *planner.Plan, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, plan: p, done: 1, event: executor.EventExecuted}
	o := Options{Report: b.report, Clock: still{}, Answers: true, Numbers: map[string]int{},
		Opened: func(name string) { b.opened = append(b.opened, name) }}
	for i := range p.Steps {
		o.Numbers[p.Steps[i].ID] = i + 1
	}
	if change != nil {
		change(&o)
	}
	var err error
	if b.Page, err = New(l, o); err != nil {
		t.Fatal(err)
	}
	b.Start(t.Context())
	t.Cleanup(func() {
		if !b.closed {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

// browser returns a client that keeps cookies and does not follow redirects.
func (b *bench) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// origin returns the origin of the page.
func (b *bench) origin() string { return "http://" + b.listener.Addr().String() }

// post sends a form as a browser would. change may change the request.
func (b *bench) post(c *http.Client, to string, form url.Values, change func(*http.Request)) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.Address()+to, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.origin())
	if change != nil {
		change(r)
	}
	return b.send(c, r)
}

func (b *bench) send(c *http.Client, r *http.Request) (int, string) {
	b.t.Helper()
	res, err := c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (b *bench) get(c *http.Client) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.Address(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	status, body := b.send(c, r)
	if status != http.StatusOK {
		b.t.Fatalf("%d: %s", status, body)
	}
	return body
}

// session opens the session, and returns its secret.
func (b *bench) session(c *http.Client) string {
	b.t.Helper()
	status, body := b.post(c, "session", url.Values{"name": {"Ada"}, "token": {strings.ToUpper(b.Token())}}, nil)
	if status != http.StatusSeeOther {
		b.t.Fatalf("opening the session: %d, %s", status, body)
	}
	_, rest, ok := strings.Cut(b.get(c), `name="secret" value="`)
	secret, _, _ := strings.Cut(rest, `"`)
	if !ok || secret == "" {
		b.t.Fatal("the page has no secret for this browser")
	}
	return secret
}

// ask asks a question and returns the channel for its answer. The question is shown when ask returns.
func (b *bench) ask(ctx context.Context, step planner.Step, attempt int) <-chan executor.Reply {
	answers := make(chan executor.Reply, 1)
	go func() {
		reply, err := b.Ask(ctx, executor.Ask{Step: step, Attempt: attempt, Missing: "the <label>"})
		if err != nil {
			close(answers)
			return
		}
		answers <- reply
	}()
	for { // until it is there
		b.Page.mu.Lock()
		q := b.questions[step.ID]
		b.Page.mu.Unlock()
		if q != nil && q.ask.Attempt == attempt {
			return answers
		}
		select {
		case <-ctx.Done():
			return answers
		default:
		}
	}
}

// final returns a person's step that cannot be undone.
func final(p *planner.Plan) planner.Step {
	s := p.Steps[1]
	s.Effect = &planner.Effect{Irreversible: true}
	return s
}

// TestAnswers checks that a person's step is answered on the page, once, by the browser that has opened the session. A
// step that cannot be undone is confirmed only if 'done' is typed.
func TestAnswers(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	c := b.browser()
	secret := b.session(c)
	if len(b.opened) != 1 || b.opened[0] != "Ada" {
		t.Errorf("told of %q", b.opened)
	}
	for name, s := range map[string]struct {
		step   planner.Step
		form   url.Values
		status int
		want   executor.Reply
	}{
		"done": {p.Steps[1], url.Values{"reply": {"done"}}, 303,
			executor.Reply{Done: true, By: "Ada (on the live page)"}},
		"later":           {p.Steps[1], url.Values{"reply": {"later"}}, 303, executor.Reply{By: "Ada (on the live page)"}},
		"typed":           {final(p), url.Values{"reply": {"done"}, "word": {" Done "}}, 303, executor.Reply{Done: true, By: "Ada (on the live page)"}},
		"not typed":       {final(p), url.Values{"reply": {"done"}}, 422, executor.Reply{}},
		"typed wrongly":   {final(p), url.Values{"reply": {"done"}, "word": {"yes"}}, 422, executor.Reply{}},
		"later, final":    {final(p), url.Values{"reply": {"later"}}, 303, executor.Reply{By: "Ada (on the live page)"}},
		"another attempt": {p.Steps[1], url.Values{"reply": {"done"}, "attempt": {"6"}}, 409, executor.Reply{}},
		"another step":    {p.Steps[1], url.Values{"reply": {"done"}, "step": {"1"}}, 409, executor.Reply{}},
		"no reply":        {p.Steps[1], url.Values{"reply": {"abandon"}}, 400, executor.Reply{}},
		"no secret":       {p.Steps[1], url.Values{"reply": {"done"}, "secret": {""}}, 403, executor.Reply{}},
		"wrong secret":    {p.Steps[1], url.Values{"reply": {"done"}, "secret": {secret + "x"}}, 403, executor.Reply{}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		answers := b.ask(ctx, s.step, 7)
		form := url.Values{"secret": {secret}, "step": {"2"}, "attempt": {"7"}}
		for k, v := range s.form {
			form[k] = v
		}
		status, body := b.post(c, "answer", form, nil)
		if status != s.status {
			t.Errorf("%s: %d, want %d: %s", name, status, s.status, body)
		}
		if s.status != http.StatusSeeOther {
			cancel()
		}
		if got := <-answers; got != s.want {
			t.Errorf("%s: %+v, want %+v", name, got, s.want)
		}
		if status, _ := b.post(c, "answer", form, nil); s.status == http.StatusSeeOther && status != http.StatusConflict {
			t.Errorf("%s: answered twice: %d", name, status)
		}
		cancel()
	}
}

// TestAcknowledged checks that an answer counts if the browser was told that it is recorded, whatever ends the
// question afterwards.
func TestAcknowledged(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		answers := b.ask(ctx, p.Steps[1], 0)
		status, _ := b.take("2", "0", "", executor.Reply{Done: true})
		cancel()
		if reply := <-answers; status != http.StatusOK || !reply.Done {
			t.Fatalf("%d, %+v", status, reply)
		}
	}
}

// TestLastPage checks that the browser whose answer ends the run still gets the page that the answer leads to.
func TestLastPage(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	c := b.browser()
	secret := b.session(c)
	answers := b.ask(t.Context(), p.Steps[1], 0)
	form := url.Values{"secret": {secret}, "step": {"2"}, "attempt": {"0"}, "reply": {"later"}}
	if status, body := b.post(c, "answer", form, nil); status != http.StatusSeeOther {
		t.Fatalf("%d: %s", status, body)
	}
	<-answers
	closed := make(chan error, 1)
	go func() { closed <- b.Close() }()
	<-b.ended
	if !strings.Contains(b.get(c), "Ada") {
		t.Error("it is another's page")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

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

// events reads a stream.
type events struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Scanner
}

func (b *bench) events(c *http.Client) *events {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.Address()+"events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", "41") // whatever a browser has seen, it gets everything
	res, err := c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatal(res.Status, res.Header)
	}
	b.t.Cleanup(func() { _ = res.Body.Close() })
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 1<<24)
	return &events{b.t, res.Body, in}
}

// moment is what the page's script gets.
type moment struct {
	Verdict   string
	Ended     bool
	Questions []struct{ ID, Missing string }
	Steps     []struct {
		N     int
		State string
	}
	Current []struct{ ID, State, Text string }
	Log     []struct{ ID, Event, Key, Text string }
}

// next returns the next event and its data.
func (e *events) next() (name string, m moment) {
	e.t.Helper()
	for e.in.Scan() {
		key, value, _ := strings.Cut(e.in.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &m); err != nil {
				e.t.Fatalf("%v: %s", err, value)
			}
			return name, m
		}
	}
	return "", m
}

// first returns the line with the first data, as it was sent.
func (e *events) first() string {
	for e.in.Scan() && !strings.HasPrefix(e.in.Text(), "data: ") {
	}
	return e.in.Text()
}

// until reads until holds returns true for a moment.
func (e *events) until(holds func(moment) bool) moment {
	e.t.Helper()
	for {
		name, m := e.next()
		if name != "now" {
			e.t.Fatalf("the stream ended with %q", name)
		}
		if holds(m) {
			return m
		}
	}
}

// TestEvents checks that a browser first gets the whole state, then the changes, and the end of the run.
func TestEvents(t *testing.T) {
	p := reporttest.Small()
	b := serving(t, p, nil)
	e := b.events(b.browser())
	name, m := e.next()
	if name != "now" || len(m.Steps) != 3 || m.Steps[0].State != "done" || m.Steps[1].State != "running" ||
		len(m.Current) != 1 || len(m.Log) == 0 {
		t.Fatalf("%s %+v", name, m)
	}
	entries := len(m.Log)
	b.goTo(1, executor.EventFailed)
	m = e.until(func(m moment) bool { return len(m.Steps) > 0 })
	if len(m.Steps) != 1 || m.Steps[0].N != 2 || m.Steps[0].State != "failed" || m.Current[0].Text != "why <b>not</b>" {
		t.Errorf("%+v", m)
	}
	b.goTo(2, executor.EventExecuted)
	m = e.until(func(m moment) bool { return len(m.Steps) == 2 })
	if len(m.Log) == 0 || len(m.Log) > entries {
		t.Errorf("new in the log: %+v", m.Log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers := b.ask(ctx, p.Steps[1], 0)
	m = e.until(func(m moment) bool { return len(m.Questions) == 1 })
	if m.Questions[0].Missing != "the <label>" {
		t.Errorf("%+v", m.Questions)
	}
	cancel()
	<-answers
	e.until(func(m moment) bool { return len(m.Questions) == 0 })
	b.Note("Waiting for a server.")
	if m = e.until(func(m moment) bool { return len(m.Log) > 0 }); m.Log[0].Text != "Waiting for a server." {
		t.Errorf("%+v", m.Log)
	}
	// Another browser comes later, and gets everything.
	other := b.events(b.browser())
	if _, m = other.next(); len(m.Steps) != 3 || m.Steps[0].State != "done" {
		t.Errorf("%+v", m)
	}
	b.goTo(3, "")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []*events{e, other} {
		m = stream.until(func(m moment) bool { return m.Ended })
		if !strings.Contains(m.Verdict, "3 of 3") {
			t.Errorf("%+v", m)
		}
		if name, _ := stream.next(); name != "end" {
			t.Errorf("it ended with %q", name)
		}
	}
}

// TestContextEnds checks that streams and questions end when the context of the command does.
func TestContextEnds(t *testing.T) {
	l, _, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := reporttest.Small()
	b := &bench{t: t, plan: p, done: 1, event: executor.EventExecuted}
	if b.Page, err = New(l, Options{Report: b.report, Clock: still{}, Answers: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.Start(ctx)
	e := b.events(b.browser())
	e.next()
	answers := b.ask(ctx, p.Steps[1], 0)
	cancel()
	if _, answered := <-answers; answered {
		t.Error("answered")
	}
	for name, _ := e.next(); name != ""; name, _ = e.next() {
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestManyBrowsers checks that the number of streams is limited, and that a stream that ends makes room.
func TestManyBrowsers(t *testing.T) {
	b := serving(t, reporttest.Small(), nil)
	c := b.browser()
	var first *events
	for i := range mostStreams {
		e := b.events(c)
		e.next()
		if i == 0 {
			first = e
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Address()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := b.send(c, r); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
	_ = first.body.Close()
	for b.watchers() == mostStreams { // until it is seen
		b.Changed()
	}
	b.events(c).next()
}

func (b *bench) watchers() int {
	b.Page.mu.Lock()
	defer b.Page.mu.Unlock()
	return b.streams
}

// pipes is a listener whose connections have no buffer: a writer waits until the other side reads.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }
func (*pipes) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
}

// TestSlowReader checks that a browser that does not read is dropped, and that others are served meanwhile.
func TestSlowReader(t *testing.T) {
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	b := servingAt(t, l, reporttest.Small(), func(o *Options) { o.Patience = 50 * time.Millisecond })
	ours, theirs := net.Pipe()
	l.conns <- theirs
	if _, err := io.WriteString(ours, "GET "+b.base+"events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	quick := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			mine, other := net.Pipe()
			l.conns <- other
			return mine, nil
		}}}
	b.get(quick)
	// Nothing is read: the connection ends by itself. One that never says what it wants ends, too.
	idle, other := net.Pipe()
	l.conns <- other
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a silent connection: %v", err)
	}
	b.waitFor(func() bool { return b.watchers() == 0 })
	if _, err := io.Copy(io.Discard, ours); err != nil {
		t.Error(err)
	}
}

// waitFor waits until holds returns true.
func (b *bench) waitFor(holds func() bool) {
	for !holds() {
		select {
		case <-b.t.Context().Done():
			b.t.Fatal("it never held")
		default:
		}
	}
}

// TestHostileNames checks that names of servers are sent as mere text, whatever they contain.
func TestHostileNames(t *testing.T) {
	b := serving(t, reporttest.Malign(), nil)
	c := b.browser()
	b.session(c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []<-chan executor.Reply
	for i := range b.plan.Steps {
		all = append(all, b.ask(ctx, b.plan.Steps[i], 0))
	}
	page := b.get(c)
	for _, markup := range []string{"<script>alert", "<img", "onerror=alert(1)>", "</svg></style><b>"} {
		if strings.Contains(page, markup) {
			t.Errorf("%s is in the page", markup)
		}
	}
	e := b.events(c)
	data := e.first()
	var sent any
	if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &sent); err != nil {
		t.Fatalf("%v: %.300s", err, data)
	}
	for _, r := range []string{"\u202e", "\u200b", "\x1b", "\x00", "\r"} {
		if strings.Contains(fmt.Sprint(sent), r) || strings.Contains(page, r) {
			t.Errorf("%q is in what is sent", r)
		}
	}
	if !strings.Contains(data, `\\u202e`) {
		t.Errorf("is this test able to fail? %.300s", data)
	}
	cancel()
	for _, answers := range all {
		<-answers
	}
}

// TestSecrets checks that nothing that is sent contains a secret of the run.
func TestSecrets(t *testing.T) {
	p := reporttest.Small()
	p.Steps[0].Summary = "with hunter2"
	b := serving(t, p, func(o *Options) {
		o.Secrets = redact.New("(sensitive value)", "hunter2")
	})
	b.goTo(0, executor.EventExecuted)
	b.Note("hunter2")
	if page := b.get(b.browser()); strings.Contains(page, "hunter2") || !strings.Contains(page, "(sensitive value)") {
		t.Error("a secret is in the page")
	}
	e := b.events(b.browser())
	if data := e.first(); strings.Contains(data, "hunter2") || !strings.Contains(data, "(sensitive value)") {
		t.Errorf("a secret is in the stream: %s", data)
	}
}

// TestSecretsThatAreWords checks that the page's markup and forms work whatever word a secret is.
func TestSecretsThatAreWords(t *testing.T) {
	p := reporttest.Small()
	words := []string{"password", "secret", "done", "steps", "true", "text", "data", "step", "event", "attempt", "reply",
		"value", "name", "html", "session", "questions", "hash", p.Steps[1].ID, p.Steps[1].ID[:8]}
	b := serving(t, p, func(o *Options) { o.Secrets = redact.New("(sensitive value)", words...) })
	c := b.browser()
	if page := b.get(c); !strings.Contains(page, `name="token" type="password"`) ||
		!strings.Contains(page, `id="steps"`) {
		t.Errorf("%.3000s", page)
	}
	secret := b.session(c)
	answers := b.ask(t.Context(), p.Steps[1], 0)
	if page := b.get(c); !strings.Contains(page, `name="step" value="2"`) || strings.Contains(page, p.Steps[1].ID) {
		t.Error("the form of the question is another one, or the address stands in the page")
	}
	e := b.events(c)
	m := e.until(func(m moment) bool { return len(m.Questions) == 1 })
	if len(m.Steps) != 3 || !strings.Contains(m.Questions[0].ID, "(sensitive value)") {
		t.Errorf("%+v", m)
	}
	form := url.Values{"secret": {secret}, "step": {"2"}, "attempt": {"0"}, "reply": {"done"}}
	if status, body := b.post(c, "answer", form, nil); status != http.StatusSeeOther {
		t.Fatalf("%d: %s", status, body)
	}
	if reply := <-answers; !reply.Done {
		t.Errorf("%+v", reply)
	}
}

// TestListen checks that only addresses are accepted, and whether other machines can reach them.
func TestListen(t *testing.T) {
	for address, want := range map[string]struct{ open, fails bool }{
		"127.0.0.1:0": {}, "localhost:0": {}, ":0": {}, "0.0.0.0:0": {open: true},
		"127.0.0.1": {fails: true}, "evil.example:80": {fails: true}, "127.0.0.1:http-not": {fails: true},
		"": {fails: true}, "1.2.3:0": {fails: true},
	} {
		l, open, err := Listen(t.Context(), address)
		if (err != nil) != want.fails || open != want.open {
			t.Errorf("%s: %v, %v", address, open, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}

// TestFault checks that a panic in a request ends with one answer, and is reported by Close.
func TestFault(t *testing.T) {
	b := serving(t, reporttest.Small(), func(o *Options) {
		o.Report = func() (*report.Report, error) { panic("broken") }
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := b.send(b.browser(), r)
	if status != http.StatusInternalServerError || strings.Contains(body, "broken") {
		t.Errorf("%d: %s", status, body)
	}
	if err := b.Close(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("reported: %v", err)
	}
}
