package schematest

import (
	"encoding"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// source is what the code of a package says about its types.
type source struct {
	comments map[string]string   // of fields, by TYPE.FIELD
	values   map[string][]any    // the constants of string types, by TYPE
	meanings map[string][]string // the comments on them
}

// sources holds the packages of this module that were read, by import path.
type sources map[string]*source

const module = "github.com/syncctl/syncctl/"

// of returns what the code says about the package of a type, or nil if it is not of this module.
func (s sources) of(t *testing.T, typ reflect.Type) *source {
	t.Helper()
	within, ok := strings.CutPrefix(typ.PkgPath(), module)
	if !ok {
		return nil
	}
	if s[within] == nil {
		s[within] = read(t, filepath.Join(root(t), filepath.FromSlash(within)))
	}
	return s[within]
}

// root returns the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatalf("the folder of the module was not found: %v", err)
	return ""
}

func read(t *testing.T, dir string) *source {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := &source{comments: map[string]string{}, values: map[string][]any{}, meanings: map[string][]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					out.fields(spec)
				case *ast.ValueSpec:
					out.constants(g, spec)
				}
			}
		}
	}
	return out
}

func (s *source) fields(spec *ast.TypeSpec) {
	body, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range body.Fields.List {
		text := strings.Join(strings.Fields(field.Doc.Text()+" "+field.Comment.Text()), " ")
		for _, name := range field.Names {
			s.comments[spec.Name.Name+"."+name.Name] = withoutName(text, name.Name)
		}
	}
}

// withoutName returns the comment of a field without the field's name, which readers of documents do not know: "Name is
// the name of ..." is "the name of ...".
func withoutName(text, name string) string {
	for _, verb := range []string{" is ", " are ", " holds ", " lists ", " reports that ", " reports "} {
		if rest, ok := strings.CutPrefix(text, name+verb); ok {
			return rest
		}
	}
	return text
}

func (s *source) constants(g *ast.GenDecl, spec *ast.ValueSpec) {
	of, ok := spec.Type.(*ast.Ident)
	if g.Tok != token.CONST || !ok {
		return
	}
	for _, v := range spec.Values {
		if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value) // the parser has read it
			s.values[of.Name] = append(s.values[of.Name], text)
			s.meanings[of.Name] = append(s.meanings[of.Name], strings.TrimSpace(spec.Comment.Text()))
		}
	}
}

// inside returns the type of the elements of a pointer, list or map, and any other type as it is.
func inside(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	return typ
}

// texts adds the schemas of the types that are written as texts, with their constants, and occur in a type.
func (s sources) texts(
	t *testing.T, typ reflect.Type, out map[reflect.Type]*jsonschema.Schema, seen map[reflect.Type]bool,
) {
	t.Helper()
	typ = inside(typ)
	if seen[typ] {
		return
	}
	seen[typ] = true
	switch of := s.of(t, typ); {
	case of != nil && typ.Name() == "Duration" && typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		out[typ] = &jsonschema.Schema{Type: "string", Pattern: `^(\d+(\.\d+)?(h|m|s|ms|µs|ns))+$`}
	case of != nil && typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		out[typ] = &jsonschema.Schema{Type: "string"}
	case typ.Kind() == reflect.Struct:
		for i := range typ.NumField() {
			if typ.Field(i).Tag.Get("json") != "-" {
				s.texts(t, typ.Field(i).Type, out, seen)
			}
		}
	case typ.Kind() == reflect.String && of != nil && len(of.values[typ.Name()]) > 0:
		one := &jsonschema.Schema{Type: "string", Enum: of.values[typ.Name()]}
		if means := of.meanings[typ.Name()]; !slices.Contains(means, "") {
			one.Extra = map[string]any{"enumDescriptions": means} // editors show them
		}
		out[typ] = one
	}
}

// describe puts the words of the code beside each member that has none.
func (s sources) describe(t *testing.T, in *jsonschema.Schema, typ reflect.Type) {
	t.Helper()
	if in == nil {
		return
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ.Kind() == reflect.Slice:
		s.describe(t, in.Items, typ.Elem())
	case typ.Kind() == reflect.Map:
		s.describe(t, in.AdditionalProperties, typ.Elem())
	case typ.Kind() == reflect.Struct && in.Properties != nil:
		for _, field := range reflect.VisibleFields(typ) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" {
				name = field.Name
			}
			member := in.Properties[name]
			if member == nil {
				continue
			}
			owner := typ
			for i := range len(field.Index) - 1 {
				owner = inside(owner.Field(field.Index[i]).Type)
			}
			if of := s.of(t, owner); of != nil && member.Description == "" {
				member.Description = of.comments[owner.Name()+"."+field.Name]
			}
			s.describe(t, member, field.Type)
		}
	}
}
