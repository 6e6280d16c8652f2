// Package page writes reports as documents: Markdown for comments, and HTML.
package page

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
)

// MostOfComment is the maximum length of a GitHub comment, in UTF-16 units: a character beyond the first 65,536 of
// Unicode counts as two.
const MostOfComment = 65536

// Lengths in Markdown, in characters: the room reserved for the note about what was left out, and the maximum of one
// text.
const (
	roomForNote = 600
	mostOfText  = 500
)

// CommentMark is the beginning of each comment, by which a program recognizes it to replace it. It is not displayed.
const CommentMark = "<!-- syncctl -->"

// Markdown writes a report as a comment of at most the given number of characters. It says at its end what was left
// out: first details, then the picture, then notes, then steps.
func Markdown(w io.Writer, r *report.Report, most int) error {
	m := &markdown{r: r, room: most - roomForNote, actions: map[string]planner.Action{}}
	for i := range r.Plan.Changes {
		m.actions[r.Plan.Changes[i].Addr] = r.Plan.Changes[i].Action
	}
	m.head()
	m.since(r.Since)
	m.refusals()
	m.warnings()
	m.steps()
	m.rest()
	m.picture()
	m.details()
	m.note("The plan has it all: `syncctl show`.")
	_, err := io.WriteString(w, printable.Text(m.b.String()))
	return err
}

type markdown struct {
	r       *report.Report
	b       strings.Builder
	room    int
	actions map[string]planner.Action // by declaration

	// How many steps, details, findings and lines of differences are left out.
	linesLeft, detailsLeft, findingsLeft, changesLeft int

	pictureLeft bool
	notDrawn    int
}

// length returns the length of a text in UTF-16 units.
func length(s string) int { return len(utf16.Encode([]rune(printable.Text(s)))) }

// fits writes a text if there is room for it and for after more characters.
func (m *markdown) fits(text string, after int) bool {
	n := length(text)
	if n+after > m.room {
		return false
	}
	m.room -= n
	m.b.WriteString(text)
	return true
}

// cut returns at most the given number of characters of a text, and "…" if there are more.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func beside(s, other string) string { return report.CutBeside(s, other, mostOfText) }

// becomes writes a text and the text that replaces it.
func becomes(was, is string) string {
	return printable.MarkdownCode(beside(was, is)) + " → " + printable.MarkdownCode(beside(is, was))
}

func text(s string) string { return printable.Markdown(cut(s, mostOfText)) }

func code(s string) string { return printable.MarkdownCode(cut(s, mostOfText)) }

// head writes the summary: what the plan does, how much, who does it, and what cannot be undone.
func (m *markdown) head() {
	r := m.r
	fmt.Fprintf(&m.b, "%s\n### %s\n\n", CommentMark, printable.Markdown(r.Verdict()))
	if len(r.Steps) == 0 {
		if len(r.Refusals) == 0 {
			m.b.WriteString(report.Nothing(r.Plan, "below") + "\n\n")
		}
	} else {
		fmt.Fprintf(&m.b, "%s\n%s\n\n", report.Counts(r.Tally), report.StepCounts(r.Tally))
	}
	item := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&m.b, "- **%s:** %s\n", name, value)
		}
	}
	item("For a person", short(report.StepList(report.Numbers(r.Where(isPerson)))))
	for i, s := range r.Where((*report.Step).Irreversible) {
		if i == 3 {
			item("Cannot be undone", "more, see below")
			break
		}
		loses := ""
		if s.Effect.Loses != "" {
			loses = ", loses " + text(s.Effect.Loses)
		}
		item("Cannot be undone", fmt.Sprintf("step %d, %s%s", s.Number, code(s.Op), loses))
	}
	item("Rollback", text(r.Rollback()))
	if n := r.Warnings(); n > 0 {
		item("Warnings", fmt.Sprint(n))
	}
	item("Servers", fmt.Sprint(r.Topology.CountServers()))
	if sites := r.Topology.SiteNames(); len(sites) > 0 {
		item("Sites", code(strings.Join(sites, ", ")))
	}
	if len(r.Plan.Turns) > 0 {
		item("Exchanges", fmt.Sprint(r.Plan.Exchanges()))
	}
	for i := range r.Parties {
		item("Site "+code(r.Parties[i].Name), text(r.Parties[i].Words()))
	}
	for _, s := range []report.State{report.Failed, report.Stuck, report.Interrupted, report.Waiting, report.Running,
		report.Again, report.Away} {
		item(strings.ToUpper(string(s[:1]))+string(s[1:]), short(report.StepList(report.Numbers(r.In(s)))))
	}
	item("Plan hash", "`"+r.Hash+"`")
	m.b.WriteString("\n")
	if r.Run != nil {
		fmt.Fprintf(&m.b, "%s\n\n", printable.Markdown(r.Earlier()))
	}
	m.room -= length(m.b.String())
}

