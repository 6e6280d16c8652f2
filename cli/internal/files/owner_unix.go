//go:build unix

package files

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/syncctl/syncctl/driver/host"
)

// keepOwner gives a new file the owner and group of the file that it replaces.
func keepOwner(f host.NewFile, was fs.FileInfo) error {
	owner, ok := was.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == os.Geteuid() && int(owner.Gid) == os.Getegid() {
		return nil
	}
	if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("it belongs to another user or group, and would not any more: %w", err)
	}
	return nil
}

// hasModes is true if the modes of files say who may use them.
const hasModes = true

// own reports whether a file belongs to this user.
func own(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(owner.Uid) == os.Geteuid()
}

// ofRoot reports whether a file belongs to root.
func ofRoot(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0
}
