// Package journal is the durable, append-only record of a run, and the lock that lets one run at a time write.
//
// A journal is a file of JSON Lines. Every line is on disk (fsync) before Append returns, and carries the SHA-256 of
// itself and of the line before it (with a key: the HMAC), so that a line changed or taken out later is noticed. A
// line that a dying process wrote only half is the last one and has no newline; it was never reported as written, and
// is dropped. The journal knows nothing of what it records: keys and events are strings.
package journal

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/printable"
)

// Entry is one line. Data is small and never secret.
type Entry struct {
	Seq   int               `json:"seq"` // from 1
	Time  time.Time         `json:"time"`
	Key   string            `json:"key"`
	Event string            `json:"event"`
	Data  map[string]string `json:"data,omitempty"`
	Prev  string            `json:"prev"` // Hash of the entry before, "" for the first
	Hash  string            `json:"hash"` // hex SHA-256, or HMAC, of this entry's JSON with Hash empty
}

// ErrBroken is wrapped by what Read and Open return for a journal whose chain does not hold.
var ErrBroken = errors.New("journal is damaged")

// Stage tells a Watcher how far a write is.
type Stage string

// The stages of one Append, in order.
const (
	Writing Stage = "writing" // nothing is in the file yet
	Half    Stage = "half"    // a part of the line is in the file
	Written Stage = "written" // the whole line is in the file, not yet synced
	Synced  Stage = "synced"  // durable
)

// Options come from outside.
type Options struct {
	Now   func() time.Time
	Key   []byte             // of the HMAC that chains the entries, so that nobody else can write any; nil: plain SHA-256
	Watch func(Stage, Entry) // called at every stage of every write; nil for nobody. Tests kill the process here
}

// Journal is open for appending. It may be used from several goroutines.
type Journal struct {
	mu      sync.Mutex
	file    afero.File
	entries []Entry
	opts    Options
	broken  error // a write failed: what is on disk is unknown
}

// Open opens the journal at path for appending, creating it if it is missing. A half-written last line is cut off.
func Open(fsys afero.Fs, path string, opts Options) (*Journal, error) {
	entries, good, err := read(fsys, path, opts.Key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", path, err)
	}
	if err := errors.Join(f.Truncate(good), seekTo(f, good)); err != nil {
		return nil, errors.Join(fmt.Errorf("cutting the half-written last line of journal %s: %w", path, err), f.Close())
	}
	return &Journal{file: f, entries: entries, opts: opts}, nil
}

func seekTo(f afero.File, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// Append writes one entry and returns once it is durable. After a failed write the journal accepts nothing more: open
// it again to find out what is on disk.
func (j *Journal) Append(ctx context.Context, key, event string, data map[string]string) (Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return Entry{}, fmt.Errorf("journal takes no more entries after a failed write: %w", j.broken)
	}
	if err := ctx.Err(); err != nil {
		return Entry{}, fmt.Errorf("writing %s %s to the journal: %w", event, key, err)
	}
	e := Entry{Seq: len(j.entries) + 1, Time: j.opts.Now().UTC(), Key: key, Event: event, Data: valid(data)}
	if n := len(j.entries); n > 0 {
		e.Prev = j.entries[n-1].Hash
	}
	hash, err := e.sum(j.opts.Key)
	if err != nil {
		return Entry{}, err
	}
	e.Hash = hash
	if err := j.write(e); err != nil {
		j.broken = err
		return Entry{}, fmt.Errorf("writing %s %s to the journal: %w", event, key, err)
	}
	j.entries = append(j.entries, e)
	j.watch(Synced, e)
	return e, nil
}

// valid is the data as it will be read again: its hash is computed then, too, and JSON takes no other bytes than UTF-8.
func valid(data map[string]string) map[string]string {
	out := maps.Clone(data)
	for name, value := range data {
		delete(out, name)
		out[strings.ToValidUTF8(name, "\ufffd")] = strings.ToValidUTF8(value, "\ufffd")
	}
	return out
}

func (j *Journal) write(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(printable.JSON(line), '\n')
	j.watch(Writing, e)
	parts := [][]byte{line}
	if j.opts.Watch != nil { // so that a watcher can see the file with half a line in it
		parts = [][]byte{line[:len(line)/2], line[len(line)/2:]}
	}
	for i, part := range parts {
		if _, err := j.file.Write(part); err != nil {
			return err
		}
		if i+1 < len(parts) {
			j.watch(Half, e)
		}
	}
	j.watch(Written, e)
	return j.file.Sync()
}

func (j *Journal) watch(s Stage, e Entry) {
	if j.opts.Watch != nil {
		j.opts.Watch(s, e)
	}
}

// Entries returns all entries so far. The slice must not be changed.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[:len(j.entries):len(j.entries)]
}

// Close closes the file. Everything appended is already durable.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = fs.ErrClosed
	}
	return j.file.Close()
}

// Read returns the entries of the journal at path. It may be read while another process appends: a line that is still
// being written is left out. key is that of Options. The error wraps ErrBroken when the chain does not hold; the
// entries before the damage are returned with it. It wraps fs.ErrNotExist when the journal is missing.
func Read(fsys afero.Fs, path string, key []byte) ([]Entry, error) {
	entries, _, err := read(fsys, path, key)
	return entries, err
}

// read returns the entries and the length of the file up to the end of the last whole line.
func read(fsys afero.Fs, path string, key []byte) ([]Entry, int64, error) {
	src, err := afero.ReadFile(fsys, path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading journal: %w", err)
	}
	entries, good, err := parse(src, key)
	if err != nil {
		return entries, good, fmt.Errorf("reading journal %s: %w", path, err)
	}
	return entries, good, nil
}

func parse(src, key []byte) ([]Entry, int64, error) {
	var entries []Entry
	var good int64
	prev := ""
	for {
		end := bytes.IndexByte(src[good:], '\n')
		if end < 0 {
			return entries, good, nil
		}
		line := src[good : good+int64(end)]
		n := len(entries) + 1
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return entries, good, fmt.Errorf("line %d: %w: it was changed or cut short", n, ErrBroken)
		}
		want, err := e.sum(key)
		if err != nil {
			return entries, good, err
		}
		if e.Seq != n || e.Prev != prev || e.Hash != want {
			return entries, good, fmt.Errorf("line %d: %w: it was changed, or a line before it is missing", n, ErrBroken)
		}
		entries, prev, good = append(entries, e), e.Hash, good+int64(end)+1
	}
}

func (e Entry) sum(key []byte) (string, error) {
	e.Hash = ""
	b, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("hashing journal entry %d: %w", e.Seq, err)
	}
	h := sha256.New()
	if key != nil {
		h = hmac.New(sha256.New, key)
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)), nil
}
