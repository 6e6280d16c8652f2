package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/reporttest"
)

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
