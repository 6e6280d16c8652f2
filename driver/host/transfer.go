package host

import (
	"context"
	"encoding/binary"
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
	ended chan struct{} // closed when it cannot be used any more
}

// maxListing is the maximum size of a folder's listing, in bytes: enough for a hundred thousand names of the usual
// length and their attributes.
const maxListing = 16 << 20

// list lists a folder, up to maxListing. Listings at the same time count together.
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

// meter counts the bytes of names that come from a machine's file transfer. Files that are read at the same time come
// the same way, and do not count.
type meter struct {
	io.Reader

	mu    sync.Mutex
	seen  int64
	calls map[*func()]int64 // functions to call, and after how many bytes

	head []byte // the beginning of an answer, as far as it has come: its length and its kind
	left int64  // bytes of the answer that are still to come
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(p[:n])
	for call, at := range m.calls {
		if m.seen > at {
			(*call)()
			delete(m.calls, call)
		}
	}
	return n, err
}

func (m *meter) count(p []byte) {
	const (
		names = 104 // SSH_FXP_NAME
		whole = 4 + 1
	)
	for len(p) > 0 {
		if m.left == 0 {
			n := min(len(p), whole-len(m.head))
			m.head, p = append(m.head, p[:n]...), p[n:]
			if len(m.head) < whole {
				return
			}
			m.left = max(0, int64(binary.BigEndian.Uint32(m.head))-1) // the kind is a part of the length
		}
		n := min(m.left, int64(len(p)))
		if m.left -= n; m.head[4] == names {
			m.seen += n
		}
		if p = p[n:]; m.left == 0 {
			m.head = m.head[:0]
		}
	}
}

// limit calls a function once more than most bytes of names have come, unless end is called before.
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

// speak starts SFTP. No concurrent reads: with them, the library takes a short answer for the end of the file.
func speak(in io.Reader, out io.WriteCloser) (*sftp.Client, error) {
	return sftp.NewClientPipe(in, &asking{WriteCloser: out}, sftp.UseConcurrentReads(false))
}

// newMode is the mode of new files.
const newMode fs.FileMode = 0o600

// asking adds newMode to each request that makes a file: the library asks for no mode, so machines would use their
// default, which others may read. It relies on the library to write the head of a request at once.
type asking struct {
	io.WriteCloser

	left int // bytes of the last request that are still to come
}

func (a *asking) Write(p []byte) (int, error) {
	const (
		open, create = 3, 0x08 // SSH_FXP_OPEN, SSH_FXF_CREAT
		permissions  = 0x04    // SSH_FILEXFER_ATTR_PERMISSIONS
		kind         = 4       // place of the kind, after the length
		least        = 4 + 1 + 4 + 4 + 4 + 4
	)
	if a.left > 0 || len(p) <= kind { // content, which may look like a request
		a.left = max(0, a.left-len(p))
		return a.WriteCloser.Write(p)
	}
	length := 4 + int(binary.BigEndian.Uint32(p))
	a.left = max(0, length-len(p))
	flags, attributes := len(p)-8, len(p)-4
	if p[kind] != open || len(p) != length || length < least || binary.BigEndian.Uint32(p[flags:])&create == 0 ||
		binary.BigEndian.Uint32(p[attributes:]) != 0 {
		return a.WriteCloser.Write(p)
	}
	with := binary.BigEndian.AppendUint32(nil, uint32(length)) // the length without itself, and with the mode
	with = append(with, p[kind:attributes]...)
	with = binary.BigEndian.AppendUint32(with, permissions)
	with = binary.BigEndian.AppendUint32(with, uint32(newMode))
	n, err := a.WriteCloser.Write(with)
	return min(n, len(p)), err
}

func newTransfer(c *sftp.Client, in *meter) *transfer {
	t := &transfer{Client: c, in: in, ended: make(chan struct{})}
	go func() {
		_ = c.Wait() // only that it ended matters
		t.once.Do(func() { close(t.ended) })
	}()
	return t
}

// end gives the session up, without waiting for a machine that does not answer. The next use of files opens a new
// one.
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

// files returns the SFTP session of this connection.
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

// transfer starts SFTP in the session.
func (s *session) transfer(ctx context.Context, in io.Reader) (*sftp.Client, error) {
	c, ok, err := await(ctx, func() (*sftp.Client, bool, error) {
		ok, err := s.channel.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
		if err != nil || !ok {
			return nil, ok, err
		}
		c, err := speak(in, s.channel)
		return c, true, err
	})
	if err == nil && ok {
		return c, nil
	}
	go s.channel.Close() // in a goroutine, as the connection may hang
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

// await waits for the result of act until ctx ends. A later result is dropped, so act must not write to anything that
// its caller reads. If the library panics about a machine's answer, await returns an error: a machine must not end
// this program.
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

// answerOf waits for an answer of the machine until the context ends or the limit is over. Then it ends the session:
// a late answer must not arrive when nobody waits for it any more.
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
