package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// Line is a value that differs between two plans, as people read it. For a list there is a line for each element that
// was added or removed, with only one of the two values.
type Line struct {
	Path string
	Sort planner.Sort
	Was  string
	Is   string
}

// Lines returns the lines for changed values. Values are cut so that the difference is visible.
func Lines(list []planner.Moved) []Line {
	var out []Line
	for _, m := range list {
		var gone, come []string
		if strings.Contains(m.Was+m.Is, "\n") {
			gone, come = apart(elements(m.Was), elements(m.Is))
		}
		if len(gone)+len(come) == 0 { // not a list, or only the order differs
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

// elements splits a list that is written with one element per line.
func elements(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// apart returns the elements that only one of two lists has.
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

// nearest returns the text with the longest common prefix with s. sorted must be sorted.
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

// mostOfValue is the maximum length, in characters, of a value that is shown next to another.
const mostOfValue = 400

// Shortened cuts a value so that its difference from another value is visible. Commands are not cut, since somebody
// has to judge each of them.
func Shortened(path, s, other string) string {
	if path == "commands" || strings.HasSuffix(path, ".commands") {
		return s
	}
	return CutBeside(s, other, mostOfValue)
}

// OrNothing returns a value, or a word if it is empty.
func OrNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// DiffCounts says how many steps were added, removed and changed.
func DiffCounts(list []planner.StepDiff) string {
	n := map[planner.Sort]int{}
	for i := range list {
		n[list[i].Sort]++
	}
	return fmt.Sprintf("%d added, %d removed, %d changed", n[planner.Added], n[planner.Removed], n[planner.Changed])
}

// SignOf returns the mark of a difference.
func SignOf(s planner.Sort) planner.Mark {
	return map[planner.Sort]planner.Mark{
		planner.Added: planner.MarkAdd, planner.Removed: planner.MarkDelete, planner.Changed: planner.MarkChange,
	}[s]
}

// Lines that say in a few words whether two plans are the same.
const (
	SamePlan             = "The plan is the same."
	ChangedPlan          = "The plan has changed."
	ChangedConfiguration = "Configuration: the files or variables have changed."
)
