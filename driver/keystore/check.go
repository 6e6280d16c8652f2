package keystore

import (
	"crypto/dsa" //nolint:staticcheck // to refuse it
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// Problem is what a rule finds in a keystore.
type Problem struct {
	Rule     string // without "keystore/"
	Severity planner.Severity
	Alias    string // "" if it is about the whole keystore
	Summary  string // one line
	Detail   string // what to do
}

// checker finds problems of keys and their certificates before a file is written or a handshake fails. What it
// refuses fails in every handshake.
type checker struct {
	now      time.Time
	warnDays int           // warn if a certificate expires within this number of days
	java     int           // release of Java that reads the keystore; 0 if unknown
	names    []string      // host names and IP addresses that must be covered, each by one of the entries
	anchors  []Certificate // trusted besides the entries' own roots: a chain may end with one, or below one

	out []Problem
}

func (k *checker) add(rule string, severity planner.Severity, alias, detail, format string, args ...any) {
	summary := fmt.Sprintf(format, args...)
	if alias != "" {
		summary = fmt.Sprintf("entry %q: ", alias) + summary
	}
	k.out = append(k.out, Problem{rule, severity, alias, summary, detail})
}

func (k *checker) entry(e *Entry) {
	if len(e.Chain) == 0 {
		k.add(ruleNoCertificate, planner.Refuse, e.Alias, "Give the certificate of the key.", "the key has no certificate")
		return
	}
	if !k.match(e) {
		return // the other checks would be about another key's certificate
	}
	k.chain(e)
	for i, c := range e.Chain {
		root := i > 0 && c.SelfIssued()
		k.dates(e.Alias, c, root)
		k.strength(e.Alias, c, root)
	}
}

// match reports whether the first certificate is the key's, and adds a problem if it is not.
func (k *checker) match(e *Entry) bool {
	leaf := e.Chain[0]
	if e.Public == "" || leaf.public() == "" || e.Public == leaf.public() {
		return true
	}
	at := slices.IndexFunc(e.Chain, func(c Certificate) bool { return c.public() == e.Public })
	if at > 0 {
		k.add(ruleChainOrder, planner.Refuse, e.Alias,
			"The key's own certificate comes first, then each one's issuer: put "+e.Chain[at].Name()+" first.",
			"the certificates are out of order: the key belongs to certificate %d (%s), and %s comes first",
			at+1, e.Chain[at].Name(), leaf.Name())
		return false
	}
	k.add(ruleKeyMismatch, planner.Refuse, e.Alias,
		"Give the key that the certificate was requested with, or the certificate that was issued for this key.",
		"the key (%s) does not belong to the certificate %s (%s)", e.Key, leaf.Name(), leaf.kind())
	return false
}

func (c Certificate) kind() string {
	if c.parsed == nil {
		return "unknown kind"
	}
	if kind := keyKind(c.parsed.PublicKey); kind != "" {
		return kind
	}
	return c.parsed.PublicKeyAlgorithm.String()
}

// chain checks that each certificate is signed by the next one, to the end.
func (k *checker) chain(e *Entry) {
	for i := range len(e.Chain) - 1 {
		c, next := e.Chain[i], e.Chain[i+1]
		if c.issuer == next.subject && !c.SelfIssued() {
			k.signed(e.Alias, c, next)
			continue
		}
		if at := issuerOf(c, e.Chain); at >= 0 && !c.SelfIssued() {
			k.add(ruleChainOrder, planner.Refuse, e.Alias, "Put them in this order: "+strings.Join(inOrder(e.Chain), ", "+
				"then ")+".",
				"the certificates are out of order: %s was signed by %s, and %s follows it", c.Name(), c.Issuer(), next.Name())
			return
		}
		if c.SelfIssued() {
			k.add(ruleChainOrder, planner.Refuse, e.Alias, "Remove what does not belong to the chain; declare trusted "+
				"certificates with trust.",
				"%s is the end of the chain, and %s follows it", c.Name(), next.Name())
			return
		}
		k.add(ruleChainIncomplete, planner.Refuse, e.Alias,
			"Add the certificate of "+c.Issuer()+" to chain, after "+c.Name()+". The CA that signed it publishes it.",
			"the chain is incomplete: %s was signed by %s, which is missing; %s follows it", c.Name(), c.Issuer(), next.Name())
		return
	}
	k.end(e)
}

// trustIt is the advice for a self-signed certificate.
const trustIt = "Add it as a trust block to the trust store of each client."

// end checks that the last certificate of a chain is a root, or is signed by a trusted one.
func (k *checker) end(e *Entry) {
	last := e.Chain[len(e.Chain)-1]
	if last.SelfIssued() {
		k.signed(e.Alias, last, last)
		if len(e.Chain) == 1 {
			k.add(ruleSelfSigned, planner.Note, e.Alias, "SHA-256 "+last.Fingerprint()+". "+trustIt,
				"%s is self-signed: every client must trust this very certificate", last.Name())
			return
		}
		k.private(e.Alias, last, true)
		return
	}
	if at := issuerOf(last, k.anchors); at >= 0 {
		k.signed(e.Alias, last, k.anchors[at])
		k.private(e.Alias, k.anchors[at], true)
		return
	}
	if slices.ContainsFunc(k.anchors, last.Equal) {
		return
	}
	if len(e.Chain) == 1 {
		k.add(ruleChainIncomplete, planner.Refuse, e.Alias,
			"Add the certificate of "+last.Issuer()+" to chain. The root of a private CA can be in chain too, or be "+
				"declared with trust.",
			"the chain is incomplete: %s was signed by %s, which is missing", last.Name(), last.Issuer())
		return
	}
	k.private(e.Alias, last, false)
}

// private notes which CA clients have to trust: a certificate does not show whether everybody trusts its CA. If given
// is true, c is the root itself, else it is the last certificate below the root.
func (k *checker) private(alias string, c Certificate, given bool) {
	if given {
		k.add(rulePrivateCA, planner.Note, alias,
			"SHA-256 "+c.Fingerprint()+". Nothing needs to be done for a public CA that Java knows.",
			"every client must trust %s", c.Name())
		return
	}
	k.add(rulePrivateCA, planner.Note, alias,
		"Its certificate is not given, which is right for the root of a public CA. If it is not a root, add its "+
			"certificate to chain.",
		"every client must trust %s, which signed %s", c.Issuer(), c.Name())
}

// issuerOf returns the index of the certificate with the name of c's issuer, or -1 if there is none. Of several with
// that name it is the one whose key has signed c, if any has: a CA may have had another key before. Only the first
// ones are tried.
func issuerOf(c Certificate, among []Certificate) int {
	first, tried := -1, 0
	for i, other := range among {
		if c.issuer == "" || other.subject != c.issuer || other.Equal(c) {
			continue
		}
		if tried++; tried > mostNamesakes {
			break
		}
		if a, b := c.parsed, other.parsed; a != nil && b != nil && a.CheckSignatureFrom(b) == nil {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// inOrder returns the names of a chain in the right order.
func inOrder(chain []Certificate) []string {
	var out []string
	seen := map[string]bool{}
	for at := 0; at >= 0 && !seen[string(chain[at].DER)]; at = issuerOf(chain[at], chain) {
		seen[string(chain[at].DER)] = true
		out = append(out, chain[at].Name())
	}
	return out
}

// signed checks that the issuer's key signed the certificate, and that the issuer is a CA.
func (k *checker) signed(alias string, c, issuer Certificate) {
	a, errA := c.X509()
	b, errB := issuer.X509()
	if errA != nil || errB != nil {
		return
	}
	err := a.CheckSignatureFrom(b)
	if c.Equal(issuer) { // it need not be a CA
		err = a.CheckSignature(a.SignatureAlgorithm, a.RawTBSCertificate, a.Signature)
	}
	var insecure x509.InsecureAlgorithmError
	var constraint x509.ConstraintViolationError
	switch {
	case err == nil, errors.As(err, &insecure), errors.Is(err, x509.ErrUnsupportedAlgorithm): // strength reports it
	case errors.As(err, &constraint):
		k.add(ruleChainSignature, planner.Refuse, alias, "Its issuer must be a CA (basicConstraints CA:TRUE, keyUsage "+
			"keyCertSign).",
			"%s was signed by %s, which is not a CA", c.Name(), issuer.Name())
	default:
		k.add(ruleChainSignature, planner.Refuse, alias,
			"A CA may have certificates of the same name with different keys: add the one whose key signed it.",
			"%s was not signed with the key of the given certificate of %s", c.Name(), issuer.Name())
	}
}

func (k *checker) dates(alias string, c Certificate, root bool) {
	severity, end := planner.Refuse, k.now.AddDate(0, 0, k.warnDays)
	if root { // a root is trusted by its key
		severity = planner.Warn
	}
	const renew = "Have the certificate renewed."
	switch {
	case c.until.IsZero():
	case k.now.After(c.until):
		k.add(ruleExpired, severity, alias, renew, "%s expired on %s", c.Name(), day(c.until))
	case k.now.Before(c.from):
		k.add(ruleNotYetValid, severity, alias, "Wait until then; if it is valid already, the clock of this machine is "+
			"wrong.",
			"%s is not valid before %s", c.Name(), c.from.UTC().Format("2006-01-02 15:04 UTC"))
	case end.After(c.until):
		// The number of days left is omitted, so that a plan made tomorrow says the same and an approval still holds.
		k.add(ruleExpiresSoon, planner.Warn, alias, renew, "%s expires on %s", c.Name(), day(c.until))
	}
}

// Minimum sizes of keys, in bits.
const (
	leastRSA = 2048
	leastEC  = 256
)

// edwardsJava is the first release of Java that supports Ed25519 certificates in TLS (JDK-8166596).
const edwardsJava = 16

func (k *checker) strength(alias string, c Certificate, root bool) {
	x, err := c.X509()
	if err != nil {
		k.add(ruleUnreadableCertificate, planner.Warn, alias, "It is kept as it is. Inspect it with keytool -list -v.",
			"the certificate %s cannot be checked: %v", c.Name(), err)
		return
	}
	if x.PublicKey == nil {
		k.add(ruleUnreadableCertificate, planner.Warn, alias, "It is kept as it is. Inspect it with keytool -list -v.",
			"the certificate %s cannot be checked: its kind of key, such as one for RSA-PSS alone, is unknown here", c.Name())
	}
	severity := planner.Refuse
	if root {
		severity = planner.Warn
	}
	if _, edwards := x.PublicKey.(ed25519.PublicKey); k.java > 0 && k.java < edwardsJava &&
		(edwards || x.SignatureAlgorithm == x509.PureEd25519) {
		k.add(ruleUnsupportedKey, severity, alias, fmt.Sprintf("Use RSA, or EC on P-256; or declare java = %d if the "+
			"server runs with that.", edwardsJava),
			"%s needs Ed25519, which Java %d does not have for TLS", c.Name(), k.java)
	}
	if why := weakKey(x); why != "" {
		k.add(ruleWeakKey, severity, alias, "Make a new key, RSA of at least 3072 bits or EC on P-256, and have a "+
			"certificate issued for it.",
			"the key of %s is too weak: %s", c.Name(), why)
	}
	weak := []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1,
		x509.ECDSAWithSHA1}
	if slices.Contains(weak,
		x.SignatureAlgorithm) && !c.SelfIssued() { // the signature of a root is never verified
		k.add(ruleWeakSignature, severity, alias, "Have the certificate reissued, signed with SHA-256.",
			"the signature of %s is too weak: %s", c.Name(), x.SignatureAlgorithm)
	} else if slices.Contains(weak, x.SignatureAlgorithm) && !root {
		k.add(ruleWeakSignature, planner.Warn, alias, "Make a new one, signed with SHA-256.",
			"the signature of %s is weak: %s", c.Name(), x.SignatureAlgorithm)
	}
}

// weakKey says why a key is too weak, or returns "" if it is strong enough.
func weakKey(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < leastRSA {
			return fmt.Sprintf("RSA of %d bits, and fewer than %d can be broken", key.N.BitLen(), leastRSA)
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < leastEC {
			return fmt.Sprintf("EC on a curve of %d bits, and fewer than %d are not accepted", key.Curve.Params().BitSize,
				leastEC)
		}
	case *dsa.PublicKey:
		return "DSA, which is no longer accepted"
	}
	return ""
}

// covered checks that each name is covered by one of the entries, or by a certificate that will be made.
func (k *checker) covered(entries []Entry, made []*x509.Certificate) {
	for i := range entries {
		if len(entries[i].Chain) > 0 {
			if c, err := entries[i].Chain[0].X509(); err == nil {
				made = append(made, c)
			}
		}
	}
	for _, name := range k.names {
		if slices.ContainsFunc(made, func(c *x509.Certificate) bool { return c.VerifyHostname(bracketed(name)) == nil }) {
			continue
		}
		var have []string
		detail := "Have a certificate issued that has it as an alternative name (subjectAltName)."
		for _, c := range made {
			have = append(have, sans(c)...)
			if strings.EqualFold(c.Subject.CommonName, name) {
				detail = "The common name of the subject is not enough: clients ignore it. " + detail
			}
		}
		covered := "no names at all"
		if len(have) > 0 {
			slices.Sort(have)
			covered = wording.List(slices.Compact(have))
		}
		k.add(ruleNameNotCovered, planner.Refuse, "", detail, "no certificate covers %s: they cover %s", name, covered)
	}
}

// bracketed returns a name as it is, and an IPv6 address in brackets, so that VerifyHostname recognizes it.
func bracketed(name string) string {
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		return "[" + name + "]"
	}
	return name
}

func sans(c *x509.Certificate) []string {
	out := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	for i := range out {
		out[i] = clip(fmt.Sprintf("%q", out[i])) // the names are chosen by whoever made the certificate
		out[i] = strings.Trim(out[i], `"`)
	}
	return out
}
