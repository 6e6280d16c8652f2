package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/reference"
)

// arguments returns all arguments, each with the version that introduced it: "1.0 server.TYPE.url".
func arguments(t *testing.T) []string {
	t.Helper()
	var doc reference.Document
	if err := json.Unmarshal([]byte(program(t, "schema", "-json")), &doc); err != nil {
		t.Fatal(err)
	}
	var out []string
	var add func(path string, b *reference.Body)
	add = func(path string, b *reference.Body) {
		for i := range b.Attributes {
			out = append(out, b.Attributes[i].Since+" "+path+"."+b.Attributes[i].Name)
		}
		for i := range b.Blocks {
			add(path+"."+b.Blocks[i].Name, b.Blocks[i].Body)
		}
	}
	for i := range doc.Types {
		add(doc.Types[i].Kind+"."+doc.Types[i].Name, doc.Types[i].Body)
	}
	for i := range doc.Language {
		name := doc.Language[i].Name
		if name == "" {
			name = "(" + doc.Language[i].Where + ")"
		}
		add(name, doc.Language[i].Body)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unsaid returns the arguments that claim to have come with a released version and are not in its list.
func unsaid(released string, listed, now []string) []string {
	var out []string
	for _, line := range now {
		version, _, _ := strings.Cut(line, " ")
		if slices.Contains(strings.Fields(released), version) && !slices.Contains(listed, line) {
			out = append(out, line)
		}
	}
	return out
}

// TestSince checks that docs/reference/arguments.txt has every argument with its version. Its first line names the
// released versions: an argument that is newer than these needs a Since of its own.
func TestSince(t *testing.T) {
	if src, err := os.ReadFile("main.go"); err != nil || strings.Count(string(src), "{Name: ") != len(products) {
		t.Log("a product is left out, and with it its arguments", err)
		return
	}
	name, now := filepath.Join("..", "..", "docs", "reference", "arguments.txt"), arguments(t)
	src, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	const head = "# released:"
	first, rest, _ := strings.Cut(string(src), "\n")
	released, listed := strings.TrimPrefix(first, head), strings.Split(strings.TrimSpace(rest), "\n")
	if wrong := unsaid(released, listed, now); len(wrong) > 0 {
		t.Fatalf("these are new since a release, and need Since in their schema.Attribute:\n%s", strings.Join(wrong, "\n"))
	}
	if *update {
		text := head + strings.TrimRight(released, " ") + "\n" + strings.Join(now, "\n") + "\n"
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !slices.Equal(listed, now) {
		t.Errorf("%s is stale: go test ./cmd/syncctl -run Since -update", name)
	}
}

// TestUnsaid checks that an argument that is newer than a release is found, unless it names a later version.
func TestUnsaid(t *testing.T) {
	listed := []string{"1.0 server.x.url"}
	now := []string{"1.0 server.x.url", "1.0 server.x.user", "1.1 server.x.site"}
	if got := unsaid(" 1.0", listed, now); !slices.Equal(got, []string{"1.0 server.x.user"}) {
		t.Error(got)
	}
	if got := unsaid("", listed, now); got != nil {
		t.Error(got)
	}
}
