package planner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PlanDiff says how a plan differs from an older one, such as the one that was approved.
type PlanDiff struct {
	Was string `json:"was"` // the hashes of the plans
	Is  string `json:"is"`  // the hash of the new plan

	// Configuration reports that the digests of the configurations differ, so files or variables have changed.
	Configuration bool `json:"configuration,omitempty"`

	Steps        []StepDiff        `json:"steps,omitempty"`        // in the order of the new plan, then the removed ones
	Facts        []FactDiff        `json:"facts,omitempty"`        // changed facts of steps of both plans
	Findings     []FindingDiff     `json:"findings,omitempty"`     // sorted by declaration
	Declarations []DeclarationDiff `json:"declarations,omitempty"` // sorted by address
	Order        []Reordered       `json:"order,omitempty"`        // steps of both plans in another order
	Sites        []Moved           `json:"sites,omitempty"`        // changes of the sites and of their turns
}

// Same reports whether the plans have the same content.
func (d *PlanDiff) Same() bool { return d.Was == d.Is }

// Sort says how a part of a plan differs.
type Sort string

// The values of Sort.
const (
	Added   Sort = "added"
	Removed Sort = "removed"
	Changed Sort = "changed"
)

// StepDiff is a step that only one of two plans has, or that differs between them.
type StepDiff struct {
	Sort    Sort    `json:"sort"`           // whether it was added, removed or changed
	ID      string  `json:"id"`             // the step
	Number  int     `json:"number"`         // its number in the new plan, or in the old one if it was removed
	Mark    Mark    `json:"mark"`           // what kind of work it is
	Summary string  `json:"summary"`        // what it does
	What    []Moved `json:"what,omitempty"` // set if Sort is Changed
}

// Moved is a value that has changed. Path is its place in the plan file, such as "args.box" or "needs".
type Moved struct {
	Path string `json:"path"` // its place in the plan file, such as "args.box" or "needs"
	Was  string `json:"was"`  // as text; "" if there was none
	Is   string `json:"is"`   // as text; "" if there is none now
}

// FactDiff is a fact that had another value when the older plan was made.
type FactDiff struct {
	Addr  string   `json:"addr"`  // the declaration
	Name  string   `json:"name"`  // the driver's name of the fact
	Was   string   `json:"was"`   // what the servers showed for the old plan
	Is    string   `json:"is"`    // what they showed for the new one
	Steps []string `json:"steps"` // the steps that rely on it
}

// FindingDiff is a finding that only one of two plans has. If only its words have changed, it is listed as Changed,
// with the old finding in Was.
type FindingDiff struct {
	Sort    Sort     `json:"sort"` // whether it was added, removed or changed
	Finding          // the new finding, or the old one if it was removed
	Was     *Finding `json:"was,omitempty"` // the old finding, if only its words have changed
}

// DeclarationDiff is a declaration for which the two plans differ: in what is done to it, or in how it differs from
// what there is.
type DeclarationDiff struct {
	Sort Sort    `json:"sort"`           // whether it was added, removed or changed
	Addr string  `json:"addr"`           // the declaration
	What []Moved `json:"what,omitempty"` // how it differs, set if it was changed
}

// Reordered is a step whose order relative to other steps of both plans has changed.
type Reordered struct {
	ID  string `json:"id"`  // the step
	Was int    `json:"was"` // the number in the old plan
	Is  int    `json:"is"`  // the number in the new plan
}

// DiffPlans compares a plan with an older one. It finds every difference that the hashes cover.
func DiffPlans(old, made *Plan) (*PlanDiff, error) {
	was, err := old.Hash()
	if err != nil {
		return nil, err
	}
	is, err := made.Hash()
	if err != nil {
		return nil, err
	}
	d := &PlanDiff{Was: was, Is: is, Configuration: old.Digest != made.Digest}
	if d.Same() {
		return d, nil
	}
	d.Steps = diffSteps(old, made)
	d.Facts = diffFacts(old, made)
	d.Findings = diffFindings(old.Findings, made.Findings)
	d.Declarations = diffDeclarations(old, made)
	d.Order = diffOrder(old, made)
	d.Sites = diffTexts(texts(turns{sitesOf(old), old.Turns}), texts(turns{sitesOf(made), made.Turns}))
	return d, nil
}

