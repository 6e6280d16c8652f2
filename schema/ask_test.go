package schema

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
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

// TestFaultWhileLoading: a fault is raised in the goroutine that waits, and shows no secret that is known by then.
func TestFaultWhileLoading(t *testing.T) {
	fsys := afero.NewMemMapFs()
	src := "variable \"known\" {\n  sensitive = true\n}\nvariable \"asked\" {}\n"
	if err := afero.WriteFile(fsys, "d/main.sync.hcl", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	err := func() (err error) {
		defer fault.Catch(&err)
		Load(t.Context(), Options{Fs: fsys, Dir: "d",
			Vars: []VarSource{{Assign: "known=keeper-pass"}},
			Ask: func(context.Context, string, string, bool) (string, error) {
				panic("it has keeper-pass")
			}})
		return nil
	}()
	var f *fault.Error
	if !errors.As(err, &f) || !strings.HasPrefix(f.Text, "it has ") || strings.Contains(f.Text, "keeper-pass") {
		t.Errorf("%v", err)
	}
}
