package schema

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// rootWords maps common wrong words to the right ones where edit distance would not find them.
var rootWords = map[string]string{"vars": "var", "variable": "var", "variables": "var", "locals": "local"}

// rootText explains the error in an expression that begins with an unknown name.
func (l *loader) rootText(m *module, t hcl.Traversal, names names) string {
	root := t.RootName()
	if root == "each" {
		return "each.key and each.value are there in a block with for_each, and this one has none."
	}
	if root == "self" {
		return "self is there in the precondition and postcondition of a declaration only."
	}
	if text := wordsOfReferences[root]; text != "" && len(t) > 1 {
		return fmt.Sprintf("There is nothing named %q here. %s", root, text)
	}
	if l.problems[hcl.DiagError] < maxProblems { // the others are only counted
		if a, ok := m.withoutKind(t); ok {
			return fmt.Sprintf("There is nothing named %q here. Did you mean %q? A reference is written KIND.TYPE.NAME.",
				root, a)
		}
	}
	all := slices.Concat(roots, slices.Sorted(maps.Keys(names)))
	meant := rootWords[root]
	if meant == "" {
		meant = Nearest(root, all)
	}
	if len(t) == 1 {
		hint := fmt.Sprintf(" To write a text, put it in quotes: %q.", root)
		if m.nodes["local."+root] != nil {
			hint += fmt.Sprintf(" Did you mean local.%s?", root)
		} else if m.vars[root] != nil {
			hint += fmt.Sprintf(" Did you mean var.%s?", root)
		}
		return fmt.Sprintf("There is nothing named %q here.%s", root, hint)
	}
	if meant != "" {
		return fmt.Sprintf("There is nothing named %q here. Did you mean %q?", root, l.meantText(m, t, meant))
	}
	return fmt.Sprintf("There is nothing named %q here. A reference begins with %s.", root, quoteList(all, "or"))
}

// wordsOfReferences maps first words of Terraform's references to what to use instead.
var wordsOfReferences = map[string]string{
	"count":     "Instances have keys instead of numbers: with for_each, write each.key.",
	"data":      "There are no data sources: a plan reads what servers have. A reference is written KIND.TYPE.NAME.",
	"terraform": "There are no workspaces: what differs comes in by a variable, var.NAME.",
}

// withoutKind returns the declaration that a reference TYPE.NAME means, if there is exactly one.
func (m *module) withoutKind(t hcl.Traversal) (Addr, bool) {
	return m.only(func(a Addr) bool {
		name, ok := stepName(t, 1)
		return ok && a.Type == t.RootName() && a.Name == name
	})
}

// only returns the declaration that meets a condition, if there is exactly one.
func (m *module) only(fits func(Addr) bool) (Addr, bool) {
	var found []Addr
	for _, key := range m.keysSorted() {
		if n := m.nodes[key]; n.decl != nil && fits(n.decl.addr) {
			found = append(found, n.decl.addr)
		}
	}
	if len(found) != 1 {
		return Addr{}, false
	}
	return found[0], true
}

// meantText returns the whole reference as it was probably meant, if that declaration exists, or else its first word.
func (l *loader) meantText(m *module, t hcl.Traversal, root string) string {
	typeName, ok1 := stepName(t, 1)
	name, ok2 := stepName(t, 2)
	addr := Addr{Kind: Kind(root), Type: typeName, Name: name}
	if !isKind(root) || !ok1 || !ok2 || m.nodes[addr.String()] == nil && !m.lost.names[addr.String()] {
		return root
	}
	return addr.String()
}

func (l *loader) undeclared(m *module, addr Addr, rng hcl.Range) *hcl.Diagnostic {
	if l.problems[hcl.DiagError] >= maxProblems { // it is only counted
		return problem(rng, "Reference to undeclared declaration", "There is no %s.", addr)
	}
	var all []string
	for _, key := range m.keysSorted() {
		n := m.nodes[key]
		if n.decl == nil {
			continue
		}
		if a := n.decl.addr; a.Name == addr.Name && a.Kind != addr.Kind && Nearest(addr.String(), []string{key}) == "" &&
			a.Type == addr.Type {
			return problem(rng, "Reference to undeclared declaration", "There is no %s. Did you mean %s?", addr, a)
		}
		all = append(all, key)
	}
	hint := ""
	if meant := l.nearest(addr.String(), func() []string { return all }); meant != "" {
		hint = fmt.Sprintf(" Did you mean %s?", meant)
	} else if a, ok := m.only(func(a Addr) bool { return a.Kind == addr.Kind && a.Name == addr.Type }); ok &&
		l.opts.Catalog.Lookup(addr.Kind, addr.Type) == nil {
		hint = fmt.Sprintf(" Did you mean %s? A reference is written %s.TYPE.NAME.", a, addr.Kind)
	}
	return problem(rng, "Reference to undeclared declaration", "There is no %s.%s", addr, hint)
}

