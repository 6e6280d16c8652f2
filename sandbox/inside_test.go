//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/sandbox"
)

// write makes a file and its parent folders.
func write(t *testing.T, path, text string, perm fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

// inside returns a shell command in a copy of a small example.
func inside(t *testing.T, script string, out *bytes.Buffer) sandbox.Inside {
	t.Helper()
	dir, tools := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "main.sync.hcl"), "original", 0o444)
	write(t, filepath.Join(dir, "sub", "file"), "deep", 0o600)
	write(t, filepath.Join(dir, ".syncctl", "run"), "earlier", 0o600)
	write(t, filepath.Join(dir, "sub", ".syncctl", "run"), "not ours", 0o600)
	write(t, filepath.Join(tools, "program"), "#!/bin/sh\necho this is syncctl \"$@\"\n", 0o755)
	return sandbox.Inside{
		Dir: dir, Executable: filepath.Join(tools, "program"), Command: []string{"sh", "-c", script},
		Env: []string{"PATH=" + os.Getenv("PATH"), "OUTER=kept", "a_URL=hidden"}, TempDir: t.TempDir(),
		Stdin: strings.NewReader("typed\n"), Stdout: out, Stderr: out,
	}
}

func TestRunInside(t *testing.T) {
	s := start(t, sandbox.Options{Person: true})
	var out bytes.Buffer
	in := inside(t, `
		read line; echo "$line"
		pwd; test "$PWD" = "$(pwd)" && echo PWD agrees
		syncctl plan
		find . | sort
		echo changed > main.sync.hcl
		echo "$OUTER $a_URL $SYNCCTL_SANDBOX_PERSON"
		cat "$SYNCCTL_SANDBOX_CA_FILE"
		echo to stderr >&2
		exit 7`, &out)
	var scratch string
	in.Keep = func(path string) { scratch = path }
	code, err := s.RunInside(t.Context(), in)
	if err != nil || code != 7 {
		t.Fatalf("code %d, %v, %s", code, err, &out)
	}
	env := s.Environment()
	want := strings.Join([]string{
		"typed", filepath.Join(scratch, "work"), "PWD agrees", "this is syncctl plan",
		".", "./main.sync.hcl", "./sub", "./sub/.syncctl", "./sub/.syncctl/run", "./sub/file",
		"kept " + env["a_URL"] + " " + env[sandbox.EnvPerson],
	}, "\n") + "\n" + string(s.CA()) + "to stderr\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if b, err := os.ReadFile(filepath.Join(in.Dir, "main.sync.hcl")); err != nil || string(b) != "original" {
		t.Errorf("the example itself now holds %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(scratch, "work", "main.sync.hcl")); err != nil || string(b) != "changed\n" {
		t.Errorf("the copy holds %q, %v", b, err)
	}
}

