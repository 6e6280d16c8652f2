//go:build unix

package syncinfo

import (
	"os"
	"syscall"

	"github.com/spf13/afero"
)

// giveTo makes a file another one's owner's, where this process may do that: only root may. For everybody else the
// file stays their own, as it does in an editor.
func giveTo(fs afero.Fs, path string, like os.FileInfo) {
	if s, ok := like.Sys().(*syscall.Stat_t); ok {
		_ = fs.Chown(path, int(s.Uid), int(s.Gid))
	}
}
