package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// password is the password of the declared servers; the simulated ones accept it.
const password = "SYNCCTL_VAR_password=geheim"

var races = []*race{
	{name: "start", unit: "times", sizes: []int{1}, aim: "under 20 ms", prepare: starting},
	{name: "validate blocks", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08, 40 KB each",
		prepare: reading(blocks, "validate")},
	{name: "validate for_each", unit: "declarations", sizes: []int{1000, 10000}, aim: "no more than blocks",
		prepare: reading(forEach, "validate")},
	{name: "validate files", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08",
		prepare: reading(files, "validate")},
	{name: "validate servers", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08",
		prepare: reading(servers, "validate")},
	{name: "fmt", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08",
		prepare: reading(blocks, "fmt", "-check")},
	{name: "complete blocks", unit: "declarations", sizes: []int{1000, 10000}, aim: "under 50 ms",
		prepare: completing(blocks)},
	{name: "complete files", unit: "declarations", sizes: []int{1000, 10000}, aim: "under 50 ms",
		prepare: completing(files)},
	{name: "complete for_each", unit: "declarations", sizes: []int{1000, 10000}, aim: "under 50 ms",
		prepare: completing(forEach)},
	{name: "plan new", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08, terraform / 15",
		prepare: planning(blocks, false, "plan")},
	{name: "plan new for_each", unit: "declarations", sizes: []int{1000, 10000}, aim: "no more than blocks",
		prepare: planning(forEach, false, "plan")},
	{name: "plan unchanged", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08, terraform / 15",
		prepare: planning(blocks, true, "plan")},
	{name: "plan unchanged for_each", unit: "declarations", sizes: []int{1000, 10000}, aim: "no more than blocks",
		prepare: planning(forEach, true, "plan")},
	{name: "plan, answers in 20 ms", unit: "declarations", sizes: []int{200}, aim: "20 pairs of servers as long as one",
		prepare: asking(20 * time.Millisecond)},
	{name: "show new", unit: "declarations", sizes: []int{1000, 10000}, most: 15000, aim: "exponent 1.08",
		prepare: planning(blocks, false, "show")},
	{name: "show unchanged", unit: "declarations", sizes: []int{1000, 10000}, aim: "exponent 1.08",
		prepare: planning(blocks, true, "show")},
	{name: "merge", unit: "pairs", sizes: []int{100000, 1000000}, aim: "cat x 2.5 by wall, jq / 60 by cpu",
		prepare: merging},
	{name: "apply", unit: "steps", sizes: []int{1000, 10000}, aim: "the bare loop x 3 by cpu",
		prepare: applying(0, "apart")},
	{name: "apply, answers in 20 ms", unit: "steps", sizes: []int{1000, 3000}, aim: "the bare loop x 1.03 by wall",
		prepare: applying(20*time.Millisecond, "apart")},
	{name: "apply, a chain", unit: "steps", sizes: []int{100, 1000}, aim: "2 ms a step", prepare: applying(0, "chain")},
	{name: "beside short runs", unit: "finished runs", sizes: []int{100, 1000}, aim: "under 0.3 s",
		prepare: beside(shortRuns, "status", "show", "plan")},
	{name: "beside a long run", unit: "entries", sizes: []int{10000, 100000}, aim: "under 0.3 s",
		prepare: beside(longRun(true), "status", "show", "plan")},
	{name: "in a long run", unit: "entries", sizes: []int{10000, 100000}, aim: "under 0.3 s",
		prepare: beside(longRun(false), "status", "show")},
}

func starting(_ context.Context, t *tools, dir string, _ int) ([]entrant, error) {
	all := []entrant{{name: "syncctl", argv: []string{t.syncctl, "version"}, dir: dir}}
	return append(all, t.optional(entrant{name: "terraform", argv: []string{"terraform", "version"}, dir: dir},
		entrant{name: "tofu", argv: []string{"tofu", "version"}, dir: dir})...), nil
}

