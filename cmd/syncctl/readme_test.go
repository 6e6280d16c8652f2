package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shellBlocks = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// readmeBlocks returns the commands of the README and of the page about tests, block by block.
func readmeBlocks(t *testing.T) [][]string {
	t.Helper()
	var out [][]string
	for _, page := range []string{"README.md", filepath.Join("docs", "testing.md")} {
		src, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shellBlocks.FindAllStringSubmatch(string(src), -1) {
			out = append(out, strings.Split(strings.TrimSpace(m[1]), "\n"))
		}
	}
	return out
}

// TestReadme runs every command of the README as it is written: those with an example or a file in the project's
// folder, those for real servers in the sandbox with its environment. Commands for a product that is not built in
// are left out.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	bin := linkedProgram(t)
	work := t.TempDir()
	if err := os.CopyFS(filepath.Join(work, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	// Only a terminal is asked; a person who reads the README says yes.
	path := bin + string(os.PathListSeparator) + os.Getenv("PATH")
	env := append(os.Environ(), "PATH="+path, "SYNCCTL_CLI_ARGS_apply=-auto-approve")
	run := func(dir string, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	var real []string
	for _, block := range readmeBlocks(t) {
		for _, line := range block {
			switch {
			case line == "go test ./...":
				ciRuns(t, line)
			case !builtIn(t, line):
			case strings.HasPrefix(line, "go "):
				run(root, "sh", "-c", line)
			case strings.Contains(line, "examples/"):
				run(work, "sh", "-c", line)
			default:
				real = append(real, line)
			}
		}
	}
	if len(real) == 0 {
		t.Fatal("the README has no commands for real servers")
	}
	const example = "examples/behind-firewall-master"
	if builtIn(t, example) {
		run(work, filepath.Join(bin, "syncctl"), "sandbox", example, "--", "sh", "-ec", strings.Join(real, "\n"))
	}
}

// ciRuns checks that CI runs a command that a test cannot run.
func ciRuns(t *testing.T, line string) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(src), line) {
		t.Errorf("the README says %q, and .ci/run does not run it", line)
	}
}
