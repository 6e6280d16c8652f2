package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// Each calls do with each entry that Read returns, in order, and keeps none of them.
func Each(fsys afero.Fs, path string, key []byte, do func(Entry)) error {
	_, err := readParts(fsys, path, key, func(part []Entry, _ int64) {
		for _, e := range part {
			do(e)
		}
	})
	return err
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
func read(fsys afero.Fs, path string, key []byte) (entries []Entry, good int64, err error) {
	good, err = readParts(fsys, path, key, collecting(&entries))
	return entries, good, err
}

// readParts calls take as parse does, and returns the length of the file up to the end of the last whole line.
func readParts(fsys afero.Fs, path string, key []byte, take func(part []Entry, of int64)) (good int64, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return 0, fmt.Errorf("reading journal: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading journal: %w", err)
	}
	if good, err = parse(f, info.Size(), key, take); err != nil {
		return good, fmt.Errorf("reading journal %s: %w", path, err)
	}
	return good, nil
}

// Decode reads the output of Encode to its end. The error wraps ErrBroken if the chain is damaged.
func Decode(r io.Reader, key []byte) ([]Entry, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	var entries []Entry
	good, err := parse(bytes.NewReader(src), int64(len(src)), key, collecting(&entries))
	if err == nil && good < int64(len(src)) {
		err = fmt.Errorf("%w: its last line is not whole", ErrBroken)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a journal: %w", err)
	}
	return entries, nil
}

// collecting returns a function for parse that keeps all entries. It makes room for all at first: growing takes long.
func collecting(entries *[]Entry) func(part []Entry, of int64) {
	return func(part []Entry, of int64) {
		if *entries == nil {
			*entries = make([]Entry, 0, of)
		}
		*entries = append(*entries, part...)
	}
}

// parse decodes the complete lines of a journal of about size bytes. It calls take with the entries, some at a time,
// and with about how many there are, if the others are as long. It returns the length of the lines before the
// first damaged one. A last line without its newline is still being written, and is left out.
func parse(r io.Reader, size int64, key []byte, take func(part []Entry, of int64)) (good int64, err error) {
	var wait sync.WaitGroup
	defer wait.Wait()
	parts := make([]part, runtime.GOMAXPROCS(0)) // used in turn
	begun, taken, ended, seq, prev := 0, 0, false, 0, ""
	var rest []byte // what was read behind the last whole line
	for err == nil && !(ended && taken == begun) {
		if p := &parts[begun%len(parts)]; !ended && begun-taken < len(parts) {
			if rest, ended, err = p.read(r, rest, size); err != nil {
				return 0, err
			}
			wait.Go(func() { p.decode(key) })
			begun++
			continue
		}
		p := &parts[taken%len(parts)]
		<-p.decoded
		fault.Raise(p.fault)
		taken++
		err = p.err
		for i, e := range p.entries {
			if e.Seq != seq+1 || e.Prev != prev {
				p.entries, err = p.entries[:i], errChanged
				break
			}
			seq, prev = e.Seq, e.Hash
		}
		if n := len(p.entries); n > 0 {
			take(p.entries, size*int64(n)/int64(len(p.text))+1)
			good += int64(lengthOf(n, p.text))
		}
	}
	if err != nil {
		err = fmt.Errorf("line %d: %w", seq+1, err)
	}
	return good, err
}

// partSize is the number of bytes of a journal that are read and decoded together.
const partSize = 256 << 10

// part is a part of a journal. One is decoded while the next one is read, and decoded too.
type part struct {
	decoder *decoder
	text    []byte // whole lines
	entries []Entry
	err     error // why the line behind the entries is damaged
	fault   error
	decoded chan struct{} // closed when entries, err and fault are set
}

// read reads the next lines, the first of which begins with what was read before. It returns what it has read behind
// the last line, and whether that is the end.
func (p *part) read(r io.Reader, before []byte, size int64) (rest []byte, ended bool, err error) {
	p.text = append(slices.Grow(p.text[:0], len(before)+int(min(partSize, size+1))), before...)
	for {
		n, err := io.ReadFull(r, p.text[len(p.text):cap(p.text)])
		read := p.text[len(p.text) : len(p.text)+n]
		p.text = p.text[:len(p.text)+n]
		if ended = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); err != nil && !ended {
			return nil, false, err
		}
		if at := bytes.LastIndexByte(read, '\n'); at >= 0 || ended {
			lines := len(p.text) - len(read) + at + 1
			if at < 0 {
				lines = 0
			}
			p.text, rest = p.text[:lines], p.text[lines:]
			p.decoded = make(chan struct{})
			return rest, ended, nil
		}
		p.text = slices.Grow(p.text, len(p.text))
	}
}

// decode decodes the lines, up to the first damaged one.
func (p *part) decode(key []byte) {
	defer close(p.decoded)
	defer fault.Catch(&p.fault)
	if p.decoder == nil {
		p.decoder = newDecoder(key)
	}
	p.entries, p.err = p.entries[:0], nil
	p.decoder.lines.forget()
	for rest := p.text; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n')
		e, err := p.decoder.checked(rest[:n])
		if err != nil {
			p.err = err
			return
		}
		p.entries, rest = append(p.entries, e), rest[n+1:]
	}
}

// lengthOf returns the length of the first n lines of a text.
func lengthOf(n int, text []byte) int {
	rest := text
	for range n {
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	return len(text) - len(rest)
}

var errChanged = fmt.Errorf("%w: it was changed, or a line before it is missing", ErrBroken)

// decoder decodes lines of one journal. It must be used by one goroutine at a time.
type decoder struct {
	sealer *sealer
	lines  *scanner
}

func newDecoder(key []byte) *decoder { return &decoder{newSealer(key), newScanner()} }

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
		sum := d.sealer.sumOf(rest[:max(0, len(rest)-hashLen)], ending)
		if bytes.HasSuffix(rest, sum) && string(sum) == e.Hash { // most lines are written as they were hashed
			return e, true, nil
		}
	}
	again := e
	_, err = d.sealer.seal(&again)
	return e, err == nil && again.Hash == e.Hash, err
}

// anyEntry parses a line that may have any layout.
func anyEntry(line []byte) (e Entry, err error) {
	if json.Unmarshal(line, &e) != nil {
		return Entry{}, fmt.Errorf("%w: it was changed or cut short", ErrBroken)
	}
	return e, nil
}
