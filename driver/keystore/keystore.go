// Package keystore handles Java keystores: the files of keys and certificates with which servers prove their identity
// and decide whom to trust. It is a driver (New), and other drivers read keystores with it:
//
//   - Open reads a keystore from its bytes. It recognizes PKCS#12 and JKS by their content.
//   - Declared returns the content that a declaration describes. Observed, named by Need, is what its file holds.
//     Effective returns what the file will hold once the declaration is carried out. ReadFile reads a file with its
//     keys.
//   - AddTrust adds certificates to a trust store that nobody declares, such as Java's own cacerts, and keeps
//     everything else.
//
// Keystores are compared by their content and never by their bytes: two writings of one keystore always differ.
//
// JKS is read and written by this package itself (openJKS says why), PKCS#12 by package pfx.
package keystore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore/pfx"
	"github.com/syncctl/syncctl/driver/wording"
)

// Format is the format of a keystore.
type Format string

// The formats.
const (
	PKCS12 Format = "pkcs12" // the standard that openssl and Java share
	JKS    Format = "jks"    // Java's own, older format
)

// Java returns Java's name of the format, which KeyStore.getInstance and settings of servers take.
func (f Format) Java() string {
	if f == JKS {
		return "JKS"
	}
	return "PKCS12"
}

func (f Format) String() string {
	if f == JKS {
		return "JKS"
	}
	return "PKCS#12"
}

// Store is the content of a keystore. As JSON it contains no keys.
type Store struct {
	Format  Format
	Entries []Entry   // keys with their certificates, in the order of the file
	Trusted []Trusted // trusted certificates

	// Loose holds certificates that belong to no key of a PKCS#12 file and lack Java's mark of trust: openssl shows
	// them, keytool does not.
	Loose   []Trusted
	Secrets []string // aliases of symmetric keys and the like
	Doubles []string // aliases that the file has more than once; Java sees only one of each
	Unknown []string // other content of the file, in words; it cannot be written

	Level       pfx.Level // the newest of the algorithms in a PKCS#12 file
	Weak        bool      // something in a PKCS#12 file is encrypted with RC2 or RC4
	Unprotected bool      // a PKCS#12 file without a MAC: a manipulation goes unnoticed
	Unencrypted bool      // no certificate in a PKCS#12 file is encrypted, so Java sees them even without a password
	Mixed       bool      // some certificates are encrypted, and some are not

	secrets  []pfx.Bag
	loose    []pfx.Bag
	source   []byte // of a JKS: the file, from which sealed keys are copied
	password string
}

// Entry is a private key with its certificates.
type Entry struct {
	Alias   string
	Chain   []Certificate // the key's own first, each followed by its issuer, as Java sees it
	Created time.Time     // zero if it is not known

	Key    string // kind of the key: "RSA 2048", "EC P-256"; "" if it is not known
	Public string // SHA-256 of the public key (SubjectPublicKeyInfo) in hex; "" if it is not known
	Sealed bool   // the password of the keystore does not open the key, which has its own
	Plain  bool   // the key is not encrypted in the file, so Java does not see it

	key    []byte // PKCS #8
	sealed []byte // the encrypted key of a PKCS#12 file, if Sealed
	id     []byte // ties key and certificate together in a PKCS#12 file
	noted  [2][][]byte
}

// Trusted is a trusted certificate.
type Trusted struct {
	Alias       string
	Certificate Certificate
	Created     time.Time

	noted [][]byte
}

// String returns the entry's name and nothing about its key.
func (e Entry) String() string { return fmt.Sprintf("entry %q", e.Alias) }

// String returns the certificate's name in the keystore. Another one may have the same subject.
func (t Trusted) String() string { return fmt.Sprintf("trusted certificate %q", t.Alias) }

// GoString returns the same as String.
func (e Entry) GoString() string { return e.String() }

// String returns the format and how much is in the keystore, and nothing about its keys.
func (s *Store) String() string {
	return fmt.Sprintf("%s keystore with %s", s.Format, s.count())
}

func (s *Store) count() string {
	return wording.Plural(len(s.Entries), "entry") + " and " + wording.Plural(len(s.Trusted), "trusted certificate")
}

// Signer returns the private key, for a handshake. It is an error if the Store has no key, as after reading it from
// JSON.
func (e *Entry) Signer() (crypto.Signer, error) {
	if e.key == nil {
		return nil, fmt.Errorf("using the key of %s: the password of the keystore does not open it", e)
	}
	if len(e.key) > maxKey {
		return nil, fmt.Errorf("using the key of %s: it has %d bytes, and at most %d are read", e, len(e.key), maxKey)
	}
	key, err := x509.ParsePKCS8PrivateKey(e.key)
	if err != nil {
		return nil, fmt.Errorf("using the key of %s: unsupported kind of key", e) // the library's error may show bytes
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("using the key of %s: it cannot sign", e)
	}
	return s, nil
}

// Pool returns the trusted certificates, for verifying a handshake.
func (s *Store) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for i := range s.Trusted {
		if c, err := s.Trusted[i].Certificate.X509(); err == nil {
			pool.AddCert(c)
		}
	}
	return pool
}

// Entry returns a key by its alias, or nil if there is none. Java ignores case in aliases.
func (s *Store) Entry(alias string) *Entry {
	for i := range s.Entries {
		if fold(s.Entries[i].Alias) == fold(alias) {
			return &s.Entries[i]
		}
	}
	return nil
}

// Trust returns a trusted certificate by its alias, or nil if there is none.
func (s *Store) Trust(alias string) *Trusted {
	for i := range s.Trusted {
		if fold(s.Trusted[i].Alias) == fold(alias) {
			return &s.Trusted[i]
		}
	}
	return nil
}

