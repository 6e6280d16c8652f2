package backbone_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// clone returns the same bench in another folder: it has the same files and servers, but other runs.
func (b *bench) clone(t *testing.T) *bench {
	t.Helper()
	return &bench{t: t, dir: b.dir, box: b.box, env: b.env, ca: b.ca, store: &executor.Store{Fs: b.store.Fs,
		Dir: filepath.Join(t.TempDir(), "runs"), Now: time.Now}}
}

// properties returns the properties of all projects of all servers, by server, project and key.
func (b *bench) properties() map[string]string {
	b.t.Helper()
	raw, err := b.box.State()
	if err != nil {
		b.t.Fatal(err)
	}
	var all map[string]struct {
		Servers map[string]struct {
			Projects map[string]struct{ Properties map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for name, s := range all["backbone"].Servers {
		for project, p := range s.Projects {
			for key, value := range p.Properties {
				var compact bytes.Buffer
				if err := json.Compact(&compact, value); err != nil {
					b.t.Fatal(err)
				}
				out[name+" "+project+" "+key] = compact.String()
			}
		}
	}
	return out
}

func markRules(p *planner.Plan) []string {
	var out []string
	for _, f := range p.Findings {
		if strings.Contains(f.Rule, "mark") {
			out = append(out, string(f.Severity)+" "+f.Rule)
		}
	}
	return out
}

// TestMarks checks that during a run of a migration, both projects show which run it is, and that nothing is left
// afterwards.
func TestMarks(t *testing.T) {
	t.Parallel()
	b := small(t)
	run := b.begin()
	var during map[string]string
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "marked" {
			during = b.properties()
			p := b.clone(t).plan()
			if got := markRules(p); !slices.Equal(got, []string{"refuse backbone/marked", "refuse backbone/marked"}) ||
				!strings.Contains(text(t, p), run.ID) {
				t.Errorf("a plan of another folder says %q", got)
			}
		}
	}
	if rep := b.carry(run); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	if len(during) != 2 {
		t.Fatalf("the marks are %q", during)
	}
	for _, at := range []string{"a SAM2 syncctl.migration.INT-4", "b SP2 syncctl.migration.INT-5"} {
		var m struct{ Run, Migration, By string }
		if err := json.Unmarshal([]byte(during[at]), &m); err != nil || m.Run != run.ID ||
			m.Migration != "migration.backbone_to_cloud.support" {
			t.Errorf("%s: %s", at, during[at])
		}
	}
	if left := b.properties(); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
	if p := b.clone(t).plan(); len(p.Steps)+len(p.Refusals()) != 0 {
		t.Errorf("a finished migration has %s", text(t, p))
	}
}

// TestTwoFoldersAtOnce carries out the same migration in two clones at the same time. One reaches the end, the other
// stops, and nothing is done twice.
func TestTwoFoldersAtOnce(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	one := small(t, benchLog{&log})
	two := one.clone(t)
	plans := []*planner.Plan{one.plan(), two.plan()}
	reports := make([]*executor.Report, 2)
	var both sync.WaitGroup
	for i, b := range []*bench{one, two} {
		both.Go(func() { reports[i] = b.apply(plans[i]) })
	}
	both.Wait()
	if reports[0].Finished == reports[1].Finished {
		t.Fatalf("finished: %v and %v\n%s\n%s", reports[0].Finished, reports[1].Finished, unfinished(reports[0]),
			unfinished(reports[1]))
	}
	onlyOnce(t, log.Bytes())
	if p := one.plan(); len(p.Steps) != 0 || len(one.properties()) != 0 {
		t.Fatalf("%s, %q", text(t, p), one.properties())
	}
}

// onlyOnce checks that no important request was carried out twice.
func onlyOnce(t *testing.T, log []byte) {
	t.Helper()
	for request, n := range sent(t, log) {
		if n != 1 && !strings.Contains(request, "/properties/") {
			t.Errorf("%s was carried out %d times", request, n)
		}
	}
}

// TestOverwrittenMark checks the case that another run has read the marks before this one wrote its own, and
// overwrites it. Whenever that happens, this run stops before its next important step. It never removes the other
// run's mark.
func TestOverwrittenMark(t *testing.T) {
	t.Parallel()
	const other = `{"run":"other","migration":"migration.backbone_to_cloud.support","since":"2026-11-29T05:00:00Z"}`
	for _, c := range []struct{ at, stopped string }{
		{"marked", "stop_master"}, {"still", "pair_first"}, {"pair_first", "pair_second"}, {"configure", "start"},
		{"verify", "delete_master"}, {"delete_master", "delete_slave"},
	} {
		t.Run(c.at, func(t *testing.T) {
			t.Parallel()
			b := small(t)
			run := b.begin()
			b.seen = func(e executor.Event) {
				if e.Name == executor.EventDone && e.Step.Op == c.at {
					b.put("a", "SAM2", "INT-4", other)
				}
			}
			rep := b.carry(run)
			if why := failed(rep); !strings.Contains(why, c.stopped+": ") || !strings.Contains(why, "run other of") {
				t.Fatalf("stopped by %q", why)
			}
			for _, s := range rep.Steps {
				if s.Step.Op == c.stopped && !s.Refused {
					t.Errorf("%s was not refused by a guard", c.stopped)
				}
			}
			if got := b.properties()["a SAM2 syncctl.migration.INT-4"]; got != other {
				t.Errorf("the other run's mark is now %s", got)
			}
		})
	}
}

// put writes a mark, as nobody but a test would.
func (b *bench) put(server, project, integration, value string) {
	b.t.Helper()
	if err := b.jira("PUT", server, "/project/"+project+"/properties/syncctl.migration."+integration, value); err != nil {
		b.t.Error(err)
	}
}

// TestLeftOverMark checks marks that earlier runs have left. That of a run in this folder is replaced, that of
// another folder's run once the declaration names the run, and an unreadable one once it is removed.
func TestLeftOverMark(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	run := b.begin()
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "marked" {
			b.put("a", "SAM2", "INT-4", `{}`)
		}
	}
	if rep := b.carry(run); rep.Finished {
		t.Fatal("it went on without its mark")
	}
	b.seen = nil
	b.record(run, executor.RunKey, executor.EventAbandoned)
	if p := b.plan(); !slices.Equal(markRules(p), []string{"refuse backbone/marked", "note backbone/mark-taken-over"}) ||
		!strings.Contains(text(t, p), "DELETE "+b.env["JIRA_A_URL"]+"/rest/api/2/project/SAM2/properties/") {
		t.Fatalf("%q: %s", markRules(p), text(t, p))
	}
	if err := b.jira("DELETE", "a", "/project/SAM2/properties/syncctl.migration.INT-4", ""); err != nil {
		t.Fatal(err)
	}
	elsewhere := b.clone(t)
	if p := elsewhere.plan(); !slices.Equal(markRules(p), []string{"refuse backbone/marked"}) {
		t.Fatalf("%q", markRules(p))
	}
	b.rewrite(`migrating = "master"`, "migrating = \"master\"\n  take_over = \""+run.ID+`"`)
	p := elsewhere.plan()
	if !slices.Equal(markRules(p), []string{"note backbone/mark-taken-over"}) {
		t.Fatalf("%q", markRules(p))
	}
	if rep := elsewhere.apply(p); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	if p := b.plan(); len(p.Steps) != 0 || len(b.properties()) != 0 {
		t.Fatalf("%s, %q", text(t, p), b.properties())
	}
}

// TestNoPermissionForTheMark checks that a user who may not write or read the mark is stopped first of all, and can
// continue if the declaration says so. The plan repeats that.
func TestNoPermissionForTheMark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault        string
		rules, after []string
	}{
		"not to write": {"method=PUT,path=**/properties/*,nth=*,kind=fail,status=403", nil,
			[]string{"warn backbone/no-mark"}},
		"not to read": {"server=b,path=**/properties/*,nth=*,kind=fail,status=403",
			[]string{"refuse backbone/mark-unknown"}, []string{"warn backbone/no-mark", "warn backbone/mark-unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			b := newBenchOf(t, edited(t, "behind-firewall-master").dir, smaller(t, "behind-firewall-master"), c.fault,
				benchLog{&log})
			p := b.plan()
			if got := markRules(p); !slices.Equal(got, c.rules) {
				t.Fatalf("%q", got)
			}
			if len(c.rules) == 0 {
				run, err := b.store.Create(p, nil)
				if err != nil {
					t.Fatal(err)
				}
				if why := failed(b.carry(run)); !strings.HasPrefix(why, "mark: ") || !strings.Contains(why, `mark = "none"`) ||
					bytes.Contains(log.Bytes(), []byte("/stop")) {
					t.Fatalf("stopped by %q", why)
				}
				b.record(run, executor.RunKey, executor.EventAbandoned)
			}
			b.rewrite(`migrating = "master"`, "migrating = \"master\"\n  mark = \"none\"")
			p = b.plan()
			if got := markRules(p); !slices.Equal(got, c.after) || strings.Contains(ops(p), "mark") {
				t.Fatalf("%q: %s", got, ops(p))
			}
			if rep := b.apply(p); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if p := b.plan(); len(p.Steps) != 0 {
				t.Fatalf("%s", text(t, p))
			}
		})
	}
}
