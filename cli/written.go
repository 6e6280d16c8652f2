package cli

import (
	"cmp"
	"io/fs"
	"path/filepath"

	"github.com/syncctl/syncctl/cli/internal/files"
)

// place returns the path of a file to write, which the command line or the environment names. A link in the folder of
// the configuration, or of the command, must not lead out of that folder, because it may have come with the files.
func (c *command) place(name string) (string, error) {
	path := c.abs(name)
	at := filepath.Join(files.Resolved(filepath.Dir(path)), filepath.Base(path)) // the person has chosen the folder
	for _, dir := range []string{c.app.cwd, c.cwd, c.dir} {
		if err := files.Inside(files.Resolved(dir), at); err != nil {
			return "", failf(exitError, "%w", err)
		}
	}
	return path, nil
}

// replace is files.Replace for a file that the command line names. A new one may be read by others, as far as the umask
// allows.
func (c *command) replace(name string, data []byte) error {
	path, err := c.place(name)
	if err != nil {
		return err
	}
	return files.Replace(cmp.Or(c.named, c.app.fs), path, data, 0o644)
}

// createNew is files.Create for a file that the command line names.
func (c *command) createNew(name string, data []byte, perm fs.FileMode) error {
	path, err := c.place(name)
	if err != nil {
		return err
	}
	return files.Create(c.app.fs, path, data, perm)
}
