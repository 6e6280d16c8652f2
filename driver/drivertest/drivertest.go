// Package drivertest is the conformance kit that every driver must pass. It runs a driver against its product's
// simulated servers, and checks what the comments of planner.Driver, executor.Driver and planner.Step promise.
package drivertest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// Bench is what the kit needs from a product.
type Bench struct {
	Product   string // its name in the sandbox's seeds; the rules of the driver's findings begin with it
	New       func(driver.Env) driver.Driver
	Simulator sandbox.Open
	Cases     []Case

	// Reads reports whether a request that is no GET, HEAD or OPTIONS changes nothing, such as a search by POST. If
	// it is nil, there are no such requests.
	Reads func(sandbox.AccessLine) bool

	// Elsewhere lists verbs of the driver that no case here plans, because another bench of the same driver does.
	Elsewhere []string

	// ImportsElsewhere says that no case here has anything to import, because another bench of the same driver does.
	ImportsElsewhere bool

	planned  *verbsPlanned // by the cases of one Run
	imported *imported
}

// Case is a configuration and the servers that it is meant for. Together the cases should have every kind of step.
type Case struct {
	Name string
	Dir  string // the folder with the *.sync.hcl files
	// in the format of an example's sandbox.json. Keep it small, as the case is run many times. The servers must
	// become idle by themselves
	Seed []byte

	// Refused says that the plan has a finding that refuses it, so it is checked but not carried out.
	Refused bool
}

// Run checks that the driver keeps its contract. It disturbs a sample of the steps and commands, or each of them in
// every way (AllVariable). The test must be in the folder of the driver's code, because Run compares the code with
// the driver's rules (RuleProblems).
func Run(t *testing.T, b Bench) {
	t.Helper()
	if len(b.Cases) == 0 {
		t.Fatal("a bench without cases tests nothing")
	}
	t.Run("types", func(t *testing.T) {
		types := b.New(driver.Env{}).Types()
		for _, p := range typeProblems(types) {
			t.Error(p)
		}
	})
	t.Run("rules", func(t *testing.T) {
		dirs, err := sourceDirs(".")
		if err != nil {
			t.Fatal(err)
		}
		problems, err := RuleProblems(b.New(driver.Env{}).Rules(), b.Product, dirs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	})
	b.planned = &verbsPlanned{names: map[string]bool{}}
	defer b.planned.check(t, b)
	b.imported = &imported{}
	defer b.imported.check(t, b)
	for _, c := range b.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Run("plan", func(t *testing.T) { checkPlan(t, b, c) })
			t.Run("looking changes nothing", func(t *testing.T) { checkLooking(t, b, c) })
			t.Run("refused by the servers", func(t *testing.T) { checkShutOut(t, b, c) })
			t.Run("imported", func(t *testing.T) { checkImport(t, b, c) })
			if !c.Refused {
				t.Run("carried out", func(t *testing.T) { checkFlow(t, b, c) })
				t.Run("each server by itself", func(t *testing.T) { checkAlone(t, b, c) })
			}
		})
	}
}

// checkPlan checks that the plan is complete, the same every time, and without secrets.
func checkPlan(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	p := w.plan()
	for _, problem := range planProblems(p, b.Product, b.New(driver.Env{}).Rules()) {
		t.Error(problem)
	}
	b.planned.add(p)
	if refused := len(p.Refusals()) > 0; refused != c.Refused {
		t.Errorf("refused: %v, want %v: %+v", refused, c.Refused, p.Refusals())
	}
	if len(p.Steps) == 0 && !c.Refused {
		t.Error("the case has nothing to do, so it tests nothing")
	}
	w.clean("the plan", encoded(t, p))
	if again := w.plan(); encoded(t, again) != encoded(t, p) {
		t.Errorf("planned again, it is another plan:\n%s\n%s", encoded(t, p), encoded(t, again))
	}
	w.checkFacts(p)

	w.checkObservations(p)
}

