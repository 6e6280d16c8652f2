package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// pastRuns is how many runs of how many steps a folder has, and whether they have ended.
type pastRuns struct {
	runs, steps int
	ended       bool
}

// shortRuns are n runs that ended, and longRun is one with n entries.
func shortRuns(n int) pastRuns { return pastRuns{runs: n, steps: 3 * stepsEach, ended: true} }

func longRun(ended bool) func(int) pastRuns {
	return func(n int) pastRuns { return pastRuns{runs: 1, steps: max(1, n/len(events)), ended: ended} }
}

// beside is a race of commands in a folder that has runs.
func beside(
	past func(n int) pastRuns, commands ...string,
) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error) {
		ours, seen, config := filepath.Join(dir, "ours"), filepath.Join(dir, "seen.json"), filepath.Join(dir, "config")
		for _, d := range []string{ours, config} {
			if err := os.MkdirAll(d, 0o700); err != nil {
				return nil, err
			}
		}
		const declarations = 10
		if err := declare(ours, declarations, blocks); err != nil {
			return nil, err
		}
		if err := seed(ours, declarations, blocks, true); err != nil {
			return nil, err
		}
		env, err := t.observe(ctx, ours, seen)
		if err != nil {
			return nil, err
		}
		p, runs, key := past(n), filepath.Join(ours, ".syncctl", "runs"), filepath.Join(config, "key")
		if err := command(ctx, dir, t.self, "runs", runs, key, fmt.Sprint(p.runs), fmt.Sprint(p.steps),
			fmt.Sprint(p.ended)); err != nil {
			return nil, err
		}
		var all []entrant
		for _, word := range commands {
			argv := []string{t.syncctl, word}
			if word == "plan" {
				argv = append(argv, "-refresh=false", "-observations="+seen)
			}
			all = append(all, entrant{name: word, argv: argv, dir: ours, env: append(env, "SYNCCTL_CONFIG_DIR="+config)})
		}
		return all, nil
	}
}

// events is what the journal says of a step that is carried out.
var events = []string{executor.EventStarted, executor.EventExecuted, executor.EventDone}

// makeRuns writes runs to a folder, and the user's key, with which they are authentic. Its arguments are DIR KEY RUNS
// STEPS ENDED. They are made in memory, where nothing waits for a disk; so much memory would count as that of entrants.
func makeRuns(ctx context.Context, args []string) error {
	var p pastRuns
	if _, err := fmt.Sscan(strings.Join(args[2:], " "), &p.runs, &p.steps, &p.ended); err != nil {
		return err
	}
	dir, key := args[0], []byte("a key of thirty-two bytes for it")
	if err := os.WriteFile(args[1], key, 0o600); err != nil {
		return err
	}
	cfg, err := migrations(ctx, filepath.Dir(args[1]), p.steps)
	if err != nil {
		return err
	}
	plan, diags := planner.Make(ctx, planner.Input{Config: cfg,
		Drivers: func(schema.Addr) planner.Driver { return migrating{} }})
	if diags.HasErrors() {
		return diags
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for range p.runs {
		store := &executor.Store{Fs: afero.NewMemMapFs(), Dir: "runs", Key: func() ([]byte, error) { return key, nil },
			Now: func() time.Time { now = now.Add(time.Millisecond); return now }}
		if err := p.run(ctx, store, plan); err != nil {
			return fmt.Errorf("making a run: %w", err)
		}
		if err := copyAll(store.Fs, store.Dir, dir); err != nil {
			return err
		}
	}
	return nil
}

// run makes one run. Unless it has ended, its last step has not begun.
func (p pastRuns) run(ctx context.Context, store *executor.Store, plan *planner.Plan) error {
	r, err := store.Create(plan, nil)
	if err != nil {
		return err
	}
	j, err := store.Journal(r, journal.Options{Now: store.Now})
	if err != nil {
		return err
	}
	add := func(key, event string, data map[string]string) {
		if err == nil {
			_, err = j.Append(ctx, key, event, data)
		}
	}
	add(executor.RunKey, executor.EventOpened, nil)
	begun := plan.Steps
	if !p.ended {
		begun = begun[:len(begun)-1]
	}
	for i := range begun {
		for _, event := range events {
			add(begun[i].ID, event, nil)
		}
	}
	if r.Entries = j.Entries(); p.ended && err == nil {
		var data map[string]string
		data, err = r.EndData(r.Decision(store.Now()))
		add(executor.RunKey, executor.EventFinished, data)
	}
	return err
}

// migrating is a driver that plans the same steps for each declaration.
type migrating struct{}

func (migrating) Needs(*schema.Resource, *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return nil, nil
}

func (migrating) Observe(context.Context, *schema.Resource, planner.Need) (any, error) {
	return nil, nil
}

func (migrating) Plan(planner.Change) (planner.Outline, hcl.Diagnostics) {
	o := planner.Outline{Action: planner.Create}
	for i := range stepsEach {
		o.Steps = append(o.Steps, planner.Step{Op: fmt.Sprint("s", i), Repeat: planner.Idempotent, Mark: planner.MarkChange})
	}
	return o, nil
}

// copyAll copies the files of a folder to disk.
func copyAll(from afero.Fs, dir, to string) error {
	return afero.Walk(from, dir, func(name string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		place := filepath.Join(to, name[len(dir):])
		if info.IsDir() {
			return os.MkdirAll(place, 0o700)
		}
		text, err := afero.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(place, text, 0o600)
	})
}
