package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/cli"
)

const findingsTitle = "# Findings, and other ids that syncctl prints\n\n" +
	"Written by `go test ./cmd/syncctl -run FindingsPage -update`. `syncctl explain ID` says the same of each, " +
	"`syncctl explain` lists all,\nand `-json` has them for programs.\n\n" +
	"A finding stands in a plan with its id in brackets. An error stops the plan; warnings and notes are for the " +
	"reader. NAME in\nan id stands for any name.\n"

const anyProduct = "Any product"

// sectionTitles holds the titles of the sections, by kind.
var sectionTitles = map[string]string{
	"finding": "findings of plans", "permission": "checks that `allow` names", "acceptance": "losses that `accept` names",
	"examination": "lines of `doctor`", "exit code": "exit codes",
}

var severityWords = map[string]string{"refuse": "error", "warn": "warning", "note": "note"}

// TestFindingsPage checks that docs/findings.md says the same as explain. It ignores the sections of products that are
// not built in.
func TestFindingsPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "findings.md")
	want := findingsSections(t)
	if *update {
		if err := os.WriteFile(page, []byte(strings.Join(want, "\n## ")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(strings.Split(string(text), "\n## "), func(section string) bool {
		product, _, _ := strings.Cut(section, ": ")
		plain := strings.HasPrefix(section, "#") || product == anyProduct
		return !plain && !slices.ContainsFunc(products, func(p cli.Product) bool { return p.Name == product })
	})
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s differs:\n%s\nwant:\n%s", page, got[i], want[i])
				break
			}
		}
		t.Errorf("%s is stale: go test ./cmd/syncctl -run FindingsPage -update", page)
	}
}

// findingsSections returns the head of the page, and a section for each product and kind.
func findingsSections(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "syncctl")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "explain", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rules []struct {
			Product, ID, Kind, Meaning, When, Do string
			Severities                           []string
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	sections := []string{findingsTitle}
	title := ""
	var b strings.Builder
	finish := func() {
		if b.Len() > 0 {
			sections = append(sections, b.String())
		}
		b.Reset()
	}
	cell := strings.NewReplacer("|", `\|`).Replace
	for _, r := range doc.Rules {
		if now := cmp.Or(r.Product, anyProduct) + ": " + sectionTitles[r.Kind]; now != title {
			finish()
			title = now
			fmt.Fprintf(&b, "%s\n\n| id | what it means | when it appears | what to do |\n| --- | --- | --- | --- |\n", title)
		}
		id := "`" + r.ID + "`"
		for _, severity := range r.Severities {
			id += "<br>" + severityWords[severity]
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", id, cell(r.Meaning), cell(r.When), cell(r.Do))
	}
	finish()
	if len(sections) < 4 {
		t.Fatalf("explain says next to nothing: %s", out)
	}
	return sections
}
