package osmc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Release is a version of Teamwork Cloud: "2024x Refresh3 Hot Fix 1". The zero value means unknown.
type Release struct {
	Year    int // 2024
	Refresh int
	HotFix  int
}

// Releases in which something changed.
var (
	// Sync2021R2 introduced the synchronization of resources between clusters (VN, release notes of 2021x Refresh2).
	Sync2021R2 = Release{Year: 2021, Refresh: 2}
	// MultiHop2022R2 allows synchronized resources to be synchronized to a further server (VN/272742674).
	MultiHop2022R2 = Release{Year: 2022, Refresh: 2}
	// SyncTLS2024R1 introduced encrypted synchronization (VN/272744559), the page's list of states, the deletion of a
	// configuration alone (MCS/247047420), and JSON instead of comma-separated text in request bodies
	// (DEVG/303989502).
	SyncTLS2024R1 = Release{Year: 2024, Refresh: 1}
	// LocalID2024R2HF1 refuses two projects with the same local ID on one server (VN/272745696).
	LocalID2024R2HF1 = Release{Year: 2024, Refresh: 2, HotFix: 1}
	// KeepsNumbers2026 keeps the gaps between a source's revision numbers. Older targets number revisions again from 1
	// (MCS/247046793).
	KeepsNumbers2026 = Release{Year: 2026}
)

// named matches a release in a text, in the spellings of the vendor's pages, files and servers: "2024x", "2024x
// Refresh3 Hot Fix 1", "2024xR3 HF1", "2024x Refresh 3, HotFix 1".
var named = lazyregexp.New(`(?i)(?:^|[^0-9])(20[0-9]{2}) ?x` +
	`(?:[ _.,(-]*(?:Refresh|R)[ _.-]*([0-9]{1,3}))?` +
	`(?:[ _.,()-]*(?:Hot[ _-]*Fix|HF)[ _.-]*([0-9]{1,3}))?(?:$|[^0-9A-Za-z])`)

// ParseRelease returns the first release in a text. It returns false if there is none, as in "18.5", the older form of
// version numbers.
func ParseRelease(text string) (Release, bool) {
	m := named.FindStringSubmatch(strings.Join(strings.Fields(text), " "))
	if m == nil {
		return Release{}, false
	}
	number := func(digits string) int {
		n, _ := strconv.Atoi(digits) // at most four digits, or none: 0
		return n
	}
	return Release{Year: number(m[1]), Refresh: number(m[2]), HotFix: number(m[3])}, true
}

// Major returns what must be the same on two servers that synchronize: "2024x". It returns "" if unknown.
func (r Release) Major() string {
	if r.Year == 0 {
		return ""
	}
	return strconv.Itoa(r.Year) + "x"
}

// String returns the release as people write it: "2024x Refresh 3 Hot Fix 1".
func (r Release) String() string {
	if r.IsZero() {
		return "unknown"
	}
	text := r.Major()
	if r.Refresh > 0 {
		text += fmt.Sprintf(" Refresh %d", r.Refresh)
	}
	if r.HotFix > 0 {
		text += fmt.Sprintf(" Hot Fix %d", r.HotFix)
	}
	return text
}

// Before reports whether r is older than other.
func (r Release) Before(other Release) bool {
	switch {
	case r.Year != other.Year:
		return r.Year < other.Year
	case r.Refresh != other.Refresh:
		return r.Refresh < other.Refresh
	}
	return r.HotFix < other.HotFix
}

// IsZero reports whether the release is unknown.
func (r Release) IsZero() bool { return r == Release{} }

var ofKeyspace = lazyregexp.New(`(?i)(?:^|[^0-9])(20[0-9]{2}x)`)

// Major returns the major version from the name of the database's keyspace: "2024x" for "esi2024x0". It returns "" if
// the name has none. ASSUMED: not documented, but the vendor's examples of three versions have this form.
func (h *Health) Major() string {
	m := ofKeyspace.FindStringSubmatch(h.Keyspace)
	if m == nil {
		return ""
	}
	return strings.ToLower(m[1])
}

// OlderThan reports whether the release is known to be older than another one. An unknown release counts as new.
func (r Release) OlderThan(other Release) bool { return !r.IsZero() && r.Before(other) }
