package engine

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// bySettings reports whether the web application's settings encrypt synchronization, because the release has no switch
// (seed).
func bySettings(s *state.Server) bool {
	return !s.Release.Switches() && s.Release.Since(2024, 0, 0) && machine.PagesEncrypt(s.Services.Pages)
}

// WantsEncryption returns whether a connection made by the wizard is encrypted, and the port that is used if none is
// given: the target's own (seed: "it will use the target server's TLS port to log in to the source server").
func WantsEncryption(s *state.Server, tls bool) (encrypted bool, port int) {
	switch {
	case bySettings(s):
		return true, machine.PagesPort(s.Services.Pages)
	case tls:
		return true, s.TLSPort
	}
	return false, s.PlainPort
}

// distrusts records why a configuration cannot connect encrypted.
func (p *pass) distrusts() bool {
	why := p.distrust()
	if why != "" {
		p.problem("%s", why)
	}
	return why != ""
}

// distrust returns why a configuration cannot connect encrypted, "" if it can. The target's trust and the settings of
// both ends are those that their services read when they started.
func (p *pass) distrust() string {
	t, s := p.target, p.source
	if !t.Release.Switches() || !s.Release.Switches() {
		if why := settingsDiffer(t, s); why != "" {
			return why
		}
	}
	if s.Presents == nil {
		return "" // the seed sets no certificate: everybody trusts what is presented
	}
	var err error
	if t.Release.Switches() { // "run keytool twice: with both Javas" (MCS/pages/247046793)
		err = errors.Join(accepted(s, t.Services.Server.Trust), accepted(s, t.Services.Pages.Trust))
	} else if err = accepted(s, t.Services.Server.Keystore); err != nil { // TWCloud2024x/pages/137986642, or the seed
		err = accepted(s, t.Services.Server.Trust)
	}
	if err != nil {
		return fmt.Sprintf("TLS handshake with %s failed: %v", s.SyncAddress, err)
	}
	return ""
}

// settingsDiffer returns which settings differ or are missing: "both source and target server must have the same
// values set in Webapp", and esi.server.sync.tls-enabled (seed). ASSUMED: an end with the switch needs none of it.
func settingsDiffer(ends ...*state.Server) string {
	for _, s := range ends {
		if !s.Release.Switches() && !s.Services.Server.SyncTLS {
			return fmt.Sprintf("%s is not true on %s", machine.SetSyncTLS, s.Name)
		}
	}
	a, b := ends[0].Services.Pages.Values, ends[1].Services.Pages.Values
	for _, key := range machine.SharedSettings {
		if a[key] != b[key] && !(machine.Encrypted(a[key]) || machine.Encrypted(b[key])) {
			return fmt.Sprintf("%s differs between %s and %s", key, ends[0].Name, ends[1].Name)
		}
	}
	return ""
}

// accepted verifies the certificate of a server. It uses the real clock, as the certificates do. ASSUMED: the name is
// verified.
func accepted(s *state.Server, by state.Authorities) error {
	if by == nil { // the service has never started
		return errors.New("nobody is trusted")
	}
	trusted, err := by()
	if err != nil {
		return err
	}
	chain := s.Presents.Certificate.Certificate
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: s.SyncAddress,
		CurrentTime: time.Now()}
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
	// the library's message contains dates, which State must not show
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return errors.New("its certificate has expired or is not yet valid")
	}
	if err != nil {
		return fmt.Errorf("unable to find valid certification path to requested target (%w)", err)
	}
	return nil
}
