package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/sandbox"
)

// TestMain makes this test binary a syncctl that also knows the depot, and that can be told to die: SYNCCTL_TEST_KILL=STAGE:SEQ
// ends it at that stage of writing that entry of a run's journal, as a power failure would.
func TestMain(m *testing.M) {
	products = append(products, depot)
	if stage, seq, ok := strings.Cut(os.Getenv("SYNCCTL_TEST_KILL"), ":"); ok {
		journalWatch = func(s journal.Stage, e journal.Entry) {
			if string(s) == stage && strconv.Itoa(e.Seq) == seq {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // not a line further
			}
		}
	}
	testscript.Main(m, map[string]func(){"syncctl": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, scripts(filepath.Join("testdata", "script")))
}

// scripts are the parameters for the scripts of a folder.
func scripts(dir string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SYNCCTL_LOG", "")
			e.Setenv("NO_COLOR", "")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "product:")
			if !ok {
				return false, errors.New("there is no condition " + cond)
			}
			return slices.ContainsFunc(products, func(p product) bool { return p.name == name }), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "serve": serve},
	}
}

// exits CODE COMMAND ARGS...: the command ends with exactly that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	code := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// serve DIR [no-person]: serves DIR's seed until the script ends, with its environment set.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve DIR [no-person]")
	}
	open := map[string]sandbox.Open{}
	for _, p := range products {
		open[p.name] = p.simulator
	}
	box, err := sandbox.Start(context.Background(), sandbox.Options{
		Seed: []byte(ts.ReadFile(filepath.Join(args[0], "sandbox.json"))), Products: open, Person: len(args) == 1,
	})
	ts.Check(err)
	ts.Defer(func() { ts.Check(box.Close()) })
	ts.Check(box.WriteCA(afero.NewOsFs(), ts.MkAbs("ca.pem")))
	for name, value := range box.Environment() {
		ts.Setenv(name, value)
	}
}
