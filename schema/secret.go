package schema

import "github.com/zclconf/go-cty/cty"

// mark is unexported so that nothing outside this package can make or remove one by itself.
type mark struct{}

var sensitive = mark{}

// What stands in text for a value that must not, or cannot, be shown.
const (
	sensitiveText = "(sensitive value)"
	unknownText   = "(unknown)"
)

// Reveal takes the sensitive mark off a value and off all that is inside it. It is the only way to do so, and only
// drivers have reason to.
func Reveal(v cty.Value) cty.Value {
	if v == cty.NilVal {
		return v
	}
	v, _ = v.UnmarkDeep()
	return v
}

// Sensitive puts the mark on a value: every value computed from it carries it too.
func Sensitive(v cty.Value) cty.Value { return v.Mark(sensitive) }

// IsSensitive says whether the value, or anything inside it, carries the sensitive mark.
func IsSensitive(v cty.Value) bool {
	switch {
	case v == cty.NilVal:
		return false
	case v.IsMarked():
		return true
	case v.IsNull() || !v.IsKnown() || v.Type().IsSetType() || !v.CanIterateElements():
		return false // a set has the marks of its elements itself, and looking at these sorts them
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, elem := it.Element(); IsSensitive(elem) {
			return true
		}
	}
	return false
}
