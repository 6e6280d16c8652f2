package schema

import "github.com/zclconf/go-cty/cty"

// mark is unexported so that only this package can add or remove it.
type mark struct{}

var sensitive = mark{}

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
func Sensitive(v cty.Value) cty.Value { return v.Mark(sensitive) }

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
