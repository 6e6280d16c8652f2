//go:build !unix

package schema

// openFlags are none where the system has no such flags.
const openFlags = 0
