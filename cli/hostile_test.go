package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

// hostile is one of each kind of character that must not reach a terminal raw; it begins and ends with a letter, as
// what trims text would otherwise hide a failure. It has no line feed: texts of several lines are meant to have them.
const hostile = "h\x1b[31m\x1b[8m\x1b[2J\r\b\x00\x7f\u0085\u009b31m\u200b\u200d\u200e\u202e\u2066\u061c\u2060\ufeff" +
	"\u2028\u2029\u00ad\u034f\u180e\u115f\u3164\ufe0f\U000e0041\U000e0100\ue000\U000f0000\xffe"

// inJSON is hostile as JSON holds it.
var inJSON = strings.ToValidUTF8(hostile, "\ufffd")

// inName is what of it may be in a file's name.
var inName = strings.ReplaceAll(hostile, "\x00", "")

// evil is a driver whose servers say hostile things wherever they can.
type evil struct {
	env  driver.Env
	fail bool
}

func (evil) Rules() []planner.Rule { return nil }

func (evil) Types() []schema.Type { return careless{}.Types() }

func (evil) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return []planner.Need{{Server: r.Addr.String(), What: hostile, Of: hostile}}, nil
}

func (e evil) Observe(_ context.Context, r *schema.Resource, _ planner.Need) (any, error) {
	e.env.Log.Info(hostile, hostile, hostile, "bytes", []byte(hostile), "error", errors.New(hostile))
	if _, diags := declare.Decode[carelessServer](r); diags.HasErrors() {
		return nil, diags
	}
	if strings.HasSuffix(r.Range.Filename, "fails.sync.hcl") {
		return nil, errors.New(hostile)
	}
	return &struct{ Text string }{hostile}, nil
}

func (evil) Plan(planner.Change) (planner.Outline, hcl.Diagnostics) {
	act := planner.Act("act", planner.MarkChange, planner.CheckFirst, hostile)
	act.Because, act.Undo, act.Args = hostile, hostile, map[string]string{hostile: hostile}
	act.Effect = &planner.Effect{Change: 1}
	act.Facts = []planner.Fact{{Name: hostile, Value: hostile}}
	person := planner.Act("person", planner.MarkPerson, planner.CheckFirst, hostile)
	person.Manual = &planner.Manual{Where: hostile, Do: []string{hostile}, Values: []planner.Value{{Name: hostile,
		Value: hostile}}, Commands: []string{hostile}}
	person.Needs = []string{planner.StepID("server.careless.a", "act")}
	return planner.Outline{Action: planner.Update, Steps: []planner.Step{act, person}, Findings: []planner.Finding{
		{Rule: "evil/" + hostile, Severity: planner.Warn, Summary: hostile, Detail: hostile, Op: hostile},
	}}, hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: hostile, Detail: hostile}}
}

func (evil) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return map[string]string{hostile: hostile}, nil
}

func (e evil) Execute(_ context.Context, t *executor.Task) (executor.Result, error) {
	e.env.Log.Warn(hostile, "step", t.Step)
	t.Report(executor.Progress{Done: 1, Total: 2, Unit: hostile})
	if e.fail {
		return executor.Result{}, errors.New(hostile)
	}
	return executor.Result{Note: hostile, Outputs: map[string]string{hostile: hostile}}, nil
}

func (evil) Verify(_ context.Context, t *executor.Task) (executor.Verdict, error) {
	if t.Executed {
		return executor.Done.Because("%s", hostile), nil
	}
	return executor.NotDone.Because("%s", hostile), nil
}

func (evil) Examine(context.Context, *schema.Resource, []*schema.Resource) []driver.Examination {
	return []driver.Examination{{What: hostile, State: driver.Fail, Seen: hostile, Advice: hostile}}
}

// TestHostileText: whatever servers, files, folders, the journal, the environment and arguments say, only printable
// text comes out, in JSON with the value kept; saved JSON is printable too.
func TestHostileText(t *testing.T) {
	for _, fail := range []bool{false, true} {
		for _, log := range []string{"", "trace", "json"} {
			w := newHostileWorld(t, fail, log)
			for _, args := range w.commands() {
				if args[0] == "RENAME" {
					w.rename()
					continue
				}
				w.run(args)
			}
			w.checkFiles()
		}
	}
}

