package twcsim

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The ports of a server that are served as such: those for clients.
const (
	portPlain = "plain"
	portTLS   = "tls"
)

// patience is how long a client may take to shake hands, or to say something on the port that is not encrypted.
const patience = 30 * time.Second

// Ports gives the ports that servers have beside their REST interface, sorted: NAME/plain and NAME/tls.
func (w *World) Ports() []string {
	var out []string
	for name := range w.servers {
		out = append(out, name+"/"+portPlain, name+"/"+portTLS)
	}
	slices.Sort(out)
	return out
}

// SetPort tells at which address, 127.0.0.1:PORT, connections to a port are taken. Unknown ports are ignored.
func (w *World) SetPort(port, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, kind := w.portOf(port); s != nil {
		s.ports[kind] = address
	}
}

func (w *World) portOf(port string) (s *server, kind string) {
	name, kind, _ := strings.Cut(port, "/")
	if s = w.servers[name]; kind != portPlain && kind != portTLS {
		s = nil
	}
	return s, kind
}

// Resolve finds the port that an address leads to from a machine: host:port, the host as other servers' configurations name it,
// or localhost, 127.0.0.1 and its own name for the machine itself. From machine "" the local names lead nowhere. Nothing listens on a
// port that is closed, nor while Teamwork Cloud is down.
func (w *World) Resolve(from, address string) (port string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	s, _ := w.serverAt(host)
	if local := strings.EqualFold(host, "localhost") || host == "127.0.0.1"; local {
		s = w.servers[from]
	}
	n, err := strconv.Atoi(number)
	if s == nil || err != nil || !s.answers(w.now) {
		return "", false
	}
	switch n {
	case s.plainPort:
		return s.name + "/" + portPlain, true
	case s.tlsPort:
		return s.name + "/" + portTLS, s.open()
	}
	return "", false
}

// open tells whether the encrypted port can be reached.
func (s *server) open() bool { return s.tls && !s.blocked }

// Serve is what a port does with a connection, until its end. The encrypted one shakes hands, as a server that has the keystore
// does, and listens; what clients say there is not simulated. The other one hangs up on whoever does not speak its protocol, which
// nobody here does.
func (w *World) Serve(ctx context.Context, port string, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	certificate, ok := w.answersOn(port)
	if !ok {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(patience)) // a connection that has gone shows when it is read
	if certificate == nil {
		_, _ = io.CopyN(io.Discard, conn, 16)
		return
	}
	secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return
	}
	_ = conn.SetDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, secured)
}

// answersOn tells whether a port is open, and what it presents.
func (w *World) answersOn(port string) (certificate *tls.Certificate, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, kind := w.portOf(port)
	if s == nil || !s.answers(w.now) {
		return nil, false
	}
	if kind == portPlain {
		return nil, true
	}
	p, err := s.presenting()
	if err != nil || !s.open() {
		return nil, false
	}
	return &p.certificate, true
}

// present opens a keystore for a port: PKCS#12 or JKS.
func present(data []byte, name, password string) (*presented, error) {
	entries, err := openKeystore(data, password)
	if err != nil {
		return nil, err
	}
	certificate, err := firstKey(entries)
	if err != nil {
		return nil, err
	}
	return &presented{keystore: data, name: name, password: password, certificate: certificate}, nil
}

// presenting is what the encrypted port has. Where a seed has opened it and says nothing of a certificate, it is one of an
// authority that everybody trusts, made when somebody looks.
func (s *server) presenting() (*presented, error) {
	switch {
	case s.presents != nil:
		return s.presents, nil
	case s.assumed != nil:
		return s.assumed, nil
	case !s.assumes:
		return nil, errors.New("it has no certificate")
	}
	ship, err := asShipped()
	if err != nil {
		return nil, err
	}
	p, err := ship.public.forServer([]string{s.syncAddress}, 400, keyEC)
	if err != nil {
		return nil, err
	}
	data, err := writeP12(shippedAlias, shippedPassword, p.key, p.chain)
	if err != nil {
		return nil, err
	}
	s.assumed, err = present(data, "keystore.p12", shippedPassword)
	return s.assumed, err
}
