//go:build unix

package host

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncctl/syncctl/printable"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestHostKeyIsVerified(t *testing.T) {
	signer, key := newKey(t)
	second, _ := newRSA(t)
	other, _ := newKey(t)
	s := serve(t, func(s *server) { s.keys = append(s.keys, second) }, signer.PublicKey())
	first := s.keys[0].PublicKey()
	line := func(keys ...ssh.PublicKey) []byte {
		var b bytes.Buffer
		for _, k := range keys {
			b.WriteString(knownhosts.Line([]string{s.addr}, k) + "\r\n")
		}
		return b.Bytes()
	}
	host := func(known []byte) *sshHost {
		return s.to(t, func(o *SSHOptions) { o.Keys, o.KnownHosts = [][]byte{key}, known })
	}
	shown := ssh.FingerprintSHA256(first)
	added := strings.TrimSpace(string(line(first)))
	for name, known := range map[string][]byte{
		"known":                  line(first),
		"one of two":             line(other.PublicKey(), first),
		"known by its other key": line(second.PublicKey()),
		"under a hashed name": []byte(knownhosts.HashHostname(knownhosts.Normalize(s.addr)) + " " +
			serialized(first)),
		"among lines that cannot be read": []byte("x\nhost 1024 35 12345\n# ü\n@marker * " + serialized(first) +
			"\n[" + s.addr + " ssh-dss AAAA\n" + string(line(first))),
		"by a pattern":                       []byte("[127.0.0.*]:" + port(s.addr) + " " + serialized(first)),
		"by a pattern, not for another host": []byte("!x,[127.0.0.1]:" + port(s.addr) + " " + serialized(first)),
	} {
		t.Run(name, func(t *testing.T) { works(t, host(known)) })
	}
	t.Run("unknown", func(t *testing.T) {
		for _, known := range [][]byte{nil, []byte("127.0.0.1 " + serialized(first)), []byte("elsewhere " +
			serialized(first))} {
			err := fails(t, host(known), "no known_hosts line names it", "ssh-ed25519 "+shown,
				"add this line to known_hosts: "+added)
			var unknown *knownhosts.KeyError
			if !errors.As(err, &unknown) || len(unknown.Want) != 0 {
				t.Errorf("not to be told apart: %#v", err)
			}
			if !strings.HasSuffix(err.Error(), added) {
				t.Errorf("the line to add does not stand at the end: %v", err)
			}
		}
	})
	t.Run("the line it says helps", func(t *testing.T) {
		err := fails(t, host(nil))
		_, add, _ := strings.Cut(err.Error(), "known_hosts: ")
		works(t, host([]byte(add)))
	})
	t.Run("changed", func(t *testing.T) {
		fails(t, host(append([]byte("# mine\n"), line(other.PublicKey())...)), "WARNING: the host key has changed",
			shown, ssh.FingerprintSHA256(other.PublicKey())+" (line 2)", "Do not continue before", added)
	})
	t.Run("revoked", func(t *testing.T) {
		fails(t, host(append(line(first), "@revoked * "+serialized(first)...)), "is revoked by line 2 of known_hosts")
	})
	t.Run("known, and not to be", func(t *testing.T) {
		allowed := ssh.FingerprintSHA256(other.PublicKey())
		h := s.to(t, func(o *SSHOptions) {
			o.Keys, o.KnownHosts = [][]byte{key}, line(other.PublicKey(), first)
			o.HostKey = func(_, print string) error {
				if print != allowed {
					return errors.New("not with this key")
				}
				return nil
			}
		})
		fails(t, h, "not with this key")
		allowed = shown
		works(t, h)
	})
	t.Run("an authority without certificate", func(t *testing.T) {
		fails(t, host([]byte("@cert-authority [127.0.0.1]:* "+serialized(other.PublicKey()))), "no known_hosts line")
		fails(t, host([]byte("@cert-authority [127.0.0.1]:"+port(s.addr)+" "+serialized(other.PublicKey()))),
			"WARNING", "certificates of ssh-ed25519")
	})
}

// TestHostKeyThatChanges checks that the key is compared for each connection, and not only for the first.
func TestHostKeyThatChanges(t *testing.T) {
	other, _ := newKey(t)
	var changed atomic.Bool
	s, h := pair(t, func(s *server) {
		s.methods = func(c *ssh.ServerConfig) {
			if changed.Load() {
				c.AddHostKey(other) // in place of the one of its kind
			}
		}
	})
	works(t, h)
	changed.Store(true)
	works(t, h) // on the same connection
	s.cut()
	fails(t, h, "WARNING: the host key has changed", ssh.FingerprintSHA256(other.PublicKey()))
}

