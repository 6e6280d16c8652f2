package keystore

import (
	_ "embed" // the longer example is a file
	"strings"
)

//go:embed full/FORMAT.sync.hcl
var fullExample string

// full returns the documentation's example with the arguments that example leaves out.
func full(f Format) string { return strings.ReplaceAll(fullExample, "FORMAT", string(f)) }

// example returns the documentation's example of a keystore in a format.
func example(f Format) string {
	return strings.ReplaceAll(`variable "keystore_password" {
  type      = string
  sensitive = true
}

variable "server_key" {
  type      = string
  sensitive = true
}

variable "server_certificate" {
  type = string
}

variable "ca_certificate" {
  type = string
}

keystore "FORMAT" "server" {
  path     = "certs/server.FORMAT"
  password = var.keystore_password
  names    = ["server.example"]

  entry "server" {
    certificate = var.server_certificate
    key         = var.server_key
  }

  trust "ca" {
    certificate = var.ca_certificate
  }
}
`, "FORMAT", string(f))
}
