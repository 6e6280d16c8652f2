package revision

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// State is the result of comparing two histories.
type State string

// The states. "" means that nothing was compared.
const (
	Equal   State = "equal"   // the copy has everything, and nothing else
	Unknown State = "unknown" // nothing differs and nothing is missing, but a server does not show all that is compared
	Behind  State = "behind"  // what the copy has is right, but something is missing, or tags or branch names differ
	Differs State = "differs" // the copy has something that the original does not have or that differs there
)

// Part is something that is compared, in addition to branches and the order of revisions.
type Part string

// The parts. MergedParents, RootObjects and ElementPackages are compared only if both servers show them, which few do.
// If any other part is not shown, the comparison is Unknown.
const (
	Author      Part = "author"
	Date        Part = "date"
	Description Part = "description"
	Tags        Part = "tags"
	Parents     Part = "parents"  // what each revision was made from, by its position in the history
	Contents    Part = "contents" // RootObjects and ElementPackages of each branch's newest revision

	Number          Part = "number"         // kept by servers from 2026x on
	MergedParents   Part = "merged parents" // with Parents
	RootObjects     Part = "root objects"
	ElementPackages Part = "element packages"
)

// Optional returns the parts that a declaration may name.
func Optional() []Part { return []Part{Author, Date, Description, Tags, Parents, Contents} }

// Options say how histories are compared.
type Options struct {
	Parts []Part // the compared parts: some of Optional, and perhaps Number

	// Something missing is due only if it is not newer than AsOf (zero: of any time) and not above revision UpTo (0:
	// any).
	AsOf time.Time
	UpTo int
}

func (o Options) has(p Part) bool { return slices.Contains(o.Parts, p) }

// Comparison is the result of comparing a copy with its original. Numbers are those of the original's server, unless
// stated otherwise.
type Comparison struct {
	State   State `json:"state"`
	Missing int   `json:"missing,omitempty"` // revisions that the copy lacks
	// how many of these, and of missing branches and tags, it should have by now
	Due        int         `json:"due,omitempty"`
	Lacks      string      `json:"lacks,omitempty"`      // what is missing, in words
	Difference *Difference `json:"difference,omitempty"` // the first one
	Tags       string      `json:"tags,omitempty"`       // tags that only one of the two has, in words
	Renamed    string      `json:"renamed,omitempty"`    // branches with another name, in words

	Compared   []Part `json:"compared,omitempty"`   // parts that both servers show and that were compared everywhere
	Unknown    string `json:"unknown,omitempty"`    // what should be compared but is not shown by a server, in words
	Uncompared []Part `json:"uncompared,omitempty"` // parts that were not compared because a server does not show them
}

// Difference is a place where a copy differs from its original.
type Difference struct {
	Branch string `json:"branch"`
	Source int    `json:"source,omitempty"` // number of the source's revision; 0: it has none at this place
	Target int    `json:"target,omitempty"`
	Field  string `json:"field"` // a part, or "revision", or "branch"
	Want   string `json:"want,omitempty"`
	Have   string `json:"have,omitempty"`
}

const (
	fieldBranch   = "branch"
	fieldRevision = "revision"
)

func (d *Difference) String() string {
	switch {
	case d.Field == fieldBranch:
		return fmt.Sprintf("the target has a branch %s that the source does not have", d.Branch)
	case d.Field == fieldRevision && d.Target == 0:
		return fmt.Sprintf("revision %d of branch %s is missing on the target, although later ones are there", d.Source,
			d.Branch)
	case d.Field == fieldRevision:
		return fmt.Sprintf("the target has a revision (number %d there) on branch %s that the source does not have",
			d.Target, d.Branch)
	}
	number := fmt.Sprintf("revision %d", d.Source)
	if d.Target != d.Source {
		number += fmt.Sprintf(" (%d on the target)", d.Target)
	}
	return fmt.Sprintf("%s of branch %s differs in its %s: %q on the source, %q on the target",
		number, d.Branch, d.Field, d.Want, d.Have)
}

// IsEqual reports whether nothing is missing, different or unknown, including tags and branch names.
func (c *Comparison) IsEqual() bool { return c.State == Equal }

// IsCopy reports whether everything on the target was copied from the original, as far as the servers show.
func (c *Comparison) IsCopy() bool {
	return c.State == Equal || c.State == Unknown || c.State == Behind
}

// IsReached reports whether everything that is due has arrived.
func (c *Comparison) IsReached() bool { return c.IsCopy() && c.Due == 0 }

// Why returns why the two are not equal, "" if they are.
func (c *Comparison) Why() string {
	var out []string
	if c.Difference != nil {
		out = append(out, c.Difference.String())
	}
	if c.Lacks != "" {
		out = append(out, "the target lacks "+c.Lacks)
	}
	for _, s := range []string{c.Tags, c.Renamed, c.Unknown} {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

// Compare compares a copy with its original, branch by branch: the revisions in their order, and those parts of each
// that the options name. Before 2026x, a target numbers its copies from 1 where the source has gaps (MCS 247046793),
// so numbers are compared only if the options say so. Branches are matched by name, and the remaining ones by ID.
func Compare(source, target *History, o Options) Comparison {
	x := &comparer{Options: o, places: [2]map[int]place{{}, {}}, byNumber: map[int]*osmc.Revision{},
		unknown: map[Part]*gap{}, given: map[Part]bool{}}
	x.pairLines(source.Lines(), target.Lines())
	for _, p := range x.pairs {
		if p.target == nil {
			x.lackLine(p.source)
		} else {
			x.compareRevisions(p)
		}
	}
	if x.first == nil { // otherwise a lost or added revision shifts all later places
		for _, p := range x.pairs {
			x.compareParents(p)
			x.compareContents(p)
		}
	}
	if o.has(Tags) {
		x.given[Tags] = true
		x.compareTags(source.Tags, target.Tags)
	}
	return x.result()
}

// Basis describes by what some copies were all compared, and what was not compared.
func Basis(all []*Comparison) string {
	compared, uncompared := map[Part]bool{}, map[Part]bool{}
	for _, c := range all {
		for _, p := range c.Compared {
			compared[p] = true
		}
		for _, p := range c.Uncompared {
			uncompared[p] = true
		}
	}
	text := "by branch, order" + List(slices.DeleteFunc(allParts(),
		func(p Part) bool { return !compared[p] || uncompared[p] }))
	if len(uncompared) > 0 {
		text += "; not by" + strings.TrimPrefix(List(slices.Sorted(maps.Keys(uncompared))), ",") +
			", which not both servers give"
	}
	return text
}

// List adds parts to the enumeration in a sentence: ", author, date".
func List(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(", " + string(p))
	}
	return b.String()
}

// allParts returns all parts that a comparison may mention.
func allParts() []Part {
	return []Part{Author, Date, Description, Number, Tags, Parents, MergedParents, RootObjects, ElementPackages}
}
