package rest

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/printable"
)

// What a server may make us read, keep and wait for. All of it is counted after decompression: 60 KiB of gzip can hold
// 60 MiB. An answer beyond a bound is ErrBound and is not asked for again.
const (
	// DefaultMaxBytes bounds an answer of Do, in bytes: what a server says of itself has a few million.
	DefaultMaxBytes = 64 << 20
	// DefaultMaxStream bounds an answer of Stream, in bytes, since it may be written to a disk: an export of ten million
	// pairs has some nine billion.
	DefaultMaxStream = 16 << 30
	// MaxValues bounds the braces, brackets, commas and colons of a JSON answer. A value of two bytes, such as {}, takes
	// 60 to 300 in memory once it is decoded; a list of 100,000 objects of 20 members has four million.
	MaxValues = 4_000_000
	// MaxDepth bounds how deep objects and arrays of a JSON answer may be nested. Real answers have a dozen levels.
	MaxDepth = 100
	// MaxText bounds one text or number of a JSON answer, in bytes: it may be shown, and what is shown is looked through
	// for secrets, which takes a second for a million bytes that were written to take long.
	MaxText = 1 << 20
	// maxHeader bounds the headers of an answer, in bytes.
	maxHeader = 256 << 10
	// wholeAnswer is how many times Options.Timeout an answer of Do may take that comes in small pieces.
	wholeAnswer = 10
	// slowest is how many bytes a second a stream has to have on average, once it has taken wholeAnswer times
	// Options.Timeout. What the reader does in between does not count.
	slowest = 4 << 10
)

// ErrBound is what an answer wraps that is larger, longer or deeper than a server may answer.
var ErrBound = errors.New("beyond what is read of an answer")

// beyond is the error of an answer beyond a bound. It says the bound, and what came.
func beyond(status int, format string, args ...any) *Error {
	return &Error{
		Status: status, Sent: SentYes, permanent: true, cause: ErrBound,
		Message: fmt.Sprintf(format, args...) +
			"; find out what answers there: is it the server that is meant, or something in front of it?",
	}
}

// checkJSON looks whether decoding an answer stays within bounds, without decoding it. What is not JSON has none.
func checkJSON(body []byte) error {
	b := printable.Bounds{Values: MaxValues, Depth: MaxDepth, Text: MaxText}
	if err := b.Check(body); err != nil {
		return fmt.Errorf("the answer %w", err)
	}
	return nil
}

// bounded reads a stream up to a number of bytes, and as long as it is fast enough.
type bounded struct {
	attempt *attempt
	left    int64
	read    int64
	waited  time.Duration
}

// Read is of io.Reader. The watch is over each wait, and a timer over all of them: empty pieces wake the watch, too.
func (b *bounded) Read(p []byte) (int, error) {
	a := b.attempt
	most := wholeAnswer*a.client.o.Timeout + time.Duration(b.read/slowest)*time.Second
	read := b.read // as it is now: the timer may fire at any time
	whole := time.AfterFunc(most-b.waited, func() {
		a.cancel(fmt.Errorf("%w: only %d bytes came in %s", ErrTimeout, read, most))
	})
	defer whole.Stop()
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	begun := time.Now()
	a.watch.start()
	n, err := a.resp.Body.Read(p)
	a.watch.stop()
	b.waited += time.Since(begun)
	b.read += int64(n)
	if b.left -= int64(n); b.left < 0 {
		return 0, beyond(a.resp.StatusCode, "the answer is larger than %d bytes", a.client.o.MaxStream)
	}
	return n, err
}

// leaves tells whether a redirect leads away from a server. User and password in an address are never taken.
func leaves(next, first *http.Request) bool {
	return next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.URL.User != nil
}
