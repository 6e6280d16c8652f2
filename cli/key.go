package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/files"
)

// keyLength is the length of the user's key, in bytes.
const keyLength = 32

// userKey returns the key that authenticates the user's own plans and runs: a file in the user's configuration folder.
// The file is outside of every repository, so that nothing in a repository can pass for the user's. It returns nil if
// there is none.
func (c *command) userKey() ([]byte, error) {
	dir := c.configDir()
	if dir == "" {
		return nil, nil
	}
	name := filepath.Join(dir, "key")
	if err := files.Private(c.app.fs, name); err != nil { // before it is opened: a pipe never ends
		return nil, failf(exitError, "your key cannot be used: %w", err)
	}
	key, err := afero.ReadFile(c.app.fs, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading your key: %w", err)
	}
	if err := c.comesAlong(c.dir); err != nil {
		return nil, err
	}
	if len(key) != keyLength {
		return nil, failf(exitError, "your key %s is not whole: remove it, and set unfinished runs aside", name)
	}
	return key, nil
}

// makeKey is like userKey, but creates the key if there is none.
func (c *command) makeKey() ([]byte, error) {
	key, err := c.userKey()
	if err != nil || key != nil {
		return key, err
	}
	dir := c.configDir()
	if dir == "" {
		return nil, failf(exitError, "there is no folder for the key that plans and runs are authenticated with: "+
			"set SYNCCTL_CONFIG_DIR to one that is yours alone and is kept")
	}
	if err := c.comesAlong(c.dir); err != nil {
		return nil, err
	}
	key = make([]byte, keyLength)
	if _, err := io.ReadFull(c.app.random, key); err != nil {
		return nil, fmt.Errorf("making your key: %w", err)
	}
	if err := c.app.fs.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the folder of your key: %w", err)
	}
	err = files.Create(c.app.fs, filepath.Join(dir, "key"), key, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist): // another process was faster
		return c.userKey()
	case err != nil:
		return nil, fmt.Errorf("making your key: %w", err)
	}
	return key, nil
}
