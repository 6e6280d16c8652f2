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

	"github.com/syncctl/syncctl/driver/host"
)

// blockSize is the number of bytes that are written, and perhaps hashed, at a time, and blocks how many of them there
// are. Larger ones take Linux more time, because it looks for as much memory in one piece.
const (
	blockSize = 32 << 10
	blocks    = 8
)

// output is the merged file being written: a temporary file that becomes the output only if everything succeeds. A
// goroutine writes blocks, and hashes them if asked to, while the next one is filled.
type output struct {
	o  MergeOptions
	to target
	f  *tempFile

	block  []byte       // being filled
	full   chan []byte  // blocks for the goroutine; closed to end it
	free   chan written // blocks that come back
	closed bool         // full is closed
	hash   hash.Hash    // nil if nobody asks for it

	size    int64
	entries int
	begun   bool
	warning string
}

// written is a block that may be filled again, and the error of writing it or one before it, if any.
type written struct {
	block []byte
	err   error
}

func newOutput(o MergeOptions, to target) (*output, error) {
	w := &output{o: o, to: to}
	if o.Hash {
		w.hash = sha256.New()
	}
	var err error
	if to.path != "" {
		w.f, err = o.part(to)
	} else if w.f, err = o.spool(to); err != nil {
		err = fmt.Errorf("creating a temporary file for %s: %w", w.name(), err)
	}
	if err != nil {
		return nil, err
	}
	w.full, w.free = make(chan []byte, blocks), make(chan written, blocks)
	w.block = make([]byte, 0, blockSize)
	for range blocks - 1 {
		w.free <- written{block: make([]byte, 0, blockSize)}
	}
	f := io.Writer(w.f)
	if to.path != "" {
		f = &writeback{file: w.f.File}
	}
	go writeBlocks(f, w.hash, w.full, w.free)
	return w, nil
}

func (w *output) name() string { return w.to.name }

// writeBlocks writes the blocks from full, adds them to h unless it is nil, and closes free when full is closed. After
// an error it only returns the blocks.
func writeBlocks(f io.Writer, h hash.Hash, full <-chan []byte, free chan<- written) {
	defer close(free)
	var err error
	for b := range full {
		if err == nil {
			if _, err = f.Write(b); err == nil && h != nil {
				h.Write(b)
			}
		}
		free <- written{b[:0], err}
	}
}

// write adds bytes to the output. An error may be about bytes that were written before.
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

// flush writes the rest and ends the goroutine.
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

// section ends the previous section, if any, and begins a new one.
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
	if err := w.next(); err != nil {
		return err
	}
	return w.write(raw)
}

var firstEntry, nextEntry = []byte("\n    "), []byte(",\n    ")

// next writes the separator before an entry.
func (w *output) next() error {
	w.entries++
	if w.entries == 1 {
		return w.write(firstEntry)
	}
	return w.write(nextEntry)
}

// finish completes the file and renames it to the target, or copies it to standard output.
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
	if err := w.likeBefore(); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", w.name(), onOneLine{err})
	}
	if !w.f.isThere() {
		return fmt.Errorf("another process has replaced the temporary file of %s: make sure that no other merge "+
			"writes it, and try again", w.name())
	}
	if err := w.f.close(); err != nil { // before it is renamed: some systems refuse to rename an open file
		return fmt.Errorf("closing %s: %w", w.name(), onOneLine{err})
	}
	if err := w.o.Fs.Rename(w.f.path, w.to.path); err != nil {
		return fmt.Errorf("renaming the finished file to %s: %w", w.name(), onOneLine{err})
	}
	w.f.path = ""
	w.syncFolder()
	return nil
}

// likeBefore gives the finished file the owner and the mode of the existing one. It uses the open file, because its
// name may be another file's by now. It drops the permissions for others, because the file contains issues.
func (w *output) likeBefore() error {
	if w.to.info == nil {
		return nil
	}
	f := host.Handle(w.o.Fs, w.f.File)
	giveTo(f, w.to.info)
	mode := w.to.info.Mode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
	if err := f.Chmod(mode &^ everybody); err != nil {
		return fmt.Errorf("giving the finished file the mode of %s: %w", w.name(), onOneLine{err})
	}
	return nil
}

const everybody = 0o007 // permissions for others than the owner and the group

func (w *output) copyOut(ctx context.Context) error {
	if w.o.Stdout == nil {
		return errors.New("writing standard output: it is not open")
	}
	if _, err := w.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the finished file: %w", onOneLine{err})
	}
	if err := copyWithin(ctx, w.o.Stdout, w.f); err != nil {
		return fmt.Errorf("copying the finished file to standard output: %w", err)
	}
	return nil
}

// syncFolder makes the new name survive a power cut. The file already exists under its name, so a failure (some file
// systems do not sync folders) is only a warning.
func (w *output) syncFolder() {
	dir, err := w.o.Fs.Open(filepath.Dir(w.to.path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		w.warning = "the folder could not be synced, so the file may be gone after a power cut: " + onOneLine{err}.Error()
	}
}

func (w *output) sum() string {
	if w.hash == nil {
		return ""
	}
	return hex.EncodeToString(w.hash.Sum(nil))
}

// close ends the goroutine and removes the temporary file if it has not become the output.
func (w *output) close() error {
	w.end()
	for range w.free {
	}
	if err := w.f.discard(); err != nil {
		return fmt.Errorf("removing a temporary file: %w", onOneLine{err})
	}
	return nil
}
