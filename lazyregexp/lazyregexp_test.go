package lazyregexp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/lazyregexp"
)

// TestNew: a mistake in an expression is found by whatever test imports the package that has it.
func TestNew(t *testing.T) {
	if !lazyregexp.New(`^a+$`).MatchString("aa") {
		t.Error("it does not match")
	}
	defer func() {
		if recover() == nil {
			t.Error("a mistake shows only when the program uses it")
		}
	}()
	lazyregexp.New(`(`)
}

// TestNothingCompiledAtStart: no package of the program compiles an expression for a variable.
func TestNothingCompiledAtStart(t *testing.T) {
	parsed := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(filepath.ToSlash(path), "/drivertest/") {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed++
		for _, d := range f.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					return n.Name.Name == "init"
				case *ast.FuncLit: // made at the start, and called when somebody does so
					return false
				case *ast.SelectorExpr:
					x, ok := n.X.(*ast.Ident)
					if ok && x.Name == "regexp" && strings.HasPrefix(n.Sel.Name, "MustCompile") {
						t.Errorf("%s: compiled at every start: use lazyregexp.New", files.Position(n.Pos()))
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if parsed < 100 {
		t.Errorf("only %d files were found", parsed)
	}
}
