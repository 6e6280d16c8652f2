package revision

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// comparer collects what a comparison finds.
type comparer struct {
	Options

	pairs    []linePair
	places   [2]map[int]place // place by revision number, on the source and on the target
	byNumber map[int]*osmc.Revision

	first   *Difference
	lacks   []string
	missing int
	due     int
	tagged  []string
	renamed []string
	given   map[Part]bool // parts that both servers showed somewhere
	unknown map[Part]*gap
}

// linePair is a branch on both servers. target is nil if the copy does not have the branch yet.
type linePair struct{ source, target *Line }

// common returns the revisions at the positions that both branches have.
func (p linePair) common() (source, target []*osmc.Revision) {
	if p.target == nil {
		return nil, nil
	}
	n := min(len(p.source.Revisions), len(p.target.Revisions))
	return p.source.Revisions[:n], p.target.Revisions[:n]
}

// place is the position of a revision, independent of its number.
type place struct {
	branch string
	index  int
}

// gap describes where a part cannot be compared.
type gap struct {
	count  int // revisions
	branch string
	number int // of the first revision
	sides  [2]bool
}

func (g *gap) words(p Part) string {
	who := "neither server gives"
	switch {
	case !g.sides[1]:
		who = "the source does not give"
	case !g.sides[0]:
		who = "the target does not give"
	}
	return fmt.Sprintf("%s the %s of %s (revision %d of branch %s first): it is unknown whether they are equal",
		who, p, wording.Plural(g.count, "revision"), g.number, g.branch)
}

// isGiven records and reports whether both servers show a part of a revision.
func (x *comparer) isGiven(p Part, branch string, number int, source, target bool) bool {
	if source && target {
		x.given[p] = true
		return true
	}
	g := x.unknown[p]
	if g == nil {
		g = &gap{branch: branch, number: number}
		x.unknown[p] = g
	}
	g.count++
	g.sides[0], g.sides[1] = g.sides[0] || !source, g.sides[1] || !target
	return false
}

// pairLines matches the branches of source and target, and records the place of every revision.
func (x *comparer) pairLines(source, target []*Line) {
	paired := map[*Line]bool{}
	for _, s := range source {
		t := partner(s, target, source, paired)
		x.pairs = append(x.pairs, linePair{s, t})
		x.place(0, s.Name, s.Revisions)
		if t == nil {
			continue
		}
		paired[t] = true
		x.place(1, s.Name, t.Revisions)
		if t.Name != s.Name {
			x.renamed = append(x.renamed, fmt.Sprintf("branch %s is called %s on the target", s.Name, t.Name))
		}
	}
	for _, t := range target {
		if !paired[t] {
			x.place(1, t.Name, t.Revisions)
			x.differ(Difference{Branch: t.Name, Field: fieldBranch})
		}
	}
}

// partner returns the branch of the copy that belongs to branch s of the original, nil if there is none.
func partner(s *Line, target, source []*Line, taken map[*Line]bool) *Line {
	var byID *Line
	for _, t := range target {
		switch {
		case taken[t]:
		case t.Name == s.Name:
			return t
		case t.ID == s.ID && !slices.ContainsFunc(source, func(l *Line) bool { return l.Name == t.Name }):
			byID = t
		}
	}
	return byID
}

func (x *comparer) place(side int, branch string, revisions []*osmc.Revision) {
	for i, r := range revisions {
		x.places[side][r.Number] = place{branch, i}
		if side == 0 {
			x.byNumber[r.Number] = r
		}
	}
}

// differ records a difference. It keeps the one with the lowest number on the source; those only on the target come
// last.
func (x *comparer) differ(d Difference) {
	if x.first == nil || d.Source != 0 && (x.first.Source == 0 || d.Source < x.first.Source) {
		x.first = &d
	}
}

func (x *comparer) isDue(r *osmc.Revision) bool {
	return (x.UpTo == 0 || r.Number <= x.UpTo) && (x.AsOf.IsZero() || !r.Created.Truncate(time.Second).After(x.AsOf))
}

