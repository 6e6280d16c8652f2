package cli

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// TestWithHidden: texts are replaced wherever they are, and only in the copy.
func TestWithHidden(t *testing.T) {
	type data struct {
		Text  string
		Mark  planner.Mark
		List  []*data
		Named map[string][]string
		None  []string
	}
	of := func(a string) *data {
		return &data{a, "a", []*data{{Text: a}, nil}, map[string][]string{a: {a}}, nil}
	}
	was := of("a")
	got := withHidden(was, strings.ToUpper)
	if diff := cmp.Diff(of("A"), got) + cmp.Diff(of("a"), was); diff != "" {
		t.Error(diff)
	}
}

// TestWithHiddenSeesAll: what is hidden in has no texts that withHidden passes over, but for words of the program.
func TestWithHiddenSeesAll(t *testing.T) {
	words := []reflect.Type{
		reflect.TypeFor[drift.Cause](), reflect.TypeFor[planner.Action](), reflect.TypeFor[planner.Becoming](),
		reflect.TypeFor[planner.Mark](), reflect.TypeFor[planner.Repeat](), reflect.TypeFor[planner.Severity](),
		reflect.TypeFor[planner.Sort](), reflect.TypeFor[schema.Flow](), reflect.TypeFor[time.Time](),
	}
	seen := map[reflect.Type]bool{}
	var look func(of reflect.Type)
	look = func(of reflect.Type) {
		if seen[of] || slices.Contains(words, of) {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Map:
			look(of.Key())
			look(of.Elem())
		case reflect.Pointer, reflect.Slice:
			look(of.Elem())
		case reflect.Struct:
			for i := range of.NumField() {
				if !of.Field(i).IsExported() {
					t.Errorf("%s.%s is not copied", of, of.Field(i).Name)
				}
				look(of.Field(i).Type)
			}
		case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		default:
			if of != reflect.TypeFor[string]() {
				t.Errorf("%s may have a text", of)
			}
		}
	}
	for _, root := range []reflect.Type{
		reflect.TypeFor[planner.Plan](), reflect.TypeFor[planner.PlanDiff](), reflect.TypeFor[drift.Report](),
	} {
		look(root)
	}
}
