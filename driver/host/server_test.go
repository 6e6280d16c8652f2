//go:build unix

package host

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// server is an SSH server in this process. It runs commands with sh, and serves the files of this machine.
type server struct {
	t    *testing.T
	addr string
	keys []ssh.Signer // its own
	lets []ssh.PublicKey

	exec      func(s *server, line string, conn net.Conn) bool // returns true if it has handled the command
	special   func(channel ssh.Channel, conn net.Conn)         // replaces every command; then the channel is closed
	refuse    bool                                             // every exec
	full      bool                                             // no sessions
	noSFTP    bool
	chatty    bool  // a login script prints before SFTP
	hang      *hang // of its SFTP
	noForward bool
	reject    ssh.RejectionReason                    // reason to refuse every forwarded connection
	connect   func(address string) (net.Conn, error) // makes forwarded connections; nil: from this machine
	methods   func(*ssh.ServerConfig)
	files     *sftp.Handlers        // replaces its files
	opens     func(*ssh.ServerConn) // called for each connection of a client

	mu       sync.Mutex
	conns    []net.Conn
	lines    []string
	asked    []string // kinds of requests in sessions
	accepted int
	all      sync.WaitGroup
}

func newKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signerOf(t, private)
}

func newRSA(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signerOf(t, private)
}

func signerOf(t *testing.T, private any) (ssh.Signer, []byte) {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// serve starts a server that accepts the keys. change may change it before.
func serve(t *testing.T, change func(*server), lets ...ssh.PublicKey) *server {
	t.Helper()
	key, _ := newKey(t)
	s := &server{t: t, keys: []ssh.Signer{key}, lets: lets}
	if change != nil {
		change(s)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	s.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.accepted++
			s.mu.Unlock()
			s.all.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.cut()
		s.all.Wait()
	})
	return s
}

// cut breaks every connection.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *server) count() (connections int, lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted, append([]string(nil), s.lines...)
}

// known returns the server's line for known_hosts.
func (s *server) known() []byte {
	return []byte(knownhosts.Line([]string{s.addr}, s.keys[0].PublicKey()) + "\n")
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		for _, k := range s.lets {
			if bytes.Equal(k.Marshal(), key.Marshal()) {
				return &ssh.Permissions{}, nil
			}
		}
		return nil, errors.New("no")
	}}
	for _, k := range s.keys {
		config.AddHostKey(k)
	}
	if s.methods != nil {
		s.methods(config)
	}
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.all.Go(func() { ssh.DiscardRequests(requests) })
	if s.opens != nil {
		s.all.Go(func() { s.opens(c) })
	}
	for n := range channels {
		switch {
		case s.full:
			_ = n.Reject(ssh.ResourceShortage, "full")
		case n.ChannelType() == "session":
			channel, requests, err := n.Accept()
			if err == nil {
				s.all.Go(func() { s.session(conn, channel, requests) })
			}
		case n.ChannelType() == "direct-tcpip":
			s.all.Go(func() { s.forward(n) })
		default:
			_ = n.Reject(ssh.UnknownChannelType, n.ChannelType())
		}
	}
	c.Close()
}

