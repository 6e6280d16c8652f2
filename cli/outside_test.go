package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/syncctl/syncctl/reference"
)

// TestExitsOfCommands: the reference has each exit code that a script expects of a command. With the sandbox the code
// is that of its command.
func TestExitsOfCommands(t *testing.T) {
	t.Parallel()
	expects := regexp.MustCompile(`(?m)^(?:\[\w+\] )?exits (\d+) syncctl ((?:-\S+ )*)([a-z]+)( [a-z]+\b)?`)
	found := 0
	for _, pattern := range []string{
		filepath.Join("testdata", "script", "*.txtar"),
		filepath.Join("..", "cmd", "syncctl", "testdata", "script", "*.txtar"),
		filepath.Join("..", "examples", "*", "script.txtar"),
	} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			script, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range expects.FindAllStringSubmatch(string(script), -1) {
				code, err := strconv.Atoi(m[1])
				if err != nil {
					t.Fatal(err)
				}
				command := m[3]
				if _, ok := exitsBy[command+m[4]]; ok {
					command += m[4]
				}
				has := func(e reference.ExitCode) bool { return e.Code == code }
				if command != "sandbox" && !slices.ContainsFunc(exitsOf(command, false), has) {
					t.Errorf("%s: exits %d syncctl %s: the reference has no such code of it", name, code, command)
				}
				found++
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d such lines were found", found)
	}
}
