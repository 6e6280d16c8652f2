package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// meta holds the arguments that all declarations and modules have in common.
type meta struct {
	forEach   *hcl.Attribute
	enabled   *hcl.Attribute
	dependsOn *hcl.Attribute

	unknown bool            // the set of instances is unknown or invalid
	off     map[string]bool // the keys that are disabled in some instance of the module, as in addresses
}

// metaArgs are the arguments that every declaration may have.
var metaArgs = metaBody.names()

func metaOf(content *hcl.BodyContent) meta {
	return meta{forEach: content.Attributes["for_each"], enabled: content.Attributes["enabled"],
		dependsOn: content.Attributes["depends_on"]}
}

// names returns the names that expressions may begin with in addition to those of the language.
func (m *meta) names() names {
	if m.forEach == nil {
		return nil
	}
	return names{"each": true}
}

// eachKey calls each for each key of a for_each, in order, with the key as written in addresses, and with each.key and
// each.value in the frame. Without for_each it calls each once. Disabled instances are left out. If the keys are
// unknown or invalid, each is not called and m.unknown is set.
func (l *loader) eachKey(m *meta, f frame, rng hcl.Range, each func(index string, f frame)) {
	if m.forEach == nil {
		if l.isEnabled(m, f) {
			each("", f)
		}
		return
	}
	whole, keys, ok := l.keys(m.forEach, f)
	if !ok {
		m.unknown = true
		return
	}
	all := elementsOf(whole)
	for _, k := range keys {
		if l.expand(rng); l.meter.visit(instanceCost) != nil { // even an empty instance takes memory
			l.add(problem(rng, "Too much to evaluate", "Evaluation ends here: %s.", l.meter.err))
			m.unknown = true
			return
		}
		inner := f.withElement("each", k.key, k.value, all)
		index := indexText(k.key.AsString())
		if l.isEnabled(m, inner) {
			each(index, inner)
			continue
		}
		if m.off == nil {
			m.off = map[string]bool{}
		}
		m.off[index] = true
	}
}

// expand raises the limit of evaluation for one more instance as if the instance were written out, up to the limit of
// the largest configuration.
func (l *loader) expand(block hcl.Range) {
	size := int64(block.End.Byte - block.Start.Byte)
	l.expanded = min(l.expanded+size+instanceRoom, l.opts.Room.Bytes())
	l.meter.more = l.read + l.expanded
}

// instanceRoom is the number of values granted to an instance in addition to those that its source is worth.
const instanceRoom = 256

// instanceCost is the number of values that an instance itself counts for.
const instanceCost = 64

// keyedValue is a key of a for_each and its value.
type keyedValue struct{ key, value cty.Value }

// keys evaluates a for_each: a map, an object or a set of strings, and returns it and its elements. It returns false if
// the value is unknown or invalid. It looks at the elements once, because looking at those of a set sorts them.
func (l *loader) keys(attr *hcl.Attribute, f frame) (cty.Value, []keyedValue, bool) {
	if l.bad[attr] {
		return cty.NilVal, nil, false
	}
	ctx := l.context(attr.Expr, f)
	val, made := l.wholeValue(attr.Expr, f)
	if !made {
		var diags hcl.Diagnostics
		val, diags = l.value(attr.Expr, ctx)
		l.add(diags...)
		if diags.HasErrors() {
			return cty.NilVal, nil, false
		}
	}
	wrong := func(format string, args ...any) (cty.Value, []keyedValue, bool) {
		l.add(l.inContext(problem(attr.Expr.Range(), "Invalid for_each", format, args...), attr.Expr, ctx))
		l.bad[attr] = true
		return cty.NilVal, nil, false
	}
	ty := val.Type()
	switch {
	case val.IsMarked():
		return wrong("The value of for_each is sensitive. Its keys become part of addresses, which are shown, so that they " +
			"cannot be secret. Take the keys from a value that is not sensitive; the values of the map may be sensitive.")
	case !val.IsKnown():
		return cty.NilVal, nil, false
	case val.IsNull():
		return wrong("The value of for_each is null. For no instances give an empty map, or set enabled = false.")
	case ty.IsMapType() || ty.IsObjectType():
	case ty.IsSetType() && (ty.ElementType() == cty.String || val.LengthInt() == 0):
	case ty.IsSetType() && ty.ElementType().IsPrimitiveType():
		return wrong("The value of for_each is a map, an object, or a set of strings, and this is a %s. Write the keys as "+
			"texts: toset([\"a\", \"b\"]).", ty.FriendlyName())
	case ty.IsSetType() || ty.IsListType() || ty.IsTupleType():
		return wrong("The value of for_each is a map, an object, or a set of strings, and this is a %s. A list of strings "+
			"becomes a set by toset(...); of other lists make a map with a for expression: { for x in LIST : x.name => x }.",
			ty.FriendlyName())
	default:
		return wrong("The value of for_each is a map, an object, or a set of strings, and this is a %s.", ty.FriendlyName())
	}
	all, known := make([]keyedValue, 0, val.LengthInt()), true
	for it := val.ElementIterator(); it.Next(); {
		k, v := it.Element()
		known = known && k.IsKnown()
		all = append(all, keyedValue{k, v})
	}
	if !known {
		return cty.NilVal, nil, false
	}
	for _, e := range all {
		if e.key.IsNull() || e.key.AsString() == "" {
			return wrong("A key of for_each is empty or null. The keys become part of addresses.")
		}
	}
	return val, all, true
}

// wholeValue returns the value of an expression that only names a local value, or an input of a module. It was weighed
// when it was made.
func (l *loader) wholeValue(expr hcl.Expression, f frame) (cty.Value, bool) {
	t, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(t.Traversal) != 2 {
		return cty.NilVal, false
	}
	r, _ := l.reference(f.in.of, t.Traversal, nil) // a mistake was reported when the graph was built
	if r == nil || r.node == nil || r.node.local == nil && r.node.input == nil {
		return cty.NilVal, false
	}
	return r.node.value(f.in), true
}

// isEnabled evaluates the argument enabled. An unknown value counts as enabled, so that the declaration is checked.
func (l *loader) isEnabled(m *meta, f frame) bool {
	if m.enabled == nil || l.bad[m.enabled] {
		return true
	}
	ctx := l.context(m.enabled.Expr, f)
	val, diags := l.value(m.enabled.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return true
	}
	wrong := ""
	val, err := convert.Convert(val, cty.Bool)
	switch {
	case err != nil:
		wrong = err.Error()
	case val.IsMarked():
		wrong = "it is sensitive, and what is declared is shown"
	case val.IsNull():
		wrong = "it is null"
	case val.IsKnown():
		return val.True()
	}
	if wrong != "" {
		l.add(l.inContext(problem(m.enabled.Expr.Range(), "Invalid value", "The argument \"enabled\" is either true or "+
			"false: %s.",
			wrong), m.enabled.Expr, ctx))
		l.bad[m.enabled] = true
	}
	return true
}

// unknownEach returns the frame with an unknown each.key and each.value.
func (m *meta) unknownEach(f frame) frame {
	if m.forEach == nil {
		return f
	}
	return f.with("each", cty.ObjectVal(map[string]cty.Value{
		"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal}))
}

// countText returns the message for people who write count.
func countText(name string) string {
	return fmt.Sprintf("There is no %q on purpose: instances that are numbered change their addresses when one in the "+
		"middle goes. Write for_each = toset([\"a\", \"b\"]), or enabled = true or false for one or none.", name)
}
