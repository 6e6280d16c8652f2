package backbone_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

var simulated = drivertest.Bench{
	Product: "backbone", New: backbone.New,
	Simulator: func(seed []byte) (sandbox.World, error) { return backbonesim.Open(seed) },
}

func caseOf(t *testing.T, example string) drivertest.Case {
	t.Helper()
	return drivertest.Case{Name: example, Dir: filepath.Join("..", "..", "examples", example), Seed: smaller(t,
		example)}
}

// hide rehearses an example in which all members with these names are hidden in all answers.
func hide(t *testing.T, example string, way sandbox.Way, names ...string) drivertest.Outcome {
	t.Helper()
	var parts sandbox.Parts
	drivertest.Rehearse(t, simulated, caseOf(t, "behind-firewall-master"), drivertest.Rehearsal{Parts: &parts})
	var hidden []sandbox.Hidden
	for _, p := range parts.List() {
		if slices.ContainsFunc(names, func(name string) bool {
			return strings.HasSuffix(p.Member, "."+name) ||
				p.Member == name
		}) {
			p.Server = "" // on all servers
			hidden = append(hidden, sandbox.Hidden{Part: p, Way: way})
		}
	}
	if len(hidden) == 0 {
		t.Fatalf("no answer has a member %q", names)
	}
	return drivertest.Rehearse(t, simulated, caseOf(t, example), drivertest.Rehearsal{Hide: hidden,
		Within: 2 * time.Second, Longest: time.Minute})
}

// deletesHalf reports whether a request is to delete a synchronization.
func deletesHalf(l sandbox.AccessLine) bool {
	return l.Method == http.MethodDelete && strings.Contains(l.Path, "/integrations/")
}

func deletions(out drivertest.Outcome) int {
	n := 0
	for _, l := range out.Lines {
		if deletesHalf(l) && l.CarriedOut {
			n++
		}
	}
	return n
}

func rules(p *planner.Plan, severity planner.Severity) []string {
	var out []string
	for _, f := range p.Findings {
		if f.Severity == severity {
			out = append(out, f.Rule)
		}
	}
	return out
}

// hiddenMembers lists members without which nothing may be deleted. A person's word can stand for them.
var hiddenMembers = [][]string{
	{"issuesInError"}, {"issuesInError", "incomingProcessingStatus"}, {"issuesInError", "incomingMessageSequenceId"},
	{"issuesInError", "incomingMessageSequenceId", "outgoingMessageSequenceId"},
	{"status", "issuesInError", "incomingProcessingStatus", "outgoingProcessingStatus"},
}

// TestSilenceIsNotConsent checks that nothing is deleted if an issue is in error and the servers do not say so.
func TestSilenceIsNotConsent(t *testing.T) {
	t.Parallel()
	for _, names := range hiddenMembers {
		for _, way := range []sandbox.Way{sandbox.Removed, sandbox.Renamed} {
			t.Run(strings.Join(names, " ")+" "+string(way), func(t *testing.T) {
				t.Parallel()
				if out := hide(t, "email-in-error", way, names...); deletions(out) != 0 || out.Report != nil &&
					out.Report.Finished {
					t.Errorf("%d deletions", deletions(out))
				}
			})
		}
	}
}

// TestPersonsWord checks that if servers do not say how a synchronization is, people look at its pages, and that
// their answer is recorded. Then the migration reaches its end.
func TestPersonsWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names []string
		words []string // the ops of the steps in which people answer
	}{
		{[]string{"issuesInError"}, []string{"no_errors_master", "no_errors_slave", "info_panel", "no_errors_new"}},
		{[]string{"incomingProcessingStatus"}, []string{"info_panel", "no_errors_new"}},
		{[]string{"status"}, []string{
			"no_errors_master", "no_errors_slave", "stop_by_hand_master", "stop_by_hand_slave", "start_by_hand",
			"info_panel", "still_stopped_master", "still_stopped_slave", "no_errors_new",
		}},
	} {
		t.Run(strings.Join(c.names, " "), func(t *testing.T) {
			t.Parallel()
			out := hide(t, "behind-firewall-master", sandbox.Removed, c.names...)
			if out.Report == nil || !out.Report.Finished || deletions(out) != 2 {
				t.Fatalf("%d deletions, %v, %+v", deletions(out), out.Diags, out.Report)
			}
			var words []string
			for _, s := range out.Report.Steps {
				if m := s.Step.Manual; m != nil && m.Attest != "" && s.Step.Op != "configure" {
					words = append(words, s.Step.Op)
				}
			}
			if !slices.Equal(words, c.words) {
				t.Errorf("words are given in %q, want %q", words, c.words)
			}
		})
	}
}

// TestUncomparedPairs checks that pairs without message numbers, which prove nothing, are refused unless the
// declaration allows it.
func TestUncomparedPairs(t *testing.T) {
	t.Parallel()
	out := hide(t, "behind-firewall-master", sandbox.Renamed, "incomingMessageSequenceId")
	if out.Plan == nil || !slices.Contains(rules(out.Plan, planner.Refuse), "backbone/counters-unknown") {
		t.Errorf("%v, %v", out.Plan, out.Diags)
	}
}

