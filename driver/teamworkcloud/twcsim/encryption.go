package twcsim

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// switches tells whether a configuration has a switch of its own for encryption: "Use Secure Connection (TLS)" (VN/pages/272744559).
// 2024x, which has no such switch, is encrypted by settings (MCS2024x/pages/137991572); before, no page of its own release says so.
func (r release) switches() bool { return r.encrypts() }

// bySettings: without a switch, the web application's settings decide (seed).
func (s *server) bySettings() bool {
	return !s.release.switches() && s.release.since(2024, 0, 0) && s.services.pages.encrypts()
}

// wantsEncryption is whether a connection that the wizard makes is encrypted, and the port that is used where none is given: the
// target's own (seed: "it will use the target server's TLS port to log in to the source server").
func (s *server) wantsEncryption(tls bool) (encrypted bool, port int) {
	switch {
	case s.bySettings():
		return true, s.services.pages.port()
	case tls:
		return true, s.tlsPort
	}
	return false, s.plainPort
}

// distrusts notes why a configuration cannot connect encrypted.
func (p *pass) distrusts() bool {
	why := p.distrust()
	if why != "" {
		p.problem("%s", why)
	}
	return why != ""
}

// distrust says why a configuration cannot connect encrypted, "" if it can. Whom the target trusts, and what both ends are set to, is
// what their services have read when they started.
func (p *pass) distrust() string {
	t, s := p.target, p.source
	if !t.release.switches() || !s.release.switches() {
		if why := settingsDiffer(t, s); why != "" {
			return why
		}
	}
	if s.presents == nil {
		return "" // a seed says nothing of a certificate: one that everybody trusts
	}
	var err error
	if t.release.switches() { // "run keytool twice: with both Javas" (MCS/pages/247046793)
		err = errors.Join(s.accepted(t.services.server.trust), s.accepted(t.services.pages.trust))
	} else if err = s.accepted(t.services.server.keystore); err != nil { // TWCloud2024x/pages/137986642, or as the seed has it
		err = s.accepted(t.services.server.trust)
	}
	if err != nil {
		return fmt.Sprintf("TLS handshake with %s failed: %v", s.syncAddress, err)
	}
	return ""
}

// settingsDiffer: "both source and target server must have the same values set in Webapp", and esi.server.sync.tls-enabled (seed).
// ASSUMED: an end that has the switch asks for none of it.
func settingsDiffer(ends ...*server) string {
	for _, s := range ends {
		if !s.release.switches() && !s.services.server.syncTLS {
			return fmt.Sprintf("%s is not true on %s", setSyncTLS, s.name)
		}
	}
	a, b := ends[0].services.pages.values, ends[1].services.pages.values
	for _, key := range sharedSettings {
		if a[key] != b[key] && !(encrypted(a[key]) || encrypted(b[key])) {
			return fmt.Sprintf("%s differs between %s and %s", key, ends[0].name, ends[1].name)
		}
	}
	return ""
}

// accepted verifies what a server presents. The dates are those of the real clock, like the certificates'. ASSUMED: the name is looked
// at.
func (s *server) accepted(by authorities) error {
	if by == nil { // the service has never started
		return errors.New("nobody is trusted")
	}
	trusted, err := by()
	if err != nil {
		return err
	}
	chain := s.presents.certificate.Certificate
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: s.syncAddress, CurrentTime: time.Now()}
	for _, c := range trusted {
		o.Roots.AddCert(c)
	}
	for _, der := range chain[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			o.Intermediates.AddCert(c)
		}
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return fmt.Errorf("reading its certificate: %w", err)
	}
	_, err = leaf.Verify(o)
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired { // the library's words have dates, which no State may show
		return errors.New("its certificate has expired or is not yet valid")
	}
	if err != nil {
		return fmt.Errorf("unable to find valid certification path to requested target (%w)", err)
	}
	return nil
}
