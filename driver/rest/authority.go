package rest

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/driver/wording"
)

const begin = "-----BEGIN CERTIFICATE-----"

// CheckCA returns an error if text is not a valid value of Options.CAPEM.
func CheckCA(text []byte) error {
	_, err := Authorities(text)
	return err
}

// Authorities parses certificates in PEM, such as Options.CAPEM. One that cannot be parsed is an error: otherwise a
// server whose certificate it signed would be refused for a misleading reason.
func Authorities(text []byte) ([]*x509.Certificate, error) {
	text = bytes.ReplaceAll(text, []byte("\ufeff"), nil) // byte order marks keep PEM from being found
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	parts := bytes.Split(text, []byte(begin))
	var out []*x509.Certificate
	for i, part := range parts[1:] {
		block, _ := pem.Decode(append([]byte(begin), part...))
		if block == nil {
			return nil, fmt.Errorf("certificate %d of %d is damaged: it is not PEM; get it again", i+1, len(parts)-1)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of %d cannot be used: %s; remove it, or get it again", i+1, len(parts)-1,
				wording.OneLine(err.Error()))
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no certificate in PEM form in it")
	}
	return out, nil
}
