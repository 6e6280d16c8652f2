package schema

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variable is one variable block, and its value once that is known.
type variable struct {
	name      string
	rng       hcl.Range
	typ       cty.Type // may have optional attributes
	defaults  *typeexpr.Defaults
	def       cty.Value // cty.NilVal: no default
	sensitive bool
	nullable  bool

	description string

	guessed bool    // sensitive because of its name; its block does not say
	plain   bool    // its block says sensitive = false, whatever its name is
	misread bool    // it may be meant as sensitive: what its block says of that has a mistake
	kept    bool    // sensitive because of its name, although its block says false: see Access.NamesDecide
	early   []*rule // its validation rules that refer to variables only
	broken  bool    // its block is invalid: the value stays unknown, and nothing more is reported

	value cty.Value // in the root module
}

// secrecyMisspelt reports whether a block of a variable has an argument that may be meant as sensitive.
func secrecyMisspelt(body hcl.Body) bool {
	attrs, _ := body.JustAttributes() // mistakes are reported elsewhere
	for name := range attrs {
		if name == "ephemeral" || name != "sensitive" && Nearest(name, []string{"sensitive"}) != "" {
			return true
		}
	}
	return false
}

var variableScope = variableBody.scope("in a variable block")

func (l *loader) collectVariable(m *module, b *hcl.Block) {
	before := len(l.diags)
	v := &variable{name: b.Labels[0], rng: b.DefRange, typ: cty.DynamicPseudoType, nullable: true}
	content := l.content(b.Body, variableScope)
	// The mark comes first, because even an invalid default may be a secret.
	sound := len(l.diags)
	v.sensitive = l.flag(content.Attributes["sensitive"], secretName(v.name))
	v.misread = len(l.diags) > sound || secrecyMisspelt(b.Body)
	v.guessed = v.sensitive && content.Attributes["sensitive"] == nil
	v.plain = !v.sensitive && content.Attributes["sensitive"] != nil
	v.kept = v.plain && l.opts.Access.NamesDecide && secretName(v.name)
	v.sensitive, v.plain = v.sensitive || v.kept, v.plain && !v.kept
	v.nullable = l.flag(content.Attributes["nullable"], true)
	if attr := content.Attributes["type"]; attr != nil {
		if v.masked() {
			for _, expr := range optionalDefaults(attr.Expr) {
				l.mask(expr)
			}
		}
		typ, defaults, ok := l.typeConstraint(attr.Expr)
		if ok {
			v.typ, v.defaults = typ, defaults
		}
		if typ == cty.Bool && (v.guessed || v.kept) { // use_token = true is not a secret
			v.guessed, v.kept, v.sensitive = false, false, false
		}
	}
	v.description = l.text(content.Attributes["description"])
	if attr := content.Attributes["default"]; attr != nil {
		l.setDefault(v, attr)
	}
	v.broken = l.diags[before:].HasErrors()
	for _, vb := range content.Blocks {
		l.collectRule(vb, rule{mod: m, what: fmt.Sprintf("validation rule of variable %q", v.name),
			object: "var." + v.name, summary: "Invalid value for variable", broken: func() bool { return v.broken }})
	}
	if !hclsyntax.ValidIdentifier(v.name) {
		l.add(problem(b.LabelRanges[0], "Invalid name",
			"%q cannot be the name of a variable: a name starts with a letter or underscore and holds letters, digits, "+
				"underscores and dashes.", v.name))
		return
	}
	if was, taken := m.vars[v.name]; taken {
		was.sensitive = was.sensitive || v.sensitive
		was.plain = was.plain && v.plain
		l.add(problem(b.LabelRanges[0], "Duplicate variable",
			"The variable %q was already declared at %s. Each is declared once.", v.name, place(was.rng)))
		return
	}
	m.vars[v.name] = v
	if v.kept {
		d := problem(content.Attributes["sensitive"].Expr.Range(), "Variable stays a secret",
			"The name of variable %q tells of a secret, and the policy does not let these files say that it is not one.", v.name)
		d.Severity = hcl.DiagWarning
		l.add(d)
	}
	if v.guessed {
		d := problem(v.rng, "Variable may hold a secret",
			"The name of variable %q tells of a secret, so that its value is treated as one. Declare it with sensitive = true, "+
				"or with sensitive = false if it is not secret.", v.name)
		d.Severity = hcl.DiagWarning
		l.add(d)
	}
}