// reading is a race of commands that only read files.
func reading(s shape, words ...string) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error) {
		ours, theirs, err := folders(dir, n, s)
		if err != nil {
			return nil, err
		}
		all := []entrant{{name: "syncctl", argv: append([]string{t.syncctl}, words...), dir: ours, env: []string{password}}}
		if s != blocks {
			return all, nil
		}
		for _, name := range []string{"terraform", "tofu"} {
			in, err := t.prepared(ctx, name, theirs, append([]string{name}, words...))
			if err != nil {
				return nil, err
			}
			all = append(all, in...)
		}
		return all, nil
	}
}

// folders makes a configuration of ours, and one of the same size for the other programs.
func folders(dir string, n int, s shape) (ours, theirs string, err error) {
	ours, theirs = filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	for _, d := range []string{ours, theirs} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return "", "", err
		}
	}
	if err := declare(ours, n, s); err != nil {
		return "", "", err
	}
	return ours, theirs, terraform(theirs, n)
}

// prepared returns an entrant that works in an initialized folder, or none if the program is not installed.
func (t *tools) prepared(ctx context.Context, name, dir string, argv []string) ([]entrant, error) {
	in := t.optional(entrant{name: name, argv: argv, dir: dir})
	if len(in) == 0 {
		return nil, nil
	}
	return in, command(ctx, dir, t.others[name], "init", "-backend=false", "-input=false")
}

// command runs a command that is not measured.
func command(ctx context.Context, dir string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	var last tail
	cmd.Stdout, cmd.Stderr = &last, &last
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%q: %w\n%s", argv, err, last.kept)
	}
	return nil
}

// completing is a race of offering all addresses.
func completing(s shape) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(_ context.Context, t *tools, dir string, n int) ([]entrant, error) {
		return []entrant{{name: "syncctl", argv: []string{t.syncctl, "__complete", "plan", "-target="}, dir: dir,
			env: []string{password}}}, declare(dir, n, s)
	}
}

// planning is a race of making plans from observations on disk, or of showing such a plan. The other programs also
// plan without a network, and separate blocks only; the library parses and evaluates these and does nothing else.
func planning(s shape, made bool, what string) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error) {
		ours, theirs, err := folders(dir, n, s)
		if err != nil {
			return nil, err
		}
		seen, saved := filepath.Join(dir, "observations.json"), filepath.Join(dir, "saved.syncplan.json")
		env, err := t.observeOne(ctx, dir, seen, n, s, made)
		if err != nil {
			return nil, err
		}
		from := []string{t.syncctl, "plan", "-detailed-exitcode", "-refresh=false", "-observations=" + seen}
		right := changes
		if made {
			right = 0
		}
		if what == "show" {
			saving := entrant{name: "saving the plan", argv: append(from, "-out="+saved), dir: ours, env: env, code: right}
			if _, err := saving.measure(ctx); err != nil {
				return nil, err
			}
			return []entrant{{name: "syncctl", argv: []string{t.syncctl, "show", saved}, dir: ours, env: env}}, nil
		}
		all := []entrant{{name: "syncctl", argv: from, dir: ours, env: env, code: right}}
		if s != blocks {
			return all, nil
		}
		all = append(all, entrant{name: "the library", argv: []string{t.self, "library", ours}})
		for _, name := range []string{"terraform", "tofu"} {
			in, err := t.prepared(ctx, name, theirs, []string{name, "plan", "-detailed-exitcode", "-input=false", "-lock=false"})
			if err != nil {
				return nil, err
			}
			if made && len(in) > 0 {
				if err := applied(ctx, theirs, t.others[name], n); err != nil {
					return nil, err
				}
			}
			for _, e := range in {
				e.code = right
				all = append(all, e)
			}
		}
		return all, nil
	}
}

// changes is the exit code of a plan with changes, the same for all programs.
const changes = 2

// observe saves what the simulated servers show, and returns the environment in which a plan of it can be made.
func (t *tools) observe(ctx context.Context, dir, seen string) ([]string, error) {
	urls := seen + ".urls"
	script := `"$0" plan -save-observations="$1" && printf 'A0_URL=%s\nB0_URL=%s\n' "$A0_URL" "$B0_URL" >"$2"`
	err := command(ctx, dir, t.syncctl, "sandbox", ".", "--", "sh", "-c", script, t.syncctl, seen, urls)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(urls)
	return append(strings.Fields(string(text)), password), err
}

