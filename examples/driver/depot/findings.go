package depot

import "github.com/syncctl/syncctl/planner"

// findings are what a person must know before the plan is carried out. One that refuses stops it. confirmed are
// the steps that a person has done in earlier runs.
func (s state) findings(confirmed map[string]planner.Confirmation) []planner.Finding {
	var out []planner.Finding
	if s.Color == "transparent" {
		out = append(out, planner.Finding{
			Rule: "depot/color", Severity: planner.Refuse,
			Summary: "a transparent box is never found again", Detail: "Choose a colour that can be seen.",
		})
	}
	if s.unpainted() {
		out = append(out, planner.Finding{
			Rule: "depot/wet", Severity: planner.Warn, Op: paint.Name, Summary: "paint is wet at first",
		})
	}
	if before, ok := confirmed[label.Name]; ok {
		out = append(out, planner.Finding{
			Rule: "depot/labelled", Severity: planner.Note, Summary: "a person labelled it before, in run " + before.Run,
		})
	}
	return out
}
