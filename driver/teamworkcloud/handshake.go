package teamworkcloud

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// presented is what an encrypted port shows to whoever connects.
type presented struct {
	Address string `json:"address"`        // host:port that was connected to
	From    string `json:"from"`           // the machine it was connected from
	Rule    string `json:"rule,omitempty"` // why there is no certificate: portClosed, portSilent, portForeign; "": there is one
	Why     string `json:"why,omitempty"`

	Leaf    *leafFacts   `json:"leaf,omitempty"`  // the server's own certificate
	Chain   certificates `json:"chain,omitempty"` // as it came
	Version string       `json:"version,omitempty"`
}

// leafFacts are a server's own certificate in words.
type leafFacts struct {
	Name  string `json:"name"`
	Print string `json:"print"` // SHA-256
	Until string `json:"until"` // a day
	Text  string `json:"text"`
	For   string `json:"for"` // the names that it is for
}

func leafOf(c keystore.Certificate) *leafFacts {
	return &leafFacts{Name: c.Name(), Print: c.Fingerprint(), Until: c.Until(), Text: wording.OneLine(c.String()), For: namesOf(c)}
}

// What keeps a port from showing a certificate. They are the ids of findings, without the product.
const (
	portClosed  = "tls-closed"      // nobody listens, or nobody can get there
	portSilent  = "tls-unreachable" // no answer in time, or the connection broke
	portForeign = "tls-foreign"     // it answers, and not in TLS
)

// handshakeWithin is how long a connection and its handshake may take.
const handshakeWithin = 10 * time.Second

// leaf is the server's own certificate, nil where none was seen.
func (p *presented) leaf() *leafFacts {
	if p == nil {
		return nil
	}
	return p.Leaf
}

// seen is a certificate in words, fingerprint in full.
func (p *presented) seen() string {
	c := p.leaf()
	return fmt.Sprintf("%s presents %s, SHA-256 %s, valid until %s (%s, seen from %s)", p.Address, c.Name, c.Print, c.Until, p.Version, p.From)
}

// lacks are the names of a chain's certificates that a port does not send. It may leave out the root: whoever trusts it has it.
func (p *presented) lacks(chain []keystore.Certificate) []string {
	var out []string
	for _, c := range chain {
		if !c.SelfIssued() && !slices.ContainsFunc(p.Chain, c.Equal) {
			out = append(out, c.Name())
		}
	}
	return out
}

// shakeHands connects to an address from a server's machine, or from this one (nil), and takes the certificates that come, whoever
// they are from: they are verified by the trust of whoever else will connect.
func (d *Driver) shakeHands(ctx context.Context, from *schema.Resource, address, name string) (*presented, error) {
	p := &presented{Address: address, From: "this machine"}
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	conn, err := d.dialFrom(ctx, from, address, p)
	if err != nil {
		err = p.unconnected(ctx, err)
		return p, err
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // verified afterwards, by another's trust
	if err := c.HandshakeContext(ctx); err != nil {
		err = p.unshaken(ctx, err)
		return p, err
	}
	state := c.ConnectionState()
	p.Version = tls.VersionName(state.Version)
	for _, x := range state.PeerCertificates {
		p.Chain = append(p.Chain, keystore.NewCertificate(x.Raw))
	}
	if len(p.Chain) > 0 {
		p.Leaf = leafOf(p.Chain[0])
	}
	return p, nil
}

// dialFrom connects from a server's machine where it forwards, else from this one.
func (d *Driver) dialFrom(ctx context.Context, from *schema.Resource, address string, p *presented) (net.Conn, error) {
	h, err := d.machine(from)
	if err != nil {
		return nil, err
	}
	if h != nil {
		p.From = h.Name()
		conn, err := h.Dial(ctx, address)
		if !errors.Is(err, host.ErrForbidden) {
			return conn, err
		}
		p.From = "this machine, since " + h.Name() + " does not forward"
	}
	dial := d.env.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, "tcp", address)
}

// unconnected notes why nobody could be connected to. Only the end of the caller's own time is an error.
func (p *presented) unconnected(ctx context.Context, err error) error {
	var failed *host.Error
	switch {
	case context.Cause(ctx) != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("connecting to %s: %w", p.Address, err)
	case errors.Is(err, host.ErrRefused), errors.Is(err, syscall.ECONNREFUSED), isLookup(err):
		p.Rule = portClosed
	case errors.As(err, &failed):
		return fmt.Errorf("connecting to %s from %s: %w", p.Address, p.From, err) // its machine could not be reached
	default:
		p.Rule = portSilent
	}
	p.Why = wording.OneLine(err.Error())
	return nil
}

func isLookup(err error) bool {
	var lookup *net.DNSError
	return errors.As(err, &lookup) && lookup.IsNotFound
}

func (p *presented) unshaken(ctx context.Context, err error) error {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case context.Cause(ctx) != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("shaking hands with %s: %w", p.Address, err)
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		p.Rule, p.Why = portForeign, "it does not answer in TLS: "+wording.OneLine(err.Error())
	default:
		p.Rule, p.Why = portSilent, wording.OneLine(err.Error())
	}
	return nil
}

