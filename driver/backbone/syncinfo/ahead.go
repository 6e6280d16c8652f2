package syncinfo

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"

	"github.com/syncctl/syncctl/fault"
)

// ahead reads before it is asked to, in goroutines of its own that take turns. Each scans what it has read: from where
// an entry seems to begin on, entry by entry. A Reader that comes to that very place as the beginning of an entry takes
// what has been scanned, and otherwise the bytes: what it returns never depends on whether the guess was right.
type ahead struct {
	src   io.Reader
	turn  sync.Mutex // of who reads
	ended bool       // src has no more, or a fault

	free  chan *piece // closed to end the goroutines
	order chan *piece // pieces in the order of the file, perhaps not ready yet
	work  sync.WaitGroup

	least int                    // the size of pieces, unless entries are large
	size  atomic.Int64           // of the pieces that are read next
	start atomic.Pointer[[]byte] // how entries begin; nil if nothing is to be scanned

	// Of who takes what has been read:
	now   *piece
	at    int    // how much of now.data has been taken
	begin []byte // how the last entry began that it scanned itself
}

// piece is what one call of Read gave.
type piece struct {
	buf   []byte // data and pad
	n     int
	err   error
	ready chan struct{}

	s        scanner
	entries  []Entry // their places count from that of the first one
	from, to int     // where they are in the data; from is -1 if they are not wanted
	lines    int     // line breaks up to the end of the last entry
	last     int     // where the last of these lines begins, from the first entry
}

const (
	scanners    = 2
	mostScanned = 1 << 9 // entries of a piece
	mostGuesses = 16     // places in a piece where an entry seems to begin
)

// Pieces are large while entries are: one that crosses the end of a piece is scanned again.
const (
	largeEntry = 32 << 10
	largePiece = 1 << 20
	smallPiece = 16 << 10
)

// pieces are those of one reading at a time. Their memory is taken when it is needed.
type pieces [scanners + 2]piece

func readAhead(r io.Reader, all *pieces, size, maxEntry int, findTwice bool) *ahead {
	a := &ahead{src: r, free: make(chan *piece, len(all)), order: make(chan *piece, len(all)),
		now: &piece{from: -1}, least: size}
	a.size.Store(int64(size))
	for i := range all {
		p := &all[i]
		p.s.keepTexts, p.s.findTwice = true, findTwice
		p.ready = make(chan struct{}, 1)
		a.free <- p
	}
	for range scanners {
		a.work.Go(func() {
			for p := range a.free {
				if !a.fill(p, maxEntry) {
					return
				}
			}
		})
	}
	return a
}

// fill reads the next piece and scans it. It returns false if there is none, or after a fault.
func (a *ahead) fill(p *piece, maxEntry int) bool {
	a.turn.Lock()
	if a.ended {
		a.turn.Unlock()
		return false
	}
	p.resize(int(a.size.Load()))
	a.ended = true // unless reading succeeds
	a.order <- p
	defer func() { p.ready <- struct{}{} }()
	defer fault.Catch(&p.err)
	func() {
		defer a.turn.Unlock()
		p.n, p.from = 0, -1
		p.n, p.err = a.src.Read(p.buf[:len(p.buf)-pad])
		a.ended = p.err != nil
	}()
	if start := a.start.Load(); start != nil {
		p.guess(*start, maxEntry)
	}
	return true
}

// resize makes room for size bytes.
func (p *piece) resize(size int) {
	if size += pad; cap(p.buf) < size {
		p.buf = make([]byte, size)
	}
	p.buf = p.buf[:size]
	p.s.b = p.buf
}

// guess scans the entries from the first place on where one seems to begin.
func (p *piece) guess(start []byte, maxEntry int) {
	clear(p.buf[p.n : p.n+pad])
	p.s.n, p.s.decoded = p.n, p.s.decoded[:0]
	for i, guesses := 0, 0; guesses < mostGuesses; guesses++ {
		next := bytes.Index(p.buf[i:p.n], start)
		if next < 0 {
			return
		}
		i += next
		if p.scan(i, maxEntry); len(p.entries) > 0 {
			p.from = i
			return
		}
		i++
	}
}

// scan scans entries from i on.
func (p *piece) scan(i, maxEntry int) {
	from, counted := i, i
	p.entries, p.lines, p.last = p.entries[:0], 0, 0
	count := func(to int) {
		if n := bytes.Count(p.buf[counted:to], []byte{'\n'}); n > 0 {
			p.lines += n
			p.last = counted + bytes.LastIndexByte(p.buf[counted:to], '\n') + 1 - from
		}
		counted = to
	}
	if p.entries == nil {
		p.entries = make([]Entry, 0, mostScanned)
	}
	for n := 0; n < mostScanned; n++ {
		e := &p.entries[:n+1][n]
		end := p.s.entry(i, e)
		if end < 0 || end-i > maxEntry {
			break
		}
		count(i)
		p.entries = p.entries[:n+1]
		e.Offset, e.Line, e.Column = int64(i-from), p.lines, i-from-p.last
		p.to = end
		if i = skipSpace(p.buf, end); p.buf[i] != ',' {
			break
		}
		i = skipSpace(p.buf, i+1)
	}
	if len(p.entries) > 0 {
		count(p.to)
	}
}

// Read gives bytes up to the next entries that have been scanned. If those come next, it gives their bytes.
func (a *ahead) Read(b []byte) (int, error) {
	if a.scanned() {
		a.now.from = -1
	}
	if a.at == a.now.n && a.now.err == nil {
		a.next()
	}
	data := a.now.buf[a.at:a.now.n]
	if a.now.from >= a.at {
		data = a.now.buf[a.at:a.now.from]
	}
	n := copy(b, data)
	if a.at += n; a.at == a.now.n {
		return n, a.now.err
	}
	return n, nil
}

// next waits for the next piece.
func (a *ahead) next() {
	if old := a.now; old.buf != nil {
		if was := a.start.Load(); old.from < 0 && len(a.begin) > 0 && (was == nil || !bytes.Equal(*was, a.begin)) {
			start := bytes.Clone(a.begin)
			a.start.Store(&start)
		}
		a.free <- old
	}
	a.now, a.at = <-a.order, 0
	<-a.now.ready
	if a.now.err != nil {
		fault.Raise(a.now.err)
	}
}

// scanned reports whether scanned entries come next.
func (a *ahead) scanned() bool { return a.now.from == a.at }

// like notes an entry that had to be scanned by who reads.
func (a *ahead) like(raw []byte) {
	a.begin = append(a.begin[:0], raw[:bytes.IndexByte(raw, ':')+1]...)
	size := a.least
	if len(raw) > largeEntry {
		size = max(size, largePiece)
	} else if all := len(raw) * mostScanned * 7 / 8; all < size { // so that nearly all of a piece is scanned ahead
		size = max(all, smallPiece)
	}
	a.size.Store(int64(size))
}

// stop returns once the goroutines have ended.
func (a *ahead) stop() {
	close(a.free)
	a.work.Wait()
}
