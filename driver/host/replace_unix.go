//go:build unix

package host

import (
	"io/fs"
	"syscall"
)

// localOwner returns the owner of a file of this machine.
func localOwner(info fs.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}

// SeveralNames reports whether a file, a pipe or a symbolic link has hard links: other names, perhaps in folders of
// other users.
func SeveralNames(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && !info.IsDir() && s.Nlink > 1
}

// AtOnce makes opening a file not block.
const AtOnce = syscall.O_NONBLOCK