func (l *loader) setDefault(v *variable, attr *hcl.Attribute) {
	if v.masked() {
		l.maskWhole(attr.Expr)
	}
	val, ok := l.constant(attr)
	if !ok {
		return
	}
	if v.sensitive {
		l.secrets.add(val)
	}
	conv, err := v.convert(val, l.meter)
	if err != nil {
		l.add(problem(attr.Expr.Range(), "Invalid default value", "The default does not fit the type of variable %q: %s.",
			v.name, conversionText(err, val, v.sensitive)))
		return
	}
	if conv.IsNull() && !v.nullable {
		l.add(problem(attr.Expr.Range(), "Invalid default value",
			"The default of variable %q is null, but nullable is false.", v.name))
		return
	}
	v.def = conv
}

// convert converts a value to the variable's type, and fills in the defaults of optional attributes.
func (v *variable) convert(val cty.Value, m *meter) (cty.Value, error) {
	if v.defaults != nil && !val.IsNull() {
		if n := valuesIn(val); filled(v.defaults, n) > n {
			if err := m.visit(filled(v.defaults, n)); err != nil {
				return cty.DynamicVal, err
			}
		}
		val = v.defaults.Apply(apart(val, v.defaults))
	}
	return m.convert(val, v.typ)
}

// masked reports whether the variable's value is left out of excerpts.
func (v *variable) masked() bool { return v.sensitive || v.misread || !v.plain && maskedName(v.name) }

// unknown returns the value of a variable about which nothing is known.
func (v *variable) unknown() cty.Value {
	val := cty.UnknownVal(v.typ.WithoutOptionalAttributesDeep())
	if v.sensitive {
		val = Sensitive(val)
	}
	return val
}

// text evaluates a constant description. It returns "" if there is none.
func (l *loader) text(attr *hcl.Attribute) string {
	if attr == nil {
		return ""
	}
	val, ok := l.constant(attr)
	if !ok {
		return ""
	}
	text, err := convert.Convert(val, cty.String)
	if err != nil {
		l.add(problem(attr.Expr.Range(), "Invalid description", "A description is a text: %s.", err))
		return ""
	}
	if !text.IsKnown() || text.IsNull() || text.IsMarked() {
		return ""
	}
	return text.AsString()
}

// constant evaluates an argument that contains no references and no function calls.
func (l *loader) constant(attr *hcl.Attribute) (cty.Value, bool) {
	val, diags := l.evaluate(attr.Expr, nil)
	for _, d := range diags {
		if d.Summary == "Variables not allowed" {
			d.Detail = fmt.Sprintf("The argument %q is a constant: it cannot refer to anything.", attr.Name)
		}
	}
	l.add(diags...)
	return val, !diags.HasErrors()
}

// flag evaluates a constant true or false. It returns absent if the argument is not written.
func (l *loader) flag(attr *hcl.Attribute, absent bool) bool {
	if attr == nil {
		return absent
	}
	val, ok := l.constant(attr)
	if !ok {
		return absent
	}
	val, err := convert.Convert(val, cty.Bool)
	if err != nil || val.IsNull() || !val.IsKnown() {
		l.add(problem(attr.Expr.Range(), "Invalid value", "The argument %q is either true or false.", attr.Name))
		return absent
	}
	return val.True()
}

func (m *module) varNames() []string {
	names := make([]string, 0, len(m.vars))
	for name := range m.vars {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