// turns holds who takes part in a plan, and when.
type turns struct {
	Sites []PlanSite `json:"sites"`
	Turns []Turn     `json:"turns"`
}

// numbers returns the numbers of a plan's steps, from 1, by ID.
func (p *Plan) numbers() map[string]int {
	out := make(map[string]int, len(p.Steps))
	for i := range p.Steps {
		out[p.Steps[i].ID] = i + 1
	}
	return out
}

func diffSteps(old, made *Plan) []StepDiff {
	var out []StepDiff
	before, after := old.byID(), made.byID()
	for i := range made.Steps {
		s := &made.Steps[i]
		d := StepDiff{Sort: Added, ID: s.ID, Number: i + 1, Mark: s.Mark, Summary: s.Summary}
		if was := before[s.ID]; was != nil {
			d.Sort, d.What = Changed, diffTexts(said(was), said(s))
			if len(d.What) == 0 {
				continue
			}
		}
		out = append(out, d)
	}
	for i := range old.Steps {
		if s := &old.Steps[i]; after[s.ID] == nil {
			out = append(out, StepDiff{Sort: Removed, ID: s.ID, Number: i + 1, Mark: s.Mark, Summary: s.Summary})
		}
	}
	return out
}

// said returns the values of a step without its facts, which are compared separately, and its print, which follows
// from the rest.
func said(s *Step) map[string]string {
	x := *s
	x.Print, x.Facts = "", nil
	out := texts(x)
	delete(out, "print")
	return out
}

// texts returns all values of a document by path. A list of texts counts as one value.
func texts(v any) map[string]string {
	b, err := json.Marshal(v)
	var doc any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err != nil || dec.Decode(&doc) != nil {
		return map[string]string{"": fmt.Sprint(v)} // v is part of a plan that was hashed, so encoding cannot fail
	}
	out := map[string]string{}
	collect(out, "", doc)
	return out
}

func collect(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			collect(out, strings.TrimPrefix(path+"."+name, "."), member)
		}
	case []any:
		if lines, plain := plainList(v); plain {
			out[path] = lines
			return
		}
		for i, element := range v {
			collect(out, path+"["+strconv.Itoa(i)+"]", element)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}

// plainList returns a list of texts as one text, one element per line. plain is false if the list has other elements.
func plainList(list []any) (lines string, plain bool) {
	var parts []string
	for _, e := range list {
		s, is := e.(string)
		if !is {
			return "", false
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "\n"), true
}

func diffTexts(was, is map[string]string) []Moved {
	var out []Moved
	for _, path := range slices.Sorted(maps.Keys(both(was, is))) {
		a, had := was[path]
		b, has := is[path]
		if had != has || a != b {
			out = append(out, Moved{Path: path, Was: a, Is: b})
		}
	}
	return out
}

// diffFacts compares the facts of steps that both plans have.
func diffFacts(old, made *Plan) []FactDiff {
	type fact struct{ addr, name, was, is string }
	steps := map[fact][]string{}
	var order []fact
	before := old.byID()
	for i := range made.Steps {
		s := &made.Steps[i]
		was := before[s.ID]
		if was == nil {
			continue
		}
		for _, m := range diffTexts(factTexts(was.Facts), factTexts(s.Facts)) {
			f := fact{s.Addr, m.Path, m.Was, m.Is}
			if steps[f] == nil {
				order = append(order, f)
			}
			steps[f] = append(steps[f], s.ID)
		}
	}
	var out []FactDiff
	for _, f := range order {
		out = append(out, FactDiff{Addr: f.addr, Name: f.name, Was: f.was, Is: f.is, Steps: steps[f]})
	}
	return out
}

func factTexts(facts []Fact) map[string]string {
	out := map[string]string{}
	for _, f := range facts {
		name := f.Name
		for n := 2; ; n++ { // drivers do not repeat a fact's name; if one did, no value is lost
			if _, taken := out[name]; !taken {
				break
			}
			name = f.Name + " (" + strconv.Itoa(n) + ")"
		}
		out[name] = f.Value
	}
	return out
}

// diffFindings first pairs equal findings, then those with the same rule, declaration and step.
func diffFindings(old, made []Finding) []FindingDiff {
	type place struct{ rule, addr, op string }
	gone := map[place][]Finding{}
	same := map[Finding]int{}
	for _, f := range old {
		same[f]++
	}
	var fresh []Finding
	for _, f := range made {
		if same[f] > 0 {
			same[f]--
			continue
		}
		fresh = append(fresh, f)
	}
	for _, f := range old {
		if same[f] > 0 {
			same[f]--
			at := place{f.Rule, f.Addr, f.Op}
			gone[at] = append(gone[at], f)
		}
	}
	var out []FindingDiff
	for _, f := range fresh {
		at := place{f.Rule, f.Addr, f.Op}
		d := FindingDiff{Sort: Added, Finding: f}
		if list := gone[at]; len(list) > 0 {
			d.Sort, d.Was, gone[at] = Changed, &list[0], list[1:]
		}
		out = append(out, d)
	}
	for _, list := range gone {
		for _, f := range list {
			out = append(out, FindingDiff{Sort: Removed, Finding: f})
		}
	}
	slices.SortStableFunc(out, func(a, b FindingDiff) int {
		return cmp.Or(strings.Compare(a.Addr, b.Addr), strings.Compare(a.Op, b.Op), strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Summary, b.Summary), strings.Compare(a.Detail, b.Detail))
	})
	return out
}

