package schema

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/redact"
)

// mask keeps the texts and numbers in an expression, and in its inputs, out of snippets.
func (l *loader) mask(expr hcl.Expression) { l.secret = append(l.secret, expr) }

// maskWhole keeps a constant out of snippets, even one that lacks its quotes and so looks like a reference.
func (l *loader) maskWhole(expr hcl.Expression) { l.masked = append(l.masked, expr.Range()) }

// secretLine matches, in a file that does not parse, a value assigned to a name that may be that of a secret (it is
// wider than maskedName), even if the sign between the two is missing. It also matches the defaults of variables,
// which may be sensitive.
var secretLine = lazyregexp.New(`(?i)"?\b[\w-]*(?:PASS|PWD|SECRET|TOKEN|KEY|CRED|AUTH|BEARER|JWT|\bPAT|_PAT|DSN|` +
	`DATABASE|DB_?UR|CONNECTION|DEFAULT)[\w-]*(?:"?[ \t]*[=:][=:>]?|"?[ \t]|")[ \t]*(.+)`)

func secretLines(path string, src []byte) []hcl.Range { return groupRanges(secretLine, path, src) }

// allButNames returns the source of a file of values except the names of declared variables that begin a line. In a
// file that does not parse, anything else may belong to a secret, which may span lines.
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

func groupRanges(re *lazyregexp.Regexp, path string, src []byte) []hcl.Range {
	var out []hcl.Range
	for _, m := range re.FindAllSubmatchIndex(src, -1) {
		out = append(out, hcl.Range{Filename: path, Start: hcl.Pos{Byte: m[2]}, End: hcl.Pos{Byte: m[3]}})
	}
	return out
}

// Files returns the sources by the name used in ranges, for snippets. Secrets are masked by asterisks of the same
// length, so ranges still fit. The sources are parsed and masked on the first call, which takes time proportional to
// them: ask only where there is something to show.
func (c *Config) Files() map[string]*hcl.File {
	if c.files == nil { // reading was interrupted
		return nil
	}
	return c.files()
}

// FileNames returns the names of the sources, as used in ranges, sorted.
func (c *Config) FileNames() []string { return c.names }

// show makes Files return the sources with the current masks.
func (c *Config) show(l *loader) {
	files, masked, secret := maps.Clone(l.files), slices.Clone(l.masked), slices.Clone(l.secret)
	redactor := c.redactor
	c.names = slices.Sorted(maps.Keys(files))
	c.files = sync.OnceValue(func() map[string]*hcl.File {
		return maskFiles(files, masked, secret, redactor)
	})
}

// maskFiles returns the sources with secrets replaced by asterisks. A text in which there are none is not copied.
func maskFiles(
	sources map[string]source, masked []hcl.Range, secret []hcl.Expression, redactor *redact.Set,
) map[string]*hcl.File {
	ranges := map[string][]hcl.Range{}
	files, parts, texts := maskedParts(sources, secret)
	repeated := redact.New(sensitiveText, texts...)
	for _, list := range [][]hcl.Range{masked, parts} {
		for _, rng := range list {
			ranges[rng.Filename] = append(ranges[rng.Filename], rng)
		}
	}
	for name, f := range files {
		hidden := bytes.Clone(f.Bytes)
		for _, rng := range ranges[name] {
			if rng.CanSliceBytes(hidden) {
				asterisks(rng.SliceBytes(hidden))
			}
		}
		text := string(hidden)
		for _, set := range []*redact.Set{redactor, repeated} {
			for _, span := range set.Spans(text) {
				asterisks(hidden[span.From:span.To])
			}
		}
		if !bytes.Equal(hidden, f.Bytes) {
			f.Bytes = hidden
		}
	}
	return files
}

// asterisks masks text in place. It keeps line feeds, quotes and brackets, for readability.
func asterisks(b []byte) {
	for i, c := range b {
		if !bytes.ContainsRune([]byte("\r\n\"[]{}"), rune(c)) {
			b[i] = '*'
		}
	}
}