// checkObservations checks that the plan depends only on the declarations and the observations: written to a file and
// read again, while no server runs, the observations give the same plan. They must not contain a secret.
func (w *world) checkObservations(want *planner.Plan) {
	w.t.Helper()
	seen := planner.NewObservations()
	if p, diags := w.tryPlan(seen); diags.HasErrors() || encoded(w.t, p) != encoded(w.t, want) {
		w.t.Fatalf("planned once more, it is another plan: %v", diags)
	}
	var file bytes.Buffer
	if err := seen.Encode(&file); err != nil {
		w.t.Fatal(err)
	}
	w.clean("the observations", file.String())
	read, err := planner.DecodeObservations(bytes.NewReader(file.Bytes()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.close()
	for name, from := range map[string]*planner.Observations{"the observations": seen,
		"the observations from a file": read} {
		p, diags := w.tryPlan(from)
		if diags.HasErrors() {
			w.t.Errorf("%s are not enough to plan from without the servers: %v", name, diags)
			continue
		}
		if got := encoded(w.t, p); got != encoded(w.t, want) {
			w.t.Errorf("%s give another plan:\n%s\nwant\n%s", name, got, encoded(w.t, want))
		}
	}
}

// checkFacts checks that facts that are read again are those of the plan, as long as nothing has changed.
func (w *world) checkFacts(p *planner.Plan) {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
	for i := range p.Steps {
		s := &p.Steps[i]
		var names []string
		for _, f := range s.Facts {
			names = append(names, f.Name)
		}
		if len(names) == 0 {
			continue
		}
		now, err := d.Facts(w.t.Context(), lookup(w.t, cfg, s.Addr), names)
		if err != nil {
			w.t.Errorf("%s: reading its facts again: %v", s.ID, err)
			continue
		}
		for _, f := range s.Facts {
			if now[f.Name] != f.Value {
				w.t.Errorf("%s: fact %s was planned as %q and reads %q although nothing moved", s.ID, f.Name, f.Value,
					now[f.Name])
			}
		}
	}
}

// checkLooking checks that Observe, Facts, Plan, Verify and Examine change nothing on any server or machine, and that
// they close what they opened.
func checkLooking(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	before := w.state()
	p := w.plan()
	w.checkFacts(p)
	w.verifyAll(p)
	w.examineAll()
	after := w.state()
	w.close()
	if after != before {
		t.Errorf("looking left the servers in another state: %s", firstDifference(after, before))
	}
	if done := w.changes(); len(done) > 0 {
		t.Errorf("looking changed the servers: %v", done)
	}
	if len(w.requests()) == 0 {
		t.Error("the servers were asked nothing: the case tests nothing")
	}
}

// checkShutOut checks that a server that refuses all requests is an error, and is never taken for an empty server.
// The errors must not contain a secret.
func checkShutOut(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	p := w.plan()
	shut := openWith(t, b, c, sandbox.Fault{Kind: sandbox.Fail, Status: 401, First: 1, Last: forever})
	cfg, d := shut.load()
	_, diags := shut.tryPlan(nil)
	if !diags.HasErrors() && len(p.Steps) > 0 {
		t.Error("the servers refuse everything, and a plan is made all the same")
	}
	for _, diag := range diags {
		shut.clean("the error of planning", diag.Error())
	}
	shut.verifyAll(p)
	for addr, found := range shut.examineAll() {
		fails := func(x driver.Examination) bool { return x.State == driver.Fail }
		if addr.Kind == schema.Server && !slices.ContainsFunc(found, fails) {
			t.Errorf("%s refuses everything, and its examination finds nothing wrong: %v", addr, found)
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Manual != nil || s.Mark == planner.MarkCheck {
			continue
		}
		if _, err := d.Execute(t.Context(), shut.task(cfg, s)); err != nil {
			shut.clean("the error of "+s.ID, err.Error())
		}
	}
	shut.release(d)
}
