//go:build unix

package schema

import "syscall"

// openFlags make opening neither block, as for a pipe, nor follow a link.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
