// Package journal is the durable, append-only record of a run, and the lock that lets one run at a time write.
//
// A journal is a file of JSON Lines. Every line is on disk (fsync) before Append returns; lines that are appended at
// the same time are made durable together. A line carries the SHA-256 of itself and of the line before it (with a key:
// the HMAC), so that a line changed or taken out later is noticed. A line that a dying process wrote only half is the
// last one and has no newline; it was never reported as written, and is dropped. The journal knows nothing of what it
// records: keys and events are strings.
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
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
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

	// These are not written. They are set where entries of several journals stand in one list.
	Site  string         `json:"-"` // whose journal the entry is from
	Own   int            `json:"-"` // its Seq there: Seq is then its place in the list
	Knows map[string]int `json:"-"` // how many entries of each other site's journal had been received before it
}

// ErrBroken is wrapped by what Read and Open return for a journal whose chain does not hold.
var ErrBroken = errors.New("journal is damaged")

var errUnfinished = errors.New("it did not end")

// Stage tells a Watcher how far a write is.
type Stage string

// The stages of one Append, in order. Several entries may be written before they are synced together.
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
	opts Options

	disk sync.Mutex // held while a group is written; taken before mu
	file afero.File

	mu      sync.Mutex
	entries []Entry // the durable ones
	seq     int     // of the last entry that has its place in the chain, durable or not
	hash    string  // its hash
	next    *group  // what is written next; nil: nothing waits
	broken  error   // a write failed: what is on disk is unknown
}

// group is entries that are written and made durable together.
type group struct {
	entries []Entry
	lines   [][]byte
	ended   chan struct{}
	err     error // why they are not durable; read once it has ended
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
	j := &Journal{file: f, entries: entries, opts: opts, seq: len(entries)}
	if j.seq > 0 {
		j.hash = entries[j.seq-1].Hash
	}
	return j, nil
}

func seekTo(f afero.File, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// Append writes one entry and returns once it is durable. After a failed write the journal accepts nothing more: open
// it again to find out what is on disk.
func (j *Journal) Append(ctx context.Context, key, event string, data map[string]string) (Entry, error) {
	e, g, first, err := j.join(ctx, Entry{Key: key, Event: event, Data: valid(data)})
	if first {
		j.flush(g)
	}
	if err == nil {
		<-g.ended
		err = g.err
	}
	if err != nil {
		return Entry{}, fmt.Errorf("writing %s %s to the journal: %w", event, key, err)
	}
	return e, nil
}

// join gives an entry its place in the chain, and in the group that is written next. The first one of a group has to
// flush it.
func (j *Journal) join(ctx context.Context, e Entry) (_ Entry, g *group, first bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := errors.Join(afterFailure(j.broken), ctx.Err()); err != nil {
		return e, nil, false, err
	}
	e.Seq, e.Prev, e.Time = j.seq+1, j.hash, j.opts.Now().UTC()
	if e.Hash, err = e.sum(j.opts.Key); err != nil {
		return e, nil, false, err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return e, nil, false, err
	}
	j.seq, j.hash = e.Seq, e.Hash
	if j.next == nil {
		j.next, first = &group{ended: make(chan struct{})}, true
	}
	j.next.entries = append(j.next.entries, e)
	j.next.lines = append(j.next.lines, append(printable.JSON(line), '\n'))
	return e, j.next, first, nil
}

// flush makes the next group durable. While one is written, the next one grows.
func (j *Journal) flush(g *group) {
	j.disk.Lock()
	defer j.disk.Unlock()
	defer close(g.ended)
	runtime.Gosched() // those whose entries were just made durable may join with their next ones
	j.mu.Lock()
	j.next = nil
	g.err = afterFailure(j.broken)
	j.mu.Unlock()
	if g.err == nil {
		g.err = errUnfinished // write may panic
		func() {
			defer j.settle(g)
			g.err = j.write(g)
		}()
	}
	if g.err == nil {
		j.watch(Synced, g.entries...)
	}
}

// settle takes in how a write ended.
func (j *Journal) settle(g *group) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if g.err == nil {
		j.entries = append(j.entries, g.entries...)
	} else if j.broken == nil {
		j.broken = g.err
	}
}

func afterFailure(broken error) error {
	if broken == nil {
		return nil
	}
	return fmt.Errorf("it takes no more entries after a failed write: %w", broken)
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

func (j *Journal) write(g *group) error {
	if j.opts.Watch == nil {
		if _, err := j.file.Write(bytes.Join(g.lines, nil)); err != nil {
			return err
		}
		return j.file.Sync()
	}
	for i, line := range g.lines { // by halves, so that a watcher can see the file with half a line in it
		j.watch(Writing, g.entries[i])
		if _, err := j.file.Write(line[:len(line)/2]); err != nil {
			return err
		}
		j.watch(Half, g.entries[i])
		if _, err := j.file.Write(line[len(line)/2:]); err != nil {
			return err
		}
		j.watch(Written, g.entries[i])
	}
	return j.file.Sync()
}

func (j *Journal) watch(s Stage, entries ...Entry) {
	if j.opts.Watch == nil {
		return
	}
	for _, e := range entries {
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
	j.disk.Lock()
	defer j.disk.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = fs.ErrClosed
	}
	return j.file.Close()
}

// sum is the hash of an entry, whatever its Hash says.
func (e Entry) sum(key []byte) (string, error) {
	e.Hash = ""
	b, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("hashing journal entry %d: %w", e.Seq, err)
	}
	h := newHash(key)
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)), nil
}

func newHash(key []byte) hash.Hash {
	if key == nil {
		return sha256.New()
	}
	return hmac.New(sha256.New, key)
}
