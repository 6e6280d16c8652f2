package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	exampleTaken = regexp.MustCompile(`^syncctl init -example=(\S+)`)
	opensShell   = regexp.MustCompile(`^(syncctl sandbox .*-- )bash$`)
	exitCode     = regexp.MustCompile(`^(.*?) +# exit code (\d+)$`)
)

// TestTutorials runs every command of the tutorials as it is written, in order. Lines after a line that opens a shell
// in the sandbox are typed into that shell, until exit.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "tutorials", "*.md"))
	if err != nil || len(pages) < 3 {
		t.Fatalf("%q, %v", pages, err)
	}
	bin := linkedProgram(t)
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			src, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, m := range shellBlocks.FindAllStringSubmatch(string(src), -1) {
				lines = append(lines, strings.Split(strings.TrimSpace(m[1]), "\n")...)
			}
			if example := exampleTaken.FindStringSubmatch(lines[0]); example == nil {
				t.Fatal("it begins with no example")
			} else if !builtIn(t, "examples/"+example[1]) {
				return
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-ec", typed(t, lines))
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "CI=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// linkedProgram returns a folder in which syncctl is the program.
func linkedProgram(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "syncctl")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// typed returns a script that types lines into a terminal.
func typed(t *testing.T, lines []string) string {
	t.Helper()
	var script strings.Builder
	inside := 0 // shells in the sandbox
	for _, line := range lines {
		switch m, c := opensShell.FindStringSubmatch(line), exitCode.FindStringSubmatch(line); {
		case m != nil:
			inside++
			fmt.Fprintf(&script, "%ssh -e <<'SHELL'\n", m[1])
		case line == "exit":
			inside--
			script.WriteString("SHELL\n")
		case c != nil:
			fmt.Fprintf(&script, "code=0; %s || code=$?; [ $code = %s ]\n", c[1], c[2])
		default:
			fmt.Fprintf(&script, "%s\n", line)
		}
		if inside < 0 || inside > 1 {
			t.Fatalf("a shell in the sandbox is opened or left twice at %q", line)
		}
	}
	if inside != 0 {
		t.Fatal("the shell in the sandbox is not left")
	}
	return script.String()
}
