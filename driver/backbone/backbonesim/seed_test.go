package backbonesim

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSeedErrors(t *testing.T) {
	for _, c := range []struct{ old, new, says string }{
		{`"servers": {`, `"severs": {`, `line 2, column 3: unknown member "severs"`},
		{`"require_xsrf":true`, `"require_xsrf":1`, "line 3, column"},
		{`"project":"AA","pairs"`, `"project":"AA","Project":"AA","pairs"`, `unknown member "syncs[0].master.Project"`},
		{`"sync_user":"bot","users":[
        {"name":"root","password":"pw","token"`, `"sync_user":"bot","sync_user":"bot","users":[
        {"name":"root","password":"pw","token"`, `"servers.a.sync_user" appears twice`},
		{`"servers": {`, `"servers": [`, "line"},
		{`"deployment":"cloud"`, `"deployment":"cloud","backbone_version":"5.14"`, "servers.c: backbone_version"},
		{`"deployment":"cloud"`, `"deployment":"moon"`, `"moon" is not one of`},
		{`"name":"id:1"`, `"password":"x","name":"id:1"`, "no passwords"},
		{`"transport":"file"`, `"transport":"direct"`, "first and second"},
		{`"slave":{"server":"b","project":"BB"`, `"slave":{"server":"c","project":"CC"`, "not a Data Center with Backbone"},
		{`"slave":{"server":"b","project":"BB"`, `"slave":{"server":"a","project":"AA"`, "two servers"},
		{`"slave":{"server":"b","project":"BB"`, `"second":{"server":"b","project":"BB"`, "never two of a kind"},
		{`"slave":{"server":"b","project":"BB"`, `"slave":{"server":"b","project":"ZZ"`, `no project "ZZ"`},
		{`"server":"b"`, `"status":"SLEEPING","server":"b"`, "SLEEPING"},
		{`"sync_user":"bot"`, `"sync_user":"nobody"`, "nobody"},
		{`"key":"AA-2"`, `"key":"AA-1"`, "AA-1 appears twice"},
		{`"key":"AA-2"`, `"key":"BB-2"`, "not an issue of AA"},
		{`"first":"summary"`, `"type":"magic","first":"summary"`, "magic"},
		{`"transport":"file",`, `"transport":"file","generate":{"pairs":2000000},`, "generate"},
		{`"transport":"file",`, `"transport":"file","generate":{"pairs":99999,"comments_percent":100},`, "all together"},
		{`"transport":"file",`, `"transport":"file","in_flight":[{"from":"first","issue":"AA-1"}],`, "in_flight[0]"},
		{`"server":"b"`, `"errors":[{"issue":"BB-2","error":"x"}],"server":"b"`, "not paired"},
	} {
		if !strings.Contains(small, c.old) {
			t.Fatalf("no %s in the seed", c.old)
		}
		if _, err := Open([]byte(strings.Replace(small, c.old, c.new, 1))); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s", c.new, err, c.says)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", "{} {}", `{"servers":{"a":null}}`, `{"servers":{}}`} {
		if _, err := Open([]byte(text)); err == nil {
			t.Errorf("%q was taken as a seed", text)
		}
	}
}

// TestManyUsers checks that the users of a seed are found by an index: compared with each other, so many would take
// minutes. Of several with one email address, the first is found.
func TestManyUsers(t *testing.T) {
	const more = 20_000
	var users strings.Builder
	for n := range more {
		fmt.Fprintf(&users, `{"name":"u%d","email":"U%d@x.example"},{"name":"v%d","email":"u%d@X.example"},`, n, n, n, n)
	}
	text := strings.ReplaceAll(small, `"users":[`, `"users":[`+users.String())
	if text == small {
		t.Fatal("the seed has no users")
	}
	for _, s := range open(t, text).Named {
		u := s.UserByEmail("u19999@x.EXAMPLE")
		if u == nil || u.Name != "u19999" || s.User("v19999") == nil || s.User("v20000") != nil ||
			s.UserByEmail("") != nil || s.UserByEmail("u20000@x.example") != nil || len(s.Users()) < 2*more ||
			s.Users()[1].Name != "v0" {
			t.Errorf("%s has %d users, and finds %v", s.Name, len(s.Users()), u)
		}
	}
}