// instanceHint tells how to refer to a declaration, or to one of its instances.
func (m *module) instanceHint(addr Addr) string {
	switch n := m.nodes[addr.String()]; {
	case n == nil:
		return ""
	case n.decl.meta.forEach != nil:
		return fmt.Sprintf(" One instance of it is %s[\"KEY\"] or %s[each.key].", addr, addr)
	}
	return fmt.Sprintf(" Write %s.", addr)
}

// noReferenceHint describes a value that is not a reference, if that shows what was meant: all instances of a
// for_each, or text in JSON that would be an expression in the native syntax.
func noReferenceHint(val cty.Value) string {
	if val.Type() == cty.String {
		t, diags := hclsyntax.ParseTraversalAbs([]byte(val.AsString()), "", hcl.InitialPos)
		if !diags.HasErrors() && len(t) > 1 && slices.Contains(append([]string{"each", "self"}, roots...), t.RootName()) {
			return fmt.Sprintf(" This is a text. In JSON an expression is written \"${%s}\".", traversalText(t))
		}
		return ""
	}
	if !val.Type().IsObjectType() && !val.Type().IsMapType() {
		return ""
	}
	for it := val.ElementIterator(); it.Next(); {
		key, one := it.Element()
		if one.IsMarked() || !one.IsKnown() || one.IsNull() || !one.Type().IsObjectType() ||
			!one.Type().HasAttribute("address") {
			return ""
		}
		if addr, err := ParseAddr(Text(one.GetAttr("address"))); err == nil && addr.Index == indexText(Text(key)) {
			return fmt.Sprintf(" This is all of %s, which has a for_each: name one by its key, such as [%q].", addr.All(),
				Text(key))
		}
	}
	return ""
}

// improve adds what was probably meant to an error about a missing attribute or key.
func (l *loader) improve(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) {
	if d.Expression == nil || d.EvalContext == nil {
		d.Expression, d.EvalContext = expr, ctx
	}
	unknownFunction(d)
	if d.Subject == nil || d.Summary != "Unsupported attribute" && d.Summary != "Invalid index" &&
		d.Summary != "Attempt to get attribute from null value" ||
		l.problems[hcl.DiagError] >= maxProblems { // it is only counted
		return
	}
	for _, t := range d.Expression.Variables() { // inside of a for expression, its own names exist too
		for i := 1; i < len(t); i++ {
			if t[i].SourceRange() != *d.Subject && t[i:i+1].SourceRange() != *d.Subject {
				continue
			}
			parent, diags := t[:i].TraverseAbs(d.EvalContext)
			if diags.HasErrors() {
				continue
			}
			var text string
			if name, ok := stepName(t, i); ok {
				text = cmp.Or(someLack(t, i, d.EvalContext, name), l.lacks(t, i, parent, name))
			} else {
				text = l.notNumbered(t, i, parent)
			}
			if text != "" {
				d.Detail = text
				return
			}
		}
	}
	l.improveComputed(d)
	l.improveSplat(d, expr, ctx)
}

// lacks says that a value has no such attribute or key. It returns "" if that is not the problem.
func (l *loader) lacks(t hcl.Traversal, at int, parent cty.Value, name string) string {
	text, root := traversalText(t[:at]), t.RootName()
	whole := isWhole(t, at)
	_, index := t[at].(hcl.TraverseIndex)
	names := keysOf(parent)
	switch {
	case parent.IsNull() && whole:
		return fmt.Sprintf("%s is not enabled: it is null, so it has no %q.", text, name)
	case parent.IsNull():
		return fmt.Sprintf("%s is null: nothing is written there, so it has no %q.", text, name)
	case !parent.Type().IsObjectType() && !parent.Type().IsMapType() || slices.Contains(names, name):
		return ""
	case parent.IsMarked() && index:
		return fmt.Sprintf("%s has no key %q.", text, name)
	case parent.IsMarked():
		return fmt.Sprintf("%s has no attribute %q.", text, name)
	case whole && !index && (root == "module" || !slices.Contains(names, "address")):
		return fmt.Sprintf("%s has a for_each, so that there may be many: name one, as in %s[\"KEY\"].%s or "+
			"%s[each.key].%s. Of all: values(%s)[*].%s.", text, text, name, text, name, text, name)
	case index:
		return fmt.Sprintf("%s has no key %q.%s", text, name, l.namesHint(name, names))
	}
	return fmt.Sprintf("%s has no attribute %q.%s", text, name, l.namesHint(name, names))
}