func (s *server) forward(n ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil || s.noForward {
		_ = n.Reject(ssh.Prohibited, "not\x1b[31m here")
		return
	}
	if s.reject != 0 {
		_ = n.Reject(s.reject, "not\x1b[31m now")
		return
	}
	connect := s.connect
	if connect == nil {
		connect = func(address string) (net.Conn, error) { return net.Dial("tcp", address) }
	}
	conn, err := connect(net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := n.Accept()
	if err != nil {
		conn.Close()
		return
	}
	var both sync.WaitGroup
	said := make(chan struct{})
	both.Go(func() { // as sshd does: each way ends by itself
		defer close(said)
		_, _ = io.Copy(conn, channel)
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	s.all.Go(func() { // a client that has closed the channel wants nothing more
		ssh.DiscardRequests(requests)
		<-said
		conn.Close()
	})
	both.Wait()
	channel.Close()
}

func (s *server) session(conn net.Conn, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for r := range requests {
		var text struct{ Value string }
		_ = ssh.Unmarshal(r.Payload, &text)
		s.mu.Lock()
		s.asked = append(s.asked, r.Type)
		s.mu.Unlock()
		switch {
		case r.Type == "subsystem" && text.Value == "sftp" && !s.noSFTP:
			_ = r.Reply(true, nil)
			s.all.Go(func() { ssh.DiscardRequests(requests) })
			if s.chatty {
				_, _ = io.WriteString(channel, "Welcome to the machine!\n")
			}
			var stream io.ReadWriteCloser = channel
			if s.hang != nil {
				stream = hangingChannel{channel, s.hang}
			}
			if s.files != nil {
				files := sftp.NewRequestServer(stream, *s.files)
				_ = files.Serve()
				_ = files.Close()
				return
			}
			files, err := sftp.NewServer(stream)
			if err == nil {
				_ = files.Serve()
				_ = files.Close()
			}
			return
		case r.Type == "exec" && !s.refuse:
			s.mu.Lock()
			s.lines = append(s.lines, text.Value)
			s.mu.Unlock()
			if s.exec != nil && s.exec(s, text.Value, conn) {
				return
			}
			_ = r.Reply(true, nil)
			if s.special != nil {
				s.special(channel, conn)
				return
			}
			s.run(channel, requests, text.Value)
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}

// run runs a command line as sshd does: it waits for the output's end before it closes the channel, but says first
// how the command ended.
func (s *server) run(channel ssh.Channel, requests <-chan *ssh.Request, line string) {
	cmd := exec.CommandContext(context.Background(), "sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	errs, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		s.t.Error(err)
		return
	}
	group := -cmd.Process.Pid
	s.t.Cleanup(func() { _ = syscall.Kill(group, syscall.SIGKILL) }) // whatever the command has left running
	s.all.Go(func() { _, _ = io.Copy(in, channel); in.Close() })
	gone := make(chan struct{})
	s.all.Go(func() {
		for r := range requests {
			var name struct{ Value string }
			if _ = ssh.Unmarshal(r.Payload, &name); r.Type == "signal" {
				_ = syscall.Kill(-cmd.Process.Pid, map[string]syscall.Signal{"TERM": syscall.SIGTERM,
					"KILL": syscall.SIGKILL}[name.Value])
			}
			_ = r.Reply(false, nil)
		}
		close(gone)
		in.Close()
	})
	var read sync.WaitGroup
	read.Go(func() { _, _ = io.Copy(channel, out) })
	read.Go(func() { _, _ = io.Copy(channel.Stderr(), errs) })
	state, err := cmd.Process.Wait()
	if err != nil {
		s.t.Error(err)
		return
	}
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		name := map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGKILL: "KILL"}[status.Signal()]
		_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name string
			Core bool
			A, B string
		}{name, false, "", ""}))
	} else {
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(status.ExitStatus())}))
	}
	finished := make(chan struct{})
	go func() { read.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-gone: // the client has closed its side
		out.Close()
		errs.Close()
	}
}

// to makes a host of the server, closed at the end of the test.
func (s *server) to(t *testing.T, change func(*SSHOptions)) *sshHost {
	t.Helper()
	o := SSHOptions{Address: "admin@" + s.addr, KnownHosts: s.known(), Timeout: time.Hour, FileTimeout: time.Hour}
	if change != nil {
		change(&o)
	}
	h, err := SSH(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h.(*sshHost)
}

// pair returns a server and a host that can log in to it.
func pair(t *testing.T, change func(*server)) (*server, *sshHost) {
	t.Helper()
	signer, key := newKey(t)
	s := serve(t, change, signer.PublicKey())
	return s, s.to(t, func(o *SSHOptions) { o.Keys = [][]byte{key} })
}
