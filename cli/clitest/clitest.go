// Package clitest tests a program made with package cli as a person uses it: by scripts, against simulated servers.
package clitest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/sandbox"
)

// Main is for TestMain. It makes the test binary, when it is called syncctl, the program with these products, and lets it be
// told to die: SYNCCTL_TEST_KILL=STAGE:SEQ ends it at that stage of writing that entry of a run's journal, as a power failure
// would.
func Main(m *testing.M, products ...cli.Product) {
	if stage, seq, ok := strings.Cut(os.Getenv("SYNCCTL_TEST_KILL"), ":"); ok {
		hook.Journal = func(s journal.Stage, e journal.Entry) {
			if string(s) == stage && strconv.Itoa(e.Seq) == seq {
				self, _ := os.FindProcess(os.Getpid()) // a process finds itself
				_ = self.Kill()
				select {} // not a line further
			}
		}
	}
	testscript.Main(m, map[string]func(){"syncctl": func() { cli.Main(products...) }})
}

// Scripts are the parameters for the scripts of a folder. Beside testscript's own they know the commands
//
//	exits CODE COMMAND ARGS...   the command ends with exactly that code
//	serve DIR [no-person]        serves DIR's seed until the script ends, with its environment set
//
// and the condition product:NAME.
func Scripts(dir string, products ...cli.Product) testscript.Params {
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
			return slices.ContainsFunc(products, func(p cli.Product) bool { return p.Name == name }), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "serve": func(ts *testscript.TestScript, neg bool, args []string) {
			serve(ts, neg, args, products)
		}},
	}
}

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

func serve(ts *testscript.TestScript, neg bool, args []string, products []cli.Product) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve DIR [no-person]")
	}
	box, err := sandbox.Start(context.Background(), sandbox.Options{
		Seed: []byte(ts.ReadFile(filepath.Join(args[0], "sandbox.json"))), Products: Simulators(products), Person: len(args) == 1,
	})
	ts.Check(err)
	ts.Defer(func() { ts.Check(box.Close()) })
	ts.Check(box.WriteCA(afero.NewOsFs(), ts.MkAbs("ca.pem")))
	for name, value := range box.Environment() {
		ts.Setenv(name, value)
	}
}

// Simulators are what the sandbox can simulate of these products, by name.
func Simulators(products []cli.Product) map[string]sandbox.Open {
	open := map[string]sandbox.Open{}
	for _, p := range products {
		if p.Simulator != nil {
			open[p.Name] = p.Simulator
		}
	}
	return open
}
