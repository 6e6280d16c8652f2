// Package connect holds the declaration of a Teamwork Cloud server, and connects to it.
package connect

import (
	"cmp"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
)

// Server is the declaration of a server.
type Server struct {
	declare.Server

	WebApplication string `decl:"web_application"`
	SyncAddress    string `decl:"sync_address"`
	TokenKind      string `decl:"token_kind"`
	Site           string `decl:"site"`

	Expect  *Expect  `decl:"expect"`
	Host    *Host    `decl:"host"`     // nil: a person does the work on the machine
	SyncTLS *SyncTLS `decl:"sync_tls"` // nil: syncctl does not manage encryption
}

// Expect is what a server is expected to be.
type Expect struct {
	Major string `decl:"major"`
}

// Host is the machine of a server. Commands that are not declared are the vendor's for its version.
type Host struct {
	declare.Host

	Local       bool          `decl:"local"`
	Home        string        `decl:"home"`
	DataManager []string      `decl:"datamanager"`
	Stop        [][]string    `decl:"stop"`
	Start       [][]string    `decl:"start"`
	Status      []string      `decl:"status"`
	Database    []string      `decl:"database"`
	Within      time.Duration `decl:"within"`

	ApplicationConf  string `decl:"application_conf"`
	WebAppProperties string `decl:"webappplatform_properties"`
}

// SyncTLS is how synchronization is encrypted at a server's end.
type SyncTLS struct {
	declare.Block

	Keystore     *schema.Resource `decl:"keystore"`
	KeystorePath string           `decl:"keystore_path"`
	Port         int              `decl:"port"` // 0: the open one, else the vendor's
	Recipe       string           `decl:"recipe"`
	TrustStores  []string         `decl:"trust_stores"`

	TrustStoresPassword    declare.Secret `decl:"trust_stores_password"`
	ServerKeystorePassword declare.Secret `decl:"server_keystore_password"`

	AllowLoggedIn bool             `decl:"allow_logged_in"`
	Trust         map[string]Trust `decl:"trust"` // by alias
}

// Trust is a certificate that a server should trust.
type Trust struct {
	declare.Block

	Certificate declare.Secret `decl:"certificate"`
}

// PlainPort and TLSPort are Teamwork Cloud's ports for clients without and with encryption, unless somebody changed
// them (MCS 247046454).
const (
	PlainPort = 3579
	TLSPort   = 10002
)

// Declared decodes the declaration of a server. It returns nil for nil. Values that are not known yet are absent.
func Declared(r *schema.Resource) *Server {
	s, _ := declare.Decode[Server](r)
	return s
}

// Address returns the address of the declaration.
func (s *Server) Address() string { return s.Addr().String() }

// IsSame reports whether two declarations describe the same server: they are the same declaration or have the same
// URL.
func (s *Server) IsSame(other *Server) bool {
	if s == nil || other == nil {
		return false
	}
	a, b := strings.TrimRight(s.URL.Reveal(), "/"), strings.TrimRight(other.URL.Reveal(), "/")
	return s.Addr() == other.Addr() || a != "" && strings.EqualFold(a, b)
}

// Folded returns the same text for all texts that strings.EqualFold considers equal.
func Folded(text string) string { return strings.ToLower(strings.ToUpper(text)) }

// Identity returns the same text for two declarations exactly if IsSame is true for them. It is used as a key of maps.
func (s *Server) Identity() string {
	if url := strings.TrimRight(s.URL.Reveal(), "/"); url != "" {
		return Folded(url)
	}
	return s.Address()
}

// Peer returns the host and port by which remote resource configurations on other servers name this one. port may be
// "".
func (s *Server) Peer() (host, port string) {
	if s.SyncAddress != "" {
		return SplitPort(s.SyncAddress)
	}
	u, err := url.Parse(s.URL.Reveal())
	if err != nil {
		return "", ""
	}
	return u.Hostname(), ""
}

// WebPage returns the address of the web application, for people.
func (s *Server) WebPage() string {
	u, err := url.Parse(s.URL.Reveal())
	switch {
	case s.WebApplication != "":
		return s.WebApplication
	case err != nil:
		return s.URL.String()
	}
	return "https://" + net.JoinHostPort(u.Hostname(), "8443") + "/webapp"
}

// EncryptedPort returns the port that the server should have for encrypted clients: the declared one, else the open
// one, else the vendor's.
func (s *Server) EncryptedPort(open int) int {
	if s.SyncTLS == nil {
		return cmp.Or(open, TLSPort)
	}
	return cmp.Or(s.SyncTLS.Port, open, TLSPort)
}

// SplitPort splits host:port. port is "" if there is none. An IPv6 address has brackets.
func SplitPort(text string) (host, port string) {
	if h, p, err := net.SplitHostPort(text); err == nil {
		return h, p
	}
	return strings.Trim(text, "[]"), ""
}