// TestUnknownConflicts checks that an answer in an unknown form does not mean "no conflict". A person has to say
// that.
func TestUnknownConflicts(t *testing.T) {
	t.Parallel()
	b := small(t)
	p := b.planFrom(t, `"conflicts":[],"conflicts_answer":""`, `"conflicts":null,"conflicts_answer":"\"{}\""`)
	if !slices.Contains(rules(p, planner.Warn), "backbone/conflicts-unknown") || !strings.HasPrefix(ops(p),
		"?no_errors_master ?no_errors_slave =preflight") {
		t.Errorf("%s", text(t, p))
	}
	if rep := b.apply(p); !rep.Finished || !deleted(rep) {
		t.Error(unfinished(rep))
	}
}

// TestManyConflicts checks that a finding names some of the conflicts that a server lists, however many and long.
func TestManyConflicts(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`"`+strings.Repeat("x", 2000)+`",`, 2000) + `"y"`
	p := small(t).planFrom(t, `"conflicts":[]`, `"conflicts":[`+many+`]`)
	at := slices.IndexFunc(p.Findings, func(f planner.Finding) bool {
		return f.Rule == "backbone/conflicts" && f.Severity == planner.Refuse
	})
	if at < 0 {
		t.Fatal("conflicts are not found")
	}
	if f := p.Findings[at]; len(f.Detail) > 15000 || !strings.Contains(f.Summary, "2001") {
		t.Errorf("%s: a detail of %d bytes", f.Summary, len(f.Detail))
	}
}

// planFrom plans from what the servers show, with text in the observations replaced.
func (b *bench) planFrom(t *testing.T, replace ...string) *planner.Plan {
	t.Helper()
	cfg, d := b.load()
	in := planner.Input{Config: cfg, Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test",
		Observations: planner.NewObservations()}
	if _, diags := planner.Make(t.Context(), in); diags.HasErrors() {
		t.Fatal(diags)
	}
	var file strings.Builder
	if err := in.Observations.Encode(&file); err != nil {
		t.Fatal(err)
	}
	changed := file.String()
	for i := 0; i < len(replace); i += 2 {
		if i == 0 && !strings.Contains(changed, replace[i]) {
			t.Fatalf("the observations do not have %s:\n%s", replace[i], changed)
		}
		changed = strings.ReplaceAll(changed, replace[i], replace[i+1])
	}
	var err error
	if in.Observations, err = planner.DecodeObservations(strings.NewReader(changed)); err != nil {
		t.Fatal(err)
	}
	p, diags := planner.Make(t.Context(), in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, x := range drivertest.Unexplained(p, backbone.New(driver.Env{}).Rules()) {
		t.Error(x)
	}
	return p
}

// TestAnEmptyListProvesNothing checks the case that after one half is deleted, its server lists nothing any more. A
// person must say that it is gone before the other half is deleted.
func TestAnEmptyListProvesNothing(t *testing.T) {
	t.Parallel()
	b := small(t, "server=b,method=DELETE,nth=1,kind=fail,status=500")
	run := b.begin()
	if rep := b.carry(run); rep.Finished || !deleted(rep) {
		t.Fatal("the second deletion did not fail alone")
	}
	b.record(run, executor.RunKey, executor.EventAbandoned)
	b.reach("~mark =marked ~stop_slave ?gone_master =verify_rest !delete_slave -unmark")
}

// TestDeletedIsNotConcludedFromSilence checks the case that a half was deleted, and its server lists nothing any
// more. A person must say that the half is gone, unless Backbone answers that it is up.
func TestDeletedIsNotConcludedFromSilence(t *testing.T) {
	t.Parallel()
	b := small(t, "server=a,method=GET,path=**/health,nth=*,kind=fail,status=404")
	run, err := b.store.Create(impatient(t, b.plan()), nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := b.carry(run)
	if why := failed(rep); deleted(rep) || !strings.HasPrefix(why, "delete_master: ") {
		t.Fatalf("deleted: %v\n%s", deleted(rep), why)
	}
	b.record(run, "delete_master", executor.EventResolved)
	if rep = b.carry(run); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
}

// TestDriftShows checks that changes that differ from the declaration are shown in the plan, and that a person is
// asked to undo them.
func TestDriftShows(t *testing.T) {
	t.Parallel()
	named := strings.Replace(directSync, `transport = "direct"`, "transport = \"direct\"\n  name = \"Dev\"", 1)
	b := alone(t, strings.NewReplacer("COMMENTS", "true", "STATE", "stopped").Replace(named))
	b.reach("?create_sync ?configure")
	b.person("configure_sync", "server", "a", "first_project", "SAM2", "second_project", "SP2", "transport", "direct",
		"name", "Other", "comments", "false")
	var drift []string
	for _, c := range b.plan().Changes {
		for _, d := range c.Diff {
			drift = append(drift, d.Path+" "+d.Actual+" "+d.Declared)
		}
	}
	if want := []string{"comments false true", `name "Other" "Dev"`}; !slices.Equal(drift, want) {
		t.Errorf("the drift is %q, want %q", drift, want)
	}
	b.reach("?configure")
}
