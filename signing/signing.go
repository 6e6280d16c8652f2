// Package signing signs files with SSH keys, and verifies such signatures, in the format of ssh-keygen -Y. People have
// these keys already. It knows nothing of what it signs.
package signing

import (
	"bytes"
	"fmt"
	"io"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
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
	key, err := Author(message, armored, namespace)
	if err != nil {
		return "", err
	}
	print := ssh.FingerprintSHA256(key)
	for _, line := range allowed {
		one, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return "", fmt.Errorf("one of the keys whose signatures are taken cannot be read: %w", err)
		}
		if !bytes.Equal(one.Marshal(), key.Marshal()) {
			continue
		}
		if comment == "" {
			comment = print
		}
		return comment, nil
	}
	return "", &UnknownError{Fingerprint: print}
}

// Rewrite writes an armored signature again, as Sign has written it: nothing that stands around it is in that.
func Rewrite(armored []byte) ([]byte, error) {
	signature, err := sshsig.Unarmor(armored)
	if err != nil {
		return nil, fmt.Errorf("reading the signature: %w", err)
	}
	return sshsig.Armor(signature), nil
}

// Author is the key whose signature of a message, for a purpose, holds. Whether it is one whose signatures are taken is
// another question.
func Author(message, armored []byte, namespace string) (ssh.PublicKey, error) {
	signature, err := sshsig.Unarmor(armored)
	if err != nil {
		return nil, fmt.Errorf("the signature cannot be read: %w", err)
	}
	key := signature.PublicKey
	if err := longEnough(key); err != nil {
		return nil, fmt.Errorf("the key of the signature, %s, cannot be used: %w", ssh.FingerprintSHA256(key), err)
	}
	if err := sshsig.Verify(bytes.NewReader(message), signature, key, signature.HashAlgorithm, namespace); err != nil {
		return nil, fmt.Errorf("the signature of %s does not hold: %w", ssh.FingerprintSHA256(key), err)
	}
	return key, nil
}

// UnknownError says that a signature holds, but of a key whose signatures are not taken.
type UnknownError struct{ Fingerprint string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("it is signed with %s, whose signatures are not taken", e.Fingerprint)
}

// Fingerprint is that of a public key, a line of authorized_keys, as ssh-keygen -l prints it.
func Fingerprint(line string) (string, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return "", fmt.Errorf("reading the public key: %w", err)
	}
	return ssh.FingerprintSHA256(key), nil
}

// FingerprintOf is Fingerprint of a key.
func FingerprintOf(key ssh.PublicKey) string { return ssh.FingerprintSHA256(key) }
