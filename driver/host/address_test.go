package host

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/printable"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"admin@db.example":            "admin@db.example:22",
		"admin@DB.Example:2222":       "admin@db.example:2222",
		"admin@10.0.0.1":              "admin@10.0.0.1:22",
		"admin@[::1]":                 "admin@[::1]:22",
		"admin@[fe80::1%eth0]:65535":  "admin@[fe80::1%eth0]:65535",
		"first.last@corp.example@h_1": "first.last@corp.example@h_1:22",
	} {
		a, err := parseAddress(text)
		if err != nil || a.String() != want {
			t.Errorf("%s: %s, %v", text, a, err)
		}
	}
	for text, want := range map[string]string{
		"":                      "says who logs in",
		"db.example":            "says who logs in",
		"@db.example":           "nothing before the @",
		"ssh://admin@db":        "without a scheme",
		"admin:hush@db":         "has no password",
		"admin:hush@":           "has no password",
		"a b@db":                "a space or a control character",
		"a\x1b@db":              "a space or a control character",
		"admin@":                "names a machine",
		"admin@:22":             "names a machine",
		"admin@db:":             `the port ""`,
		"admin@db:0":            `the port "0"`,
		"admin@db:65536":        `the port "65536"`,
		"admin@db:+2":           `the port "+2"`,
		"admin@db:ssh":          `the port "ssh"`,
		"admin@::1":             "in brackets: \"[::1]",
		"admin@[::1":            "in brackets",
		"admin@[10.0.0.1]":      "is not an IPv6 address",
		"admin@[::1]x":          "stands between",
		"admin@[::1]:":          `the port ""`,
		"admin@-oProxyCommand":  "is not the name of a machine",
		"admin@db/x":            "is not the name of a machine",
		"admin@datenbänke":      "is not the name of a machine",
		"admin@db\n":            "is not the name of a machine",
		"admin@d b":             "is not the name of a machine",
		"admin@[fe80::1%\x1b]:": "",
	} {
		_, err := parseAddress(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") ||
			strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// FuzzParseAddress checks that a valid address is formatted as it was parsed, and can be dialled. Errors for others
// must not show anything before the @.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"admin@db.example:22", "a@[::1]:2222", "a@b@c", "a:b@c", "@", "a@[fe80::1%x]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const hush = "qwertzuiop"
		if _, err := parseAddress(hush + text); err != nil && !strings.Contains(text, hush) &&
			strings.Contains(err.Error(), hush) {
			t.Errorf("%q is shown: %v", hush+text, err)
		}
		a, err := parseAddress(text)
		if err != nil {
			if printable.Line(err.Error()) != err.Error() {
				t.Errorf("%q: %q", text, err)
			}
			return
		}
		again, err := parseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("%q is %+v, and again %+v, %v", text, a, again, err)
		}
		name, port, err := net.SplitHostPort(a.hostPort())
		if err != nil || name != a.host || port != strconv.Itoa(int(a.port)) || a.port == 0 {
			t.Errorf("%q: %s, %v", text, a.hostPort(), err)
		}
		if printable.Line(a.String()) != a.String() || strings.ContainsAny(a.host, " /\\'\"$`") {
			t.Errorf("%q is taken for %s", text, a)
		}
	})
}
