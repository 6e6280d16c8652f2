//go:build !unix

package host

import (
	"os"
	"os/exec"
)

// apart does nothing where there are no sessions.
func apart(*exec.Cmd) {}

// signal knows force alone where there are no signals.
func signal(p *os.Process, _ bool) { _ = p.Kill() }
