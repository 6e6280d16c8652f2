package schema

import (
	"strconv"

	"github.com/zclconf/go-cty/cty"
)

// Get walks down attributes, map keys, and list elements by their index from 0. It returns
// cty.NullVal(cty.DynamicPseudoType) if anything on the way is absent or null. Marks on the way are kept on the
// result.
func Get(v cty.Value, path ...string) cty.Value {
	absent := cty.NullVal(cty.DynamicPseudoType)
	if v == cty.NilVal {
		return absent
	}
	var marks []cty.ValueMarks
	for _, step := range path {
		if v.IsMarked() {
			marks = append(marks, v.Marks())
			v, _ = v.Unmark()
		}
		next, ok := child(v, step)
		if !ok {
			return absent.WithMarks(marks...)
		}
		v = next
	}
	if v.IsNull() {
		v = absent.WithMarks(v.Marks())
	}
	return v.WithMarks(marks...)
}

// child goes one step down from an unmarked value.
func child(v cty.Value, step string) (cty.Value, bool) {
	if v.IsNull() {
		return cty.NilVal, false
	}
	ty := v.Type()
	switch {
	case ty == cty.DynamicPseudoType:
		return cty.DynamicVal, true // a value that is not null and of no known type is unknown
	case ty.IsObjectType():
		if !ty.HasAttribute(step) {
			return cty.NilVal, false
		}
		return v.GetAttr(step), true
	case ty.IsMapType():
		return element(v, cty.StringVal(step))
	case ty.IsListType() || ty.IsTupleType():
		n, err := strconv.Atoi(step)
		if err != nil {
			return cty.NilVal, false
		}
		return element(v, cty.NumberIntVal(int64(n)))
	}
	return cty.NilVal, false
}

func element(v, key cty.Value) (cty.Value, bool) {
	has := v.HasIndex(key)
	if !has.IsKnown() {
		return cty.DynamicVal, true
	}
	if has.False() {
		return cty.NilVal, false
	}
	return v.Index(key), true
}

// Text returns the value as a string: "" if it is null or not a string, number or boolean, "(sensitive value)" if it
// carries the sensitive mark, "(unknown)" if it is not known yet.
func Text(v cty.Value) string {
	switch {
	case v == cty.NilVal:
		return ""
	case v.IsMarked():
		return sensitiveText
	case v.IsNull():
		return ""
	case !v.IsKnown():
		return unknownText
	}
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Bool:
		return strconv.FormatBool(v.True())
	case cty.Number:
		return numberText(v)
	}
	return ""
}

// numberText writes a number in decimal: whole numbers of ordinary size in full, others with as few digits as identify
// them. Enormous numbers, whose digits would take minutes, are written in binary.
func numberText(v cty.Value) string {
	f := v.AsBigFloat()
	size := f.MantExp(nil)
	switch {
	case f.IsInt() && size < 256:
		return f.Text('f', 0)
	case size > 4096 || size < -4096:
		return f.Text('p', 0)
	}
	return f.Text('g', -1)
}
