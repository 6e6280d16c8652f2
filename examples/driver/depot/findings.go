package depot

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
)

// The ids of findings, behind "depot/", and of what is examined. Each has its words in Rules.
const (
	ruleColor    = "color"
	ruleLabelled = "labelled"
	ruleWet      = "wet"

	whatBox = "box"
)

// Rules explain what the depot's findings and examinations are, for `syncctl explain`.
func (d *Driver) Rules() []planner.Rule {
	return []planner.Rule{
		planner.FindingRule("depot/"+ruleColor,
			"A transparent box is never found again.",
			"A box is declared with color = \"transparent\".",
			"Choose a colour that can be seen.", planner.Refuse),
		planner.FindingRule("depot/"+ruleLabelled,
			"A person has labelled the box before, so the label has been changed since.",
			"The label is to be changed, and the record of an earlier run says that a person did that step.",
			"Ask who has changed it.", planner.Note),
		planner.FindingRule("depot/"+ruleWet,
			"Paint is wet at first.",
			"The plan paints a box.",
			"Wait a day before you touch the box.", planner.Warn),
		driver.ExaminationRule(whatBox+" NAME",
			"Whether the depot has the box that a declaration is about. One that is missing is added later.",
			"A declaration refers to the depot.",
			"Ask the keeper if it cannot be read."),
	}
}

// findings are what a person must know before the plan is carried out. One that refuses stops it. confirmed are
// the steps that a person has done in earlier runs.
func (s state) findings(confirmed map[string]planner.Confirmation) []planner.Finding {
	var out []planner.Finding
	if s.Color == "transparent" {
		out = append(out, planner.Finding{
			Rule: "depot/" + ruleColor, Severity: planner.Refuse,
			Summary: "a transparent box is never found again", Detail: "Choose a colour that can be seen.",
		})
	}
	if s.unpainted() {
		out = append(out, planner.Finding{
			Rule: "depot/" + ruleWet, Severity: planner.Warn, Op: paint.Name, Summary: "paint is wet at first",
		})
	}
	if before, ok := confirmed[label.Name]; ok {
		out = append(out, planner.Finding{
			Rule: "depot/" + ruleLabelled, Severity: planner.Note,
			Summary: "a person labelled it before, in run " + before.Run,
		})
	}
	return out
}
