package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/schema/functions"
)

// TestTerraformExamples: what Terraform documents of its functions is what these give, value by value, in both
// syntaxes.
func TestTerraformExamples(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile(filepath.Join("testdata", "functions.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for line := range strings.Lines(string(table)) {
		if code, want, ok := strings.Cut(strings.TrimSpace(line), "  =>  "); ok {
			exprs = append(exprs, code, want)
		} else if !strings.HasPrefix(line, "#") {
			t.Errorf("%q has no arrow", line)
		}
	}
	for _, json := range []bool{false, true} {
		got := values(t, world{}, json, exprs)
		for i := 0; i < len(got); i += 2 {
			if !got[i].RawEquals(got[i+1]) {
				t.Errorf("%s (JSON %v) is %#v, want %#v", exprs[i], json, got[i], got[i+1])
			}
		}
	}
}

// TestNullMakesNothingUnknown: whatever is given to a function together with a null, it is an error or has a value.
// Nothing is unknown, as everything that is written has a value when it is planned.
func TestNullMakesNothingUnknown(t *testing.T) {
	t.Parallel()
	given := []string{"null", "tobool(null)", `["a", null]`, `"a"`, "{ a = 1 }"}
	var exprs []string
	for _, f := range functions.All() {
		n := len(f.Func.Params())
		if f.Func.VarParam() != nil {
			n++
		}
		calls := []string{""}
		for range n {
			var longer []string
			for _, call := range calls {
				for _, arg := range given {
					longer = append(longer, strings.TrimPrefix(call+", "+arg, ", "))
				}
			}
			calls = longer
		}
		for _, call := range calls {
			if strings.Contains(call, "null") {
				exprs = append(exprs, fmt.Sprintf("try(%s(%s), true)", f.Name, call))
			}
		}
	}
	for i, v := range values(t, world{}, false, exprs) {
		if !v.IsWhollyKnown() {
			t.Errorf("%s is unknown", exprs[i])
		}
	}
}
