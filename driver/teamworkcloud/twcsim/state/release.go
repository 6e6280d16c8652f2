package state

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Switches reports whether each configuration has a switch for encryption: "Use Secure Connection (TLS)"
// (VN/pages/272744559). 2024x has no such switch and is encrypted by settings (MCS2024x/pages/137991572). For older
// releases, no page describes it.
func (r Release) Switches() bool { return r.encrypts() }

// Synchronizes reports whether the release can synchronize (release notes of 2021xR2).
func (r Release) Synchronizes() bool { return r.Since(2021, 2, 0) }

// ReSynchronizes reports whether a copy can be a source, for several hops (VN/pages/272742674).
func (r Release) ReSynchronizes() bool { return r.Since(2022, 2, 0) }

// encrypts reports whether the release has "Use Secure Connection (TLS)" (VN/pages/272744559).
func (r Release) encrypts() bool { return r.Since(2024, 1, 0) }

// AsksOnDelete reports whether deleting offers DELETE CONFIGURATION ONLY or DELETE ALL (MCS/pages/247047420).
func (r Release) AsksOnDelete() bool { return r.Since(2024, 1, 0) }

// ChecksLocalID reports whether local IDs must be unique (VN/pages/272745696).
func (r Release) ChecksLocalID() bool { return r.Since(2024, 2, 1) }

// KeepsNumbers reports whether copies keep the numbers of revisions (MCS/pages/247046793).
func (r Release) KeepsNumbers() bool { return r.Since(2026, 0, 0) }

var releaseForm = lazyregexp.New(`(?i)^\s*(20\d\d)x` +
	`(?:[\s_-]*(?:refresh|r)\s*(\d{1,2}))?(?:[\s_-]*(?:hot\s*fix|hf)\s*(\d{1,3}))?\s*$`)

// ParseRelease reads "2021xR2", "2024x Refresh3 Hot Fix 1", "2026x" and similar spellings.
func ParseRelease(text string) (Release, bool) {
	m := releaseForm.FindStringSubmatch(text)
	if m == nil {
		return Release{}, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	return Release{Year: number(m[1]), Refresh: number(m[2]), hotFix: number(m[3])}, true
}

// Since reports whether r is the given release or a later one: r.Since(2024, 2, 1) means 2024x Refresh2 Hot Fix 1.
func (r Release) Since(year, refresh, hotFix int) bool {
	return cmp.Or(cmp.Compare(r.Year, year), cmp.Compare(r.Refresh, refresh), cmp.Compare(r.hotFix, hotFix)) >= 0
}

// Major returns the year, which must be the same on both ends of a synchronization (seed: same major version):
// "2024x".
func (r Release) Major() string { return fmt.Sprintf("%dx", r.Year) }

// String returns the release in the vendor's spelling: "2024x Refresh3 Hot Fix 1".
func (r Release) String() string {
	text := r.Major()
	if r.Refresh > 0 {
		text += fmt.Sprintf(" Refresh%d", r.Refresh)
	}
	if r.hotFix > 0 {
		text += fmt.Sprintf(" Hot Fix %d", r.hotFix)
	}
	return text
}
