package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// library parses and evaluates what declare has written in a folder, with the HCL library alone. It checks nothing:
// no plan that is made of these files with the library can cost less.
func library(_ context.Context, args []string) error {
	names, err := filepath.Glob(filepath.Join(args[0], "*.sync.hcl"))
	if err != nil {
		return err
	}
	parser := hclparse.NewParser()
	var blocks hclsyntax.Blocks
	for _, name := range names {
		file, diags := parser.ParseHCLFile(name)
		if diags.HasErrors() {
			return diags
		}
		blocks = append(blocks, file.Body.(*hclsyntax.Body).Blocks...)
	}
	env := &hcl.EvalContext{Functions: map[string]function.Function{"env": function.New(&function.Spec{
		Params: []function.Parameter{{Name: "name", Type: cty.String}, {Name: "fallback", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if text, ok := os.LookupEnv(args[0].AsString()); ok {
				return cty.StringVal(text), nil
			}
			return args[1], nil
		},
	})}, Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"password": cty.StringVal("geheim")})}}
	servers := map[string]cty.Value{}
	var values []cty.Value
	for _, kind := range []string{"server", "sync"} { // a synchronization refers to servers
		for _, b := range blocks {
			if b.Type != kind {
				continue
			}
			v, diags := evaluated(b.Body, env)
			if diags.HasErrors() {
				return diags
			}
			if values = append(values, v); kind == "server" {
				servers[b.Labels[1]] = v
			}
		}
		byType := map[string]cty.Value{"backbone": cty.ObjectVal(servers)}
		env.Variables["server"] = cty.ObjectVal(byType)
	}
	if len(values) == len(servers) {
		return fmt.Errorf("%s declares nothing", args[0])
	}
	return nil
}

// evaluated returns the value of a body: its arguments, and its blocks by type and label.
func evaluated(body *hclsyntax.Body, env *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	values := map[string]cty.Value{}
	var all hcl.Diagnostics
	for name, attr := range body.Attributes {
		v, diags := attr.Expr.Value(env)
		values[name], all = v, append(all, diags...)
	}
	for _, b := range body.Blocks {
		v, diags := evaluated(b.Body, env)
		values[fmt.Sprint(b.Type, b.Labels)], all = v, append(all, diags...)
	}
	return cty.ObjectVal(values), all
}
