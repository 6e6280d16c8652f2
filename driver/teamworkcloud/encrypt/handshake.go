package encrypt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// Handshake is what an encrypted port shows to a client. If it shows no certificate, Rule and Why say why.
type Handshake struct {
	Address string                 // host:port that was dialed
	From    string                 // the machine it was dialed from
	Rule    string                 // rulePortClosed, rulePortSilent, rulePortForeign; "": it showed a certificate
	Why     string                 // Rule, in words
	Chain   []keystore.Certificate // in the order received, the server's own certificate first
	Version string                 // version of TLS
}

// Why a port does not show a certificate. These are IDs of findings, without the product.
const (
	rulePortClosed  = "tls-closed"      // nothing listens there, or it cannot be reached
	rulePortSilent  = "tls-unreachable" // no answer in time, or the connection broke
	rulePortForeign = "tls-foreign"     // it answers, but not in TLS
)

// handshakeWithin is the timeout for a connection and its handshake.
const handshakeWithin = 10 * time.Second

// leaf returns the server's own certificate, or nil if none was seen.
func (h *Handshake) leaf() *keystore.Certificate {
	if h == nil || len(h.Chain) == 0 {
		return nil
	}
	return &h.Chain[0]
}

// seen describes the server's certificate, with its whole fingerprint.
func (h *Handshake) seen() string {
	c := h.leaf()
	return fmt.Sprintf("%s presents %s, SHA-256 %s, valid until %s (%s, seen from %s)",
		h.Address, c.Name(), c.Fingerprint(), c.Until(), h.Version, h.From)
}

// lacks returns the names of the certificates in a chain that the port does not send. It ignores roots, which whoever
// trusts them already has.
func (h *Handshake) lacks(chain []keystore.Certificate) []string {
	var out []string
	for _, c := range chain {
		if !c.SelfIssued() && !slices.ContainsFunc(h.Chain, c.Equal) {
			out = append(out, c.Name())
		}
	}
	return out
}

// otherThan returns why what a port shows is not an entry of a keystore, "" if it is.
func (h *Handshake) otherThan(s *keystore.Store) string {
	for _, e := range s.Entries {
		if len(e.Chain) == 0 || !e.Chain[0].Equal(*h.leaf()) {
			continue
		}
		if lacks := h.lacks(e.Chain); len(lacks) > 0 {
			return "without the certificate of " + wording.QuotedList(lacks) + ", which is in the keystore"
		}
		return ""
	}
	return "which is not in the keystore"
}

// as separates the address to connect to from the name of the server, in a need.
const as = " as "

// ownPort returns the address of a server's own port, and its name. The address is for the server's own machine if one
// is declared, else for this one.
func ownPort(server *connect.Server, port int) (address, name string) {
	address, name = peerPort(server, port)
	if server.Host != nil {
		address = net.JoinHostPort(itself, strconv.Itoa(port))
	}
	return address, name
}

// itself is the machine that connects.
const itself = "localhost"

// peerPort returns the address at which other servers find a server's encrypted port, and its name.
func peerPort(server *connect.Server, port int) (address, name string) {
	name, given := server.Peer()
	if given == "" || given == strconv.Itoa(connect.PlainPort) {
		given = strconv.Itoa(port)
	}
	return net.JoinHostPort(name, given), name
}

// Addresses returns the addresses at which a server's encrypted port is tried: from its own machine, and from those of
// others. A port that is not declared is assumed to be the vendor's.
func Addresses(server *connect.Server) []string {
	if server.SyncTLS == nil {
		return nil
	}
	port := server.EncryptedPort(0)
	own := net.JoinHostPort(itself, strconv.Itoa(port))
	address, name := peerPort(server, port)
	if name == "" {
		return []string{own}
	}
	return []string{own, address}
}

// shakeHands connects to an address from a server's machine, or from this one if none is declared. It accepts any
// certificates: they are verified later against the trust of those who will connect.
func (e *Encryption) shakeHands(ctx context.Context, from *schema.Resource, address, name string) (*Handshake, error) {
	h := &Handshake{Address: address, From: "this machine"}
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	conn, err := e.dial(ctx, from, name, h)
	if err != nil {
		err = h.unconnected(ctx, err)
		return h, err
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{
		ServerName: name, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // verified afterwards, by another's trust
	})
	if err := c.HandshakeContext(ctx); err != nil {
		err = h.unshaken(ctx, err)
		return h, err
	}
	state := c.ConnectionState()
	h.Version = tls.VersionName(state.Version)
	for _, x := range state.PeerCertificates {
		h.Chain = append(h.Chain, keystore.NewCertificate(x.Raw))
	}
	return h, nil
}

// dial connects from a server's machine if that allows forwarding, else from this one, where the server's own port is
// found by its name.
func (e *Encryption) dial(ctx context.Context, from *schema.Resource, name string, h *Handshake) (net.Conn, error) {
	if err := declare.Reachable(from); err != nil {
		return nil, err
	}
	m, err := e.Servers.Machine(from)
	if err != nil {
		return nil, err
	}
	if m != nil {
		h.From = m.Name()
		conn, err := m.Dial(ctx, h.Address)
		at, port, _ := net.SplitHostPort(h.Address)
		if !errors.Is(err, host.ErrForbidden) || at == itself && name == "" {
			return conn, err
		}
		h.From = "this machine, because " + m.Name() + " does not forward"
		if at == itself {
			h.Address = net.JoinHostPort(name, port)
		}
	}
	if err := e.Env.Policy.Connect(h.Address); err != nil {
		return nil, err
	}
	dial := e.Env.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, "tcp", h.Address)
}

// unconnected records why there is no connection. It returns an error if the caller's context has ended, or if the
// machine could not be reached.
func (h *Handshake) unconnected(ctx context.Context, err error) error {
	var failed *host.Error
	var lookup *net.DNSError
	switch {
	case context.Cause(ctx) != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("connecting to %s: %w", h.Address, err)
	case errors.Is(err, host.ErrRefused), errors.Is(err, syscall.ECONNREFUSED),
		errors.As(err, &lookup) && lookup.IsNotFound:
		h.Rule = rulePortClosed
	case errors.As(err, &failed):
		return fmt.Errorf("connecting to %s from %s: %w", h.Address, h.From, err)
	default:
		h.Rule = rulePortSilent
	}
	h.Why = wording.OneLine(err.Error())
	return nil
}

func (h *Handshake) unshaken(ctx context.Context, err error) error {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case context.Cause(ctx) != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("shaking hands with %s: %w", h.Address, err)
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET):
		h.Rule, h.Why = rulePortForeign, "it does not answer in TLS: "+wording.OneLine(wording.Closed(err).Error())
	default:
		h.Rule, h.Why = rulePortSilent, wording.OneLine(wording.Closed(err).Error())
	}
	return nil
}
