package keystore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

// TestMistakes: what is wrong in a declaration is said where it stands, without looking at any file.
func TestMistakes(t *testing.T) {
	f := newFamily(t)
	files := map[string]string{
		"cert.pem": f.server.pem(), "two.pem": f.server.pem() +
			f.inter.pem(), "key.pem": f.server.keyPEM(t), "both.pem": f.server.pem() + f.server.keyPEM(t),
		"text": "no PEM", "damaged.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"encrypted.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
		"ssh.key":       "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
		"dsa.key":       "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",
		"damaged.key":   "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	}
	entry := func(body string) string { return "entry \"a\" {\n" + body + "\n}\n" }
	own := func(body string) string {
		return entry("self_signed {\n subject = \"CN=a\"\n" + body + "\n}")
	}
	for name, c := range map[string]struct {
		body string
		says string // "": all is right
		line int
	}{
		"right":       {entry("certificate = file(\"two.pem\")\nkey = file(\"key.pem\")"), "", 0},
		"self-signed": {own(`dns = ["a"]`), "", 0},
		"folder":      {"", `path must name a file, and "/keys/" does not`, 2},
		"relative name elsewhere": {"host { ssh = \"a@b\" }",
			"With host, path is an absolute name such as /etc/keys/server.p12", 2},
		"no address": {"host { ssh = \"machine\" }", `an SSH address says who logs in`, 4},
		"key twice": {"host {\n ssh = \"a@b\"\n key_file = \"k\"\n key = \"x\"\n}",
			"Give either key or key_file, not both", 6},
		"host without ssh": {"host {}", "ssh", 4},
		"java":             {"java = 5", "java", 4},
		"alias twice": {own("") + "trust \"A\" { certificate = file(\"cert.pem\") }",
			`trust "A": entry "a" has the same alias`, 10},
		"no alias": {"trust \"a\\tb\" { certificate = file(\"cert.pem\") }",
			"an alias has no control characters", 4},
		"made and given": {entry("self_signed { subject = \"CN=a\" }\ncertificate = file(\"cert.pem\")"),
			"remove certificate, or self_signed", 6},
		"neither": {entry(""), `entry "a" needs certificate and key, or self_signed`, 4},
		"no key": {entry("certificate = file(\"cert.pem\")"),
			"A certificate without a key is declared with trust", 4},
		"no PEM": {entry("certificate = file(\"text\")\nkey = file(\"key.pem\")"),
			"certificate of entry \"a\" cannot be used: there is no certificate in it", 5},
		"damaged certificate": {entry("certificate = file(\"damaged.pem\")\nkey = file(\"key.pem\")"),
			"certificate 1 cannot be read", 5},
		"key beside the certificate": {entry("certificate = file(\"both.pem\")\nkey = file(\"key.pem\")"),
			"it holds a private key", 5},
		"chain without certificates": {entry("certificate = file(\"cert.pem\")\nchain = file(\"text\")\n" +
			"key = file(\"key.pem\")"), "chain of entry \"a\" cannot be used", 6},
		"certificate as key": {entry("certificate = file(\"cert.pem\")\nkey = file(\"cert.pem\")"),
			"there is no private key in it", 6},
		"encrypted key": {entry("certificate = file(\"cert.pem\")\nkey = file(\"encrypted.key\")"),
			"openssl pkey", 6},
		"SSH key": {entry("certificate = file(\"cert.pem\")\nkey = file(\"ssh.key\")"),
			"a key for SSH", 6},
		"DSA key": {entry("certificate = file(\"cert.pem\")\nkey = file(\"dsa.key\")"), "DSA", 6},
		"damaged key": {entry("certificate = file(\"cert.pem\")\nkey = file(\"damaged.key\")"),
			"is damaged, or of an unsupported kind", 6},
		"several trusted": {"trust \"a\" { certificate = file(\"two.pem\") }",
			"holds 2 certificates", 4},
		"subject": {entry("self_signed {\n subject = \"server\"\n}"),
			`"server" cannot be a certificate's subject`, 6},
		"address among names": {own(`dns = ["192.0.2.1"]`),
			`"192.0.2.1" is not a host name`, 7},
		"URL among names": {own(`dns = ["https://a"]`), `"https://a" is not a host name`, 7},
		"name among addresses": {own(`ip = ["a.example"]`),
			`"a.example" is not an IP address`, 7},
		"days": {own(`days = 30`), "expires_warning_days is 30",
			7},
		"kind of key":               {own(`key_type = "rsa-1024"`), "rsa-1024", 7},
		"names with a port":         {`names = ["a.example:443"]`, "give the host alone, without a port", 4},
		"names with a scheme":       {`names = ["https://a.example"]`, "without scheme and path", 4},
		"names in another alphabet": {`names = ["müller.example"]`, "xn--", 4},
		"an empty name":             {`names = [""]`, "it is empty", 4},
		"names, all kinds":          {`names = ["a", "*.example", "192.0.2.1", "2001:db8::1", "a_b.example."]`, "", 0},
		"unknown word":              {`alias = "a"`, "alias", 4},
		"no password at all":        {"", "A keystore without a password protects nothing", 3},
		"one file in two declarations": {own("") + "}\nkeystore \"pkcs12\" \"other\" {\n" +
			" path = \"/keys/../keys/server.p12\"\n password = \"sesame\"\n" + own(""), "writes the same file", 2},
		"the same on another machine": {own("") + "}\nkeystore \"pkcs12\" \"other\" {\n path = \"/keys/server.p12\"\n" +
			" password = \"sesame\"\n host { ssh = \"a@b\" }\n" + own(""), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).declare(PKCS12, c.body, files)
			switch name {
			case "folder":
				b.put("/conf/main.sync.hcl", strings.Replace(b.body, file, "/keys/", 1))
			case "relative name elsewhere":
				b.put("/conf/main.sync.hcl", strings.Replace(b.body, file, "server.p12", 1))
			case "no password at all":
				b.env["PASSWORD"] = ""
			}
			_, _, diags := b.load(b.fs)
			if c.says == "" {
				if len(diags) > 0 {
					t.Error(diags)
				}
				return
			}
			if len(diags) == 0 {
				t.Fatal("nothing is said")
			}
			d := diags[0]
			if text := d.Summary + ": " + d.Detail; !strings.Contains(text,
				c.says) || d.Subject == nil || d.Subject.Start.Line != c.line {
				t.Errorf("line %v: %s; want line %d: %q\n%s", d.Subject, text, c.line, c.says, b.body)
			}
			for _, d := range diags {
				if strings.Contains(fmt.Sprint(d), "AAAA") || strings.Contains(fmt.Sprint(d), "MIG") {
					t.Errorf("a key shows: %v", d)
				}
			}
		})
	}
}

// TestWithoutVariables: validate runs before anything is known.
func TestWithoutVariables(t *testing.T) {
	b := newBench(t)
	b.put("/conf/main.sync.hcl", `
variable "cert" { type = string }
variable "key" {
  type      = string
  sensitive = true
}
variable "name" { type = string }
keystore "jks" "server" {
  path     = var.name
  password = var.key
  names    = [var.name]
  host { ssh = var.name }
  entry "a" {
    certificate = var.cert
    chain       = var.cert
    key         = var.key
  }
  entry "b" {
    self_signed {
      subject = var.name
      dns     = [var.name]
      ip      = [var.name]
    }
  }
  trust "c" { certificate = var.cert }
}
keystore "jks" "other" {
  path     = var.name
  password = var.key
}
`)
	d := New(driver.Env{}).Types()
	_, diags := schema.Load(t.Context(), schema.Options{Fs: b.fs, Dir: "/conf", Catalog: d, AllowUnset: true,
		Env: func(string) (string, bool) { return "", false }})
	if len(diags) > 0 {
		t.Error(diags)
	}
}
