//go:build unix

package host

import (
	"bytes"
	"encoding/pem"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestKeys(t *testing.T) {
	signer, plain := newKey(t)
	rsaSigner, rsaKey := newRSA(t)
	s := serve(t, nil, signer.PublicKey(), rsaSigner.PublicKey())
	private, err := ssh.ParseRawPrivateKey(plain)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	encrypted := pem.EncodeToMemory(block)
	costly := *block
	costly.Bytes = bytes.Replace(block.Bytes, []byte{0, 0, 0, 16, 0, 0, 0, 1}, []byte{0, 0, 1, 1, 0, 0, 0, 1}, 1)
	crlf := bytes.ReplaceAll(bytes.TrimSpace(plain), []byte("\n"), []byte("\r\n"))
	for name, c := range map[string]struct {
		key        []byte
		passphrase string
	}{
		"plain":                       {plain, ""},
		"plain, with a passphrase":    {plain, "open sesame"},
		"RSA":                         {rsaKey, ""},
		"encrypted":                   {encrypted, "open sesame"},
		"with another system's lines": {crlf, ""},
		"without its last newline":    {append([]byte("\n "), bytes.TrimSpace(plain)...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			works(t, s.to(t, func(o *SSHOptions) { o.Keys, o.Passphrase = [][]byte{c.key}, c.passphrase }))
		})
	}
	for want, c := range map[string]struct {
		key        []byte
		passphrase string
	}{
		"it is encrypted, and no passphrase is given":                {encrypted, ""},
		"the passphrase does not open it":                            {encrypted, "open barley"},
		"its passphrase is stretched in 257 rounds, and at most 256": {pem.EncodeToMemory(&costly), "open sesame"},
		"it has 32769 bytes, and at most 32768":                      {bytes.Repeat([]byte("k"), 32<<10), ""},
		"it is a public key":                                         {[]byte(serialized(signer.PublicKey())), ""},
		"it is a public key, and": {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY",
			Bytes: []byte("x")}), ""},
		"it is in PuTTY's form": {[]byte("PuTTY-User-Key-File-3: ssh-ed25519\nhush"), ""},
		"it is encrypted in a form (PKCS #8)": {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY",
			Bytes: []byte("hush")}), "x"},
		"it has no private key": {[]byte("hush"), ""},
		"it cannot be read": {pem.EncodeToMemory(&pem.Block{Type: "HUSH KEY",
			Bytes: []byte("hush")}), ""},
		"it cannot be read: it is damaged": {pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY",
			Bytes: []byte("hush")}), "hush"},
	} {
		_, err := SSH(SSHOptions{Address: "a@b", Keys: [][]byte{c.key}, Passphrase: c.passphrase})
		if err == nil || !strings.Contains(err.Error(), "key 1: "+want) ||
			strings.Contains(strings.ToLower(err.Error()), "hush") || strings.Contains(err.Error(), "barley") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNoKeyIsAccepted(t *testing.T) {
	stranger, key := newKey(t)
	second, key2 := newKey(t)
	refuse := func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("no") }
	s := serve(t, nil)
	h := s.to(t, func(o *SSHOptions) { o.Keys = [][]byte{key, key2, key} })
	fails(t, h, "the machine accepted none of the keys for admin",
		"key 1 (ssh-ed25519 "+ssh.FingerprintSHA256(stranger.PublicKey())+")",
		"key 2 (ssh-ed25519 "+ssh.FingerprintSHA256(second.PublicKey())+")", "~/.ssh/authorized_keys of admin")
	s = serve(t, func(s *server) {
		s.methods = func(c *ssh.ServerConfig) {
			c.PublicKeyCallback = nil
			c.PasswordCallback = refuse
		}
	})
	fails(t, s.to(t, func(o *SSHOptions) { o.Keys = [][]byte{key} }), "accepts no keys from admin, only: password")
	s = serve(t, func(s *server) {
		s.methods = func(c *ssh.ServerConfig) {
			c.PublicKeyCallback = func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
				return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{PasswordCallback: refuse}}
			}
		}
	})
	fails(t, s.to(t, func(o *SSHOptions) { o.Keys = [][]byte{key} }), "the key is accepted, but the machine also "+
		"asks for", "password")
	var many [][]byte
	for range 7 {
		_, k := newKey(t)
		many = append(many, k)
	}
	s = serve(t, nil)
	fails(t, s.to(t, func(o *SSHOptions) { o.Keys = many }), "the machine ended the login of admin after",
		"declare the one key to use")
}

// serveAgent is an SSH agent in this process.
func serveAgent(t *testing.T, keys ...[]byte) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		private, err := ssh.ParseRawPrivateKey(k)
		if err == nil {
			err = ring.Add(agent.AddedKey{PrivateKey: private, Comment: "deploy\x1b[31m"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _ = agent.ServeAgent(ring, conn); conn.Close() })
		}
	})
	t.Cleanup(func() { listener.Close(); all.Wait() })
	return socket
}

func TestAgent(t *testing.T) {
	signer, key := newKey(t)
	rsaSigner, rsaKey := newRSA(t)
	stranger, strange := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	agents := func(socket string, keys ...[]byte) *sshHost {
		return s.to(t, func(o *SSHOptions) { o.AgentSocket, o.Keys = socket, keys })
	}
	works(t, agents(serveAgent(t, strange, key)))
	works(t, agents(serveAgent(t, strange), key))
	works(t, agents(serveAgent(t), key))
	works(t, agents(filepath.Join(t.TempDir(), "none"), key)) // what is declared is enough
	fails(t, agents(filepath.Join(t.TempDir(), "none")), "the SSH agent cannot be reached")
	fails(t, agents(serveAgent(t)), "the agent holds no key")
	fails(t, agents(serveAgent(t, strange)),
		`"deploy\x1b[31m" of the agent (ssh-ed25519 `+ssh.FingerprintSHA256(stranger.PublicKey()))
	s = serve(t, nil, rsaSigner.PublicKey())
	works(t, agents(serveAgent(t, rsaKey)))
}

// TestByteOrderMarks checks that keys and the lines of known_hosts are found behind byte order marks, which editors
// add.
func TestByteOrderMarks(t *testing.T) {
	signer, key := newKey(t)
	s := serve(t, nil, signer.PublicKey())
	marked := []byte("\ufeff")
	works(t, s.to(t, func(o *SSHOptions) {
		o.Keys, o.KnownHosts = [][]byte{slices.Concat(marked, key)}, slices.Concat(marked, s.known())
	}))
	_, err := SSH(SSHOptions{Address: "a@b", Keys: [][]byte{append([]byte("\xff\xfe"), key...)}})
	if err == nil || !strings.Contains(err.Error(), "UTF-16") {
		t.Errorf("got %v", err)
	}
}
