package drift

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Past holds what the runs of a folder have done for each declaration, by its present address.
type Past struct {
	// Any reports whether any run has finished. Otherwise no cause can be determined.
	Any bool

	// Last holds the last finished run that has planned the declaration, Underway the unfinished run.
	Last, Underway map[string]Applied

	GivenUp map[string]string // the ID of an abandoned run that has changed it since, or may have

	// Lost is the ID of the last damaged run, or "" if there is none. It is unknown what it has planned and applied. IDs
	// of runs sort by time.
	Lost string
}

// Applied is what a run has applied for a declaration.
type Applied struct {
	*Run
	Was string // the address that the declaration had in the run
}

// Run holds what is compared with a run. It is made once for all its declarations.
type Run struct {
	ID   string
	Plan *planner.Plan

	// Basis holds the arguments as they were declared then. It is nil if unknown.
	Basis *planner.Basis

	changes map[string]*planner.ResourceChange
	steps   map[string]int
	seen    map[string]map[seen][]string // what its plan has found, by address; filled on demand
}

// seen is a difference that a plan has found, without its actual value.
type seen struct{ what, path string }

// NewRun returns a run with its plan and what that was made from.
func NewRun(id string, plan *planner.Plan, basis *planner.Basis) *Run {
	r := &Run{ID: id, Plan: plan, Basis: basis, changes: map[string]*planner.ResourceChange{}, steps: stepsByAddr(plan),
		seen: map[string]map[seen][]string{}}
	for i := range plan.Changes {
		r.changes[plan.Changes[i].Addr] = &plan.Changes[i]
	}
	return r
}

// found reports whether the run's plan has found the same difference. It is not known if a secret is hidden in one of
// the two values.
func (a *Applied) found(d *Difference) (same, known bool) {
	c := a.changes[a.Was]
	if c == nil {
		return false, true
	}
	found, made := a.seen[a.Was]
	if !made {
		found = map[seen][]string{}
		for _, was := range differences(c, a.steps[a.Was]) {
			at := seen{was.What, was.Path}
			found[at] = append(found[at], was.Actual)
		}
		a.seen[a.Was] = found
	}
	known = true
	for _, actual := range found[seen{d.What, d.Path}] {
		switch {
		case planner.Hides(actual) || planner.Hides(d.Actual):
			known = false
		case actual == d.Actual:
			return true, true
		}
	}
	return false, known
}

// explain determines the cause of a difference.
func (in *finder) explain(d *Difference, res *schema.Resource) {
	last, planned := in.Past.Last[d.Addr]
	if u, underway := in.Past.Underway[d.Addr]; underway && u.steps[u.Was] > 0 {
		d.Run = u.ID
		if same, _ := u.found(d); same {
			d.because(Pending, "run %s is to change it, and is not finished", u.ID)
		} else {
			d.because(Unknown, "run %s is not finished, and may have changed it", u.ID)
		}
		return
	}
	if in.Applied {
		d.because(Outside, "all that is declared has been applied: -applied says so")
		return
	}
	switch {
	case in.Past.Lost != "" && (!planned || in.Past.Lost > last.ID):
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
		d.Run = last.ID
		in.compare(d, &last, res)
	}
}

func (d *Difference) because(c Cause, format string, args ...any) {
	d.Cause, d.Why = c, fmt.Sprintf(format, args...)
}

// compare compares a difference with what the last run has applied.
func (in *finder) compare(d *Difference, a *Applied, res *schema.Resource) {
	was := a.was()
	same, known := a.found(d)
	switch {
	case a.steps[a.Was] == 0 && same:
		d.because(Pending, "it was so when run %s was planned, and no step of it has changed that", a.ID)
	case a.steps[a.Was] == 0 && !known:
		d.because(Unknown, "a secret is hidden in it, so that it cannot be compared with what run %s has found", a.ID)
	case a.Plan.Digest == in.Plan.Digest:
		d.because(Outside, "the files say what run %s has applied", a.ID)
	case was == nil:
		d.because(Unknown, "the files have changed since run %s, which has not kept what it was planned from", a.ID)
	case d.What == Argument:
		in.explainArgument(d, a, res)
	case maps.Equal(was, in.argumentsOf(d.Addr, a, res).is.hashes) && !a.refersToAny(in.altered(a.Run)):
		d.because(Outside, "its declaration says what run %s has applied", a.ID)
	default:
		d.because(Unknown, "its declaration, or one that it refers to, has changed since run %s", a.ID)
	}
}

