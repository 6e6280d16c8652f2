package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/fault"
)

// Read returns the entries of the journal at path. Another process may append at the same time; an incomplete line is
// left out. key is that of Options. The error wraps ErrBroken if the chain is damaged; then the entries before the
// damage are returned, too. It wraps fs.ErrNotExist if the journal is missing.
func Read(fsys afero.Fs, path string, key []byte) ([]Entry, error) {
	entries, _, err := read(fsys, path, key)
	return entries, err
}

// Last returns the last entry of the journal at path, and reads no more than necessary. The entry is authentic; the
// entries before it are not checked. The error wraps ErrBroken if the last line is incomplete or was changed.
func Last(fsys afero.Fs, path string, key []byte) (Entry, error) {
	line, err := lastLine(fsys, path)
	if err != nil {
		return Entry{}, fmt.Errorf("reading the last line of journal %s: %w", path, err)
	}
	e, authentic, err := newDecoder(key).decode(line)
	if err == nil && !authentic {
		err = fmt.Errorf("%w: its last line was changed", ErrBroken)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("reading journal %s: %w", path, err)
	}
	return e, nil
}

// lastLine returns the last line of a file without its newline. The file must end in a newline.
func lastLine(fsys afero.Fs, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for size := int64(8 << 10); ; size *= 8 {
		from := max(0, info.Size()-size)
		tail := make([]byte, info.Size()-from)
		if _, err := f.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		line, whole := bytes.CutSuffix(tail, []byte("\n"))
		if !whole {
			return nil, fmt.Errorf("%w: its last line is not whole", ErrBroken)
		}
		if at := bytes.LastIndexByte(line, '\n'); at >= 0 || from == 0 {
			return line[at+1:], nil
		}
	}
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

// Decode reads the output of Encode to its end. The error wraps ErrBroken if the chain is damaged.
func Decode(r io.Reader, key []byte) ([]Entry, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	entries, good, err := parse(src, key)
	if err == nil && good < int64(len(src)) {
		err = fmt.Errorf("%w: its last line is not whole", ErrBroken)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	return entries, nil
}

// smallPart is the minimum number of lines that one goroutine decodes.
const smallPart = 200

// parse decodes the complete lines of src. It returns the entries before the first damaged line, and their length in
// bytes. A last line without its newline is still being written, and is left out.
func parse(src, key []byte) ([]Entry, int64, error) {
	lines := linesOf(src)
	entries := make([]Entry, len(lines)-1)
	parts := min(runtime.GOMAXPROCS(0), 1+len(entries)/smallPart)
	failed := make([]error, parts)
	good := make([]int, parts) // the number of entries up to the end of each part, or up to the first damaged one in it
	faults := make([]error, parts)
	var wait sync.WaitGroup
	for i := range parts {
		wait.Go(func() {
			defer fault.Catch(&faults[i])
			d := newDecoder(key)
			end := len(entries) * (i + 1) / parts
			for good[i] = len(entries) * i / parts; good[i] < end && failed[i] == nil; {
				n := good[i]
				if entries[n], failed[i] = d.checked(src[lines[n] : lines[n+1]-1]); failed[i] == nil {
					good[i]++
				}
			}
		})
	}
	wait.Wait()
	fault.Raise(errors.Join(faults...))
	holds, err := len(entries), error(nil)
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		holds, err = good[i], failed[i]
	}
	prev := ""
	for i, e := range entries[:holds] {
		if e.Seq != i+1 || e.Prev != prev {
			holds, err = i, errChanged
			break
		}
		prev = e.Hash
	}
	if err != nil {
		err = fmt.Errorf("line %d: %w", holds+1, err)
	}
	return entries[:holds], int64(lines[holds]), err
}

// shortest is less than the number of bytes in any line that can be read: each has its hash.
var shortest = hashLen

// linesOf returns where each whole line of src begins, and where the last one ends. It ends with the first line that
// is too short: an entry takes more memory than an empty line, and nothing after a damaged line is read.
func linesOf(src []byte) []int {
	lines := make([]int, 1, 1+min(bytes.Count(src, []byte("\n")), len(src)/shortest+1))
	for {
		last := lines[len(lines)-1]
		n := bytes.IndexByte(src[last:], '\n')
		if n < 0 {
			return lines
		}
		lines = append(lines, last+n+1)
		if n < shortest {
			return lines
		}
	}
}

var errChanged = fmt.Errorf("%w: it was changed, or a line before it is missing", ErrBroken)

// decoder decodes lines of one journal. It must be used by one goroutine at a time.
type decoder struct {
	key   []byte
	hash  hash.Hash
	sum   []byte // reused for the next line
	text  []byte
	lines *scanner
}

func newDecoder(key []byte) *decoder {
	return &decoder{key: key, hash: newHash(key), lines: newScanner()}
}

// checked decodes a line. It fails if the line's hash is wrong.
func (d *decoder) checked(line []byte) (Entry, error) {
	e, authentic, err := d.decode(line)
	if err == nil && !authentic {
		err = errChanged
	}
	return e, err
}

// ending is what stands behind the hash in a line. The hash is that of the line without it.
var ending = []byte(`"}`)

// decode parses a line, and reports whether its hash is right.
func (d *decoder) decode(line []byte) (e Entry, authentic bool, err error) {
	e, ok := d.lines.entry(line)
	if !ok {
		if e, err = anyEntry(line); err != nil {
			return Entry{}, false, err
		}
	}
	if rest, whole := bytes.CutSuffix(line, ending); whole && len(e.Hash) == hashLen {
		d.hash.Reset()
		d.hash.Write(rest[:max(0, len(rest)-hashLen)])
		d.hash.Write(ending)
		d.sum = d.hash.Sum(d.sum[:0])
		d.text = hex.AppendEncode(d.text[:0], d.sum)
		if bytes.HasSuffix(rest, d.text) && string(d.text) == e.Hash { // most lines are written as they were hashed
			return e, true, nil
		}
	}
	want, err := e.sum(d.key)
	return e, err == nil && e.Hash == want, err
}

// anyEntry parses a line that may have any layout.
func anyEntry(line []byte) (e Entry, err error) {
	if json.Unmarshal(line, &e) != nil {
		return Entry{}, fmt.Errorf("%w: it was changed or cut short", ErrBroken)
	}
	return e, nil
}
