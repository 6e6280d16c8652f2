package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/lazyregexp"
)

// idList holds the IDs in a listing.
type idList struct {
	ids        []string // in lower case, in the listing's order, without duplicates
	unreadable string   // why the listing proves nothing; "" if it is readable
}

// uuid matches the ID of a resource or branch. It also accepts letters beyond f, because the vendor's own example has
// one (seed).
var uuid = lazyregexp.New(`[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}`)

// readList reads the IDs that datamanager lists. ASSUMED, since the form is not documented: each line has one entry
// with its ID. Everything else on or between the lines is ignored. So no caller concludes from a single listing that
// something does not exist: see the callers of Holds.
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

// beforeNumber matches what may precede a revision's number.
const beforeNumber = `(?i:(?:revision|rev|version|commit|id|number|no)\b[\s.:=#]*){0,2}`

// The lines of a list of revisions.
var (
	revisionLine  = lazyregexp.New(`^([^0-9A-Za-z]*` + beforeNumber + `)(\d{1,9})(?:[\s,;:|)\]}.].*)?$`)
	revisionsLine = lazyregexp.New(
		`^[^0-9A-Za-z]*(?i:(?:revisions?|ids?)[\s:=\[]*)?(\d{1,9}(?:\s*[,;]\s*\d{1,9})+)[\s,;.\]]*$`)
	countLine = lazyregexp.New(
		`(?i)^\W*(?:found |total:? )?(\d{1,9})(?:\s+(?:revision|row|item|result|commit)(?:s|\(s\)))?` +
			`(?:\s+(?:found|listed|in total))?\W*$`)
	countsWhat = lazyregexp.New(`(?i)found|total|listed|revision|row|item|result|commit`)
	logLine    = lazyregexp.New(`^\W*(?:\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\d\d?/\d\d?/\d{4})`)
	digits     = lazyregexp.New(`\d{1,9}`)
)

// revisionList holds the numbers in a listing, in its order.
type revisionList struct {
	numbers []int
	counts  []int    // totals from lines that count the revisions
	forms   []string // texts before the numbers, without duplicates
}

// read reads one line. It returns why the listing cannot be relied on, or "" if it can.
func (l *revisionList) read(line string) string {
	count, several := countLine.FindStringSubmatch(line), revisionsLine.FindStringSubmatch(line)
	one := revisionLine.FindStringSubmatch(line)
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

// labelled reports whether a word such as "Revision" precedes the number on a line.
func labelled(one []string) bool {
	return len(one) > 1 && strings.ContainsFunc(one[1], unicode.IsLetter)
}

// isSorted reports whether the numbers only increase or only decrease.
func (l *revisionList) isSorted() bool {
	up, down := true, true
	for i := 1; i < len(l.numbers); i++ {
		up, down = up && l.numbers[i] > l.numbers[i-1], down && l.numbers[i] < l.numbers[i-1]
	}
	return up || down
}

// readNumbers reads the revisions that datamanager lists, and sorts them. ASSUMED, since the form is not documented: a
// line begins with the number of one revision, or has several numbers separated by commas. They are in ascending or
// descending order. What follows a number on its line belongs to the revision. A number anywhere else, for example in
// a login banner, makes the listing unreadable.
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
	// A total must be correct. If it is not, the line is more likely a revision whose description looks like a total.
	for _, count := range l.counts {
		if count != len(l.numbers) {
			numbers = append(numbers, count)
		}
	}
	numbers = append(numbers, l.numbers...)
	slices.Sort(numbers)
	return slices.Compact(numbers), ""
}

// atoi converts at most nine digits.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// brokenOff returns why an output is incomplete or reports a failure, or "" if it does neither. Exit code 0 does not
// prove success, but any other code means failure.
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

// errorWords matches a line that reports a failure: it begins with such a word, or has one in capitals as in a log.
var errorWords = lazyregexp.New(
	`(?i:^\W*(?:error|exception|fatal|severe|failed|failure|cannot|can't|could not|unable to|` +
		`unknown (?:command|option)|` +
		`unrecognized|invalid|usage:|caused by|all host\(s\) tried)\b)` +
		`|\b(?:ERROR|FATAL|SEVERE)\b|\b\w*Exception\b|^\s+at [\w.$]+\(` +
		`|(?i:connection (?:refused|reset|closed|timed out)|permission denied|no such file|command not found)`)

// logError matches the level of a log line that reports a failure.
var logError = lazyregexp.New(`\b(?:ERROR|FATAL|SEVERE)\b`)

func saysError(line string) bool { return errorWords.MatchString(line) }
