package schema

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// EnvPrefix is the prefix of environment variables that set variables: SYNCCTL_VAR_name.
const EnvPrefix = "SYNCCTL_VAR_"

// given is a value for a variable, and its source.
type given struct {
	val  cty.Value
	from string    // for messages: the option, environment variable or file
	rng  hcl.Range // zero if it was not written in a file
}

// readValues determines the value of every variable: from the environment, then files of the folder, then the command
// line. Later sources win.
func (l *loader) readValues(ctx context.Context) {
	values := map[string]given{}
	for _, src := range l.opts.Vars {
		if v := l.root.vars[src.Name]; src.Read != nil && v != nil {
			v.sensitive = true // before anything is read: another source may have the same value
		}
	}
	for _, name := range l.root.varNames() {
		if text, ok := l.opts.Env(EnvPrefix + name); ok {
			l.giveText(values, name, text, "the environment variable "+EnvPrefix+name)
		}
	}
	// an unreadable folder was reported
	auto, _ := l.list(l.root, func(n string) bool { return strings.HasSuffix(strings.TrimSuffix(n, ".json"), autoSuffix) })
	first, _ := l.list(l.root, func(n string) bool { return strings.TrimSuffix(n, ".json") == varsFile })
	for _, name := range append(first, auto...) {
		if ctx.Err() == nil {
			l.giveFile(values, filepath.Join(l.dir(), name), func(string) ([]byte, error) { return l.readOwn(l.root, name) })
		}
	}
	reads := map[string]VarSource{} // the latest sources so far, by variable
	for _, src := range l.opts.Vars {
		if src.Read != nil {
			if l.declared(src.Name, "-var-command") {
				reads[src.Name] = src
				delete(values, src.Name)
			}
			continue
		}
		if src.File != "" {
			l.giveFile(values, src.File, l.readNamed)
			continue
		}
		l.giveAssignment(values, src.Assign)
	}
	l.giveTest(values)
	l.readSources(values, reads)
	l.ask(values)
	attrs := map[string]cty.Value{}
	for _, name := range l.root.varNames() {
		v := l.root.vars[name]
		g, ok := values[name]
		before := len(l.diags)
		if v.value = l.settle(v, g, ok); v.sensitive {
			v.value = sensitiveFrom(Source{Variable: name}, v.value)
		}
		for i := before; ok && i < len(l.diags); i++ {
			l.diags[i] = ofObject(l.diags[i], frame{in: l.root.instances[0]}, "var."+name)
		}
		attrs[name] = v.value
	}
	l.varsVal = cty.ObjectVal(attrs)
}

// readSources reads values from outside, for the variables that no later source sets.
func (l *loader) readSources(values map[string]given, reads map[string]VarSource) {
	for _, name := range l.root.varNames() {
		v := l.root.vars[name]
		src, asked := reads[name]
		if _, later := values[name]; !asked || later || v.broken {
			continue
		}
		text, err := l.outside.call(src.Read)
		if err == nil && !utf8.ValidString(text) {
			err = errors.New("it is not UTF-8 text")
		}
		if err != nil {
			l.add(problem(v.rng, "No value for variable", "The value of variable %q could not be read: %s.", name, err))
			v.broken = true
			continue
		}
		l.giveText(values, name, text, "-var-command")
	}
}

// ask asks for the missing values.
func (l *loader) ask(values map[string]given) {
	if l.opts.Ask == nil || l.opts.AllowUnset {
		return
	}
	for _, name := range l.root.varNames() {
		v := l.root.vars[name]
		if _, ok := values[name]; ok || v.broken || v.def != cty.NilVal || l.elsewhere(v) || l.diags.HasErrors() {
			continue
		}
		text, err := l.outside.call(func(ctx context.Context) (string, error) {
			return l.opts.Ask(ctx, name, v.description, v.sensitive || maskedName(name))
		})
		if err != nil {
			return // settle reports what is missing
		}
		l.giveText(values, name, text, "the answer")
	}
}

