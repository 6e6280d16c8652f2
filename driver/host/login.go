package host

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/syncctl/syncctl/driver/wording"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// identity is a key to log in with.
type identity struct {
	signer ssh.Signer
	from   string // "key 1", `"deploy" of the agent`
}

func (i identity) String() string {
	key := i.signer.PublicKey()
	return fmt.Sprintf("%s (%s %s)", i.from, key.Type(), ssh.FingerprintSHA256(key))
}

// parseKeys parses private keys. No error contains anything of a key.
func parseKeys(keys [][]byte, passphrase string) ([]identity, error) {
	var out []identity
	for i, key := range keys {
		from := fmt.Sprintf("key %d", i+1)
		signer, err := parseKey(key, passphrase)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		out = append(out, identity{signer, from})
	}
	return out, nil
}

func parseKey(key []byte, passphrase string) (ssh.Signer, error) {
	if bytes.HasPrefix(key, []byte("\xff\xfe")) || bytes.HasPrefix(key, []byte("\xfe\xff")) {
		return nil, errors.New("it is text in UTF-16: save it as UTF-8, or as ASCII")
	}
	key = bytes.TrimPrefix(key, []byte("\ufeff")) // a byte order mark
	key = bytes.TrimSpace(bytes.ReplaceAll(key, []byte("\r\n"), []byte("\n")))
	key = append(bytes.Clone(key), '\n')
	if err := affordable(key); err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(key)
	var missing *ssh.PassphraseMissingError
	encrypted := errors.As(err, &missing)
	if encrypted && passphrase != "" {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(passphrase))
	}
	if err == nil {
		return signer, nil
	}
	block, _ := pem.Decode(key)
	_, _, _, _, public := ssh.ParseAuthorizedKey(key) //nolint:dogsled // only whether it is one matters
	switch {
	case encrypted && passphrase == "":
		return nil, errors.New("it is encrypted, and no passphrase is given")
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errors.New("the passphrase does not open it")
	case bytes.HasPrefix(key, []byte("PuTTY-User-Key-File")):
		return nil, errors.New(`it is in PuTTY's form: "puttygen KEY.ppk -O private-openssh -o KEY" writes a usable one`)
	case block != nil && block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New(`it is encrypted in a form (PKCS #8) that cannot be read here: ` +
			`"ssh-keygen -p -f KEY" writes it in OpenSSH's form`)
	case public == nil || block != nil && strings.Contains(block.Type, "PUBLIC KEY"):
		return nil, errors.New("it is a public key, and the private one is wanted")
	case block == nil:
		return nil, errors.New("it has no private key in PEM or OpenSSH's form")
	}
	return nil, errors.New("it cannot be read: it is damaged or of an unknown kind")
}

// Limits on the work that a key may require. The library's own limit is minutes, and cannot be interrupted.
const (
	maxKeyText = 32 << 10 // bytes; RSA of 16,384 bits has thirteen thousand
	maxRounds  = 256      // of bcrypt, which stretches a passphrase; ssh-keygen uses 16 or 24
)

// affordable returns an error if reading a key would take too long.
func affordable(key []byte) error {
	if len(key) > maxKeyText {
		return fmt.Errorf("it has %d bytes, and at most %d are read", len(key), maxKeyText)
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return nil
	}
	var about struct {
		Cipher, Stretched, Options string
		Rest                       []byte `ssh:"rest"`
	}
	var bcrypt struct {
		Salt   string
		Rounds uint32
	}
	head, ok := bytes.CutPrefix(block.Bytes, []byte("openssh-key-v1\x00"))
	if !ok || ssh.Unmarshal(head, &about) != nil || ssh.Unmarshal([]byte(about.Options), &bcrypt) != nil {
		return nil // reading it finds what is wrong
	}
	if bcrypt.Rounds > maxRounds {
		return fmt.Errorf("its passphrase is stretched in %d rounds, and at most %d are carried out: "+
			`"ssh-keygen -p -a 64 -f KEY" writes one that opens in time`, bcrypt.Rounds, maxRounds)
	}
	return nil
}

