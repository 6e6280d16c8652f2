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

// asking is a race of plans without changes that ask servers, each answered after a pause: between one pair of servers,
// and ten between each two.
func asking(pause time.Duration) func(context.Context, *tools, string, int) ([]entrant, error) {
	return func(ctx context.Context, t *tools, dir string, n int) ([]entrant, error) {
		var all []entrant
		for _, s := range []shape{blocks, servers} {
			own := filepath.Join(dir, fmt.Sprint(s))
			if err := os.MkdirAll(own, 0o700); err != nil {
				return nil, err
			}
			if err := declare(own, n, s); err != nil {
				return nil, err
			}
			if err := seed(own, n, s, true); err != nil {
				return nil, err
			}
			env, err := t.serve(ctx, own, pause)
			if err != nil {
				return nil, err
			}
			all = append(all, entrant{name: fmt.Sprintf("syncctl, pairs: %d", s.pairs(n)), dir: own, env: env,
				argv: []string{t.syncctl, "plan", "-detailed-exitcode"}})
		}
		return all, nil
	}
}

// serve starts the simulated servers of a folder, which end with this process, and returns the environment in which
// they are reached.
func (t *tools) serve(ctx context.Context, dir string, pause time.Duration) ([]string, error) {
	cmd := exec.CommandContext(ctx, t.syncctl, "sandbox", ".", "--fault=kind=late,nth=*,delay="+pause.String(), "--",
		"sh", "-c", "env; echo; cat")
	cmd.Dir = dir
	if _, err := cmd.StdinPipe(); err != nil { // cat reads it until this process ends
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	env := []string{password}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), "=")
		switch {
		case lines.Text() == "":
			return env, nil
		case strings.HasSuffix(name, "_URL"), strings.HasPrefix(name, "SYNCCTL_"):
			env = append(env, lines.Text())
		}
	}
	return nil, fmt.Errorf("the sandbox of %s has not started: %w", dir, cmd.Wait())
}
