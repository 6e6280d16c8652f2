package twcsim

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The settings that encryption has to do with (seed; facts 5.2).
const (
	setPort         = "twc.client.port"
	setTLS          = "twc.client.tls"
	setType         = "twc.client.keystore.type"
	setPath         = "twc.client.keystore.path"
	setPassword     = "twc.client.keystore.password" //nolint:gosec // a key, no password
	setSyncTLS      = "esi.server.sync.tls-enabled"
	typedByAPerson  = "ENC(typed by a person)"
	usualClientPort = 3579
)

// sharedSettings: "Both source and target server must have the same values set in Webapp" (seed).
var sharedSettings = []string{setTLS, setType, setPath, setPassword}

// serverSettings are what Teamwork Cloud has read when it was started.
type serverSettings struct {
	syncTLS  bool
	trust    authorities // its Java's cacerts
	keystore authorities // configuration/keystore.p12
}

// pageSettings are what the web application has read when it was started.
type pageSettings struct {
	values map[string]string
	trust  authorities // its Java's cacerts
	broken string      // why it cannot use its keystore
}

// authorities are the certificates of a file that was read when a service started. It is opened when somebody asks, and once: that
// takes long, and the engine asks at every Tick.
type authorities func() ([]*x509.Certificate, error)

// byJava opens a trust store as Java does.
func byJava(data []byte) authorities {
	return sync.OnceValues(func() ([]*x509.Certificate, error) {
		trusted, err := trustedIn(data)
		if err != nil {
			return nil, fmt.Errorf("the trust store cannot be read: %w", err)
		}
		return trusted, nil
	})
}

// byItself opens the server's own keystore, whose password it knows: ASSUMED to be the one that is shipped.
func byItself(data []byte) authorities {
	return sync.OnceValues(func() ([]*x509.Certificate, error) {
		entries, err := openKeystore(data, shippedPassword)
		if err != nil {
			return nil, fmt.Errorf("the keystore cannot be read: %w", err)
		}
		return certificatesOf(entries), nil
	})
}

// load reads a unit's settings. ASSUMED: a service whose settings cannot be read does not start. A trust store that is missing
// or broken shows only when something is to be trusted by it.
func (s *server) load(unit string) error {
	m := s.desk
	switch unit {
	case unitServer:
		data, err := m.read(m.at.conf)
		if err != nil {
			return fmt.Errorf("%s: %w", m.at.conf, err)
		}
		conf, err := readHOCON(data)
		if err != nil {
			return fmt.Errorf("%s: %w", m.at.conf, err)
		}
		v := serverSettings{syncTLS: slices.Contains([]string{"true", "yes", "on"}, conf[setSyncTLS])}
		trust, _ := m.read(m.at.serverTrust) // none trusts nobody
		keystore, _ := m.read(m.at.keystore)
		v.trust, v.keystore = byJava(trust), byItself(keystore)
		s.services.server = v
	case unitPages:
		data, err := m.read(m.at.pages)
		if err != nil {
			return fmt.Errorf("%s: %w", m.at.pages, err)
		}
		values, err := readProperties(data)
		if err != nil {
			return fmt.Errorf("%s: %w", m.at.pages, err)
		}
		v := pageSettings{values: values}
		trust, _ := m.read(m.at.pagesTrust)
		v.trust = byJava(trust)
		if v.encrypts() {
			v.broken = v.openKeystore(m)
		}
		s.services.pages = v
	}
	return nil
}

// encrypts: ASSUMED: blanks around it do not matter, its case neither, as for any boolean of Java.
func (v pageSettings) encrypts() bool {
	return strings.EqualFold(strings.TrimSpace(v.values[setTLS]), "true")
}

// port is the one of Teamwork Cloud; 0 for what is none.
func (v pageSettings) port() int {
	text, ok := v.values[setPort]
	if !ok {
		return usualClientPort // ASSUMED: what the vendor's file has
	}
	n, _ := strconv.Atoi(strings.TrimSpace(text)) // 0 is a port that nothing has
	return n
}

// openKeystore says what is wrong with the keystore that the settings name. Without a type it is a JKS (ASSUMED: the example of
// the vendor's file). A password ENC(...) is right (ASSUMED: it cannot be looked into). ASSUMED: Java opens a PKCS#12 as a JKS and
// the other way round, as all have done since Java 8.
func (v pageSettings) openKeystore(m *machine) string {
	kind := strings.ToUpper(v.values[setType])
	if kind != "" && kind != "JKS" && kind != "PKCS12" {
		return fmt.Sprintf("%s: there is no keystore type %s", setType, v.values[setType])
	}
	data, err := m.read(v.values[setPath])
	if err != nil || len(data) == 0 {
		return fmt.Sprintf("%s: there is no keystore %s", setPath, v.values[setPath])
	}
	if encrypted(v.values[setPassword]) {
		if isKeystore("", data) {
			return ""
		}
		return fmt.Sprintf("the keystore %s cannot be read", v.values[setPath])
	}
	if _, err := openKeystore(data, v.values[setPassword]); err != nil {
		return fmt.Sprintf("the keystore %s cannot be opened: %v", v.values[setPath], err)
	}
	return ""
}

// encrypted tells a value that the vendor's encryptor made (facts 5.2).
func encrypted(value string) bool {
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, "ENC(") && strings.HasSuffix(value, ")")
}

// pagesDisconnected says why the web application cannot talk to Teamwork Cloud's client port, "" if it can. "Uncomment the four
// twc.client.* keys and change twc.client.port" (MCS/pages/247046810); ASSUMED: one without the other ends in this, and the web
// application shows nothing then.
func (s *server) pagesDisconnected() string {
	v := s.services.pages
	port := v.port()
	switch {
	case !v.encrypts() && port != s.plainPort:
		return fmt.Sprintf("%s is %s, and the port for clients that do not encrypt is %d", setPort, v.values[setPort], s.plainPort)
	case !v.encrypts():
		return ""
	case v.broken != "":
		return v.broken
	case !s.tls:
		return fmt.Sprintf("%s is true, and the encrypted port is not open", setTLS)
	case port != s.tlsPort:
		return fmt.Sprintf("%s is %s, and the encrypted port is %d", setPort, v.values[setPort], s.tlsPort)
	}
	return ""
}
