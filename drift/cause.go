package drift

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Past is what the runs of a folder have left of each declaration, by its address of now.
type Past struct {
	// Any tells whether any run has finished. Without one nothing can be told.
	Any bool

	Last    map[string]Applied // by the last finished run that has planned it
	GivenUp map[string]string  // changed since by a run that a person has given up: its id

	// Lost is the id of the last run that is damaged; "": none is. What it has planned and applied is not known. The ids of
	// runs sort by time.
	Lost string

	Underway *Applied // the plan of the unfinished run; nil: there is none
}

// Applied is what a run has applied.
type Applied struct {
	Run  string
	Plan *planner.Plan
	Was  string // the address that the declaration had in it

	// Basis has the arguments as they were declared then; nil: not known.
	Basis *planner.Basis
}

// change is what its plan says of a declaration.
func (a *Applied) change(addr string) *planner.ResourceChange {
	for i := range a.Plan.Changes {
		if a.Plan.Changes[i].Addr == addr {
			return &a.Plan.Changes[i]
		}
	}
	return nil
}

// found tells whether its plan has found the same difference.
func (a *Applied) found(addr string, d *Difference) bool {
	c := a.change(addr)
	if c == nil {
		return false
	}
	for _, was := range differences(c, stepsByAddr(a.Plan)[addr]) {
		if was.What == d.What && was.Path == d.Path && was.Actual == d.Actual {
			return true
		}
	}
	return false
}

// explain finds out where a difference comes from.
func (in *Input) explain(d *Difference, res *schema.Resource) {
	last, planned := in.Past.Last[d.Addr]
	if u := in.Past.Underway; u != nil && stepsByAddr(u.Plan)[d.Addr] > 0 {
		d.Run = u.Run
		if u.found(d.Addr, d) {
			d.because(Pending, "run %s is to change it, and is not finished", u.Run)
		} else {
			d.because(Unknown, "run %s is not finished, and may have changed it", u.Run)
		}
		return
	}
	if in.Applied {
		d.because(Outside, "all that is declared has been applied: -applied says so")
		return
	}
	switch {
	case in.Past.Lost != "" && (!planned || in.Past.Lost > last.Run):
		d.Run = in.Past.Lost
		d.because(Unknown, "run %s is damaged, and may have changed it", d.Run)
	case in.Past.GivenUp[d.Addr] != "":
		d.Run = in.Past.GivenUp[d.Addr]
		d.because(Unknown, "run %s, which was given up, has changed it, or may have", d.Run)
	case !in.Past.Any:
		d.because(Unknown, "no run has finished in this folder")
	case !planned:
		d.because(Pending, "no run has planned it since it was declared")
	default:
		d.Run = last.Run
		last.explain(d, in, res)
	}
}

func (d *Difference) because(c Cause, format string, args ...any) {
	d.Cause, d.Why = c, fmt.Sprintf(format, args...)
}

// explain compares with what the last run has applied.
func (a *Applied) explain(d *Difference, in *Input, res *schema.Resource) {
	was := a.was()
	switch {
	case stepsByAddr(a.Plan)[a.Was] == 0 && a.found(a.Was, d):
		d.because(Pending, "it was so when run %s was planned, and no step of it has changed that", a.Run)
	case a.Plan.Digest == in.Plan.Digest:
		d.because(Outside, "the files say what run %s has applied", a.Run)
	case was == nil:
		d.because(Unknown, "the files have changed since run %s, which has not kept what it was planned from", a.Run)
	case d.What == Argument:
		a.explainArgument(d, was, res.Arguments())
	case same(was, res.Arguments()) && !a.refersToChanged(in.Config):
		d.because(Outside, "its declaration says what run %s has applied", a.Run)
	default:
		d.because(Unknown, "its declaration, or one that it refers to, has changed since run %s", a.Run)
	}
}

func (a *Applied) was() map[string]string {
	if a.Basis == nil {
		return nil
	}
	d, declared := a.Basis.Declared[a.Was]
	if !declared {
		return nil
	}
	if d.Arguments == nil {
		return map[string]string{}
	}
	return d.Arguments
}

// explainArgument compares one argument by the hashes of what was declared.
func (a *Applied) explainArgument(d *Difference, was, is map[string]string) {
	then, now := beneath(was, d.Path), beneath(is, d.Path)
	switch {
	case len(then) == 0 && d.Declared == "null" && len(beneath(was, parent(d.Path))) > 0:
		d.because(Outside, "neither the files nor run %s have it", a.Run)
	case len(then) == 0:
		d.because(Pending, "it is declared since run %s", a.Run)
	case same(then, now):
		d.because(Outside, "the files say what run %s has applied", a.Run)
	default:
		applied, known := then[d.Path]
		actual, readable := hashOfText(d.Actual)
		switch {
		case !known || !readable:
			d.because(Unknown, "it is declared in another way since run %s, and cannot be compared with what that has "+
				"applied", a.Run)
		case actual == applied:
			d.because(Pending, "it is as run %s has applied it, and is declared in another way since", a.Run)
		default:
			d.because(Outside, "it is neither as run %s has applied it nor as it is declared since", a.Run)
		}
	}
}

// refersToChanged tells whether anything that the declaration refers to is declared in another way than then.
func (a *Applied) refersToChanged(cfg *schema.Config) bool {
	altered := a.Basis.Altered(planner.NewBasis(cfg, planner.Selection{}))
	seen := map[string]bool{}
	var visit func(addr string) bool
	visit = func(addr string) bool {
		if seen[addr] {
			return false
		}
		seen[addr] = true
		for _, ref := range a.Basis.Declared[addr].Refs {
			if altered[ref] || visit(ref) {
				return true
			}
		}
		return false
	}
	return visit(a.Was)
}

// beneath are the arguments that a path is, has in it, or is a part of.
func beneath(arguments map[string]string, path string) map[string]string {
	out := map[string]string{}
	for name, hash := range arguments {
		if name == path || strings.HasPrefix(name, path+".") || strings.HasPrefix(path, name+".") {
			out[name] = hash
		}
	}
	return out
}

func parent(path string) string {
	at := strings.LastIndexByte(path, '.')
	if at < 0 {
		return path
	}
	return path[:at]
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// hashOfText is the hash of a value that is written as HCL text; false where that is not a value.
func hashOfText(text string) (string, bool) {
	expr, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return "", false
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return "", false
	}
	return schema.ArgumentHash(v), true
}
