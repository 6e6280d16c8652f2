package cli

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestExitRules: each exit code of the package is explained, and is in what the program and the README list.
func TestExitRules(t *testing.T) {
	t.Parallel()
	var explained []string
	for _, r := range exitRules() {
		explained = append(explained, r.ID)
	}
	var coded []string
	eachFile(t, ".", func(f *ast.File) {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				coded = append(coded, exitConstants(g)...)
			}
		}
	})
	sorted := func(list []string) []string { slices.Sort(list); return slices.Compact(list) }
	if !slices.Equal(sorted(coded), sorted(slices.Clone(explained))) {
		t.Errorf("the exit codes are %v, explained are %v", coded, explained)
	}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	c := &command{app: &app{}}
	_, list, _ := strings.Cut(string(readme), "Exit codes: ")
	list, _, _ = strings.Cut(list, "\n\n")
	_, long, _ := strings.Cut(c.root().Long, "Exit codes: ")
	for _, text := range []string{list, long} {
		for _, code := range explained {
			if !regexp.MustCompile(`(^|·\s)` + code + `\s`).MatchString(text) {
				t.Errorf("%q does not list %s", text, code)
			}
		}
	}
}

// TestRefusalRules: each reason why a bundle is refused, here or in the package of bundles, is explained.
func TestRefusalRules(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	for _, r := range bundleRules() {
		explained[r.ID] = true
	}
	reasons := 0
	for _, dir := range []string{".", filepath.Join("..", "bundle")} {
		eachFile(t, dir, func(f *ast.File) {
			ast.Inspect(f, func(n ast.Node) bool {
				v, ok := n.(*ast.ValueSpec)
				if !ok || len(v.Values) != 1 || !isReason(v.Type) {
					return true
				}
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					reasons++
					if text, _ := strconv.Unquote(lit.Value); !explained[bundleRule+text] {
						t.Errorf("%s%s is not explained", bundleRule, text)
					}
				}
				return true
			})
		})
	}
	if reasons != len(explained) {
		t.Errorf("%d reasons are explained, and the code has %d", len(explained), reasons)
	}
}

// isReason reports whether a type is bundle.Reason.
func isReason(e ast.Expr) bool {
	if s, ok := e.(*ast.SelectorExpr); ok {
		e = s.Sel
	}
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "Reason"
}

// exitConstants are the values of constants that are called exitSomething.
func exitConstants(g *ast.GenDecl) []string {
	var out []string
	for _, spec := range g.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || !regexp.MustCompile(`^exit[A-Z]`).MatchString(v.Names[0].Name) {
			continue
		}
		if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.INT {
			out = append(out, lit.Value)
		}
	}
	return out
}
