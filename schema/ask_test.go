package schema

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
)

// TestAsk: only what is missing is asked for, and nobody who answers is today's error.
func TestAsk(t *testing.T) {
	fs := afero.NewMemMapFs()
	text := `
variable "given" {}
variable "preset" { default = 1 }
variable "pin" { description = "of the depot" }
variable "hidden" { sensitive = true }
variable "door_password" {}
`
	if err := afero.WriteFile(fs, "main.sync.hcl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	type question struct {
		Name, Description string
		Sensitive         bool
	}
	load := func(fail error, unset bool) (asked []question, failed bool) {
		_, diags := Load(t.Context(), Options{Fs: fs, Catalog: depots(), Version: "1.4.0", AllowUnset: unset,
			Vars: []VarSource{{Assign: "given=1"}},
			Ask: func(_ context.Context, name, description string, sensitive bool) (string, error) {
				asked = append(asked, question{name, description, sensitive})
				return "1", fail
			}})
		return asked, diags.HasErrors()
	}
	asked, failed := load(nil, false)
	want := []question{{"door_password", "", true}, {"hidden", "", true}, {"pin", "of the depot", false}}
	if d := cmp.Diff(want, asked); d != "" || failed {
		t.Errorf("failed: %t\n%s", failed, d)
	}
	if asked, failed := load(errors.New("nobody"), false); len(asked) != 1 || !failed {
		t.Errorf("nobody: asked %v, failed: %t", asked, failed)
	}
	if asked, failed := load(nil, true); len(asked) != 0 || failed {
		t.Errorf("AllowUnset: asked %v, failed: %t", asked, failed)
	}
}
