package cli_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/ci"
	"github.com/zclconf/go-cty-yaml"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type object = map[string]any

// yamlOf reads YAML as JSON would be read.
func yamlOf(text []byte) (any, error) {
	t, err := yaml.ImpliedType(text)
	if err != nil {
		return nil, err
	}
	v, err := yaml.Unmarshal(text, t)
	if err != nil {
		return nil, err
	}
	doc, err := ctyjson.Marshal(v, t)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(doc, &out)
}

// at is a value in a document, by names; nil: there is none.
func at(doc any, names ...string) any {
	for _, name := range names {
		m, _ := doc.(object)
		doc = m[name]
	}
	return doc
}

func words(v any) string { s, _ := v.(string); return s }

// cmdJob is the command job of scripts:
//
//	job CODE FOLDER FILE JOB   runs a job of a CI system as far as it goes without the system, in FOLDER
//
// CODE is its exit code; "skipped": its conditions do not hold. What it prints is the standard output.
func cmdJob(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: job CODE FOLDER FILE JOB")
	}
	doc, err := yamlOf([]byte(ts.ReadFile(args[2])))
	ts.Check(err)
	vars := object{}
	if file := ts.Getenv("POLICY"); file != "" {
		vars["SYNCCTL_POLICY"] = ts.ReadFile(file)
	}
	j := &jobRun{ts: ts, dir: ts.MkAbs(args[1]), doc: doc, vars: object{"vars": vars}}
	var got string
	switch name := args[3]; {
	case at(doc, "workflows") != nil:
		got = j.atlantis(name)
	case at(doc, "jobs") != nil:
		got = j.gitHub(name)
	default:
		got = j.gitLab(name)
	}
	if got != args[0] {
		ts.Fatalf("the job %s ends with %s", args[3], got)
	}
}

type jobRun struct {
	ts   *testscript.TestScript
	dir  string
	doc  any
	vars object // what expressions can name

	printed string // by the last script
}

// sh runs a script with more variables, and returns its exit code.
func (j *jobRun) sh(script string, env map[string]string) string {
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = j.dir
	for _, name := range []string{"PATH", "HOME", "WORK", "SYNCCTL_CONFIG_DIR"} {
		cmd.Env = append(cmd.Env, name+"="+j.ts.Getenv(name))
	}
	for _, name := range strings.Fields(j.ts.Getenv("KNOWN")) {
		cmd.Env = append(cmd.Env, name+"="+j.ts.Getenv(name))
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	j.printed = out.String()
	_, _ = j.ts.Stdout().Write(out.Bytes())
	j.ts.Logf("%s", out.Bytes())
	if err != nil && cmd.ProcessState == nil {
		j.ts.Check(err)
	}
	return strconv.Itoa(cmd.ProcessState.ExitCode())
}

var expression = regexp.MustCompile(`\$\{\{ *([^}]*?) *\}\}`)

// fill evaluates the expressions in a text.
func (j *jobRun) fill(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		return j.operand(expression.FindStringSubmatch(e)[1])
	})
}

func (j *jobRun) operand(s string) string {
	if strings.HasPrefix(s, "'") || strings.HasPrefix(s, `"`) {
		return strings.Trim(s, `'"`)
	}
	if name, is := strings.CutPrefix(s, "$"); is {
		return j.ts.Getenv(name)
	}
	return words(at(j.vars, strings.Split(s, ".")...))
}

// holds evaluates a condition of comparisons that all have to hold.
func (j *jobRun) holds(condition string) bool {
	for part := range strings.SplitSeq(condition, " && ") {
		if part == "" || part == "always()" {
			continue
		}
		if a, b, is := strings.Cut(part, " == "); is {
			if j.operand(a) != j.operand(b) {
				return false
			}
			continue
		}
		a, b, is := strings.Cut(part, " != ")
		if !is {
			j.ts.Fatalf("%q cannot be compared", part)
		}
		if j.operand(a) == j.operand(b) {
			return false
		}
	}
	return true
}

// gitHub runs a job of a workflow, and the steps of its own composite action.
func (j *jobRun) gitHub(name string) string {
	event := object{}
	j.ts.Check(json.Unmarshal([]byte(j.ts.ReadFile(j.ts.Getenv("GITHUB_EVENT_PATH"))), &event))
	j.vars["github"] = object{"token": gitHubToken, "repository": gitHubName,
		"event_name": j.ts.Getenv("GITHUB_EVENT_NAME"), "event": event}
	job := at(j.doc, "jobs", name)
	if !j.holds(words(at(job, "if"))) {
		return "skipped"
	}
	code := "0"
	for _, step := range at(job, "steps").([]any) {
		if uses := words(at(step, "uses")); strings.HasPrefix(uses, "./") {
			code = j.action(filepath.Join(j.ts.Getenv("WORK"), uses), at(step, "with"), at(job, "env"))
		}
	}
	return code
}

