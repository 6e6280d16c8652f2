package syncinfo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/afero"
)

// blockSize is how much is written, and hashed, at a time.
const blockSize = 1 << 20

// output is the merged file in the making: a temporary file that becomes the output only when all is well. Blocks are
// hashed and written by a goroutine of its own while the next one is filled.
type output struct {
	o    MergeOptions
	f    afero.File
	path string // of the temporary file; "" once it is gone
	mode os.FileMode

	block  []byte       // being filled
	full   chan []byte  // to the goroutine; closed to end it
	free   chan written // back from it
	closed bool         // full is
	hash   hash.Hash

	size    int64
	entries int
	begun   bool
	warning string
}

// written is a block that may be filled again, and the error, if any, of writing it or one before it.
type written struct {
	block []byte
	err   error
}

func newOutput(o MergeOptions) (*output, error) {
	w := &output{o: o, hash: sha256.New(), mode: 0o644}
	temp := o.tempFor("output")
	if o.Out == Standard {
		w.mode = 0o600
	} else if info, err := o.Fs.Stat(o.Out); err == nil {
		w.mode = info.Mode().Perm()
	}
	var err error
	if w.f, w.path, err = createTemp(o.Fs, temp, w.mode); err != nil {
		return nil, fmt.Errorf("creating a temporary file for %s: %w", w.name(), err)
	}
	w.full, w.free = make(chan []byte), make(chan written, 2)
	w.block = make([]byte, 0, blockSize)
	w.free <- written{block: make([]byte, 0, blockSize)}
	go writeBlocks(w.f, w.hash, w.full, w.free)
	return w, nil
}

func (w *output) name() string {
	if w.o.Out == Standard {
		return "standard output"
	}
	return w.o.Out
}

// tempFor is where a temporary file is made: beside the output, so that it can be renamed, or in the folder for such.
func (o MergeOptions) tempFor(what string) string {
	if o.Out != Standard {
		return filepath.Join(filepath.Dir(o.Out), "."+filepath.Base(o.Out)+"."+what)
	}
	dir := o.TempDir
	if dir == "" {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "syncctl-merge."+what)
}

// createTemp makes a new file whose name begins with prefix. It never opens one that is there.
func createTemp(fs afero.Fs, prefix string, mode os.FileMode) (afero.File, string, error) {
	for i := 1; ; i++ {
		path := prefix + "." + strconv.Itoa(i) + ".tmp"
		f, err := fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err == nil {
			return f, path, nil
		}
		if !errors.Is(err, os.ErrExist) || i == 10000 {
			return nil, "", err
		}
	}
}

// writeBlocks writes and hashes what comes, and closes free when full is closed. After an error it only hands back.
func writeBlocks(f io.Writer, h hash.Hash, full <-chan []byte, free chan<- written) {
	defer close(free)
	var err error
	for b := range full {
		if err == nil {
			if _, err = f.Write(b); err == nil {
				h.Write(b)
			}
		}
		free <- written{b[:0], err}
	}
}

// write adds bytes to the output. An error may be of what was written before.
func (w *output) write(p []byte) error {
	w.size += int64(len(p))
	for len(p) > cap(w.block)-len(w.block) {
		n := cap(w.block) - len(w.block)
		w.full <- append(w.block, p[:n]...)
		p = p[n:]
		back := <-w.free
		if w.block = back.block; back.err != nil {
			return fmt.Errorf("writing %s: %w", w.name(), back.err)
		}
	}
	w.block = append(w.block, p...)
	return nil
}

// flush writes what is left and ends the goroutine.
func (w *output) flush() error {
	w.full <- w.block
	w.end()
	var err error
	for back := range w.free {
		if back.err != nil {
			err = fmt.Errorf("writing %s: %w", w.name(), back.err)
		}
	}
	return err
}

func (w *output) end() {
	if !w.closed {
		w.closed = true
		close(w.full)
	}
}

// section ends the section before, if any, and begins one.
func (w *output) section(s Section) error {
	text := "{\n  \"" + string(s) + "\": ["
	if w.begun {
		text = w.sectionEnd() + ",\n  \"" + string(s) + "\": ["
	}
	w.begun, w.entries = true, 0
	return w.write([]byte(text))
}

func (w *output) sectionEnd() string {
	if w.entries == 0 {
		return "]"
	}
	return "\n  ]"
}

func (w *output) entry(raw []byte) error {
	sep := ",\n    "
	if w.entries == 0 {
		sep = "\n    "
	}
	w.entries++
	if err := w.write([]byte(sep)); err != nil {
		return err
	}
	return w.write(raw)
}

// finish completes the file and gives it its name, or copies it to standard output.
func (w *output) finish(ctx context.Context) error {
	if err := w.write([]byte(w.sectionEnd() + "\n}\n")); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("writing %s: %w", w.name(), err)
	}
	if w.o.Out == Standard {
		return w.copyOut(ctx)
	}
	if err := w.f.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", w.name(), err)
	}
	f := w.f
	w.f = nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", w.name(), err)
	}
	if err := w.o.Fs.Rename(w.path, w.o.Out); err != nil {
		return fmt.Errorf("renaming the finished file to %s: %w", w.name(), err)
	}
	w.path = ""
	w.syncFolder()
	return nil
}

func (w *output) copyOut(ctx context.Context) error {
	if w.o.Stdout == nil {
		return errors.New("writing standard output: there is none")
	}
	if _, err := w.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the finished file: %w", err)
	}
	in := &contextReader{ctx, w.f}
	if _, err := io.CopyBuffer(struct{ io.Writer }{w.o.Stdout}, in, make([]byte, blockSize)); err != nil {
		return fmt.Errorf("copying the finished file to standard output: %w", err)
	}
	return nil
}

// syncFolder makes the new name last through a power cut. The file is there under its name already, so a failure (some
// file systems do not sync folders) is no more than a warning.
func (w *output) syncFolder() {
	dir, err := w.o.Fs.Open(filepath.Dir(w.o.Out))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		w.warning = "the folder could not be synced, so the file may be gone after a power cut: " + err.Error()
	}
}

func (w *output) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }

// close ends the goroutine and removes the temporary file if it has not become the output.
func (w *output) close() error {
	w.end()
	for range w.free {
	}
	var errs []error
	if w.f != nil {
		errs = append(errs, w.f.Close())
	}
	if w.path != "" {
		errs = append(errs, w.o.Fs.Remove(w.path))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing a temporary file: %w", err)
	}
	return nil
}
