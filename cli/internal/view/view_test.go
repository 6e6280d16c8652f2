package view

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report/reporttest"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// twoDeclarations returns a plan with everything that a plan can show.
func twoDeclarations() *planner.Plan {
	return &planner.Plan{
		Changes: []planner.ResourceChange{
			{Addr: "sync.depot.a", Action: planner.Update, Diff: []planner.Difference{
				{Path: "color", Declared: `"red"`, Actual: `"blue"`},
				{Path: "key", Declared: "(sensitive value)", Actual: "null"},
				{Path: "x", Declared: "null", Actual: "1"},
			}},
			{Addr: "sync.depot.b", Action: planner.Create, Replaced: []planner.Replaced{
				{Part: "direction", Original: "unknown", New: "both", Becomes: planner.Unknown},
				{Part: "lid", Original: "on", New: "off", Becomes: planner.Lost, Accepted: true},
				{Part: "shelf", Original: "the one by the door, below the window", New: "the other \x1b[31mred one",
					Becomes: planner.Altered},
				{Part: "wheels", Original: "none", New: "four", Becomes: planner.Gained},
			}},
		},
		Steps: []planner.Step{
			{
				ID: "sync.depot.a/paint", Addr: "sync.depot.a", Op: "paint", Mark: planner.MarkChange, Repeat: planner.CheckFirst,
				Summary: "paints a in red, which is a colour that takes a good number of words to describe",
				Because: "it is blue", Args: map[string]string{"b": "2", "a": "1"}, Undo: "paint it blue",
				Effect: &planner.Effect{Change: 1}, Exclusive: []string{"brush"},
			},
			{
				ID: "sync.depot.a/label", Addr: "sync.depot.a", Op: "label", Mark: planner.MarkPerson,
				Summary: "labels a \x1b[31mred", Needs: []string{"sync.depot.a/paint"},
				Manual: &planner.Manual{Where: "the depot", Do: []string{"Take the label.", "Put it on."}, Values: []planner.Value{
					{Name: "l", Label: "Label", Value: "heavy"},
					{Name: "f", Label: "Printed", Value: "label.pdf", File: true},
				}, Commands: []string{
					"# print the label on the printer in the depot, which takes a good number of words to describe",
					"print --printer=the-one-in-the-depot --copies=1 --paper='heavy, and white' label.pdf other.pdf third.pdf",
				}},
			},
			{
				ID: "sync.depot.b/scrap", Addr: "sync.depot.b", Op: "scrap", Mark: planner.MarkFinal,
				Summary: "scraps b", Needs: []string{"sync.depot.a/label", "sync.depot.a/paint"},
				Guards: []string{"sync.depot.a/paint"},
				Commands: []string{
					"sudo scrap --box=the-one-in-the-depot-that-takes-a-good-number-of-words --for-good b.1 b.2",
				},
				Effect: &planner.Effect{Destroy: 2, Irreversible: true, Loses: "2 boxes"},
			},
		},
		Findings: []planner.Finding{
			{
				Rule: "depot/wet", Severity: planner.Warn, Addr: "sync.depot.a", Op: "paint",
				Summary: "paint is wet", Detail: "For an hour.",
			},
			{Rule: "depot/old", Severity: planner.Note, Addr: "sync.depot.b", Summary: "it is old"},
			{
				Rule: "depot/no", Severity: planner.Refuse, Addr: "sync.depot.b",
				Summary: "not allowed", Detail: "Because\nof rules.",
			},
		},
	}
}

func TestPlan(t *testing.T) {
	for name, o := range map[string]PlanOptions{
		"plan.txt":      {},
		"narrow.txt":    {Style: Style{Width: 60}},
		"detail.txt":    {Detail: true},
		"color.txt":     {Style: Style{Color: true, Width: 200}},
		"remaining.txt": {Done: map[string]bool{"sync.depot.a/paint": true}},
	} {
		var b bytes.Buffer
		if err := Plan(&b, twoDeclarations(), o); err != nil {
			t.Fatal(err)
		}
		if err := Refusals(&b, o.Style, twoDeclarations()); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b[31mred") {
			t.Errorf("%s: a summary's control characters reach the terminal", name)
		}
		golden(t, name, b.Bytes())
	}
}

