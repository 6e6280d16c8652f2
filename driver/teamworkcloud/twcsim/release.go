package twcsim

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

var releaseForm = regexp.MustCompile(`(?i)^\s*(20\d\d)x(?:[\s_-]*(?:refresh|r)\s*(\d{1,2}))?(?:[\s_-]*(?:hot\s*fix|hf)\s*(\d{1,3}))?\s*$`)

// parseRelease reads "2021xR2", "2024x Refresh3 Hot Fix 1", "2026x" and spellings between them.
func parseRelease(text string) (release, bool) {
	m := releaseForm.FindStringSubmatch(text)
	if m == nil {
		return release{}, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	return release{year: number(m[1]), refresh: number(m[2]), hotFix: number(m[3])}, true
}

// since tells whether a release is the one named or a later one: r.since(2024, 2, 1) is 2024x Refresh2 Hot Fix 1.
func (r release) since(year, refresh, hotFix int) bool {
	return cmp.Or(cmp.Compare(r.year, year), cmp.Compare(r.refresh, refresh), cmp.Compare(r.hotFix, hotFix)) >= 0
}

// major is the year, which both ends of a synchronization must share (seed: same major version): "2024x".
func (r release) major() string { return fmt.Sprintf("%dx", r.year) }

func (r release) String() string {
	text := r.major()
	if r.refresh > 0 {
		text += fmt.Sprintf(" Refresh%d", r.refresh)
	}
	if r.hotFix > 0 {
		text += fmt.Sprintf(" Hot Fix %d", r.hotFix)
	}
	return text
}
