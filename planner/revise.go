package planner

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Basis is what a plan was made from beside observations, as far as it has to be compared later. It holds no secret.
type Basis struct {
	Selection

	Declared map[string]Declaration `json:"declared"` // by address

	types map[string][]string // the addresses by their kinds and types
}

// Declaration is one declaration of a Basis.
type Declaration struct {
	Arguments map[string]string `json:"arguments"` // hashes, see schema.Resource.Arguments
	Refs      []string          `json:"refs,omitempty"`
}

// NewBasis is the basis of a plan of what is selected of a configuration.
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

// Changed lists what differs between two bases, sorted: ADDRESS.ARGUMENT, or ADDRESS alone where the whole declaration
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

// Altered are the declarations of either basis that are not the same in both.
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

// owners are all names that an argument is under, see under.
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

// around are the declarations that a step of addr may depend on: it and all it refers to, and where peers count the
// others of the same types.
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

// alike are the declarations of the same kind and type.
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

// Peers in a step's UnaffectedBy says that it does not depend on other declarations of the types of its own and of
// those that it refers to.
const Peers = "peers"

// Revision is how the plan of mended files differs from the plan that a run has carried out in part.
type Revision struct {
	Plan *Plan // the new one

	Arguments               []string // that changed, as Basis.Changed has them
	Changed, Added, Removed []string // step ids, in the order of their plans

	// Touched are what forbids that the run is resumed with the new plan. None: it may be.
	Touched []Touch

	byOwner map[string][]int // places of Arguments, by all names that they are under
	near    map[nearby][]int // places of Arguments
}

// nearby is a declaration of a basis; where peers count, any of its type, since all those have the same around them.
type nearby struct {
	basis *Basis
	addr  string
	peers bool
}

// Touch is a step that may not be changed any more, or not in this way.
type Touch struct {
	Step string
	By   []string // the changed arguments that it depends on; none where only the plan differs
	Why  string
}

// Forbidden are the fixed steps of a plan that depend on an argument that has changed. It tells without planning again
// that a run cannot be resumed; Revise has the other reasons.
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

// Revise compares the plan of a run with a new one that was made from mended files and the same observations. fixed
// are the steps that must be the same in both: all that may have been carried out, or that a person has decided
// about. A step is the same if it says the same, needs the same steps, which are the same, and no argument has changed
// that it depends on. No step loses a guard.
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

// affecting are the changed arguments that a step depends on: those of what was around it when it was planned.
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

// changedAround are the places of the changed arguments around a declaration.
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

// under tells whether an argument is that of the given name, or inside of it.
func under(argument, name string) bool {
	rest, ok := strings.CutPrefix(argument, name)
	return ok && (rest == "" || rest[0] == '.')
}

// alike tells whether two steps say the same.
func alike(a, b *Step) bool {
	x, y := *a, *b
	x.Print, y.Print = "", ""
	one, err := json.Marshal(x)
	two, more := json.Marshal(y)
	return err == nil && more == nil && string(one) == string(two)
}
