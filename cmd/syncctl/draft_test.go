package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
)

// answers returns all combinations of answers to the questions of a draft. A question without choices has one answer.
func answers(d driver.Draft) []map[string]string {
	all := []map[string]string{{"product": d.Name}}
	for _, q := range d.Questions {
		var next []map[string]string
		for _, a := range all {
			leads := !slices.ContainsFunc(q.When, func(when string) bool {
				name, values, _ := strings.Cut(when, "=")
				return !slices.Contains(strings.Split(values, "|"), a[name])
			})
			values := []string{`It's "${1}" %{ if }`}
			switch {
			case q.Check != nil:
				values = []string{"https://server" + strconv.Itoa(len(a)) + ".example"}
			case strings.HasSuffix(q.Name, "project"):
				values = []string{"P" + strconv.Itoa(len(a))}
			case strings.HasSuffix(q.Name, "category"):
				values = []string{"A/B" + strconv.Itoa(len(a))}
			}
			for _, choice := range q.Choices {
				values = append(values, choice.Value)
			}
			if len(q.Choices) > 0 {
				values = values[1:]
			}
			if !leads {
				next = append(next, a)
				continue
			}
			for _, value := range values {
				more := maps.Clone(a)
				more[q.Name] = value
				next = append(next, more)
			}
		}
		all = next
	}
	return all
}

// TestDrafts writes the configuration of every combination of answers: it is valid without a warning, formatted, and
// declares something.
func TestDrafts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	syncctl := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), self, args...)
		cmd.Args[0], cmd.Dir = "syncctl", folder
		cmd.Env = append(os.Environ(), "CI=", "SYNCCTL_CONFIG_DIR="+filepath.Join(folder, ".user"))
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "Warning") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	n := 0
	for _, p := range products {
		drafter, ok := p.Driver(driver.Env{}).(driver.Drafter)
		if !ok {
			continue
		}
		for _, d := range drafter.Drafts() {
			for _, a := range answers(d) {
				n++
				dir := strconv.Itoa(n)
				args := []string{"init"}
				for _, name := range slices.Sorted(maps.Keys(a)) {
					args = append(args, "-set", name+"="+a[name])
				}
				syncctl(append(args, dir)...)
				syncctl("validate", dir)
				syncctl("fmt", "-check", dir)
			}
		}
	}
}
