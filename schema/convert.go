package schema

import (
	"errors"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// convert is convert.Convert for limited values: converting endless digits would take minutes.
func (m *meter) convert(v cty.Value, ty cty.Type) (cty.Value, error) {
	defer func() {
		if errors.Is(m.err, errNumber) { // concerns this value only
			m.err = nil
		}
	}()
	if err := m.weigh(v); err != nil {
		return cty.DynamicVal, err
	}
	if makesNumbers(ty) {
		if err := longDigits(v); err != nil {
			return cty.DynamicVal, err
		}
	}
	if v != cty.NilVal {
		if made, err := m.oneByOne(v, ty); err == nil {
			v = made
		} else if err := m.visit(pairs(v.Type()) / pairUnit); err != nil {
			return cty.DynamicVal, err
		} // the library says what is wrong
	}
	out, err := convert.Convert(v, ty)
	if err == nil && !ty.IsSetType() { // a set contains at most its input, and iterating sorts it
		err = m.weigh(out)
	}
	return out, err
}

// oneByOne converts what is inside of a value to the types that are wanted there, at every depth. Otherwise the library
// compares the type of each element with those of all others. Where it has to, that is charged before.
func (m *meter) oneByOne(v cty.Value, want cty.Type) (cty.Value, error) {
	if !opens(v, want) {
		return v, nil
	}
	out, err := v, error(nil)
	if !hasOnly(v.Type(), want) {
		out, err = opened(v, func(key cty.Value, at int, elem cty.Value) (cty.Value, error) {
			inside := typeInside(want, key, at)
			if inside == cty.DynamicPseudoType {
				return elem, nil
			}
			elem, err := m.oneByOne(elem, inside)
			if err != nil {
				return elem, err
			}
			return convert.Convert(elem, inside)
		})
	}
	if err != nil || !want.IsCollectionType() {
		return out, err
	}
	out, marks := out.Unmark()
	out = functions.Alike(out, want)
	if err := m.visit(functions.Uniting(out, want)); err != nil {
		return v, err
	}
	if v.Type().IsCollectionType() && !out.Type().IsCollectionType() {
		return v, nil
	}
	return out.WithMarks(marks), nil
}

// hasOnly reports whether all parts of an object are the texts, numbers or booleans that a map is to have.
func hasOnly(object, want cty.Type) bool {
	if !object.IsObjectType() || !want.IsMapType() || !want.ElementType().IsPrimitiveType() {
		return false
	}
	for _, ty := range object.AttributeTypes() {
		if ty != want.ElementType() {
			return false
		}
	}
	return true
}

// apart makes tuples and objects of the lists, sets and maps into whose elements defaults are filled: in those the
// library compares the type of each element with those of all others.
func apart(v cty.Value, d *typeexpr.Defaults) cty.Value {
	if d == nil || len(d.Children) == 0 || !opens(v, d.Type) {
		return v
	}
	out, _ := opened(v, func(key cty.Value, at int, elem cty.Value) (cty.Value, error) { // the callback returns no error
		name := ""
		switch {
		case d.Type.IsObjectType():
			name = key.AsString()
		case d.Type.IsTupleType():
			name = strconv.Itoa(at)
		}
		return apart(elem, d.Children[name]), nil
	})
	return out
}

// opens reports whether a value becomes one of another type by converting its elements.
func opens(v cty.Value, want cty.Type) bool {
	v, _ = v.Unmark()
	ty := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown() || !v.CanIterateElements() || v.LengthInt() == 0,
		ty.IsSetType() && !v.IsWhollyKnown(), // its length is unknown, too
		ty.IsCollectionType() && want.IsCollectionType() &&
			(want.ElementType() == cty.DynamicPseudoType || ty.ElementType().Equals(want.ElementType())):
		return false
	case want.IsListType(), want.IsSetType():
		return ty.IsTupleType() || ty.IsListType() || ty.IsSetType()
	case want.IsMapType():
		return ty.IsObjectType() || ty.IsMapType()
	}
	return want.IsObjectType() && ty.IsObjectType() || want.IsTupleType() && ty.IsTupleType()
}

// opened returns a tuple or an object of the elements of a value, each of them changed.
func opened(v cty.Value, change func(key cty.Value, at int, elem cty.Value) (cty.Value, error)) (cty.Value, error) {
	v, marks := v.Unmark()
	var elems []cty.Value
	attrs := map[string]cty.Value{}
	named := v.Type().IsObjectType() || v.Type().IsMapType()
	for it := v.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		elem, err := change(key, len(elems), elem)
		if err != nil {
			return v, err
		}
		if named {
			attrs[key.AsString()] = elem
		} else {
			elems = append(elems, elem)
		}
	}
	if named {
		return cty.ObjectVal(attrs).WithMarks(marks), nil
	}
	return cty.TupleVal(elems).WithMarks(marks), nil
}

// typeInside returns the type that is wanted of an element, or any type.
func typeInside(want cty.Type, key cty.Value, at int) cty.Type {
	switch {
	case want.IsCollectionType():
		return want.ElementType()
	case want.IsObjectType() && want.HasAttribute(key.AsString()):
		return want.AttributeType(key.AsString())
	case want.IsTupleType() && at < want.Length():
		return want.TupleElementType(at)
	}
	return cty.DynamicPseudoType
}

// makesNumbers reports whether conversion to this type may turn texts into numbers.
func makesNumbers(ty cty.Type) bool {
	if ty.IsCollectionType() {
		ty = ty.ElementType()
	}
	return ty != cty.String && ty != cty.DynamicPseudoType && ty != cty.Bool
}

// longDigits refuses a text that would become a number of very many digits.
func longDigits(v cty.Value) error {
	var wrong error
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() && len(v.AsString()) > maxDigits &&
			strings.Trim(v.AsString(), "0123456789+-.eE") == "" {
			wrong = errNumber
		}
		return wrong == nil, nil
	})
	return wrong
}
