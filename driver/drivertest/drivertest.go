// Package drivertest is the conformance kit that every driver passes: it holds a driver, in front of its product's
// simulated servers, to what the comments of planner.Driver, executor.Driver and planner.Step promise.
package drivertest

import (
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// Bench is what the kit needs of a product.
type Bench struct {
	Product   string // as the sandbox's seeds call it; the rules of the driver's findings begin with it
	New       func(driver.Env) driver.Driver
	Simulator sandbox.Open
	Cases     []Case

	// Reads tells of a request that is no GET, HEAD or OPTIONS whether it changes nothing all the same, such as a search
	// by POST. Nil: none does.
	Reads func(sandbox.AccessLine) bool
}

// Case is a configuration beside the servers it is meant for. Together the cases should have every kind of step.
type Case struct {
	Name string
	Dir  string // the folder with the *.sync.hcl files
	Seed []byte // as in an example's sandbox.json; small: the case is run many times. Left alone, the servers come to rest

	// Refused: the plan has a finding that stops it, so it is looked at and not carried out.
	Refused bool
}

// Run holds the driver to its contract. With -short only every third step is disturbed, in one way instead of three, and one
// command.
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
	for _, c := range b.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Run("plan", func(t *testing.T) { checkPlan(t, b, c) })
			t.Run("looking changes nothing", func(t *testing.T) { checkLooking(t, b, c) })
			t.Run("refused by the servers", func(t *testing.T) { checkShutOut(t, b, c) })
			if !c.Refused {
				t.Run("carried out", func(t *testing.T) { checkFlow(t, b, c) })
			}
		})
	}
}

// checkPlan: what the driver writes down is complete, the same every time, and without secrets.
func checkPlan(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	p := w.plan()
	cfg, _ := w.load()
	for _, problem := range planProblems(p, b.Product) {
		t.Error(problem)
	}
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

	// Plan by itself, once with the servers there and once without them, by another driver.
	changes := map[schema.Addr]planner.Change{}
	_, d := w.load()
	for _, r := range cfg.Resources {
		if r.Owner != (schema.Addr{}) {
			continue
		}
		actual, err := d.Read(t.Context(), r)
		if err != nil {
			t.Fatalf("reading %s: %v", r.Addr, err)
		}
		if schema.IsSensitive(actual) {
			t.Errorf("%s: what was read is marked sensitive: nothing that is there needs to be a secret", r.Addr)
		}
		w.clean("what was read of "+r.Addr.String(), planner.Text(schema.Reveal(actual)))
		changes[r.Addr] = planner.Change{Resource: r, Actual: actual, Diff: planner.Compare(r.Value, actual)}
	}
	first := outlines(t, d, cfg, changes)
	w.release(d) // it may be used again
	w.close()
	_, other := w.load()
	for name, second := range map[string]map[string]string{"the same driver": outlines(t, d, cfg, changes), "another driver": outlines(t, other, cfg, changes)} {
		for addr, out := range first {
			if second[addr] != out {
				t.Errorf("%s: Plan is not pure: for the same change %s, without the servers, gives\n%s\nwant\n%s", addr, name, second[addr], out)
			}
		}
	}
}

// outlines asks Plan of every change; answers and diagnostics as text.
func outlines(t *testing.T, d driver.Driver, cfg *schema.Config, changes map[schema.Addr]planner.Change) map[string]string {
	t.Helper()
	out := map[string]string{}
	for addr, c := range changes {
		o, diags := d.Plan(c)
		text := jsonText(t, o)
		for _, d := range diags {
			text += "\n" + d.Error()
		}
		if cfg.Redactor().String(text) != text {
			t.Errorf("%s: a secret shows in its outline", addr)
		}
		out[addr.String()] = text
	}
	return out
}

// checkFacts: a world that has not moved has the facts that the plan was made from.
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
				w.t.Errorf("%s: fact %s was planned as %q and reads %q although nothing moved", s.ID, f.Name, f.Value, now[f.Name])
			}
		}
	}
}

// checkLooking: Read, Facts, Plan and Verify change nothing on any server or machine, and what they opened is closed again.
func checkLooking(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	before := w.state()
	p := w.plan()
	w.checkFacts(p)
	w.verifyAll(p)
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

// checkShutOut: a server that refuses everybody is an error, never an empty world, and the errors hold no secret.
func checkShutOut(t *testing.T, b Bench, c Case) {
	w := open(t, b, c)
	p := w.plan()
	shut := openWith(t, b, c, sandbox.Fault{Kind: sandbox.Fail, Status: 401, First: 1, Last: forever})
	cfg, d := shut.load()
	busy := map[string]bool{}
	for i := range p.Steps {
		busy[p.Steps[i].Addr] = true
	}
	for _, r := range cfg.Resources {
		v, err := d.Read(t.Context(), r)
		switch {
		case err != nil:
			shut.clean("the error of reading "+r.Addr.String(), err.Error())
		case busy[r.Addr.String()]:
			t.Errorf("%s: the servers refuse everything, and Read answers %s", r.Addr, planner.Text(v))
		}
	}
	shut.verifyAll(p)
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
