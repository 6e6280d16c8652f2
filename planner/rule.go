package planner

import "strings"

// Rule explains an ID that syncctl prints: `syncctl explain ID` shows it.
type Rule struct {
	// ID is the ID as printed. NAME in it stands for any name: "field.NAME".
	ID         string     `json:"id"`
	Kind       RuleKind   `json:"kind"`                 // what the ID is printed for
	Severities []Severity `json:"severities,omitempty"` // of a finding; several if it depends
	Meaning    string     `json:"meaning"`              // one or two sentences
	When       string     `json:"when"`                 // when it is printed
	Do         string     `json:"do"`                   // what to do about it

	// Uncompared means that the finding reports a declared value that could not be compared with a server, for example
	// because the server does not show it. Then an empty diff does not mean that nothing differs.
	Uncompared bool `json:"-"`
}

// NotCompared returns the rule with Uncompared set.
func (r Rule) NotCompared() Rule {
	r.Uncompared = true
	return r
}

// Explains reports whether r is the rule for a printed ID.
func (r *Rule) Explains(printed string) bool {
	before, after, open := strings.Cut(r.ID, "NAME")
	if !open {
		return printed == r.ID
	}
	return len(printed) > len(before)+len(after) && strings.HasPrefix(printed, before) &&
		strings.HasSuffix(printed, after)
}

// RuleKind says where an ID is printed.
type RuleKind string

// The kinds of ids.
const (
	KindFinding     RuleKind = "finding"     // in brackets after a finding of a plan
	KindPermission  RuleKind = "permission"  // a check that a declaration may allow to fail
	KindAcceptance  RuleKind = "acceptance"  // a loss that a declaration may accept
	KindExamination RuleKind = "examination" // a line of doctor
	KindExit        RuleKind = "exit code"
	KindRefusal     RuleKind = "refusal" // in brackets after the error that says why a bundle is refused
)

// Rules of findings that plans of any product may have.
const (
	RuleGone    = "plan/gone"
	RuleTarget  = "plan/target"
	ruleOwned   = "plan/owned"
	ruleRetired = "plan/retired"
)

// FindingRule returns the rule of a finding.
func FindingRule(id, meaning, when, do string, severities ...Severity) Rule {
	return Rule{ID: id, Kind: KindFinding, Severities: severities, Meaning: meaning, When: when, Do: do}
}

// Rules returns the rules of findings that plans of any product may have.
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
