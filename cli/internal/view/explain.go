package view

import (
	"io"
	"strings"

	"github.com/syncctl/syncctl/planner"
)

// Explained is a rule and its product. Product is "" if the rule applies to any product.
type Explained struct {
	Product string `json:"product,omitempty"` // absent: it is of any product
	planner.Rule
}

// Rules writes for each rule what it means, when it appears, and what to do.
func Rules(w io.Writer, s Style, rules []Explained) error {
	var b strings.Builder
	for i := range rules {
		if i > 0 {
			b.WriteString("\n")
		}
		r := &rules[i]
		b.WriteString(s.Bold(r.ID) + " (" + r.Nature() + ")\n")
		s.block(&b, 2, "", r.Meaning)
		s.block(&b, 2, "When: ", r.When)
		s.block(&b, 2, "What to do: ", r.Do)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// RuleList writes what each rule means, under a title for each product and kind.
func RuleList(w io.Writer, s Style, rules []Explained) error {
	var b strings.Builder
	title := ""
	for i := range rules {
		r := &rules[i]
		if r.Title() != title {
			title = r.Title()
			if i > 0 {
				b.WriteString("\n")
			}
			b.WriteString(s.Bold(title) + "\n")
		}
		b.WriteString("  " + r.ID + "\n")
		s.block(&b, 6, "", r.Meaning)
	}
	b.WriteString("\nsyncctl explain ID says when it appears and what to do.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// kinds are the kinds of rules, for titles.
var kinds = map[planner.RuleKind]string{
	planner.KindFinding:     "findings of plans",
	planner.KindPermission:  "checks that allow names",
	planner.KindAcceptance:  "losses that accept names",
	planner.KindExamination: "lines of doctor",
	planner.KindExit:        "exit codes",
	planner.KindRefusal:     "why a bundle is refused",
}

// Title returns the title under which a rule is listed.
func (r *Explained) Title() string {
	if r.Product == "" {
		return "Any product: " + kinds[r.Kind]
	}
	return r.Product + ": " + kinds[r.Kind]
}

// severities holds the words for the severities of findings.
var severities = map[planner.Severity]string{
	planner.Refuse: "error, stops the plan", planner.Warn: "warning", planner.Note: "note",
}

// Nature says in words what kind of rule it is, and for a finding, how severe.
func (r *Explained) Nature() string {
	if r.Kind != planner.KindFinding {
		return string(r.Kind)
	}
	var out []string
	for _, severity := range r.Severities {
		out = append(out, severities[severity])
	}
	return string(r.Kind) + ": " + strings.Join(out, ", or ")
}
