package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
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