// askAgent lists the keys of an agent. The connection must stay open while the identities are used.
func askAgent(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error),
	socket string) ([]identity, io.Closer, error) {
	conn, err := dial(ctx, "unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("the SSH agent cannot be reached: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // an agent may ask a person
	hangUp := closer(func() error { stop(); return conn.Close() })
	client := agent.NewClient(conn)
	keys, err := client.List()
	var signers []ssh.Signer
	if err == nil {
		signers, err = client.Signers()
	}
	if err != nil {
		hangUp.Close()
		return nil, nil, fmt.Errorf("asking the SSH agent for its keys: %w", err)
	}
	var out []identity
	for i, signer := range signers {
		from := "a key of the agent"
		if i < len(keys) && keys[i].Comment != "" && bytes.Equal(keys[i].Marshal(), signer.PublicKey().Marshal()) {
			from = `"` + wording.Message(keys[i].Comment, 60) + `" of the agent`
		}
		out = append(out, identity{signer, from})
	}
	return out, hangUp, nil
}

type closer func() error

func (c closer) Close() error { return c() }

// login offers one key after the other to a machine, and records the results. It offers them one at a time, because a
// key that its agent refuses to sign with must not prevent trying the others.
type login struct {
	address address
	ids     []identity
	tried   []string

	mu       sync.Mutex // the key exchange is repeated while a connection is open
	verified bool       // the machine's own key was accepted; later errors are about our keys
	key      error      // why the machine's own key was refused
}

var errNotLetIn = errors.New("not let in")

// next is called before each attempt.
func (l *login) next(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	others := slices.DeleteFunc(slices.Clone(c.AllowedMethods), func(m string) bool { return m == "publickey" })
	wants := wording.Message(strings.Join(others, ", "), 200)
	switch {
	case len(c.PartialSuccessMethods) > 0 && !slices.Contains(c.AllowedMethods, "publickey"):
		return nil, fmt.Errorf("%w: the key is accepted, but the machine also asks for input from a person (%s)",
			errNotLetIn, wants)
	case !slices.Contains(c.AllowedMethods, "publickey"):
		return nil, fmt.Errorf("%w: the machine accepts no keys from %s, only: %s", errNotLetIn, l.address.user,
			wants)
	case len(l.tried) < len(l.ids):
		id := l.ids[len(l.tried)]
		l.tried = append(l.tried, id.String())
		return ssh.PublicKeys(id.signer), nil
	case len(l.ids) == 0:
		return nil, fmt.Errorf("%w: the agent holds no key to log in with (ssh-add adds one)", errNotLetIn)
	}
	return nil, fmt.Errorf("%w: the machine accepted none of the keys for %s: %s. Add one of them to "+
		"~/.ssh/authorized_keys of %s there",
		errNotLetIn, l.address.user, strings.Join(l.tried, ", "), l.address.user)
}

// explain explains the error of a handshake.
func (l *login) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.key != nil:
		return l.key
	case errors.Is(err, errNotLetIn):
		for inner := err; inner != nil; inner = errors.Unwrap(inner) { // the library adds words around it
			if strings.HasPrefix(inner.Error(), errNotLetIn.Error()) {
				return inner
			}
		}
	case l.verified && len(l.tried) > 0:
		// Most often too many attempts: sshd accepts six keys (MaxAuthTries).
		return &inWords{fmt.Sprintf("the machine ended the login of %s after %d keys (%s): %s. If these are too many "+
			"attempts for it, declare the one key to use",
			l.address.user, len(l.tried), strings.Join(l.tried, ", "), foreign(err)), err}
	}
	return &inWords{"logging in: " + foreign(err), err}
}

// unlike drops duplicate keys, such as those that are in a file and in an agent.
func unlike(ids []identity) []identity {
	var out []identity
	for _, id := range ids {
		same := func(other identity) bool {
			return bytes.Equal(other.signer.PublicKey().Marshal(), id.signer.PublicKey().Marshal())
		}
		if !slices.ContainsFunc(out, same) {
			out = append(out, id)
		}
	}
	return out
}
