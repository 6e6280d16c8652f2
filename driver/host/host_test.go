//go:build unix

package host

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	syscall.Umask(0o022) // permissions are compared
	// The library waits forever for a channel that is opened at the moment when its connection ends (see link.open).
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("golang.org/x/crypto/ssh.(*mux).openChannel"))
}

// eachHost runs a test against this machine and over SSH.
func eachHost(t *testing.T, test func(t *testing.T, h Host)) {
	t.Helper()
	t.Run("here", func(t *testing.T) {
		h := Local(LocalOptions{Fs: afero.NewOsFs()})
		t.Cleanup(func() { _ = h.Close() })
		test(t, h)
	})
	t.Run("over SSH", func(t *testing.T) {
		_, h := pair(t, nil)
		test(t, h)
	})
}

// setGrace sets how long a host waits for a command that must end.
func setGrace(h Host, d time.Duration) {
	switch h := h.(type) {
	case *local:
		h.grace = d
	case *sshHost:
		h.grace = d
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "-a 'dir'\n$HOME")
	if err := os.MkdirAll(filepath.Join(odd, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(odd, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\npwd\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("0123456789", 10_000)
	eachHost(t, func(t *testing.T, h Host) {
		for name, c := range map[string]struct {
			command Command
			want    Output
		}{
			"words": {Command{Args: []string{"printf", "%s|", "a b", "", "$HOME", "it's", "*", "~", "-x",
				"é\n"}}, Output{Stdout: "a b||$HOME|it's|*|~|-x|é\n|"}},
			"both streams": {Command{Args: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}},
				Output{Stdout: "out\n", Stderr: "err\n", Code: 3}},
			"no input":         {Command{Args: []string{"cat"}}, Output{}},
			"input":            {Command{Args: []string{"cat"}, Stdin: strings.NewReader(big)}, Output{Stdout: big}},
			"input not wanted": {Command{Args: []string{"true"}, Stdin: strings.NewReader(strings.Repeat(big, 30))}, Output{}},
			"directory":        {Command{Args: []string{"pwd"}, Dir: odd}, Output{Stdout: odd + "\n"}},
			"program there":    {Command{Args: []string{"./script"}, Dir: odd}, Output{Stdout: odd + "\n"}},
			"cut": {Command{Args: []string{"sh", "-c", "printf 12345; printf 1234 >&2"}, MaxOutput: 4},
				Output{Stdout: "1234", Stderr: "1234", Truncated: true}},
			"exactly": {Command{Args: []string{"printf", "1234"}, MaxOutput: 4}, Output{Stdout: "1234"}},
		} {
			t.Run(name, func(t *testing.T) {
				got, err := h.Run(t.Context(), c.command)
				if err != nil || WasStarted(err) != StartedYes {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestProgramsThatAreNotThere(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eachHost(t, func(t *testing.T, h Host) {
		for program, code := range map[string]int{"no-such-program-here": 127, "/nowhere/x": 127, plain: 126} {
			out, err := h.Run(t.Context(), Command{Args: []string{program}})
			if err != nil || out.Code != code || !strings.Contains(out.Stderr, program) {
				t.Errorf("%s: %+v, %v", program, out, err)
			}
		}
	})
}

func TestDirectoryThatIsNotThere(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		out, err := h.Run(t.Context(), Command{Args: []string{"echo", "ran"}, Dir: "/no/such/directory"})
		if out.Stdout != "" || err == nil && out.Code == 0 || err != nil && WasStarted(err) != StartedNo {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

func TestCommandsThatCannotBeRun(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		for want, c := range map[string]Command{
			"no command is given":               {},
			"running '' x: no command is given": {Args: []string{"", "x"}},
			"taken for an option":               {Args: []string{"-x"}},
			"a NUL character":                   {Args: []string{"echo", "a\x00b"}},
			"a NUL character cannot be":         {Args: []string{"echo"}, Dir: "/\x00"},
		} {
			_, err := h.Run(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), want) || WasStarted(err) != StartedNo ||
				!strings.HasPrefix(err.Error(), h.Name()+": running") {
				t.Errorf("%q: %v", want, err)
			}
		}
	})
}

// running waits until a command has made a file.
func running(t *testing.T, name string) {
	t.Helper()
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("it never ran")
		case <-time.After(time.Millisecond):
		}
	}
}

// TestCancel checks that the end of the context ends a command: with a signal first, and then by force.
func TestCancel(t *testing.T) {
	for name, script := range map[string]string{
		"listens":       `trap 'touch "$2"; exit 0' TERM; touch "$1"; while :; do sleep 0.01; done`,
		"has a child":   `(trap 'touch "$2"; exit 0' TERM; touch "$1"; while :; do sleep 0.01; done) >/dev/null 2>&1 & wait`,
		"does not know": `touch "$1"; sleep 100000 & wait`,
		"deaf":          `trap '' TERM; touch "$1"; while :; do sleep 0.01; done`,
	} {
		t.Run(name, func(t *testing.T) {
			eachHost(t, func(t *testing.T, h Host) {
				if name == "deaf" {
					setGrace(h, 20*time.Millisecond)
				} else {
					setGrace(h, time.Hour)
				}
				begun, ended := filepath.Join(t.TempDir(), "begun"), filepath.Join(t.TempDir(), "ended")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { running(t, begun); cancel() }()
				_, err := h.Run(ctx, Command{Args: []string{"sh", "-c", script, "sh", begun, ended}, Dir: "/"})
				if !errors.Is(err, context.Canceled) || WasStarted(err) != StartedMaybe || !strings.Contains(err.Error(),
					"it was told to end") {
					t.Errorf("got %v", err)
				}
				if name == "listens" || name == "has a child" {
					running(t, ended)
				}
				if _, err := h.Run(ctx, Command{Args: []string{"true"}}); !errors.Is(err, context.Canceled) ||
					WasStarted(err) != StartedNo {
					t.Errorf("afterwards: %v", err)
				}
				if out, err := h.Run(t.Context(), Command{Args: []string{"echo", "still there"}}); err != nil ||
					out.Stdout != "still there\n" {
					t.Errorf("the host is lost with the command: %+v, %v", out, err)
				}
			})
		})
	}
}

func TestCommandEndedBySignal(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		out, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", "echo begun; kill -KILL $$"}, Dir: "/"})
		if err == nil || !strings.Contains(err.Error(), "it was ended by") || WasStarted(err) != StartedMaybe ||
			out.Stdout != "begun\n" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk gone") }

// TestInputThatBreaksOff checks that a command does not take a part of its input for all of it.
func TestInputThatBreaksOff(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		into := filepath.Join(t.TempDir(), "ended")
		input := io.MultiReader(strings.NewReader("half"), brokenReader{})
		_, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", `cat; touch "$1"`, "sh", into}, Stdin: input})
		if err == nil || !strings.Contains(err.Error(), "reading its input: disk gone") || WasStarted(err) != StartedMaybe {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(into); err == nil {
			t.Error("the command saw the end of its input")
		}
	})
}

// TestLeftRunning checks that a background process, which keeps the output of a command open, is not waited for.
func TestLeftRunning(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		setGrace(h, 20*time.Millisecond)
		pid := filepath.Join(t.TempDir(), "pid")
		out, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c",
			`sleep 100000 & echo $! >"$1"; echo started`, "sh", pid}})
		if err != nil || out.Stdout != "started\n" || !out.Truncated || out.Code != 0 {
			t.Errorf("%+v, %v", out, err)
		}
		b, err := os.ReadFile(pid)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Run(t.Context(), Command{Args: []string{"kill", strings.TrimSpace(string(b))}}); err != nil {
			t.Error(err)
		}
	})
}

func TestSeveralAtATime(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		results := make(chan string)
		const n = 3 * maxSessions
		for i := range n {
			go func() {
				out, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", "cat; sleep 0.01"},
					Stdin: strings.NewReader(strings.Repeat(string(rune('a'+i)), 3))})
				if err != nil {
					t.Error(err)
				}
				results <- out.Stdout
			}()
		}
		seen := map[string]bool{}
		for range n {
			seen[<-results] = true
		}
		if len(seen) != n {
			t.Errorf("got %v", slices.Sorted(maps.Keys(seen)))
		}
	})
}

