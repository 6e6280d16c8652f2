package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// TestAdvice checks that the advice fits the state of the step, and names only apply if apply can succeed.
func TestAdvice(t *testing.T) {
	c := Commands{Apply: "syncctl apply d", Resolve: "syncctl -chdir=d resolve"}
	const do = "step 3 (sync.a.b/do)"
	for name, k := range map[string]struct {
		state   stepState
		has     []string
		choices []string
		apply   bool
	}{
		"interrupted": {stepState{phase: executor.PhaseReady}, nil, nil, true},
		"failed":      {stepState{phase: executor.PhaseFailed}, []string{"Fix what made " + do + " fail."}, nil, true},
		"refused": {
			stepState{phase: executor.PhaseFailed, refused: true},
			[]string{"Fix what the guard of " + do + " found"}, nil, true,
		},
		"waiting": {stepState{phase: executor.PhaseWaiting}, []string{"Do " + do + " as described"}, nil, true},
		"to attest": {
			stepState{phase: executor.PhaseWaiting, attestable: true},
			[]string{"No interface can verify it", "\n  syncctl -chdir=d resolve sync.a.b/do -done\n"},
			[]string{"syncctl -chdir=d resolve sync.a.b/do -done"}, true,
		},
		"stuck": {
			stepState{phase: executor.PhaseStuck},
			[]string{"Check on the servers whether " + do + " was carried out", "resolve sync.a.b/do -retry  it was not\n"},
			[]string{"syncctl -chdir=d resolve sync.a.b/do -done", "syncctl -chdir=d resolve sync.a.b/do -retry"}, true,
		},
		"done before": {
			stepState{phase: executor.PhaseFailed, before: true, moved: true},
			[]string{"\n  syncctl -chdir=d resolve sync.a.b/do -done\n"},
			[]string{"syncctl -chdir=d resolve sync.a.b/do -done"}, true,
		},
		"moved": {
			stepState{phase: executor.PhaseFailed, moved: true},
			[]string{"so apply cannot carry it out", "\n  syncctl -chdir=d resolve -abandon\n", "Once it is restored"},
			[]string{"syncctl -chdir=d resolve -abandon"}, false,
		},
	} {
		k.state.number, k.state.step = 3, &planner.Step{ID: "sync.a.b/do", Op: "do", Manual: &planner.Manual{}}
		a := advise([]stepState{k.state}, c)
		if d := cmp.Diff(k.choices, a.choices); d != "" || a.apply != k.apply || len(a.first) > 1 {
			t.Errorf("%s: %s %+v", name, d, a)
		}
		var b strings.Builder
		a.write(&b, Style{}, c)
		for _, want := range append(k.has, "esume with: syncctl apply d\n") {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, b.String())
			}
		}
	}
}

// TestEndOf checks that a program gets a command to resume only if no person has to decide.
func TestEndOf(t *testing.T) {
	steps := twoDeclarations().Steps
	for phase, want := range map[executor.Phase]string{executor.PhaseWaiting: "syncctl apply", executor.PhaseStuck: ""} {
		f := EndOf(End{
			Report: &executor.Report{Steps: []executor.StepReport{{Step: steps[1], Phase: phase}}},
			Next:   Commands{Apply: "syncctl apply", Resolve: "syncctl resolve"},
		})
		if f.Next != want || len(f.Advice) != 1 {
			t.Errorf("%s: %+v", phase, f)
		}
	}
}

// TestFolded checks that steps that were not tried are listed by what they wait for, one line per cause.
func TestFolded(t *testing.T) {
	at := func(id string, p executor.Phase, needs ...string) executor.StepReport {
		return executor.StepReport{Step: planner.Step{ID: id, Needs: needs}, Phase: p}
	}
	r := &executor.Report{Steps: []executor.StepReport{
		at("a", executor.PhaseDone), at("b", executor.PhaseDone),
		at("c", executor.PhaseFailed, "a"), at("d", executor.PhaseWaiting, "b"),
		at("e", executor.PhaseBlocked, "c"), at("f", executor.PhaseBlocked, "e", "a"), at("g", executor.PhaseBlocked, "d"),
		at("h", executor.PhaseBlocked, "f", "g"), at("i", executor.PhaseReady, "a"), at("j", executor.PhaseBlocked, "e"),
	}}
	number := map[string]int{}
	for i, s := range r.Steps {
		number[s.Step.ID] = i + 1
	}
	want := []string{
		"Done earlier: steps 1-2.",
		"Not tried: steps 5-6, 10; they wait for step 3.",
		"Not tried: step 7; it waits for step 4.",
		"Not tried: step 8; it waits for steps 3-4.",
		"Not tried: step 9; the run was stopped before its turn.",
	}
	if d := cmp.Diff(want, folded(r, number)); d != "" {
		t.Error(d)
	}
}

// TestRollback checks that steps that are undone together share a line, that steps that are done are marked, and that
// steps that can no longer be undone are named.
func TestRollback(t *testing.T) {
	step := func(id, addr, undo string, final bool) planner.Step {
		return planner.Step{
			ID: addr + "/" + id, Addr: addr, Op: id, Undo: undo, Effect: &planner.Effect{Irreversible: final},
		}
	}
	p := &planner.Plan{Steps: []planner.Step{
		step("a", "x", "start it", false), step("b", "x", "delete it", false),
		step("c", "y", "delete it", false), step("d", "x", "delete it", false),
		step("e", "x", "", true), step("f", "x", "stop it", false),
	}}
	for name, k := range map[string]struct {
		done []string
		want string
	}{
		"fresh": {nil, "Rollback: possible until step 5 (e), which cannot be undone.\n" +
			"  steps 2, 4: delete it\n  step 3: delete it\n  step 1: start it\n\n"},
		"begun": {[]string{"x/a", "x/b"}, "Rollback: possible until step 5 (e), which cannot be undone.\n" +
			"  steps 2, 4 (1 done): delete it\n  step 3: delete it\n  step 1 (done): start it\n\n"},
		"perhaps past": {[]string{"x/a"}, "Rollback: not known whether still possible: step 5 (e) may have been carried " +
			"out.\n  steps 2, 4: delete it\n  step 3: delete it\n  step 1 (done): start it\n\n"},
		"past": {[]string{"x/a", "x/b", "y/c", "x/d", "x/e"},
			"Rollback: no longer possible for what was done up to step 5 (e).\n  step 6: stop it\n\n"},
	} {
		done := map[string]bool{}
		for _, id := range k.done {
			done[id] = true
		}
		o := PlanOptions{Done: done, Detail: true, Begun: map[string]bool{"x/e": name == "perhaps past"}}
		v := &planView{o: o, p: p, number: Numbers(p)}
		v.rollback()
		if d := cmp.Diff(k.want, v.b.String()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
