package teamworkcloud

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
)

// idList are the ids that a listing names.
type idList struct {
	ids        []string // in lower case, in the listing's order, each once
	unreadable string   // why the listing says nothing; "" when it does
}

// uuid is the form of a resource's and a branch's id. Letters beyond f are taken too: the vendor's own example has one (seed).
var uuid = regexp.MustCompile(`[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}`)

// readList reads the ids that datamanager lists. ASSUMED, since the form is not documented: one a line, with its id in it, and
// whatever else is on the line or between the lines says nothing.
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

// beforeNumber may stand before a revision's number.
const beforeNumber = `(?i:(?:revision|rev|version|commit|id|number|no)\b[\s.:=#]*){0,2}`

// The lines of a list of revisions.
var (
	revisionLine  = regexp.MustCompile(`^[^0-9A-Za-z]*` + beforeNumber + `(\d{1,9})(?:[\s,;:|)\]}.].*)?$`)
	revisionsLine = regexp.MustCompile(`^[^0-9A-Za-z]*(?i:(?:revisions?|ids?)[\s:=\[]*)?(\d{1,9}(?:\s*[,;]\s*\d{1,9})+)[\s,;.\]]*$`)
	countLine     = regexp.MustCompile(`(?i)^\W*(\d{1,9})\s+(?:revision|row|item|result|commit)(?:s|\(s\))?(?:\s+(?:found|listed|in total))?\W*$`)
	logLine       = regexp.MustCompile(`^\W*(?:\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\d\d?/\d\d?/\d{4})`)
	digits        = regexp.MustCompile(`\d{1,9}`)
)

// readNumbers reads the revisions that datamanager lists, sorted. ASSUMED, since the form is not documented: one a line, which
// begins with its number, or several on a line with commas. What else a line says is the revision's.
func readNumbers(out host.Output) (numbers []int, unreadable string) {
	if why := brokenOff(out); why != "" {
		return nil, why
	}
	seen := map[int]bool{}
	var counts []int
	for _, line := range wording.Lines(out.Stdout) {
		switch one, several, count := revisionLine.FindStringSubmatch(line), revisionsLine.FindStringSubmatch(line), countLine.FindStringSubmatch(line); {
		case logLine.MatchString(line) && saysError(line):
			return nil, "it says " + wording.Quote(line)
		case logLine.MatchString(line):
		case count != nil:
			counts = append(counts, atoi(count[1]))
		case several != nil:
			for _, n := range digits.FindAllString(several[1], -1) {
				seen[atoi(n)] = true
			}
		case one != nil:
			seen[atoi(one[1])] = true
		case saysError(line):
			return nil, "it says " + wording.Quote(line)
		}
	}
	// A line that counts must count right. What counts wrong is rather a revision whose description reads like a count.
	n := len(seen)
	for _, count := range counts {
		if count != n {
			seen[count] = true
		}
	}
	for n := range seen {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, ""
}

// atoi is of at most nine digits.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// brokenOff tells why a command's output is not all of it. An exit code of 0 says nothing, any other one does.
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
var errorWords = regexp.MustCompile(`(?i:^\W*(?:error|exception|fatal|severe|failed|failure|cannot|can't|could not|unable to|unknown (?:command|option)|unrecognized|invalid|usage:|caused by|all host\(s\) tried)\b)|\b(?:ERROR|FATAL|SEVERE)\b|\b\w*Exception\b|^\s+at [\w.$]+\(|(?i:connection (?:refused|reset|closed|timed out)|permission denied|no such file|command not found)`)

// logError is the level of a line of a log that tells of a failure.
var logError = regexp.MustCompile(`\b(?:ERROR|FATAL|SEVERE)\b`)

func saysError(line string) bool { return errorWords.MatchString(line) }