var runnerCommand = regexp.MustCompile(`^\s*::([^ :]+)( [^:]*)?::(.*)|##\[([^] ]+)[^]]*\]`)

// obeyed is the first command of GitHub's runner in what a script has printed that the runner would obey; "": none.
func obeyed(printed string) string {
	stopped := ""
	for line := range strings.Lines(printed) {
		c := runnerCommand.FindStringSubmatch(strings.TrimSpace(line))
		switch {
		case c == nil || stopped != "" && c[1] != stopped:
		case stopped != "":
			stopped = ""
		case c[1] == "stop-commands":
			stopped = c[3]
		default:
			return line
		}
	}
	if stopped != "" {
		return "stop-commands: for good"
	}
	return ""
}

func (j *jobRun) action(dir string, with, env any) string {
	text, err := os.ReadFile(filepath.Join(dir, "action.yml"))
	j.ts.Check(err)
	doc, err := yamlOf(text)
	j.ts.Check(err)
	inputs := object{}
	for name, input := range at(doc, "inputs").(object) {
		inputs[name] = at(input, "default")
		if given := at(with, name); given != nil {
			inputs[name] = j.fill(words(given))
		}
	}
	file := func(name string) string { return filepath.Join(j.ts.Getenv("WORK"), name) }
	j.vars["inputs"], j.vars["runner"] = inputs, object{"temp": file(".runner")}
	code := "0"
	for _, step := range at(doc, "runs", "steps").([]any) {
		if !j.holds(words(at(step, "if"))) {
			continue
		}
		if uses := words(at(step, "uses")); uses != "" {
			j.ts.Check(gitHubOf(j.ts).upload(j.fill(words(at(step, "with", "name"))), j.fill(words(at(step, "with", "path")))))
			continue
		}
		all := map[string]string{"GITHUB_ACTION_PATH": dir, "RUNNER_TEMP": file(".runner"), "GITHUB_OUTPUT": file(".output"),
			"GITHUB_STEP_SUMMARY": file("summary"), "CI": "true", "GITHUB_ACTIONS": "true"}
		for _, name := range []string{"GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_EVENT_NAME",
			"GITHUB_SHA", "GITHUB_HEAD_REF"} {
			all[name] = j.ts.Getenv(name)
		}
		for _, more := range []any{env, at(step, "env")} {
			if more != nil {
				for name, value := range more.(object) {
					all[name] = j.fill(words(value))
				}
			}
		}
		all["SYNCCTL_DATA_DIR"], all["SYNCCTL_CONFIG_DIR"] = file(".runs"), j.ts.Getenv("SYNCCTL_CONFIG_DIR")
		j.ts.Check(os.WriteFile(all["GITHUB_OUTPUT"], nil, 0o600))
		j.ts.Check(os.MkdirAll(all["RUNNER_TEMP"], 0o700))
		code = j.sh(words(at(step, "run")), all)
		if c := obeyed(j.printed); c != "" {
			j.ts.Fatalf("the runner obeys %q", c)
		}
		outputs := object{}
		text, err := os.ReadFile(all["GITHUB_OUTPUT"])
		j.ts.Check(err)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			outputs[name] = value
		}
		j.vars["steps"] = object{words(at(step, "id")): object{"outputs": outputs}}
	}
	return code
}

// gitLab runs a job of GitLab: what comes before, and the script, in one shell.
func (j *jobRun) gitLab(name string) string {
	job := at(j.doc, name).(object)
	held := false
	for _, rule := range job["rules"].([]any) {
		held = held || j.holds(words(at(rule, "if")))
	}
	if !held {
		return "skipped"
	}
	base, _ := at(j.doc, words(job["extends"])).(object)
	env := map[string]string{"CI": "true"}
	variables, _ := base["variables"].(object)
	for n, v := range variables {
		env[n] = words(v)
	}
	env["SYNCCTL_DATA_DIR"] = filepath.Join(j.ts.Getenv("WORK"), ".runs")
	env["SYNCCTL_CONFIG_DIR"] = j.ts.Getenv("SYNCCTL_CONFIG_DIR")
	for _, n := range []string{"SYNCCTL_CI_POLICY", "SYNCCTL_EXPECT"} {
		env[n] = j.ts.Getenv(n)
	}
	lines := func(v any) (out []string) {
		list, _ := v.([]any)
		for _, line := range list {
			out = append(out, words(line))
		}
		return out
	}
	before := job["before_script"]
	if before == nil {
		before = base["before_script"]
	}
	code := j.sh(strings.Join(append(lines(before), lines(job["script"])...), "\n"), env)
	if after := lines(job["after_script"]); len(after) > 0 {
		_ = j.sh(strings.Join(after, "\n"), env)
	}
	return code
}

