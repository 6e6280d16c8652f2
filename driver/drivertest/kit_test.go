package drivertest

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/sandbox"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func yard(defect string) Bench {
	return Bench{Product: "yard", New: newYard(defect), Simulator: openYard, Cases: []Case{move()}}
}

func move() Case {
	return Case{Name: "move", Dir: "testdata/yard", Seed: []byte(`{"yard": {"old": "plain"}}`)}
}

// defectVariable says which defect the driver has in TestKit when TestKitFinds runs it again.
const defectVariable = "SYNCCTL_TEST_DEFECT"

// TestKit runs the kit with a correct driver.
func TestKit(t *testing.T) { Run(t, yard(os.Getenv(defectVariable))) }

// TestKitFinds checks that the kit finds each defect of a driver.
func TestKitFinds(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for defect, found := range map[string]struct{ by, saying string }{
		"keeps sessions":      {"looking", "looking left the servers in another state"},
		"logs a secret":       {"plan", "a secret shows in the log"},
		"looking changes":     {"looking", "looking changed the servers: map[north EXEC service drain:"},
		"examining changes":   {"looking", "looking changed the servers: map[north EXEC service drain:"},
		"secret in a command": {"carried/none", "a secret stands on a command line"},
		"repeats commands":    {"carried/purge_command_1_lost", "north EXEC purge old:2"},
		"trusts commands":     {"carried/stop_command", "the servers were changed by"},
		"observes a secret":   {"plan", "a secret shows in the observations"},
		"remembers":           {"plan", "the observations from a file give another plan"},
		"lacks a verb":        {"plan", "the driver does not have it"},
		"has a verb too many": {"plan", "nothing tests it"},
		"names no server":     {"each", "the run does not end"},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestKit$/move/"+found.by)
			cmd.Env = append(os.Environ(), defectVariable+"="+defect, AllVariable+"=1")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), found.saying) {
				t.Errorf("%v, want %q:\n%s", err, found.saying, out)
			}
		})
	}
}

func TestRehearse(t *testing.T) {
	var calls []string
	note := func(word string) map[string]func(func(string, map[string]string)) {
		hooks := map[string]func(func(string, map[string]string)){}
		for _, prefix := range []string{"", "st", "stop", "none"} {
			hooks[prefix] = func(func(string, map[string]string)) { calls = append(calls, word+" "+prefix) }
		}
		return hooks
	}
	out := Rehearse(t, yard(""), move(), Rehearsal{Before: note("before"), After: note("after")})
	if out.Report == nil || !out.Report.Finished || out.Again == nil || len(out.Again.Steps) != 0 ||
		len(out.Plan.Steps) != 7 || len(out.Diags) != 0 {
		t.Fatalf("%+v", out)
	}
	if state := string(out.State); !strings.Contains(state, `"new": "heavy"`) || strings.Contains(state, "old") ||
		!strings.Contains(state, `"sessions": 0`) {
		t.Errorf("state %s", state)
	}
	if !slices.ContainsFunc(out.Lines, func(l sandbox.AccessLine) bool {
		return l.Path == "purge old" && l.OK && l.Protocol == sandbox.ProtocolSSH
	}) {
		t.Errorf("access log %+v", out.Lines)
	}
	var want []string
	for _, step := range []string{"add", "label", "arrived", "stop", "purge", "start", "finished"} {
		for _, word := range []string{"before", "after"} {
			for _, prefix := range []string{"", "st", "stop"} {
				if strings.HasPrefix(step, prefix) {
					want = append(want, word+" "+prefix)
				}
			}
		}
	}
	if !slices.Equal(calls, want) {
		t.Errorf("called %q, want %q", calls, want)
	}
}

// TestRehearseMovesTheWorld checks that a step's guards see what happens right before the step.
func TestRehearseMovesTheWorld(t *testing.T) {
	relabel := func(act func(string, map[string]string)) {
		act("label", map[string]string{"box": "new", "text": "light"})
	}
	for name, c := range map[string]struct {
		o       Rehearsal
		refused string
	}{
		"before": {Rehearsal{Processes: 2,
			Before: map[string]func(func(string, map[string]string)){"purge": relabel}}, "purge"},
		"before, not looking": {Rehearsal{Before: map[string]func(func(string, map[string]string)){"start": relabel}},
			"start"},
		"after": {Rehearsal{After: map[string]func(func(string, map[string]string)){"stop": relabel}}, "purge"},
	} {
		t.Run(name, func(t *testing.T) {
			out := Rehearse(t, yard(""), move(), c.o)
			if out.Report == nil || out.Report.Finished || out.Again != nil {
				t.Fatalf("%+v", out.Report)
			}
			i := slices.IndexFunc(out.Report.Steps, func(s executor.StepReport) bool { return s.Step.Op == c.refused })
			if s := out.Report.Steps[i]; !s.Refused || !strings.Contains(s.Why, `the label is "light"`) {
				t.Errorf("%+v", s)
			}
			purged := strings.Contains(fmt.Sprint(out.Lines), "purge") || !strings.Contains(string(out.State), `"old"`)
			if purged != (c.refused == "start") {
				t.Errorf("purged %v: %s", purged, out.State)
			}
		})
	}
}

func TestRehearseWithFaults(t *testing.T) {
	fault := sandbox.Fault{Server: "north", Method: sandbox.MethodExec, Path: "purge**", Kind: sandbox.Fail}
	out := Rehearse(t, yard(""), move(), Rehearsal{Faults: []sandbox.Fault{fault}})
	if out.Report == nil || out.Report.Finished || out.Report.Count(executor.PhaseFailed) != 1 || out.Again != nil {
		t.Errorf("in one process: %+v", out.Report)
	}
	before := 0
	count := map[string]func(func(string, map[string]string)){"purge": func(func(string,
		map[string]string)) {
		before++
	}}
	out = Rehearse(t, yard(""), move(), Rehearsal{Faults: []sandbox.Fault{fault}, Processes: 2, Before: count,
		After: count})
	if out.Report == nil || !out.Report.Finished || out.Again == nil || before != 2 {
		t.Errorf("in two processes: %+v, called %d times", out.Report, before)
	}
	all := sandbox.Fault{Kind: sandbox.Fail, Status: 401, Last: math.MaxInt}
	out = Rehearse(t, yard(""), move(), Rehearsal{Faults: []sandbox.Fault{all}})
	if !out.Diags.HasErrors() || out.Plan != nil || out.Report != nil || len(out.State) == 0 {
		t.Errorf("shut out: %+v", out)
	}
}

func TestRehearseRefused(t *testing.T) {
	c := move()
	c.Dir = t.TempDir()
	src, err := os.ReadFile("testdata/yard/main.sync.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Dir+"/main.sync.hcl", []byte(strings.Replace(string(src), "heavy", "forbidden", 1)),
		0o600); err != nil {
		t.Fatal(err)
	}
	out := Rehearse(t, yard(""), c, Rehearsal{})
	if out.Plan == nil || len(out.Plan.Refusals()) != 1 || out.Report != nil || out.Again != nil {
		t.Errorf("%+v", out)
	}
	// There is nothing to do, so everything is done.
	c = move()
	c.Seed = []byte(`{"yard": {"new": "heavy"}}`)
	if out = Rehearse(t, yard(""), c, Rehearsal{}); out.Report == nil || !out.Report.Finished || out.Again == nil {
		t.Errorf("%+v", out)
	}
}
