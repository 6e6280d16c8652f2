//go:build unix

package host

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// stuckConn is a connection of the library whose end it does not report, until it is freed.
type stuckConn struct {
	ssh.Conn
	free chan struct{}
}

func (s stuckConn) Wait() error { <-s.free; return io.EOF }

func (stuckConn) SendRequest(string, bool, []byte) (bool, []byte, error) { return false, nil, io.EOF }

func (s stuckConn) OpenChannel(string, []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	<-s.free
	return nil, nil, io.EOF
}

// stuckChannel is a channel of such a connection.
type stuckChannel struct {
	ssh.Channel
	free chan struct{}
}

func (s stuckChannel) Read([]byte) (int, error)  { <-s.free; return 0, io.EOF }
func (s stuckChannel) Write([]byte) (int, error) { <-s.free; return 0, io.EOF }
func (s stuckChannel) Stderr() io.ReadWriter     { return s }
func (s stuckChannel) Close() error              { <-s.free; return io.EOF }
func (s stuckChannel) CloseWrite() error         { <-s.free; return io.EOF }

func (s stuckChannel) SendRequest(string, bool, []byte) (bool, error) { <-s.free; return false, io.EOF }

// TestConnectionThatTheLibraryCannotEnd checks that nothing waits forever for a connection whose end the library does
// not report. So it is if a machine sends a packet that breaks the protocol, and many after it.
func TestConnectionThatTheLibraryCannotEnd(t *testing.T) {
	free, requests := make(chan struct{}), make(chan *ssh.Request)
	defer close(requests)
	defer close(free)
	begin := func() *link {
		raw, _ := net.Pipe()
		client := &ssh.Client{Conn: stuckConn{free: free}}
		l := &link{raw: raw, hops: []*ssh.Client{client}, client: client, grace: time.Millisecond, after: time.After,
			ending: make(chan struct{}), gone: make(chan struct{}), opening: make(chan struct{}, 1)}
		l.running.Go(l.watchEnd)
		l.running.Go(func() { l.watchLife(time.Hour) })
		return l
	}
	for name, act := range map[string]func(*link) error{
		"asking": func(l *link) error { return l.alive(t.Context()) },
		"a command": func(l *link) error {
			s := newSession(l, stuckChannel{free: free}, requests)
			go l.end(ErrBroken)
			_, _, err := s.run(t.Context(), Command{Args: []string{"true"}})
			return err
		},
		"another session": func(l *link) error { go l.end(ErrBroken); _, err := l.open(t.Context()); return err },
		"a tunnel": func(l *link) error {
			c := &forwarded{host: &sshHost{life: t.Context(), link: l}, link: l, channel: stuckChannel{free: free},
				requests: requests, over: make(chan struct{})}
			c.host.route = []address{{user: "a", host: "b", port: 22}}
			c.in, c.fromThem = net.Pipe()
			c.out, c.toThem = net.Pipe()
			c.host.conns.add(c)
			go c.pump()
			go l.end(ErrBroken)
			_, err := c.Read(make([]byte, 1))
			c.host.conns.end()
			return err
		},
	} {
		l := begin()
		if err := act(l); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
		l.running.Wait()
		l.drop()
	}
}

// TestEndThatIsToldLast checks that what a machine reports of a command counts, if it ends the connection right after
// it and the end is seen first.
func TestEndThatIsToldLast(t *testing.T) {
	requests := make(chan *ssh.Request)
	defer close(requests)
	waits := make(chan struct{}, 1)
	l := &link{gone: make(chan struct{}), after: func(time.Duration) <-chan time.Time {
		waits <- struct{}{}
		return nil
	}}
	close(l.gone)
	s := newSession(l, nil, requests)
	select {
	case <-waits: // the end was seen
	case <-s.ended:
		t.Fatal("nothing was told, and it ended")
	}
	requests <- &ssh.Request{Type: "exit-status", Payload: ssh.Marshal(struct{ Code uint32 }{7})}
	<-s.ended
	if !s.told || s.code != 7 {
		t.Errorf("told %v, code %d", s.told, s.code)
	}
}
