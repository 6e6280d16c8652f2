package policy

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Variable returns nil if a configuration may send what a variable holds to a host. address is HOST:PORT.
func (p *Policy) Variable(address, name string) error {
	return p.send(address, name, "var."+name, "variables", func(h hostRule) []string { return h.variables })
}

// EnvironmentAt is like Variable, for a variable of the environment that env() has read.
func (p *Policy) EnvironmentAt(address, name string) error {
	return p.send(address, name, fmt.Sprintf("env(%q)", name), "environment",
		func(h hostRule) []string { return h.environment })
}

func (p *Policy) send(address, name, shown, list string, of func(hostRule) []string) error {
	named := func(pattern string) bool { return matches(pattern, name) }
	if p == nil || p.host(address, func(h hostRule) bool { return slices.ContainsFunc(of(h), named) }) {
		return nil
	}
	return p.elsewhere("sending "+shown+" to "+address, fmt.Sprintf("%s = [%q] in host %q { … }", list, name, address),
		list == "environment")
}

// SecretAddress returns nil if the address of a server may depend on a secret: whoever resolves names, and each proxy,
// then sees it. That is so without a policy, and inside of the sandbox. shown is where the secret comes from.
func (p *Policy) SecretAddress(shown string) error {
	if p == nil || p.simulated || p.confined {
		return nil
	}
	return &Refusal{"an address that depends on " + shown, "who resolves names sees it, and each proxy. Write the " +
		"address into the configuration, or give it in a variable that is not secret"}
}

// Authority returns nil if a configuration may add an authority to those that a host's certificate may be signed by.
// fingerprint is one of Fingerprint.
func (p *Policy) Authority(address, fingerprint string) error {
	return p.known(address, fingerprint, "authority", "ca", func(h hostRule) []string { return h.ca })
}

// HostKey returns nil if a configuration may say that a host has an SSH key, or a certificate of such a key.
// fingerprint is that of ssh-keygen -l: SHA256: and base64.
func (p *Policy) HostKey(address, fingerprint string) error {
	return p.known(address, fingerprint, "SSH key", "host_keys", func(h hostRule) []string { return h.hostKeys })
}

func (p *Policy) known(address, fingerprint, what, list string, of func(hostRule) []string) error {
	allows := func(h hostRule) bool { return slices.Contains(of(h), "*") || slices.Contains(of(h), fingerprint) }
	if p == nil || p.host(address, allows) {
		return nil
	}
	return p.elsewhere(fmt.Sprintf("knowing %s by the %s %s", address, what, fingerprint),
		fmt.Sprintf("%s = [%q] in host %q { … }", list, fingerprint, address), false)
}

// Fingerprint returns the SHA-256 fingerprint of a certificate in DER, as openssl x509 -fingerprint -sha256 shows it:
// 32 bytes in hexadecimal, with colons between them.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return colons(sum[:])
}

func colons(sum []byte) string {
	text := strings.ToUpper(hex.EncodeToString(sum))
	pairs := make([]string, len(sum))
	for i := range pairs {
		pairs[i] = text[2*i : 2*i+2]
	}
	return strings.Join(pairs, ":")
}

// variableName checks the name of a variable, or the beginning of such names.
func variableName(s string) (string, error) {
	if s == "" || strings.Contains(strings.TrimSuffix(s, "*"), "*") {
		return "", errors.New("write a name, or the beginning of names and *")
	}
	return s, nil
}

// fingerprint reads a fingerprint of a certificate, with or without colons.
func fingerprint(s string) (string, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	switch {
	case s == "*":
		return s, nil
	case err != nil || len(sum) != sha256.Size:
		return "", errors.New("write the fingerprint of a certificate, as openssl x509 -fingerprint -sha256 shows it, or *")
	}
	return colons(sum), nil
}

// hostKey reads a fingerprint of an SSH key.
func hostKey(s string) (string, error) {
	text, ok := strings.CutPrefix(s, "SHA256:")
	sum, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if s != "*" && (!ok || err != nil || len(sum) != sha256.Size) {
		return "", errors.New("write the fingerprint of an SSH key, as ssh-keygen -l shows it (SHA256:…), or *")
	}
	return s, nil
}
