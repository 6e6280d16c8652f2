package rest

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncctl/syncctl/printable"
)

// The limits of what a server may make us read, keep and wait for. All sizes are counted after decompression: 60 KiB
// of gzip can hold 60 MiB. An answer beyond a limit is ErrBound and is not requested again.
const (
	// DefaultMaxBytes is the limit of an answer of Do, in bytes. What a server says about itself has a few million.
	DefaultMaxBytes = 64 << 20
	// DefaultMaxStream is the limit of an answer of Stream, in bytes, since it may be written to a disk. An export of
	// ten million pairs has about nine billion.
	DefaultMaxStream = 16 << 30
	// MaxValues is the limit of the number of braces, brackets, commas and colons of a JSON answer. A value of two
	// bytes, such as {}, takes 60 to 300 in memory once it is decoded. A list of 100,000 objects of 20 members has
	// four million.
	MaxValues = 4_000_000
	// MaxDepth is how deep objects and arrays of a JSON answer may be nested. Real answers have a dozen levels.
	MaxDepth = 100
	// MaxText is the limit of one text or number of a JSON answer, in bytes. It may be shown, and what is shown is
	// searched for secrets, which takes a second for a million bytes that were made to take long.
	MaxText = 1 << 20
	// readAtOnce is the number of bytes of an answer that are read beside others. What comes after them is read of one
	// answer of a server at a time, until it is decoded: sixteen of the largest would take gigabytes.
	readAtOnce = 4 << 20
	undecoded  = 5 * time.Second // after which the next one is read, too
	// decodedAtOnce is the size of answers that are decoded beside others.
	decodedAtOnce = 256 << 10
	// maxHeader is the limit of the headers of an answer, in bytes.
	maxHeader = 256 << 10
	// mostConnections is the number of connections, new or kept, that are tried for one attempt: of kept ones any number
	// may turn out to be closed.
	mostConnections = 2 * mostIdle
	// wholeAnswer is the time that an answer of Do in small pieces may take, as a multiple of Options.Timeout.
	wholeAnswer = 10
	// slowest is the minimum average speed of a stream, in bytes per second, once it has taken wholeAnswer times
	// Options.Timeout. The time that the caller spends between reads does not count.
	slowest = 4 << 10
)

// ErrBound is wrapped by the error for an answer that is larger, longer or deeper than allowed.
var ErrBound = errors.New("beyond what is read of an answer")

// beyond returns the error for an answer beyond a limit. It says the limit, and what came.
func beyond(status int, format string, args ...any) *Error {
	return &Error{
		Status: status, Sent: SentYes, permanent: true, cause: ErrBound,
		Message: fmt.Sprintf(format, args...) +
			"; find out what answers there: is it the server that is meant, or something in front of it?",
	}
}

// checkJSON checks that decoding an answer stays within the limits, without decoding it. It accepts what is not JSON.
func checkJSON(body []byte) error {
	b := printable.Bounds{Values: MaxValues, Depth: MaxDepth, Text: MaxText}
	if err := b.Check(body); err != nil {
		return fmt.Errorf("the answer %w", err)
	}
	return nil
}

// bounded reads a stream up to a number of bytes, as long as it is fast enough.
type bounded struct {
	attempt *attempt
	left    int64
	read    int64
	waited  time.Duration
}

// Read implements io.Reader. The watchdog limits each wait, and a timer limits all waits together, because empty
// pieces restart the watchdog.
func (b *bounded) Read(p []byte) (int, error) {
	a := b.attempt
	most := wholeAnswer*a.client.o.Timeout + time.Duration(b.read/slowest)*time.Second
	read := b.read // a copy, because the timer may fire at any time
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

// leaves reports whether a redirect leads to another server. An address with a user and password is never followed.
func leaves(next, first *http.Request) bool {
	return next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.URL.User != nil
}
