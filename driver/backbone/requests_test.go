package backbone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// fleet returns a seed and a configuration of n direct synchronizations between two Jira servers. If made is set,
// they all exist as declared.
func fleet(n int, made bool) (seed []byte, hcl string) {
	type m = map[string]any
	servers, syncs := m{}, []m{}
	for _, s := range []string{"a", "b"} {
		upper := strings.ToUpper(s)
		var projects []m
		for i := range n {
			projects = append(projects, m{"key": fmt.Sprintf("P%d", i), "name": fmt.Sprint("Project ", i),
				"issue_types": []string{"Bug"}})
		}
		servers[s] = m{"deployment": "data_center", "backbone_version": "5.21", "jira_version": "9.12.2",
			"sync_user": "backbone", "projects": projects,
			"env": m{"url": "JIRA_" + upper + "_URL", "user": "JIRA_" + upper + "_USER",
				"password": "SYNCCTL_VAR_jira_" + s + "_password"},
			"users": []m{{"name": "syncctl", "display_name": "S", "email": "s@x.example", "password": "geheim-" + s,
				"permission": "system_admin"}, {"name": "backbone", "display_name": "B", "email": "b@x.example",
				"permission": "none"}}}
	}
	var declared strings.Builder
	for i := range n {
		key := fmt.Sprintf("P%d", i)
		fmt.Fprintf(&declared, `
sync "backbone" %[1]q {
  transport = "direct"
  first {
    server  = server.backbone.a
    project = %[1]q
  }
  second {
    server  = server.backbone.b
    project = %[1]q
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
}
`, key)
		if made {
			syncs = append(syncs, m{"transport": "direct", "name": key, "issue_types": []m{{"first": "Bug", "second": "Bug"}},
				"first":  m{"server": "a", "project": key, "status": "RUNNING"},
				"second": m{"server": "b", "project": key}, "fields": []m{{"first": "summary", "second": "summary"}}})
		}
	}
	seed, err := json.Marshal(m{"backbone": m{"now": "2026-01-01T00:00:00Z", "servers": servers, "syncs": syncs}})
	if err != nil {
		panic(err)
	}
	return seed, declared.String()
}

// TestPlanOfAFleet: a plan of 100,000 synchronizations, of which few change, is within the bounds in which it is read
// again. So it can be saved, and a run of it resumed.
func TestPlanOfAFleet(t *testing.T) {
	t.Parallel()
	const n, times = 20, 5000
	seed, hcl := fleet(n, true)
	b := newBenchOf(t, t.TempDir(), seed)
	b.write(hcl)
	text, err := b.plan().Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := printable.Documents.Check(bytes.Repeat(text, times)); err != nil {
		t.Errorf("the plans of %d synchronizations, one after the other: %v", n*times, err)
	}
}

// TestRequests checks how many requests a plan sends to both servers together, and that none is sent twice.
// Validating sends none. A plan lists the synchronizations of each project on the Jira that configures them: a list
// of all projects needs an administrator of Jira, and does not say what it leaves out for others
// (HC/5.2/cloud/integration-synchronization-actions). For each existing one it reads the configuration and the
// conflicts, which no listing shows.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		made bool
		want map[int]int // by number of synchronizations
	}{
		{"nothing there yet", false, map[int]int{1: 1, 10: 10, 100: 100}},
		{"all there", true, map[int]int{1: 3, 10: 30, 100: 300}},
	} {
		for n, want := range c.want {
			t.Run(fmt.Sprintf("%s, %d", c.what, n), func(t *testing.T) {
				t.Parallel()
				var log syncBuffer
				seed, hcl := fleet(n, c.made)
				b := newBenchOf(t, t.TempDir(), seed, benchLog{&log})
				b.write(hcl)
				b.load()
				if log := log.Bytes(); len(log) > 0 {
					t.Errorf("validating made requests: %s", log)
				}
				p := b.plan()
				if err := b.box.Close(); err != nil {
					t.Error(err)
				}
				if (len(p.Steps) == 0) != c.made || len(p.Refusals()) > 0 {
					t.Errorf("%d steps, %+v", len(p.Steps), p.Refusals())
				}
				asked := map[string]bool{}
				all := requestsIn(t, &log)
				for _, l := range all {
					if asked[said(l)] {
						t.Errorf("asked twice: %s", said(l))
					}
					asked[said(l)] = true
				}
				if len(all) != want {
					t.Errorf("%d requests, want %d", len(all), want)
				}
			})
		}
	}
}