// TestSites checks that a plan shows who acts when, and for each site how old its observations are and until when they
// are valid.
func TestSites(t *testing.T) {
	p := reporttest.Sites()
	var b bytes.Buffer
	if err := Plan(&b, p, PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	of := reporttest.Run(p, 1, "failed", "off")
	run := &executor.Run{ID: of.ID, Plan: p, Site: "globex", Entries: of.Entries,
		Chains: map[string][]journal.Entry{"acme": of.Entries}}
	if err := Run(&b, Style{Width: 100}, RunState{Run: run, Decision: of.Decision}, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "sites.txt", b.Bytes())
}

// TestManualCommands checks that commands for a shell are never wrapped, however narrow the terminal is.
func TestManualCommands(t *testing.T) {
	commands := []string{"# a comment that is longer than the terminal is wide",
		"remove --for-good=1 2 3 4 5 6 7 8 9 10 11",
		"echo 'two\n  lines'"}
	var b bytes.Buffer
	step := planner.Step{Manual: &planner.Manual{Where: "here", Do: []string{"Run them."}, Commands: commands}}
	Manual(&b, Style{Width: 30}, 0, executor.Ask{Step: step})
	for _, c := range commands {
		if !strings.Contains(b.String(), "     "+c+"\n") {
			t.Errorf("%q is not there in one piece:\n%s", c, b.String())
		}
	}
}

// TestManualScript checks that a person is told how to run the run's script, on one line that is quoted for a shell,
// and that the commands are only in the script.
func TestManualScript(t *testing.T) {
	step := planner.Step{Manual: &planner.Manual{Where: "here", Do: []string{"Run them."}, Commands: []string{"remove 1"}}}
	var b bytes.Buffer
	Manual(&b, Style{Width: 30}, 0, executor.Ask{Step: step, Script: "/the runs of '26/files/a.sh"})
	if out := b.String(); !strings.Contains(out, "     sh '/the runs of '\\''26/files/a.sh'\n") ||
		strings.Contains(out, "remove 1") {
		t.Errorf("%s", out)
	}
}

func TestNoChanges(t *testing.T) {
	var b bytes.Buffer
	if err := Plan(&b, &planner.Plan{}, PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	if b.String() != "No changes. Your infrastructure matches the configuration.\n" {
		t.Errorf("%q", b.String())
	}
}

func TestReport(t *testing.T) {
	steps := twoDeclarations().Steps
	r := &executor.Report{Steps: []executor.StepReport{
		{Step: steps[0], Phase: executor.PhaseDone, Here: true},
		{Step: steps[1], Phase: executor.PhaseStuck, Why: "it cannot be told"},
		{Step: steps[2], Phase: executor.PhaseBlocked, Why: "it needs sync.depot.a/label"},
	}}
	var b bytes.Buffer
	end := End{Report: r, RunID: "r", Dir: "d/r", Next: Commands{Apply: "syncctl apply", Resolve: "syncctl resolve"}}
	if err := Report(&b, Style{}, end); err != nil {
		t.Fatal(err)
	}
	r.Finished = true
	if err := Report(&b, Style{}, End{Report: r, RunID: "r", Dir: "d/r"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
}

// TestPlain checks that verifying is reported when its message changes, and that nothing is printed between a question
// and its answer.
func TestPlain(t *testing.T) {
	p := twoDeclarations()
	var b bytes.Buffer
	v := NewPlain(&b, Style{}, p)
	s := &p.Steps[0]
	for _, m := range []string{"1 left", "1 left", "0 left"} {
		v.Observe(executor.Event{Name: executor.EventVerifying, Step: s, Message: m})
	}
	release := v.Hold()
	before := b.Len()
	v.Observe(executor.Event{Name: executor.EventDone, Step: s})
	if b.Len() != before {
		t.Error("a line came while somebody else had the floor")
	}
	release()
	want := "  1/3 ~ sync.depot.a/paint: verifying: 1 left\n" +
		"  1/3 ~ sync.depot.a/paint: verifying: 0 left\n  1/3 ~ sync.depot.a/paint: done\n"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}

// TestLive checks that in the end a terminal shows only the steps that have ended.
func TestLive(t *testing.T) {
	p := twoDeclarations()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	v := NewLive(&b, Style{Width: 60}, func() int { return 60 }, p, 0, func() time.Time { return now }, nil)
	v.Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[0]})
	v.Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[1]})
	count := func(done int64) {
		progress := &executor.Progress{Done: done, Total: 100, Unit: "pairs"}
		v.Observe(executor.Event{Name: executor.EventProgress, Step: &p.Steps[0], Progress: progress})
	}
	count(10)
	now = now.Add(10 * time.Second)
	count(20)
	v.Observe(executor.Event{Name: executor.EventVerifying, Step: &p.Steps[1], Message: "waiting"})
	if !strings.Contains(b.String(), "20 of 100 pairs, 01:20 left") {
		t.Errorf("no time left in %q", b.String())
	}
	v.Observe(executor.Event{Name: executor.EventDone, Step: &p.Steps[0]})
	v.Close()
	if d := cmp.Diff([]string{"  1/3 ~ sync.depot.a/paint: done"}, screen(t, b.String())); d != "" {
		t.Error(d)
	}
}

