//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package syncinfo

import (
	"os"

	"github.com/spf13/afero"
)

// removesOpen says that a file that is open can be removed and renamed. Windows refuses both, which is all the lock that
// is needed.
const removesOpen = false

func hold(afero.File) error { return nil }

func giveTo(afero.Fs, string, os.FileInfo) {}