func TestSeedInFlight(t *testing.T) {
	w := open(t, strings.Replace(small, `"transport":"file",`,
		`"transport":"file","delivery":"manual","in_flight":[{"from":"slave","issue":"BB-1","fields":{"summary":"new"}}],`,
		1))
	ticks(w)
	if got := w.Named["a"].Issue("AA-1").Fields["summary"]; got != "one" {
		t.Fatalf("delivered already: %s", got)
	}
	byPerson(t, w, "deliver", "from", "b", "to", "a")
	ticks(w)
	if got := w.Named["a"].Issue("AA-1").Fields["summary"]; got != "new" {
		t.Errorf("summary %q", got)
	}
}

func TestEnvironment(t *testing.T) {
	w := example(t, "behind-firewall-slave")
	got := map[string]string{}
	for _, name := range w.Servers() {
		for k, v := range w.Environment(name) {
			got[k] = v
		}
	}
	want := map[string]string{
		"JIRA_A_URL": "https://a.example", "JIRA_A_USER": "syncctl", "SYNCCTL_VAR_jira_a_password": "a-password",
		"JIRA_B_URL": "https://b.example", "JIRA_B_USER": "syncctl", "SYNCCTL_VAR_jira_b_password": "b-password",
		"JIRA_B_CLOUD_URL": "https://b_cloud.example", "JIRA_B_CLOUD_USER": "syncctl@b.example",
		"SYNCCTL_VAR_jira_b_cloud_token": "b-cloud-api-token",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := open(t, small).Named["a"].URL; got != "https://a.example/jira" {
		t.Errorf("base URL with a context path: %s", got)
	}
}

func TestStateHasNoSecrets(t *testing.T) {
	for _, name := range []string{"behind-firewall-master", "behind-firewall-slave", "email-in-error"} {
		got := stateOf(t, example(t, name))
		if strings.Contains(got, "-password") || strings.Contains(got, "api-token") {
			t.Errorf("%s: the state has a secret", name)
		}
	}
}

func TestGeneratedPairs(t *testing.T) {
	w := example(t, "behind-firewall-master")
	a, b := w.Named["a"].Integrations[0].Connectors[0], w.Named["b"].Integrations[0].Connectors[0]
	half, differ := 0, 0
	for _, p := range a.Pairs {
		q := b.ByLocal[p.Remote]
		if q == nil || q.Remote != p.Local || p.Out != q.In || q.Out != p.In {
			t.Fatalf("%s and its mirror: %+v, %+v", p.Local, p, q)
		}
		if p.Out > 0 && q.LastIn <= p.LastOut {
			t.Errorf("%s was received before it was sent", p.Local)
		}
		if a.Tab().ByKey[p.Local].Fields["summary"] != b.Tab().ByKey[p.Remote].Fields["summary"] {
			t.Errorf("%s: the summaries differ", p.Local)
		}
		for _, c := range append(p.Comments, q.Comments...) {
			if c.Remote == "" {
				half++
			}
		}
		if strings.TrimPrefix(p.Local, "SAM2") != strings.TrimPrefix(p.Remote, "SP2") {
			differ++
		}
	}
	if len(a.Pairs) != 341 || len(b.Pairs) != 341 || half < 50 || differ < 50 {
		t.Errorf("%d and %d pairs, %d half pairs of comments, %d keys whose numbers differ", len(a.Pairs),
			len(b.Pairs), half, differ)
	}
}

// TestDeterminism checks that the same seed and the same calls give the same bytes, whatever the calls are.
func TestDeterminism(tt *testing.T) {
	rapid.Check(tt, func(t *rapid.T) {
		type step struct {
			kind, issue int
			server      string
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 6).Draw(t, "kind"), rapid.IntRange(1, 6).Draw(t, "issue"),
				rapid.SampledFrom([]string{"a", "b"}).Draw(t, "server")}
		}), 1, 15).Draw(t, "steps")
		run := func() (string, *World) {
			w := open(tt, strings.Replace(small, `"transport":"file",`,
				`"transport":"file","comments":true,"generate":{"pairs":5,"comments_percent":50},`, 1))
			for n, s := range steps {
				project := map[string]string{"a": "AA", "b": "BB"}[s.server]
				values := map[string]string{
					"server": s.server, "issue": fmt.Sprintf("%s-%d", project, s.issue), "field": "summary",
					"value": fmt.Sprint("edit ", n),
					"body":  fmt.Sprint("comment ", n), "project": project, "summary": fmt.Sprint("issue ", n), "type": "Bug",
				}
				action := []string{"edit_issue", "add_comment", "create_issue", "stop_sync", "start_sync", "", ""}[s.kind]
				if action == "" {
					w.Tick(w.Now.Add(time.Second))
				} else {
					_, _ = w.Person(tt.Context(), action, values) // a refusal is as good a step as any
				}
			}
			return stateOf(tt, w), w
		}
		first, w := run()
		second, _ := run()
		if first != second {
			t.Fatal(cmp.Diff(first, second))
		}
		drained(tt.Context(), t, w)
	})
}

