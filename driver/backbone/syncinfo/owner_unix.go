//go:build unix

package syncinfo

import (
	"os"
	"syscall"

	"github.com/syncctl/syncctl/driver/host"
)

// giveTo gives a file to the owner of another one, if this process may do that: only root may. For everybody else the
// file stays their own, as in an editor.
func giveTo(f host.NewFile, like os.FileInfo) {
	if s, ok := like.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(s.Uid), int(s.Gid))
	}
}
