package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// Line is a value that two plans have differently, as people read it. Of a list only the elements that come or go are
// lines, each with one of the two values.
type Line struct {
	Path string
	Sort planner.Sort
	Was  string
	Is   string
}

// Lines are the lines of what has moved. Values are cut so that it is seen in what they differ.
func Lines(list []planner.Moved) []Line {
	var out []Line
	for _, m := range list {
		var gone, come []string
		if strings.Contains(m.Was+m.Is, "\n") {
			gone, come = apart(elements(m.Was), elements(m.Is))
		}
		if len(gone)+len(come) == 0 { // no list, or one in another order
			out = append(out, Line{m.Path, planner.Changed, Shortened(m.Path, m.Was, m.Is), Shortened(m.Path, m.Is, m.Was)})
			continue
		}
		lost, gained := slices.Sorted(slices.Values(gone)), slices.Sorted(slices.Values(come))
		for _, s := range gone {
			out = append(out, Line{Path: m.Path, Sort: planner.Removed, Was: Shortened(m.Path, s, nearest(gained, s))})
		}
		for _, s := range come {
			out = append(out, Line{Path: m.Path, Sort: planner.Added, Is: Shortened(m.Path, s, nearest(lost, s))})
		}
	}
	return out
}

// elements are those of a list that is written one a line.
func elements(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// apart are the elements that only one of two lists has.
func apart(was, is []string) (gone, come []string) {
	n := map[string]int{}
	for _, s := range was {
		n[s]++
	}
	for _, s := range is {
		if n[s]--; n[s] < 0 {
			come = append(come, s)
		}
	}
	for _, s := range was {
		if n[s] > 0 {
			n[s]--
			gone = append(gone, s)
		}
	}
	return gone, come
}

// nearest is the one of sorted texts that begins most like another text.
func nearest(sorted []string, s string) string {
	at, _ := slices.BinarySearch(sorted, s)
	best, most := "", -1
	for _, other := range sorted[max(0, at-1):min(len(sorted), at+1)] {
		same := 0
		for same < min(len(s), len(other)) && s[same] == other[same] {
			same++
		}
		if same > most {
			best, most = other, same
		}
	}
	return best
}

// mostOfValue is how much of a value is shown beside another, in characters.
const mostOfValue = 400

// Shortened cuts a value so that it is seen in what it differs from another one. Commands stay whole: somebody has to
// judge each of them.
func Shortened(path, s, other string) string {
	if path == "commands" || strings.HasSuffix(path, ".commands") {
		return s
	}
	return CutBeside(s, other, mostOfValue)
}

// OrNothing is a value, or a word for none.
func OrNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// DiffCounts counts steps that differ.
func DiffCounts(list []planner.StepDiff) string {
	n := map[planner.Sort]int{}
	for i := range list {
		n[list[i].Sort]++
	}
	return fmt.Sprintf("%d added, %d removed, %d changed", n[planner.Added], n[planner.Removed], n[planner.Changed])
}

// SignOf marks a difference.
func SignOf(s planner.Sort) planner.Mark {
	return map[planner.Sort]planner.Mark{
		planner.Added: planner.MarkAdd, planner.Removed: planner.MarkDelete, planner.Changed: planner.MarkChange,
	}[s]
}

// What two plans have in common, or not, in a few words.
const (
	SamePlan             = "The plan is the same."
	ChangedPlan          = "The plan has changed."
	ChangedConfiguration = "Configuration: the files or variables have changed."
)
