package schema

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
)

// mask keeps the texts and numbers written in an expression out of snippets, and those that go into it.
func (l *loader) mask(expr hcl.Expression) { l.secret = append(l.secret, expr) }

// maskWhole keeps a constant out of snippets, also one that lacks its quotes and so looks like a reference.
func (l *loader) maskWhole(expr hcl.Expression) { l.masked = append(l.masked, expr.Range()) }

// secretLine finds, in a file that does not parse, what is assigned to a name that may tell of a secret (it is wider
// than maskedName), also where the sign between the two is what is missing, and the defaults of variables, which may
// be sensitive.
var secretLine = regexp.MustCompile(`(?i)"?\b[\w-]*(?:PASS|PWD|SECRET|TOKEN|KEY|CRED|AUTH|BEARER|JWT|\bPAT|_PAT|DSN|` +
	`DATABASE|DB_?UR|CONNECTION|DEFAULT)[\w-]*(?:"?[ \t]*[=:][=:>]?|"?[ \t]|")[ \t]*(.+)`)

func secretLines(path string, src []byte) []hcl.Range { return groupRanges(secretLine, path, src) }

// allButNames is the source of a file of values without the names of declared variables where they begin a line. In a
// file that does not parse anything else may belong to a secret, which may span lines.
func (l *loader) allButNames(path string, src []byte) []hcl.Range {
	var out []hcl.Range
	from := 0
	hide := func(to int) {
		if to > from {
			out = append(out, hcl.Range{Filename: path, Start: hcl.Pos{Byte: from}, End: hcl.Pos{Byte: to}})
		}
	}
	for _, m := range assignLine.FindAllSubmatchIndex(src, -1) {
		if l.root.vars[string(src[m[2]:m[3]])] != nil {
			hide(m[0])
			from = m[1]
		}
	}
	hide(len(src))
	return out
}

func groupRanges(re *regexp.Regexp, path string, src []byte) []hcl.Range {
	var out []hcl.Range
	for _, m := range re.FindAllSubmatchIndex(src, -1) {
		out = append(out, hcl.Range{Filename: path, Start: hcl.Pos{Byte: m[2]}, End: hcl.Pos{Byte: m[3]}})
	}
	return out
}

// Files returns the sources by the name that ranges use, for snippets. Secrets in them are masked by asterisks of the
// same length, so ranges still fit. It is work that grows with the sources, done when it is first asked for.
func (c *Config) Files() map[string]*hcl.File {
	if c.files == nil { // reading was interrupted
		return nil
	}
	return c.files()
}

// show lets Files return the sources as they are masked now.
func (c *Config) show(l *loader) {
	files, masked, secret := maps.Clone(l.files), slices.Clone(l.masked), slices.Clone(l.secret)
	redactor := c.redactor
	c.files = sync.OnceValue(func() map[string]*hcl.File {
		return maskFiles(files, masked, secret, redactor)
	})
}

// maskFiles returns the sources with asterisks where a secret stands.
func maskFiles(
	files map[string]*hcl.File, masked []hcl.Range, secret []hcl.Expression, redactor *redact.Set,
) map[string]*hcl.File {
	ranges := map[string][]hcl.Range{}
	for _, rng := range slices.Concat(masked, maskedParts(files, secret)) {
		ranges[rng.Filename] = append(ranges[rng.Filename], rng)
	}
	out := map[string]*hcl.File{}
	for name, f := range files {
		c := *f
		c.Bytes = bytes.Clone(f.Bytes)
		for _, rng := range ranges[name] {
			if rng.CanSliceBytes(c.Bytes) {
				asterisks(rng.SliceBytes(c.Bytes))
			}
		}
		for _, span := range redactor.Spans(string(c.Bytes)) {
			asterisks(c.Bytes[span.From:span.To])
		}
		out[name] = &c
	}
	return out
}

// asterisks covers text in place. Line feeds, quotes and brackets stay, for the eye.
func asterisks(b []byte) {
	for i, c := range b {
		if !bytes.ContainsRune([]byte("\r\n\"[]{}"), rune(c)) {
			b[i] = '*'
		}
	}
}
