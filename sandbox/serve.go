package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// listener is one TLS server on loopback, and waits at its end for everything that uses it.
type listener struct {
	name    string // of the server
	url     string
	http    *http.Server
	socket  net.Listener
	serving sync.WaitGroup // the accept loop
	conns   sync.WaitGroup // connections that are neither closed nor hijacked
	answers sync.WaitGroup // handlers, which outlive a connection that they hijacked
	started bool
}

// gated accepts only the connections that are let in.
type gated struct {
	net.Listener

	let func(net.Conn) bool
}

func (g gated) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil || g.let(conn) {
			return conn, err
		}
	}
}

// listen opens a free port on loopback, for connections that are let in, or for all if let is nil. Nothing is
// answered before start.
func (s *Sandbox) listen(ctx context.Context, name string, let func(net.Conn) bool) (*listener, error) {
	cert, err := s.authority.issue(name, time.Now())
	if err != nil {
		return nil, err
	}
	tcp, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for server %s: %w", name, err)
	}
	if let != nil {
		tcp = gated{tcp, let}
	}
	l := &listener{url: "https://" + tcp.Addr().String()}
	l.http = &http.Server{
		ErrorLog:          s.errorLog,
		ReadHeaderTimeout: time.Minute,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				l.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				l.conns.Done()
			}
		},
	}
	// HTTP/1.1 only: faults hijack connections, which HTTP/2 does not allow.
	l.socket = tls.NewListener(tcp, &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	})
	s.listeners = append(s.listeners, l)
	return l, nil
}

func (l *listener) start() {
	l.started = true
	l.serving.Go(func() {
		// It ends with ErrServerClosed. To clients, a permanent failure of accept looks like a refused connection.
		_ = l.http.Serve(l.socket)
	})
}

func (l *listener) stop() {
	_ = l.http.Close() // what it could not close is already closed
	if !l.started {
		_ = l.socket.Close()
	}
	l.serving.Wait()
	l.conns.Wait()
	l.answers.Wait()
}

// answer wraps a handler so that stop waits for it.
func (l *listener) answer(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.answers.Add(1)
		defer l.answers.Done()
		h.ServeHTTP(w, r)
	})
}

// observe wraps a simulated server: faults first, the access log last.
func (s *Sandbox) observe(product, server string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, begun: s.now()}
		body := &countingBody{ReadCloser: r.Body, sum: sha256.New()}
		r.Body = body
		fault := s.faults.next(server, r.Method, r.URL.Path)

		log := sync.OnceFunc(func() {
			line := AccessLine{
				Time: x.begun, Server: server, Product: product, Protocol: ProtocolHTTPS,
				Method: r.Method, Path: r.URL.Path, Query: redactQuery(r.URL.RawQuery),
				Status: x.status(), Reading: looks(r.Method), CarriedOut: x.carriedOut, OK: x.ok,
				DurationMS: s.sinceMS(x.begun), BytesIn: body.n, BytesOut: x.written, Body: body.digest(),
			}
			if fault != nil {
				line.Fault = string(fault.Kind)
			}
			s.access.write(line)
		})
		s.inject(fault, x, r, next, log)
		log() // before the connection closes, so that a client that sees its end finds the line
		if x.cut {
			hangUp(w)
		}
	})
}

// inject answers a request with a fault. It calls log if the line must be written before the request has ended.
func (s *Sandbox) inject(f *Fault, x *exchange, r *http.Request, next http.Handler, log func()) {
	if f == nil {
		s.carryOut(x, x, r, next)
		return
	}
	switch f.Kind {
	case Fail:
		x.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if f.RetryAfter != "" {
			x.Header().Set("Retry-After", f.RetryAfter)
		}
		x.WriteHeader(f.Status)
		_, _ = fmt.Fprintf(x, "a fault asked for: %s\n", f) // the client may be gone
	case Hang:
		_, _ = io.Copy(io.Discard, r.Body) // only after reading the whole request we notice when the client gives up
		x.cut = true
		log()
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
	case Cut:
		x.cut = true
	case Lost:
		s.carryOut(x, newMemo(), r, next)
		x.cut = true
	case Late:
		m := newMemo()
		s.carryOut(x, m, r, next)
		if s.sleepUntilClose(r.Context(), f.Delay) != nil {
			x.cut = true
		}
		if !x.cut {
			m.replay(x)
		}
	}
}

