package syncinfo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// firstBuffer is the size of a Reader's first buffer. Large blocks keep the cost low: of reading, and of scanning an
// entry again that crosses the end of the buffer.
const firstBuffer = 128 << 10

// maxWarnings bounds the memory that an unusual file can take.
const maxWarnings = 100

// state is what a Reader expects next.
type state uint8

const (
	atStart       state = iota
	inEnvelope          // a member of the envelope, or its end
	inFirstEntry        // the first entry of an array, or its end
	inNextEntry         // a comma and the next entry, or the array's end
	afterEnvelope       // the end of the file
)

// Reader reads entries from a stream, one after the other. It is strict: what it lets pass is valid JSON in UTF-8
// (RFC 8259). Its memory is bounded by the largest entry.
type Reader struct {
	name     string
	src      io.Reader
	array    bool // a bare array, no envelope
	second   bool // secondConnector is allowed
	maxEntry int
	buffer   int // size of the first buffer
	shared   *[]byte
	tally    *Tally // see Counting; may be nil

	s      scanner
	buf    []byte
	r, w   int   // buf[r:w] has been read but not yet scanned
	base   int64 // offset of buf[0] in the file
	eof    bool
	state  state
	member bool // the envelope has had a member

	// Lines are counted up to buf[counted].
	counted   int
	line      int
	lineStart int64 // offset of the line's first byte

	seen     map[Section]bool
	section  Section
	entry    *Entry
	own      Entry   // is that unless it has been scanned ahead
	ahead    *ahead  // what src is if it also scans; may be nil
	scanned  []Entry // entries that come next
	warnings []Warning
	err      error
}

// ReaderOption changes how a Reader reads.
type ReaderOption func(*Reader)

// WithSecond also allows a secondConnector in the envelope, as in the export of a direct synchronization and in a
// merged file. Section says in which one an entry is.
func WithSecond() ReaderOption { return func(r *Reader) { r.second = true } }

// MaxEntry limits one entry, or one unknown member of the envelope, to n bytes instead of DefaultMaxEntry.
func MaxEntry(n int) ReaderOption { return func(r *Reader) { r.maxEntry = n } }

// keepPairs makes the reader remember where the comments and attachments of the current entry are.
func keepPairs() ReaderOption { return func(r *Reader) { r.s.keepPairs = true } }

// sharing makes readers use one buffer. They must never be used at the same time.
func sharing(buf *[]byte) ReaderOption { return func(r *Reader) { r.shared = buf } }

// NewExportReader reads a file of "Download synchronized issues": {"firstConnector":[...]}. A secondConnector is
// refused unless WithSecond is given. name is the file's name in errors.
func NewExportReader(name string, r io.Reader, options ...ReaderOption) *Reader {
	return newReader(name, r, false, options)
}

// NewArrayReader reads a bare array of entries, the answer to GET .../connectors/{connectorKey}/syncInformation
// (H/3.9/server/connectors-121944268.html).
func NewArrayReader(name string, r io.Reader, options ...ReaderOption) *Reader {
	return newReader(name, r, true, options)
}

func newReader(name string, src io.Reader, array bool, options []ReaderOption) *Reader {
	r := &Reader{name: name, src: src, array: array, maxEntry: DefaultMaxEntry, buffer: firstBuffer, line: 1,
		seen: map[Section]bool{}}
	for _, o := range options {
		o(r)
	}
	if r.shared != nil && len(*r.shared) >= r.buffer+pad {
		r.buf = *r.shared
	} else {
		r.take(r.buffer)
	}
	r.s.b = r.buf
	return r
}

// Name returns the file's name as given.
func (r *Reader) Name() string { return r.name }

// Section returns the section of the last entry.
func (r *Reader) Section() Section { return r.section }

// Warnings lists what was unusual so far: members of the envelope that Backbone does not document and that were
// skipped.
func (r *Reader) Warnings() []Warning { return r.warnings }

// Next returns the next entry, which is valid until the next call. It returns io.EOF after the last entry of a file
// that is correct to its last byte, a *SyntaxError if it is not, or the wrapped error of the underlying reader. After
// an error it returns the same error again.
func (r *Reader) Next() (*Entry, error) {
	if r.err == nil {
		if len(r.scanned) > 0 {
			r.entry, r.scanned = &r.scanned[0], r.scanned[1:]
		} else {
			r.err = r.next()
		}
		if r.err == nil {
			if r.tally != nil {
				r.tally.add(r.entry)
			}
			return r.entry, nil
		}
	}
	return nil, r.err
}