// atlantis runs a stage of the workflow: each command in a shell of its own, until one fails.
func (j *jobRun) atlantis(stage string) string {
	env := map[string]string{"PLANFILE": filepath.Join(j.dir, "syncctl-default.tfplan"), "BASE_BRANCH_NAME": "main",
		"HEAD_BRANCH_NAME": "x$(touch pwned)", "PULL_AUTHOR": "mallory"}
	for _, step := range at(j.doc, "workflows", "syncctl", stage, "steps").([]any) {
		if name := words(at(step, "env", "name")); name != "" {
			env[name] = words(at(step, "env", "value"))
		}
		env["SYNCCTL_DATA_DIR"] = filepath.Join(j.ts.Getenv("WORK"), ".runs")
		if run := words(at(step, "run")); run != "" {
			if code := j.sh(run, env); code != "0" {
				return code
			}
		}
	}
	return "0"
}

// cmdHook is the command hook of scripts: hook CODE FOLDER FILE ID NAME... runs a hook of pre-commit on those of the
// files that it is for, as pre-commit does.
func cmdHook(ts *testscript.TestScript, _ bool, args []string) {
	doc, err := yamlOf([]byte(ts.ReadFile(args[2])))
	ts.Check(err)
	if repos := at(doc, "repos"); repos != nil {
		doc = at(repos.([]any)[0], "hooks")
	}
	for _, hook := range doc.([]any) {
		if at(hook, "id") != args[3] {
			continue
		}
		command, err := shellquote.Split(words(at(hook, "entry")))
		ts.Check(err)
		of := regexp.MustCompile(words(at(hook, "files")))
		if pass, given := at(hook, "pass_filenames").(bool); !given || pass {
			for _, name := range args[4:] {
				if of.MatchString(name) {
					command = append(command, name)
				}
			}
		}
		j := &jobRun{ts: ts, dir: ts.MkAbs(args[1])}
		if got := j.sh(shellquote.Join(command...), nil); got != args[0] {
			ts.Fatalf("the hook ends with %s", got)
		}
		return
	}
	ts.Fatalf("there is no hook %s", args[3])
}

// cmdExpect is the command expect of scripts: the hash in a file is what SYNCCTL_EXPECT is from then on.
func cmdExpect(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("SYNCCTL_EXPECT", strings.TrimSpace(ts.ReadFile(args[0])))
}

// TestCIFiles: what is shipped for CI systems is YAML, uses nothing but GitHub's own actions and ours, lets no
// expression into a script, and gives jobs no more rights than they need.
func TestCIFiles(t *testing.T) {
	seen := 0
	for _, system := range ci.Systems() {
		folder, next := ci.Files(system)
		if next == "" {
			t.Errorf("%s: nothing is said after its files are written", system)
		}
		err := fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.Contains(name, ".y") {
				return err
			}
			seen++
			text, err := fs.ReadFile(folder, name)
			if err != nil {
				return err
			}
			doc, err := yamlOf(text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			// What has not been reviewed shares neither a runner nor data with what applies.
			if plan, apply := at(doc, "jobs", "plan"), at(doc, "jobs", "apply"); plan != nil && apply != nil &&
				(reflect.DeepEqual(at(plan, "runs-on"), at(apply, "runs-on")) ||
					at(plan, "env", "SYNCCTL_DATA_DIR") == at(apply, "env", "SYNCCTL_DATA_DIR") ||
					at(plan, "concurrency", "cancel-in-progress") != true || at(apply, "concurrency", "cancel-in-progress") != false) {
				t.Errorf("%s: plan and apply share a runner, data, or an end", name)
			}
			visit(doc, func(key string, v any) {
				uses := regexp.MustCompile(`^(actions/(checkout|upload-artifact)@v\d+|\./\.github/actions/syncctl)$`)
				switch {
				case slices.Contains([]string{"run", "script", "before_script"}, key) && strings.Contains(words(v), "${{"),
					key == "uses" && !uses.MatchString(words(v)),
					key == "pull_request_target", key == "permissions" && v == "write-all", key == "contents" && v != "read":
					t.Errorf("%s: %s: %v", name, key, v)
				}
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen < 6 {
		t.Errorf("%d files", seen)
	}
	if folder, _ := ci.Files("nosuch"); folder != nil {
		t.Error("files of no system")
	}
}

// visit calls f for every member of a document, also of those in lists.
func visit(doc any, f func(key string, v any)) {
	switch doc := doc.(type) {
	case object:
		for key, v := range doc {
			f(key, v)
			if list, is := v.([]any); is {
				for _, e := range list {
					f(key, e)
				}
			}
			visit(v, f)
		}
	case []any:
		for _, e := range doc {
			visit(e, f)
		}
	}
}
