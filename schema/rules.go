package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// rule is a condition set by the author of a configuration: the validation of a variable, the assertion of a check, or
// the precondition or postcondition of a declaration or an output. It may refer to anything, because it is applied
// when everything is evaluated.
type rule struct {
	mod       *module
	of        *node  // the rule is applied to each of its instances; nil: to those of the module
	object    string // what fails if the condition is false: "var.x"; "": the declarations of the node
	what      string
	summary   string
	rng       hcl.Range
	condition *hcl.Attribute
	message   *hcl.Attribute
	warning   bool // a failure stops nothing
	strict    bool // an unknown condition fails
	broken    func() bool
	names     names
	early     bool // it was applied as soon as its variable was set
}

// ruleArgs are the arguments of every block with a condition.
var ruleArgs = ruleBody.names()

// collectRule reads a block with a condition. r describes its subject.
func (l *loader) collectRule(b *hcl.Block, r rule) {
	content := l.content(b.Body, scope{where: fmt.Sprintf("in %s %s block", article(b.Type), b.Type), args: ruleArgs})
	for _, name := range ruleArgs {
		if content.Attributes[name] == nil {
			l.add(problem(b.DefRange, "Missing required argument", "The argument %q is required in %s %s block.", name,
				article(b.Type), b.Type))
		}
	}
	if len(content.Attributes) < 2 {
		return
	}
	r.rng, r.condition, r.message = b.DefRange, content.Attributes["condition"], content.Attributes["error_message"]
	l.rules = append(l.rules, &r)
}

func article(word string) string {
	if word == "assert" {
		return "an"
	}
	return "a"
}

// resolveRules resolves the references in conditions, and reports missing targets.
func (l *loader) resolveRules() {
	for _, r := range l.rules {
		n := &node{mod: r.mod, validates: r.mod.vars[strings.TrimPrefix(r.object, "var.")]}
		l.resolveExpr(n, r.condition, r.names)
		l.resolveExpr(n, r.message, r.names)
		if r.early = n.validates != nil && r.looksAt(n.validates); r.early {
			n.validates.early = append(n.validates.early, r)
		}
	}
}

// looksAt reports whether a rule of a variable can be applied as soon as the variable is set: it refers to nothing
// else, or in the root module only to other variables, which are all set by then.
func (r *rule) looksAt(v *variable) bool {
	for _, t := range append(r.condition.Expr.Variables(), r.message.Expr.Variables()...) {
		if name, ok := stepName(t, 1); t.RootName() != "var" || !ok || name != v.name && r.mod.parent != nil {
			return false
		}
	}
	return true
}

// validate applies the rules of a variable that refer to variables only. A refused value becomes unknown to its users,
// so that consequential errors are not reported.
func (l *loader) validate(v *variable, in *instance) bool {
	valid := true
	for _, r := range v.early {
		if (r.broken == nil || !r.broken()) && !l.bad[r.condition] && !l.bad[r.message] {
			valid = l.applyRule(r, frame{in: in}) && valid
		}
	}
	return valid
}

// validateRoot does so for the variables of the root module, which are all set.
func (l *loader) validateRoot() {
	attrs := l.varsVal.AsValueMap()
	valid := true
	for _, name := range l.root.varNames() {
		if v := l.root.vars[name]; !l.validate(v, l.root.instances[0]) {
			attrs[name], valid = v.unknown(), false
		}
	}
	if !valid {
		l.varsVal = cty.ObjectVal(attrs)
	}
}

// applyRules evaluates all conditions.
func (l *loader) applyRules() {
	for _, r := range l.rules {
		if r.early || r.broken != nil && r.broken() || l.bad[r.condition] || l.bad[r.message] {
			continue
		}
		for _, in := range r.mod.instances {
			switch {
			case r.of == nil:
				l.applyRule(r, frame{in: in})
			case r.of.decl != nil && in.index < len(r.of.decl.made):
				for _, res := range r.of.decl.made[in.index] {
					if res.Elsewhere { // its own site applies it
						continue
					}
					before := len(l.diags)
					l.applyRule(r, frame{in: in, res: res, names: res.names}.with("self", res.self()))
					l.blame(r.of.decl, res.Addr, before)
				}
			}
		}
	}
}

