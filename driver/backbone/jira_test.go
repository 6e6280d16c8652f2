package backbone_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestSearchHasPages checks that all pages of Jira's search are read, however many there are.
func TestSearchHasPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3, 50} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			page := fmt.Sprintf(`"search_page": %d, "deployment"`, n)
			seed := smaller(t, "behind-firewall-master")
			b := newBenchOf(t, edited(t, "behind-firewall-master").dir,
				[]byte(strings.ReplaceAll(string(seed), `"deployment"`, page)))
			if rep := b.apply(b.plan()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
		})
	}
}

// ask observes something on a server that answers with answer. It checks that no connection stays open once the driver
// is closed: a test makes one driver per run.
func ask(t *testing.T, cloud bool, what string, answer http.HandlerFunc) error {
	t.Helper()
	var opened atomic.Int32
	closed := make(chan struct{}, 100)
	s := httptest.NewUnstartedServer(answer)
	s.Config.ConnState = func(_ net.Conn, is http.ConnState) {
		switch is {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	deployment := map[bool]string{true: "cloud", false: "data_center"}[cloud]
	fsys := afero.NewMemMapFs()
	hcl := fmt.Sprintf("server \"backbone\" \"a\" {\n  url = %q\n  user = \"u\"\n  token = \"t\"\n  deployment = %q\n}\n",
		s.URL, deployment)
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(hcl), 0o600); err != nil {
		t.Fatal(err)
	}
	d := backbone.New(driver.Env{Fs: fsys, Log: hclog.NewNullLogger(), Now: time.Now})
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: "d", Catalog: d.Types()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	addr, err := schema.ParseAddr("server.backbone.a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Observe(t.Context(), cfg.Lookup(addr), planner.Need{Server: addr.String(), What: what, Of: "SP2"})
	if err := d.(driver.Closer).Close(t.Context()); err != nil {
		t.Error(err)
	}
	for range opened.Load() {
		select {
		case <-closed:
		case <-time.After(time.Minute):
			t.Fatal("a connection is still open")
		}
	}
	return err
}

// TestWhatARefusalMeans checks that the message of a refusal says how to solve it.
func TestWhatARefusalMeans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud  bool
		what   string
		status int
		header map[string]string
		body   string
		want   string // "": no error
	}{
		"captcha": {false, "synchronizations", 403, map[string]string{
			"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://x/login.jsp"}, "", "in a browser"},
		"captcha, by the other header": {false, "project", 401, map[string]string{
			"X-Seraph-LoginReason": "AUTHENTICATION_DENIED, CAPTCHA_CHALLENGE"}, "", "in a browser"},
		"forbidden": {false, "synchronizations", 403, map[string]string{"X-Seraph-LoginReason": "OK"}, "",
			"administrator"},
		"no Backbone":        {false, "synchronizations", 404, nil, "<html>", "is Backbone installed"},
		"no Jira":            {true, "project", 404, nil, "<html>", "is there a Jira"},
		"no such project":    {true, "project", 404, nil, `{"errorMessages":["No project"],"errors":{}}`, ""},
		"an object, no list": {false, "synchronizations", 200, nil, `{}`, "the answer is not a list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ask(t, c.cloud, c.what, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "backbone.i") {
				t.Errorf("a type of the program is in the message: %v", err)
			}
		})
	}
}

// TestWhatIsThereInstead checks that if an end's project is wrong, the error says what each end has.
func TestWhatIsThereInstead(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	b.change(`project = "SP2"`, `project = "SP3"`)
	_, diags := b.tryPlan()
	var details []string
	for _, d := range diags {
		details = append(details, d.Detail)
	}
	if !strings.Contains(strings.Join(details, " "), `INT-4 "Support A <> Support B", SAM2 with SP2`) {
		t.Fatal(details)
	}
}
