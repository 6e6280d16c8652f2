package view

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/planner"
)

// TestDriftNotes: of many notes of one rule a few are shown, and how many there are; all warnings are.
func TestDriftNotes(t *testing.T) {
	r := &drift.Report{}
	for i := range 40 {
		addr := fmt.Sprintf("sync.depot.s%02d", i)
		r.Findings = append(r.Findings,
			planner.Finding{Rule: "depot/note", Severity: planner.Note, Addr: addr, Summary: "note " + addr},
			planner.Finding{Rule: "depot/warn", Severity: planner.Warn, Addr: addr, Summary: "warn " + addr})
	}
	for name, write := range map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return Drift(w, Style{Width: 200}, r) },
		"markdown": func(w io.Writer) error { return DriftMarkdown(w, r) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		notes, warnings := strings.Count(b.String(), "note sync."), strings.Count(b.String(), "warn sync.")
		if notes != 5 || warnings != 40 || !strings.Contains(b.String(), "35 more like it [depot/note]") {
			t.Errorf("%s: %d notes and %d warnings:\n%s", name, notes, warnings, b.String())
		}
	}
}
