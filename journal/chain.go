package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/printable"
)

// Rechain returns the same entries chained with another key. With nil anybody can check the chain, and what is chained
// so is the same wherever it is written: a chain travels in this form.
func Rechain(entries []Entry, key []byte) ([]Entry, error) {
	out := make([]Entry, len(entries))
	prev := ""
	for i, e := range entries {
		e.Prev = prev
		var err error
		if e.Hash, err = e.sum(key); err != nil {
			return nil, err
		}
		out[i], prev = e, e.Hash
	}
	return out, nil
}

// Encode writes entries as a journal has them.
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

// Write writes entries to a journal of their own, whole or not at all, chained with key.
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
	f, err := fsys.Create(part)
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
	_ = dir.Sync() // not every system lets a folder be synced; the rename itself has happened
	return dir.Close()
}
