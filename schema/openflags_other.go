//go:build !unix

package schema

// openFlags is zero if the system has no such flags.
const openFlags = 0