func TestClose(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		begun := filepath.Join(t.TempDir(), "begun")
		ended := make(chan error)
		go func() {
			_, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", `touch "$1"; sleep 100000`, "sh", begun}})
			ended <- err
		}()
		running(t, begun)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, ErrClosed) || WasStarted(err) != StartedMaybe {
			t.Errorf("what ran: %v", err)
		}
		if _, err := h.Run(t.Context(), Command{Args: []string{"true"}}); !errors.Is(err, ErrClosed) ||
			WasStarted(err) != StartedNo {
			t.Errorf("afterwards: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLocalDirectoryThatIsNotThere(t *testing.T) {
	h := Local(LocalOptions{Fs: afero.NewOsFs()})
	defer h.Close()
	out, err := h.Run(t.Context(), Command{Args: []string{"true"}, Dir: "/no/such/directory"})
	if WasStarted(err) != StartedNo || !errors.Is(err, os.ErrNotExist) || out.Code == 127 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestLocalEnvironment(t *testing.T) {
	h := Local(LocalOptions{Fs: afero.NewMemMapFs(), Env: []string{"ONLY=this"}})
	defer h.Close()
	out, err := h.Run(t.Context(), Command{Args: []string{"env"}})
	if err != nil || out.Stdout != "ONLY=this\n" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := h.Files(t.Context()).Stat("/tmp"); err == nil || h.Name() != "this machine" {
		t.Errorf("%s, and it has other files", h.Name())
	}
}

func TestErrors(t *testing.T) {
	if WasStarted(nil) != StartedYes || WasStarted(errors.New("foreign")) != StartedMaybe {
		t.Error("WasStarted")
	}
	for s, want := range map[Started]string{StartedNo: "no", StartedMaybe: "maybe", StartedYes: "yes"} {
		if s.String() != want {
			t.Error(s)
		}
	}
	e := &Error{Host: "a@b:22", Doing: "connecting", Message: "gone", cause: ErrBroken}
	if e.Error() != "a@b:22: connecting: gone" || !errors.Is(e, ErrBroken) {
		t.Error(e)
	}
	long := Command{Args: []string{"x\x1b[31m\u202e", strings.Repeat("y", 1000)}}.doing()
	if strings.ContainsAny(long, "\x1b\u202e") || len(long) > 250 {
		t.Error(long)
	}
}

func TestUnanswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		out  Output
		want string
	}{
		"yes":       {Output{Stdout: "active\n"}, ""},
		"no":        {Output{Stdout: "inactive\n", Code: 3}, ""},
		"silent":    {Output{Code: 1}, ""},
		"a warning": {Output{Stdout: "active\n", Stderr: "deprecated\n"}, ""},
		"no password": {Output{Stderr: "sudo: a password is required\n", Code: 1},
			"it failed (code 1): sudo: a password is required"},
		"no bus": {Output{Stderr: "Failed to connect to bus\n", Code: 1}, "it failed (code 1): Failed to " +
			"connect to bus"},
		"not found":          {Output{Code: 127}, "the program was not found or may not be run"},
		"killed":             {Output{Code: 137}, "the program did not run to its end (code 137)"},
		"timeout of its own": {Output{Code: 125}, "the program did not run to its end (code 125)"},
		"incomplete":         {Output{Stdout: "inactive\n", Code: 3, Truncated: true}, "its output is incomplete"},
	} {
		if got := c.out.Unanswered(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestCommandWithin checks that a command that hangs is ended in time, and that the error says how long it was waited
// for.
func TestCommandWithin(t *testing.T) {
	eachHost(t, func(t *testing.T, h Host) {
		setGrace(h, 100*time.Millisecond)
		for _, script := range []string{"echo begun; sleep 1000", `trap "" TERM; echo begun; while :; do sleep 0.01; done`} {
			out, err := h.Run(t.Context(), Command{Args: []string{"sh", "-c", script}, Within: 500 * time.Millisecond})
			if !errors.Is(err, context.DeadlineExceeded) || WasStarted(err) != StartedMaybe || out.Stdout != "begun\n" ||
				!strings.Contains(err.Error(), "it has not ended within 500ms") {
				t.Errorf("%s: %+v, %v", script, out, err)
			}
		}
		works(t, h)
	})
	deadline, ok := func() (time.Time, bool) {
		ctx, cancel := Command{}.during(t.Context())
		defer cancel()
		return ctx.Deadline()
	}()
	if left := time.Until(deadline); !ok || left > DefaultWithin || left < DefaultWithin-time.Minute {
		t.Errorf("a command that says nothing may run for %s", left)
	}
}
