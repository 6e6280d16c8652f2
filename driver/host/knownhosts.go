package host

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format of hashed names has no other
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keyLines holds lines of a known_hosts file in memory. Package knownhosts does the same but reads only files of the
// real file system, where a copy of the machines that somebody administers would be left. Errors are those of that
// package.
type keyLines struct {
	lines   []keyLine
	revoked map[string]knownhosts.KnownKey // by key, without its certificate
}

type keyLine struct {
	authority bool
	matches   func(host, port string) bool
	known     knownhosts.KnownKey
}

// add adds line number n, as ssh.ParseKnownHosts has read it.
func (k *keyLines) add(n int, marker string, hosts []string, key ssh.PublicKey) error {
	known := knownhosts.KnownKey{Key: key, Line: n}
	if marker == "revoked" {
		if k.revoked == nil {
			k.revoked = map[string]knownhosts.KnownKey{}
		}
		k.revoked[bare(key)] = known
		return nil
	}
	matches, err := hostMatcher(hosts)
	if err != nil {
		return fmt.Errorf("line %d: %w", n, err)
	}
	k.lines = append(k.lines, keyLine{marker == "cert-authority", matches, known})
	return nil
}

// callback returns a function that compares a machine's key, or its certificate by its authority, with the lines.
func (k *keyLines) callback() ssh.HostKeyCallback {
	c := &ssh.CertChecker{
		IsHostAuthority: func(authority ssh.PublicKey, address string) bool {
			for l := range k.about(address) {
				if l.authority && equalKeys(l.known.Key, authority) {
					return true
				}
			}
			return false
		},
		IsRevoked: func(c *ssh.Certificate) bool {
			_, key := k.revoked[bare(c)]
			_, by := k.revoked[bare(c.SignatureKey)]
			return key || by
		},
		HostKeyFallback: k.check,
	}
	return c.CheckHostKey
}

// check compares a key without a certificate.
func (k *keyLines) check(address string, _ net.Addr, key ssh.PublicKey) error {
	if known, ok := k.revoked[bare(key)]; ok {
		return &knownhosts.RevokedError{Revoked: known}
	}
	unknown := &knownhosts.KeyError{}
	for l := range k.about(address) {
		if !l.authority && equalKeys(l.known.Key, key) {
			return nil
		}
		unknown.Want = append(unknown.Want, l.known)
	}
	return unknown
}

// about returns the lines that name an address, host:port. As in ssh, names have no case: the program's are in small
// letters, and patterns are when they are read.
func (k *keyLines) about(address string) func(yield func(keyLine) bool) {
	host, port, err := net.SplitHostPort(strings.ToLower(address))
	return func(yield func(keyLine) bool) {
		for _, l := range k.lines {
			if err == nil && l.matches(host, port) && !yield(l) {
				return
			}
		}
	}
}

// bare returns a key, or the key in a certificate.
func bare(key ssh.PublicKey) string {
	if c, ok := key.(*ssh.Certificate); ok {
		key = c.Key
	}
	return string(key.Marshal())
}

func equalKeys(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// hostMatcher returns a function that matches the addresses of a line (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): names
// with * and ?, where those with ! exclude, or one hashed name.
func hostMatcher(hosts []string) (func(host, port string) bool, error) {
	if len(hosts) == 1 && strings.HasPrefix(hosts[0], "|") {
		return hashedMatcher(hosts[0])
	}
	type pattern struct {
		not              bool
		text, host, port string
	}
	var patterns []pattern
	for _, text := range hosts {
		if text == "" {
			continue
		}
		name, not := strings.CutPrefix(strings.ToLower(text), "!")
		host, port, err := net.SplitHostPort(name)
		switch {
		case name == "":
			return nil, errors.New("an exclamation mark without a name")
		case err != nil && name[0] == '[':
			return nil, errors.New("a bracket without its end, or without a port")
		case err != nil:
			host, port = name, "22"
		}
		patterns = append(patterns, pattern{not, name, host, port})
	}
	return func(host, port string) bool {
		found, whole := false, knownhosts.Normalize(net.JoinHostPort(host, port))
		for _, p := range patterns {
			matches := p.port == port && glob(p.host, withoutZone(host, p.host))
			switch {
			case p.not && (matches || glob(p.text, whole)): // in ssh, * stands for a port, too
				return false
			case matches && !p.not:
				found = true
			}
		}
		return found
	}, nil
}

// withoutZone returns a host without the network interface at the end of an IPv6 address, unless the pattern has one.
// Otherwise whoever wrote the address could make a pattern such as *.DOMAIN match it.
func withoutZone(host, pattern string) string {
	if strings.Contains(pattern, "%") {
		return host
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}

func hashedMatcher(text string) (func(host, port string) bool, error) {
	parts := strings.Split(text, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return nil, errors.New("a name that is hashed in an unknown way")
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, errors.New("a hashed name whose salt is not base64")
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return nil, errors.New("a hashed name that is not base64")
	}
	return func(host, port string) bool {
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(knownhosts.Normalize(net.JoinHostPort(host, port))))
		return hmac.Equal(mac.Sum(nil), want)
	}, nil
}

// glob matches a whole text with a pattern of * and ?. Its time is bounded by the product of their lengths, because
// the lines may come from anybody.
func glob(pattern, text string) bool {
	p, t, star, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0: // the last * matches one more character
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
