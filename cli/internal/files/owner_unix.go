//go:build unix

package files

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"
)

// keepOwner gives a new file the owner and group of the one that it replaces.
func keepOwner(fsys afero.Fs, name string, was fs.FileInfo) error {
	owner, ok := was.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == os.Geteuid() && int(owner.Gid) == os.Getegid() {
		return nil
	}
	if err := fsys.Chown(name, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("it belongs to another user or group, and would not any more: %w", err)
	}
	return nil
}
