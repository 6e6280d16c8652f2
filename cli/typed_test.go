package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// typedKey is under what a script keeps the commands of docs/review.md that it has not typed yet.
type typedKey struct{}

var (
	shownCommand  = regexp.MustCompile("(?m)^    ((?:syncctl|tar|ssh-keygen) .*)$|`(syncctl [^`]+)`")
	printedHash   = regexp.MustCompile(`Plan hash: (sha256:[0-9a-f]{64})`)
	printedRecord = regexp.MustCompile(`Record +([0-9TZ.]+-[0-9a-f]+)\.syncrecord\.tar`)
)

// reviewCommands are the commands of docs/review.md.
func reviewCommands() (map[string]bool, error) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "review.md"))
	out := map[string]bool{}
	for _, m := range shownCommand.FindAllStringSubmatch(string(page), -1) {
		out[m[1]+m[2]] = true
	}
	return out, err
}

// typed types a command of docs/review.md as it is written there, where no terminal is: its input is "yes", and ends.
// WORD=VALUE puts a value in the place of a word; until=TEXT interrupts it once that is printed. What it prints is in
// typed.out, and the hash of a plan in HASH, the run of a record in RUN. Without arguments it fails if a command has
// not been typed, but for those named after "but".
func typed(ts *testscript.TestScript, _ bool, args []string) {
	left := ts.Value(typedKey{}).(map[string]bool)
	if len(args) == 0 || args[0] == "but" {
		for command := range left {
			if !slices.Contains(args, command) {
				ts.Logf("%s", command)
				ts.Fatalf("a command of docs/review.md is not typed")
			}
		}
		return
	}
	if len(args) < 2 {
		ts.Fatalf("usage: typed CODE COMMAND [WORD=VALUE | until=TEXT]...")
	}
	all, err := reviewCommands()
	ts.Check(err)
	command, until := args[1], ""
	if !all[command] {
		ts.Fatalf("docs/review.md does not have the command %q", command)
	}
	delete(left, command)
	for _, arg := range args[2:] {
		word, value, _ := strings.Cut(arg, "=")
		if word == "until" {
			until = value
			continue
		}
		if !strings.Contains(command, word) {
			ts.Fatalf("%q has no %q", command, word)
		}
		command = strings.ReplaceAll(command, word, value)
	}
	code, out := typeInto(ts, command, until)
	ts.Check(os.WriteFile(ts.MkAbs("typed.out"), []byte(out), 0o600))
	ts.Logf("$ %s\n%s", command, out)
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	for name, re := range map[string]*regexp.Regexp{"HASH": printedHash, "RUN": printedRecord} {
		if m := re.FindStringSubmatch(out); m != nil {
			ts.Setenv(name, m[1])
		}
	}
}

// typeInto runs a command in a shell, and gives its exit code and what it prints. One that waits for more than its
// input is a fault, and ended.
func typeInto(ts *testscript.TestScript, command, until string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+command)
	cmd.Dir, cmd.Stdin = ts.MkAbs("."), strings.NewReader("yes\n")
	for _, name := range []string{"PATH", "HOME", "SYNCCTL_CONFIG_DIR", "SYNCCTL_SANDBOX_CA_FILE",
		"SYNCCTL_SANDBOX_PERSON", "SYNCCTL_SANDBOX_ADDRESSES", "SYNCCTL_VAR_url",
		"SYNCCTL_VAR_password", "SYNCCTL_VAR_color", "USER"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	cmd.Stderr = cmd.Stdout
	ts.Check(cmd.Start())
	var printed bytes.Buffer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		if until != "" && strings.Contains(lines.Text(), until) {
			ts.Check(cmd.Process.Signal(os.Interrupt))
			until = ""
		}
	}
	_ = cmd.Wait() // its code says how it ended
	if ctx.Err() != nil {
		ts.Fatalf("%s: it waits without end:\n%s", command, &printed)
	}
	return cmd.ProcessState.ExitCode(), printed.String()
}
