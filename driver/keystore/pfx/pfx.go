// Package pfx reads and writes PKCS#12 files as their safe bags: keys and certificates with the names that they
// have in the file (RFC 7292).
//
// The libraries that there are lose those names: software.sslmate.com/src/go-pkcs12 reads one key without its name,
// refuses files with several keys or with a trusted certificate beside a key, and writes keys without names. What
// is told apart by name, as every keystore of Java is, cannot be compared nor kept with that, so this package has
// the bags themselves. It leans on the standard library for all that it has: ASN.1, PBKDF2, AES, triple DES, HMAC.
package pfx

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// File is what a PKCS#12 file holds.
type File struct {
	Bags []Bag // in the order of the file

	MAC         bool  // the file has a MAC, so that a change to it shows
	Level       Level // the newest of the algorithms in it
	Weak        bool  // something in it is encrypted with RC2 or RC4
	Unencrypted bool  // all certificates lie in it unencrypted
	Mixed       bool  // some certificates lie in it unencrypted, and some do not
}

// Level says how new the software has to be that reads a file.
type Level int

// The levels.
const (
	Legacy  Level = iota // PKCS#12's own algorithms, with SHA-1: all software
	Modern               // PBES2, or a MAC with SHA-2: Java 8u301, 11.0.12, and all after that
	Newest               // PBMAC1 (RFC 9579): Java 26
	Foreign              // what openssl can write and no Java reads: AES-192 and triple DES in PBES2, a MAC with MD5
)

// Kind is what a bag holds.
type Kind int

// The kinds of bags.
const (
	Other       Kind = iota // what this package does not know: a certificate revocation list, bags within a bag
	Key                     // a private key
	Certificate             // an X.509 certificate
	Secret                  // a secret, such as a symmetric key
)

// Bag is one safe bag.
type Bag struct {
	Kind Kind
	Type asn1.ObjectIdentifier // of the bag, for Other; of what is inside, for Secret

	// DER is the certificate; the key as PKCS #8 (PrivateKeyInfo); or what is inside the secret. It is nil where
	// Sealed is set.
	DER []byte

	// Sealed is a key or a secret as it lies in the file (EncryptedPrivateKeyInfo), where the file's password does not
	// open it: it has one of its own, or an algorithm that is not known here.
	Sealed []byte

	Plain bool // the key lay in the file unencrypted

	Name    string // friendlyName
	Named   bool   // there is one
	KeyID   []byte // localKeyID: a key and its certificate have the same
	Trusted bool   // Java's mark of a certificate that is trusted

	Attributes [][]byte // the other attributes, in DER
}

// What may be wrong with a file, for errors.Is. The error around it says more.
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
		1) // Oracle's: keytool lists what has it as trustedCertEntry
	oidAnyKeyUsage = oid(2, 5, 29, 37, 0)
)

func formatError(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrFormat, doing, err)
}
