package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// mark marks a value as sensitive. It is unexported so that only this package can add or remove it.
type mark struct{ from Source }

// Source is where a secret comes from: a variable of the root module, or one of the environment. It is the zero Source
// if the configuration has the secret itself.
type Source struct {
	Variable    string
	Environment string // what env() has read
}

// String returns the source as an expression in a configuration.
func (s Source) String() string {
	if s.Environment != "" {
		return fmt.Sprintf("env(%q)", s.Environment)
	}
	return "var." + s.Variable
}

// Texts shown for a value that must not, or cannot, be shown.
const (
	sensitiveText = "(sensitive value)"
	unknownText   = "(unknown)"
)

// Reveal removes the sensitive mark from a value and from everything inside of it. It is the only way to do so, and
// only drivers have a reason to.
func Reveal(v cty.Value) cty.Value {
	if v == cty.NilVal {
		return v
	}
	v, _ = v.UnmarkDeep()
	return v
}

// Sensitive marks a value. Every value computed from it carries the mark too.
func Sensitive(v cty.Value) cty.Value { return v.Mark(mark{}) }

// sensitiveFrom marks a value that comes from outside. Every value computed from it has that source too.
func sensitiveFrom(s Source, v cty.Value) cty.Value { return v.Mark(mark{s}) }

// gather adds to marks those of a value and of everything inside of it.
func gather(marks cty.ValueMarks, v cty.Value) {
	if v == cty.NilVal {
		return
	}
	v, own := v.Unmark()
	maps.Copy(marks, own)
	if v.IsNull() || !v.IsKnown() || v.Type().IsSetType() || !v.CanIterateElements() {
		return // a set has the marks of its elements itself
	}
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		gather(marks, elem)
	}
}

// Sources returns where the secrets in a declaration come from, and those in the declarations that it refers to,
// sorted. What its own arguments are computed from counts, whatever is left of it in their values.
func (r *Resource) Sources() []Source {
	marks := cty.ValueMarks{}
	seen := map[*Resource]bool{}
	var look func(*Resource)
	look = func(r *Resource) {
		if seen[r] {
			return
		}
		seen[r] = true
		gather(marks, r.Value)
		for _, to := range r.Refs {
			look(to)
		}
	}
	look(r)
	return sources(marks)
}

// SourcesOf returns where the secrets in a value come from, sorted.
func SourcesOf(v cty.Value) []Source {
	marks := cty.ValueMarks{}
	gather(marks, v)
	return sources(marks)
}

func sources(marks cty.ValueMarks) []Source {
	var out []Source
	for m := range marks {
		if m, ok := m.(mark); ok && m.from != (Source{}) {
			out = append(out, m.from)
		}
	}
	slices.SortFunc(out, func(a, b Source) int {
		return cmp.Or(cmp.Compare(a.Variable, b.Variable), cmp.Compare(a.Environment, b.Environment))
	})
	return out
}

// IsSensitive reports whether the value, or anything inside of it, carries the sensitive mark.
func IsSensitive(v cty.Value) bool {
	switch {
	case v == cty.NilVal:
		return false
	case v.IsMarked():
		return true
	case v.IsNull() || !v.IsKnown() || v.Type().IsSetType() || !v.CanIterateElements():
		return false // a set carries the marks of its elements itself, and iterating sorts them
	}
	if v.Type().IsObjectType() { // iterating sorts the names
		for name := range v.Type().AttributeTypes() {
			if IsSensitive(v.GetAttr(name)) {
				return true
			}
		}
		return false
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, elem := it.Element(); IsSensitive(elem) {
			return true
		}
	}
	return false
}
