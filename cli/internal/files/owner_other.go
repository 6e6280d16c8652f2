//go:build !unix

package files

import (
	"io/fs"

	"github.com/spf13/afero"
)

// keepOwner does nothing: the folder decides who owns a new file.
func keepOwner(afero.Fs, string, fs.FileInfo) error { return nil }
