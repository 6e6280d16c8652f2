// Package machine simulates the machine of a server: its shell, services, Data Manager and keytool.
package machine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// Run executes a command line in the login shell of a machine, as the user admin, and returns its exit code: 127 for
// an unknown command, 2 for a line that the shell cannot read, 255 for an unknown machine. Programs get no input,
// because none of them reads any.
func Run(ctx context.Context, w *state.World, name, command string, _ io.Reader, stdout, stderr io.Writer) int {
	code, out, errs := run(ctx, w, name, command)
	// The output is written without the lock, because a slow reader must not block the world.
	_, _ = stdout.Write(out) // the reader may be gone
	_, _ = stderr.Write(errs)
	return code
}

func run(ctx context.Context, w *state.World, name, command string) (code int, out, errs []byte) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	s := w.Named[name]
	if s == nil || s.Machine == nil {
		return 255, nil, []byte("there is no machine " + name + "\n")
	}
	if ctx.Err() != nil {
		return 130, nil, nil // as if interrupted before it began
	}
	sh := &Shell{W: w, S: s, M: s.Machine, Dir: state.LoginFolder}
	code = sh.Line(command)
	return code, sh.Out.Bytes(), sh.Errs.Bytes()
}

// Reads reports whether a command line changes nothing. If in doubt, it returns false.
func Reads(w *state.World, name, command string) bool {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s := w.Named[name]; s == nil || s.Machine == nil {
		return false
	}
	list, err := ParseLine(command)
	if err != nil || len(list) == 0 {
		return false
	}
	for _, args := range list {
		args, _ = withoutExec(args)
		args, sudo := withoutSudo(args)
		if sudo && len(args) > 1 && args[0] == sudoLists {
			continue
		}
		if len(args) == 0 {
			return false
		}
		p := programs[path.Base(args[0])]
		if p.reads == nil || !p.reads(args[1:]) {
			return false
		}
	}
	return true
}

// Shell executes command lines for one person or one call.
type Shell struct {
	W         *state.World
	S         *state.Server
	M         *state.Machine
	Dir       string
	Root      bool // runs as root, without sudo
	Out, Errs bytes.Buffer
}

// Line executes one command line and returns the exit code of the last program.
func (sh *Shell) Line(text string) int {
	list, err := ParseLine(text)
	if err != nil {
		fmt.Fprintf(&sh.Errs, "sh: %v\n", err)
		return 2
	}
	for _, args := range list {
		args, last := withoutExec(args)
		if code := sh.command(args); code != 0 || last {
			return code
		}
	}
	return 0
}

// withoutExec removes exec from a command: the program then replaces the shell, so what follows never runs.
func withoutExec(args []string) (rest []string, last bool) {
	if len(args) > 1 && args[0] == "exec" {
		return args[1:], true
	}
	return args, false
}

// command runs one program with its arguments.
func (sh *Shell) command(args []string) int {
	args, sudo := withoutSudo(args)
	if sudo && !sh.Root && !sh.M.Sudo {
		fmt.Fprintln(&sh.Errs, "sudo: a password is required")
		return 1
	}
	if len(args) == 0 {
		fmt.Fprintln(&sh.Errs, "usage: sudo command")
		return 1
	}
	if sudo && args[0] == sudoLists {
		return sh.list(args[1:])
	}
	p := programs[path.Base(args[0])]
	if p.run == nil || !sh.finds(args[0], p.installed) {
		fmt.Fprintf(&sh.Errs, "sh: 1: %s: not found\n", args[0])
		return 127
	}
	return p.run(sh, sudo || sh.Root, args)
}

// sudoLists is sudo's option that shows whether a command may be run, without running it (sudo(8)).
const sudoLists = "-l"

// list prints a command, which means that it may be run.
func (sh *Shell) list(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(&sh.Errs, "sudo: only a named command is listed here")
		return 1
	}
	fmt.Fprintln(&sh.Out, strings.Join(args, " "))
	return 0
}

// finds reports whether a program exists at the path by which it was called. Programs of the system are on the path
// and in /bin, /usr/bin and similar folders; an installed one is a file. ASSUMED: datamanager is not on the path.
func (sh *Shell) finds(name string, installed bool) bool {
	if !installed {
		return true
	}
	if path.Base(name) == name {
		return false
	}
	info, err := sh.M.FS.Stat(sh.abs(name))
	return err == nil && !info.IsDir()
}

func (sh *Shell) abs(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(sh.Dir, name)
}

// withoutSudo removes sudo from a command, together with -n, which has no effect here, and --.
func withoutSudo(args []string) (rest []string, sudo bool) {
	if len(args) == 0 || path.Base(args[0]) != "sudo" {
		return args, false
	}
	args = args[1:]
	for len(args) > 0 && (args[0] == "-n" || args[0] == "--") {
		args = args[1:]
	}
	return args, true
}