// trust is by what certificates somebody verifies others'.
type trust struct {
	Whose string       // in words: "/opt/java/lib/security/cacerts"
	Roots certificates // what is trusted
	Known bool         // it is all there is; false: what else is trusted cannot be read, and this machine's authorities stand in for it
}

// mistrust says what is wrong with certificates in the eyes of somebody who connects to name. more are certificates that he has not
// got, by which a missing one is told from an unknown authority.
func (t *trust) mistrust(chain []keystore.Certificate, name string, now time.Time, more []keystore.Certificate) []keystore.Problem {
	if _, err := chain[0].X509(); err != nil {
		return []keystore.Problem{{Rule: "tls-unreadable", Severity: planner.Refuse, Summary: "the certificate cannot be read: " + wording.OneLine(err.Error()), Detail: "Have keytool -printcert show it."}}
	}
	var out []keystore.Problem
	add := func(rule, detail, format string, args ...any) {
		out = append(out, keystore.Problem{Rule: rule, Severity: planner.Refuse, Summary: fmt.Sprintf(format, args...), Detail: detail})
	}
	for i, c := range chain {
		x, err := c.X509()
		switch {
		case err != nil, i > 0 && c.SelfIssued(): // a root is trusted by its key, whatever its dates
		case now.After(x.NotAfter):
			add("tls-expired", "Have the certificate issued anew, and declare the new one in the keystore.", "%s has expired on %s", c.Name(), c.Until())
		case now.Before(x.NotBefore):
			add("tls-not-yet-valid", "Wait until then; if it is valid already, the clock of this machine is wrong.", "%s is not valid before %s", c.Name(), x.NotBefore.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	if chain[0].Covers(name) != nil {
		add("tls-name", "Have a certificate issued that has it among its alternative names (subjectAltName), or correct sync_address.", "%s is not for %s: it is for %s", chain[0].Name(), name, namesOf(chain[0]))
	}
	switch {
	case t.reaches(chain, nil, now):
	case t.reaches(chain, more, now):
		add("tls-incomplete", "Put the certificates of the issuers into chain of the keystore's entry, each after the one that it issued.",
			"the chain is incomplete: %s comes without the certificate of its issuer %s", chain[len(chain)-1].Name(), chain[len(chain)-1].Issuer())
	case len(chain) == 1 && chain[0].SelfIssued():
		add("tls-untrusted", "Declare it with trust in sync_tls of whoever connects.", "%s is self-signed, and %s does not trust it", chain[0].Name(), t.Whose)
	default:
		add("tls-untrusted", "Declare the authority's certificate with trust in sync_tls of whoever connects. If it is no authority's, the chain lacks a certificate.",
			"%s, which issued %s, is not trusted by %s", chain[len(chain)-1].Issuer(), chain[len(chain)-1].Name(), t.Whose)
	}
	return out
}

// reaches tells whether a chain leads to what is trusted. Dates are looked at apart: it may do so now, or at some time that its first
// certificate is made for.
func (t *trust) reaches(chain, more []keystore.Certificate, now time.Time) bool {
	leaf, err := chain[0].X509()
	if err != nil {
		return false
	}
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if !t.Known {
		if system, err := x509.SystemCertPool(); err == nil {
			o.Roots = system
		}
	}
	into := func(pool *x509.CertPool, all []keystore.Certificate) {
		for _, c := range all {
			if x, err := c.X509(); err == nil {
				pool.AddCert(x)
			}
		}
	}
	into(o.Roots, t.Roots)
	into(o.Intermediates, slices.Concat(chain[1:], more))
	for _, o.CurrentTime = range []time.Time{now, leaf.NotBefore, leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2), leaf.NotAfter} {
		if _, err := leaf.Verify(o); err == nil {
			return true
		}
	}
	valid := !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
	return !valid && t.signed(leaf, slices.Concat(chain[1:], more), map[string]bool{})
}

// signed is what is left to look at where nothing was ever valid at one time: signatures that lead to what is trusted. been are the
// certificates that the way has come by.
func (t *trust) signed(c *x509.Certificate, between []keystore.Certificate, been map[string]bool) bool {
	been[string(c.Raw)] = true
	by := func(o keystore.Certificate) *x509.Certificate {
		x, err := o.X509()
		if err != nil || c.CheckSignatureFrom(x) != nil {
			return nil
		}
		return x
	}
	for _, o := range t.Roots {
		if x, err := o.X509(); err == nil && x.Equal(c) || by(o) != nil {
			return true
		}
	}
	return slices.ContainsFunc(between, func(o keystore.Certificate) bool {
		if been[string(o.DER)] {
			return false
		}
		x := by(o)
		return x != nil && t.signed(x, between, been)
	})
}

// namesOf are the names that a certificate is for, in words.
func namesOf(c keystore.Certificate) string {
	return cmp.Or(wording.OneLine(strings.Join(wording.FirstTen(c.Names()), ", ")), "no name at all")
}
