package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
)

// NoDrift says that nothing was changed from outside.
const NoDrift = "Nothing was changed from outside."

// causes are the sections of a report, the most important first.
var causes = []struct {
	cause drift.Cause
	title string
}{
	{drift.Outside, "Changed from outside"},
	{drift.Unknown, "Not known whether it was changed from outside"},
	{drift.Pending, "Not applied yet"},
	{drift.Ignored, "Ignored"},
}

// DriftLine describes a difference in one line, without its declaration.
func DriftLine(d *drift.Difference) string {
	switch d.What {
	case drift.Missing:
		return "it is missing on the server"
	case drift.Steps:
		return "a plan has " + wording.Plural(d.Steps, "step") + " for it"
	case drift.Uncompared:
		return "whether it is as declared is not known"
	}
	return d.Path + ": " + report.Shortened(d.Path, d.Declared, d.Actual) + " is declared, " +
		report.Shortened(d.Path, d.Actual, d.Declared) + " is there"
}

func because(d *drift.Difference) string {
	if d.Cause == drift.Ignored {
		return "ignored until " + d.Until + ": " + d.Reason
	}
	return d.Why
}

// driftSummary returns the numbers of differences by cause.
func driftSummary(r *drift.Report) string {
	return fmt.Sprintf("Drift: %d from outside, %d not known, %d not applied yet, %d ignored, of %s.",
		r.Count(drift.Outside), r.Count(drift.Unknown), r.Count(drift.Pending), r.Count(drift.Ignored),
		wording.Plural(len(r.Compared), "declaration"))
}

// driftSent returns a line for each other site: when its servers were seen, and by whom.
func driftSent(r *drift.Report) []string {
	var out []string
	for _, s := range r.Sent {
		by := ""
		if s.By != "" {
			by = " by " + s.By
		}
		out = append(out, printable.Line("Servers of "+s.Site+" as seen at "+s.At.UTC().Format(time.RFC3339)+by+"."))
	}
	return out
}

// Drift writes a report for people. The summary comes last, so that it stays on the screen.
func Drift(w io.Writer, s Style, r *drift.Report) error {
	var b strings.Builder
	for _, c := range causes {
		if r.Count(c.cause) == 0 {
			continue
		}
		b.WriteString(s.Bold(c.title+":") + "\n")
		addr := ""
		for i := range r.Differences {
			d := &r.Differences[i]
			if d.Cause != c.cause {
				continue
			}
			if d.Addr != addr {
				addr = d.Addr
				s.block(&b, 2, "", addr)
			}
			s.block(&b, beneath, s.mark(planner.MarkChange)+" ", DriftLine(d))
			s.block(&b, beneath+2, "", because(d))
		}
		b.WriteString("\n")
	}
	report.FewOf(report.SumUp(r.Findings), func(f report.Alike) {
		where := f.Where(func(addr string) string { return addr })
		s.block(&b, 0, s.severity(f.Severity)+": ", where+": "+f.Summary+" ["+f.Rule+"]")
	}, func(rule string, n int) {
		s.block(&b, 0, s.severity(planner.Note)+": ", fmt.Sprintf("and %d more like it [%s]; -json shows them", n, rule))
	})
	if len(r.Findings) > 0 {
		b.WriteString("\n")
	}
	for _, line := range driftSent(r) {
		s.block(&b, 0, "", line)
	}
	if r.Count(drift.Outside)+r.Count(drift.Unknown) == 0 {
		b.WriteString(s.Good(NoDrift) + "\n")
	}
	b.WriteString(driftSummary(r) + "\n")
	if slices.ContainsFunc(r.Differences, func(d drift.Difference) bool {
		return d.Cause == drift.Unknown && d.What != drift.Uncompared // no record of what was applied
	}) {
		b.WriteString("If all that is declared has been applied, say so: syncctl drift -applied\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// DriftMarkdown writes a report as Markdown. Text from files and servers is in code blocks.
func DriftMarkdown(w io.Writer, r *drift.Report) error {
	var b strings.Builder
	b.WriteString("## syncctl drift\n\n" + driftSummary(r) + "\n")
	if sent := driftSent(r); len(sent) > 0 {
		b.WriteString("\n" + fenced(sent))
	}
	for _, c := range causes {
		var lines []string
		addr := ""
		for i := range r.Differences {
			d := &r.Differences[i]
			if d.Cause != c.cause {
				continue
			}
			if d.Addr != addr {
				addr = d.Addr
				lines = append(lines, printable.Line(addr))
			}
			lines = append(lines, "  ~ "+printable.Line(DriftLine(d)), "    "+printable.Line(because(d)))
		}
		if len(lines) > 0 {
			b.WriteString("\n### " + c.title + "\n\n" + fenced(lines))
		}
	}
	var lines []string
	report.FewOf(report.SumUp(r.Findings), func(f report.Alike) {
		where := f.Where(func(addr string) string { return addr })
		lines = append(lines, printable.Line(where+": "+f.Summary+" ["+f.Rule+"]"))
	}, func(rule string, n int) {
		lines = append(lines, fmt.Sprintf("and %d more like it [%s]", n, rule))
	})
	if len(lines) > 0 {
		b.WriteString("\n### Findings\n\n" + fenced(lines))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fenced returns a code block whose fence is longer than any fence inside it.
func fenced(lines []string) string {
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + text + "\n" + fence + "\n"
}

// driftDoc is a report as JSON.
type driftDoc struct {
	Format  int `json:"format"`  // of the document: 1
	Outside int `json:"outside"` // how many differences come from outside: this is drift
	Unknown int `json:"unknown"` // of how many it cannot be said
	Pending int `json:"pending"` // how many were not applied yet
	Ignored int `json:"ignored"` // how many a block ignore_drift covers
	*drift.Report
}

// DriftJSON returns a report as a document for programs.
func DriftJSON(r *drift.Report) any {
	return driftDoc{1, r.Count(drift.Outside), r.Count(drift.Unknown), r.Count(drift.Pending), r.Count(drift.Ignored), r}
}
