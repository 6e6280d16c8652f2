package syncctl_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/licences.md")

// licences are recognised by words that no other of them has.
var licences = []struct{ name, words string }{
	{"MPL-2.0", "mozilla public license"},
	{"Apache-2.0", "apache license"},
	{"BSD-3-Clause", "neither the name of"},
	{"BSD-2-Clause", "redistributions in binary form"},
	{"MIT", "permission is hereby granted, free of charge"},
	{"ISC", "permission to use, copy, modify, and"},
}

// TestLicences: docs/licences.md lists what is linked into the program, each with its licence, and none of them asks
// for the source of the whole program.
func TestLicences(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "./cmd/syncctl")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0") // the same list everywhere
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string][2]string{} // version and folder
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path] = [2]string{p.Module.Version, p.Module.Dir}
		}
	}
	var b strings.Builder
	b.WriteString("# What is linked into syncctl\n\nWritten by `go test . -run Licences -update`.\n\n" +
		"| module | version | licence |\n| --- | --- | --- |\n")
	names := make([]string, 0, len(modules))
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		licence := licenceIn(modules[name][1])
		if licence == "" {
			t.Errorf("%s: its licence is not one of those that are known to be fine", name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, modules[name][0], licence)
	}
	page := filepath.Join("docs", "licences.md")
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(page)
	if err != nil || string(written) != b.String() {
		t.Errorf("%s is not what is linked (%v): go test . -run Licences -update", page, err)
	}
}

func licenceIn(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "LICEN[CS]E*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return ""
		}
		plain := strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
		for _, l := range licences {
			if strings.Contains(plain, l.words) {
				return l.name
			}
		}
	}
	return ""
}