// looks reports whether requests with a method change nothing.
func looks(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// answer is the writer for a simulated server's answer.
type answer interface {
	http.ResponseWriter
	answered() int // the status, 200 if none was written
}

// carryOut makes the simulated server answer into w. If the simulator panics, that is the answer, and is written to
// the error log.
func (s *Sandbox) carryOut(x *exchange, w answer, r *http.Request, next http.Handler) {
	x.carriedOut = true
	defer func() {
		p := recover()
		down := p == http.ErrAbortHandler //nolint:errorlint // net/http compares it this way, too
		defer func() { x.ok = !down && w.answered() < http.StatusBadRequest }()
		switch {
		case p == nil:
		case down:
			x.cut = true
		default:
			s.errorLog.Printf("%s %s panicked: %v\n%s", r.Method, r.URL.Path, p, debug.Stack())
			http.Error(w, fmt.Sprintf("the simulator has a defect: %v", p), http.StatusInternalServerError)
		}
	}()
	next.ServeHTTP(w, r)
}

// sinceMS returns how long something took, by the sandbox's clock.
func (s *Sandbox) sinceMS(begun time.Time) int64 { return s.now().Sub(begun).Milliseconds() }

// sleepUntilClose waits for d. It fails earlier if the client gives up or the sandbox closes.
func (s *Sandbox) sleepUntilClose(ctx context.Context, d time.Duration) error {
	ctx, release := s.untilClose(ctx)
	defer release()
	return s.sleep(ctx, d)
}

// untilClose returns a context that also ends when the sandbox closes. release must be called when it is not needed
// any more.
func (s *Sandbox) untilClose(ctx context.Context) (until context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.closing:
			cancel(errClosing)
		case <-done:
		}
	})
	return ctx, func() {
		close(done)
		watching.Wait()
		cancel(nil)
	}
}

var errClosing = errors.New("the sandbox closes")

// hangUp closes a connection without an answer, or without the rest of it.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // part of an answer was already sent, or the client is gone
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close()
}

// exchange is one request's answer, with what is counted of it.
type exchange struct {
	http.ResponseWriter

	begun      time.Time
	code       int
	written    int64
	cut        bool
	carriedOut bool
	ok         bool // the simulated server answered without an error
}

// status returns the status that the client got, 0 if the connection was cut.
func (x *exchange) status() int {
	if x.cut {
		return 0
	}
	return x.answered()
}

func (x *exchange) answered() int { return max(x.code, http.StatusOK) }

func (x *exchange) WriteHeader(code int) {
	if x.code == 0 && code >= 200 { // 1xx may come before the final status
		x.code = code
	}
	x.ResponseWriter.WriteHeader(code)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.code == 0 {
		x.code = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController use flushing and the like.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Flush is used by handlers that ask for an http.Flusher.
func (x *exchange) Flush() { _ = http.NewResponseController(x.ResponseWriter).Flush() }

type countingBody struct {
	io.ReadCloser

	n   int64
	sum hash.Hash
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	_, _ = b.sum.Write(p[:n]) // a hash never fails
	return n, err
}

// digest returns a short hash to tell bodies apart, or "" if there is none.
func (b *countingBody) digest() string {
	if b.n == 0 {
		return ""
	}
	return hex.EncodeToString(b.sum.Sum(nil)[:4])
}

// memo holds an answer that is sent later, or never.
type memo struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func newMemo() *memo { return &memo{header: http.Header{}} }

func (m *memo) Header() http.Header { return m.header }

func (m *memo) answered() int { return max(m.code, http.StatusOK) }

func (m *memo) WriteHeader(code int) {
	if m.code == 0 && code >= 200 {
		m.code = code
	}
}

func (m *memo) Write(b []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return m.body.Write(b)
}

func (m *memo) replay(w http.ResponseWriter) {
	maps.Copy(w.Header(), m.header)
	m.WriteHeader(http.StatusOK)
	w.WriteHeader(m.code)
	_, _ = m.body.WriteTo(w) // the client may be gone
}