// argumentsOf returns the arguments of a declaration now and in its last run. They are cached for all its differences.
func (in *finder) argumentsOf(addr string, a *Applied, res *schema.Resource) *bothArguments {
	if in.hashed == nil || in.hashed.addr != addr {
		in.hashed = &bothArguments{addr: addr, was: sortArguments(a.was()), is: sortArguments(res.Arguments())}
	}
	return in.hashed
}

type bothArguments struct {
	addr    string
	was, is arguments
}

// arguments holds hashes of arguments, and their sorted names.
type arguments struct {
	hashes map[string]string
	names  []string
}

func sortArguments(hashes map[string]string) arguments {
	return arguments{hashes, slices.Sorted(maps.Keys(hashes))}
}

// altered returns which declarations have changed since a run.
func (in *finder) altered(r *Run) map[string]bool {
	if in.basis == nil {
		in.basis = planner.NewBasis(in.Config, planner.Selection{})
	}
	out, known := in.since[r]
	if !known {
		out = r.Basis.Altered(in.basis)
		in.since[r] = out
	}
	return out
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

// explainArgument compares an argument by the hashes of its declared values.
func (in *finder) explainArgument(d *Difference, a *Applied, res *schema.Resource) {
	both := in.argumentsOf(d.Addr, a, res)
	then, now := both.was.beneath(d.Path), both.is.beneath(d.Path)
	switch {
	case len(then) == 0:
		a.explainNew(d, both)
	case maps.Equal(then, now):
		d.because(Outside, "the files say what run %s has applied", a.ID)
	default:
		applied, known := then[d.Path]
		actual, readable := hashOfText(d.Actual)
		switch {
		case !known || !readable || planner.Hides(d.Actual):
			d.because(Unknown, "it is declared in another way since run %s, and cannot be compared with what that has "+
				"applied", a.ID)
		case actual == applied:
			d.because(Pending, "it is as run %s has applied it, and is declared in another way since", a.ID)
		default:
			d.because(Outside, "it is neither as run %s has applied it nor as it is declared since", a.ID)
		}
	}
}

// explainNew explains an argument that the run did not have. Keys of maps may contain dots, so any prefix of the path
// may be the name of the argument that contains it.
func (a *Applied) explainNew(d *Difference, both *bothArguments) {
	had, has := false, both.is.has(d.Path)
	for at := parent(d.Path); at != "" && d.Declared == "null"; at = parent(at) {
		hadHere, hasHere := both.was.has(at), both.is.has(at)
		if hadHere && hasHere && !has {
			d.because(Outside, "neither the files nor run %s have it", a.ID)
			return
		}
		had, has = had || hadHere, has || hasHere
	}
	switch {
	case has && !had:
		d.because(Pending, "it is declared since run %s", a.ID)
	case d.Declared == "null":
		d.because(Unknown, "what it is in is declared in another way since run %s, or by neither", a.ID)
	default:
		d.because(Unknown, "how it was declared in run %s is not known", a.ID)
	}
}

// refersToAny reports whether the declaration refers, directly or indirectly, to one of these.
func (a *Applied) refersToAny(altered map[string]bool) bool {
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

// beneath returns the arguments that are equal to the path, inside it, or contain it.
func (a arguments) beneath(path string) map[string]string {
	out := map[string]string{}
	for name := range a.at(path) {
		out[name] = a.hashes[name]
	}
	return out
}

// has reports whether there is any such argument.
func (a arguments) has(path string) bool {
	for range a.at(path) {
		return true
	}
	return false
}

func (a arguments) at(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := path; at != ""; at = parent(at) {
			if _, there := a.hashes[at]; there && !yield(at) {
				return
			}
		}
		first, _ := slices.BinarySearch(a.names, path+".")
		for _, name := range a.names[first:] {
			if !strings.HasPrefix(name, path+".") || !yield(name) {
				return
			}
		}
	}
}

// parent returns a path without its last dot and what follows, or "" if it has no dot.
func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}

// hashOfText returns the hash of a value written as HCL text; ok is false if it is not a value.
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
