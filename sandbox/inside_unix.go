//go:build unix

package sandbox

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup starts the command in its own process group, so that it gets a signal once, from us, together with
// everything that it started. On a terminal the group becomes the foreground group, because otherwise it could not
// read from the terminal. release makes ours the foreground group again.
func ownGroup(cmd *exec.Cmd, stdin io.Reader) (release func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminal, ok := stdin.(*os.File)
	if !ok {
		return func() {}
	}
	fd := int(terminal.Fd())
	if front, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || front != unix.Getpgrp() {
		return func() {} // no terminal, or not ours to give away
	}
	cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, fd
	return func() {
		// We are in the background now, and would be stopped for using the terminal.
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp()) // the terminal may be gone
	}
}

func signalGroup(cmd *exec.Cmd, s os.Signal) error {
	n, ok := s.(syscall.Signal)
	if !ok {
		return cmd.Process.Signal(s)
	}
	return syscall.Kill(-cmd.Process.Pid, n)
}

func terminate(cmd *exec.Cmd) error { return signalGroup(cmd, syscall.SIGTERM) }

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
