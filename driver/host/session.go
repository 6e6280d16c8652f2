package host

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/syncctl/syncctl/driver/wording"
	"golang.org/x/crypto/ssh"
)

// session is a channel that a command runs in. The library's own Session does not distinguish the end of the
// connection from the end of the command, and waits for whatever holds the output open.
type session struct {
	link    *link
	channel ssh.Channel

	once   sync.Once
	ended  chan struct{} // closed when the machine has reported how the command ended, or the channel is closed
	code   int
	signal string // "" if code is set
	told   bool   // whether there is a code or a signal
}

func newSession(l *link, channel ssh.Channel, requests <-chan *ssh.Request) *session {
	s := &session{link: l, channel: channel, ended: make(chan struct{})}
	go s.listen(requests)
	go func() {
		select {
		case <-s.ended:
		case <-l.gone:
			select {
			case <-s.ended: // what the machine said last is still being read
			case <-l.after(l.grace): // the library has not closed the channel
				s.end(0, "", false)
			}
		}
	}()
	return s
}

// listen receives what the machine reports about the command, until the channel is closed.
func (s *session) listen(requests <-chan *ssh.Request) {
	defer s.end(0, "", false)
	for r := range requests {
		var status struct{ Code uint32 }
		var signal struct {
			Name       string
			CoreDumped bool
			Message    string
			Language   string
		}
		switch {
		case r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &status) == nil:
			s.end(int(status.Code), "", true)
		case r.Type == "exit-signal" && ssh.Unmarshal(r.Payload, &signal) == nil:
			s.end(0, "SIG"+signal.Name, true)
		}
		_ = r.Reply(false, nil) // as OpenSSH's own client does
	}
}

func (s *session) end(code int, signal string, told bool) {
	s.once.Do(func() {
		s.code, s.signal, s.told = code, signal, told
		close(s.ended)
	})
}

// run runs a command in the session, once, and closes it.
func (s *session) run(ctx context.Context, c Command) (Output, Started, error) {
	p := &process{
		stdin: stdin{s.channel}, stdout: s.channel, stderr: s.channel.Stderr(),
		ended: s.ended, how: s.how, signal: s.send, release: func() { s.link.shut(s.channel) },
		grace: s.link.grace, after: s.link.after,
	}
	if started, err := s.start(ctx, c, p); err != nil {
		s.link.shut(s.channel)
		return Output{}, started, err
	}
	return p.attend(ctx, c)
}

// stdin is the command's input. Closing it leaves the channel open.
type stdin struct{ ssh.Channel }

func (s stdin) Close() error { return s.CloseWrite() }

// start tells the machine to run the command.
func (s *session) start(ctx context.Context, c Command, p *process) (Started, error) {
	type answer struct {
		ok  bool
		err error
	}
	got := make(chan answer, 1)
	go func() {
		ok, err := s.channel.SendRequest("exec", true, ssh.Marshal(struct{ Line string }{c.line()}))
		got <- answer{ok, err}
	}()
	select {
	case a := <-got:
		switch {
		case a.err != nil:
			return StartedMaybe, s.lost(ctx)
		case !a.ok:
			return StartedNo, errors.New("the machine refused to run a command")
		}
		return StartedYes, nil
	case <-s.link.gone:
		return StartedMaybe, s.lost(ctx)
	case <-ctx.Done():
		return StartedMaybe, p.stop(context.Cause(ctx))
	}
}

// how returns how the command ended.
func (s *session) how(ctx context.Context) (int, error) {
	// On a channel, the end of the connection looks like the end of the command, and the output may be incomplete. If
	// the machine answers now, the connection has not ended.
	if s.link.alive(ctx) != nil {
		return 0, s.lost(ctx)
	}
	switch {
	case !s.told:
		return 0, s.lost(ctx)
	case s.signal != "":
		return 0, fmt.Errorf("it was ended by %s: how far it came is unknown", wording.Message(s.signal, 40))
	}
	return s.code, nil
}

// lost returns an error that says what remains unknown after a connection or a session broke.
func (s *session) lost(ctx context.Context) error {
	if err := s.link.alive(ctx); err != nil {
		return fmt.Errorf("%w: whether it was carried out, or still runs, is unknown", err)
	}
	return errors.New("the machine ended it and did not report how: whether it was carried out is unknown")
}

// send sends a signal (RFC 4254, 6.9; sshd supports it since 7.9).
func (s *session) send(force bool) {
	signal := ssh.SIGTERM
	if force {
		signal = ssh.SIGKILL
	}
	// a command that has ended ignores it
	_, _ = s.channel.SendRequest("signal", false, ssh.Marshal(struct{ Name string }{string(signal)}))
}
