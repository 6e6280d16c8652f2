package machine

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
)

// idList are the ids that a listing names.
type idList struct {
	ids        []string // in lower case, in the listing's order, each once
	unreadable string   // why the listing says nothing; "" when it does
}

// uuid is the form of a resource's and a branch's id. Letters beyond f are taken too: the vendor's own example has
// one (seed).
var uuid = regexp.MustCompile(`[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}`)

// readList reads the ids that datamanager lists. ASSUMED, since the form is not documented: one a line, with its id
// in it; what else is on the line or between the lines says nothing. What is not listed is therefore never concluded
// from one listing alone: see who calls Holds.
func readList(out host.Output) idList {
	l := idList{unreadable: brokenOff(out)}
	seen := map[string]bool{}
	for _, line := range wording.Lines(out.Stdout) {
		found := uuid.FindAllString(line, -1)
		if len(found) == 0 {
			if l.unreadable == "" && saysError(line) {
				l.unreadable = "it says " + wording.Quote(line)
			}
			continue
		}
		for _, id := range found {
			if id = strings.ToLower(id); !seen[id] {
				seen[id] = true
				l.ids = append(l.ids, id)
			}
		}
	}
	return l
}

// compiled compiles an expression when it is used for the first time: large ones take their time, and before main a
// signal still ends the process without a word.
func compiled(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// beforeNumber may stand before a revision's number.
const beforeNumber = `(?i:(?:revision|rev|version|commit|id|number|no)\b[\s.:=#]*){0,2}`

// The lines of a list of revisions.
var (
	revisionLine  = compiled(`^([^0-9A-Za-z]*` + beforeNumber + `)(\d{1,9})(?:[\s,;:|)\]}.].*)?$`)
	revisionsLine = compiled(
		`^[^0-9A-Za-z]*(?i:(?:revisions?|ids?)[\s:=\[]*)?(\d{1,9}(?:\s*[,;]\s*\d{1,9})+)[\s,;.\]]*$`)
	countLine = compiled(
		`(?i)^\W*(?:found |total:? )?(\d{1,9})(?:\s+(?:revision|row|item|result|commit)(?:s|\(s\)))?` +
			`(?:\s+(?:found|listed|in total))?\W*$`)
	countsWhat = regexp.MustCompile(`(?i)found|total|listed|revision|row|item|result|commit`)
	logLine    = regexp.MustCompile(`^\W*(?:\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\d\d?/\d\d?/\d{4})`)
	digits     = regexp.MustCompile(`\d{1,9}`)
)

// revisionList are the numbers of a listing in its order.
type revisionList struct {
	numbers []int
	counts  []int    // what lines say that count revisions
	forms   []string // what stands before the numbers, each form once
}

// read reads one line. It returns why the listing cannot be relied on, "" if it can.
func (l *revisionList) read(line string) string {
	count, several := countLine().FindStringSubmatch(line), revisionsLine().FindStringSubmatch(line)
	one := revisionLine().FindStringSubmatch(line)
	switch {
	case logLine.MatchString(line) && !saysError(line):
	case logLine.MatchString(line):
		return "it says " + wording.Quote(line)
	case count != nil && countsWhat.MatchString(line) && !labelled(one):
		l.counts = append(l.counts, atoi(count[1]))
	case several != nil:
		for _, n := range digits.FindAllString(several[1], -1) {
			l.numbers = append(l.numbers, atoi(n))
		}
	case one != nil:
		l.numbers = append(l.numbers, atoi(one[2]))
		if form := strings.ToLower(strings.Join(strings.Fields(one[1]), " ")); !slices.Contains(l.forms, form) {
			l.forms = append(l.forms, form)
		}
	case saysError(line):
		return "it says " + wording.Quote(line)
	case digits.MatchString(line):
		return "it has a line that is in no expected form: " + wording.Quote(line)
	}
	return ""
}

// labelled tells whether a word such as "Revision" stands before the number of a line.
func labelled(one []string) bool {
	return len(one) > 1 && strings.ContainsFunc(one[1], unicode.IsLetter)
}

// isSorted tells whether the numbers go up or go down throughout, each once.
func (l *revisionList) isSorted() bool {
	up, down := true, true
	for i := 1; i < len(l.numbers); i++ {
		up, down = up && l.numbers[i] > l.numbers[i-1], down && l.numbers[i] < l.numbers[i-1]
	}
	return up || down
}

// readNumbers reads the revisions that datamanager lists, sorted. ASSUMED, since the form is not documented: one a
// line, which begins with its number, or several on a line with commas, from the first to the last or the other way
// round. What follows a number on its line belongs to the revision. A number anywhere else, such as in a login
// banner, makes the listing unreadable.
func readNumbers(out host.Output) (numbers []int, unreadable string) {
	if why := brokenOff(out); why != "" {
		return nil, why
	}
	var l revisionList
	for _, line := range wording.Lines(out.Stdout) {
		if why := l.read(line); why != "" {
			return nil, why
		}
	}
	switch {
	case slices.Contains(l.numbers, 0):
		return nil, "it has a revision 0"
	case len(l.forms) > 1:
		return nil, "its lines have different forms"
	case !l.isSorted():
		return nil, "its numbers are in no order"
	}
	// A line that counts must count right. What counts wrong is rather a revision whose description reads like a count.
	for _, count := range l.counts {
		if count != len(l.numbers) {
			numbers = append(numbers, count)
		}
	}
	numbers = append(numbers, l.numbers...)
	slices.Sort(numbers)
	return slices.Compact(numbers), ""
}

// atoi reads at most nine digits.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// brokenOff tells why an output is incomplete or reports a failure, "" if it does not. An exit code of 0 does not say
// that all went well, any other one says that it did not.
func brokenOff(out host.Output) string {
	switch {
	case out.Code != 0:
		why := fmt.Sprintf("it ended with code %d", out.Code)
		for _, line := range append(wording.Lines(out.Stderr), wording.Lines(out.Stdout)...) {
			if saysError(line) || uuid.FindString(line) == "" {
				return why + ", saying " + wording.Quote(line)
			}
		}
		return why
	case out.Truncated:
		return "it is longer than what was kept of it"
	}
	for _, line := range wording.Lines(out.Stderr) {
		if saysError(line) {
			return "it says " + wording.Quote(line)
		}
	}
	return ""
}

// errorWords begin a line that tells of a failure, or stand in it in capitals as in a log.
var errorWords = compiled(
	`(?i:^\W*(?:error|exception|fatal|severe|failed|failure|cannot|can't|could not|unable to|` +
		`unknown (?:command|option)|` +
		`unrecognized|invalid|usage:|caused by|all host\(s\) tried)\b)` +
		`|\b(?:ERROR|FATAL|SEVERE)\b|\b\w*Exception\b|^\s+at [\w.$]+\(` +
		`|(?i:connection (?:refused|reset|closed|timed out)|permission denied|no such file|command not found)`)

// logError is the level of a line of a log that tells of a failure.
var logError = regexp.MustCompile(`\b(?:ERROR|FATAL|SEVERE)\b`)

func saysError(line string) bool { return errorWords().MatchString(line) }
