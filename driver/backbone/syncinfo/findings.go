package syncinfo

import (
	"fmt"
	"strings"
)

// Rule names a check of Merge that may be allowed to fail. Other errors, above all broken files, cannot be allowed.
type Rule string

// The checks that can be allowed to fail.
const (
	Unmatched          Rule = "unmatched"           // a pair has no mirror on the other side
	SeqDiffer          Rule = "sequence"            // message sequence ids of the two sides disagree
	Doubled            Rule = "duplicate"           // a file has a pair twice
	SharedIssue        Rule = "shared-issue"        // an issue is in two different pairs
	RepeatedID         Rule = "repeated-id"         // a file has the id of an entry twice
	RepeatedComment    Rule = "repeated-comment"    // an entry has an id of a comment twice
	RepeatedAttachment Rule = "repeated-attachment" // an entry has an id of an attachment twice
	Connectors         Rule = "connectors"          // a file has entries of more than one connector
	Swapped            Rule = "swapped"             // a key is not in the project that is said to be its side's
	SameFile           Rule = "same-file"           // both sides are the same file, or have the same content
)

// Rules lists all rules, sorted.
func Rules() []Rule {
	return []Rule{Connectors, Doubled, RepeatedAttachment, RepeatedComment, RepeatedID, SameFile, SeqDiffer, SharedIssue,
		Swapped, Unmatched}
}

// Flag returns the command-line flag that allows the rule to be broken.
func (r Rule) Flag() string { return "--allow-" + string(r) }

// Finding is what one check found in one file.
type Finding struct {
	Rule     Rule   // "" for a mere warning
	Message  string // what is wrong and what to do
	Where    string // position of the first case, file:line:column; only the file's name if no line is to blame
	Count    int    // number of cases
	Examples []Example
}

// String returns the message and the examples, on several lines.
func (f Finding) String() string {
	var b strings.Builder
	if f.Where != "" {
		b.WriteString(f.Where + ": ")
	}
	b.WriteString(f.Message + "\n")
	writeExamples(&b, f.Examples, f.Count)
	return strings.TrimSuffix(b.String(), "\n")
}

// CheckError holds everything that the checks of one run found. Each finding could have been allowed.
type CheckError struct {
	Findings []Finding
	Warnings []Finding // what was allowed, and what is unusual
}

// Error lists the findings, each with the flag that would allow it, and the warnings.
func (e *CheckError) Error() string { return e.Text(Rule.Flag) }

// Text is like Error, but permission says how to allow a rule to be broken, where that is not done by a flag.
func (e *CheckError) Text(permission func(Rule) string) string {
	var parts []string
	for _, f := range e.Findings {
		parts = append(parts, fmt.Sprintf("%s\n  (%s merges all the same)", f, permission(f.Rule)))
	}
	for _, w := range e.Warnings {
		parts = append(parts, "warning: "+w.String())
	}
	return strings.Join(parts, "\n")
}

// tally collects the cases of one rule in one file.
type tally struct {
	count    int
	examples []Example
}

func (t *tally) add(file string, e *Entry, text func() string) {
	t.count++
	if len(t.examples) < examples {
		t.examples = append(t.examples, Example{e.Where(file), text()})
	}
}

func (t *tally) finding(rule Rule, message string) Finding {
	f := Finding{Rule: rule, Message: message, Count: t.count, Examples: t.examples}
	if len(t.examples) > 0 {
		f.Where = t.examples[0].Where
	}
	return f
}