// settle converts the winning value to the variable's type, and marks it.
func (l *loader) settle(v *variable, g given, ok bool) cty.Value {
	if v.broken {
		return v.unknown()
	}
	if ok && g.val.IsNull() && !v.nullable {
		if v.def == cty.NilVal {
			l.add(problem(g.at(v), "Invalid value for variable", "The variable %q must not be null, and %s gives null.",
				v.name, g.from))
			return v.unknown()
		}
		ok = false
	}
	val := v.def
	switch {
	case ok:
		conv, err := v.convert(g.val, l.meter)
		if err != nil {
			l.add(problem(g.at(v), "Invalid value for variable",
				"The value that %s gives does not fit the type of variable %q: %s.",
				g.from, v.name, conversionText(err, g.val, v.sensitive)))
			return v.unknown()
		}
		val = conv
	case v.def == cty.NilVal:
		if !l.opts.AllowUnset && !l.elsewhere(v) {
			l.add(problem(v.rng, "No value for variable",
				"The variable %q has no default and was given no value. %s%s", v.name, v.waysToGive(), l.unreadValues()))
		}
		return v.unknown()
	}
	if v.sensitive {
		val = Sensitive(val)
		l.secrets.collect(val)
	}
	return val
}

// waysToGive says how the variable is given a value: a secret one neither on the command line nor in a file.
func (v *variable) waysToGive() string {
	if v.sensitive {
		return fmt.Sprintf("As it is a secret, give it one with -var-command %s=COMMAND, or with %s%s in the environment.",
			v.name, EnvPrefix, v.name)
	}
	return fmt.Sprintf("Give it one with -var %s=..., with %s%s in the environment, or in a file %s.", v.name, EnvPrefix,
		v.name, varsFile)
}

// unreadValues tells of files in the folder from which Terraform would read values by itself, or returns "".
func (l *loader) unreadValues() string {
	for _, name := range l.listed[l.root.dir] {
		native := strings.TrimSuffix(name, ".json")
		if native == "terraform.tfvars" || strings.HasSuffix(native, ".auto.tfvars") {
			return fmt.Sprintf(" The file %s is not read: call it %s, or give it with -var-file=%s.", name,
				varsFile+strings.TrimPrefix(name, native), name)
		}
	}
	return ""
}

// at returns the position to show for a value: its own, or else the variable's.
func (g given) at(v *variable) hcl.Range {
	if g.rng != (hcl.Range{}) {
		return g.rng
	}
	return v.rng
}

// give records a value for a declared variable.
func (l *loader) give(values map[string]given, name string, g given) {
	if l.root.vars[name].sensitive {
		l.secrets.add(g.val)
	}
	values[name] = g
}

// giveText sets a declared variable from text: literally for texts, numbers and booleans, otherwise as an HCL
// expression.
func (l *loader) giveText(values map[string]given, name, text, from string) {
	v := l.root.vars[name]
	if v.sensitive {
		l.secrets.add(cty.StringVal(text))
	}
	if v.typ.IsPrimitiveType() || v.typ == cty.DynamicPseudoType {
		l.give(values, name, given{val: l.spellings.value(text), from: from})
		return
	}
	var expr hclsyntax.Expression
	var diags hcl.Diagnostics
	if d := tooNestedExpression([]byte(text), ""); d != nil {
		diags = hcl.Diagnostics{d}
	} else {
		expr, diags = hclsyntax.ParseExpression([]byte(text), "<"+from+">", hcl.InitialPos)
	}
	var val cty.Value
	if !diags.HasErrors() {
		val, diags = l.evaluate(expr, nil)
	}
	if diags.HasErrors() {
		why := "."
		if !v.sensitive {
			why = ": " + diags[0].Summary + ". " + diags[0].Detail
		}
		l.add(problem(v.rng, "Invalid value for variable",
			"The value that %s gives for %q is not a valid expression, which its type requires%s", from, name, why))
		v.broken = true
		return
	}
	l.give(values, name, given{val: val, from: from})
}

func (l *loader) giveAssignment(values map[string]given, assign string) {
	name, text, ok := strings.Cut(assign, "=")
	name = strings.TrimSpace(name)
	if !ok {
		// The whole text may be a secret whose variable name was forgotten.
		l.add(problem(hcl.Range{}, "Invalid option -var",
			"A -var is written name=value; there is no equals sign in what was given."))
		return
	}
	if l.declared(name, "-var") {
		l.giveText(values, name, text, "-var")
	}
}

