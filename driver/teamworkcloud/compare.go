package teamworkcloud

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// What a comparison of histories comes to.
const (
	equal   = "equal"   // the copy has everything, and nothing else
	behind  = "behind"  // what the copy has is right, and something is missing
	differs = "differs" // the copy has something that the original has not, or has otherwise
)

// comparing says how histories are compared.
type comparing struct {
	Author, Date, Description, Tags bool
	Numbers                         bool // both servers keep numbers (2026x and later)

	// What is missing is due only if it is not newer than AsOf (zero: whenever it was made) and not above UpTo (0: any).
	AsOf time.Time
	UpTo int
}

// comparison is how a copy stands to its original. Numbers are those of the original's server, unless said otherwise.
type comparison struct {
	State      string      `json:"state"`                // "" when nothing was compared
	Missing    int         `json:"missing,omitempty"`    // revisions that the copy lacks
	Due        int         `json:"due,omitempty"`        // those of them, and branches and tags, that it should have by now
	Lacks      string      `json:"lacks,omitempty"`      // what is missing, in words
	Difference *difference `json:"difference,omitempty"` // the first
	Tags       string      `json:"tags,omitempty"`       // tags that only one of the two has, in words
	Renamed    string      `json:"renamed,omitempty"`    // branches that are called otherwise, in words
}

// difference is where a copy is not what it is a copy of.
type difference struct {
	Branch string `json:"branch"`
	Source int    `json:"source,omitempty"` // number of the revision there; 0: it has none at this place
	Target int    `json:"target,omitempty"`
	Field  string `json:"field"` // author, date, description, number, revision, branch
	Want   string `json:"want,omitempty"`
	Have   string `json:"have,omitempty"`
}

func (d *difference) String() string {
	switch {
	case d.Field == "branch":
		return fmt.Sprintf("the target has a branch %s that the source has not", d.Branch)
	case d.Field == "revision" && d.Target == 0:
		return fmt.Sprintf("revision %d of branch %s is missing on the target, although later ones are there", d.Source, d.Branch)
	case d.Field == "revision":
		return fmt.Sprintf("the target has a revision (its number is %d there) on branch %s that the source has not", d.Target, d.Branch)
	}
	number := fmt.Sprintf("revision %d", d.Source)
	if d.Target != d.Source {
		number += fmt.Sprintf(" (%d on the target)", d.Target)
	}
	return fmt.Sprintf("%s of branch %s: the %s is %q on the source and %q on the target", number, d.Branch, d.Field, d.Want, d.Have)
}

// isEqual: nothing is missing and nothing differs, tags and branch names included.
func (c *comparison) isEqual() bool { return c.State == equal }

// isCopy: what is there has been copied from the original and from nowhere else.
func (c *comparison) isCopy() bool { return c.State == equal || c.State == behind }

// isReached: everything that is due has arrived.
func (c *comparison) isReached() bool { return c.isCopy() && c.Due == 0 }

