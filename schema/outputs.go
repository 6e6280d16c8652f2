package schema

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Output is a value that a configuration exports to its users.
type Output struct {
	Name        string
	Description string
	Value       cty.Value // marked if it is sensitive
	Range       hcl.Range
}

// output is one output block.
type output struct {
	name        string
	description string
	value       *hcl.Attribute
	dependsOn   *hcl.Attribute
	sensitive   bool
}

var outputScope = outputBody.scope("in an output block")

func (l *loader) collectOutput(m *module, b *hcl.Block) {
	name := b.Labels[0]
	if !l.validName(name, b.LabelRanges[0]) {
		return
	}
	before := len(l.diags)
	content := l.content(b.Body, outputScope)
	o := &output{name: name, value: content.Attributes["value"], dependsOn: content.Attributes["depends_on"],
		description: l.text(content.Attributes["description"]), sensitive: l.flag(content.Attributes["sensitive"], false)}
	if o.value == nil {
		l.add(problem(b.DefRange, "Missing required argument", "The argument \"value\" is required in an output block."))
	}
	n := &node{key: "output." + name, rng: b.DefRange, output: o}
	if !l.declare(m, n, "output", b.LabelRanges[0]) {
		return
	}
	n.broken = l.diags[before:].HasErrors()
	m.outputs = append(m.outputs, n)
	for _, c := range content.Blocks {
		l.collectRule(c, rule{mod: m, what: fmt.Sprintf("precondition of output %q", name), summary: "Condition does not " +
			"hold", object: n.key, broken: func() bool { return n.broken }})
	}
}

// evaluateOutput evaluates an output in one instance of the module.
func (l *loader) evaluateOutput(n *node, in *instance) cty.Value {
	o := n.output
	if n.broken || o.value == nil || l.bad[o.value] {
		return cty.DynamicVal
	}
	ctx := l.context(o.value.Expr, frame{in: in})
	val, diags := l.value(o.value.Expr, ctx)
	l.add(diags...)
	if o.sensitive {
		val = Sensitive(val)
		l.secrets.collect(val)
	} else if IsSensitive(val) && n.mod == l.root {
		l.add(problem(o.value.Expr.Range(), "Output of a sensitive value",
			"The value of output %q is sensitive, or part of it is. Say that it is meant, with "+
				"sensitive = true: then its users treat it as a secret. It is not shown.", o.name))
		val = Sensitive(val)
	}
	return val
}

// outputs returns the outputs of the root module, by name.
func (l *loader) outputs() []Output {
	var out []Output
	for _, n := range l.root.outputs {
		out = append(out, Output{Name: n.output.name, Description: n.output.description, Value: n.value(l.root.instances[0]),
			Range: n.rng})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