// observeOne saves what simulated servers would show of n synchronizations. They have one, and what they show of it is
// copied: each request takes them a time that grows with what they have.
func (t *tools) observeOne(ctx context.Context, dir, seen string, n int, s shape, made bool) ([]string, error) {
	one := filepath.Join(dir, "one")
	if err := os.MkdirAll(one, 0o700); err != nil {
		return nil, err
	}
	if err := declare(one, 1, s); err != nil {
		return nil, err
	}
	if err := seed(one, 1, s, made); err != nil {
		return nil, err
	}
	env, err := t.observe(ctx, one, seen)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(seen)
	if err != nil {
		return nil, err
	}
	return env, write(seen, func(w *bufio.Writer) {
		for i := range n {
			other := strings.NewReplacer("P0", fmt.Sprint("P", i), `"INT-1"`, fmt.Sprintf(`"INT-%d"`, i+1),
				`"CON-1-`, fmt.Sprintf(`"CON-%d-`, 2*i+1), `"CON-2-`, fmt.Sprintf(`"CON-%d-`, 2*i+2))
			_, _ = other.WriteString(w, string(text)) // write reports it
		}
	})
}

func merging(_ context.Context, t *tools, dir string, n int) ([]entrant, error) {
	master, slave := filepath.Join(dir, "master.json"), filepath.Join(dir, "slave.json")
	out := filepath.Join(dir, "out.json")
	all := []entrant{{name: "syncctl", argv: []string{t.syncctl, "backbone", "merge", "-migrating=slave",
		"-master=" + master, "-slave=" + slave, "-out=" + out}, dir: dir,
		// The others' old output is gone before they begin, too: what it takes to free it is not the merge's.
		again: func() error { return os.RemoveAll(out) }}}
	all = append(all, t.optional(entrant{name: "cat", argv: []string{"cat", master, slave}, dir: dir, out: out})...)
	if n <= 100000 { // jq holds everything in memory
		all = append(all, t.optional(entrant{name: "jq", argv: []string{"jq", "-s", jqMerge, master, slave}, dir: dir,
			out: out})...)
	}
	return all, exports(dir, n)
}

// jqMerge checks that each pair has its counterpart, and joins the files.
const jqMerge = `(reduce .[1].firstConnector[] as $e ({}; .[$e.localIssueKey] = $e.remoteIssueKey)) as $slave
| if all(.[0].firstConnector[]; $slave[.remoteIssueKey] == .localIssueKey)
  then {firstConnector: .[0].firstConnector, secondConnector: .[1].firstConnector}
  else error("a pair has no mirror") end`

// applying is a race between the engine and a plain loop of the same requests.
func applying(pause time.Duration, shape string) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error) {
		s := answering(pause)
		context.AfterFunc(ctx, s.Close)
		count := fmt.Sprint(n)
		all := []entrant{
			{name: "the engine", argv: []string{t.self, "carry", s.URL, count, shape, dir}},
			{name: "bare loop", argv: []string{t.self, "loop", s.URL, count}},
		}
		if pause > 0 || shape != "apart" {
			return all, nil
		}
		theirs := filepath.Join(dir, "theirs")
		if err := os.MkdirAll(theirs, 0o700); err != nil {
			return nil, err
		}
		if n > 1000 {
			return all, nil // theirs grow with the square: an hour
		}
		if err := terraform(theirs, n); err != nil {
			return nil, err
		}
		for _, name := range []string{"terraform", "tofu"} {
			in, err := t.prepared(ctx, name, theirs, []string{name, "apply", "-auto-approve", "-input=false"})
			if err != nil {
				return nil, err
			}
			for i := range in {
				in[i].again = func() error { return os.RemoveAll(filepath.Join(theirs, "terraform.tfstate")) }
			}
			all = append(all, in...)
		}
		return all, nil
	}
}
