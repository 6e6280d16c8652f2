//go:build !unix

package cli

// crashApart does nothing: the runtime ends the process with 2 on these systems, and has no other way that writes no
// memory to a file.
func crashApart() {}
