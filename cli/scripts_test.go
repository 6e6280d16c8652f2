package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli/clitest"
)

// driverDir is the module of a driver outside of this one, with a main of its own.
var driverDir = filepath.Join("..", "examples", "driver")

// TestDriverFromOutside runs the tests of examples/driver, the conformance kit and the script of its example
// among them.
func TestDriverFromOutside(t *testing.T) {
	inDriverDir(t, append(append([]string{"test"}, buildFlags()...), "./...")...)
}

// TestScripts runs the program as a person uses it, with the product of examples/driver; cmd/syncctl tests it with
// the real ones.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	program := filepath.Join(bin, "syncctl")
	// The test binary: unlike the program it can be killed at a write of the journal.
	build := append([]string{"test", "-c", "-o", program}, buildFlags()...)
	inDriverDir(t, append(build, ".")...)
	bundles, err := filepath.Abs(filepath.Join("..", "bundle", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := filepath.Abs(filepath.Join("..", ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p := clitest.Scripts(filepath.Join("testdata", "script"))
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
		e.Setenv("BUNDLES", bundles) // of version 1, with keys that open them
		e.Setenv("HOOKS", hooks)
		e.Values[gitHubKey{}] = new(*gitHub)
		typed, err := reviewCommands()
		if err != nil {
			return err
		}
		e.Values[typedKey{}] = typed
		return setup(e)
	}
	p.Cmds["serve"] = func(ts *testscript.TestScript, _ bool, args []string) { serve(ts, program, args) }
	p.Cmds["live"] = func(ts *testscript.TestScript, _ bool, args []string) { live(ts, program, args) }
	p.Cmds["typed"] = typed
	p.Cmds["json"] = isJSON
	p.Cmds["talkative"] = func(ts *testscript.TestScript, _ bool, _ []string) { talkative(ts) }
	p.Cmds["github"], p.Cmds["job"], p.Cmds["hook"], p.Cmds["expect"] = cmdGitHub, cmdJob, cmdHook, cmdExpect
	testscript.Run(t, p)
}

// json FILE...: each holds one JSON document.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		if json.Valid([]byte(ts.ReadFile(name))) == neg {
			ts.Fatalf("%s is JSON: %v", name, neg)
		}
	}
}

// talkative serves, until the script ends, a server that goes on after its answers, with the credentials that it was
// given. TALKATIVE_URL is its address, talkative.pem its certificate.
func talkative(ts *testscript.TestScript) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"+
			strings.Join(r.Header["Authorization"], " "))
		_, _ = io.Copy(io.Discard, conn) // until the client hangs up
	}))
	ts.Defer(s.Close)
	ts.Setenv("TALKATIVE_URL", s.URL)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs("talkative.pem"), ca, 0o600))
}

// TestTestingPage: the test that docs/testing.md shows is that of the example, which its script carries out.
func TestTestingPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join(driverDir, "example", "main.synctest.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```hcl\n"+string(example)+"```") {
		t.Errorf("docs/testing.md does not show the example's test:\n%s", example)
	}
}

func inDriverDir(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = driverDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), driverDir, err, out)
	}
}

// buildFlags are the flags that this test was built with, so that what is compiled already is not compiled
// again, and the race detector looks at the program too.
func buildFlags() []string {
	var flags []string
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if slices.Contains([]string{"-race", "-trimpath"}, s.Key) {
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	return flags
}

// serve DIR [--no-person]: serves DIR's seed until the script ends, with its environment set.
func serve(ts *testscript.TestScript, program string, args []string) {
	cmd := exec.Command(program, append([]string{"sandbox"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(os.Interrupt))
		ts.Check(cmd.Wait())
	})
	var printed strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "# Paste") {
		if !strings.HasPrefix(lines.Text(), "#") {
			printed.WriteString(lines.Text() + "\n")
		}
	}
	words, err := shellquote.Split(printed.String())
	ts.Check(err)
	if len(words) == 0 {
		ts.Fatalf("syncctl sandbox prints no environment: %s", &stderr)
	}
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			ts.Setenv(name, value)
		}
	}
}
