package schema

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// giveTest adds the values that a test sets for variables. They override all others, and those of the run override
// those of its file.
func (l *loader) giveTest(values map[string]given) {
	r := l.opts.Run
	if r == nil {
		return
	}
	for _, attr := range slices.Concat(r.test.variables, r.variables) {
		if l.root.vars[attr.Name] != nil {
			l.giveAttribute(values, attr)
			continue
		}
		l.mask(attr.Expr)
		if !l.root.lost.has("var." + attr.Name) {
			l.add(problem(attr.NameRange, "Value for undeclared variable", "There is no variable %q, for which this test gives "+
				"a value.%s", attr.Name, l.didYouMean(attr.Name, l.root.varNames)))
		}
	}
}

// resolveTest reports expected failures of things that are not declared.
func (l *loader) resolveTest() {
	r := l.opts.Run
	if r == nil {
		return
	}
	var declared []string
	for _, name := range l.root.varNames() {
		declared = append(declared, "var."+name)
	}
	for _, key := range l.root.keysSorted() {
		if !strings.HasPrefix(key, "local.") && !strings.HasPrefix(key, "defaults.") {
			declared = append(declared, key)
		}
	}
	for _, f := range r.Failures {
		key := f.Text
		if parts := strings.SplitN(key, ".", 3); len(parts) < 2 {
			l.add(problem(f.Range, "Invalid reference", "%s is not the address of something that can fail. Names are written "+
				"behind a dot, as in var.NAME.", key))
			continue
		} else if !isKind(parts[0]) { // the contents of a module are checked when something fails
			name, _, _ := strings.Cut(parts[1], "[")
			key = parts[0] + "." + name
		} else if a, err := ParseAddr(key); err == nil {
			a.Index = ""
			key = a.String()
		}
		if !slices.Contains(declared, key) && !l.root.lost.has(key) {
			l.add(problem(f.Range, "Reference to undeclared object", "There is no %s, which this run expects to fail.%s", key,
				l.didYouMean(key, func() []string { return declared })))
		}
	}
}

// Assert applies the assertions of a run. They may refer to what the configuration declares, to its outputs as
// output.NAME, and to the given names. It must not be called concurrently.
func (c *Config) Assert(ctx context.Context, r *TestRun, given map[string]cty.Value) hcl.Diagnostics {
	l := c.loader
	if l == nil { // reading was interrupted
		return hcl.Diagnostics{problem(r.Range, "No configuration", "The configuration was not read.")}
	}
	out, ctx := newOutside(ctx, l.opts.Room)
	defer out.close()
	l.outside, l.meter, l.diags, l.problems = out, l.meter.again(ctx), nil, nil
	f := c.withOutputs(given)
	names := f.known()
	for _, a := range r.asserts {
		l.resolveExpr(&node{mod: l.root}, a.condition, names)
		l.resolveExpr(&node{mod: l.root}, a.message, names)
		if !l.bad[a.condition] && !l.bad[a.message] {
			l.applyRule(a, f)
		}
	}
	c.redactor = l.secrets.redactor()
	c.show(l)
	l.hideSecrets(c.redactor)
	return arrange(l.diags)
}

// Asserts returns the number of assertions in the run.
func (r *TestRun) Asserts() int { return len(r.asserts) }

// objectExtra carries the failed object in hcl.Diagnostic.Extra.
type objectExtra struct {
	object string
	inner  any
}

func (e objectExtra) UnwrapDiagnosticExtra() any { return e.inner }

// ofObject records in a diagnostic that an object in a frame has failed; if object is "", the frame's declaration.
func ofObject(d *hcl.Diagnostic, f frame, object string) *hcl.Diagnostic {
	switch {
	case object != "":
		object = strings.TrimPrefix(f.in.addr+"."+object, ".")
	case f.res != nil:
		object = f.res.Addr.String()
	default:
		return d
	}
	c := *d
	c.Extra = objectExtra{object: object, inner: d.Extra}
	return &c
}

// FailedObject returns what has failed by its own condition, its type or a rule of the product: var.NAME, check.NAME
// or output.NAME, each with the module that it is in, or the address of a declaration. It returns "" for every other
// diagnostic, such as a mistake in the files.
func FailedObject(d *hcl.Diagnostic) string {
	e, _ := hcl.DiagnosticExtra[objectExtra](d)
	return e.object
}