func isPerson(s *report.Step) bool { return s.Manual != nil }

// short cuts the list of steps in an item of the summary.
func short(s string) string { return cut(s, 200) }

func (m *markdown) refusals() {
	for _, f := range m.r.Refusals {
		addr := ""
		if f.Addr != "" {
			addr = code(f.Addr) + ": "
		}
		line := fmt.Sprintf("> **refused** %s%s %s\n", addr, text(f.Summary), code(f.Rule))
		for _, detail := range strings.Split(f.Detail, "\n") {
			if detail != "" {
				line += "> — " + text(detail) + "\n"
			}
		}
		if !m.fits(line+">\n", 0) {
			m.findingsLeft++
		}
	}
	if len(m.r.Refusals) > 0 {
		m.b.WriteString("\n")
	}
}

// steps writes one line per step, in the order of the plan, with their findings below.
func (m *markdown) steps() {
	last := ""
	for _, s := range m.r.Steps {
		if m.linesLeft > 0 { // no later step is listed after one was left out
			m.linesLeft++
			m.findingsLeft += len(s.Findings)
			continue
		}
		line := ""
		if s.Addr != last {
			line = "\n" + m.heading(s.Addr)
		}
		if !m.fits(line+m.stepLine(s), 0) {
			m.linesLeft++
			m.findingsLeft += len(s.Findings)
			continue
		}
		last = s.Addr
		for _, f := range s.Findings {
			if !m.fits("  - "+finding(f)+"\n", 0) {
				m.findingsLeft++
			}
		}
	}
}

func (m *markdown) heading(addr string) string {
	action := ""
	if word := report.ActionWord(m.actions[addr]); word != "" {
		action = " (" + text(word) + ")"
	}
	return "**" + code(addr) + "**" + action + "\n\n"
}

func (m *markdown) stepLine(s *report.Step) string {
	line := fmt.Sprintf("- **%d** %s %s %s", s.Number, code(string(s.Mark)), code(s.Op), text(s.Summary))
	var notes []string
	if s.Manual != nil {
		notes = append(notes, "for a person")
	}
	if s.Irreversible() {
		notes = append(notes, "**cannot be undone**")
	}
	if s.Site != "" {
		notes = append(notes, "site "+code(s.Site))
	}
	if m.r.Run != nil {
		state := string(s.State)
		if s.Measured {
			state += ", " + picture.Span(s.Took)
		}
		if s.State != report.Done && s.State != report.Open && s.Why != "" {
			state += ": " + text(s.Why)
		}
		notes = append(notes, state)
	}
	if len(notes) > 0 {
		line += " *(" + strings.Join(notes, "; ") + ")*"
	}
	return line + "\n"
}

func finding(f planner.Finding) string {
	out := fmt.Sprintf("**%s** %s %s", report.SeverityWord(f.Severity), text(f.Summary), code(f.Rule))
	if f.Detail != "" {
		out += " — " + text(strings.ReplaceAll(f.Detail, "\n", " "))
	}
	return out
}

// apart returns the findings that belong to no step: either the warnings or the others.
func (m *markdown) apart(warnings bool) []string {
	var list []report.Alike
	take := func(f report.Alike) {
		if (f.Severity == planner.Warn) == warnings {
			list = append(list, f)
		}
	}
	for _, f := range m.r.Findings {
		take(report.Alike{Finding: f})
	}
	for _, f := range m.r.Notes {
		take(f)
	}
	for _, d := range m.r.Declarations {
		for _, f := range d.Findings {
			take(report.Alike{Finding: f, Addrs: []string{d.Addr}})
		}
	}
	var lines []string
	report.FewOf(list, func(f report.Alike) {
		where := f.Where(code)
		if where != "" {
			where += ": "
		}
		lines = append(lines, "- "+where+finding(f.Finding)+"\n")
	}, func(rule string, n int) {
		lines = append(lines, fmt.Sprintf("- and %d more like it %s\n", n, code(rule)))
	})
	return lines
}

// warnings writes those that belong to no step. They come before the steps, which may fill the room.
func (m *markdown) warnings() { m.list("\n**Warnings**\n\n", m.apart(true)) }

// rest writes the other findings that belong to no step, and the differences that no step changes.
func (m *markdown) rest() {
	list := m.apart(false)
	for _, d := range m.r.Declarations {
		if len(d.Steps) > 0 {
			continue
		}
		for _, x := range d.Diff {
			list = append(list, fmt.Sprintf("- %s differs, and no step changes it: %s %s\n", code(d.Addr), code(x.Path),
				becomes(x.Actual, x.Declared)))
		}
	}
	m.list("\n**Findings**\n\n", list)
}

