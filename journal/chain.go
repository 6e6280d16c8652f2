package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/printable"
)

// Rechain returns the same entries chained with another key. Without a key (nil) anybody can check the chain, and it
// is the same wherever it is written. Chains are sent to other sites in this form.
func Rechain(entries []Entry, key []byte) ([]Entry, error) {
	out := make([]Entry, len(entries))
	prev, sealer := "", newSealer(key)
	for i, e := range entries {
		e.Prev = prev
		if _, err := sealer.seal(&e); err != nil {
			return nil, err
		}
		out[i], prev = e, e.Hash
	}
	return out, nil
}

// Encode writes entries in the format of a journal.
func Encode(w io.Writer, entries []Entry) error {
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("writing entry %d of a journal: %w", e.Seq, err)
		}
		if _, err := w.Write(append(printable.JSON(line), '\n')); err != nil {
			return fmt.Errorf("writing entry %d of a journal: %w", e.Seq, err)
		}
	}
	return nil
}

// Write writes entries to a new journal, completely or not at all, chained with key.
func Write(fsys afero.Fs, path string, entries []Entry, key []byte) error {
	chained, err := Rechain(entries, key)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := Encode(&b, chained); err != nil {
		return err
	}
	part := path + ".part"
	if err := fsys.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing journal %s: %w", path, err)
	}
	f, err := fsys.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // O_EXCL follows no link
	if err != nil {
		return fmt.Errorf("writing journal %s: %w", path, err)
	}
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fsys.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("writing journal %s: %w", path, err)
	}
	dir, err := fsys.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("writing journal %s: %w", path, err)
	}
	_ = dir.Sync() // not every system can sync a folder; the rename itself has happened
	return dir.Close()
}
