// Package signing signs files with SSH keys, and verifies such signatures, in the format of ssh-keygen -Y. People have
// these keys already. It knows nothing of what it signs.
package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Suffix is that of a file's signature, as ssh-keygen names it.
const Suffix = ".sig"

// Sign signs a message for one purpose, the namespace: a signature for one is none for another. The result is what
// ssh-keygen -Y sign writes.
func Sign(random io.Reader, key ssh.Signer, namespace string, message []byte) ([]byte, error) {
	signature, err := sshsig.SignWithRand(bytes.NewReader(message), random, key, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", ssh.FingerprintSHA256(key.PublicKey()), err)
	}
	return sshsig.Armor(signature), nil
}

// Verify tells who signed a message for a purpose: the name behind the key in its line of authorized_keys, or else its
// fingerprint. An error says why it is nobody of those who may. allowed are such lines.
func Verify(message, armored []byte, namespace string, allowed []string) (string, error) {
	signature, err := sshsig.Unarmor(armored)
	if err != nil {
		return "", fmt.Errorf("the signature cannot be read: %w", err)
	}
	print := ssh.FingerprintSHA256(signature.PublicKey)
	for _, line := range allowed {
		key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return "", fmt.Errorf("one of the keys whose signatures are taken cannot be read: %w", err)
		}
		if !bytes.Equal(key.Marshal(), signature.PublicKey.Marshal()) {
			continue
		}
		if err := sshsig.Verify(bytes.NewReader(message), signature, key, signature.HashAlgorithm, namespace); err != nil {
			return "", fmt.Errorf("the signature of %s does not hold: %w", print, err)
		}
		if comment == "" {
			comment = print
		}
		return comment, nil
	}
	return "", fmt.Errorf("it is signed with %s, whose signatures are not taken", print)
}

// Key reads a private key in OpenSSH's form or PEM. A public key is the error ErrPublic: its private half may be an
// agent's. So may be that of an encrypted key, which is not read here.
func Key(text []byte) (ssh.Signer, error) {
	if _, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil { //nolint:dogsled // only whether it is one counts
		return nil, ErrPublic
	}
	signer, err := ssh.ParsePrivateKey(text)
	switch {
	case errors.As(err, new(*ssh.PassphraseMissingError)):
		return nil, errors.New("the key is encrypted: add it to an SSH agent, and name the file of its public half")
	case err != nil:
		return nil, errors.New("it is not a private SSH key")
	}
	return signer, nil
}

// ErrPublic says that a file has a public key where a private one is meant.
var ErrPublic = errors.New("it is a public key")

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
