package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// scratch is a copy of an example's folder with its own simulated servers.
type scratch struct {
	*command

	box  *sandbox.Sandbox
	told bool   // stop has returned its error
	root string // a temporary folder, removed by close
	work string // the copy, somewhere below root
	env  map[string]string
}

// openScratch copies an example and serves its simulated servers. at is the path of the copy relative to the folder of
// the commands.
func (c *command) openScratch(ctx context.Context, dir, at string, o sandbox.Options) (_ *scratch, err error) {
	s := &scratch{command: c}
	if s.box, err = c.startSandbox(ctx, dir, o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.root, err = c.app.temp("syncctl-rehearse-"); err != nil {
		return nil, fmt.Errorf("creating the scratch folder: %w", err)
	}
	s.work = filepath.Join(s.root, "work", at)
	if err := c.copyExample(ctx, c.abs(dir), s.work); err != nil {
		return nil, err
	}
	if err := s.box.WriteCA(c.app.fs, filepath.Join(s.root, "ca.pem")); err != nil {
		return nil, err
	}
	s.env = s.box.Environment()
	s.env["SYNCCTL_CONFIG_DIR"] = filepath.Join(s.root, "user") // nothing that happens here is kept
	return s, nil
}

// stop stops the servers. It returns a failure of the access log only the first time.
func (s *scratch) stop() error {
	err := s.box.Close()
	if s.told {
		return nil
	}
	s.told = true
	return err
}

// close stops the servers, unless stop did, and removes the folder. It may be called more than once.
func (s *scratch) close() error {
	err := s.stop()
	if s.root != "" {
		err = errors.Join(err, s.app.fs.RemoveAll(s.root))
	}
	return err
}

// inside returns the app for commands that work in the copy. They reach only the simulated servers.
func (s *scratch) inside() *app {
	a := *s.app
	a.scratch = true
	a.rehearsal = s.policy.Confined(s.box.Addresses(), slices.Collect(maps.Keys(s.env)))
	a.cwd, a.stdout, a.stderr = filepath.Join(s.root, "work"), s.out, s.err
	a.env = func(name string) (string, bool) {
		if v, ok := s.env[name]; ok {
			return v, true
		}
		if strings.HasPrefix(name, "SYNCCTL_CLI_ARGS") || name == "SYNCCTL_DATA_DIR" {
			return "", false // it is for the person's own commands
		}
		return s.app.env(name)
	}
	return &a
}

// mostCopied is the maximum size of the files that are copied, in bytes.
const mostCopied = 1 << 30

// copyExample copies the files of an example. A link that stays inside of the folder becomes a link in the copy; other
// links would lead out of the copy, and are left out.
func (c *command) copyExample(ctx context.Context, from, to string) error {
	// Walk does not follow a link to the folder itself.
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return fmt.Errorf("copying the folder: %w", err)
	}
	if err := c.app.fs.MkdirAll(to, 0o700); err != nil {
		return err
	}
	itself := files.Resolved(to) // temporary folders may lie inside of the folder
	left := int64(mostCopied)
	err = afero.Walk(c.app.fs, from, func(path string, info fs.FileInfo, err error) error {
		if err := cmp.Or(err, context.Cause(ctx)); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case schema.Apart(info.Name()) && path != from || path == itself:
			if info.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case info.IsDir():
			return c.app.fs.MkdirAll(target, 0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			return c.copyLink(from, path, target)
		case !info.Mode().IsRegular():
			return nil
		}
		if left -= info.Size(); left < 0 {
			return fmt.Errorf("it has more than %d MiB: put the configuration into a folder of its own", mostCopied>>20)
		}
		return c.copyFile(path, target, info.Mode().Perm()|0o600, info.Size())
	})
	if err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return nil
}

// copyFile copies at most that many bytes of a file.
func (c *command) copyFile(from, to string, perm fs.FileMode, most int64) error {
	src, err := c.app.fs.Open(from)
	if err != nil {
		return err
	}
	defer src.Close() // nothing was written
	f, err := c.app.fs.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(src, most))
	return errors.Join(err, f.Close())
}

// copyLink makes the counterpart of a link in the copy of a folder. The folder's path contains no links.
func (c *command) copyLink(root, link, to string) error {
	at, err := filepath.EvalSymlinks(link)
	if err != nil {
		return nil //nolint:nilerr // it leads nowhere, or to itself, which has no error of its own: nobody can read it
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(link))
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(root, at)
	if err != nil || !filepath.IsLocal(inside) {
		return nil
	}
	lead, err := filepath.Rel(dir, at)
	if err != nil {
		return err
	}
	linker, ok := c.app.fs.(afero.Linker)
	if !ok {
		return nil
	}
	return linker.SymlinkIfPossible(lead, to)
}
