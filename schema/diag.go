package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// addrExtra carries the address in hcl.Diagnostic.Extra.
type addrExtra struct {
	addr  Addr
	inner any
}

func (e addrExtra) UnwrapDiagnosticExtra() any { return e.inner }

// WithAddr returns a copy of the diagnostic that says which declaration it is about. What Extra held stays reachable
// by hcl.DiagnosticExtra.
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

// problem makes an error diagnostic.
func problem(rng hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}
	if rng != (hcl.Range{}) {
		d.Subject = &rng
	}
	return d
}

// place is how a message names another line.
func place(rng hcl.Range) string { return fmt.Sprintf("%s:%d", rng.Filename, rng.Start.Line) }

// Nearest returns the candidate that was most likely meant, or "".
func Nearest(given string, candidates []string) string {
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	want := fold(given)
	limit := min(max(2, len(want)/4), 5)
	best, bestDist := "", limit+1
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		if c == given || !aSlip(want, fold(c)) {
			continue
		}
		if d := levenshtein.Distance(want, fold(c), nil); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// aSlip tells whether a word may be a slip for another. Of addresses each part must be one: where both servers have
// names of one letter, a suggestion would be the wrong company's server.
func aSlip(given, meant string) bool {
	a, b := strings.FieldsFunc(given, isSeparator), strings.FieldsFunc(meant, isSeparator)
	if len(a) != len(b) {
		return len(given) > 3
	}
	for i := range a {
		d := levenshtein.Distance(a[i], b[i], nil)
		swapped := len(a[i]) > 1 && sortedLetters(a[i]) == sortedLetters(b[i])
		far := len(a[i]) // a distance as long as the word says nothing
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
	if n := Nearest(given, candidates); n != "" {
		return fmt.Sprintf(" Did you mean %q?", n)
	}
	return ""
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

// Sanitize makes foreign text fit for a terminal: control characters (other than line feed and tab), bidirectional
// overrides and invalid UTF-8 are written as escapes such as \x1b, never raw.
func Sanitize(s string) string { return sanitize(s, true) }

// SanitizeLine is Sanitize for text that must stay on one line: line feeds and tabs are escaped too.
func SanitizeLine(s string) string { return sanitize(s, false) }

func sanitize(s string, layout bool) string {
	clean := true
	for _, r := range s {
		if unsafeRune(r) || r == '\n' || r == '\t' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t':
			if layout {
				b.WriteRune(r)
			} else if r == '\n' {
				b.WriteString(`\n`)
			} else {
				b.WriteString(`\t`)
			}
		case r == '\r':
			b.WriteString(`\r`)
		case unsafeRune(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unsafeRune(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unsafeRune says whether a character may move the cursor or reorder what a person sees.
func unsafeRune(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == utf8.RuneError || unicode.IsControl(r):
		return true
	case r == '\u2028' || r == '\u2029' || r == '\ufeff':
		return true
	}
	return unicode.Is(unicode.Bidi_Control, r)
}
