package planner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// Selection limits a plan to some declarations, and names those to replace. A pattern is an address in which * matches
// any text. An address without the key of a for_each matches all instances; the address of a module matches all in it.
type Selection struct {
	Targets  []string `json:"targets,omitempty"`  // patterns; empty: everything
	Excludes []string `json:"excludes,omitempty"` // patterns of what is left out, together with all that depends on it
	Replaces []string `json:"replaces,omitempty"` // addresses, without *, of what is created again
}

// IsEmpty reports whether the selection is empty: the plan then covers everything, and replaces nothing.
func (s Selection) IsEmpty() bool { return len(s.Targets)+len(s.Excludes)+len(s.Replaces) == 0 }

// The flags of a Selection.
const (
	Target      = "target"
	Exclude     = "exclude"
	ReplaceFlag = "replace"
)

// NoMatchError reports a pattern that matches no declaration: a misspelt pattern must never look like success.
type NoMatchError struct {
	Flag    string // Target, Exclude or ReplaceFlag
	Pattern string
}

func (e *NoMatchError) Error() string { return "-" + e.Flag + "=" + e.Words() }

// Words returns the error without the flag.
func (e *NoMatchError) Words() string {
	return fmt.Sprintf("%.1000s: the configuration has no such declaration", e.Pattern)
}

// LongPatternError reports the pattern with which a flag's patterns become too long.
type LongPatternError struct {
	Flag    string // Target or Exclude
	Pattern string
}

func (e *LongPatternError) Error() string { return "-" + e.Flag + ": " + e.Words() }

// Words returns the error without the flag.
func (e *LongPatternError) Words() string {
	return fmt.Sprintf("a pattern has more than %d bytes, or all together have more than %d: name fewer, with * or by "+
		"their modules", mostOfPattern, mostOfPatterns)
}

// Select returns the selected declarations, for Input.Targets, or nil if the selection leaves out nothing. A pattern
// without a match is an error, and so is a selection that leaves out everything.
func Select(cfg *schema.Config, s Selection) ([]schema.Addr, error) {
	wanted, err := match(cfg, Target, s.Targets)
	if err != nil {
		return nil, err
	}
	without, err := match(cfg, Exclude, s.Excludes)
	if err != nil || len(s.Excludes) == 0 {
		return wanted, err
	}
	out := excluded(cfg, without)
	if len(s.Targets) == 0 {
		for _, r := range cfg.Resources {
			if r.Owner == (schema.Addr{}) { // an owned declaration comes with its owner
				wanted = append(wanted, r.Addr)
			}
		}
	}
	wanted = slices.DeleteFunc(wanted, func(a schema.Addr) bool { return out[a] })
	if len(wanted) == 0 {
		return nil, fmt.Errorf("-exclude leaves out everything that is declared or asked for")
	}
	return wanted, nil
}

// excluded returns the declarations that are left out, including all that depend on them or are owned by them.
func excluded(cfg *schema.Config, without []schema.Addr) map[schema.Addr]bool {
	out := map[schema.Addr]bool{}
	for _, a := range without {
		out[a] = true
	}
	for before := -1; before != len(out); { // repeats only if an owner comes after a declaration that it owns
		before = len(out)
		for _, r := range cfg.Resources { // in order: what others need comes first
			if out[r.Owner] || slices.ContainsFunc(dependencies(r), func(a schema.Addr) bool { return out[a] }) {
				out[r.Addr] = true
			}
		}
	}
	return out
}

// Limits on the patterns of one flag: they also come from other sites, with a plan.
const (
	mostOfPattern  = 16 << 10  // bytes of one pattern
	mostOfPatterns = 256 << 10 // bytes of all, without those that are addresses
	costOfPattern  = 64        // bytes that each counts for in addition
)

