//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package syncinfo

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/afero"
)

// removesOpen says that a file that is open can be removed and renamed.
const removesOpen = true

// hold locks a file until it is closed, or its process ends. The error is errHeld if another has it. A file system
// without locks, or one that is no part of the operating system, has none to wait for.
func hold(f afero.File) error {
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return nil
	}
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return errHeld
	case err == nil, errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK):
		return nil
	}
	return fmt.Errorf("locking %s: %w", f.Name(), err)
}

// giveTo makes a file another one's owner's, where this process may do that.
func giveTo(fs afero.Fs, path string, like os.FileInfo) {
	if s, ok := like.Sys().(*syscall.Stat_t); ok {
		// Only root may; for everybody else the file stays their own, as it does in an editor.
		_ = fs.Chown(path, int(s.Uid), int(s.Gid))
	}
}
