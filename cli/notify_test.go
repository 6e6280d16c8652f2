package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
)

// hasty is a clock on which every time is over.
type hasty struct{}

func (hasty) Now() time.Time { return time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC) }
func (hasty) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- hasty{}.Now()
	return c
}

// TestNotifyFile: what it may say; what it says wrongly is named by its line, and never shown, as it may be a secret.
func TestNotifyFile(t *testing.T) {
	for src, want := range map[string]string{
		`webhook = "https://hooks.example/T0/hunter2"`:           "",
		`webhook = "http://127.0.0.1:80/hunter2"`:                "",
		`command = ["notify-send", "x"]`:                         "",
		"bell = false\nenvironment = [\"DISPLAY\"]":              "",
		`webhook = "http://hooks.example/hunter2"`:               "line 1: webhook",
		`webhook = "https:///hunter2"`:                           "line 1: webhook",
		"\nwebhook = [\"hunter2\"]":                              "line 2: webhook",
		`webhook = env("hunter2")`:                               "line 1: webhook",
		`webhook = "hunter2`:                                     "line 1:",
		`hook = "hunter2"`:                                       "line 1: only",
		`command = []`:                                           "line 1: command",
		`command = ["hunter2", null]`:                            "line 1: command",
		`command = null`:                                         "line 1: command",
		`bell = "hunter2"`:                                       "line 1: bell",
		"webhook = \"https://a.example\"\nwebhook = \"hunter2\"": "line 2:",
	} {
		n := &notifier{command: &command{app: &app{env: func(string) (string, bool) { return "", false }}}}
		err := n.read([]byte(src), "notify.hcl")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: a secret is in %v", src, err)
		}
	}
}

// TestProxyIsNotShown: the address of a proxy may have a password.
func TestProxyIsNotShown(t *testing.T) {
	_, err := quietly(func(*http.Request) (*url.URL, error) { return nil, errors.New("ada:hunter2@proxy") })(nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// TestWebhook: it gets what is asked without secrets, it is told of once, and one that hangs, answers wrongly or leads
// elsewhere holds up nothing and shows its address nowhere.
func TestWebhook(t *testing.T) {
	var mu sync.Mutex
	var got []byte
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang/hunter2":
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case "/wrong/hunter2":
			w.WriteHeader(http.StatusTeapot)
		case "/elsewhere/hunter2":
			http.Redirect(w, r, "https://evil.example/hunter2", http.StatusTemporaryRedirect)
		case "/lost/hunter2":
			w.Header().Set("Location", "http://[hunter2")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/broken/hunter2":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "no answer to %68unter2\r\n\r\n")
				_ = conn.Close()
			}
		default:
			mu.Lock()
			defer mu.Unlock()
			got, _ = io.ReadAll(r.Body)
		}
	}))
	defer server.Close()
	defer close(hang)
	for path, want := range map[string]string{
		"/right/hunter2": "", "/hang/hunter2": "webhook", "/wrong/hunter2": "answered 418",
		"/elsewhere/hunter2": "another address", "/lost/hunter2": "(address)", "/broken/hunter2": "(address)",
	} {
		var out bytes.Buffer
		known := redact.New("(sensitive value)", "keeper-pass", "summary", "person_asked", "step")
		c := &command{
			app: &app{clock: systemClock{}, env: func(string) (string, bool) { return "", false }},
			out: output.Guard(&out, func() *redact.Set { return known }), redactor: known,
		}
		if strings.HasPrefix(path, "/hang") {
			c.app.clock = hasty{}
		}
		n := &notifier{command: c, places: make(chan struct{}, mostNotices)}
		if err := n.read([]byte(`webhook = "`+server.URL+path+`"`), "notify.hcl"); err != nil {
			t.Fatal(err)
		}
		plan := &planner.Plan{Steps: []planner.Step{{ID: "sync.depot.tools/label",
			Summary: "label \u202e<b> with keeper-pass", Manual: &planner.Manual{Where: "the depot"}}}}
		a := &application{plan: plan, run: &executor.Run{ID: "R1"}}
		end := n.begin(t.Context(), a, view.NewPlain(c.out, view.Style{}, plan))
		for attempt := range 2 {
			reply, err := n.operator(nobody{person{command: c, progress: view.NewPlain(io.Discard, view.Style{}, plan)}}).
				Perform(t.Context(), executor.Ask{Step: plan.Steps[0], Attempt: attempt})
			if err != nil || reply.Done {
				t.Errorf("%s: %v, %v", path, reply, err)
			}
		}
		end()
		if told := out.String(); !strings.Contains(told, want) || want == "" && strings.Contains(told, "Notification") ||
			strings.Contains(told, "unter2") || strings.Count(told, "Notification") > 1 {
			t.Errorf("%s: %q", path, told)
		}
	}
	var doc notice
	if err := json.Unmarshal(got, &doc); err != nil {
		t.Fatal(err)
	}
	want := notice{"person_asked", "syncctl asks a person: step 1 of 1 of run R1", "R1", "sync.depot.tools/label", 1, 1,
		`label \u202e<b> with (sensitive value)`, "the depot"}
	if doc != want {
		t.Errorf("%+v", doc)
	}
}
