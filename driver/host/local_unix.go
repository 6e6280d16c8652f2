//go:build unix

package host

import (
	"os"
	"os/exec"
	"syscall"
)

// apart starts a command in its own session. It has no terminal to ask on, an interrupt typed at our terminal does
// not reach it, and a signal reaches everything that it started.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func signal(p *os.Process, force bool) {
	s := syscall.SIGTERM
	if force {
		s = syscall.SIGKILL
	}
	_ = syscall.Kill(-p.Pid, s) // no effect if it has ended
}
