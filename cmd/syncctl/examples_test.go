package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli/clitest"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/sandbox"
)

// exampleDirs returns the folders of the examples whose products are all built in.
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
			delete(worlds, p.Name)
		}
		if len(worlds) == 0 {
			dirs = append(dirs, filepath.Dir(seed))
		}
	}
	return dirs
}

var exampleNamed = regexp.MustCompile(`examples/([A-Za-z0-9._-]+)`)

// builtIn reports whether the products of all examples that a text names are built in.
func builtIn(t *testing.T, text string) bool {
	t.Helper()
	var names []string
	for _, dir := range exampleDirs(t) {
		names = append(names, filepath.Base(dir))
	}
	for _, m := range exampleNamed.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			return false
		}
	}
	return true
}

// TestExamples runs the script that every example folder holds, in a copy of the folder.
func TestExamples(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			abs, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			p := clitest.Scripts(dir, products...)
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

// TestInitExamples writes each example into an empty folder, as a user does who has only the program. It checks that
// each is valid, that the first can be rehearsed by its name, and that none is written twice.
func TestInitExamples(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	syncctl := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), self, args...)
		cmd.Args[0], cmd.Dir = "syncctl", folder
		cmd.Env = append(os.Environ(), "SYNCCTL_CONFIG_DIR="+filepath.Join(folder, ".user"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	list, err := syncctl("init", "-examples")
	if err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	for i, dir := range exampleDirs(t) {
		name := filepath.Base(dir)
		if !strings.Contains(list, name+" ") {
			t.Errorf("%s is not listed", name)
		}
		for _, args := range [][]string{{"init", "-example", name, name}, {"validate", name}, {"fmt", "-check", name}} {
			if out, err := syncctl(args...); err != nil {
				t.Errorf("%s: %v\n%s", args, err, out)
			}
		}
		if out, err := syncctl("init", "-example", name, name); err == nil {
			t.Errorf("%s is written twice\n%s", name, out)
		}
		if i == 0 {
			if out, err := syncctl("rehearse", name+"/../"+name); err != nil { // the folder
				t.Errorf("%s, written: %v\n%s", name, err, out)
			}
			if err := os.RemoveAll(filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			if out, err := syncctl("rehearse", name); err != nil {
				t.Errorf("%s, by its name: %v\n%s", name, err, out)
			}
		}
	}
}

// simulators returns the products that the sandbox can simulate.
func simulators() map[string]sandbox.Open {
	open := map[string]sandbox.Open{}
	for _, p := range products {
		open[p.Name] = p.Simulator
	}
	return open
}

// inside runs a shell line in the sandbox of an example. It returns the output, the requests, commands and file
// accesses that changed something, and the final state of all servers without times.
func inside(t *testing.T, dir, line string) (out string, changes []sandbox.AccessLine, state string) {
	t.Helper()
	seed, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	clock := drivertest.NewTime()
	defer clock.Stop()
	box, err := sandbox.Start(t.Context(), sandbox.Options{
		Seed: seed, Products: simulators(), Person: true, AccessLog: &log, Now: clock.Now, Ticks: clock.Ticks(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	var said bytes.Buffer
	code, err := box.RunInside(t.Context(), sandbox.Inside{
		Dir: dir, Executable: self, Command: []string{"sh", "-c", line},
		Env: append(os.Environ(), "NO_COLOR=1"), TempDir: t.TempDir(),
		Stdout: &said, Stderr: &said,
	})
	if err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, &said)
	}
	clock.Rest() // sessions of a killed process expire
	b, err := box.State()
	if err := errors.Join(err, box.Close()); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&log)
	for dec.More() {
		var l sandbox.AccessLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if !l.Reading && l.OK {
			changes = append(changes, l)
		}
	}
	return said.String(), changes, drivertest.WithoutTimes(b)
}

// counted returns how often each was carried out, by name.
func counted(lines []sandbox.AccessLine, name func(sandbox.AccessLine) string) map[string]int {
	out := map[string]int{}
	for _, l := range lines {
		out[name(l)]++
	}
	return out
}

func byPath(l sandbox.AccessLine) string {
	return l.Server + " " + l.Method + " " + drivertest.PathOf(l)
}

// byContent names requests so that requests to the same path differ by their content.
func byContent(l sandbox.AccessLine) string { return byPath(l) + "?" + l.Query + " " + l.Body }

// undisturbed is the result of an example when nothing is killed.
type undisturbed struct {
	flags   string // of every apply
	writes  int    // of the journal
	plan    *planner.Plan
	changes []sandbox.AccessLine
	state   string
}

// again reports whether a killed run will repeat something: its journal has an idempotent step that had started.
func (u undisturbed) again(record string) bool {
	last := map[string]string{}
	for line := range strings.Lines(record) {
		var e struct{ Key, Event string }
		if json.Unmarshal([]byte(line), &e) == nil { // the last one may be half written
			last[e.Key] = e.Event
		}
	}
	return slices.ContainsFunc(u.plan.Steps, func(s planner.Step) bool {
		begun := last[s.ID] == executor.EventStarted || last[s.ID] == executor.EventExecuted
		return begun && s.Repeat == planner.Idempotent && s.Mark != planner.MarkCheck
	})
}

// unlike lists the changes that were not carried out as often as undisturbed. If again, one repetition is allowed.
func (u undisturbed) unlike(changes []sandbox.AccessLine, again bool) []string {
	got, want := counted(changes, byPath), counted(u.changes, byPath)
	most := 0
	if again {
		most = 1
	}
	var out []string
	for name := range got {
		if want[name] == 0 {
			out = append(out, fmt.Sprintf("%s, %d times, undisturbed never", name, got[name]))
		}
	}
	for name, n := range want {
		if got[name] < n || got[name] > n+most {
			out = append(out, fmt.Sprintf("%s, %d times, undisturbed %d", name, got[name], n))
		}
	}
	slices.Sort(out)
	return out
}

// carryUndisturbed applies an example. It returns false if a guard refuses it. The steps of several declarations have
// no fixed order, and objects get their IDs in that order, so the steps are carried out one at a time.
func carryUndisturbed(t *testing.T, dir, flags string) (undisturbed, bool) {
	t.Helper()
	u := undisturbed{flags: flags}
	var out string
	out, u.changes, u.state = inside(t, dir, `syncctl apply -auto-approve`+flags+`; echo "exit $?"
		cat .syncctl/runs/*/journal.jsonl | wc -l; cat .syncctl/runs/*/plan.json || true`)
	_, record, ran := strings.Cut(out, "exit 0\n")
	if !ran && strings.Contains(out, "exit 8\n") {
		return u, false
	}
	if _, err := fmt.Sscan(record, &u.writes); err != nil {
		t.Fatalf("the example neither runs nor is refused: %v\n%s", err, out)
	}
	var err error
	if u.plan, err = planner.Decode(strings.NewReader(record[strings.Index(record, "{"):])); err != nil {
		t.Fatal(err)
	}
	for _, s := range u.plan.Steps {
		if s.Manual != nil && drivertest.Unpasteable(s.Manual) != "" {
			t.Errorf("%s: commands for a person: %s", s.ID, drivertest.Unpasteable(s.Manual))
		}
	}
	var lines []string // that ran at machines
	for _, l := range u.changes {
		if l.Method == sandbox.MethodExec {
			lines = append(lines, l.Path)
		}
	}
	for _, problem := range drivertest.CommandsInProse(u.plan, lines) {
		t.Error(problem)
	}
	several := slices.ContainsFunc(u.plan.Steps, func(s planner.Step) bool { return s.Addr != u.plan.Steps[0].Addr })
	if several && flags == "" {
		return carryUndisturbed(t, dir, " -parallelism=1")
	}
	return u, true
}

// TestKilledAtEveryWrite kills apply with SIGKILL at a write of its journal, before the line is complete or after,
// and runs it again: the servers end in the same state, and every change was made as often as undisturbed (requests
// once), except what the interrupted step may repeat. It takes a sample of the writes, or all of them
// (drivertest.AllVariable).
func TestKilledAtEveryWrite(t *testing.T) {
	slots := make(chan struct{}, 16) // for all examples; they mostly wait
	for _, dir := range oneProcessDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			u, ran := carryUndisturbed(t, dir, "")
			if !ran {
				return // there is no run to kill
			}
			requests := slices.DeleteFunc(slices.Clone(u.changes), func(l sandbox.AccessLine) bool {
				return l.Protocol != sandbox.ProtocolHTTPS
			})
			for request, n := range counted(requests, byContent) { // a service may well be stopped twice
				if n != 1 {
					t.Errorf("undisturbed, %s was carried out %d times", request, n)
				}
			}
			most := 3
			if u.plan.Tally().Irreversible > 0 {
				most = 6
			}
			var writes []string
			for seq := range u.writes {
				writes = append(writes, fmt.Sprintf("half:%d", seq+1), fmt.Sprintf("synced:%d", seq+1))
			}
			var wait sync.WaitGroup
			defer wait.Wait()
			for _, write := range drivertest.Sample(drivertest.Random(t), writes, most) {
				slots <- struct{}{}
				wait.Go(func() {
					defer func() { <-slots }()
					checkKilled(t, dir, write, u)
				})
			}
		})
	}
}

// checkKilled kills apply at one write.
func checkKilled(t *testing.T, dir, write string, u undisturbed) {
	apply := "syncctl apply -auto-approve" + u.flags
	out, changes, end := inside(t, dir, fmt.Sprintf(`SYNCCTL_TEST_KILL=%s %s; echo "killed $?"
		cat .syncctl/runs/*/journal.jsonl; echo
		echo "and then"; SYNCCTL_TEST_KILL= %s && SYNCCTL_TEST_KILL= syncctl plan -detailed-exitcode`,
		write, apply, apply))
	_, after, killed := strings.Cut(out, "killed 137\n")
	if !killed {
		t.Errorf("%s: it was not killed:\n%s", write, out)
	}
	record, _, _ := strings.Cut(after, "and then\n")
	if unlike := u.unlike(changes, u.again(record)); len(unlike) > 0 {
		t.Errorf("%s: carried out:\n%s", write, strings.Join(unlike, "\n"))
	}
	if end != u.state {
		t.Errorf("%s: the servers end in another state: %s", write, firstDifference(end, u.state))
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
