package schema

import (
	"reflect"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestAlike: declarations share an equal type. Another type stays as it is.
func TestAlike(t *testing.T) {
	l, typ := &loader{last: map[*Type]cty.Value{}}, &Type{}
	value := func(v cty.Value) cty.Value { return l.alike(typ, cty.ObjectVal(map[string]cty.Value{"a": v})) }
	one, two, other := value(cty.StringVal("x")), value(Sensitive(cty.StringVal("y"))), value(cty.True)
	of := func(v cty.Value) uintptr { return reflect.ValueOf(v.Type().AttributeTypes()).Pointer() }
	if of(one) != of(two) || of(two) == of(other) {
		t.Error("the types are not shared as they should be")
	}
	if got := two.GetAttr("a"); !IsSensitive(got) || !IsSensitive(two) || other.GetAttr("a") != cty.True {
		t.Errorf("%#v, %#v", two, other)
	}
}
