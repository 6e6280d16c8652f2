package machine

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/settings"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// The settings that concern encryption (seed; facts 5.2).
const (
	SetPort         = "twc.client.port"
	SetTLS          = "twc.client.tls"
	SetType         = "twc.client.keystore.type"
	SetPath         = "twc.client.keystore.path"
	SetPassword     = "twc.client.keystore.password" //nolint:gosec // a key, no password
	SetSyncTLS      = "esi.server.sync.tls-enabled"
	TypedByAPerson  = "ENC(typed by a person)"
	usualClientPort = 3579
)

// SharedSettings are the settings for which "Both source and target server must have the same values set in Webapp"
// (seed).
var SharedSettings = []string{SetTLS, SetType, SetPath, SetPassword}

// byJava opens a trust store as Java does.
func byJava(data []byte) state.Authorities {
	return sync.OnceValues(func() ([]*x509.Certificate, error) {
		trusted, err := keystore.TrustedIn(data)
		if err != nil {
			return nil, fmt.Errorf("the trust store cannot be read: %w", err)
		}
		return trusted, nil
	})
}

// byItself opens the server's own keystore with its password. ASSUMED: it is the shipped one.
func byItself(data []byte) state.Authorities {
	return sync.OnceValues(func() ([]*x509.Certificate, error) {
		entries, err := keystore.Open(data, keystore.ShippedPassword)
		if err != nil {
			return nil, fmt.Errorf("the keystore cannot be read: %w", err)
		}
		return keystore.CertificatesOf(entries), nil
	})
}

// load reads a unit's settings. ASSUMED: a service that cannot read its settings does not start. A trust store that is
// missing or broken matters only when a certificate is verified.
func load(s *state.Server, unit string) error {
	m := s.Desk
	switch unit {
	case state.UnitServer:
		data, err := m.Read(m.At.Conf)
		if err != nil {
			return fmt.Errorf("%s: %w", m.At.Conf, err)
		}
		conf, err := settings.HOCON(data)
		if err != nil {
			return fmt.Errorf("%s: %w", m.At.Conf, err)
		}
		v := state.ServerSettings{SyncTLS: slices.Contains([]string{"true", "yes", "on"}, conf[SetSyncTLS])}
		trust, _ := m.Read(m.At.ServerTrust) // a missing one trusts nobody
		keystore, _ := m.Read(m.At.Keystore)
		v.Trust, v.Keystore = byJava(trust), byItself(keystore)
		s.Services.Server = v
	case state.UnitPages:
		data, err := m.Read(m.At.Pages)
		if err != nil {
			return fmt.Errorf("%s: %w", m.At.Pages, err)
		}
		values, err := settings.Properties(data)
		if err != nil {
			return fmt.Errorf("%s: %w", m.At.Pages, err)
		}
		v := state.PageSettings{Values: values}
		trust, _ := m.Read(m.At.PagesTrust)
		v.Trust = byJava(trust)
		if PagesEncrypt(v) {
			v.Broken = openKeystore(v, m)
		}
		s.Services.Pages = v
	}
	return nil
}

// PagesEncrypt reports whether the web application connects encrypted. ASSUMED: blanks and case of the value do not
// matter, as for any boolean in Java.
func PagesEncrypt(v state.PageSettings) bool {
	return strings.EqualFold(strings.TrimSpace(v.Values[SetTLS]), "true")
}

// PagesPort returns the port at which the web application connects to Teamwork Cloud, or 0 if the setting is not a
// number.
func PagesPort(v state.PageSettings) int {
	text, ok := v.Values[SetPort]
	if !ok {
		return usualClientPort // ASSUMED: the value in the vendor's file
	}
	n, _ := strconv.Atoi(strings.TrimSpace(text)) // no server has port 0
	return n
}

// openKeystore returns what is wrong with the keystore in the settings, "" if nothing is. Without a type it is a JKS
// (ASSUMED: the example in the vendor's file). A password ENC(...) is correct (ASSUMED: it cannot be decrypted).
// ASSUMED: Java opens a PKCS#12 as a JKS and vice versa, as all have done since Java 8.
func openKeystore(v state.PageSettings, m *state.Machine) string {
	kind := strings.ToUpper(v.Values[SetType])
	if kind != "" && kind != "JKS" && kind != "PKCS12" {
		return fmt.Sprintf("%s: there is no keystore type %s", SetType, v.Values[SetType])
	}
	data, err := m.Read(v.Values[SetPath])
	if err != nil || len(data) == 0 {
		return fmt.Sprintf("%s: there is no keystore %s", SetPath, v.Values[SetPath])
	}
	if Encrypted(v.Values[SetPassword]) {
		if state.IsKeystore("", data) {
			return ""
		}
		return fmt.Sprintf("the keystore %s cannot be read", v.Values[SetPath])
	}
	if _, err := keystore.Open(data, v.Values[SetPassword]); err != nil {
		return fmt.Sprintf("the keystore %s cannot be opened: %v", v.Values[SetPath], err)
	}
	return ""
}

// Encrypted reports whether a value was made by the vendor's encryptor (facts 5.2).
func Encrypted(value string) bool {
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, "ENC(") && strings.HasSuffix(value, ")")
}

// pagesDisconnected returns why the web application cannot connect to Teamwork Cloud's client port, "" if it can.
// "Uncomment the four twc.client.* keys and change twc.client.port" (MCS/pages/247046810). ASSUMED: doing only one of
// the two ends here, and the web application then shows nothing.
func pagesDisconnected(s *state.Server) string {
	v := s.Services.Pages
	port := PagesPort(v)
	switch {
	case !PagesEncrypt(v) && port != s.PlainPort:
		return fmt.Sprintf("%s is %s, and the port for clients that do not encrypt is %d", SetPort, v.Values[SetPort],
			s.PlainPort)
	case !PagesEncrypt(v):
		return ""
	case v.Broken != "":
		return v.Broken
	case !s.TLS:
		return fmt.Sprintf("%s is true, and the encrypted port is not open", SetTLS)
	case port != s.TLSPort:
		return fmt.Sprintf("%s is %s, and the encrypted port is %d", SetPort, v.Values[SetPort], s.TLSPort)
	}
	return ""
}
