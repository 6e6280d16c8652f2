package drivertest

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// reserved lists names that the language itself uses: its arguments and blocks, and the values that every declaration
// has.
var reserved = []string{"depends_on", "for_each", "count", "enabled", "lifecycle", "dynamic", "address"}

// typeProblems describes what is wrong with a driver's grammar.
func typeProblems(types []schema.Type) []string {
	var out []string
	if len(types) == 0 {
		out = append(out, "the driver brings no type")
	}
	seen := map[string]bool{}
	for i := range types {
		t := &types[i]
		name := fmt.Sprintf("%s %q", t.Kind, t.Name)
		say := func(format string, args ...any) { out = append(out, name+": "+fmt.Sprintf(format, args...)) }
		if seen[name] {
			say("the name is taken")
		}
		seen[name] = true
		if !slices.Contains(schema.Kinds, t.Kind) {
			say("unknown kind")
		}
		if !nameForm.MatchString(t.Name) {
			say("the name is not of the form issue_type")
		}
		if t.Summary == "" {
			say("it has no summary")
		}
		bodyProblems(t.Body, "", say)
	}
	if len(out) > 0 {
		return out // examples may fail to load with such types
	}
	for i := range types {
		for _, p := range exampleProblems(types, &types[i]) {
			out = append(out, fmt.Sprintf("the example of %s %q: %s", types[i].Kind, types[i].Name, p))
		}
	}
	return out
}

// exampleProblems loads the example of a type, and returns what is wrong with it.
func exampleProblems(types []schema.Type, t *schema.Type) []string {
	const file = "main.sync.hcl"
	var out []string
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, file, []byte(t.Example), 0o600); err != nil {
		return []string{err.Error()}
	}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fs, Dir: ".", Catalog: types, AllowUnset: true})
	for _, d := range diags {
		out = append(out, d.Error())
	}
	if laidOut, _ := schema.Format(file, []byte(t.Example)); string(laidOut) != t.Example {
		out = append(out, "it is not formatted as syncctl fmt does")
	}
	if !slices.ContainsFunc(cfg.Resources, func(r *schema.Resource) bool {
		return r.Addr.Kind == t.Kind && r.Addr.Type == t.Name
	}) {
		out = append(out, "it declares none")
	}
	return out
}

func bodyProblems(b schema.Body, path string, say func(string, ...any)) {
	seen := map[string]bool{}
	check := func(name, doc string) {
		if !nameForm.MatchString(name) {
			say("%s%s is not of the form issue_type", path, name)
		}
		if seen[name] {
			say("%s%s is there twice", path, name)
		}
		if path == "" && slices.Contains(reserved, name) {
			say("%s is a word of the language", name)
		}
		if doc == "" {
			say("%s%s has no documentation", path, name)
		}
		seen[name] = true
	}
	for i := range b.Attributes {
		check(b.Attributes[i].Name, b.Attributes[i].Doc)
		attributeProblems(&b.Attributes[i], path, say)
	}
	for _, block := range b.Blocks {
		check(block.Name, block.Doc)
		if block.Label != "" && block.Many {
			say("%s%s has a label and is a list", path, block.Name)
		}
		bodyProblems(block.Body, path+block.Name+".", say)
	}
}

func attributeProblems(a *schema.Attribute, path string, say func(string, ...any)) {
	if a.Ref != nil {
		if !slices.Contains(schema.Kinds, a.Ref.Kind) { // without a type it refers to any declaration of the kind
			say("%s%s refers to %s.%s, which cannot be declared", path, a.Name, a.Ref.Kind, a.Ref.Type)
		}
		if a.Secret || a.Default != cty.NilVal || len(a.OneOf) > 0 {
			say("%s%s is a reference: it can have no default, no list of words, and be no secret", path, a.Name)
		}
		return
	}
	if a.Type == cty.NilType {
		say("%s%s has no type", path, a.Name)
		return
	}
	if len(a.OneOf) > 0 && a.Type != cty.String && (!a.Type.IsCollectionType() || a.Type.ElementType() != cty.String) {
		say("%s%s has a list of permitted values and is not a string", path, a.Name)
	}
	if a.Type == cty.Number && a.Unit == "" {
		say("%s%s is a number without a unit: what does it count?", path, a.Name)
	}
	if a.Default == cty.NilVal {
		return
	}
	if a.Required || a.Secret {
		say("%s%s has a default, although it is required or secret", path, a.Name)
	}
	v, err := convert.Convert(a.Default, a.Type)
	switch {
	case err != nil:
		say("the default of %s%s: %v", path, a.Name, err)
	case v.IsNull() || !v.IsWhollyKnown():
		say("the default of %s%s is null or unknown", path, a.Name)
	case len(a.OneOf) > 0 && a.Type == cty.String && !slices.Contains(a.OneOf, v.AsString()):
		say("the default of %s%s is %q, which is not permitted", path, a.Name, v.AsString())
	}
}
