// Package pfx reads and writes PKCS#12 files as their safe bags: keys and certificates with their names in the file
// (RFC 7292).
//
// The existing libraries lose those names. software.sslmate.com/src/go-pkcs12 reads one key without its name, refuses
// files with several keys or with a trusted certificate beside a key, and writes keys without names. Java identifies
// everything in a keystore by name, so content could be neither compared nor kept that way. Therefore this package
// reads and writes the bags themselves. It uses the standard library where it can: ASN.1, AES, triple DES, HMAC.
package pfx

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// File is the content of a PKCS#12 file.
type File struct {
	Bags []Bag // in the order of the file

	MAC         bool  // the file has a MAC, which shows if it was changed
	Level       Level // the newest of the algorithms in it
	Weak        bool  // something in it is encrypted with RC2 or RC4
	Unencrypted bool  // no certificate in it is encrypted
	Mixed       bool  // some certificates in it are encrypted and some are not
}

// Level says how new software has to be to read a file.
type Level int

// The levels.
const (
	Legacy  Level = iota // PKCS#12's own algorithms, with SHA-1: all software reads it
	Modern               // PBES2, or a MAC with SHA-2: Java 8u301, 11.0.12, and all after that
	Newest               // PBMAC1 (RFC 9579): Java 26
	Foreign              // written by openssl, read by no Java: AES-192 and triple DES in PBES2, a MAC with MD5
)

// Kind says what a bag holds.
type Kind int

// The kinds of bags.
const (
	Other       Kind = iota // not known to this package: a certificate revocation list, bags within a bag
	Key                     // a private key
	Certificate             // an X.509 certificate
	Secret                  // a secret, such as a symmetric key
)

// Bag is one safe bag.
type Bag struct {
	Kind Kind
	Type asn1.ObjectIdentifier // type of the bag, for Other; of its content, for Secret

	// DER is the certificate, the key as PKCS #8 (PrivateKeyInfo), or the content of the secret. It is nil if Sealed
	// is set.
	DER []byte

	// Sealed is a key or a secret as it is in the file (EncryptedPrivateKeyInfo), if the file's password does not
	// open it. It has its own password, or an algorithm that is not known here.
	Sealed []byte

	Plain bool // the key is not encrypted in the file

	Name    string // friendlyName
	Named   bool   // whether there is a friendlyName
	KeyID   []byte // localKeyID, the same for a key and its certificate
	Trusted bool   // has Java's mark of a trusted certificate

	Attributes [][]byte // the other attributes, in DER
}

// The errors about a file, for errors.Is. The error that wraps them says more.
var (
	ErrFormat      = errors.New("it is no PKCS#12 file")
	ErrTruncated   = errors.New("the file is cut off")
	ErrPassword    = errors.New("the password does not open it")
	ErrUnsupported = errors.New("it is protected in a way that is not supported here")
	ErrCostly      = errors.New("opening it would take too long")
)

func oid(numbers ...int) asn1.ObjectIdentifier { return numbers }

var (
	oidData          = oid(1, 2, 840, 113549, 1, 7, 1)
	oidEncryptedData = oid(1, 2, 840, 113549, 1, 7, 6)

	oidKeyBag         = oid(1, 2, 840, 113549, 1, 12, 10, 1, 1)
	oidShroudedKeyBag = oid(1, 2, 840, 113549, 1, 12, 10, 1, 2)
	oidCertBag        = oid(1, 2, 840, 113549, 1, 12, 10, 1, 3)
	oidSecretBag      = oid(1, 2, 840, 113549, 1, 12, 10, 1, 5)

	oidX509Certificate = oid(1, 2, 840, 113549, 1, 9, 22, 1)

	oidFriendlyName    = oid(1, 2, 840, 113549, 1, 9, 20)
	oidLocalKeyID      = oid(1, 2, 840, 113549, 1, 9, 21)
	oidTrustedKeyUsage = oid(2, 16, 840, 1, 113894, 746875, 1,
		1) // Oracle's: keytool lists certificates that have it as trustedCertEntry
	oidAnyKeyUsage = oid(2, 5, 29, 37, 0)
)

// formatError returns the reason why a file cannot be read: its form, or that it costs too much.
func formatError(doing string, err error) error {
	if errors.Is(err, ErrCostly) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrFormat, doing, err)
}
