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

// ownGroup puts the command into a process group of its own, so that a signal reaches it once, by us, and reaches
// all that it started. On a terminal the group comes to the foreground, or it could not read from it; release
// takes the terminal back.
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
		// In the background by now, we would be stopped for touching the terminal.
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
