//go:build unix

package host

import (
	"os"
	"os/exec"
	"syscall"
)

// apart gives a command a session of its own: it has no terminal to ask on, an interrupt typed at ours does not
// reach it, and a signal reaches all that it started.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func signal(p *os.Process, force bool) {
	s := syscall.SIGTERM
	if force {
		s = syscall.SIGKILL
	}
	_ = syscall.Kill(-p.Pid, s) // whoever has ended hears nothing
}
