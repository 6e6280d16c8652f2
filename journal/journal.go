// Package journal keeps the durable, append-only record of a run, and the lock that lets only one run write at a
// time.
//
// A journal is a file of JSON Lines. Every line is on disk (fsync) before Append returns; lines that are appended at
// the same time are made durable together. A line has the SHA-256 (with a key: the HMAC) of itself, and that of the
// previous line, so that a line that is changed or removed later is noticed. If a process dies while it writes a
// line, the incomplete line is the last one and has no newline. It was never reported as written, and is dropped. The
// package does not know what it records: keys and events are strings.
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
	Seq   int               `json:"seq"`            // from 1
	Time  time.Time         `json:"time"`           // when it was written
	Key   string            `json:"key"`            // the step that it is about, or "run"
	Event string            `json:"event"`          // what has happened
	Data  map[string]string `json:"data,omitempty"` // small, and never secret
	Prev  string            `json:"prev"`           // Hash of the previous entry, "" for the first
	Hash  string            `json:"hash"`           // hex SHA-256, or HMAC, of this entry's JSON with Hash empty

	// These are not written. They are set in lists of entries from several journals.
	Site  string         `json:"-"` // the site whose journal has the entry
	Own   int            `json:"-"` // its Seq in that journal, as Seq is then its place in the list
	Knows map[string]int `json:"-"` // for each other site, how many entries of its journal had been received before
}

// ErrBroken is wrapped by the errors of Read and Open for a journal whose chain is damaged.
var ErrBroken = errors.New("journal is damaged")

var errUnfinished = errors.New("it did not end")

// Stage tells Options.Watch how far a write has come.
type Stage string

// The stages of one Append, in order. Several entries may be written before they are synced together.
const (
	Writing Stage = "writing" // nothing is in the file yet
	Half    Stage = "half"    // a part of the line is in the file
	Written Stage = "written" // the whole line is in the file, not yet synced
	Synced  Stage = "synced"  // durable
)

// Options holds what comes from outside.
type Options struct {
	Now   func() time.Time
	Key   []byte             // of the HMAC that chains the entries, so that nobody else can write any; nil: plain SHA-256
	Watch func(Stage, Entry) // called at every stage of every write; nil for nobody. Tests kill the process here
}

// Journal is a journal open for appending. It may be used from several goroutines.
type Journal struct {
	opts Options

	disk sync.Mutex // held while a group is written; taken before mu
	file afero.File

	mu      sync.Mutex
	sealer  *sealer
	entries []Entry // the durable ones
	seq     int     // of the last entry in the chain, durable or not
	hash    string  // its hash
	next    *group  // written next; nil if nothing waits
	broken  error   // error of a failed write: what is on disk is unknown
}

// group holds entries that are written and made durable together.
type group struct {
	entries []Entry
	text    []byte // their lines
	ended   chan struct{}
	err     error // why they are not durable; may be read once ended is closed
}

// Open opens the journal at path for appending. It creates the journal if it is missing, and removes an incomplete
// last line.
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
	j := &Journal{file: f, entries: entries, opts: opts, seq: len(entries), sealer: newSealer(opts.Key)}
	if j.seq > 0 {
		j.hash = entries[j.seq-1].Hash
	}
	return j, nil
}

func seekTo(f afero.File, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// Append writes one entry and returns once it is durable. After a failed write the journal accepts no more entries:
// open it again to find out what is on disk.
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

// Add gives an entry its place, and returns before it is durable, which it is when the function durable has returned
// without an error. An entry that is appended after it is durable only if it is, too. durable must be called at once,
// in whatever goroutine: others may wait for it.
func (j *Journal) Add(
	ctx context.Context, key, event string, data map[string]string,
) (durable func() error, err error) {
	_, g, first, err := j.join(ctx, Entry{Key: key, Event: event, Data: valid(data)})
	if err != nil {
		return nil, fmt.Errorf("writing %s %s to the journal: %w", event, key, err)
	}
	return func() error {
		if first {
			j.flush(g)
		}
		if <-g.ended; g.err != nil {
			return fmt.Errorf("writing %s %s to the journal: %w", event, key, g.err)
		}
		return nil
	}, nil
}

// join adds an entry to the chain, and to the group that is written next. The caller that added the first entry of a
// group (first is true) must flush the group.
func (j *Journal) join(ctx context.Context, e Entry) (_ Entry, g *group, first bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := errors.Join(afterFailure(j.broken), ctx.Err()); err != nil {
		return e, nil, false, err
	}
	e.Seq, e.Prev, e.Time = j.seq+1, j.hash, j.opts.Now().UTC()
	line, err := j.sealer.seal(&e)
	if err != nil {
		return e, nil, false, err
	}
	j.seq, j.hash = e.Seq, e.Hash
	if j.next == nil {
		j.next, first = &group{ended: make(chan struct{})}, true
	}
	j.next.entries = append(j.next.entries, e)
	j.next.text = append(append(j.next.text, printable.JSON(line)...), '\n')
	return e, j.next, first, nil
}

// flush makes the next group durable. Meanwhile the group after it grows.
func (j *Journal) flush(g *group) {
	j.disk.Lock()
	defer j.disk.Unlock()
	defer close(g.ended)
	runtime.Gosched() // goroutines whose entries were just made durable may add their next ones
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

// settle records the result of a write.
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

// valid returns the data as it will be read again, because its hash is computed then, too. JSON only keeps valid
// UTF-8.
func valid(data map[string]string) map[string]string {
	if len(data) == 0 {
		return nil
	}
	out := maps.Clone(data)
	for name, value := range data {
		delete(out, name)
		out[strings.ToValidUTF8(name, "\ufffd")] = strings.ToValidUTF8(value, "\ufffd")
	}
	return out
}

func (j *Journal) write(g *group) error {
	if j.opts.Watch == nil {
		if _, err := j.file.Write(g.text); err != nil {
			return err
		}
		return j.file.Sync()
	}
	rest := g.text
	for i := range g.entries { // in halves, so that a watcher can see the file with half a line
		n := bytes.IndexByte(rest, '\n') + 1
		line := rest[:n]
		rest = rest[n:]
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

// Close closes the file. Everything appended is already durable, and so is what was added, once durable
// has returned.
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

// sealer makes the hashes of entries. It is made once for many.
type sealer struct {
	hash hash.Hash
	line []byte // these are used again
	sum  []byte
	text []byte
}

func newSealer(key []byte) *sealer { return &sealer{hash: newHash(key)} }

// seal sets the hash of an entry, and returns its JSON, which holds until the next one is sealed.
func (s *sealer) seal(e *Entry) ([]byte, error) {
	e.Hash = ""
	b, ok := e.plainJSON(s.line[:0])
	if !ok {
		var err error
		if b, err = json.Marshal(*e); err != nil {
			return nil, fmt.Errorf("hashing journal entry %d: %w", e.Seq, err)
		}
	}
	e.Hash = string(s.sumOf(b))
	b = append(b[:len(b)-len(ending)], e.Hash...) // the hash is the last member
	s.line = append(b, ending...)
	return s.line, nil
}

// sumOf returns the hash of a text that is in pieces, in hex, which holds until the next one is made.
func (s *sealer) sumOf(pieces ...[]byte) []byte {
	s.hash.Reset()
	for _, p := range pieces {
		s.hash.Write(p)
	}
	s.sum = s.hash.Sum(s.sum[:0])
	s.text = hex.AppendEncode(s.text[:0], s.sum)
	return s.text
}

func newHash(key []byte) hash.Hash {
	if key == nil {
		return sha256.New()
	}
	return hmac.New(sha256.New, key)
}
