// Package clitest tests a program made with package cli as a person uses it: with scripts, against simulated
// servers.
package clitest

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/journal"
)

// Main is for TestMain. When the test binary is called syncctl, it runs as the program with these products. Variables
// of the environment disturb it: SYNCCTL_TEST_KILL=STAGE:SEQ kills it at that stage of writing that journal entry, as
// a power failure would. SYNCCTL_TEST_CRASH=WHERE:HOW makes every driver crash: see crashing.
// SYNCCTL_TEST_EARLY=NUMBER sends it that signal right after its start.
func Main(m *testing.M, products ...cli.Product) {
	hook.Event = formatOf("events").hold
	hook.Document, hook.Ended = holdDocument, oneDocument
	hook.Journal = func(s journal.Stage, e journal.Entry) {
		if line, err := json.Marshal(e); s == journal.Writing && err == nil {
			entries.hold(line)
		}
	}
	if stage, seq, ok := strings.Cut(os.Getenv("SYNCCTL_TEST_KILL"), ":"); ok {
		hook.Journal = func(s journal.Stage, e journal.Entry) {
			if string(s) == stage && strconv.Itoa(e.Seq) == seq {
				self, _ := os.FindProcess(os.Getpid()) // it always finds itself
				_ = self.Kill()
				select {} // until it is dead
			}
		}
	}
	if s, err := strconv.Atoi(os.Getenv("SYNCCTL_TEST_EARLY")); err == nil {
		hook.Started = func() {
			self, _ := os.FindProcess(os.Getpid()) // it always finds itself
			_ = self.Signal(syscall.Signal(s))
		}
	}
	if how := os.Getenv("SYNCCTL_TEST_CRASH"); how != "" {
		products = crashing(how, products)
	}
	testscript.Main(m, map[string]func(){"syncctl": func() { cli.Main(products...) }})
}

// Scripts returns the parameters for the scripts of a folder. It adds one command,
//
//	exits CODE COMMAND ARGS...   the command exits with exactly that code
//
// and the condition product:NAME, which holds for the given products.
func Scripts(dir string, products ...cli.Product) testscript.Params {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // otherwise, under nohup, scripts would ignore a hang-up too
	return testscript.Params{
		Dir:                dir,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SYNCCTL_LOG", "")
			e.Setenv("NO_COLOR", "")
			e.Setenv("SYNCCTL_CONFIG_DIR", filepath.Join(e.WorkDir, ".user"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "product:")
			if !ok {
				return false, errors.New("unknown condition " + cond)
			}
			return slices.ContainsFunc(products, func(p cli.Product) bool { return p.Name == name }), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
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