type hostileWorld struct {
	*testing.T

	dir, log string
	fail     bool
}

func newHostileWorld(t *testing.T, fail bool, log string) *hostileWorld {
	t.Helper()
	w := &hostileWorld{t, filepath.Join(t.TempDir(), inName), log, fail}
	src := "server \"careless\" \"a\" {\n  url = \"https://a.example\"\n  user = \"u\"\n  password = \"canary-4711\"\n}\n"
	for name, text := range map[string]string{
		"main.sync.hcl":               src,
		"bad/" + inName + ".sync.hcl": "# " + hostile + "\nserver \"careless\" \"" + hostile + "\" {\n" + hostile + " = \"x\"\n}\n",
		"text/a.sync.hcl":             "locals {\n  a=\"" + inJSON + "\"\n}\noutput \"" + inJSON + "\" {\n}\n",
		"fails/fails.sync.hcl":        strings.Replace(src, "a.example", "a.example/fails", 1),
		"odd/" + inName + ".sync.hcl": "locals {\n  a=1\n}\n",
		inName:                        inJSON,
		inName + ".syncplan.json":     "",
		"-out=x.syncplan.json":        "",
	} {
		name = filepath.Join(w.dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// commands are the commands with arguments, the later ones on what the earlier ones left.
func (w *hostileWorld) commands() [][]string {
	both := [][]string{
		{"validate"}, {"validate", "bad"}, {"validate", "text"}, {"validate", inName}, {"plan"}, {"plan", "fails"},
		{"plan", "-detail"}, {"plan", "-var", hostile + "=" + hostile}, {"plan", "-target", hostile}, {"doctor"},
		{"plan", "-out", "p" + inName}, {"show", "p" + inName}, {"show", "-detail", "p" + inName}, {"show", hostile},
		{"show", inName}, {"apply", inName}, {"apply", "-auto-approve"}, {"status"}, {"show"}, {"show", "latest"},
		{"apply", "-auto-approve"}, {"status"}, {"-chdir", inName, "status"},
	}
	var all [][]string
	for _, args := range both {
		all = append(all, args, append(slices.Clone(args), "-json"))
	}
	return append(all, [][]string{
		{"RENAME"}, {"status"}, {"status", "-json"}, {"show", otherRun}, {"show", otherRun, "-json"}, {"show"},
		{hostile}, {"plan", "-" + hostile}, {"plan", hostile, hostile}, {"fmt", "-check", "odd"}, {"fmt", "-diff", "bad"},
		{"fmt", "-diff", "text"}, {"fmt", "bad"}, {"resolve"}, {"resolve", hostile}, {"resolve", "act", "-done"},
		{"resolve", "-abandon"}, {"resolve", "-abandon"}, {"resolve", "-abandon"}, {"status"}, {"rehearse", inName}, {"sandbox", inName},
		{"version"}, {"help"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"},
		{"completion", "powershell"}, {"__complete", "show", ""}, {"__complete", "apply", ""},
	}...)
}

// colors: without them, nothing that we draw with may pass.
func (w *hostileWorld) colors() string {
	if w.fail {
		return "0"
	}
	return "1"
}

func (w *hostileWorld) run(args []string) {
	w.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{
		stdin: strings.NewReader(hostile), input: prompt.NewLines(strings.NewReader(hostile + "\nyes\n")),
		stdout: &stdout, stderr: &stderr, fs: afero.NewOsFs(), cwd: w.dir,
		clock: systemClock{}, random: rand.Reader, interrupts: &interrupt.Interrupts{},
		env: func(name string) (string, bool) {
			s, ok := map[string]string{
				"SYNCCTL_LOG": w.log, "SYNCCTL_VAR_x": hostile, "FORCE_COLOR": w.colors(), "USER": hostile, "COLUMNS": "80",
				"SYNCCTL_CONFIG_DIR": filepath.Join(w.dir, "user"),
			}[name]
			return s, ok && s != ""
		},
		products: []Product{{Name: "careless", Driver: func(env driver.Env) driver.Driver { return evil{env, w.fail} }}},
	}
	a.run(w.Context(), args)
	for name, out := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String()} {
		bare := out
		if w.colors() == "1" {
			bare = withoutLooks.Replace(out)
		}
		if !printable.Safe(bare) {
			w.Errorf("%+q: %s is not printable: %+q", args, name, bare)
		}
		if strings.Contains(out, "3\nh") {
			w.Errorf("%+q: %s has a name on two lines: %+q", args, name, out)
		}
		if args[0] == "__complete" && strings.Contains(out, "a saved plan") {
			w.Errorf("%+q: the name of a planted file is offered: %+q", args, out)
		}
	}
	if slices.Contains(args, "-json") {
		w.checkJSON(args, stdout.Bytes())
	}
}

// rename gives the last run a name that another program has chosen.
func (w *hostileWorld) rename() {
	w.Helper()
	dir := filepath.Join(w.dir, ".syncctl", "runs")
	runs, err := os.ReadDir(dir)
	if err != nil || len(runs) == 0 {
		w.Fatalf("there is no run: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, runs[len(runs)-1].Name()), filepath.Join(dir, otherRun)); err != nil {
		w.Fatal(err)
	}
}

var otherRun = "3\n" + inName

// withoutLooks takes the sequences away that we draw with.
var withoutLooks = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[2m", "", "\x1b[4m", "", "\x1b[31m", "",
	"\x1b[32m", "", "\x1b[33m", "", "\x1b[36m", "", "\x1b[1;31m", "", "\x1b[1;33m", "")

// checkJSON: it is JSON, and nothing in it had to be escaped twice.
func (w *hostileWorld) checkJSON(args []string, out []byte) {
	w.Helper()
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			w.Errorf("%+q: %v in %+q", args, err, out)
			return
		}
	}
}

// checkFiles: saved JSON is printable, and still has what servers said.
func (w *hostileWorld) checkFiles() {
	w.Helper()
	seen := 0
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, ".syncctl") && filepath.Base(path) != "p"+inName {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !printable.Safe(string(text)) {
			w.Errorf("%+q is not printable", path)
		}
		if strings.Contains(string(text), `\u202e`) && !strings.Contains(string(text), `\\u202e`) {
			seen++
		}
		return nil
	})
	if err != nil || seen < 3 {
		w.Errorf("%d saved files have what servers said: %v", seen, err)
	}
}

// TestNamesForShells: a file's name runs nothing where a shell completes it, and fish quotes what it evaluates.
func TestNamesForShells(t *testing.T) {
	for name, want := range map[string]bool{
		"a b.syncplan.json": true, "ü.syncplan.json": true, "$(touch x).syncplan.json": false, "(touch x)": false, "`x`": false,
		"a;b": false, "a|b": false, "a&b": false, "a>b": false, "a'b": false, "a\"b": false, "a\\b": false, "-x": false,
	} {
		bare := &command{app: &app{env: func(string) (string, bool) { return "", false }}}
		if bare.offered(name) != want {
			t.Errorf("%q: offered: %v", name, !want)
		}
		quoting := &command{app: &app{env: func(name string) (string, bool) { return "1", name == quotesVariable }}}
		if quoting.offered(name) != (name != "-x") {
			t.Errorf("%q: offered to a shell that quotes it: %v", name, name == "-x")
		}
	}
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, fs: afero.NewMemMapFs(), clock: systemClock{}, random: rand.Reader,
		interrupts: &interrupt.Interrupts{}, env: func(string) (string, bool) { return "", false }}
	a.run(t.Context(), []string{"completion", "fish"})
	tokens := 0
	for line := range strings.Lines(stdout.String()) {
		if strings.Contains(line, "commandline") && !strings.Contains(line, "string unescape") {
			if tokens++; !strings.Contains(line, "string escape") {
				t.Errorf("words are not quoted: %s", line)
			}
		}
	}
	if tokens == 0 || stderr.Len() > 0 {
		t.Errorf("no script: %s%s", stdout.String(), stderr.String())
	}
	// PowerShell's script evaluates the command line, so that it must not say that it quotes all that it inserts. What it
	// does insert has a backtick before each character that would mean something.
	stdout.Reset()
	a.run(t.Context(), []string{"completion", "powershell"})
	if script := stdout.String(); strings.Contains(script, quotesVariable) ||
		!strings.Contains(script, "-replace '\\s|#|@|\\$|;|,|''|\\{|\\}|\\(|\\)|\"|`|\\||<|>|&','`$&'") {
		t.Errorf("PowerShell's script is another: %s", script)
	}
}
