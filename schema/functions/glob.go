package functions

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// mostOfPattern is the maximum length of a pattern of fileset, in bytes.
const mostOfPattern = 1 << 10

// Glob converts a pattern of fileset to a regular expression that matches paths, whose parts are separated by /. In a
// pattern, * is any part of a name, ? one character of it, [a-z] and [^a-z] one of a class, {a,b} one of several
// alternatives, ** any folders, and \ makes the next character literal.
func Glob(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > mostOfPattern {
		return nil, fmt.Errorf("the pattern has more than %d bytes", mostOfPattern)
	}
	for _, part := range strings.Split(pattern, "/") {
		if part == ".." || part == "" || part == "." {
			return nil, errors.New("the pattern is a path below the folder, without .., . or empty parts")
		}
	}
	g := &glob{rest: []rune(pattern)}
	g.out.WriteString(`(?s)\A`)
	if err := g.write(0); err != nil {
		return nil, err
	}
	g.out.WriteString(`\z`)
	return regexp.Compile(g.out.String())
}

// glob converts a pattern to a regular expression.
type glob struct {
	rest []rune
	out  strings.Builder
	last rune // the character before rest; 0: none
}

func (g *glob) next() rune {
	g.last = g.rest[0]
	g.rest = g.rest[1:]
	return g.last
}

// begins reports whether the rest begins with a text.
func (g *glob) begins(text string) bool { return strings.HasPrefix(string(g.rest), text) }

// write converts the pattern up to its end, or the end of an alternative.
func (g *glob) write(depth int) error {
	for len(g.rest) > 0 {
		atStart := g.last == 0 || g.last == '/'
		switch c := g.next(); {
		case c == '*':
			g.star(atStart)
		case c == '?':
			g.out.WriteString(`[^/]`)
		case c == '[':
			if err := g.class(); err != nil {
				return err
			}
		case c == '{':
			g.out.WriteString(`(?:`)
			if err := g.write(depth + 1); err != nil {
				return err
			}
		case c == ',' && depth > 0:
			g.out.WriteByte('|')
		case c == '}' && depth > 0:
			g.out.WriteByte(')')
			return nil
		case c == '\\' && len(g.rest) == 0:
			return errors.New("the pattern ends with \\")
		case c == '\\':
			g.out.WriteString(regexp.QuoteMeta(string(g.next())))
		default:
			g.out.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	if depth > 0 {
		return errors.New("a brace of the pattern is not closed")
	}
	return nil
}

// star converts *, or ** if that is a whole part of the path.
func (g *glob) star(atStart bool) {
	switch {
	case atStart && g.begins("*/"):
		g.next()
		g.next()
		g.out.WriteString(`(?:[^/]+/)*`)
	case atStart && string(g.rest) == "*":
		g.next()
		g.out.WriteString(`.+`)
	default:
		for g.begins("*") {
			g.next()
		}
		g.out.WriteString(`[^/]*`)
	}
}

// class converts [a-z]. A class never matches a separator.
func (g *glob) class() error {
	not := g.begins("^") || g.begins("!")
	if not {
		g.next()
	}
	var ranges strings.Builder
	for first := true; ; first = false {
		low, end, err := g.member(first)
		if err != nil {
			return err
		}
		if end {
			break
		}
		high := low
		if g.begins("-") && !g.begins("-]") {
			g.next()
			if high, _, err = g.member(true); err != nil {
				return err
			}
		}
		if high < low {
			return errors.New("a range of the pattern ends before it begins")
		}
		for _, r := range [][2]rune{{low, min(high, '/'-1)}, {max(low, '/'+1), high}} {
			if r[0] <= r[1] {
				fmt.Fprintf(&ranges, `\x{%x}-\x{%x}`, r[0], r[1])
			}
		}
	}
	switch {
	case not:
		g.out.WriteString(`[^/` + ranges.String() + `]`)
	case ranges.Len() == 0:
		return errors.New("nothing is in the brackets of the pattern")
	default:
		g.out.WriteString(`[` + ranges.String() + `]`)
	}
	return nil
}

// member reads one character of a class, or its end.
func (g *glob) member(first bool) (c rune, end bool, err error) {
	if len(g.rest) == 0 {
		return 0, false, errors.New("a bracket of the pattern is not closed")
	}
	c = g.next()
	switch {
	case c == ']' && !first:
		return 0, true, nil
	case c == '\\' && len(g.rest) > 0:
		c = g.next()
	}
	return c, false, nil
}