// list writes lines below a title, as far as there is room.
func (m *markdown) list(title string, lines []string) {
	if len(lines) == 0 || !m.fits(title, length(lines[0])) {
		m.findingsLeft += len(lines)
		return
	}
	for _, line := range lines {
		if !m.fits(line, 0) {
			m.findingsLeft++
		}
	}
}

func (m *markdown) picture() {
	if len(m.r.Topology.Servers()) == 0 {
		return
	}
	drawn, left := picture.Mermaid(m.r)
	m.notDrawn = left
	block := "\n<details><summary>Servers and synchronizations</summary>\n\n```mermaid\n" + drawn + "```\n\n</details>\n"
	m.pictureLeft = !m.fits(block, 0)
}

// details writes everything else about the steps, folded, one fold per declaration.
func (m *markdown) details() {
	const end = "\n</details>\n"
	for _, d := range m.r.Declarations {
		var parts []string
		if table := differences(d); table != "" {
			parts = append(parts, table)
		}
		for _, s := range d.Steps {
			parts = append(parts, m.detail(s))
		}
		if len(parts) == 0 {
			continue
		}
		head := "\n<details><summary>Details of <code>" + printable.MarkdownHTML(cut(d.Addr, mostOfText)) +
			"</code></summary>\n\n"
		if !m.fits(head, length(parts[0])+len(end)) {
			m.detailsLeft += max(1, len(d.Steps))
			continue
		}
		for i, part := range parts {
			if !m.fits(part, len(end)) {
				m.detailsLeft += min(len(parts)-i, max(1, len(d.Steps)))
				break
			}
		}
		m.b.WriteString(end)
		m.room -= len(end)
	}
}

// differences returns the arguments of a declaration that differ, and what happens to the parts that it replaces.
func differences(d *report.Declaration) string {
	var b strings.Builder
	for _, x := range d.Diff {
		fmt.Fprintf(&b, "- %s: %s\n", code(x.Path), becomes(x.Actual, x.Declared))
	}
	for _, x := range d.Replaced {
		accepted := ""
		if x.Accepted {
			accepted = " *(accepted)*"
		}
		fmt.Fprintf(&b, "- %s is %s: %s%s\n", code(x.Part), text(string(x.Becomes)), becomes(x.Original, x.New), accepted)
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func (m *markdown) detail(s *report.Step) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%d** %s\n\n", s.Number, code(s.ID))
	item := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", name, value)
		}
	}
	item("because", text(s.Because))
	item("waits for", report.StepList(s.Needs))
	item("at", codes(s.Servers))
	item("approved by", codes(s.Approvals))
	item("verified again right before", codes(s.Guards))
	item("if interrupted", report.IfInterrupted(s.Step))
	if s.Effect != nil {
		item("effect", report.Effect(s.Effect))
		item("loses", text(s.Effect.Loses))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		item(code(name), code(s.Args[name]))
	}
	item("undone by", text(s.Undo))
	commands := s.Commands
	if s.Manual != nil {
		item("a person goes to", text(s.Manual.Where))
		for i, line := range s.Manual.Do {
			item(fmt.Sprintf("does %d", i+1), text(line))
		}
		for _, v := range s.Manual.Values {
			value := v.Value
			if v.Shown != "" {
				value = v.Shown
			}
			item(text(v.Label), code(value))
		}
		commands = slices.Concat(commands, s.Manual.Commands)
	}
	if len(commands) > 0 {
		b.WriteString("\n" + printable.MarkdownBlock("sh", strings.Join(commands, "\n")))
	}
	b.WriteString("\n")
	return b.String()
}

func codes(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, code(s))
	}
	return strings.Join(out, ", ")
}

// note writes what was left out, and where to find it.
func (m *markdown) note(whole string) {
	var parts []string
	if m.changesLeft > 0 {
		parts = append(parts, fmt.Sprintf("%d lines of what has changed", m.changesLeft))
	}
	if m.linesLeft > 0 {
		parts = append(parts, fmt.Sprintf("%d steps", m.linesLeft))
	}
	if m.findingsLeft > 0 {
		parts = append(parts, fmt.Sprintf("%d findings", m.findingsLeft))
	}
	if m.detailsLeft > 0 {
		parts = append(parts, fmt.Sprintf("details of %d steps", m.detailsLeft))
	}
	switch {
	case m.pictureLeft:
		parts = append(parts, "the picture")
	case m.notDrawn > 0:
		parts = append(parts, fmt.Sprintf("%d declarations in the picture", m.notDrawn))
	}
	if len(parts) > 0 {
		fmt.Fprintf(&m.b, "\n**Left out, because a comment may not be longer:** %s. %s\n",
			strings.Join(parts, ", "), whole)
	}
}
