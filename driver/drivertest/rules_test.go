package drivertest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
)

const ruledCode = `package depot

const (
	ruleWet    = "wet"
	RuleColor  = "color"
	whatBox    = "box"
	WhatShared = "clock"
	other      = "other"
)

func Rules() []Rule { return []Rule{{ID: "depot/" + ruleUnused}} }

func refuse(to string, rule, detail string) {}

func plan() []Finding {
	say := func(rule string) {}
	say(ruleWet)
	s.refuse("wall", RuleColor, "a detail")
	return []Finding{{Rule: "depot/" + ruleWet}}
}

func examine(name string) []Examination {
	return []Examination{{What: whatBox + " " + name, Seen: "it"}}
}

// another function of the name takes no rule
func elsewhere() {
	say := func(text string) {}
	say("text")
	_ = Need{What: "box"}
}
`

// TestRuleProblems checks that IDs without a rule, rules without an ID, and IDs that are not constants are found.
func TestRuleProblems(t *testing.T) {
	t.Parallel()
	rules := func() []planner.Rule {
		return []planner.Rule{
			driver.ExaminationRule("box NAME", "A box.", "It is declared.", "Nothing."),
			driver.ExaminationRule("clock", "A clock.", "Always.", "Nothing."),
			planner.FindingRule("depot/color", "It is wrong.", "It is.", "Change it.", planner.Refuse, planner.Warn),
			planner.FindingRule("depot/wet", "It is wet.", "It is painted.", "Wait.", planner.Note),
		}
	}
	for name, c := range map[string]struct {
		code, instead string // of the sound code, and what stands there
		spoil         func([]planner.Rule) []planner.Rule
		want          string // "": nothing is wrong
	}{
		"sound":       {},
		"no words":    {code: `"wet"`, instead: `"dry"`, want: "ruleWet (depot/dry) is explained by no rule"},
		"no constant": {code: "\truleWet ", instead: "\tother2 ", want: "the rule depot/wet has no constant"},
		"unused":      {code: "say(ruleWet)\n", instead: "\n", want: ""},
		"used by a helper's words only": {code: `"other"`, instead: `"other"` + "\n\truleUnused = \"wet\"\n)\n\n" +
			"func more() []planner.Rule { return one(ruleUnused) }\n\nconst (\n\truleAnother = \"wet\"",
			want: "ruleUnused (depot/wet) is used nowhere"},
		"used by words only": {code: `"other"`, instead: `"other"` + "\n\truleUnused = \"wet\"",
			want: "ruleUnused (depot/wet) is used nowhere"},
		"closure":     {code: "say(ruleWet)", instead: `say("wet")`, want: `the id "wet" is not a constant`},
		"method":      {code: "RuleColor, ", instead: `"color", `, want: `the id "color" is not a constant`},
		"member":      {code: `"depot/" + ruleWet}`, instead: `"depot/wet"}`, want: `the id "depot/wet" is not a`},
		"examination": {code: `whatBox + " " + name`, instead: `"box"`, want: `the id "box" is not a constant`},
		"examined":    {code: `= "box"`, instead: `= "shelf"`, want: "whatBox (shelf) is explained by no rule"},
		"no meaning": {spoil: func(r []planner.Rule) []planner.Rule { r[0].Meaning = ""; return r },
			want: "what it means"},
		"no sentence": {spoil: func(r []planner.Rule) []planner.Rule { r[1].Do = "nothing"; return r }, want: "what to do"},
		"lines": {spoil: func(r []planner.Rule) []planner.Rule { r[1].When = "A.\nB."; return r },
			want: "when it appears"},
		"twice": {spoil: func(r []planner.Rule) []planner.Rule { return append(r, r[2]) }, want: "is there twice"},
		"no severity": {spoil: func(r []planner.Rule) []planner.Rule { r[3].Severities = nil; return r },
			want: "a severity"},
		"odd severity": {spoil: func(r []planner.Rule) []planner.Rule { r[3].Severities[0] = "bad"; return r },
			want: `"bad"`},
		"no product":    {spoil: func(r []planner.Rule) []planner.Rule { r[3].ID = "wet"; return r }, want: "product/rule"},
		"examined only": {spoil: func(r []planner.Rule) []planner.Rule { return r[1:] }, want: "whatBox (box) is explained"},
	} {
		dir := t.TempDir()
		code := ruledCode
		if c.code != "" && !strings.Contains(code, c.code) {
			t.Fatalf("%s: %q is not in the code", name, c.code)
		}
		if c.code != "" {
			code = strings.Replace(code, c.code, c.instead, 1)
		}
		if err := os.WriteFile(filepath.Join(dir, "depot.go"), []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		all := rules()
		if c.spoil != nil {
			all = c.spoil(all)
		}
		got, err := RuleProblems(all, "depot", dir)
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" && len(got) > 0 || c.want != "" && !slices.ContainsFunc(got, func(p string) bool {
			return strings.Contains(p, c.want)
		}) {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
}

// TestPlannedRules checks that findings and examinations without a rule are found, and findings with a wrong
// severity.
func TestPlannedRules(t *testing.T) {
	t.Parallel()
	f := planner.Finding{Rule: "depot/old", Severity: planner.Refuse}
	if got := findingRule(&f, soundRules); got != "" {
		t.Error(got)
	}
	if got := findingRule(&f, nil); got == "" {
		t.Error("a finding without a rule passes")
	}
	f.Severity = planner.Note
	if got := findingRule(&f, soundRules); got == "" {
		t.Error("a finding with another severity than its rule passes")
	}
	shelf := driver.Examination{What: "shelf 3", State: driver.OK, Seen: "it"}
	if got := examinationProblems(shelf, nil); len(got) != 1 {
		t.Errorf("%q", got)
	}
	rules := []planner.Rule{{ID: "shelf NAME", Kind: planner.KindExamination}}
	if got := examinationProblems(shelf, rules); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// TestNothingImported checks that an importer that finds nothing in any case fails the test. It does not fail if it
// found something, or if only some of the cases were run.
func TestNothingImported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		found []int
		wrong bool
	}{{nil, false}, {[]int{0, 0}, true}, {[]int{0, 1}, false}, {[]int{0}, false}} {
		i := &imported{}
		for _, n := range c.found {
			i.add(n)
		}
		if got := i.problem(2); (got != "") != c.wrong {
			t.Errorf("%v: %q", c.found, got)
		}
	}
}
