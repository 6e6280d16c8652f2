//go:build !unix

package files

import (
	"io/fs"

	"github.com/syncctl/syncctl/driver/host"
)

// keepOwner does nothing: the folder decides who owns a new file.
func keepOwner(host.NewFile, fs.FileInfo) error { return nil }

const hasModes = false

func own(fs.FileInfo) bool { return true }

func ofRoot(fs.FileInfo) bool { return false }