// elements are all that a for_each goes through, for messages.
type elements struct {
	whole   cty.Value
	lacking map[string]string // by the name of an attribute, see someLack
}

var elementsType = cty.Capsule("elements", reflect.TypeFor[elements]())

func elementsOf(whole cty.Value) cty.Value {
	return cty.CapsuleVal(elementsType, &elements{whole: whole})
}

// someLack says which elements of a for_each lack an attribute that others have. It returns "" if that is not the
// problem. It looks through them once, however many lack it.
func someLack(t hcl.Traversal, at int, ctx *hcl.EvalContext, name string) string {
	if word, _ := stepName(t, 1); at != 2 || word != "value" {
		return ""
	}
	known, ok := ctx.Variables[wholeOf(t.RootName())]
	if !ok {
		return ""
	}
	of := known.EncapsulatedValue().(*elements)
	text, made := of.lacking[name]
	if !made {
		if of.lacking == nil {
			of.lacking = map[string]string{}
		}
		text = of.lack(traversalText(t[:at])+"."+name, name)
		of.lacking[name] = text
	}
	return text
}

func (e *elements) lack(text, name string) string {
	if e.whole.IsMarked() || e.whole.Type().IsSetType() {
		return ""
	}
	var without []string
	has := false
	for it := e.whole.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		switch ty := elem.Type(); {
		case elem.IsMarked() || !elem.IsKnown() || elem.IsNull() || !ty.IsObjectType():
			return ""
		case ty.HasAttribute(name):
			has = true
		default:
			without = append(without, Text(key))
		}
	}
	if !has || len(without) == 0 {
		return ""
	}
	const most = 10
	var keys string
	switch list := quoteList(without[:min(most, len(without))], "and"); {
	case len(without) > most:
		keys = fmt.Sprintf("%d keys, such as %s", len(without), list)
	case len(without) > 1:
		keys = "the keys " + list
	default:
		keys = "the key " + list
	}
	return fmt.Sprintf("Not all elements of the for_each have the attribute %q: it is missing for %s. Write "+
		"try(%s, null), or another value for these in place of null, or give each of them the attribute.", name, keys, text)
}

// wholeOf returns the name under which expressions have all that a for_each goes through, for messages. No expression
// can write it.
func wholeOf(iterator string) string { return "(" + iterator + ")" }

// isWhole reports whether the first steps of a traversal name a declaration or a module.
func isWhole(t hcl.Traversal, steps int) bool {
	return steps == 3 && isKind(t.RootName()) || steps == 2 && t.RootName() == "module"
}

// notNumbered explains what to write instead of a number in brackets. It returns "" if that is not the problem.
func (l *loader) notNumbered(t hcl.Traversal, at int, parent cty.Value) string {
	step, ok := t[at].(hcl.TraverseIndex)
	if !ok || step.Key.Type() != cty.Number || parent.IsMarked() || !parent.IsKnown() || parent.IsNull() {
		return ""
	}
	text, names := traversalText(t[:at]), keysOf(parent)
	switch {
	case isWhole(t, at) && t.RootName() != "module" && slices.Contains(names, "address"):
		return fmt.Sprintf("%s has no for_each, so that there is only one: leave out the number.", text)
	case parent.Type().IsObjectType() || parent.Type().IsMapType():
		return fmt.Sprintf("%s has keys instead of numbers.%s", text, theNames(names))
	}
	return l.lacksKey(text, parent, step.Key)
}

// keysOf returns the names of an object's attributes, or the keys of a map, sorted.
func keysOf(v cty.Value) []string {
	v, _ = v.Unmark()
	var names []string
	if v.Type().IsObjectType() {
		for n := range v.Type().AttributeTypes() {
			names = append(names, n)
		}
	} else if v.Type().IsMapType() && v.IsKnown() && !v.IsNull() {
		for n := range v.AsValueMap() {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

// namesHint suggests the name that was probably meant, or else lists the existing names if there are few.
func (l *loader) namesHint(name string, names []string) string {
	if hint := l.didYouMean(name, func() []string { return names }); hint != "" {
		return hint
	}
	return theNames(names)
}

// theNames lists the existing names if there are few.
func theNames(names []string) string {
	if len(names) == 0 || len(names) > 12 {
		return ""
	}
	return fmt.Sprintf(" It has %s.", quoteList(names, "and"))
}
