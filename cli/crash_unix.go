//go:build unix

package cli

import "runtime/debug"

// crashApart gives a crash an exit code of its own: the runtime ends the process with 2 otherwise, which means that
// there are changes. It does so after a stack overflow, without memory, and after SIGQUIT; and after a panic that no
// code of ours could catch. Ended by SIGABRT instead, the process would leave its memory behind in a file, and with it
// secrets: where that cannot be prevented, the code stays 2.
func crashApart() {
	if preventCoreFile() == nil {
		debug.SetTraceback("crash")
	}
}