func serialized(k ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

func TestHostCertificates(t *testing.T) {
	signer, key := newKey(t)
	authority, _ := newKey(t)
	for name, c := range map[string]struct {
		principal, want string
		until           uint64
	}{
		"good":    {"127.0.0.1", "", ssh.CertTimeInfinity},
		"another": {"db.example", "is refused", ssh.CertTimeInfinity},
		"old":     {"127.0.0.1", "expired", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(s *server) {
				plain := s.keys[0]
				cert := &ssh.Certificate{Key: plain.PublicKey(), CertType: ssh.HostCert,
					ValidPrincipals: []string{c.principal}, ValidAfter: 1, ValidBefore: c.until}
				if err := cert.SignCert(rand.Reader, authority); err != nil {
					t.Fatal(err)
				}
				signed, err := ssh.NewCertSigner(cert, plain)
				if err != nil {
					t.Fatal(err)
				}
				s.keys = []ssh.Signer{plain, signed}
			}, signer.PublicKey())
			h := s.to(t, func(o *SSHOptions) {
				o.Keys, o.KnownHosts = [][]byte{key}, []byte("@cert-authority "+
					"[127.0.0.1]:"+port(s.addr)+" "+serialized(authority.PublicKey()))
			})
			if c.want == "" {
				works(t, h)
				revoked := "\n@revoked * " + serialized(authority.PublicKey())
				fails(t, s.to(t, func(o *SSHOptions) {
					o.Keys, o.KnownHosts = [][]byte{key}, append(h.o.KnownHosts, revoked...)
				}), "revoked")
				byAuthority := ssh.FingerprintSHA256(authority.PublicKey())
				asked := s.to(t, func(o *SSHOptions) {
					o.Keys, o.KnownHosts = [][]byte{key}, h.o.KnownHosts
					o.HostKey = func(machine, print string) error {
						if machine != s.addr || print != byAuthority {
							t.Errorf("asked about %s of %s", print, machine)
						}
						return errors.New("not by this authority")
					}
				})
				fails(t, asked, "not by this authority")
				prints, err := Fingerprints(h.o.KnownHosts, "", s.addr)
				if err != nil || !slices.Equal(prints, []string{byAuthority}) {
					t.Errorf("%v, %v", prints, err)
				}
			} else {
				fails(t, h, c.want)
			}
			// Without an authority in known_hosts, the machine is known by its plain key.
			works(t, s.to(t, func(o *SSHOptions) { o.Keys = [][]byte{key} }))
		})
	}
}

func FuzzKnownHosts(f *testing.F) {
	signer, err := ssh.ParsePrivateKey([]byte(fuzzKey))
	if err != nil {
		f.Fatal(err)
	}
	key := signer.PublicKey()
	for _, seed := range []string{"* ssh-ed25519 AAAA", "@revoked x", "@cert-authority *.example " +
		serialized(key), "|1|a|b ssh-rsa x", "[h]:x,!y " + serialized(key), "a\rb\x00 c"} {
		f.Add(seed)
	}
	a := address{user: "a", host: "db.example", port: 22}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := parseKnownHosts([]byte(text), "")
		if err != nil {
			if printable.Line(err.Error()) != err.Error() {
				t.Errorf("%q: %q", text, err)
			}
			return
		}
		if len(k.algorithms(a)) == 0 {
			t.Errorf("%q: no algorithms", text)
		}
		if err := k.verify(a, key); err == nil && !strings.Contains(text, serialized(key)[12:]) {
			t.Errorf("%q lets any key pass", text)
		} else if err != nil && printable.Line(err.Error()) != err.Error() {
			t.Errorf("%q: %q", text, err)
		}
	})
}

// fuzzKey is a key of this test alone.
const fuzzKey = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACAruGHgo4m4FaFdI8lVQbFPxclrEk1tWSiUpdZ429EEcgAAAIjU0W2n1NFt
pwAAAAtzc2gtZWQyNTUxOQAAACAruGHgo4m4FaFdI8lVQbFPxclrEk1tWSiUpdZ429EEcg
AAAEACLV8nFllVsRbpYhGIJ7Tuacef+6IYQcmdzWLDYW/H/yu4YeCjibgVoV0jyVVBsU/F
yWsSTW1ZKJSl1njb0QRyAAAABGZ1enoB
-----END OPENSSH PRIVATE KEY-----
`
