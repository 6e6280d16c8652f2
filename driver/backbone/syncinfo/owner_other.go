//go:build !unix

package syncinfo

import (
	"os"

	"github.com/spf13/afero"
)

func giveTo(afero.Fs, string, os.FileInfo) {}
