//go:build unix

package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"pgregory.net/rapid"
)

// TestKnownHostsAsTheLibrary checks that lines have the same meaning as in package knownhosts, and that no files are
// written for that.
func TestKnownHostsAsTheLibrary(t *testing.T) {
	var keys []ssh.PublicKey
	for range 3 {
		signer, _ := newKey(t)
		keys = append(keys, signer.PublicKey())
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "missing"))
	t.Setenv("TMP", filepath.Join(dir, "missing"))
	name := rapid.SampledFrom([]string{"a.example", "b.example", "10.0.0.1", "2001:db8::1"})
	pattern := rapid.Custom(func(t *rapid.T) string {
		text := rapid.SampledFrom([]string{"*", "a.*", "?.example", "*.example", "a.exam?le", "10.0.*.1", "x", "*a*",
			""}).Draw(t, "glob")
		if rapid.Bool().Draw(t, "a name") {
			text = name.Draw(t, "name")
		}
		not := text != "" && rapid.IntRange(0, 3).Draw(t, "not") == 0
		everywhere := not && strings.HasSuffix(text, "*") // other ports, too; see TestExclusions
		if everywhere || rapid.Bool().Draw(t, "port") {
			text = "[" + text + "]:" + rapid.SampledFrom([]string{"22", "2222"}).Draw(t, "port")
		}
		if not {
			text = "!" + text
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for range rapid.IntRange(0, 5).Draw(t, "lines") {
			hosts := strings.Join(rapid.SliceOfN(pattern, 1, 3).Draw(t, "patterns"), ",")
			if rapid.IntRange(0, 4).Draw(t, "hashed") == 0 {
				hosts = knownhosts.HashHostname(knownhosts.Normalize(net.JoinHostPort(name.Draw(t, "name"), "2222")))
			}
			if hosts == "" {
				continue
			}
			marker := rapid.SampledFrom([]string{"", "", "", "@revoked ", "@cert-authority "}).Draw(t, "marker")
			key := keys[rapid.IntRange(0, 1).Draw(t, "key")]
			if marker == "@cert-authority " { // the library takes the authority's key for a machine's own, too
				key = keys[2]
			}
			lines = append(lines, marker+hosts+" "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
		}
		file := filepath.Join(dir, "known_hosts")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := knownhosts.New(file)
		got, failed := parseKnownHosts([]byte(strings.Join(lines, "\n")), "")
		if (err == nil) != (failed == nil) {
			t.Fatalf("%q: %v, and the library says %v", lines, failed, err)
		}
		if err != nil {
			return
		}
		address := net.JoinHostPort(name.Draw(t, "address"), rapid.SampledFrom([]string{"22", "2222"}).Draw(t, "port"))
		key := keys[rapid.IntRange(0, 1).Draw(t, "shown")]
		a, b := verdict(want(address, nowhere, key)), verdict(got.check(address, nowhere, key))
		if a != b {
			t.Errorf("%q, %s: %s, and the library says %s", lines, address, b, a)
		}
	})
}

// TestExclusions checks that a machine is not known by a line that excludes it as ssh reads it. There, names have no
// case, and * stands for a port, too.
func TestExclusions(t *testing.T) {
	signer, _ := newKey(t)
	for hosts, known := range map[string]string{
		"*.example":                        "a.example:22 bad.example:22 BAD.example:22",
		"*.example,!BAD.example":           "a.example:22",
		"!bad.example,*.EXAMPLE":           "a.example:22",
		"BAD.example":                      "bad.example:22 BAD.example:22",
		"*.example,[*.example]:2222,!*ad*": "a.example:22",
		"[*.example]:2222,![BAD.*]:*":      "",
		"[*.example]:2222,![bad.*]:22":     "bad.example:2222",
		"[*.example]:2222,!bad.example":    "bad.example:2222",
	} {
		var got []string
		for _, address := range []string{"a.example:22", "bad.example:22", "BAD.example:22", "bad.example:2222"} {
			is, err := Known([]byte(hosts+" "+serialized(signer.PublicKey())), "", address)
			if err != nil {
				t.Fatal(err)
			}
			if is {
				got = append(got, address)
			}
		}
		if strings.Join(got, " ") != known {
			t.Errorf("lines for %s name %q", hosts, got)
		}
	}
}

// verdict describes an error without the name of a file.
func verdict(err error) string {
	var known *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return fmt.Sprintf("revoked in %d", revoked.Revoked.Line)
	case errors.As(err, &known):
		out := "wanted"
		for _, w := range known.Want {
			out += fmt.Sprintf(" %d", w.Line)
		}
		return out
	}
	return fmt.Sprint(err)
}

// TestGlob checks that * matches any text, also none, and that a pattern with many of them is not slow.
func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a*", "a", true}, {"*", "", true}, {"", "", true}, {"?", "", false}, {"a?c*", "abcd", true}, {"*b", "ab", true},
		{"*b", "abc", false}, {"a**c", "ac", true}, {"a", "A", false}, {"*ab*", "xaab", true},
		{strings.Repeat("*a", 10_000), strings.Repeat("a", 9_000) + "b", false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%.20s %.20s: %v", c.pattern, c.text, got)
		}
	}
}

// TestKnownAddressWithZone checks that an address is not known because it ends like a name of a known domain: the
// text after % names a network interface, and can be anything.
func TestKnownAddressWithZone(t *testing.T) {
	signer, _ := newKey(t)
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	for hosts, known := range map[string][]string{
		"*.known.example": {"a.known.example:22"},
		"fe80::1%eth0":    {"[fe80::1%eth0]:22"},
		"*":               {"a.known.example:22", "[2001:db8::1%.known.example]:22", "[fe80::1%eth0]:22"},
	} {
		for _, address := range []string{"a.known.example:22", "[2001:db8::1%.known.example]:22", "[fe80::1%eth0]:22"} {
			is, err := Known([]byte(hosts+" "+key), "", address)
			if err != nil || is != slices.Contains(known, address) {
				t.Errorf("%s, of lines for %s: %v %v", address, hosts, is, err)
			}
		}
	}
}
