package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/serve"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
)

// asksBeside is a terminal beside a live page that is served until the test ends, and a form to send to the page.
func asksBeside(t *testing.T, in io.Reader, plan *planner.Plan) (executor.Operator, func(string, url.Values) int) {
	t.Helper()
	return asksOnClock(t, in, plan, systemClock{})
}

func asksOnClock(
	t *testing.T, in io.Reader, plan *planner.Plan, clock executor.Clock,
) (executor.Operator, func(string, url.Values) int) {
	t.Helper()
	l, _, err := serve.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page, err := serve.New(l, serve.Options{Clock: systemClock{}, Answers: true, Numbers: view.Numbers(plan),
		Report: func() (*report.Report, error) {
			return report.New(plan, reporttest.Run(plan, 1, executor.EventExecuted, ""))
		}})
	if err != nil {
		t.Fatal(err)
	}
	page.Start(t.Context())
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := page.Close(); err != nil {
			t.Error(err)
		}
	})
	post := func(to string, form url.Values) (string, int) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.Address()+to,
			strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+l.Addr().String())
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		_, rest, _ := strings.Cut(string(body), `name="secret" value="`)
		secret, _, _ := strings.Cut(rest, `"`)
		return secret, res.StatusCode
	}
	p := person{
		command: &command{
			app: &app{input: prompt.NewLines(in), clock: clock, env: func(string) (string, bool) { return "bob", true }},
			out: output.Guard(&bytes.Buffer{}, noSecrets),
		},
		progress: view.NewPlain(io.Discard, view.Style{}, plan),
	}
	live := &livePage{Page: page}
	op := live.operator(newTerminalOperator(p), &serveFlags{answers: true, wait: time.Hour}, plan)
	secret, _ := post("session", url.Values{"name": {"Ada"}, "token": {page.Token()}})
	return op, func(to string, form url.Values) int {
		form.Set("secret", secret)
		_, status := post(to, form)
		return status
	}
}

// full is an output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// waitsOver is a clock on which every wait is over at once.
type waitsOver struct {
	systemClock

	asked  time.Duration
	during func() // nil: nothing happens then
}

func (c *waitsOver) After(d time.Duration) <-chan time.Time {
	c.asked = d
	if c.during != nil {
		c.during()
	}
	over := make(chan time.Time)
	close(over)
	return over
}

type operatorFunc func() (executor.Reply, error)

func (f operatorFunc) Perform(context.Context, executor.Ask) (executor.Reply, error) { return f() }

// TestBesideThePage: where a step is answered on the page too, an answer at the terminal names the step: one that was
// meant for another step does not count. When somebody has answered at one place, nothing is asked at the other.
func TestBesideThePage(t *testing.T) {
	plan := reporttest.Small()
	ask := executor.Ask{Step: plan.Steps[1]}
	op, _ := asksBeside(t, strings.NewReader("done\ndone 1\n Done  2\n"), plan)
	reply, err := op.Perform(t.Context(), ask)
	if want := (executor.Reply{Done: true, By: "bob"}); reply != want || err != nil {
		t.Errorf("at the terminal: %+v, %v", reply, err)
	}

	for name, in := range map[string]io.Reader{"nobody types": block{}, "the input has ended": strings.NewReader(""),
		"the output is gone": block{}} {
		op, send := asksBeside(t, in, plan)
		if name == "the output is gone" {
			op.(*onPage).Operator.(*terminalOperator).command.out = output.Guard(full{}, noSecrets)
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			reply, err = op.Perform(t.Context(), ask)
		}()
		for waits := true; waits; { // until it is asked
			send("answer", url.Values{"step": {"2"}, "attempt": {"0"}, "reply": {"later"}})
			select {
			case <-answered:
				waits = false
			default:
			}
		}
		if want := (executor.Reply{By: "Ada (on the live page)"}); reply != want || err != nil {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
	}

	// Where both have answered, the page's answer counts: its browser was told that it is recorded.
	op, send := asksBeside(t, block{}, plan)
	op.(*onPage).Operator = operatorFunc(func() (executor.Reply, error) {
		form := url.Values{"step": {"2"}, "attempt": {"0"}, "reply": {"later"}}
		for send("answer", form) != http.StatusOK { // until it is asked
		}
		return executor.Reply{Done: true, By: "bob"}, nil
	})
	if reply, err := op.Perform(t.Context(), ask); reply.By != "Ada (on the live page)" || err != nil {
		t.Errorf("both at once: %+v, %v", reply, err)
	}

	// Where nobody can answer here, and nobody does on the page, the step is left for later.
	waits := &waitsOver{}
	op, _ = asksOnClock(t, strings.NewReader(""), plan, waits)
	person := op.(*onPage).person
	waits.during = func() { // steps wait beside each other, not one after the other
		if len(op.(*onPage).Operator.(*terminalOperator).turn) > 0 {
			t.Error("no other step is asked while one waits for the page")
		}
	}
	for name, op := range map[string]executor.Operator{
		"the input has ended": op, "no terminal": &onPage{waiting{person, time.Hour}, person, op.(*onPage).page},
	} {
		waits.asked = 0
		if reply, err := op.Perform(t.Context(), ask); reply != executor.Deferred || err != nil || waits.asked != time.Hour {
			t.Errorf("%s: %+v, %v after %s", name, reply, err, waits.asked)
		}
	}

	op, _ = asksBeside(t, block{}, plan)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := op.Perform(ctx, ask); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
