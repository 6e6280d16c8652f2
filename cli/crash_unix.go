//go:build unix

package cli

import "runtime/debug"

// crashApart gives a crash its own exit code. Otherwise the runtime exits with 2, which means that there are changes.
// It does so after a stack overflow, without memory, after SIGQUIT, and after a panic that our code could not catch. A
// process ended by SIGABRT instead would leave its memory, with secrets, in a core file: if that cannot be prevented,
// the code stays 2.
func crashApart() {
	if preventCoreFile() == nil {
		debug.SetTraceback("crash")
	}
}
