package signing

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Private is a private key. One that is locked with a passphrase is unlocked when it is first used, and asks then.
type Private struct {
	text   []byte
	public ssh.PublicKey
	ask    Ask
	raw    any // nil: it is locked
}

// Generate makes an Ed25519 key: the private half in OpenSSH's form, and the public one as a line of authorized_keys.
func Generate(random io.Reader, comment string) (private []byte, public string, err error) {
	_, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, "", fmt.Errorf("making an SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return nil, "", fmt.Errorf("making an SSH key: %w", err)
	}
	half, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, "", fmt.Errorf("making an SSH key: %w", err)
	}
	return pem.EncodeToMemory(block), string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(half))) + " " + comment, nil
}

// Ask asks a person for the passphrase of a key.
type Ask func() ([]byte, error)

// ErrPublic says that a file has a public key where a private one is meant: its private half may be an agent's.
var ErrPublic = errors.New("it is a public key")

// ErrLocked says that a key is locked with a passphrase, and that nobody can be asked for it.
var ErrLocked = errors.New("it is locked with a passphrase, and nobody can be asked for it")

// ParsePrivate reads a private key in OpenSSH's form or PEM. ask is nil where nobody can be asked. It is called at once
// for a locked key whose file does not hold the public half, and otherwise when the key is used.
func ParsePrivate(text []byte, ask Ask) (*Private, error) {
	if _, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil { //nolint:dogsled // only whether it is one counts
		return nil, ErrPublic
	}
	p := &Private{text: text, ask: ask}
	raw, err := ssh.ParseRawPrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked) && locked.PublicKey != nil:
		p.public = locked.PublicKey
		return p, nil
	case errors.As(err, &locked):
		if raw, err = p.unlock(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, errors.New("it is not a private SSH key")
	}
	signer, err := ssh.NewSignerFromKey(raw)
	if err != nil {
		return nil, fmt.Errorf("it is not a key for SSH: %w", err)
	}
	p.raw, p.public = raw, signer.PublicKey()
	return p, nil
}

func (p *Private) unlock() (any, error) {
	if p.ask == nil {
		return nil, ErrLocked
	}
	passphrase, err := p.ask()
	if err != nil {
		return nil, fmt.Errorf("asking for the passphrase: %w", err)
	}
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase(p.text, passphrase)
	if err != nil {
		return nil, errors.New("the passphrase does not unlock the key")
	}
	return raw, nil
}

// Public is the public half.
func (p *Private) Public() ssh.PublicKey { return p.public }

// Fingerprint is that of the public half, as ssh-keygen -l prints it.
func (p *Private) Fingerprint() string { return ssh.FingerprintSHA256(p.public) }

// Raw is the key as the standard library has it, unlocked.
func (p *Private) Raw() (any, error) {
	if p.raw == nil {
		raw, err := p.unlock()
		if err != nil {
			return nil, err
		}
		p.raw = raw
	}
	return p.raw, nil
}

// Signer signs with the key, unlocked.
func (p *Private) Signer() (ssh.Signer, error) {
	raw, err := p.Raw()
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(raw)
}

// FromAgent is the signer of the agent at the other end of a connection for a public key, a line of authorized_keys.
func FromAgent(conn io.ReadWriter, line []byte) (ssh.Signer, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, fmt.Errorf("asking the SSH agent for its keys: %w", err)
	}
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), key.Marshal()) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the SSH agent does not hold %s %s", key.Type(), ssh.FingerprintSHA256(key))
}
