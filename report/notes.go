package report

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// Alike is a finding with the declarations that it is about. There are several if the same note is made about each.
type Alike struct {
	planner.Finding // Addr is that of the first declaration

	Addrs []string
}

// SumUp merges equal notes about several declarations into one, at the place of the first. Warnings and refusals are
// not merged, since somebody must answer for each.
func SumUp(list []planner.Finding) []Alike {
	place := map[planner.Finding]int{}
	var out []Alike
	for _, f := range list {
		key := f
		key.Addr, key.Op = "", ""
		if at, known := place[key]; known && f.Addr != "" {
			out[at].Addrs = append(out[at].Addrs, f.Addr)
			continue
		}
		a := Alike{Finding: f}
		if f.Addr != "" {
			a.Addrs = []string{f.Addr}
			if f.Severity == planner.Note {
				place[key] = len(out)
			}
		}
		out = append(out, a)
	}
	return out
}

// MostAlike is how many notes of one rule are shown if there are many. The number of the others is shown, too.
const MostAlike = 5

// FewOf goes through findings in order. It calls show for each finding to show: all of them, except when a rule has
// many notes. After the last shown note of such a rule it calls more with the number of the others.
func FewOf(list []Alike, show func(Alike), more func(rule string, n int)) {
	notes, seen := map[string]int{}, map[string]int{}
	for _, f := range list {
		if f.Severity == planner.Note {
			notes[f.Rule]++
		}
	}
	for _, f := range list {
		if f.Severity != planner.Note || notes[f.Rule] <= MostAlike+1 {
			show(f)
			continue
		}
		if seen[f.Rule]++; seen[f.Rule] <= MostAlike {
			show(f)
		}
		if seen[f.Rule] == MostAlike {
			more(f.Rule, notes[f.Rule]-MostAlike)
		}
	}
}

// mostNamed is how many declarations of one note are named.
const mostNamed = 3

// Where names the declarations that a finding is about, as far as there is room. written formats an address.
func (a *Alike) Where(written func(string) string) string {
	if len(a.Addrs) == 0 {
		return ""
	}
	named := a.Addrs
	if len(named) > mostNamed+1 {
		named = named[:mostNamed]
	}
	var parts []string
	for _, addr := range named {
		parts = append(parts, written(addr))
	}
	words := strings.Join(parts, ", ")
	if n := len(a.Addrs) - len(named); n > 0 {
		words += fmt.Sprintf(" and %d more", n)
	}
	return words
}
