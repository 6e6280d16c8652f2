package executor

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// reader is a person who reads the script that is named, perhaps changes it, and says that the work is done.
type reader struct {
	fs     afero.Fs
	add    string
	script string // its text when the person was asked
	path   string
	mode   fs.FileMode
	asked  int
}

func (r *reader) Perform(_ context.Context, ask Ask) (Reply, error) {
	r.asked++
	if r.path = ask.Script; r.path == "" {
		return Performed, nil
	}
	text, err := afero.ReadFile(r.fs, r.path)
	if err != nil {
		return Reply{}, err
	}
	info, err := r.fs.Stat(r.path)
	if err != nil {
		return Reply{}, err
	}
	r.script, r.mode = string(text), info.Mode().Perm()
	return Performed, afero.WriteFile(r.fs, r.path, append(text, r.add...), 0o600)
}

// long is a person's step that removes n things, each by a command.
func long(op, dir string, n int) planner.Step {
	m := &planner.Manual{Where: "the machine of \x1b[2J\nhttps://a;touch bad", Commands: []string{"# what is there"}}
	for i := range n {
		m.Commands = append(m.Commands, fmt.Sprintf("echo %d-'it is; one\n$HOME' >> '%s/ran'", i, dir))
	}
	m.Commands = append(m.Commands, "# remove `touch "+dir+"/bad`", "# $(touch "+dir+"/bad); for good\ntouch "+dir+"/bad",
		"echo removed >> '"+dir+"/ran'")
	return planner.Step{Op: op, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Summary: "two\ntouch bad", Manual: m}
}

// carryScript carries one step out with that person, in a run with files.
func carryScript(t *testing.T, s planner.Step, r *reader) (*Report, []journal.Entry) {
	t.Helper()
	r.fs = afero.NewOsFs()
	dir := t.TempDir()
	d := &talker{verify: func(t *Task) (Verdict, error) {
		if t.Executed {
			return Verdict{State: Done}, nil
		}
		return Verdict{State: NotDone}, nil
	}}
	records := afero.NewMemMapFs()
	rep := carryWith(t, records, Options{
		Plan: plan(s), Drivers: func(schema.Addr) Driver { return d }, Operator: r, Files: NewFiles(r.fs, dir),
	})
	entries, err := journal.Read(records, "journal", nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep, entries
}

// TestLongCommandsAreAScript: commands that nobody pastes are a file of the run before the person is asked, for its
// owner alone, with its hash in the journal; short ones are not.
func TestLongCommandsAreAScript(t *testing.T) {
	t.Parallel()
	r := &reader{}
	rep, entries := carryScript(t, long("clean up/../x", t.TempDir(), 60), r)
	if !rep.Finished || r.path == "" || r.mode&^0o700 != 0 {
		t.Fatalf("finished %v, the script %q has the mode %v", rep.Finished, r.path, r.mode)
	}
	if name := filepath.Base(r.path); plainName(strings.TrimSuffix(name, ".sh"))+".sh" != name {
		t.Errorf("the script is called %s", name)
	}
	started := 0
	for _, e := range entries {
		if e.Event == EventStarted && e.Data[dataScript] == filepath.Base(r.path) && len(e.Data[dataScriptSum]) == 64 {
			started++
		}
	}
	if started != 1 {
		t.Errorf("%d entries name the script and its hash, want 1", started)
	}
	short := &reader{}
	if rep, _ := carryScript(t, long("short", t.TempDir(), 2), short); !rep.Finished || short.path != "" {
		t.Errorf("finished %v, short commands are the script %q", rep.Finished, short.path)
	}
}

// TestChangedScript: what was run is not what the plan says where the script was changed meanwhile.
func TestChangedScript(t *testing.T) {
	t.Parallel()
	r := &reader{add: "rm -rf /\n"}
	rep, entries := carryScript(t, long("clean", t.TempDir(), 60), r)
	if rep.Finished || rep.Steps[0].Phase != PhaseFailed || !diedInside(entries[len(entries)-1]) {
		t.Errorf("%+v", rep.Steps[0])
	}
}

// TestScriptRuns: a shell takes the script apart into the plan's commands and nothing else; each part waits for a
// person's yes, and nothing runs after a command that fails, or without a terminal.
func TestScriptRuns(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer, broken string
		ran            int // lines
	}{
		"yes":         {"yes\n", "", 41},
		"no":          {"no\n", "", 0},
		"nobody":      {"", "", 0},
		"one fails":   {"yes\n", "false", 40},
		"unset fails": {"yes\n", `"${SYNCCTL_NOT_SET:?is not set}/bin/x"`, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := long("clean", dir, 20)
			if c.broken != "" {
				s.Manual.Commands = append(s.Manual.Commands[:21], append([]string{c.broken}, s.Manual.Commands[21:]...)...)
			}
			text := scriptOf(&s)
			check := exec.Command(shell, "-n")
			check.Stdin = strings.NewReader(text)
			if out, err := check.CombinedOutput(); err != nil || !strings.Contains(text, "\nset -e\n") {
				t.Fatalf("%v: %s\n%s", err, out, text)
			}
			answers := filepath.Join(dir, "answers")
			if err := os.WriteFile(answers, []byte(c.answer), 0o600); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "script.sh")
			text = strings.ReplaceAll(text, "/dev/tty", "'"+answers+"'")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell, file)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if (err == nil) != (name == "yes") {
				t.Errorf("%v: %s", err, out)
			}
			ran, _ := os.ReadFile(filepath.Join(dir, "ran"))
			if n := strings.Count(string(ran), "\n"); n != c.ran || strings.Contains(string(ran), "removed") != (name == "yes") {
				t.Errorf("%d lines, want %d:\n%s%s", n, c.ran, ran, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "bad")); err == nil {
				t.Errorf("what stands in comments was run:\n%s", text)
			}
		})
	}
}