// drained starts both halves, waits until no message is in flight, and checks that each end has received what the
// other has sent.
func drained(ctx context.Context, t *rapid.T, w *World) {
	for _, s := range []string{"a", "b"} {
		if _, err := w.Person(ctx, "start_sync", map[string]string{"server": s}); err != nil {
			t.Fatal(err)
		}
	}
	ticks(w)
	a, b := w.Named["a"].Integrations[0].Connectors[0], w.Named["b"].Integrations[0].Connectors[0]
	if len(a.Pairs) != len(b.Pairs) || len(a.Pending)+len(b.Pending) > 0 {
		t.Fatalf("%d and %d pairs, %d unanswered", len(a.Pairs), len(b.Pairs), len(a.Pending)+len(b.Pending))
	}
	for _, p := range a.Pairs {
		if q := b.ByLocal[p.Remote]; q == nil || q.Remote != p.Local || p.Out != q.In || p.In != q.Out {
			t.Fatalf("%+v and %+v", p, q)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	w := example(t, "behind-firewall-master")
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			for k := range 10 {
				w.Tick(time.Date(2021, 1, 1, 0, n, k, 0, time.UTC))
				w.SetURL("a", "https://a.example")
				_ = w.State()
				_ = w.Environment("a")
				if _, err := w.Person(t.Context(), "add_comment",
					map[string]string{"server": "a", "issue": "SAM2-1", "body": "x"}); err != nil {
					t.Error(err)
				}
				if got := on(w, "b").do("GET", "/rest/api/2/search?jql=project=SP2", ""); got.status != 200 {
					t.Error(got)
				}
			}
		})
	}
	group.Wait()
	ticks(w)
	if got := len(w.Named["b"].Issue("SP2-1").Comments); got != 41 {
		t.Errorf("%d comments, want 41", got)
	}
}

func FuzzSeed(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(sampleSeed))
	f.Add([]byte(`{"servers":{"a":{"users":[{"name":"x"}]}},"syncs":[{"transport":"email"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := Open(data)
		if err != nil {
			return
		}
		w.Tick(w.Now.Add(time.Second))
		_ = stateOf(t, w)
	})
}

func FuzzPairs(f *testing.F) {
	f.Add(`[{"localIssueKey":"AA-2","remoteIssueKey":"BB-2","id":7,"x":{"y":[1,2]}}]`)
	f.Add(`[` + seedEntryA + `]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		w := open(t, small)
		before := stateOf(t, w)
		got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/syncInformation", body)
		switch {
		case got.status == 200:
			pairs := on(w, "a").do("GET", apiA+"connectors/CON-1-AA/syncInformation", "")
			var out []map[string]any
			pairs.into(t, &out)
		case got.status >= 500 || stateOf(t, w) != before:
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func FuzzResync(f *testing.F) {
	f.Add(`{"jql":"key = AA-1","fieldMappings":["11"],"responsibility":false,"sendStatusField":true}`)
	f.Add(`{"jql":"((((","fieldMappings":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := open(t, small)
		if got := on(w, "a").do("POST", apiA+"connectors/CON-1-AA/resync", body); got.status >= 500 {
			t.Errorf("%d %s", got.status, got.body)
		}
		w.Tick(w.Now.Add(time.Second))
	})
}
