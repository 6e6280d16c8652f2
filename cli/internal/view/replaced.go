package view

import (
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/planner"
)

// replaced writes a table of what is lost or changes: the original and the new one side by side, or one below the
// other if they do not fit.
func (v *planView) replaced(rows []planner.Replaced) {
	if len(rows) == 0 {
		return
	}
	table := [][4]string{{"", "original", "new", ""}}
	var width [4]int
	for _, r := range rows {
		table = append(table, [4]string{oneLine(r.Part), oneLine(r.Original), oneLine(r.New), outcome(r)})
	}
	for _, row := range table {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	v.o.block(&v.b, 4, "", "What is lost or changes against the original:")
	if room := v.o.Width; room > 0 && 7+width[0]+2+width[1]+2+width[2]+2+width[3] > room {
		v.stacked(rows)
		return
	}
	for i, row := range table {
		line := pad(row[0], width[0]) + "  " + pad(row[1], width[1]) + "  " + pad(row[2], width[2]) + "  " + row[3]
		if i == 0 {
			v.b.WriteString("       " + v.o.Dim(strings.TrimRight(line, " ")) + "\n")
			continue
		}
		v.b.WriteString("    " + v.o.becomes(rows[i-1].Becomes) + "  " + strings.TrimRight(line, " ") + "\n")
	}
}

// stacked writes the rows of replaced for a narrow terminal.
func (v *planView) stacked(rows []planner.Replaced) {
	for _, r := range rows {
		v.b.WriteString("    " + v.o.becomes(r.Becomes) + "  " + oneLine(r.Part) + "  " + outcome(r) + "\n")
		v.o.block(&v.b, beneath+2, "original  ", r.Original)
		v.o.block(&v.b, beneath+2, "new       ", r.New)
	}
}

func outcome(r planner.Replaced) string {
	if r.Accepted {
		return oneLine(string(r.Becomes)) + ", accepted"
	}
	return oneLine(string(r.Becomes))
}

// becomes returns the mark for what happens to a part.
func (s Style) becomes(b planner.Becoming) string {
	switch b {
	case planner.Lost:
		return s.mark(planner.MarkDelete)
	case planner.Gained:
		return s.mark(planner.MarkAdd)
	case planner.Unknown:
		return s.paint(yellow, "?")
	}
	return s.mark(planner.MarkChange)
}
