package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/printable"
)

// addrExtra carries the address in hcl.Diagnostic.Extra.
type addrExtra struct {
	addr  Addr
	inner any
}

func (e addrExtra) UnwrapDiagnosticExtra() any { return e.inner }

// WithAddr returns a copy of the diagnostic that records which declaration it is about. The previous Extra stays
// reachable by hcl.DiagnosticExtra.
func WithAddr(d *hcl.Diagnostic, a Addr) *hcl.Diagnostic {
	c := *d
	c.Extra = addrExtra{addr: a, inner: d.Extra}
	return &c
}

// AddrOf returns the declaration that a diagnostic is about, or the zero address.
func AddrOf(d *hcl.Diagnostic) Addr {
	for extra := d.Extra; extra != nil; {
		if e, ok := extra.(addrExtra); ok {
			return e.addr
		}
		u, ok := extra.(hcl.DiagnosticExtraUnwrapper)
		if !ok {
			break
		}
		extra = u.UnwrapDiagnosticExtra()
	}
	return Addr{}
}

// missingExtra carries what is missing in hcl.Diagnostic.Extra.
type missingExtra struct {
	Missing

	inner any
}

func (e missingExtra) UnwrapDiagnosticExtra() any { return e.inner }

// Missing is what has to be added to a block, in one of several ways.
type Missing struct {
	Range *hcl.Range // a place in the block
	Ways  [][]string // each the names of arguments, or of blocks without labels, that belong together
}

// WithMissing returns a copy of the diagnostic that records what is missing, for editors, which offer to add it.
func WithMissing(d *hcl.Diagnostic, in *hcl.Range, ways ...[]string) *hcl.Diagnostic {
	c := *d
	c.Extra = missingExtra{Missing{in, ways}, d.Extra}
	return &c
}

// MissingOf returns what a diagnostic says is missing, without Ways if it says nothing of that kind.
func MissingOf(d *hcl.Diagnostic) Missing {
	extra, _ := hcl.DiagnosticExtra[missingExtra](d)
	return extra.Missing
}

// problem makes an error diagnostic.
func problem(rng hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}
	if rng != (hcl.Range{}) {
		d.Subject = &rng
	}
	return d
}

// place formats a position for a message.
func place(rng hcl.Range) string { return fmt.Sprintf("%s:%d", rng.Filename, rng.Start.Line) }

// longestSlip is the length, in bytes, of the longest name that is compared with others: comparing takes its square.
const longestSlip = 200

// Nearest returns the candidate that was most likely meant, or "".
func Nearest(given string, candidates []string) string {
	if len(given) > longestSlip {
		return ""
	}
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	want := fold(given)
	limit := min(max(2, len(want)/4), 5)
	best, bestDist := "", limit+1
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		meant := fold(c)
		// The exact distance matters only if it is smaller. The library's limit alone lets some larger ones through.
		less := levenshtein.NewParams().MaxCost(max(1, bestDist-1))
		if levenshtein.Distance(want, meant, less) >= bestDist || c == given {
			continue
		}
		if d := levenshtein.Distance(want, meant, nil); d < bestDist && aSlip(want, meant) {
			best, bestDist = c, d
		}
	}
	return best
}

// aSlip reports whether a word may be a typo of another. In addresses, each part must be one: if both servers have
// names of one letter, a suggestion would be the wrong company's server.
func aSlip(given, meant string) bool {
	a, b := strings.FieldsFunc(given, isSeparator), strings.FieldsFunc(meant, isSeparator)
	if len(a) != len(b) {
		return len(given) > 3
	}
	for i := range a {
		d := levenshtein.Distance(a[i], b[i], nil)
		swapped := len(a[i]) > 1 && sortedLetters(a[i]) == sortedLetters(b[i])
		far := len(a[i]) // a distance as long as the word means nothing
		if far <= 3 {
			far = min(far, 2)
		}
		if d >= far && d > 0 && !swapped {
			return false
		}
	}
	return true
}

func isSeparator(r rune) bool { return r == '.' || r == '/' }

func sortedLetters(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

// didYouMean returns " Did you mean ...?" or "".
func didYouMean(given string, candidates []string) string {
	return meantHint(Nearest(given, candidates))
}

func meantHint(meant string) string {
	if meant == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", meant)
}

// mostHinted bounds the letters that are compared in one Load to find out which names were meant: five hundred wrong
// names are compared with a few thousand others.
const mostHinted = 1 << 31

// nearest is Nearest for names of which a configuration may have many. Once enough was compared, it suggests nothing.
func (l *loader) nearest(given string, candidates func() []string) string {
	if l.meter.hinted > mostHinted {
		return ""
	}
	all := candidates()
	for _, c := range all {
		l.meter.hinted += int64(len(given)+8) * int64(len(c)+8)
	}
	return Nearest(given, all)
}

// didYouMean is the function of that name with nearest.
func (l *loader) didYouMean(given string, candidates func() []string) string {
	return meantHint(l.nearest(given, candidates))
}

// quoteList writes words as "a", "b" or "c".
func quoteList(words []string, last string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " " + last + " " + quoted[len(quoted)-1]
}

// Sanitize is printable.Text: foreign text made fit for a terminal, with its line feeds and tabs.
func Sanitize(s string) string { return printable.Text(s) }

// SanitizeLine is printable.Line: foreign text that must stay on one line.
func SanitizeLine(s string) string { return printable.Line(s) }