// Trusts reports whether a certificate is among the trusted ones.
func (s *Store) Trusts(c Certificate) bool {
	return slices.ContainsFunc(s.Trusted, func(t Trusted) bool { return t.Certificate.Equal(c) })
}

// fold returns an alias in the form in which Java compares it.
func fold(alias string) string { return strings.ToLower(alias) }

// Error says that a keystore cannot be opened. Rule is the ID of the finding about it, without "keystore/".
type Error struct {
	Rule    string
	Message string // what is wrong
	Help    string // what to do; never empty
}

func (e *Error) Error() string { return "opening the keystore: " + e.Message }

// The rules of an Error.
const (
	RuleWrongPassword = "wrong-password"
	RuleNotAKeystore  = "not-a-keystore"
	RuleTruncated     = "truncated"
	RuleUnsupported   = "unsupported"
	RuleCostly        = "costly"
)

var (
	helpPassword  = "Give the password that the file was written with as password or, to change it, as previous_password."
	helpTruncated = "Get the file again from its source: the missing part cannot be restored."
)

// Limits on the content of a keystore. Java's own trust store has 150 entries, that of a large company a thousand.
const (
	maxEntries     = 10_000   // keys, certificates and secrets
	maxChain       = 100      // certificates in a key's chain; handshakes accept a tenth
	maxCertificate = 64 << 10 // bytes; real ones have two thousand
	mostNamesakes  = 16       // certificates of one name whose keys are tried as that of an issuer
	maxModulus     = 16_384   // bits of an RSA key: with more, checking one signature takes seconds
	maxKey         = 16 << 10 // bytes of a private key; RSA of 16,384 bits has nine thousand
)

func tooMany(n int) error {
	return &Error{RuleCostly, fmt.Sprintf("it has %d entries, and at most %d are read", n, maxEntries),
		"No known program needs as many: find out where the file comes from, and remove what is not needed."}
}

// Open reads a keystore. It recognizes PKCS#12 and JKS by their content. An error is an *Error, or why ctx ended. The
// time is bounded, whatever the bytes are. It may be most of a minute, so Open stops when ctx ends.
func Open(ctx context.Context, data []byte, password string) (*Store, error) {
	if isJKS(data) {
		return openJKS(ctx, data, password)
	}
	f, err := parsePFX(ctx, data, password)
	if err != nil {
		return nil, err
	}
	return fromBags(f)
}

// parsePFX opens a PKCS#12 file. It returns the errors of Open.
func parsePFX(ctx context.Context, data []byte, password string) (*pfx.File, error) {
	f, err := pfx.Parse(ctx, data, password)
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("opening a keystore: %w", context.Cause(ctx))
	case errors.Is(err, pfx.ErrPassword):
		return nil, &Error{RuleWrongPassword, "the password does not open it, or the file was damaged", helpPassword}
	case errors.Is(err, pfx.ErrTruncated):
		return nil, &Error{RuleTruncated, err.Error(), helpTruncated}
	case errors.Is(err, pfx.ErrUnsupported):
		return nil, &Error{RuleUnsupported, err.Error(),
			"Convert it to a common form: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype pkcs12."}
	case errors.Is(err, pfx.ErrCostly):
		return nil, &Error{RuleCostly, err.Error(),
			"No known program writes such a file: find out where it comes from before you trust it."}
	case pfx.Looks(data):
		return nil, &Error{RuleNotAKeystore, err.Error(),
			"It begins like a PKCS#12 file and is damaged: get it again from its source."}
	}
	what, help := guess(data)
	return nil, &Error{RuleNotAKeystore, what, help}
}

// guess says what a file is that is not a keystore, and what to do.
func guess(data []byte) (what, help string) {
	const replace = "Move it away, and a keystore is made in its place; or correct path."
	begins := func(with string) bool { return strings.HasPrefix(string(data[:min(len(data), 64)]), with) }
	switch {
	case len(data) == 0:
		return "the file is empty", replace
	case begins("-----BEGIN"):
		return "it is text in PEM, not a keystore",
			"Give certificate and key in PEM to an entry of a keystore with another path. " + replace
	case begins("\xce\xce\xce\xce"):
		return "it is a JCEKS keystore, which is not supported",
			"keytool -importkeystore -srcstoretype jceks -deststoretype pkcs12 makes a PKCS#12 keystore of it."
	case begins("\x00\x00\x00\x02") || begins("\x00\x00\x00\x01"):
		return "it is neither PKCS#12 nor JKS; it may be a keystore of Bouncy Castle (BKS)", replace
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return "it is a single certificate (DER), not a keystore", replace
	}
	if _, err := x509.ParsePKCS8PrivateKey(data); err == nil {
		return "it is a private key (DER), not a keystore", replace
	}
	if strings.Contains(string(data[:min(len(data), 32)]), "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") {
		return "it is a bundle of certificates (PKCS#7), not a keystore", replace
	}
	return "it is neither PKCS#12 nor JKS", replace
}

// describe returns the kind of a public key, and its fingerprint.
func describe(public crypto.PublicKey) (kind, fingerprint string) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", ""
	}
	return keyKind(public), sum(der)
}

func keyKind(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return ""
}

// setKey sets the key of an entry. A key of an unsupported kind is kept, too.
func (e *Entry) setKey(pkcs8 []byte) {
	e.key = pkcs8
	if len(pkcs8) > maxKey { // treated as an unsupported kind: parsing it may take minutes
		return
	}
	if s, err := e.Signer(); err == nil {
		e.Key, e.Public = describe(s.Public())
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
