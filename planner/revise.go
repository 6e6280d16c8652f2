package planner

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Basis is what a plan was made from besides observations, as far as it is compared later. It holds no secret.
type Basis struct {
	Selection

	Declared map[string]Declaration `json:"declared"` // by address

	types map[string][]string // the addresses by kind and type
}

// Declaration is one declaration of a Basis.
type Declaration struct {
	Arguments map[string]string `json:"arguments"`      // hashes, see schema.Resource.Arguments
	Refs      []string          `json:"refs,omitempty"` // the declarations that it refers to
}

// NewBasis returns the basis of a plan of the selected part of a configuration.
func NewBasis(cfg *schema.Config, only Selection) *Basis {
	b := &Basis{Selection: only, Declared: map[string]Declaration{}}
	for _, r := range cfg.Resources {
		d := Declaration{Arguments: r.Arguments()}
		for _, a := range dependencies(r) {
			d.Refs = append(d.Refs, a.String())
		}
		b.Declared[r.Addr.String()] = d
	}
	return b
}

// Changed lists the differences between two bases, sorted: ADDRESS.ARGUMENT, or just ADDRESS if the whole declaration
// was added or removed.
func (b *Basis) Changed(to *Basis) []string {
	var out []string
	for addr := range both(b.Declared, to.Declared) {
		was, had := b.Declared[addr]
		is, has := to.Declared[addr]
		if had != has {
			out = append(out, addr)
			continue
		}
		for name := range both(was.Arguments, is.Arguments) {
			if was.Arguments[name] != is.Arguments[name] {
				out = append(out, addr+"."+name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Altered returns all declarations of both bases, with true for those that differ or are in only one of them.
func (b *Basis) Altered(to *Basis) map[string]bool {
	out := map[string]bool{}
	for addr := range both(b.Declared, to.Declared) {
		out[addr] = false
	}
	for _, argument := range b.Changed(to) {
		for owner := range owners(argument) {
			if _, declared := out[owner]; declared {
				out[owner] = true
			}
		}
	}
	return out
}

// owners yields every name that contains the argument, and the argument itself; see under.
func owners(argument string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := range argument {
			if argument[at] == '.' && !yield(argument[:at]) {
				return
			}
		}
		yield(argument)
	}
}

func both[V any](a, b map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// around adds the declarations that a step of addr may depend on: addr and all it refers to. If peers is set, also the
// other declarations of the same types.
func (b *Basis) around(addr string, peers bool, into map[string]bool) {
	if into[addr] {
		return
	}
	into[addr] = true
	d := b.Declared[addr]
	for _, next := range d.Refs {
		b.around(next, peers, into)
	}
	if all := "every " + typeOf(addr); peers && !into[all] {
		into[all] = true
		for _, next := range b.alike(addr) {
			b.around(next, peers, into)
		}
	}
}

// alike returns the declarations of the same kind and type.
func (b *Basis) alike(addr string) []string {
	if b.types == nil {
		b.types = map[string][]string{}
		for other := range b.Declared {
			b.types[typeOf(other)] = append(b.types[typeOf(other)], other)
		}
	}
	return b.types[typeOf(addr)]
}

func typeOf(addr string) string {
	a, err := schema.ParseAddr(addr)
	if err != nil {
		return addr
	}
	return string(a.Kind) + "." + a.Type
}

// Peers in a step's UnaffectedBy means that the step does not depend on other declarations that have the same type as
// its own declaration or one that this refers to.
const Peers = "peers"

// Revision says how the plan of changed files differs from the plan that a run has partly carried out.
type Revision struct {
	Plan *Plan // the new plan

	Arguments               []string // the changed arguments, as returned by Basis.Changed
	Changed, Added, Removed []string // step IDs, in the order of their plans

	// Touched holds the reasons why the run cannot be resumed with the new plan. If it is empty, the run can be resumed.
	Touched []Touch

	byOwner map[string][]int // indexes of Arguments, by all names that contain them
	near    map[nearby][]int // indexes of Arguments; a cache of changedAround
}

// nearby identifies what is around a declaration. With peers it is the same for all declarations of one type.
type nearby struct {
	basis *Basis
	addr  string
	peers bool
}

// Touch is a step that must not be changed any more, or not in this way.
type Touch struct {
	Step string
	By   []string // the changed arguments that it depends on; empty if only the plan differs
	Why  string
}

// Forbidden finds the fixed steps that depend on a changed argument. It can tell that a run cannot be resumed without
// planning again. Revise finds the other reasons.
func Forbidden(old *Plan, was, is *Basis, fixed map[string]bool) *Revision {
	r := &Revision{Arguments: was.Changed(is)}
	for i := range old.Steps {
		s := &old.Steps[i]
		if by := r.affecting(s, was); fixed[s.ID] && len(by) > 0 {
			r.touch(s.ID, by, "it would be another step")
		}
	}
	return r
}

// Revise compares the plan of a run with a new one that was made from changed files and the same observations. fixed
// holds the steps that must be the same in both: all that may have been carried out, or that a person has decided
// about. A step is the same if its content is equal, the steps that it needs are the same, and no argument that it
// depends on has changed. No step may lose a guard.
func Revise(old, revised *Plan, was, is *Basis, fixed map[string]bool) *Revision {
	r := &Revision{
		Plan: revised, Arguments: was.Changed(is), Changed: []string{}, Added: []string{}, Removed: []string{},
	}
	same := map[string]bool{}
	before, after := old.byID(), revised.byID()
	for i := range old.Steps {
		a := &old.Steps[i]
		b := after[a.ID]
		if b == nil {
			r.Removed = append(r.Removed, a.ID)
			if fixed[a.ID] {
				r.touch(a.ID, r.affecting(a, was), "it is not among the steps of the new plan")
			}
			continue
		}
		by := r.affecting(a, was)
		same[a.ID] = len(by) == 0 && alike(a, b)
		if !same[a.ID] {
			r.Changed = append(r.Changed, a.ID)
		}
		need := slices.IndexFunc(a.Needs, func(n string) bool { return !same[n] })
		lost := slices.IndexFunc(a.Guards, func(g string) bool { return !slices.Contains(b.Guards, g) })
		switch {
		case fixed[a.ID] && !same[a.ID]:
			r.touch(a.ID, by, "it would be another step")
		case fixed[a.ID] && need >= 0:
			r.touch(a.ID, nil, "what it needs, "+a.Needs[need]+", would be another step")
		case lost >= 0:
			r.touch(a.ID, by, "it would lose its guard "+a.Guards[lost])
		}
	}
	for i := range revised.Steps {
		if id := revised.Steps[i].ID; before[id] == nil {
			r.Added = append(r.Added, id)
		}
	}
	return r
}

func (r *Revision) touch(step string, by []string, why string) {
	r.Touched = append(r.Touched, Touch{Step: step, By: by, Why: why})
}

// affecting returns the changed arguments that a step depends on, by the declarations it was planned with.
func (r *Revision) affecting(s *Step, was *Basis) []string {
	peers := !slices.Contains(s.UnaffectedBy, Peers)
	places := slices.Clone(r.changedAround(was, s.Addr, peers))
	for _, server := range s.Servers {
		places = append(places, r.changedAround(was, server, peers)...)
	}
	slices.Sort(places)
	var out []string
	for _, i := range slices.Compact(places) {
		argument := r.Arguments[i]
		if !slices.ContainsFunc(s.UnaffectedBy, func(name string) bool { return under(argument, name) }) {
			out = append(out, argument)
		}
	}
	return out
}

// changedAround returns the indexes of the changed arguments around a declaration.
func (r *Revision) changedAround(b *Basis, addr string, peers bool) []int {
	key := nearby{b, addr, peers}
	if _, declared := b.Declared[addr]; declared && peers {
		key.addr = typeOf(addr)
	}
	if places, known := r.near[key]; known {
		return places
	}
	if r.byOwner == nil {
		r.byOwner, r.near = map[string][]int{}, map[nearby][]int{}
		for i, argument := range r.Arguments {
			for owner := range owners(argument) {
				r.byOwner[owner] = append(r.byOwner[owner], i)
			}
		}
	}
	around := map[string]bool{}
	b.around(addr, peers, around)
	places := []int{}
	for other := range around {
		places = append(places, r.byOwner[other]...)
	}
	slices.Sort(places)
	r.near[key] = slices.Compact(places)
	return r.near[key]
}

// under reports whether an argument has the given name or is inside it.
func under(argument, name string) bool {
	rest, ok := strings.CutPrefix(argument, name)
	return ok && (rest == "" || rest[0] == '.')
}

// alike reports whether two steps are equal except for their prints.
func alike(a, b *Step) bool {
	x, y := *a, *b
	x.Print, y.Print = "", ""
	one, err := json.Marshal(x)
	two, more := json.Marshal(y)
	return err == nil && more == nil && string(one) == string(two)
}
