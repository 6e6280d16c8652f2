package keystore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// attributeTypes are the attributes of names, as keytool and openssl write them.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SERIALNUMBER": {2, 5, 4, 5}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4,
		8}, "S": {2, 5, 4, 8},
	"STREET": {2, 5, 4, 9}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "T": {2, 5, 4, 12}, "POSTALCODE": {2, 5, 4, 17},
	"DC": {0, 9, 2342, 19200300, 100, 1, 25}, "UID": {0, 9, 2342, 19200300, 100, 1, 1},
	"E": {1, 2, 840, 113549, 1, 9, 1}, "EMAILADDRESS": {1, 2, 840, 113549, 1, 9, 1},
}

// ia5 lists the attributes whose values are not in UTF-8.
var ia5 = []string{"DC", "E", "EMAILADDRESS"}

// parseName parses a subject as keytool accepts it (RFC 4514): CN=server.example, O=ACME, C=DE. It returns the name
// in DER, and the parts that names are compared by. Names that differ only in the kind of string are equal.
func parseName(text string) (der []byte, name []string, err error) {
	parts, err := splitName(text)
	if err != nil {
		return nil, nil, err
	}
	var rdn pkix.RDNSequence
	for _, p := range slices.Backward(parts) { // in DER the most general comes first
		key, value, ok := strings.Cut(p, "=")
		key = strings.ToUpper(strings.TrimSpace(key))
		id := attributeTypes[key]
		if !ok || id == nil {
			return nil, nil, fmt.Errorf("%q is not part of a name: write CN=server.example, OU=Unit, O=Organization, "+
				"L=City, ST=State, C=DE", strings.TrimSpace(p))
		}
		value = unescape(strings.TrimLeft(value, " "))
		if value == "" {
			return nil, nil, fmt.Errorf("%s has no value", key)
		}
		if key == "C" && (len(value) != 2 || strings.Trim(strings.ToUpper(value), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
			return nil, nil, fmt.Errorf("the country is its code of two letters, not %q", value)
		}
		var v any = value
		if slices.Contains(ia5, key) {
			if strings.ContainsFunc(value, func(r rune) bool { return r > '~' }) {
				return nil, nil, fmt.Errorf("%s takes only ASCII characters, not %q", key, value)
			}
			v = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(value)}
		}
		rdn = append(rdn, pkix.RelativeDistinguishedNameSET{{Type: id, Value: v}})
	}
	if der, err = asn1.Marshal(rdn); err != nil {
		return nil, nil, errors.New("the name has characters that cannot be written")
	}
	return der, nameParts(der), nil
}

// splitName splits a name at its commas. A comma after a backslash, or in quotes, does not count.
func splitName(text string) ([]string, error) {
	var parts []string
	var part strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			part.WriteString(text[i : i+2])
			i++
		case c == '"':
			quoted = !quoted
		case (c == ',' || c == ';' || c == '+') && quoted:
			part.WriteByte('\\')
			part.WriteByte(c)
		case c == '+':
			return nil, errors.New("several attributes in one part (+) are not supported")
		case c == ',' || c == ';':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	return append(parts, part.String()), nil
}

func unescape(text string) string {
	kept := strings.TrimRight(text, " ")
	if strings.HasSuffix(kept, `\`) && len(text) > len(kept) {
		kept += " "
	}
	var b strings.Builder
	for i := 0; i < len(kept); i++ {
		if kept[i] == '\\' && i+1 < len(kept) {
			if n, err := strconv.ParseUint(kept[i+1:min(i+3, len(kept))], 16, 8); err == nil && i+2 < len(kept) {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
			i++
		}
		b.WriteByte(kept[i])
	}
	return b.String()
}

// nameParts returns the parts that a name is compared by, or nil if it cannot be read.
func nameParts(der []byte) []string {
	var rdn pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &rdn); err != nil || len(rest) > 0 {
		return nil
	}
	var out []string
	for _, set := range rdn {
		for _, a := range set {
			out = append(out, fmt.Sprintf("%s=%v", a.Type, a.Value))
		}
	}
	return out
}