// applyRule evaluates a condition. It returns false if the condition is false or cannot be evaluated.
func (l *loader) applyRule(r *rule, f frame) bool {
	ctx := l.context(r.condition.Expr, f)
	cond, diags := l.value(r.condition.Expr, ctx)
	if !diags.HasErrors() {
		var err error
		if cond, err = convert.Convert(cond, cty.Bool); err != nil || cond.IsNull() {
			l.add(l.inContext(problem(r.condition.Expr.Range(), "Invalid condition",
				"The condition must be either true or false."), r.condition.Expr, ctx))
			return false
		}
	}
	l.add(diags...)
	if diags.HasErrors() || !cond.IsKnown() && !r.strict {
		return !diags.HasErrors()
	}
	if !cond.IsKnown() {
		l.add(l.inContext(problem(r.condition.Expr.Range(), r.summary, "Whether the condition holds is not known."),
			r.condition.Expr, ctx))
		return false
	}
	cond, _ = cond.Unmark()
	if cond.True() {
		return true
	}
	d := problem(r.condition.Expr.Range(), r.summary, "%s\n\nThis was checked by the %s at %s.",
		l.ruleMessage(r, f), r.what, place(r.rng))
	if r.warning {
		d.Severity = hcl.DiagWarning
	}
	l.add(ofObject(l.inContext(d, r.condition.Expr, ctx), f, r.object))
	return false
}

// ruleMessage evaluates the error_message of a failed rule.
func (l *loader) ruleMessage(r *rule, f frame) string {
	const instead = "The condition does not hold."
	ctx := l.context(r.message.Expr, f)
	msg, diags := l.value(r.message.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return instead
	}
	msg, err := convert.Convert(msg, cty.String)
	switch {
	case IsSensitive(msg):
		l.add(problem(r.message.Expr.Range(), "Sensitive error message",
			"The error_message is computed from a sensitive value, so it cannot be shown. Leave the value out of it."))
		return instead
	case err != nil || msg.IsNull():
		l.add(problem(r.message.Expr.Range(), "Invalid error message", "The error_message must be a text."))
		return instead
	case !msg.IsKnown():
		return instead
	}
	return msg.AsString()
}

// lifecycle is the content of a declaration's lifecycle block.
type lifecycle struct {
	preventDestroy *hcl.Attribute
	ignoreDrift    []ignoreDrift
}

// collectLifecycle reads the lifecycle blocks of a declaration, and reports all but the first.
func (l *loader) collectLifecycle(n *node, blocks hcl.Blocks) {
	for i, b := range blocks {
		if i > 0 {
			l.add(problem(b.TypeRange, "Duplicate block", "There was already a block lifecycle in this declaration, at %s. "+
				"It may "+
				"stand there once.", place(blocks[0].DefRange)))
			return
		}
		content := l.content(b.Body, lifecycleBody.scope("in a lifecycle block"))
		n.decl.life.preventDestroy = content.Attributes["prevent_destroy"]
		for _, c := range content.Blocks {
			if c.Type == ignoreDriftName {
				l.collectIgnoreDrift(n, c)
				continue
			}
			l.collectRule(c, rule{mod: n.mod, of: n, what: fmt.Sprintf("%s of %s", c.Type, n.mod.full(n.key)),
				summary: "Condition does not hold", names: n.decl.meta.names().with("self"),
				broken: func() bool { return n.broken || n.decl.failed }})
		}
	}
}

// isProtected evaluates prevent_destroy. An unknown value protects.
func (l *loader) isProtected(d *decl, f frame) bool {
	attr := d.life.preventDestroy
	if attr == nil || l.bad[attr] {
		return false
	}
	ctx := l.context(attr.Expr, f)
	val, diags := l.value(attr.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return true
	}
	val, err := convert.Convert(val, cty.Bool)
	if err != nil || val.IsNull() || val.IsMarked() {
		l.add(l.inContext(problem(attr.Expr.Range(), "Invalid value",
			"The argument \"prevent_destroy\" is either true or false, and not sensitive."), attr.Expr, ctx))
		return true
	}
	return !val.IsKnown() || val.True()
}

// collectCheck reads a check block: assertions about the whole configuration, whose failure is a warning.
func (l *loader) collectCheck(m *module, b *hcl.Block) {
	name := b.Labels[0]
	if !l.validName(name, b.LabelRanges[0]) {
		return
	}
	n := &node{key: "check." + name, rng: b.DefRange, mod: m}
	if was, taken := m.nodes[n.key]; taken {
		l.add(problem(b.LabelRanges[0], "Duplicate check", "%s was already declared at %s. Each is declared once.", n.key,
			place(was.rng)))
		return
	}
	m.nodes[n.key] = n // this reserves the name; nothing refers to it
	content := l.content(b.Body, checkBody.scope("in a check block"))
	if len(content.Blocks) == 0 {
		l.add(problem(b.DefRange, "Missing required block", "A block \"assert\" is required in a check block."))
	}
	for _, a := range content.Blocks {
		l.collectRule(a, rule{mod: m, what: fmt.Sprintf("check %q", name), summary: "Check does not hold", warning: true,
			object: n.key})
	}
}
