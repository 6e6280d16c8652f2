package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
	"golang.org/x/crypto/ssh"
)

// transfer is an SFTP session.
type transfer struct {
	*sftp.Client

	in    *meter
	once  sync.Once
	ended chan struct{} // closed when nothing more can come of it
}

// maxListing bounds what a machine may send while one folder is listed, in bytes: a hundred thousand names of the usual
// length, and their attributes.
const maxListing = 16 << 20

// list lists a folder, up to maxListing.
func (t *transfer) list(ctx context.Context, folder string) ([]fs.FileInfo, error) {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer t.in.limit(maxListing, func() {
		cancel(&inWords{fmt.Sprintf("at most %d bytes of a folder's list are read, and more came; are old files to be moved "+
			"away?", maxListing), ErrTooLarge})
	})()
	infos, err := t.ReadDirContext(within, folder)
	if within.Err() != nil {
		return nil, context.Cause(within)
	}
	return infos, err
}

// meter counts what comes of a machine's file transfer.
type meter struct {
	io.Reader

	mu    sync.Mutex
	seen  int64
	calls map[*func()]int64 // what is called, and when
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen += int64(n)
	for call, at := range m.calls {
		if m.seen > at {
			(*call)()
			delete(m.calls, call)
		}
	}
	return n, err
}

// limit calls something once more than so many bytes have come, until it is ended.
func (m *meter) limit(most int64, call func()) (end func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[*func()]int64{}
	}
	m.calls[&call] = m.seen + most
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.calls, &call)
	}
}

func newTransfer(c *sftp.Client, in *meter) *transfer {
	t := &transfer{Client: c, in: in, ended: make(chan struct{})}
	go func() {
		_ = c.Wait() // that it ended is all
		t.once.Do(func() { close(t.ended) })
	}()
	return t
}

// end gives the session up: the next use of files opens another. A machine that does not answer is not waited for.
func (t *transfer) end() {
	t.once.Do(func() { close(t.ended) })
	go t.Close()
}

func (t *transfer) usable() bool {
	select {
	case <-t.ended:
		return false
	default:
		return true
	}
}

// files gives the SFTP session of this connection.
func (l *link) files(ctx context.Context) (*transfer, error) {
	select {
	case l.opening <- struct{}{}:
		defer func() { <-l.opening }()
	case <-l.gone:
		return nil, l.broken()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.transfer != nil && l.transfer.usable() {
		return l.transfer, nil
	}
	within, cancel := context.WithTimeoutCause(ctx, l.fileTimeout, noAnswer(l.fileTimeout))
	defer cancel()
	s, err := l.open(within)
	if err != nil {
		return nil, err
	}
	in := &meter{Reader: s.channel}
	c, err := s.transfer(within, in)
	if err != nil {
		return nil, err
	}
	l.transfer = newTransfer(c, in)
	return l.transfer, nil
}

func noAnswer(limit time.Duration) error {
	return &inWords{fmt.Sprintf("the machine did not answer within %s", limit), context.DeadlineExceeded}
}

// transfer has the machine speak SFTP in the session.
func (s *session) transfer(ctx context.Context, in io.Reader) (*sftp.Client, error) {
	c, ok, err := await(ctx, func() (*sftp.Client, bool, error) {
		ok, err := s.channel.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
		if err != nil || !ok {
			return nil, ok, err
		}
		// One after the other: asked for parts at the same time, the library takes a short answer for the file's end.
		c, err := sftp.NewClientPipe(in, s.channel, sftp.UseConcurrentReads(false))
		return c, true, err
	})
	if err == nil && ok {
		return c, nil
	}
	go s.channel.Close() // does not wait for a connection that hangs
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil:
		return nil, errors.New("the machine offers no file transfer (Subsystem sftp in its sshd_config)")
	}
	if broken := s.link.alive(ctx); broken != nil {
		return nil, broken
	}
	return nil, &inWords{"the machine's file transfer does not answer as SFTP does (does a login script print " +
		"something?): " + foreign(err), err}
}

// await waits for what act returns until ctx ends. An answer that comes later is dropped: act must not write anything
// that its caller reads. A machine must not end this program: if the library panics about an answer, that is an error.
func await[A, B any](ctx context.Context, act func() (A, B, error)) (A, B, error) {
	type answer struct {
		a   A
		b   B
		err error
	}
	got := make(chan answer, 1)
	go func() {
		x := answer{err: errors.New("its answer cannot be understood")}
		defer func() {
			_ = recover()
			got <- x
		}()
		x.a, x.b, x.err = act()
	}()
	select {
	case x := <-got:
		return x.a, x.b, x.err
	case <-ctx.Done():
		var none answer
		return none.a, none.b, context.Cause(ctx)
	}
}

// answerOf waits for an answer of the machine until the context ends or the limit is over. Then the session is ended:
// whoever waits for nothing must not be told later.
func answerOf[T any](f *sftpFiles, c *transfer, act func() (T, error)) (T, error) {
	within, cancel := context.WithTimeoutCause(f.ctx, f.limit, noAnswer(f.limit))
	defer cancel()
	got, done, err := await(within, func() (T, bool, error) {
		got, err := act()
		return got, true, err
	})
	if done {
		return got, err
	}
	c.end()
	return got, &Error{
		Host: f.name, Doing: reachingFiles, Started: StartedMaybe, cause: err,
		Message: printable.Line(wording.Closed(err).Error()) + ": the file transfer was ended, and whether the machine " +
			"did what was asked is unknown",
	}
}
