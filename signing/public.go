package signing

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// leastRSA is the shortest RSA key that is taken, in bits.
const leastRSA = 2048

// CheckPublic says what is wrong with a public key, a line of authorized_keys without options. decrypts: what is
// encrypted for it can be decrypted, which takes an Ed25519 or RSA key that is in no device.
func CheckPublic(line string, decrypts bool) error {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case strings.Contains(line, "PRIVATE KEY"):
		return errors.New("it is a private key; give the public one, the line in the file that ends in .pub")
	case err != nil:
		return errors.New("it is not a public SSH key, the line in a file that ends in .pub")
	case len(options) > 0:
		return errors.New("options before the key have no meaning here")
	case len(rest) > 0 || strings.ContainsAny(line, "\r\n"):
		return errors.New("it is more than one line")
	}
	if _, certificate := key.(*ssh.Certificate); certificate {
		return errors.New("it is a certificate; give the key")
	}
	if decrypts && key.Type() != ssh.KeyAlgoED25519 && key.Type() != ssh.KeyAlgoRSA {
		return fmt.Errorf("nothing can be encrypted for a key of the type %s; give an Ed25519 or RSA key as one of the "+
			"recipients", key.Type())
	}
	return longEnough(key)
}

// longEnough says that an RSA key is too short to tell who has signed.
func longEnough(key ssh.PublicKey) error {
	if public, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := public.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
			return fmt.Errorf("it is an RSA key of %d bits; the least is %d", r.N.BitLen(), leastRSA)
		}
	}
	return nil
}