func TestRunInsideRunsSyncctlItself(t *testing.T) {
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	in := inside(t, "", &out)
	in.Command = []string{"syncctl", "validate"}
	if code, err := s.RunInside(t.Context(), in); err != nil || code != 0 ||
		out.String() != "this is syncctl validate\n" {
		t.Errorf("code %d, %v, %q", code, err, out.String())
	}
	left, err := os.ReadDir(in.TempDir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRunInsideDumps(t *testing.T) {
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	in := inside(t, `test -s "$BEFORE" && echo before is there; test -e "$AFTER" || echo after is not; exit 3`, &out)
	dumps := t.TempDir()
	in.Write = func(path string, state []byte) error { return os.WriteFile(path, state, 0o600) }
	in.DumpBefore, in.Dump = filepath.Join(dumps, "before.json"), filepath.Join(dumps, "after.json")
	in.Env = append(in.Env, "BEFORE="+in.DumpBefore, "AFTER="+in.Dump)
	code, err := s.RunInside(t.Context(), in)
	if err != nil || code != 3 || out.String() != "before is there\nafter is not\n" {
		t.Errorf("code %d, %v, %q", code, err, out.String())
	}
	want, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{in.DumpBefore, in.Dump} {
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s holds %s, %v", path, got, err)
		}
	}
	if !bytes.HasPrefix(want, []byte("{\n  \"counter\": {\n    \"done\": ")) {
		t.Errorf("the state is not indented, or its keys are not sorted: %s", want)
	}
	in.Dump = filepath.Join(dumps, "missing", "after.json")
	if code, err := s.RunInside(t.Context(), in); code != 3 || err == nil ||
		!strings.Contains(err.Error(), "writing the sandbox's state") {
		t.Errorf("a dump that cannot be written: code %d, %v", code, err)
	}
}

func TestRunInsideRefuses(t *testing.T) {
	s := start(t, sandbox.Options{})
	for _, c := range []struct {
		name   string
		change func(*sandbox.Inside)
		code   int
		want   string
	}{
		{"no command", func(in *sandbox.Inside) { in.Command = nil }, 126, "there is no command"},
		{"unknown command", func(in *sandbox.Inside) { in.Command = []string{"no-such-thing"} }, 127,
			"there is no no-such-thing in PATH"},
		{"not executable", func(in *sandbox.Inside) { in.Command = []string{"./sub/file"} }, 127, "permission denied"},
		{"no folder", func(in *sandbox.Inside) { in.Dir += "x" }, 126, "copying"},
		{"a file", func(in *sandbox.Inside) { in.Dir += "/main.sync.hcl" }, 126, "is not a folder"},
		{"no program", func(in *sandbox.Inside) { in.Executable += "x" }, 126, "finding the program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			in := inside(t, "echo ran", &out)
			c.change(&in)
			code, err := s.RunInside(t.Context(), in)
			if code != c.code || err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
				t.Errorf("code %d, %v, output %q", code, err, out.String())
			}
			if left, err := os.ReadDir(in.TempDir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestRunInsideForwardsSignals checks that a signal goes to the command, and that the sandbox runs until the command
// has ended by itself.
func TestRunInsideForwardsSignals(t *testing.T) {
	// A background process of a script ignores interrupts, and so would its shell.
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGINT)
	defer signal.Stop(ignored)
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	in := inside(t, `
		trap 'echo caught; echo > go' INT
		echo ready
		while ! test -e go; do sleep 0.01; done
		exit 5`, &out)
	signals := make(chan os.Signal, 1)
	in.Signals = signals
	in.Stderr = nil
	in.Stdout = writerFunc(func(b []byte) (int, error) {
		if string(b) == "ready\n" {
			signals <- syscall.SIGINT
		}
		return out.Write(b)
	})
	code, err := s.RunInside(t.Context(), in)
	if err != nil || code != 5 || out.String() != "ready\ncaught\n" {
		t.Errorf("code %d, %v, %q", code, err, out.String())
	}
}

func TestRunInsideReportsDeathBySignal(t *testing.T) {
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	if code, err := s.RunInside(t.Context(), inside(t, `kill -9 $$`, &out)); err != nil || code != 128+9 {
		t.Errorf("code %d, %v", code, err)
	}
}

func TestRunInsideEndsWithItsContext(t *testing.T) {
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	in := inside(t, `trap 'echo stopped; exit 4' TERM; while read line; do cancel; done; while :; do sleep 0.01; `+
		`done`, &out)
	in.Stdin = readerFunc(func([]byte) (int, error) { cancel(); return 0, os.ErrClosed })
	if code, err := s.RunInside(ctx, in); err != nil || !slices.Contains([]int{4, 128 + 15}, code) {
		t.Errorf("code %d, %v", code, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestCopyKeepsLinksUsable(t *testing.T) {
	s := start(t, sandbox.Options{})
	var out bytes.Buffer
	in := inside(t, `cat within outside absolute; echo new > within; cat sub/file`, &out)
	outside := filepath.Join(t.TempDir(), "far")
	write(t, outside, "far\n", 0o600)
	relative, err := filepath.Rel(in.Dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"within": "sub/file", "outside": relative, "absolute": outside} {
		if err := os.Symlink(to, filepath.Join(in.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	in.TempDir = in.Dir // the copy must not copy itself
	if code, err := s.RunInside(t.Context(), in); err != nil || code != 0 || out.String() != "deepfar\nfar\nnew\n" {
		t.Errorf("code %d, %v, %q", code, err, out.String())
	}
	if b, err := os.ReadFile(filepath.Join(in.Dir, "sub", "file")); err != nil || string(b) != "deep" {
		t.Errorf("the example itself now holds %q, %v", b, err)
	}
}
