package schema

import (
	"strings"
	"testing"
)

// TestMaskedParts: what a secret is put together from, what has a telling name, and private keys are in no source that
// is shown or sent, in both syntaxes.
func TestMaskedParts(t *testing.T) {
	const native = `
locals {
  first  = "canary-one"
  second = "canary-two"
  third  = { a = "canary-three" }
  listed = {
    password = "canary-four"
    "api_key" = ["canary-five"]
  }
  jwt_token = "canary-six"
  both      = "${local.first}${local.second}"
  text      = <<-EOT
    -----BEGIN OPENSSH PRIVATE KEY-----
    canary-seven
    -----END OPENSSH PRIVATE KEY-----
    shown-one
  EOT
  other     = "shown-two"
  word      = sensitive("${local.eighth}x")
  eighth    = "canary-eight"
}

variable "ninth" {
  default = "canary-nine"
}

server "barn" "a" {
  for_each = { x = { part = "canary-ten" } }
  url      = "https://shown-three.example"
  password = "${local.both}${local.third.a}${var.ninth}${each.value.part}"
}
`
	const inJSON = `{"locals": {"first": "canary-one", "second": ["canary-two"], "listed": {"password": "canary-four"},
  "jwt_token": {"a": "canary-six"}, "text": "-----BEGIN PRIVATE KEY-----\ncanary-seven\n-----END PRIVATE KEY-----\n",
  "other": "shown-two"},
  "server": {"barn": {"a": {"url": "https://shown-three.example", "password": "${local.first}${local.second[0]}"}}}}`
	for name, src := range map[string]string{"main.sync.hcl": native, "main.sync.hcl.json": inJSON} {
		cfg, _ := world{files: map[string]string{name: src}}.load(t)
		text := string(cfg.Files()["conf/"+name].Bytes)
		if strings.Contains(text, "canary") || len(text) != len(src) {
			t.Errorf("%s: a secret is shown:\n%s", name, text)
		}
		for _, want := range []string{"shown-one", "shown-two", "shown-three"} {
			if strings.Contains(src, want) && !strings.Contains(text, want) {
				t.Errorf("%s: %s is hidden:\n%s", name, want, text)
			}
		}
	}
}