// lackRevisions records revisions that the copy does not have yet.
func (x *comparer) lackRevisions(branch string, revisions []*osmc.Revision) {
	var numbers []int
	for _, r := range revisions {
		numbers = append(numbers, r.Number)
		if x.isDue(r) {
			x.due++
		}
	}
	x.missing += len(numbers)
	noun := "revisions"
	if len(numbers) == 1 {
		noun = "revision"
	}
	x.lacks = append(x.lacks, fmt.Sprintf("%s %s of branch %s", noun, wording.Spans(numbers), branch))
}

// lackLine records a branch that the copy does not have yet.
func (x *comparer) lackLine(s *Line) {
	if len(s.Revisions) > 0 {
		x.lackRevisions(s.Name, s.Revisions)
		return
	}
	x.lacks = append(x.lacks, "branch "+s.Name)
	if x.UpTo == 0 || s.Start <= x.UpTo {
		x.due++
	}
}

// compareRevisions compares the revisions of a branch one by one.
func (x *comparer) compareRevisions(p linePair) {
	s, t := p.source.Revisions, p.target.Revisions
	n := min(len(s), len(t))
	for i := range n {
		x.noteFields(p.source.Name, s[i], t[i])
		d := x.compareFields(s[i], t[i])
		if d == nil {
			continue
		}
		x.missing += max(0, len(s)-len(t))
		d.Branch = p.source.Name
		switch { // a lost or added revision shifts all later ones
		case i+1 < len(s) && x.compareFields(s[i+1], t[i]) == nil:
			d.Field, d.Target, d.Want, d.Have = fieldRevision, 0, "", ""
		case i+1 < len(t) && x.compareFields(s[i], t[i+1]) == nil:
			d.Field, d.Source, d.Want, d.Have = fieldRevision, 0, "", ""
		}
		x.differ(*d)
		return
	}
	switch {
	case len(s) > n:
		x.lackRevisions(p.source.Name, s[n:])
	case len(t) > n:
		x.differ(Difference{Branch: p.source.Name, Target: t[n].Number, Field: fieldRevision})
	}
}

// field is a part of one revision.
type field struct {
	part  Part
	known bool
	value string
}

// fieldsOf returns the parts of a revision that can be compared independent of its place. Parents are compared by
// place; here it only counts whether they are known.
func fieldsOf(r *osmc.Revision) []field {
	return []field{
		{Date, !r.Created.IsZero(), Instant(r.Created)},
		{Author, r.Author != "", r.Author},
		{Description, r.DescriptionKnown, r.Description},
		{Number, true, fmt.Sprint(r.Number)},
		{Parents, r.ParentKnown, ""},
	}
}

// noteFields records which parts can be compared of two revisions at the same place.
func (x *comparer) noteFields(branch string, s, t *osmc.Revision) {
	target := fieldsOf(t)
	for i, f := range fieldsOf(s) {
		if x.has(f.part) {
			x.isGiven(f.part, branch, s.Number, f.known, target[i].known)
		}
	}
}

// compareFields returns the first certain difference between two revisions, or nil if there is none.
func (x *comparer) compareFields(s, t *osmc.Revision) *Difference {
	target := fieldsOf(t)
	for i, f := range fieldsOf(s) {
		if x.has(f.part) && f.known && target[i].known && f.value != target[i].value {
			return &Difference{Source: s.Number, Target: t.Number, Field: string(f.part), Want: f.value, Have: target[i].value}
		}
	}
	return nil
}

// compareParents compares what each revision was made from. It compares places, because numbers may differ.
func (x *comparer) compareParents(p linePair) {
	if !x.has(Parents) {
		return
	}
	source, target := p.common()
	for i, s := range source {
		t := target[i]
		if s.ParentKnown && t.ParentKnown {
			x.compareParent(Parents, p.source.Name, s, t, s.Parent, t.Parent)
		}
		if x.isGiven(MergedParents, p.source.Name, s.Number, s.MergedParentKnown, t.MergedParentKnown) {
			x.compareParent(MergedParents, p.source.Name, s, t, s.MergedParent, t.MergedParent)
		}
	}
}

