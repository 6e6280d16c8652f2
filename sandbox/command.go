package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"

	"golang.org/x/crypto/ssh"
)

// The exit codes of commands that were not ended by the simulator itself.
const (
	exitFault  = 1  // a fault asked for it
	exitDefect = 70 // the simulator has a defect; EX_SOFTWARE in sysexits.h
)

// session is one session on a simulated machine: a command, or access to files.
type session struct {
	*sshServer

	conn    net.Conn
	channel ssh.Channel

	gone  context.Context // ends when the client has closed the session or its connection
	leave context.CancelFunc
	work  context.Context // ends when the client sends the command a signal
	kill  context.CancelFunc
}

func newSession(m *sshServer, conn net.Conn, channel ssh.Channel) *session {
	x := &session{sshServer: m, conn: conn, channel: channel}
	x.gone, x.leave = context.WithCancel(context.Background())
	x.work, x.kill = context.WithCancel(context.Background())
	return x
}

// serve answers the requests of a session (RFC 4254, 6) until the client closes it. A command that was started then
// runs on.
func (x *session) serve(asked <-chan *ssh.Request) {
	defer x.leave()
	begun := false
	for r := range asked {
		var text struct{ Value string }
		readable := ssh.Unmarshal(r.Payload, &text) == nil
		var work func()
		switch {
		case begun: // only one command per session
		case r.Type == "exec" && readable:
			work = func() { x.exec(text.Value) }
		case r.Type == "subsystem" && readable && text.Value == "sftp":
			work = x.serveFiles
		}
		if r.Type == "signal" {
			x.kill()
		}
		if r.WantReply {
			_ = r.Reply(work != nil || r.Type == "signal", nil) // the client may be gone
		}
		if work == nil {
			continue
		}
		// After the reply: a command that ends at once must not close the session before it.
		begun = true
		x.running.Go(func() {
			defer x.kill()
			work()
		})
	}
	if !begun {
		x.kill()
	}
}

// hangUp closes the connection under everything that uses it.
func (x *session) hangUp() { _ = x.conn.Close() }

// execution is one command, counted.
type execution struct {
	stdin          countingReader
	stdout, stderr countingWriter
	code           int
	cut            bool
	carriedOut     bool
}

// exec runs a command: faults first, the access log last.
func (x *session) exec(command string) {
	s := x.sandbox
	begun := s.now()
	e := &execution{stdin: countingReader{Reader: x.channel}, stdout: countingWriter{Writer: x.channel},
		stderr: countingWriter{Writer: x.channel.Stderr()}}
	fault := s.faults.next(x.machine, MethodExec, command)

	log := sync.OnceFunc(func() {
		line := AccessLine{
			Time: begun, Server: x.machine, Product: x.product, Protocol: ProtocolSSH, Method: MethodExec,
			Path:   redactCommand(command),
			Status: e.code, Reading: x.world.Reads(x.machine, command), CarriedOut: e.carriedOut, OK: e.carriedOut &&
				e.code == 0,
			DurationMS: s.sinceMS(begun), BytesIn: e.stdin.n, BytesOut: e.stdout.n + e.stderr.n,
		}
		if e.cut || x.gone.Err() != nil {
			line.Status = noExitCode
		}
		if fault != nil {
			line.Fault = string(fault.Kind)
		}
		s.access.write(line)
	})
	x.inject(fault, e, command, log)
	log() // before the client is told: whoever sees the command's end finds its line
	if e.cut {
		x.hangUp()
		return
	}
	// the client may be gone
	_, _ = x.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(e.code)}))
	_ = x.channel.Close()
}

// inject runs a command with a fault. It calls log if the line must be written before the command has ended.
func (x *session) inject(f *Fault, e *execution, command string, log func()) {
	if f == nil {
		x.run(e, command, &e.stdout, &e.stderr)
		return
	}
	switch f.Kind {
	case Fail:
		_, _ = fmt.Fprintf(&e.stderr, "a fault asked for: %s\n", f) // the client may be gone
		e.code = exitFault
	case Hang:
		e.cut = true
		log()
		x.hang()
	case Cut:
		e.cut = true
	case Lost:
		x.run(e, command, io.Discard, io.Discard)
		e.cut = true
	case Late:
		var stdout, stderr bytes.Buffer
		x.run(e, command, &stdout, &stderr)
		if x.sandbox.sleepUntilClose(x.gone, f.Delay) != nil {
			e.cut = true
		}
		if !e.cut {
			_, _ = stdout.WriteTo(&e.stdout) // the client may be gone
			_, _ = stderr.WriteTo(&e.stderr)
		}
	}
}

// hang waits until the client gives up or the sandbox closes.
func (x *session) hang() {
	select {
	case <-x.gone.Done():
	case <-x.sandbox.closing:
	}
}

// run makes the simulated machine run the command. If the simulator panics, that ends the command, and is written to
// the error log.
func (x *session) run(e *execution, command string, stdout, stderr io.Writer) {
	if x.sandbox.hiding.denies(x.machine, command) {
		_, _ = io.WriteString(stderr, "sudo: a password is required\n") // the client may be gone
		e.code = exitFault
		return
	}
	ctx, release := x.sandbox.untilClose(x.work)
	defer release()
	stdout, printed := x.sandbox.hiding.output(x.machine, command, stdout)
	e.carriedOut = true
	defer func() {
		p := recover()
		switch {
		case p == nil:
		case p == http.ErrAbortHandler: //nolint:errorlint // as for servers: a machine that is down
			e.cut, e.carriedOut = true, false
		default:
			x.sandbox.errorLog.Printf("%s: %s panicked: %v\n%s", x.machine, redactCommand(command), p, debug.Stack())
			_, _ = fmt.Fprintf(stderr, "the simulator has a defect: %v\n", p)
			e.code = exitDefect
		}
	}()
	e.code = x.world.Run(ctx, x.machine, command, &e.stdin, stdout, stderr)
	printed()
}

type countingReader struct {
	io.Reader

	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

type countingWriter struct {
	io.Writer

	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}
