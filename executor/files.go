package executor

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"
)

// folder stores a run's files in one folder of a file system.
type folder struct {
	fs  afero.Fs
	dir string
}

// NewFiles stores a run's files in dir, which must exist.
func NewFiles(fs afero.Fs, dir string) Files { return &folder{fs: fs, dir: dir} }

func (f *folder) Path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) Open(name string) (io.ReadCloser, error) {
	if !safeName(name) {
		return nil, fmt.Errorf("opening the run's file %q: %w", name, errUnsafe)
	}
	file, err := f.fs.Open(f.Path(name))
	if err != nil {
		return nil, fmt.Errorf("opening the run's file %s: %w", name, err)
	}
	return file, nil
}

// errUnsafe is the error for a name that leads out of the folder.
var errUnsafe = errors.New("that is not the name of a file in its folder")

// Create writes the file completely or not at all. A process that dies inside leaves at most a file that ends in
// .part, which the next attempt removes.
func (f *folder) Create(ctx context.Context, name string, write func(io.Writer) error) (FileInfo, error) {
	info := FileInfo{Name: name}
	if !safeName(name) {
		return info, fmt.Errorf("making the run's file %q: %w", name, errUnsafe)
	}
	part := f.Path(name) + partSuffix
	err := ignoreMissing(f.fs.Remove(part)) // left by an interrupted attempt, or a link
	var file afero.File
	if err == nil {
		file, err = f.fs.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // O_EXCL follows no link
	}
	if err != nil {
		return info, fmt.Errorf("making the run's file %s: %w", name, err)
	}
	h := sha256.New()
	buffered := bufio.NewWriterSize(file, 1<<18)
	counted := &counter{w: io.MultiWriter(h, buffered), ctx: ctx}
	err = write(counted)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = f.fs.Rename(part, f.Path(name))
	}
	if err != nil {
		return info, errors.Join(fmt.Errorf("writing the run's file %s: %w", name, err), ignoreMissing(f.fs.Remove(part)))
	}
	if err := syncDir(f.fs, f.dir); err != nil {
		return info, err
	}
	info.Bytes, info.SHA256 = counted.n, hex.EncodeToString(h.Sum(nil))
	return info, nil
}

// IsPart reports whether a name is that of a file that is not whole yet.
func IsPart(name string) bool { return strings.HasSuffix(name, partSuffix) }

// syncDir makes the names in a folder durable, if the file system can do that.
func syncDir(fs afero.Fs, dir string) error {
	d, err := fs.Open(dir)
	if err != nil {
		return fmt.Errorf("opening folder %s: %w", dir, err)
	}
	_ = d.Sync() // not every system can sync a folder; the rename itself is done
	return d.Close()
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// counter counts the bytes written and stops when the context ends.
type counter struct {
	w   io.Writer
	n   int64
	ctx context.Context
}

func (c *counter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
