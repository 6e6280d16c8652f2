package syncinfo

import (
	"github.com/spf13/afero"
	"golang.org/x/sys/unix"
)

// startWriteback has the system begin to bring n bytes of a file to the disk, and does not wait for them. Nothing may
// rely on it: if it fails, Sync has more to do, and reports what has gone wrong.
func startWriteback(f afero.File, from, n int64) {
	if f, real := f.(interface{ Fd() uintptr }); real {
		_ = unix.SyncFileRange(int(f.Fd()), from, n, unix.SYNC_FILE_RANGE_WRITE)
	}
}
