package view

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
)

// Examined holds what was found out about one declared server or keystore.
type Examined struct {
	Address string
	Found   []driver.Examination
}

// examinationJSON is one row of the table for programs.
type examinationJSON struct {
	Address string `json:"address"` // the declaration that was examined
	driver.Examination
}

// ExaminationsJSON returns all examinations as one list, for programs.
func ExaminationsJSON(all []Examined) any {
	rows := []examinationJSON{}
	for _, one := range all {
		for _, x := range one.Found {
			rows = append(rows, examinationJSON{one.Address, x})
		}
	}
	return rows
}

// Examinations writes the table of a doctor, grouped by declaration, and how many ended in which state.
func Examinations(w io.Writer, s Style, all []Examined) error {
	const states = 8 // width of the longest state and a gap
	what := 0
	counts := map[driver.State]int{}
	for _, one := range all {
		for _, x := range one.Found {
			what = max(what, utf8.RuneCountInString(oneLine(x.What)))
			counts[x.State]++
		}
	}
	var b strings.Builder
	for _, one := range all {
		b.WriteString(s.Bold(oneLine(one.Address)) + "\n")
		for _, x := range one.Found {
			state := s.paint(stateLook[x.State], string(x.State)) + strings.Repeat(" ", max(states-len(x.State), 1))
			indent := 2 + what + 2 + states
			lines := Wrap(oneLine(x.Seen), s.room(indent))
			b.WriteString("  " + pad(oneLine(x.What), what) + "  " + state + lines[0] + "\n")
			lines = lines[1:]
			if x.State != driver.OK && x.Advice != "" {
				lines = append(lines, Wrap("-> "+oneLine(x.Advice), s.room(indent))...)
			}
			for _, line := range lines {
				b.WriteString(strings.Repeat(" ", indent) + line + "\n")
			}
		}
		b.WriteString("\n")
	}
	if len(all) == 0 {
		b.WriteString("No server and no keystore is declared.\n")
	} else {
		fmt.Fprintf(&b, "Examined: %s. %d ok, %d warn, %d fail, %d unknown. Nothing was changed.\n",
			wording.Plural(len(all), "declaration"), counts[driver.OK], counts[driver.Warn], counts[driver.Fail],
			counts[driver.Unknown])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var stateLook = map[driver.State]string{driver.OK: green, driver.Warn: yellow, driver.Fail: red, driver.Unknown: yellow}
