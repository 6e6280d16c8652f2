package cli

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/reference/schematest"
)

var rewrite = flag.Bool("update", false, "rewrite docs/schemas")

// TestRunSchema: the JSON Schema of a run in docs/schemas is that of what show -json writes, and a run fits it.
func TestRunSchema(t *testing.T) {
	t.Parallel()
	s := schematest.For[runDoc](t, "A run: syncctl show -json RUN, and each of syncctl status -json")
	phase := s.Properties["steps"].Items.Properties["phase"]
	phase.Enum = append(phase.Enum, "interrupted")
	phase.Extra["enumDescriptions"] = append(phase.Extra["enumDescriptions"].([]string), "it was begun, and the process "+
		"has ended")
	schematest.Described(t, s)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "run.schema.json"), s, *rewrite)
	at := time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, d := range []runDoc{{ID: "r", State: "finished", Done: 1, Of: 1, Dir: "d"}, {
		ID: "r", State: "unfinished", Of: 1, Dir: "d", Holder: &holderDoc{PID: 1, Host: "h", Since: at},
		Sites: []runSiteDoc{{Name: "s", Of: 1, MaxAge: planner.Duration(time.Hour), AsOf: &at}},
		Steps: []runStepDoc{{Number: 1, ID: "a/b", Phase: executor.PhaseWaiting, Why: "w", Person: true},
			{Number: 2, ID: "a/c", Phase: "interrupted"}},
		Record: []runEntryDoc{{Seq: 1, Time: at, Key: "a/b", Event: "waiting", Data: map[string]string{"x": "y"}}},
	}} {
		if err := schematest.Fits(t, s, d); err != nil {
			t.Errorf("%s: %v", d.State, err)
		}
	}
}

// TestEventsSchema: the JSON Schema of events in docs/schemas is that of the types of events. clitest holds every event
// that the scripts meet against it.
func TestEventsSchema(t *testing.T) {
	t.Parallel()
	s := schematest.For[view.EventHead](t, "Events: apply -json, test -json and others, one on each line")
	s.AdditionalProperties, s.UnevaluatedProperties = nil, &jsonschema.Schema{Not: &jsonschema.Schema{}}
	seen := map[reflect.Type]bool{}
	for _, kind := range view.EventTypes() {
		typ := reflect.TypeOf(kind.Fields)
		one := schematest.ForType(t, typ)
		var name any = kind.Name()
		one.Title, one.Description, one.AdditionalProperties = kind.Name(), kind.Doc, nil
		if one.Properties == nil {
			one.Properties = map[string]*jsonschema.Schema{}
		}
		one.Properties["type"] = &jsonschema.Schema{Const: &name, Description: "the type"}
		one.PropertyOrder = append([]string{"type"}, one.PropertyOrder...)
		s.OneOf, seen[typ] = append(s.OneOf, one), true
	}
	schematest.Described(t, s)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "events.schema.json"), s, *rewrite)
}

// TestEventTypes: every type of event that can be written is in the list, and every event of the executor that is not
// for the journal alone; all others are among the types of entries.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, kind := range view.EventTypes() {
		listed[reflect.TypeOf(kind.Fields).Name()], listed[kind.Name()] = true, true
	}
	eachFile(t, filepath.Join("internal", "view"), func(f *ast.File) {
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Name.Name == "eventType" {
				if name := m.Recv.List[0].Type.(*ast.Ident).Name; !listed[name] {
					t.Errorf("EventTypes does not have %s", name)
				}
			}
		}
	})
	constants, told := map[string]string{}, []string{}
	eachFile(t, filepath.Join("..", "executor"), func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if lit, ok := v.(*ast.BasicLit); ok {
						constants[n.Names[i].Name], _ = strconv.Unquote(lit.Value)
					}
				}
			case *ast.CallExpr: // x.tell(EventDone, ...)
				if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "tell" {
					told = append(told, names(n.Args[0])...)
				}
			case *ast.KeyValueExpr: // Event{Name: EventAsked}, outcome{event: EventDone}
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Name" || key.Name == "event") {
					told = append(told, names(n.Value)...)
				}
			}
			return true
		})
	})
	journaled := map[string]bool{}
	for _, kind := range executor.EntryTypes() {
		journaled[kind.Event] = true
	}
	for constant, name := range constants {
		if strings.HasPrefix(constant, "Event") && !journaled[name] && !listed["step_"+name] {
			t.Errorf("neither EventTypes nor EntryTypes has %s", constant)
		}
	}
	for _, name := range told {
		if strings.HasPrefix(name, "Event") && !listed["step_"+constants[name]] {
			t.Errorf("EventTypes does not have step_%s", constants[name])
		}
	}
	if !slices.Contains(told, "EventAlready") || !slices.Contains(told, "EventAsked") {
		t.Error("the events of the executor are not found in its code any more")
	}
}

// names returns the name that an expression is.
func names(e ast.Expr) []string {
	if id, ok := e.(*ast.Ident); ok {
		return []string{id.Name}
	}
	return nil
}

// eachFile parses the files of a package, but for its tests.
func eachFile(t *testing.T, dir string, visit func(*ast.File)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		visit(f)
	}
}
