package host

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys holds the lines of a known_hosts file.
type hostKeys struct {
	from  string // what they are called in errors
	check ssh.HostKeyCallback
	lines []string // as read; "" for a line that cannot be used
}

// parseKnownHosts parses the lines of a known_hosts file. As in ssh, lines that this program cannot parse are
// ignored, such as those with obsolete kinds of keys. A machine that only such a line names is unknown. A line that
// revokes a key is never ignored.
func parseKnownHosts(text []byte, from string) (*hostKeys, error) {
	k, db := &hostKeys{from: cmp.Or(from, "known_hosts")}, &keyLines{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.Trim(line, " \t\r\ufeff") // byte order marks, too
		marker, hosts, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
		unreadable := err != nil || len(line) > maxLine || strings.ContainsAny(line, "\r\x00")
		switch {
		case line == "" || line[0] == '#' || errors.Is(err, io.EOF):
			line = ""
		case unreadable && strings.HasPrefix(line, "@revoked"):
			return nil, fmt.Errorf("line %d of %s revokes a key and cannot be read", i+1, k.from)
		case unreadable || marker != "" && marker != "cert-authority" && marker != "revoked":
			line = ""
		}
		k.lines = append(k.lines, line)
		if line == "" {
			continue
		}
		if err := db.add(i+1, marker, hosts, key); err != nil {
			return nil, fmt.Errorf("the known hosts cannot be used: %w", err)
		}
	}
	k.check = db.callback()
	return k, nil
}

const maxLine = 32 << 10

// nowhere is used as the address of a connection, because keys are looked up by the machine's name.
var nowhere = &net.TCPAddr{IP: net.IPv4zero}

// verify compares the key that a machine presents with its known keys.
func (k *hostKeys) verify(a address, key ssh.PublicKey) error {
	err := k.check(a.hostPort(), nowhere, key)
	if err == nil {
		return nil
	}
	shown := fmt.Sprintf("%s %s", key.Type(), ssh.FingerprintSHA256(key))
	add := knownhosts.Line([]string{a.hostPort()}, key)
	var known *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return fmt.Errorf("the host key that it shows, %s, is revoked by line %d of %s: the machine may be "+
			"another one", shown, revoked.Revoked.Line, k.from)
	case errors.As(err, &known) && len(known.Want) == 0:
		return &inWords{fmt.Sprintf("no known_hosts line names it, so it may be another machine than the "+
			"one that is meant. It shows the host key %s. "+
			"If whoever runs it confirms that fingerprint, add this line to %s: %s", shown, k.from, add), err}
	case errors.As(err, &known):
		return &inWords{fmt.Sprintf("WARNING: the host key has changed: someone may intercept the connection, "+
			"or the machine was installed again. "+
			"It shows %s; known is %s. Do not continue before its administrator has confirmed the new fingerprint; then "+
			"replace the old line in %s by this one: %s",
			shown, k.describe(known.Want), k.from, add), err}
	}
	return fmt.Errorf("the host key that it shows, %s, is refused: %s", shown, foreign(err))
}

// proof returns the key that a line of known_hosts has for a machine with this key or certificate.
func proof(key ssh.PublicKey) ssh.PublicKey {
	if c, ok := key.(*ssh.Certificate); ok {
		return c.SignatureKey
	}
	return key
}

// inWords explains a library's error in our words.
type inWords struct {
	text  string
	cause error
}

func (e *inWords) Error() string { return e.text }
func (e *inWords) Unwrap() error { return e.cause }

func (k *hostKeys) describe(want []knownhosts.KnownKey) string {
	var all []string
	for _, w := range want {
		kind := ""
		if k.authority(w) {
			kind = "certificates of "
		}
		all = append(all, fmt.Sprintf("%s%s %s (line %d)", kind, w.Key.Type(), ssh.FingerprintSHA256(w.Key), w.Line))
	}
	return strings.Join(all, ", ")
}

func (k *hostKeys) authority(w knownhosts.KnownKey) bool {
	return w.Line > 0 && w.Line <= len(k.lines) && strings.HasPrefix(k.lines[w.Line-1], "@cert-authority")
}

// algorithms returns the kinds of host keys to ask a machine for, the best first. A machine has several keys and
// presents the first kind that is asked for. It must be one that is known here, or a known machine would look like a
// changed one.
func (k *hostKeys) algorithms(a address) []string {
	certificate := func(algorithm string) bool { return strings.Contains(algorithm, "-cert-") }
	all := ssh.SupportedAlgorithms().HostKeys
	plain := slices.DeleteFunc(slices.Clone(all), certificate)
	slices.SortStableFunc(plain, func(a, b string) int { return rank(a) - rank(b) })
	var known *knownhosts.KeyError
	if !errors.As(k.check(a.hostPort(), nowhere, probe{}), &known) {
		return plain
	}
	var first []string
	for _, w := range known.Want {
		switch {
		case k.authority(w):
			first = append(slices.DeleteFunc(slices.Clone(all),
				func(algorithm string) bool { return !certificate(algorithm) }), first...)
		case w.Key.Type() == ssh.KeyAlgoRSA:
			first = append(first, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		case slices.Contains(plain, w.Key.Type()):
			first = append(first, w.Key.Type())
		}
	}
	var out []string
	for _, algorithm := range append(first, plain...) {
		if !slices.Contains(out, algorithm) {
			out = append(out, algorithm)
		}
	}
	return out
}

// Known reports whether the lines of a known_hosts file name a machine, host:port, whatever its key. from names
// the file in errors.
func Known(lines []byte, from, hostPort string) (bool, error) {
	keys, err := Fingerprints(lines, from, hostPort)
	return len(keys) > 0, err
}

// Fingerprints returns the fingerprints, as of ssh-keygen -l, of the keys that the lines of a known_hosts file have for
// a machine, host:port, and of the authorities that certify its keys. from names the file in errors.
func Fingerprints(lines []byte, from, hostPort string) ([]string, error) {
	k, err := parseKnownHosts(lines, from)
	if err != nil {
		return nil, err
	}
	var known *knownhosts.KeyError
	var out []string
	if errors.As(k.check(hostPort, nowhere, probe{}), &known) {
		for _, w := range known.Want {
			out = append(out, ssh.FingerprintSHA256(w.Key))
		}
	}
	return out, nil
}

// rank puts first the kind of key that people find in documents, and that is short enough to be compared by eye.
func rank(algorithm string) int {
	if algorithm == ssh.KeyAlgoED25519 {
		return 0
	}
	return 1
}

// probe is a key that no machine has. It is used to find out which keys are known.
type probe struct{}

func (probe) Type() string                        { return "probe" }
func (probe) Marshal() []byte                     { return bytes.Clone([]byte("probe")) }
func (probe) Verify([]byte, *ssh.Signature) error { return errors.New("not a key") }
