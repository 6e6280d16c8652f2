//go:build unix

package declare_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// countingAgent counts what it signs.
type countingAgent struct {
	agent.Agent

	signed *atomic.Int32
}

func (a countingAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	a.signed.Add(1)
	return a.Agent.Sign(key, data)
}

// accept calls serve with every connection that comes, until the test ends.
func accept(t *testing.T, network, address string, serve func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr()
}

func signer(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

// TestAgentAndAnotherMachine checks that the agent signs nothing for a machine whose key is not the one that the user's
// own known_hosts has for that name, or one that it revokes, whatever the configuration says of it.
func TestAgentAndAnotherMachine(t *testing.T) {
	shown, _ := signer(t)
	other, _ := signer(t)
	_, mine := signer(t)
	keys := countingAgent{agent.NewKeyring(), new(atomic.Int32)}
	if err := keys.Add(agent.AddedKey{PrivateKey: mine}); err != nil {
		t.Fatal(err)
	}
	socket := accept(t, "unix", filepath.Join(t.TempDir(), "agent"), func(c net.Conn) { _ = agent.ServeAgent(keys, c) })
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return &ssh.Permissions{}, nil
	}}
	config.AddHostKey(shown)
	at := accept(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		defer c.Close()
		_, channels, requests, err := ssh.NewServerConn(c, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for n := range channels {
			_ = n.Reject(ssh.Prohibited, "no")
		}
	}).String()
	line := func(s ssh.Signer) string { return knownhosts.Line([]string{at}, s.PublicKey()) }
	revoked := strings.Replace(line(shown), "["+strings.Replace(at, ":", "]:", 1), "@revoked *", 1)
	for own, signs := range map[string]bool{
		line(shown): true, line(other): false, line(shown) + "\n" + revoked: false,
	} {
		keys.signed.Store(0)
		cfg, diags := load(t, "server \"depot\" \"a\" {\n  url = \"https://a.example\"\n  token = \"geheim-4711\"\n"+
			"  host {\n    ssh = \"admin@"+at+"\"\n    known_hosts = "+strconv.Quote(line(shown))+"\n  }\n}\n", false)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := declare.Decode[server](cfg.Resources[0])
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		fs := afero.NewMemMapFs()
		if err := afero.WriteFile(fs, "/home/ada/.ssh/known_hosts", []byte(own), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := s.Host.Open(driver.Env{Fs: fs, LookupEnv: func(name string) (string, bool) {
			value, ok := map[string]string{"HOME": "/home/ada", "SSH_AUTH_SOCK": socket.String()}[name]
			return value, ok
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Files(t.Context()).Stat("/a") // the machine opens no sessions: it fails, after the login or before
		if got := keys.signed.Load() > 0; got != signs || err == nil {
			t.Errorf("%s: signed %v, %v", own, got, err)
		}
		if !signs && (err == nil || !strings.Contains(err.Error(), "your own /home/ada/.ssh/known_hosts")) {
			t.Errorf("%s: which line to mend is not said: %v", own, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