func diffDeclarations(old, made *Plan) []DeclarationDiff {
	was, is := changeTexts(old), changeTexts(made)
	var out []DeclarationDiff
	for _, addr := range slices.Sorted(maps.Keys(both(was, is))) {
		d := DeclarationDiff{Sort: Changed, Addr: addr}
		switch {
		case was[addr] == nil:
			d.Sort = Added
		case is[addr] == nil:
			d.Sort = Removed
		default:
			if d.What = diffTexts(was[addr], is[addr]); len(d.What) == 0 {
				continue
			}
		}
		out = append(out, d)
	}
	return out
}

// changeTexts returns what a plan says about each declaration: what is done to it, each difference as "declared" and
// "actual", what happens to each replaced part, and what pictures show of it.
func changeTexts(p *Plan) map[string]map[string]string {
	out := map[string]map[string]string{}
	say := func(addr, what string, v any) {
		if out[addr] == nil {
			out[addr] = map[string]string{}
		}
		for path, text := range texts(v) {
			out[addr][strings.TrimSuffix(what+" "+path, " ")] = text
		}
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		say(c.Addr, "action", c.Action)
		for _, d := range c.Diff {
			say(c.Addr, d.Path+" declared", d.Declared)
			say(c.Addr, d.Path+" actual", d.Actual)
		}
		for _, r := range c.Replaced {
			say(c.Addr, "replaced "+r.Part, r)
		}
	}
	for i := range p.Declared {
		d := &p.Declared[i]
		say(d.Addr, "site", d.Site)
		for _, l := range d.Links {
			say(d.Addr, "link "+l.Path, l)
		}
		for _, b := range d.Brief {
			say(d.Addr, "declared "+b.Name, b.Value)
		}
		for _, b := range d.Seen {
			say(d.Addr, "observed "+b.Name, b.Value)
		}
	}
	return out
}

// diffOrder returns a smallest set of steps whose moves explain the new order of the steps that both plans have.
func diffOrder(old, made *Plan) []Reordered {
	was := old.numbers()
	var common []Reordered
	for i := range made.Steps {
		if n := was[made.Steps[i].ID]; n > 0 {
			common = append(common, Reordered{ID: made.Steps[i].ID, Was: n, Is: i + 1})
		}
	}
	var out []Reordered
	stays := longestRise(common)
	for i, r := range common {
		if !stays[i] {
			out = append(out, r)
		}
	}
	return out
}

// longestRise marks a longest subsequence in which the old numbers rise.
func longestRise(list []Reordered) []bool {
	var ends []int // by length minus one: the index with the smallest old number that ends such a subsequence
	before := make([]int, len(list))
	for i, r := range list {
		at, _ := slices.BinarySearchFunc(ends, r.Was, func(j, was int) int { return cmp.Compare(list[j].Was, was) })
		before[i] = -1
		if at > 0 {
			before[i] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, i)
		} else {
			ends[at] = i
		}
	}
	stays := make([]bool, len(list))
	if len(ends) == 0 {
		return stays
	}
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		stays[i] = true
	}
	return stays
}
