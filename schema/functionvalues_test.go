package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