func (r *Reader) next() error {
	for {
		var err error
		switch r.state {
		case atStart:
			err = r.start()
		case inEnvelope:
			err = r.envelope()
		case afterEnvelope:
			err = r.end()
		default:
			found, err := r.inArray()
			if found || err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// start checks the first bytes of the file.
func (r *Reader) start() error {
	if err := r.fill(); err != nil {
		return err
	}
	if msg := foreign(r.buf[:min(r.w, 4)]); msg != "" {
		return r.fail(0, msg)
	}
	c, err := r.peek()
	switch {
	case err != nil:
		return err
	case r.ended():
		return r.fail(r.r, "the file is empty; download it again")
	case c == '<':
		return r.fail(r.r, webPage)
	case r.array && c == '[':
		r.section, r.state = First, inFirstEntry
	case r.array && c == '{':
		return r.fail(r.r, `expected an array of entries, found an object: `+
			`this looks like a file of "Download synchronized issues", or an error message`)
	case r.array:
		return r.fail(r.r, "not JSON: expected '[', found "+found(c))
	case c == '{':
		r.state = inEnvelope
	case c == '[':
		return r.fail(r.r, `expected an object with "firstConnector", found an array: `+
			`this looks like an answer of REST; use the file of "Download synchronized issues"`)
	default:
		return r.fail(r.r, "not JSON: expected '{', found "+found(c)+notExport)
	}
	r.r++
	return nil
}

// envelope reads up to the first entry of the next array, or one unknown member, or the envelope's end.
func (r *Reader) envelope() error {
	c, err := r.peek()
	if err != nil {
		return err
	}
	comma := false
	if r.member && c == ',' {
		comma = true
		r.r++
		if c, err = r.peek(); err != nil {
			return err
		}
	}
	switch {
	case r.ended():
		return r.fail(r.r, "the file ends before its closing '}': it is cut short; download it again")
	case c == '}' && comma:
		return r.fail(r.r, notJSON("unexpected comma before '}'", c))
	case c == '}':
		if !r.seen[First] {
			return r.fail(r.r, "firstConnector is missing"+notExport)
		}
		r.r++
		r.state = afterEnvelope
		return nil
	case r.member && !comma:
		return r.fail(r.r, notJSON(missingComma(c, true), c))
	}
	at, err := r.need(func(i int) int { return r.s.name(i, i-1) })
	if err != nil {
		return err
	}
	nameEnd := bytes.LastIndexByte(r.buf[:at], '"')
	name := r.buf[r.r+1 : nameEnd]
	if bytes.IndexByte(name, '\\') >= 0 {
		name, _ = unescape(nil, name)
	}
	r.member = true
	return r.envelopeMember(string(name), at)
}

// envelopeMember reads the value of a member whose name is at r.r: it enters an array of entries, and skips the rest.
func (r *Reader) envelopeMember(name string, value int) error {
	section := Section(name)
	if section != First && section != Second {
		r.warn(r.r, "the member \""+clip(name)+"\" is not known and is left out")
		r.r = value
		return r.skip()
	}
	switch {
	case r.seen[section]:
		return r.fail(r.r, name+" occurs twice"+notExport)
	case section == Second && !r.second:
		return r.fail(r.r, "secondConnector exists already: this looks like an already merged file; use the two "+
			"files as they were downloaded")
	}
	if value >= r.w {
		return r.fail(r.w, cutShort)
	}
	if r.buf[value] != '[' {
		return r.fail(value, name+" must be an array of entries, found "+kindOf(r.buf[value])+notExport)
	}
	r.seen[section] = true
	r.section, r.state, r.r = section, inFirstEntry, value+1
	return nil
}

// inArray reads an entry (found is true) or the array's end.
func (r *Reader) inArray() (found bool, err error) {
	c, err := r.peek()
	if err != nil {
		return false, err
	}
	if c == ']' {
		r.r++
		r.state = inEnvelope
		if r.array {
			r.state = afterEnvelope
		}
		return false, nil
	}
	if r.ended() {
		return false, r.fail(r.r, "the file ends inside "+string(r.section)+": it is cut short; download it again")
	}
	if r.state == inNextEntry {
		if c != ',' {
			return false, r.fail(r.r, notJSON(missingComma(c, false), c))
		}
		r.r++
		if _, err = r.peek(); err != nil {
			return false, err
		}
	}
	return true, r.readEntry()
}

// readEntry reads the entry at r.r. It does what need does, but with entry inlined, because every entry takes this
// path.
func (r *Reader) readEntry() error {
	r.state = inNextEntry
	if r.atScanned() {
		r.takeScanned()
		return nil
	}
	e := &r.own
	r.entry = e
	for {
		r.s.n = r.w
		end := r.s.entry(r.r, e)
		if end < 0 {
			if err := r.more(); err != nil {
				return err
			}
			continue
		}
		if end-r.r > r.maxEntry {
			return r.tooLarge()
		}
		r.count(r.r)
		e.Offset = r.base + int64(r.r)
		e.Line, e.Column = r.line, int(e.Offset-r.lineStart)+1
		r.r = end
		if r.ahead != nil {
			r.ahead.like(e.Raw)
		}
		return nil
	}
}

// atScanned reports whether entries come next that have been scanned ahead.
func (r *Reader) atScanned() bool { return r.ahead != nil && r.r == r.w && r.ahead.scanned() }

// takeScanned takes them. None of their bytes gets into the buffer.
func (r *Reader) takeScanned() {
	r.count(r.r)
	p, start := r.ahead.now, r.base+int64(r.r)
	for i := range p.entries {
		e := &p.entries[i]
		if e.Column++; e.Line == 0 {
			e.Column += int(start - r.lineStart)
		}
		e.Line += r.line
		e.Offset += start
	}
	if r.line += p.lines; p.lines > 0 {
		r.lineStart = start + int64(p.last)
	}
	r.base, r.r, r.w, r.counted = start+int64(p.to-p.from), 0, 0, 0
	clear(r.buf[:pad])
	r.ahead.at = p.to
	r.entry, r.scanned = &p.entries[0], p.entries[1:]
}

// end checks that nothing follows.
func (r *Reader) end() error {
	if _, err := r.peek(); err != nil {
		return err
	}
	if !r.ended() {
		return r.fail(r.r, "unexpected text after the end of the JSON ("+found(r.buf[r.r])+"); remove it, or "+
			"download the file again")
	}
	return io.EOF
}

// need runs scan at r.r, and reads more of the file until scan has all the data that it looks at.
func (r *Reader) need(scan func(i int) int) (int, error) {
	for {
		r.s.n = r.w
		end := scan(r.r)
		if end >= 0 && (end < r.w || r.eof) {
			if end-r.r > r.maxEntry {
				return r.r, r.tooLarge()
			}
			return end, nil
		}
		if end >= 0 {
			r.s.at = r.w // a number may continue
		}
		if err := r.more(); err != nil {
			return r.r, err
		}
	}
}

// more reads more data if the scanner failed at the end of the data in memory. Otherwise it returns the failure.
func (r *Reader) more() error {
	if !r.eof && r.s.at+pad >= r.w {
		if r.w-r.r > r.maxEntry {
			return r.tooLarge()
		}
		return r.fill()
	}
	if r.s.at >= r.w {
		return r.fail(r.w, cutShort)
	}
	return r.fail(r.s.at, r.s.message())
}

func (r *Reader) tooLarge() error {
	return r.fail(r.r, fmt.Sprintf("this entry is larger than %d bytes; it cannot be from Backbone", r.maxEntry))
}

// peek skips white space and returns the next byte without consuming it. At the end of the file, ended becomes true.
func (r *Reader) peek() (byte, error) {
	for {
		r.r = skipSpace(r.buf, r.r)
		if r.r < r.w {
			return r.buf[r.r], nil
		}
		switch {
		case r.eof:
			return 0, nil
		case r.atScanned() && (r.state == inFirstEntry || r.state == inNextEntry):
			return '{', nil
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
}

func (r *Reader) ended() bool { return r.eof && r.r >= r.w }

// fill drops the data that has been scanned, and reads until the buffer is full, the file ends, or entries come next
// that have been scanned ahead. If one entry fills the whole buffer, the buffer doubles.
func (r *Reader) fill() error {
	r.count(r.r)
	switch {
	case r.r > 0:
		copy(r.buf, r.buf[r.r:r.w])
		r.base += int64(r.r)
		r.w -= r.r
		r.r, r.counted = 0, 0
	case r.w == len(r.buf)-pad:
		// One byte more than the limit is enough to notice that it is exceeded.
		size := min(2*r.w, max(r.maxEntry+1, r.buffer)+r.buffer)
		old := r.buf[:r.w]
		r.take(size)
		copy(r.buf, old)
		r.s.b = r.buf
	}
	had := r.w // perhaps the beginning of an entry, which is scanned again
	for empty := 0; r.w < len(r.buf)-pad; {
		n, err := r.src.Read(r.buf[r.w : len(r.buf)-pad])
		r.w += n
		if errors.Is(err, io.EOF) {
			r.eof = true
			break
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", r.name, err)
		}
		if r.ahead != nil && r.ahead.scanned() && (had < len(r.ahead.now.buf) || r.w-had >= had) {
			break // but not after each piece of an entry that is larger than one
		}
		if empty++; n > 0 {
			empty = 0
		} else if empty == 100 {
			return fmt.Errorf("reading %s: %w", r.name, io.ErrNoProgress)
		}
	}
	clear(r.buf[r.w : r.w+pad])
	return nil
}

// take allocates a new buffer.
func (r *Reader) take(size int) {
	r.buf = make([]byte, size+pad)
	if r.shared != nil {
		*r.shared = r.buf
	}
}

// count counts lines up to buf[to].
func (r *Reader) count(to int) {
	if to <= r.counted {
		return
	}
	seg := r.buf[r.counted:to]
	if n := bytes.Count(seg, []byte{'\n'}); n > 0 {
		r.line += n
		r.lineStart = r.base + int64(r.counted+bytes.LastIndexByte(seg, '\n')) + 1
	}
	r.counted = to
}

func (r *Reader) fail(at int, msg string) error {
	r.count(at)
	offset := r.base + int64(at)
	return &SyntaxError{File: r.name, Line: r.line, Column: int(offset-r.lineStart) + 1, Offset: offset, Msg: msg}
}

func (r *Reader) warn(at int, msg string) {
	if len(r.warnings) == maxWarnings {
		return
	}
	r.count(at)
	r.warnings = append(r.warnings, Warning{Where: where(r.name, r.line, int(r.base+int64(at)-r.lineStart)+1), Msg: msg})
}
