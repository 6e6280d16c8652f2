package planner

import "strings"

// Rule explains an id that syncctl prints: `syncctl explain ID` shows it.
type Rule struct {
	// ID is as it is printed. NAME in it stands for any name: "field.NAME".
	ID         string     `json:"id"`
	Kind       RuleKind   `json:"kind"`
	Severities []Severity `json:"severities,omitempty"` // of a finding: several where it depends
	Meaning    string     `json:"meaning"`              // one or two sentences
	When       string     `json:"when"`                 // it is printed
	Do         string     `json:"do"`                   // the way out

	// Uncompared: the finding says that something declared could not be compared with a server, such as because that does
	// not show it. That nothing differs means nothing then.
	Uncompared bool `json:"-"`
}

// NotCompared is the rule as one with Uncompared.
func (r Rule) NotCompared() Rule {
	r.Uncompared = true
	return r
}

// Explains tells whether a rule is the one of what was printed.
func (r *Rule) Explains(printed string) bool {
	before, after, open := strings.Cut(r.ID, "NAME")
	if !open {
		return printed == r.ID
	}
	return len(printed) > len(before)+len(after) && strings.HasPrefix(printed, before) &&
		strings.HasSuffix(printed, after)
}

// RuleKind is where an id is printed.
type RuleKind string

// The kinds of ids.
const (
	KindFinding     RuleKind = "finding"     // in brackets behind a finding of a plan
	KindPermission  RuleKind = "permission"  // a check that a declaration may allow to fail
	KindAcceptance  RuleKind = "acceptance"  // a loss that a declaration may accept
	KindExamination RuleKind = "examination" // a line of doctor
	KindExit        RuleKind = "exit code"
	KindRefusal     RuleKind = "refusal" // in brackets behind the error that says why a bundle is not taken
)

// The rules of findings that any product's plan may have.
const (
	RuleGone    = "plan/gone"
	RuleTarget  = "plan/target"
	ruleOwned   = "plan/owned"
	ruleRetired = "plan/retired"
)

// FindingRule is the rule of a finding.
func FindingRule(id, meaning, when, do string, severities ...Severity) Rule {
	return Rule{ID: id, Kind: KindFinding, Severities: severities, Meaning: meaning, When: when, Do: do}
}

// Rules are those of the findings that any product's plan may have.
func Rules() []Rule {
	return []Rule{
		FindingRule(RuleGone,
			"An earlier run has done something for a declaration that is in the files no longer. Nothing is removed because "+
				"a block is missing: what there is stays as it is.",
			"The record of a run has steps of an address that is neither declared, nor moved, nor removed.",
			"If it is meant to be left alone, write removed { from = ADDRESS }. If it has another name now, write moved with "+
				"from and to. Otherwise bring the block back.", Note, Warn),
		FindingRule(ruleOwned,
			"The target belongs to another declaration, such as a migration, which carries it out.",
			"-target names a declaration that another one owns.",
			"Nothing. The plan has the owner's steps, whole.", Note),
		FindingRule(ruleRetired,
			"The counterpart of the declaration was removed for good by an earlier run, so it is not made again.",
			"The record of a run says that it removed what the declaration is about, and the servers do not have it.",
			"Remove the block from the files.", Note),
		FindingRule(RuleTarget,
			"The plan is not whole: declarations are left out.",
			"-target or -exclude is given, and something is left out because of it.",
			"Run a plan without -target and -exclude before you rely on the result.", Warn),
	}
}