// requestsIn are those that an access log has so far.
func requestsIn(t *testing.T, log *syncBuffer) []sandbox.AccessLine {
	t.Helper()
	var out []sandbox.AccessLine
	for dec := json.NewDecoder(bytes.NewReader(log.Bytes())); dec.More(); {
		var l sandbox.AccessLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func said(l sandbox.AccessLine) string {
	return l.Server + " " + l.Method + " " + l.Path + "?" + l.Query
}

// TestApplyRequests is the table of how many requests a run makes for each synchronization that it creates: each step
// looks before and after, and what is sent looks once more for what it is about.
func TestApplyRequests(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			seed, hcl := fleet(n, false)
			b := newBenchOf(t, t.TempDir(), seed, benchLog{&log})
			b.atOnce = 1
			b.write(hcl)
			p := b.plan()
			planned := len(requestsIn(t, &log))
			if rep := b.apply(p); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if err := b.box.Close(); err != nil {
				t.Error(err)
			}
			// create: 1 before, 1 after. configure: 3 and 3. start: 1, 1 for what is started, itself, 1 after.
			if got := len(requestsIn(t, &log)) - planned; got != 12*n {
				t.Errorf("%d requests, want 12 for each of %d", got, n)
			}
		})
	}
}

// watched tells when a driver begins to look at something.
type watched struct {
	executor.Driver

	begin func(what string)
}

func (l watched) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	l.begin("facts of " + strings.Join(names, " "))
	return l.Driver.Facts(ctx, r, names)
}

func (l watched) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l.begin("verifying " + t.Step.Op)
	return l.Driver.Verify(ctx, t)
}

func (l watched) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	l.begin("executing " + t.Step.Op)
	return l.Driver.Execute(ctx, t)
}

// TestNothingTwiceInALook: whatever a whole migration looks at for a step, it asks for no thing twice unless it has
// changed something in between. The verification before a deletion lists the project of the new synchronization after
// it has read all pairs of the original, whose half is in the same project: that takes its time.
func TestNothingTwiceInALook(t *testing.T) {
	t.Parallel()
	b := newBench(t, "behind-firewall-master")
	b.atOnce = 1
	looked, during := 0, ""
	check := func() { // by what clients log, which is there when they return
		all := b.log.Bytes()
		asked := map[string]bool{}
		for _, m := range answered.FindAllStringSubmatch(string(all[looked:]), -1) {
			method, what := m[1], m[2]
			if method != http.MethodGet {
				clear(asked)
				continue
			}
			if asked[what] && !(during == "verifying verify" && strings.HasSuffix(what, "/integrations?projectKey=SP2")) {
				t.Errorf("%s: asked twice: %s", during, what)
			}
			asked[what] = true
		}
		looked = len(all)
	}
	looks := 0
	b.wrap = func(d executor.Driver) executor.Driver {
		return watched{d, func(what string) {
			check()
			during = what
			looks++
		}}
	}
	p := b.plan()
	looked = len(b.log.Bytes())
	if rep := b.apply(p); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	check()
	if looks < 50 || looked == 0 {
		t.Errorf("%d looks, %d bytes of log", looks, looked)
	}
}

// answered is what a client logs of a request that was answered.
var answered = regexp.MustCompile(`request (?:done|failed)[^\n]*: method=(\S+) url="?([^\s"]+)`)