// compareParent compares one parent, 0 if there is none. A parent that the server no longer lists has no place.
func (x *comparer) compareParent(part Part, branch string, s, t *osmc.Revision, want, have int) {
	sourcePlace, onSource := x.places[0][want]
	targetPlace, onTarget := x.places[1][have]
	switch {
	case want == 0 && have == 0:
	case want != 0 && !onSource || have != 0 && !onTarget:
		x.isGiven(part, branch, s.Number, want == 0 || onSource, have == 0 || onTarget)
	case onSource != onTarget || sourcePlace != targetPlace:
		x.differ(Difference{Branch: branch, Source: s.Number, Target: t.Number, Field: string(part), Want: fmt.Sprint(want),
			Have: fmt.Sprint(have)})
	}
}

// compareContents compares what the servers show of the model, in the newest revision of a branch that both have.
func (x *comparer) compareContents(p linePair) {
	source, target := p.common()
	if !x.has(Contents) || len(source) == 0 {
		return
	}
	s, t := source[len(source)-1], target[len(target)-1]
	for _, ids := range []struct {
		part       Part
		want, have []string
	}{
		{RootObjects, s.RootObjects, t.RootObjects},
		{ElementPackages, s.ElementPackages, t.ElementPackages},
	} {
		if x.isGiven(ids.part, p.source.Name, s.Number, ids.want != nil, ids.have != nil) &&
			!slices.Equal(ids.want, ids.have) {
			x.differ(Difference{
				Branch: p.source.Name, Source: s.Number, Target: t.Number, Field: string(ids.part),
				Want: wording.List(ids.want), Have: wording.List(ids.have),
			})
		}
	}
}

// compareTags compares tags by name and the place of their revision. Tags can be set on old revisions, and removed, so
// a different tag alone does not make a different history.
func (x *comparer) compareTags(source, target []osmc.Tag) {
	type key struct {
		place
		tag string
	}
	have := map[key]bool{}
	for _, t := range target {
		if p, ok := x.places[1][t.Revision]; ok {
			have[key{p, t.Name}] = true
			continue
		}
		x.tagged = append(x.tagged, fmt.Sprintf("the target has a tag %q of a revision that is not there", t.Name))
	}
	for _, t := range source {
		p, ok := x.places[0][t.Revision]
		if !ok {
			continue // the server no longer lists the revision
		}
		if k := (key{p, t.Name}); have[k] {
			delete(have, k)
			continue
		}
		x.tagged = append(x.tagged, fmt.Sprintf("the target lacks tag %q of revision %d", t.Name, t.Revision))
		if x.isDue(x.byNumber[t.Revision]) {
			x.due++
		}
	}
	for _, t := range target {
		if p := x.places[1][t.Revision]; have[key{p, t.Name}] {
			x.tagged = append(x.tagged,
				fmt.Sprintf("the target has a tag %q (of its revision %d) that the source does not have", t.Name, t.Revision))
		}
	}
}

// mayBeUnknown lists parts that few servers show. If they are unknown, that is mentioned but does not change the
// state.
var mayBeUnknown = []Part{MergedParents, RootObjects, ElementPackages}

func (x *comparer) result() Comparison {
	c := Comparison{
		State: Equal, Missing: x.missing, Due: x.due, Difference: x.first,
		Lacks: wording.Sentences(x.lacks), Tags: wording.Sentences(x.tagged), Renamed: wording.Sentences(x.renamed),
	}
	var unknown []string
	for _, p := range allParts() {
		switch g := x.unknown[p]; {
		case g == nil && x.given[p]:
			c.Compared = append(c.Compared, p)
		case g == nil:
		case slices.Contains(mayBeUnknown, p):
			c.Uncompared = append(c.Uncompared, p)
		default:
			unknown = append(unknown, g.words(p))
		}
	}
	c.Unknown = strings.Join(unknown, "; ")
	switch {
	case x.first != nil:
		c.State = Differs
	case len(x.lacks)+len(x.tagged)+len(x.renamed) > 0:
		c.State = Behind
	case c.Unknown != "":
		c.State = Unknown
	}
	return c
}
