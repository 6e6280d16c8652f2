package functions

import (
	"crypto/md5"  //nolint:gosec // a function of Terraform's; nothing rests on it
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/zclconf/go-cty/cty/function"
)

func hashes() []Function {
	return []Function{
		{Name: "base64sha256", Func: hashFunc(sha256.New, inBase64), Summary: "The SHA-256 hash of a text, in base64.",
			Examples: examples(`base64sha256("hello world")`, `"uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="`)},
		{Name: "base64sha512", Func: hashFunc(sha512.New, inBase64), Summary: "The SHA-512 hash of a text, in base64.",
			Examples: examples(`base64sha512("hello world")`,
				`"MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw=="`)},
		{Name: "md5", Func: hashFunc(md5.New, hex.EncodeToString), Summary: "The MD5 hash of a text. Not for security.",
			Examples: examples(`md5("hello world")`, `"5eb63bbbe01eeed093cb22bb8f5acdc3"`)},
		{Name: "pem_fingerprint", Own: true, Func: textFunc(fingerprint, "pem"),
			Summary: "The SHA-256 fingerprint of the one certificate in a PEM text, as keytool and openssl write it. Keys " +
				"beside it are left alone.",
			Examples: []Example{{Code: `substr(pem_fingerprint(file("ca.pem")), 0, 11)`,
				Result: `"` + sampleFingerprint[:11] + `"`, Files: map[string]string{"ca.pem": sampleCertificate}}}},
		{Name: "sha1", Func: hashFunc(sha1.New, hex.EncodeToString), Summary: "The SHA-1 hash of a text. Not for security.",
			Examples: examples(`sha1("hello world")`, `"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"`)},
		{Name: "sha256", Func: hashFunc(sha256.New, hex.EncodeToString),
			Summary:  "The SHA-256 hash of a text, in hexadecimal.",
			Examples: examples(`sha256("hello world")`, `"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"`)},
		{Name: "sha512", Func: hashFunc(sha512.New, hex.EncodeToString),
			Summary:  "The SHA-512 hash of a text, in hexadecimal.",
			Examples: examples(`substr(sha512("hello world"), 0, 16)`, `"309ecc489c12d6eb"`)},
		{Name: "uuidv5", Func: textFunc(uuidv5, "namespace", "name"),
			Summary: "The UUID (version 5) of a name in a namespace, which is \"dns\", \"url\", \"oid\", \"x500\" or a UUID. " +
				"The same arguments give the same UUID.",
			Examples: examples(`uuidv5("dns", "www.terraform.io")`, `"a5008fae-b28c-5ba5-96cd-82b4c53552d6"`)},
	}
}

// hashFunc returns the function that hashes a text's UTF-8 bytes.
func hashFunc(make func() hash.Hash, write func([]byte) string) function.Function {
	return textFunc(func(s ...string) (string, error) { return Hash([]byte(s[0]), make, write), nil }, "str")
}

// Hash returns the hash of some bytes, as text.
func Hash(content []byte, make func() hash.Hash, write func([]byte) string) string {
	h := make()
	h.Write(content) // never fails
	return write(h.Sum(nil))
}

func inBase64(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// fingerprint returns the fingerprint of the certificate in a PEM text.
func fingerprint(args ...string) (string, error) {
	var found []byte
	for rest := []byte(args[0]); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if found != nil {
			return "", errors.New("there is more than one certificate in it: take them apart, and the one that is meant")
		}
		found = block.Bytes
	}
	if found == nil {
		return "", errors.New("there is no certificate in it: it is a PEM text with BEGIN CERTIFICATE")
	}
	if _, err := x509.ParseCertificate(found); err != nil {
		return "", errors.New("the certificate in it cannot be read")
	}
	sum := sha256.Sum256(found)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":"), nil
}

// namespaces of RFC 4122, appendix C: they differ in one place.
var namespaces = map[string]string{
	"dns": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "url": "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
	"oid": "6ba7b812-9dad-11d1-80b4-00c04fd430c8", "x500": "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
}

func uuidv5(args ...string) (string, error) {
	space := namespaces[args[0]]
	if space == "" {
		space = args[0]
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(space, "-", ""))
	if err != nil || len(raw) != 16 || len(space) != 36 {
		return "", errors.New("the namespace is \"dns\", \"url\", \"oid\", \"x500\" or a UUID")
	}
	sum := sha1.Sum(append(raw, args[1]...)) //nolint:gosec // by RFC 4122
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}

// sampleCertificate is the certificate of the example. Its fingerprint was made by openssl.
const (
	sampleFingerprint = "5B:75:D1:27:66:0A:8E:95:06:33:83:1B:D6:A7:67:52:B0:7B:C1:42:7F:2D:86:26:02:0C:E9:FF:0A:43:A8:A4"
	sampleCertificate = `-----BEGIN CERTIFICATE-----
MIIBQDCB86ADAgECAhRCSKAvcYsP73XFgHdfJtezRz7nBTAFBgMrZXAwFTETMBEG
A1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjkwOTEyMDJaGA8yMTI2MTEwNTA5MTIw
MlowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTAqMAUGAytlcAMhAPnLuKWGlCzltWTk
WKrLJtNvtSCRuGWVWn8ZrfkTezZ6o1MwUTAdBgNVHQ4EFgQUVjuecuO9Pd5S5avn
CrsDKbHihtowHwYDVR0jBBgwFoAUVjuecuO9Pd5S5avnCrsDKbHihtowDwYDVR0T
AQH/BAUwAwEB/zAFBgMrZXADQQA4xwL66ex6aayig1auP5KRkDVeypj6EwpV2wD3
b7vpbpYi1srnzkRjQfPWAm46OlwShKK6LD7D6Ax2aoWIQJgG
-----END CERTIFICATE-----
`
)