// match returns the declarations that match the patterns, in the order of the configuration.
func match(cfg *schema.Config, flag string, patterns []string) ([]schema.Addr, error) {
	matched := map[schema.Addr]bool{}
	left := mostOfPatterns
	for _, p := range patterns {
		found := false
		if a, err := schema.ParseAddr(p); err == nil && cfg.Lookup(a) != nil {
			matched[a], found = true, true
		} else {
			if left -= len(p) + costOfPattern; left < 0 || len(p) > mostOfPattern {
				return nil, &LongPatternError{Flag: flag, Pattern: p}
			}
			fits := pattern(p)
			for _, r := range cfg.Resources {
				if fits(r.Addr) {
					matched[r.Addr], found = true, true
				}
			}
		}
		if !found {
			return nil, &NoMatchError{Flag: flag, Pattern: p}
		}
	}
	var out []schema.Addr
	for _, r := range cfg.Resources {
		if matched[r.Addr] {
			out = append(out, r.Addr)
		}
	}
	return out, nil
}

// pattern compiles a pattern. Wherever an address may have a key, a pattern without a key matches any.
func pattern(p string) func(schema.Addr) bool {
	if !utf8.ValidString(p) { // no address has invalid UTF-8
		return func(schema.Addr) bool { return false }
	}
	p = schema.NameForm(p) // the form that addresses have
	const key = `(?:\["(?:[^"\\]|\\.)*"\])?`
	var text strings.Builder
	quoted, last := false, byte(0)
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"' && (!quoted || last != '\\'):
			quoted = !quoted
		case c == '.' && !quoted && last != ']':
			text.WriteString(key)
		case c == '\\' && last == '\\': // an escaped backslash escapes nothing
			last = 0
			text.WriteString(`\\`)
			continue
		}
		again := last == '*'
		last = p[i]
		switch {
		case last == '*' && again: // the same as one
		case last == '*':
			text.WriteString(".*")
		default:
			text.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	if last != ']' {
		text.WriteString(key)
	}
	whole := regexp.MustCompile("^(?s:" + text.String() + ")$")
	inModule := strings.HasPrefix(p, "module.")
	return func(a schema.Addr) bool {
		return whole.MatchString(a.String()) || inModule && slices.ContainsFunc(a.Modules(), whole.MatchString)
	}
}

// targets returns a function that reports whether a declaration is planned. A target that is not declared is an error:
// a misspelt target must never look like success.
func targets(in Input) (func(schema.Addr) bool, hcl.Diagnostics) {
	if len(in.Targets) == 0 {
		return func(schema.Addr) bool { return true }, nil
	}
	var diags hcl.Diagnostics
	wanted := map[schema.Addr]bool{}
	var add func(schema.Addr)
	add = func(a schema.Addr) {
		r := in.Config.Lookup(a)
		if r == nil || wanted[a] {
			return
		}
		wanted[a] = true
		if r.Owner != (schema.Addr{}) {
			add(r.Owner) // an owned declaration is carried out by its owner, as a whole
		}
		for _, dep := range dependencies(r) {
			add(dep)
		}
	}
	for _, a := range in.Targets {
		r := in.Config.Lookup(a)
		if r == nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Target is not declared",
				Detail: fmt.Sprintf("Nothing in the configuration is called %s.", a),
			})
			continue
		}
		add(a)
	}
	return func(a schema.Addr) bool { return wanted[a] }, diags
}

// targetFindings reports how much the targets leave out, and which targets are carried out by another declaration.
func targetFindings(in Input, planned int) []Finding {
	if len(in.Targets) == 0 {
		return nil
	}
	var out []Finding
	all := 0
	for _, r := range in.Config.Resources {
		if r.Owner == (schema.Addr{}) {
			all++
		}
	}
	if all > planned {
		out = append(out, Finding{
			Rule: RuleTarget, Severity: Warn,
			Summary: fmt.Sprintf("%d of %d declarations are left out (-target, -exclude); run a whole plan before you rely "+
				"on it",
				all-planned, all),
		})
	}
	for _, a := range in.Targets {
		if r := in.Config.Lookup(a); r.Owner != (schema.Addr{}) {
			out = append(out, Finding{
				Rule: ruleOwned, Severity: Note, Addr: a.String(),
				Summary: fmt.Sprintf("%s carries it out, so that is planned whole", r.Owner),
			})
		}
	}
	return out
}
