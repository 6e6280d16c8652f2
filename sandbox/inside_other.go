//go:build !unix

package sandbox

import (
	"io"
	"os"
	"os/exec"
)

// ownGroup does nothing here, because only Unix has process groups with signals. A console sends an interrupt to the
// command itself.
func ownGroup(*exec.Cmd, io.Reader) (release func()) { return func() {} }

func signalGroup(cmd *exec.Cmd, s os.Signal) error {
	if s == os.Interrupt { // the console has already sent it to the command
		return nil
	}
	return cmd.Process.Kill()
}

func terminate(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