// declared reports whether a variable that an option sets is declared, and adds a diagnostic if not.
func (l *loader) declared(name, option string) bool {
	if l.root.vars[name] != nil {
		return true
	}
	if !l.root.lost.has("var." + name) {
		l.add(problem(hcl.Range{}, "Value for undeclared variable",
			"There is no variable %q, for which %s gives a value.%s", name, option, l.didYouMean(name, l.root.varNames)))
	}
	return false
}

// readNamed reads a file of values that the person has named.
func (l *loader) readNamed(name string) ([]byte, error) {
	return ReadNamed(l.opts.Fs, l.opts.Access, Reading{Path: name, By: "-var-file", Most: l.opts.Room.Bytes()})
}

// giveFile reads the values of one *.syncvars.hcl file, or of one in JSON, by its name. A text in JSON is not a
// template.
func (l *loader) giveFile(values map[string]given, path string, read func(string) ([]byte, error)) {
	src, err := read(path)
	if err != nil {
		l.add(problem(hcl.Range{}, "File not readable", "Reading the values of variables from %s: %s.", path, err))
		return
	}
	isJSON := strings.HasSuffix(path, ".json")
	file, diags := l.parseText(path, src, isJSON)
	if file == nil { // then it is not shown either
		l.add(withoutEchoes(diags)...)
		for _, v := range l.root.vars {
			v.broken = true
		}
		return
	}
	l.files[path] = source{text: src, parses: true}
	if diags.HasErrors() {
		// If a file does not parse, it is unknown which line belongs to a sensitive variable.
		l.masked = append(l.masked, l.allButNames(path, src)...)
		l.add(withoutEchoes(diags)...)
		for _, v := range l.root.vars {
			v.broken = true
		}
		return
	}
	l.refuseBlocks(file.Body, "a file of values")
	attrs, diags := file.Body.JustAttributes()
	if isJSON && diags.HasErrors() { // else blocks, which are reported above
		l.masked = append(l.masked, l.allButNames(path, src)...)
		l.add(withoutEchoes(diags)...)
	}
	names := make([]string, 0, len(attrs))
	for name := range attrs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		l.giveAttribute(values, attrs[name])
	}
}

func (l *loader) giveAttribute(values map[string]given, attr *hcl.Attribute) {
	v := l.root.vars[attr.Name]
	if v == nil {
		l.maskWhole(attr.Expr)
		if !l.root.lost.has("var." + attr.Name) {
			d := problem(attr.NameRange, "Value for undeclared variable", "There is no variable %q.%s", attr.Name,
				l.didYouMean(attr.Name, l.root.varNames))
			d.Severity = hcl.DiagWarning // files of values are shared between folders
			l.add(d)
		}
		return
	}
	if v.masked() {
		l.maskWhole(attr.Expr)
	}
	val, ok := l.constant(attr)
	if !ok {
		v.broken = true
		return
	}
	l.give(values, attr.Name, given{val: val, from: place(attr.Range), rng: attr.Expr.Range()})
}

// conversionText words a conversion error, with the path inside of the value. For a sensitive value it leaves out the
// path, which may contain its keys.
func conversionText(err error, val cty.Value, secret bool) string {
	var path cty.Path
	if pathErr := (cty.PathError{}); errors.As(err, &pathErr) {
		path = pathErr.Path
	}
	if secret || throughSecret(val, path) {
		return "it is not of the type that is needed (details are left out, because the value is sensitive)"
	}
	if len(path) == 0 {
		return err.Error()
	}
	return fmt.Sprintf("at %s, %s", pathText(path), err)
}

// throughSecret reports whether a path leads to or through something sensitive.
func throughSecret(val cty.Value, path cty.Path) bool {
	for _, step := range path {
		if val.IsMarked() {
			return true
		}
		next, err := step.Apply(val)
		if err != nil {
			return IsSensitive(val)
		}
		val = next
	}
	return val.IsMarked()
}

// pathText writes a path as an expression does: .name, ["key"], [0].
func pathText(path cty.Path) string {
	var b strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + s.Name)
		case cty.IndexStep:
			if !s.Key.IsKnown() || s.Key.IsMarked() || s.Key.IsNull() {
				b.WriteString("[...]")
				continue
			}
			if n, err := convert.Convert(s.Key, cty.Number); err == nil && s.Key.Type() == cty.Number {
				fmt.Fprintf(&b, "[%s]", numberText(n))
			} else {
				fmt.Fprintf(&b, "[%q]", Text(s.Key))
			}
		}
	}
	return b.String()
}
