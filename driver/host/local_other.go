//go:build !unix

package host

import (
	"os"
	"os/exec"
)

// apart does nothing on systems without sessions.
func apart(*exec.Cmd) {}

// signal can only kill on systems without signals.
func signal(p *os.Process, _ bool) { _ = p.Kill() }