// TestLiveOfAResumedRun checks that the counter of a resumed run begins with the steps that are already done.
func TestLiveOfAResumedRun(t *testing.T) {
	p := twoDeclarations()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	v := NewLive(&b, Style{Width: 60}, func() int { return 60 }, p, 1, func() time.Time { return now }, nil)
	v.Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[1]})
	if !strings.Contains(b.String(), "1 of 3 steps done") || strings.Contains(b.String(), "0 of 3") {
		t.Errorf("%q", b.String())
	}
	v.Observe(executor.Event{Name: executor.EventDone, Step: &p.Steps[1]})
	v.Observe(executor.Event{Name: executor.EventStarted, Step: &p.Steps[2]})
	if !strings.Contains(b.String(), "2 of 3 steps done") {
		t.Errorf("%q", b.String())
	}
	v.Close()
}

// screen returns what a terminal shows for a text with the two escape sequences that Live uses.
func screen(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			n := int(rest[0] - '0')
			text, ok = strings.CutPrefix(rest[1:], "A\x1b[J")
			if !ok || n > len(lines) {
				t.Fatalf("moves up %d of %d lines, then %q", n, len(lines), text)
			}
			lines = lines[:len(lines)-n]
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		lines, text = append(lines, line), rest
	}
	return lines
}

func TestEvents(t *testing.T) {
	p := twoDeclarations()
	var b bytes.Buffer
	e := NewEvents(&b, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	e.Of(p)
	e.Observe(executor.Event{Name: executor.EventFailed, Step: &p.Steps[1], Message: "no"})
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"@level": "error", "@message": "sync.depot.a/label: failed: no", "@module": "syncctl",
		"@timestamp": "2026-01-02T03:04:05Z", "type": "step_failed",
		"step": map[string]any{
			"id": "sync.depot.a/label", "number": 2.0, "of": 3.0, "addr": "sync.depot.a", "op": "label", "mark": "?",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestWrap checks that a line exceeds the width only if it is a single word, and that no word is lost.
func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-zäöü]{1,9} ){0,20}[a-z]{1,9}`).Draw(t, "text")
		width := rapid.IntRange(1, 40).Draw(t, "width")
		lines := Wrap(text, width)
		if strings.Join(lines, " ") != text {
			t.Fatalf("words lost: %q", lines)
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > width && strings.Contains(l, " ") {
				t.Fatalf("%q is wider than %d", l, width)
			}
		}
	})
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 30: "5.0 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// pieces remembers the pieces in which something is written.
type pieces []string

func (p *pieces) Write(b []byte) (int, error) {
	*p = append(*p, string(b))
	return len(b), nil
}

// TestPlanInPieces: a long plan is not held in memory a second time as text. No declaration is torn, because secrets
// are removed from each piece by itself.
func TestPlanInPieces(t *testing.T) {
	p := &planner.Plan{}
	for i := range 2000 {
		addr := fmt.Sprintf("sync.depot.s%04d", i)
		p.Steps = append(p.Steps, planner.Step{ID: addr + "/a", Addr: addr, Op: "a", Summary: strings.Repeat("paint ", 10)},
			planner.Step{ID: addr + "/b", Addr: addr, Op: "b", Summary: "dry"})
	}
	var got pieces
	if err := Plan(&got, p, PlanOptions{}); err != nil || len(got) < 2 {
		t.Fatalf("%d pieces, %v", len(got), err)
	}
	for i, piece := range got {
		if len(piece) > 2*blockSize || i > 0 && !strings.HasPrefix(piece, "sync.depot.s") {
			t.Errorf("piece %d has %d bytes: %.60q", i, len(piece), piece)
		}
	}
	if text := strings.Join(got, ""); strings.Count(text, "\nsync.depot.s") < 1999 || strings.Count(text, "dry") != 2000 {
		t.Error("something is missing")
	}
}
