package lsp

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// links returns the files that a file names, if they are written as constants: the files that functions read, and a
// file of each module. A path without ${path.module} is relative to the folder of the whole configuration, which may
// be another folder than this one. So it is a link only if that file exists.
func (v *view) links(ctx context.Context, p *documentParams) ([]documentLink, error) {
	out := []documentLink{}
	f := v.document(p.TextDocument)
	if f == nil {
		return out, nil
	}
	for _, b := range f.tree.File.Blocks {
		if a := b.Find("source"); a != nil && b.Type.Text == "module" {
			if dir, ok := v.moduleDir(f, b); ok {
				for _, path := range first(v.names(dir, configuration)) {
					out = append(out, documentLink{v.rangeIn(f.text, source.Span{From: a.Value.From + 1, To: a.Value.To - 1}),
						v.uriOf(path)})
				}
			}
		}
	}
	if !f.json {
		eachArgument(f.tree.File, func(a *source.Argument) {
			if ctx.Err() == nil {
				out = append(out, v.linksIn(f, a)...)
			}
		})
	}
	return out, nil
}

// first returns the file that is opened for a module: main, or else the first one.
func first(names []string) []string {
	for _, path := range names {
		if strings.HasPrefix(filepath.Base(path), "main.") {
			return []string{path}
		}
	}
	return names[:min(1, len(names))]
}

// eachArgument calls do for the arguments of a block and of all blocks inside it.
func eachArgument(b *source.Block, do func(*source.Argument)) {
	for _, a := range b.Arguments {
		do(a)
	}
	for _, inner := range b.Blocks {
		eachArgument(inner, do)
	}
}

// linksIn returns links to the files that an argument's value reads.
func (v *view) linksIn(f *file, a *source.Argument) []documentLink {
	src := f.text.Slice(a.Value)
	if !strings.Contains(src, "file") {
		return nil
	}
	expr, diags := parse(src)
	if diags.HasErrors() {
		return nil
	}
	var out []documentLink
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics { // the callback returns none
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || len(call.Args) == 0 || !readsFile(call.Name) {
			return nil
		}
		name, rng := fileName(call.Args[0]), call.Args[0].Range()
		path := filepath.Join(f.dir, filepath.FromSlash(name))
		if name == "" || filepath.IsAbs(filepath.FromSlash(name)) || !v.isOpen(path, f.dir) {
			return nil
		}
		if info, err := v.fs.Stat(path); err == nil && info.Mode().IsRegular() {
			at := source.Span{From: a.Value.From + rng.Start.Byte + 1, To: a.Value.From + rng.End.Byte - 1}
			out = append(out, documentLink{v.rangeIn(f.text, at), v.uriOf(path)})
		}
		return nil
	})
	return out
}

// readsFile reports whether a function's first argument is the path of a file.
func readsFile(function string) bool {
	fn := functions.Find(function)
	return fn != nil && len(fn.Func.Params()) > 0 && fn.Func.Params()[0].Name == "path" && function != "fileset"
}

// fileName returns the constant path that an expression is, without ${path.module} at its beginning. It returns "" if
// the expression is anything else.
func fileName(expr hclsyntax.Expression) string {
	tmpl, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		return ""
	}
	parts, prefix := tmpl.Parts, ""
	if len(parts) == 2 {
		root, ok := parts[0].(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(root.Traversal) != 2 || root.Traversal.RootName() != "path" {
			return ""
		}
		if attr, ok := root.Traversal[1].(hcl.TraverseAttr); !ok || attr.Name != "module" {
			return ""
		}
		parts, prefix = parts[1:], "/"
	}
	if len(parts) != 1 {
		return ""
	}
	text, ok := parts[0].(*hclsyntax.LiteralValueExpr)
	if !ok || text.Val.Type() != cty.String {
		return ""
	}
	return strings.TrimPrefix(text.Val.AsString(), prefix)
}
