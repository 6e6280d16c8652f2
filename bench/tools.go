package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// tools holds the programs that take part.
type tools struct {
	syncctl string
	self    string            // this program
	others  map[string]string // path by name, for installed programs only
	version map[string]string // by name, as printed by each program
	missing []string          // left out
}

// known lists the other programs, with the flag that prints the version.
var known = []struct {
	name, flag string
	slow       bool // would take hours for 100,000 declarations
}{
	{"terraform", "version", true}, {"tofu", "version", true}, {"jq", "--version", false}, {"cat", "--version", false},
}

// find builds syncctl as releases are, but without debug tables, and looks for the others in PATH, for the slow ones
// unless sizes are large.
func find(ctx context.Context, dir string, large bool) (*tools, error) {
	t := &tools{syncctl: filepath.Join(dir, "syncctl"), self: filepath.Join(dir, "self"), others: map[string]string{},
		version: map[string]string{"go": runtime.Version()}}
	for path, pkg := range map[string]string{t.syncctl: "./cmd/syncctl", t.self: "./bench"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s, in the module's folder: %w\n%s", pkg, err, out)
		}
	}
	for _, k := range known {
		path, err := exec.LookPath(k.name)
		if err != nil || large && k.slow {
			t.missing = append(t.missing, k.name)
			continue
		}
		t.others[k.name] = path
		t.version[k.name] = "version unknown" // not every cat has such a flag
		if says, err := exec.CommandContext(ctx, path, k.flag).Output(); err == nil {
			first, _, _ := strings.Cut(string(says), "\n")
			t.version[k.name] = strings.TrimSpace(first)
		}
	}
	return t, nil
}

// optional returns the entrants whose programs are installed.
func (t *tools) optional(all ...entrant) []entrant {
	var in []entrant
	for _, e := range all {
		if path, ok := t.others[e.argv[0]]; ok {
			e.argv[0] = path
			in = append(in, e)
		}
	}
	return in
}
