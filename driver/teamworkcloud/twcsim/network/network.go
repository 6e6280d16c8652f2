// Package network simulates who can reach which port of a server, and the handshake on the encrypted one.
package network

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

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// patience is the timeout for a client's handshake, or for its first bytes on the port without encryption.
const patience = 30 * time.Second

// Ports returns the ports of servers besides their REST interface, sorted: NAME/plain and NAME/tls.
func Ports(w *state.World) []string {
	var out []string
	for name := range w.Named {
		out = append(out, name+"/"+state.PortPlain, name+"/"+state.PortTLS)
	}
	slices.Sort(out)
	return out
}

// SetPort sets the address, 127.0.0.1:PORT, at which connections to a port are accepted. Unknown ports are ignored.
func SetPort(w *state.World, port, address string) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if s, kind := portOf(w, port); s != nil {
		s.Ports[kind] = address
	}
}

func portOf(w *state.World, port string) (s *state.Server, kind string) {
	name, kind, _ := strings.Cut(port, "/")
	if s = w.Named[name]; kind != state.PortPlain && kind != state.PortTLS {
		s = nil
	}
	return s, kind
}

// Resolve finds the port that host:port means on a machine. The host is the name in other servers' configurations. On
// a machine, localhost and 127.0.0.1 mean the machine itself; from machine "" they mean nothing. Nothing listens on a
// port that is closed, or while Teamwork Cloud is down.
func Resolve(w *state.World, from, address string) (port string, ok bool) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	s, _ := w.ServerAt(host)
	if local := strings.EqualFold(host, "localhost") || host == "127.0.0.1"; local {
		s = w.Named[from]
	}
	n, err := strconv.Atoi(number)
	if s == nil || err != nil || !machine.Answers(s, w.Now) {
		return "", false
	}
	switch n {
	case s.PlainPort:
		return s.Name + "/" + state.PortPlain, true
	case s.TLSPort:
		return s.Name + "/" + state.PortTLS, EncryptedPortIsOpen(s)
	}
	return "", false
}

// EncryptedPortIsOpen reports whether the encrypted port can be reached.
func EncryptedPortIsOpen(s *state.Server) bool { return s.TLS && !s.Blocked }

// Serve handles a connection to a port until its end. The encrypted port does a handshake with the server's keystore,
// and then only reads; what clients send is not simulated. The other port closes the connection of any client, since
// none here speaks its protocol.
func Serve(ctx context.Context, w *state.World, port string, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	certificate, ok := answersOn(w, port)
	if !ok {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(patience)) // reading fails if the connection is gone
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

// answersOn reports whether a port is open, and returns the certificate it presents.
func answersOn(w *state.World, port string) (certificate *tls.Certificate, ok bool) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	s, kind := portOf(w, port)
	if s == nil || !machine.Answers(s, w.Now) {
		return nil, false
	}
	if kind == state.PortPlain {
		return nil, true
	}
	p, err := presenting(s)
	if err != nil || !EncryptedPortIsOpen(s) {
		return nil, false
	}
	return &p.Certificate, true
}

// Present opens a keystore for a port: PKCS#12 or JKS.
func Present(data []byte, name, password string) (*state.Presented, error) {
	entries, err := keystore.Open(data, password)
	if err != nil {
		return nil, err
	}
	certificate, err := keystore.FirstKey(entries)
	if err != nil {
		return nil, err
	}
	return &state.Presented{Keystore: data, Name: name, Password: password, Certificate: certificate}, nil
}

// presenting returns what the encrypted port presents. If a seed has opened it without a certificate, that is one from
// an authority that everybody trusts, made when first needed.
func presenting(s *state.Server) (*state.Presented, error) {
	switch {
	case s.Presents != nil:
		return s.Presents, nil
	case s.Assumed != nil:
		return s.Assumed, nil
	case !s.Assumes:
		return nil, errors.New("it has no certificate")
	}
	ship, err := keystore.AsShipped()
	if err != nil {
		return nil, err
	}
	p, err := ship.Public.ForServer([]string{s.SyncAddress}, 400, keystore.KeyEC)
	if err != nil {
		return nil, err
	}
	data, err := keystore.Write(keystore.ShippedAlias, keystore.ShippedPassword, p.Key, p.Chain)
	if err != nil {
		return nil, err
	}
	s.Assumed, err = Present(data, "keystore.p12", keystore.ShippedPassword)
	return s.Assumed, err
}
