package declare_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/policy"
	"golang.org/x/crypto/ssh"
)

// authority returns the certificate of an authority as PEM, and its fingerprint.
func authority(t *testing.T) (text, fingerprint string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), policy.Fingerprint(der)
}

// TestKnown: under a policy, secrets are sent only where it says, and hosts are known only as it says.
func TestKnown(t *testing.T) {
	ca, print := authority(t)
	other, otherPrint := authority(t)
	const head = "variable \"pw\" {\n  sensitive = true\n  default = \"geheim-4711\"\n}\n" +
		"server \"depot\" \"a\" {\n  url = \"https://a.example\"\n  token = var.pw\n"
	const machine = "  host {\n    ssh = \"admin@a.example:2222\"\n    key_file = \"/keys/ops\"\n    agent = false\n  }\n"
	const pw = "  variables = [\"pw\"]\n"
	for name, c := range map[string]struct {
		ca, host, more string // more: further lines of the policy for a.example, if host is not another
		rest, login    bool
	}{
		"nothing":            {"", "a.example", "", false, false},
		"the secret":         {"", "a.example", pw, true, true},
		"it for the port":    {"", "a.example:443", pw, true, false},
		"it for the machine": {"", "a.example:2222", pw, false, true},
		"it for another":     {"", "b.example", pw, false, false},
		"not the authority":  {ca, "a.example", pw, false, true},
		"the authority":      {ca, "a.example", pw + "  ca = [" + strconv.Quote(print) + "]\n", true, true},
		"one of two":         {ca + other, "a.example", pw + "  ca = [" + strconv.Quote(print) + "]\n", false, true},
		"the other":          {ca, "a.example", pw + "  ca = [" + strconv.Quote(otherPrint) + "]\n", false, true},
		"any":                {ca + other, "a.example", "  variables = [\"*\"]\n  ca = [\"*\"]\n", true, true},
		"without a policy":   {ca, "", "", true, true},
	} {
		text := head
		if c.ca != "" {
			text += "  ca = " + strconv.Quote(c.ca) + "\n"
		}
		s := decoded(t, text+machine+"}\n")
		var p *policy.Policy
		if c.host != "" {
			p = parsePolicy(t, "host \"*\" {\n  ssh_keys = [\"/keys\"]\n}\nhost \""+c.host+"\" {\n"+c.more+"}\n")
		}
		env := environment(t, p, "")
		_, err := s.Rest(env)
		var refused *policy.Refusal
		if c.rest != (err == nil) || err != nil && (!errors.As(err, &refused) || strings.Contains(err.Error(), "4711")) {
			t.Errorf("%s: the server: %v", name, err)
		}
		h, err := s.Host.Open(env)
		if c.login != (err == nil) || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: the machine: %v", name, err)
		}
		if err == nil {
			h.Close()
		}
	}
}

// TestAddressFromASecret: under a policy the address of a server does not depend on a secret, which each proxy would
// see, even if it may be sent to that host. One that the configuration has itself may be called a secret.
func TestAddressFromASecret(t *testing.T) {
	p := parsePolicy(t, "host \"*.example\" {\n  variables = [\"*\"]\n}\n")
	for url, want := range map[string]bool{
		`"https://${var.pw}.example"`: false, `"https://a.example/${var.pw}"`: false,
		`sensitive("https://a.example")`: true, `"https://a.example"`: true,
	} {
		s := decoded(t, "variable \"pw\" {\n  sensitive = true\n  default = \"b\"\n}\n"+
			"server \"depot\" \"a\" {\n  url = "+url+"\n  token = var.pw\n}\n")
		for _, u := range []*policy.Policy{p, p.Untrusted()} {
			if _, err := s.Rest(environment(t, u, "")); want != (err == nil) {
				t.Errorf("%s: %v", url, err)
			}
		}
		if _, err := s.Rest(environment(t, nil, "")); err != nil {
			t.Errorf("%s without a policy: %v", url, err)
		}
	}
}

// TestUseKnown: what is written down of a configuration is what it needs.
func TestUseKnown(t *testing.T) {
	ca, print := authority(t)
	cfg, diags := load(t, "variable \"pw\" {\n  sensitive = true\n}\n"+
		"server \"depot\" \"a\" {\n  url = \"https://a.example\"\n  token = var.pw\n  ca = "+strconv.Quote(ca)+"\n"+
		"  host {\n    ssh = \"admin@a.example:2222\"\n    jump = [\"gate@gate.example\"]\n    key_file = \"/keys/ops\"\n"+
		"    known_hosts = "+strconv.Quote("[a.example]:2222,gate.example"+hostKey)+"\n  }\n}\n", true)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(hostKey)))
	if err != nil {
		t.Fatal(err)
	}
	used := policy.Used{}
	declare.Use(&used, cfg.Resources[0], "/conf", "/home/ada")
	if err := declare.UseKnown(&used, cfg.Resources[0], environment(t, nil, "")); err != nil {
		t.Fatal(err)
	}
	mark := ssh.FingerprintSHA256(key)
	for address, want := range map[string]string{
		"a.example:443":   fmt.Sprint([]string{"pw"}, []string{print}, []string{}),
		"a.example:2222":  fmt.Sprint([]string{"pw"}, []string{}, []string{mark}),
		"gate.example:22": fmt.Sprint([]string{}, []string{}, []string{mark}),
	} {
		h := used.Hosts[address]
		if h == nil || fmt.Sprint(h.Variables, h.CA, h.HostKeys) != want {
			t.Errorf("%s: %+v, want %s", address, h, want)
		}
	}
}
