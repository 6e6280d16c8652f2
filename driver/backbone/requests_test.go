package backbone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// link is a synchronization of a project between two of a fleet's servers, by their numbers.
type link struct{ first, second, project int }

// fleet returns a seed and a configuration of n direct synchronizations between two Jira servers. If made is set,
// they all exist as declared.
func fleet(n int, made bool) (seed []byte, hcl string) {
	var links []link
	for i := range n {
		links = append(links, link{0, 1, i})
	}
	return fleetOf(links, made)
}

// fleetOf returns a seed with as many servers as the synchronizations need, and a configuration.
func fleetOf(links []link, made bool) (seed []byte, hcl string) {
	type m = map[string]any
	projects := map[int]map[int]bool{} // by server
	var declared strings.Builder
	syncs := []m{}
	for i, l := range links {
		for _, n := range []int{l.first, l.second} {
			if projects[n] == nil {
				projects[n] = map[int]bool{}
			}
			projects[n][l.project] = true
		}
		name, project := fmt.Sprint("s", i), fmt.Sprint("P", l.project)
		fmt.Fprintf(&declared, syncOfFleet, name, fmt.Sprint("j", l.first), fmt.Sprint("j", l.second), project)
		if made {
			syncs = append(syncs, m{"transport": "direct", "name": name, "issue_types": []m{{"first": "Bug", "second": "Bug"}},
				"first":  m{"server": fmt.Sprint("j", l.first), "project": project, "status": "RUNNING"},
				"second": m{"server": fmt.Sprint("j", l.second), "project": project},
				"fields": []m{{"first": "summary", "second": "summary"}}})
		}
	}
	servers := m{}
	for n := range projects {
		var has []m
		for i := range projects[n] {
			has = append(has, m{"key": fmt.Sprint("P", i), "name": fmt.Sprint("Project ", i), "issue_types": []string{"Bug"}})
		}
		servers[fmt.Sprint("j", n)] = m{"deployment": "data_center", "backbone_version": "5.21", "jira_version": "9.12.2",
			"sync_user": "backbone", "projects": has, "env": m{"url": fmt.Sprintf("J%d_URL", n),
				"password": "SYNCCTL_VAR_password"},
			"users": []m{{"name": "syncctl", "display_name": "S", "email": "s@x.example", "password": "geheim",
				"permission": "system_admin"}, {"name": "backbone", "display_name": "B", "email": "b@x.example",
				"permission": "none"}}}
		fmt.Fprintf(&declared, serverOfFleet, n)
	}
	seed, err := json.Marshal(m{"backbone": m{"now": "2026-01-01T00:00:00Z", "servers": servers, "syncs": syncs}})
	if err != nil {
		panic(err)
	}
	return seed, "variable \"password\" { sensitive = true }\n" + declared.String()
}

const serverOfFleet = `
server "backbone" "j%[1]d" {
  url      = env("J%[1]d_URL")
  user     = "syncctl"
  password = var.password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE")
}
`

const syncOfFleet = `
sync "backbone" %[1]q {
  transport = "direct"
  first {
    server  = server.backbone.%[2]s
    project = %[4]q
  }
  second {
    server  = server.backbone.%[3]s
    project = %[4]q
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
}
`

// openFleet returns a bench with the servers and the configuration of a fleet.
func openFleet(t *testing.T, seed []byte, hcl string, more ...any) *bench {
	t.Helper()
	b := newBenchOf(t, t.TempDir(), seed, more...)
	if err := os.WriteFile(filepath.Join(b.dir, "main.sync.hcl"), []byte(hcl), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPlanOfAFleet: a plan of 100,000 synchronizations, of which few change, is within the bounds in which it is read
// again. So it can be saved, and a run of it resumed.
func TestPlanOfAFleet(t *testing.T) {
	t.Parallel()
	const n, times = 20, 5000
	seed, hcl := fleet(n, true)
	b := openFleet(t, seed, hcl)
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
				seed, hcl := fleet(n, c.made)
				if got := requestsOfPlan(t, seed, hcl, c.made); got != want {
					t.Errorf("%d requests, want %d", got, want)
				}
			})
		}
	}
}

// TestRequestsOfShapes: whatever servers are linked in whatever way, a plan lists each project once on each Jira that
// configures synchronizations of it, and asks twice about each existing one, and nothing else.
func TestRequestsOfShapes(t *testing.T) {
	t.Parallel()
	shapes := map[string]func(i int) link{
		"one server with all":                 func(i int) link { return link{0, 1 + i%7, i} },
		"all configured elsewhere":            func(i int) link { return link{1 + i%7, 0, i} },
		"ten on each server":                  func(i int) link { return link{2 * (i / 10), 2*(i/10) + 1, i} },
		"a chain of one project":              func(i int) link { return link{i, i + 1, 0} },
		"a ring, three projects on each link": func(i int) link { return link{i / 3 % 6, (i/3 + 1) % 6, i % 3} },
	}
	for what, shape := range shapes {
		for _, made := range []bool{false, true} {
			for _, n := range []int{2, 7, 18} {
				t.Run(fmt.Sprintf("%s, %d, there: %v", what, n, made), func(t *testing.T) {
					t.Parallel()
					var links []link
					listed := map[[2]int]bool{}
					for i := range n {
						l := shape(i)
						links = append(links, l)
						listed[[2]int{l.first, l.project}] = true
					}
					want := len(listed)
					if made {
						want += 2 * n
					}
					seed, hcl := fleetOf(links, made)
					if got := requestsOfPlan(t, seed, hcl, made); got != want {
						t.Errorf("%d requests, want %d", got, want)
					}
				})
			}
		}
	}
}

// requestsOfPlan returns how many requests a plan sends. It fails if one is sent twice, or if validating sends any.
func requestsOfPlan(t *testing.T, seed []byte, hcl string, made bool) int {
	t.Helper()
	var log syncBuffer
	b := openFleet(t, seed, hcl, benchLog{&log})
	b.load()
	if log := log.Bytes(); len(log) > 0 {
		t.Errorf("validating made requests: %s", log)
	}
	p := b.plan()
	if err := b.box.Close(); err != nil {
		t.Error(err)
	}
	if (len(p.Steps) == 0) != made || len(p.Refusals()) > 0 {
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
	return len(all)
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
			b := openFleet(t, seed, hcl, benchLog{&log})
			b.atOnce = 1
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
