package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// exampleDirs are the examples whose products are all built in.
func exampleDirs(t *testing.T) []string {
	t.Helper()
	seeds, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, seed := range seeds {
		src, err := os.ReadFile(seed)
		if err != nil {
			t.Fatal(err)
		}
		var worlds map[string]json.RawMessage
		if err := json.Unmarshal(src, &worlds); err != nil {
			t.Fatalf("%s: %v", seed, err)
		}
		for _, p := range products {
			delete(worlds, p.name)
		}
		if len(worlds) == 0 {
			dirs = append(dirs, filepath.Dir(seed))
		}
	}
	return dirs
}

// TestExamples runs the script that every example folder holds, in a copy of the folder.
func TestExamples(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			abs, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			p := scripts(dir)
			setup := p.Setup
			p.Setup = func(e *testscript.Env) error {
				e.Setenv("EXAMPLE", abs)
				if err := os.CopyFS(filepath.Join(e.WorkDir, "example"), os.DirFS(abs)); err != nil {
					return err
				}
				return setup(e)
			}
			testscript.Run(t, p)
		})
	}
}

// inside runs a shell line within an example's sandbox and returns what it printed, the changing requests that were
// carried out and how often, and the state of all servers at the end with every time taken out.
func inside(t *testing.T, dir, line string) (out string, changes map[string]int, state string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	log, dump := filepath.Join(tmp, "access.log"), filepath.Join(tmp, "dump.json")
	cmd := exec.CommandContext(t.Context(), self, "sandbox", dir, "--access-log="+log, "--dump="+dump, "--", "sh", "-c", line)
	cmd.Args[0] = "syncctl"
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return string(b), carriedOut(t, log), withoutTimes(t, dump)
}

func carriedOut(t *testing.T, log string) map[string]int {
	t.Helper()
	src, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(src))
	for lines.Scan() {
		var l struct {
			Server, Method, Path string
			Status               int
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Method != "GET" && l.Status < 400 {
			out[l.Server+" "+l.Method+" "+l.Path]++
		}
	}
	return out
}

var times = regexp.MustCompile(`\b1[0-9]{12}\b|"20[0-9]{2}-[01][0-9]-[^"]*"`)

func withoutTimes(t *testing.T, dump string) string {
	t.Helper()
	src, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	return times.ReplaceAllString(string(src), "TIME")
}

// TestKilledAtEveryWrite kills apply with SIGKILL at every write of its journal, once before the line is whole and once
// after, and runs it again: the servers end in the same state, and every changing request was carried out once.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			probe, want, state := inside(t, dir, `syncctl apply -auto-approve; echo "exit $?"; cat .syncctl/runs/*/journal.jsonl | wc -l`)
			if !strings.Contains(probe, "exit 0\n") {
				if !strings.Contains(probe, "exit 8\n") {
					t.Fatalf("the example neither runs nor is refused:\n%s", probe)
				}
				return // refused by a guard: there is no run to kill
			}
			for request, n := range want {
				if n != 1 {
					t.Errorf("undisturbed, %s was carried out %d times", request, n)
				}
			}
			fields := strings.Fields(probe)
			var writes int
			if _, err := fmt.Sscan(fields[len(fields)-1], &writes); err != nil {
				t.Fatal(err)
			}
			step := 1
			if testing.Short() {
				step = 7
			}
			killEach(t, dir, writes, step, want, state)
		})
	}
}

func killEach(t *testing.T, dir string, writes, step int, want map[string]int, state string) {
	var wait sync.WaitGroup
	defer wait.Wait()
	slots := make(chan struct{}, 4)
	for seq := 1; seq <= writes; seq += step {
		for _, stage := range []string{"half", "synced"} {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				out, got, end := inside(t, dir, fmt.Sprintf(
					`SYNCCTL_TEST_KILL=%s:%d syncctl apply -auto-approve; echo "killed $?"; SYNCCTL_TEST_KILL= syncctl apply -auto-approve && SYNCCTL_TEST_KILL= syncctl plan -detailed-exitcode`, stage, seq))
				if !strings.Contains(out, "killed 137") {
					t.Errorf("%s:%d: it was not killed:\n%s", stage, seq, out)
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s:%d: requests carried out:\n%v\nwant:\n%v", stage, seq, got, want)
				}
				if end != state {
					t.Errorf("%s:%d: the servers end in another state: %s", stage, seq, firstDifference(end, state))
				}
			})
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %s, undisturbed: %s", i+1, strings.TrimSpace(x[i]), strings.TrimSpace(y[i]))
		}
	}
	return fmt.Sprintf("%d lines, undisturbed: %d", len(x), len(y))
}
