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

// blockSize is the number of bytes that are written, and perhaps hashed, at a time. Larger ones take Linux more time,
// because it looks for as much memory in one piece.
const blockSize = 32 << 10

// output is the merged file being written: a temporary file that becomes the output only if everything succeeds.
// Blocks are written by who fills them: to hand them to a goroutine took more time of two processors than it saved.
type output struct {
	o    MergeOptions
	to   target
	f    *tempFile
	file io.Writer // that f is written with

	block []byte  // being filled
	hash  *hasher // nil if nobody asks for it

	size    int64
	entries int
	begun   bool
	warning string
}

func newOutput(o MergeOptions, to target) (*output, error) {
	w := &output{o: o, to: to}
	var err error
	if to.path != "" {
		w.f, err = o.part(to)
	} else if w.f, err = o.spool(to); err != nil {
		err = fmt.Errorf("creating a temporary file for %s: %w", w.name(), err)
	}
	if err != nil {
		return nil, err
	}
	w.file, w.block = w.f, make([]byte, 0, blockSize)
	if to.path != "" {
		w.file = &writeback{file: w.f.File}
	}
	if o.Hash {
		w.hash = newHasher()
	}
	return w, nil
}

func (w *output) name() string { return w.to.name }

// write adds bytes to the output.
func (w *output) write(p []byte) error {
	w.size += int64(len(p))
	for len(p) > cap(w.block)-len(w.block) {
		n := cap(w.block) - len(w.block)
		w.block = append(w.block, p[:n]...)
		p = p[n:]
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.block = append(w.block, p...)
	return nil
}

// flush writes the block, and begins the next one.
func (w *output) flush() error {
	if _, err := w.file.Write(w.block); err != nil {
		return fmt.Errorf("writing %s: %w", w.name(), err)
	}
	if w.hash != nil {
		w.block = w.hash.add(w.block)
	}
	w.block = w.block[:0]
	return nil
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
	return w.hash.sum()
}

// close removes the temporary file if it has not become the output.
func (w *output) close() error {
	if w.hash != nil {
		w.hash.end()
	}
	if err := w.f.discard(); err != nil {
		return fmt.Errorf("removing a temporary file: %w", onOneLine{err})
	}
	return nil
}

// hasher hashes blocks in a goroutine, while the next ones are filled and written.
type hasher struct {
	hash  hash.Hash
	full  chan []byte // closed to end the goroutine
	free  chan []byte // blocks that come back
	ended bool
}

const hashedBlocks = 8 // at a time

func newHasher() *hasher {
	h := &hasher{hash: sha256.New(), full: make(chan []byte, hashedBlocks), free: make(chan []byte, hashedBlocks)}
	for range hashedBlocks - 1 {
		h.free <- make([]byte, 0, blockSize)
	}
	go func() {
		defer close(h.free)
		for b := range h.full {
			h.hash.Write(b)
			h.free <- b
		}
	}()
	return h
}

// add adds a block, and returns another one to be filled.
func (h *hasher) add(block []byte) []byte {
	h.full <- block
	return <-h.free
}

// sum returns the hash. Nothing can be added afterwards.
func (h *hasher) sum() string {
	h.end()
	return hex.EncodeToString(h.hash.Sum(nil))
}

// end returns once the goroutine has ended.
func (h *hasher) end() {
	if !h.ended {
		h.ended = true
		close(h.full)
	}
	for range h.free {
	}
}
