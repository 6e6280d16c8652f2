package teamworkcloud_test

import (
	"testing"
)

// aCertificate is any certificate: RSA, self-signed, expired long ago.
const aCertificate = `<<-EOT
  -----BEGIN CERTIFICATE-----
  MIIBfzCCASWgAwIBAgIUDk0H5yqN8dQk1pcFZkQUZtVPGnQwCgYIKoZIzj0EAwIw
  FTETMBEGA1UEAwwKQUNNRSBSb290MTAeFw0yNjAxMDEwMDAwMDBaFw0yNzAxMDEw
  -----END CERTIFICATE-----
  EOT`

// encryptedValid is a valid configuration in which each test changes one thing.
const encryptedValid = `
keystore "pkcs12" "a" {
  path     = "/opt/sync.p12"
  password = env("STORE_PASSWORD")
  host { ssh = "admin@a.example" }
  entry "teamworkcloud" {
    self_signed {
      subject = "CN=a.example"
      dns     = ["a.example"]
    }
  }
}
server "teamwork_cloud" "a" {
  url          = "https://a.example:8111"
  sync_address = "a.example:10002"
  user         = "u"
  password     = env("A_PASSWORD")
  host {
    ssh              = "admin@a.example:22"
    application_conf = "/etc/twc/application.conf"
  }
  sync_tls {
    keystore     = keystore.pkcs12.a
    port         = 10002
    recipe       = "2024xR1"
    trust_stores = ["/opt/java/lib/security/cacerts"]
    trust "acme" { certificate = env("ACME_CA") }
  }
}
`

func TestEncryptionValid(t *testing.T) {
	if diags := lint(t, encryptedValid); len(diags) > 0 {
		t.Fatal(diags)
	}
}

// TestEncryptionMistakes checks that mistakes which the files alone show are reported at their line.
func TestEncryptionMistakes(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want, line string }{
		"another machine": {`ssh              = "admin@a.example:22"`, `ssh = "admin@b.example"`,
			"Keystore on another machine: keystore_path", "keystore"},
		"this machine": {`host { ssh = "admin@a.example" }`, ``,
			"Keystore on another machine: keystore.pkcs12.a is on this machine", "keystore"},
		"no such keystore": {`keystore.pkcs12.a`, `keystore.pkcs12.b`,
			"Reference to undeclared declaration: There is no keystore.pkcs12.b", "keystore"},
		"not a keystore": {`= keystore.pkcs12.a`, `= "sync.p12"`, "Invalid reference: keystore.TYPE.NAME",
			"keystore"},
		"no port":   {`port         = 10002`, `port = 70000`, "Invalid port: 70000", "port"},
		"no recipe": {`"2024xR1"`, `"2025x"`, "", "recipe"},
		"a relative trust store": {`"/opt/java/lib/security/cacerts"`, `"lib/security/cacerts"`,
			"Path is not absolute: in full", "trust_stores"},
		"one trust store twice": {`["/opt/java/lib/security/cacerts"]`, `["/x", "/x"]`, "Duplicate trust store",
			"trust_stores"},
		"a relative file": {`"/etc/twc/application.conf"`, `"application.conf"`,
			"Path is not absolute: application_conf", "application_conf"},
		"an alias twice": {`trust "acme" { certificate = env("ACME_CA") }`,
			"trust \"acme\" { certificate = env(\"ACME_CA\") }\n    trust \"ACME\" { certificate = env(\"ACME_CA\") }",
			"Duplicate alias: ignores case", "trust"},
		"no alias":       {`trust "acme"`, `trust "acme ca"`, "Invalid alias", "trust"},
		"no certificate": {`env("ACME_CA")`, `"ca.pem"`, "Invalid certificate: BEGIN CERTIFICATE", "certificate"},
		"half a certificate": {`{ certificate = env("ACME_CA") }`, "{\n    certificate = " + aCertificate + "\n    }",
			"Invalid certificate: cannot be read", "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			mistaken(t, encryptedValid, c.old, c.new, c.want, c.line)
		})
	}
}

// TestEncryptionOverSites checks that sync_tls is refused over sites: it is proved from both ends, which no process
// can reach.
func TestEncryptionOverSites(t *testing.T) {
	text := encryptedValid + `
site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}
server "teamwork_cloud" "b" {
  url      = "https://b.example:8111"
  user     = "u"
  password = env("B_PASSWORD")
  site     = site.acme
}
sync "teamwork_cloud" "ab" {
  source          = server.teamwork_cloud.a
  target          = server.teamwork_cloud.b
  categories      = ["Released"]
  target_category = "From A"
}
`
	mistaken(t, text, "  url          =", "  site         = site.acme\n  url          =",
		"Encryption is not looked after over sites", "source")
}
