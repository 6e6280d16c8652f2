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

// PlanDiff is how a plan differs from an older one, such as the one that was approved.
type PlanDiff struct {
	Was string `json:"was"` // the hashes
	Is  string `json:"is"`

	// Configuration tells that files or variables differ: the digests of the configuration do.
	Configuration bool `json:"configuration,omitempty"`

	Steps        []StepDiff        `json:"steps,omitempty"`        // in the order of the new plan, the removed ones last
	Facts        []FactDiff        `json:"facts,omitempty"`        // what steps of both plans rely on, and what has moved
	Findings     []FindingDiff     `json:"findings,omitempty"`     // sorted by declaration
	Declarations []DeclarationDiff `json:"declarations,omitempty"` // sorted by address
	Order        []Reordered       `json:"order,omitempty"`        // steps of both plans that have overtaken others
	Sites        []Moved           `json:"sites,omitempty"`        // who takes part, and the turns that they take
}

// Same tells whether the plans say the same.
func (d *PlanDiff) Same() bool { return d.Was == d.Is }

// Sort is how something of a plan differs.
type Sort string

// The sorts of differences.
const (
	Added   Sort = "added"
	Removed Sort = "removed"
	Changed Sort = "changed"
)

// StepDiff is a step that only one of two plans has, or that does not say the same in both.
type StepDiff struct {
	Sort    Sort    `json:"sort"`
	ID      string  `json:"id"`
	Number  int     `json:"number"` // in the new plan, or in the old one where it was removed
	Mark    Mark    `json:"mark"`
	Summary string  `json:"summary"`
	What    []Moved `json:"what,omitempty"` // of one that has changed
}

// Moved is something that has another value. Path names it, as the plan file does: "args.box", "needs".
type Moved struct {
	Path string `json:"path"`
	Was  string `json:"was"` // as text; "" where there was nothing
	Is   string `json:"is"`
}

// FactDiff is a fact that was not the same when the two plans were made.
type FactDiff struct {
	Addr  string   `json:"addr"`
	Name  string   `json:"name"`
	Was   string   `json:"was"`
	Is    string   `json:"is"`
	Steps []string `json:"steps"` // that rely on it
}

// FindingDiff is a finding that only one of two plans has. One whose words have changed is in the list as Changed, with
// what it was.
type FindingDiff struct {
	Sort    Sort     `json:"sort"`
	Finding          // the new one, or the old one where it was removed
	Was     *Finding `json:"was,omitempty"`
}

// DeclarationDiff is a declaration that is not the same in both plans: what is done to it, or how it differs from what
// there is.
type DeclarationDiff struct {
	Sort Sort    `json:"sort"`
	Addr string  `json:"addr"`
	What []Moved `json:"what,omitempty"`
}

// Reordered is a step that stands before others which it stood after, or the other way round.
type Reordered struct {
	ID  string `json:"id"`
	Was int    `json:"was"` // the number in the old plan
	Is  int    `json:"is"`
}

// DiffPlans compares a plan with an older one. Whatever their hashes cover and is not the same is in it.
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

// turns are who takes part in a plan, and when.
type turns struct {
	Sites []PlanSite `json:"sites"`
	Turns []Turn     `json:"turns"`
}

// numbers are the numbers of a plan's steps, from 1, by id.
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

// said is what a step says but for its facts, which are compared by themselves, and for its print, which follows from
// the rest.
func said(s *Step) map[string]string {
	x := *s
	x.Print, x.Facts = "", nil
	out := texts(x)
	delete(out, "print")
	return out
}

// texts are all values of a document by their paths. A list of texts is one value.
func texts(v any) map[string]string {
	b, err := json.Marshal(v)
	var doc any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err != nil || dec.Decode(&doc) != nil {
		return map[string]string{"": fmt.Sprint(v)} // it is part of a plan that was hashed, so it can be written
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

// plainList is a list of texts as one text, an element a line.
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
		for n := 2; ; n++ { // no driver names two alike; if one did, none would be lost
			if _, taken := out[name]; !taken {
				break
			}
			name = f.Name + " (" + strconv.Itoa(n) + ")"
		}
		out[name] = f.Value
	}
	return out
}

// diffFindings pairs findings that say the same, then those of the same rule, declaration and step.
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

// changeTexts are what a plan says of each declaration: what is done to it, each difference as "declared" and "actual",
// what becomes of each part that is replaced, and what pictures show of it.
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

// diffOrder are the fewest steps that, moved, explain the new order of those that both plans have.
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

// longestRise marks a longest part of a list in which the old numbers rise.
func longestRise(list []Reordered) []bool {
	var ends []int // by length less one: the place with the smallest old number that such a part can end with
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