// why says what keeps the two from being equal, "" if nothing does.
func (c *comparison) why() string {
	var out []string
	if c.Difference != nil {
		out = append(out, c.Difference.String())
	}
	if c.Lacks != "" {
		out = append(out, "the target lacks "+c.Lacks)
	}
	for _, s := range []string{c.Tags, c.Renamed} {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

// compareHistories compares a copy with its original, branch by branch: which revisions there are, in their order, and of each
// what o names. Numbers are not compared unless o says so: before 2026x a target counts anew where the source has gaps
// (MCS 247046793). Branches belong together by name, and those left over by id.
func compareHistories(source, target *history, o comparing) comparison {
	x := &comparer{comparing: o, places: [2]map[int]place{{}, {}}, byNumber: map[int]*osmc.Revision{}}
	src, tgt := source.lines(), target.lines()
	paired := map[*line]bool{}
	for _, s := range src {
		t := partner(s, tgt, src, paired)
		if t == nil {
			x.alone(s)
			continue
		}
		paired[t] = true
		if t.name != s.name {
			x.renamed = append(x.renamed, fmt.Sprintf("branch %s is called %s on the target", s.name, t.name))
		}
		x.pair(s, t)
	}
	for _, t := range tgt {
		if paired[t] {
			continue
		}
		x.place(1, t.name, t.revisions)
		x.differ(difference{Branch: t.name, Field: "branch"})
	}
	if o.Tags {
		x.tags(source.Tags, target.Tags)
	}
	return x.result()
}

// partner finds the branch of the copy that belongs to one of the original's.
func partner(s *line, tgt, src []*line, taken map[*line]bool) *line {
	var byID *line
	for _, t := range tgt {
		switch {
		case taken[t]:
		case t.name == s.name:
			return t
		case t.id == s.id && !named(src, t.name):
			byID = t
		}
	}
	return byID
}

func named(lines []*line, name string) bool {
	for _, l := range lines {
		if l.name == name {
			return true
		}
	}
	return false
}

// place is where a revision stands, whatever its number is.
type place struct {
	branch string
	index  int
}

type comparer struct {
	comparing
	places   [2]map[int]place // number -> place, on the source and on the target
	byNumber map[int]*osmc.Revision
	first    *difference
	lacks    []string
	missing  int
	due      int
	tagged   []string
	renamed  []string
}

func (x *comparer) place(side int, branch string, revisions []*osmc.Revision) {
	for i, r := range revisions {
		x.places[side][r.Number] = place{branch, i}
		if side == 0 {
			x.byNumber[r.Number] = r
		}
	}
}

// differ keeps the difference that comes first in the original's numbers; those of the target alone come last.
func (x *comparer) differ(d difference) {
	if x.first == nil || d.Source != 0 && (x.first.Source == 0 || d.Source < x.first.Source) {
		x.first = &d
	}
}

func (x *comparer) isDue(r *osmc.Revision) bool {
	return (x.UpTo == 0 || r.Number <= x.UpTo) && (x.AsOf.IsZero() || !r.Created.Truncate(time.Second).After(x.AsOf))
}

func (x *comparer) lack(branch string, revisions []*osmc.Revision) {
	var numbers []int
	for _, r := range revisions {
		numbers = append(numbers, r.Number)
		if x.isDue(r) {
			x.due++
		}
	}
	x.missing += len(numbers)
	word := "revisions"
	if len(numbers) == 1 {
		word = "revision"
	}
	x.lacks = append(x.lacks, fmt.Sprintf("%s %s of branch %s", word, wording.Spans(numbers), branch))
}

// alone: the copy has no such branch yet.
func (x *comparer) alone(s *line) {
	x.place(0, s.name, s.revisions)
	if len(s.revisions) > 0 {
		x.lack(s.name, s.revisions)
		return
	}
	x.lacks = append(x.lacks, "branch "+s.name)
	if x.UpTo == 0 || s.start <= x.UpTo {
		x.due++
	}
}

func (x *comparer) pair(s, t *line) {
	x.place(0, s.name, s.revisions)
	x.place(1, s.name, t.revisions)
	n := min(len(s.revisions), len(t.revisions))
	for i := range n {
		d := x.fields(s.revisions[i], t.revisions[i])
		if d == nil {
			continue
		}
		x.missing += max(0, len(s.revisions)-len(t.revisions))
		d.Branch = s.name
		switch { // a revision that was lost or added shifts all that follow
		case i+1 < len(s.revisions) && x.fields(s.revisions[i+1], t.revisions[i]) == nil:
			d.Field, d.Target, d.Want, d.Have = "revision", 0, "", ""
		case i+1 < len(t.revisions) && x.fields(s.revisions[i], t.revisions[i+1]) == nil:
			d.Field, d.Source, d.Want, d.Have = "revision", 0, "", ""
		}
		x.differ(*d)
		return
	}
	switch {
	case len(s.revisions) > n:
		x.lack(s.name, s.revisions[n:])
	case len(t.revisions) > n:
		x.differ(difference{Branch: s.name, Target: t.revisions[n].Number, Field: "revision"})
	}
}

// fields is the first thing in which two revisions are not the same, nil if there is none.
func (x *comparer) fields(s, t *osmc.Revision) *difference {
	d := &difference{Source: s.Number, Target: t.Number}
	for _, f := range []struct {
		compared   bool
		name       string
		want, have string
	}{
		{x.Date, "date", instant(s.Created), instant(t.Created)},
		{x.Author, "author", s.Author, t.Author},
		{x.Description, "description", s.Description, t.Description},
		{x.Numbers, "number", fmt.Sprint(s.Number), fmt.Sprint(t.Number)},
	} {
		if f.compared && f.want != f.have {
			d.Field, d.Want, d.Have = f.name, f.want, f.have
			return d
		}
	}
	return nil
}

// tags are compared by name and by the place of their revision. They can be set on old revisions, and taken off, so that
// they alone do not make a history another one.
func (x *comparer) tags(source, target []osmc.Tag) {
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
			continue // of a revision that is there no more
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
			x.tagged = append(x.tagged, fmt.Sprintf("the target has a tag %q (of its revision %d) that the source has not", t.Name, t.Revision))
		}
	}
}

func (x *comparer) result() comparison {
	c := comparison{State: equal, Missing: x.missing, Due: x.due, Lacks: wording.Sentences(x.lacks), Difference: x.first, Tags: wording.Sentences(x.tagged), Renamed: wording.Sentences(x.renamed)}
	switch {
	case x.first != nil:
		c.State = differs
	case len(x.lacks)+len(x.tagged)+len(x.renamed) > 0:
		c.State = behind
	}
	return c
}
