package executor

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
)

// A run's files are in its folder: no name leads out of it, and a person is handed no other file.
func TestFilesStayInTheirFolder(t *testing.T) {
	fs := afero.NewMemMapFs()
	files := NewFiles(fs, "/runs/r/files")
	for _, name := range []string{"../key", "a/b", "/etc/passwd", "", ".", `a\b`, "c:x"} {
		if f, err := files.Open(name); err == nil || !strings.Contains(err.Error(), errUnsafe.Error()) {
			t.Errorf("%q is opened: %v, %v", name, f, err)
		}
		_, err := files.Create(t.Context(), name, func(io.Writer) error { return nil })
		if err == nil || !strings.Contains(err.Error(), errUnsafe.Error()) {
			t.Errorf("%q is made: %v", name, err)
		}
		s := planner.Step{Op: "hand", Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Manual: &planner.Manual{
			Values: []planner.Value{{Name: "file", Value: name, Shown: "a.json", File: true}}}}
		r := &reader{}
		rep, _ := carryScript(t, s, r)
		if r.asked > 0 || rep.Finished {
			t.Errorf("%q is handed to a person: %+v", name, rep)
		}
	}
}
