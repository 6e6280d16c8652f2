variable "passwords" {
  type      = object({ now = string, before = string, ssh = string })
  sensitive = true
}

variable "keys" {
  type      = object({ server = string, ssh = string })
  sensitive = true
}

variable "certificates" {
  type = object({ server = string, issuers = string })
}

keystore "FORMAT" "server" {
  path                 = "/opt/server/certs/server.FORMAT"
  password             = var.passwords.now
  previous_password    = var.passwords.before
  java                 = 11
  expires_warning_days = 60
  keep_others          = false

  host {
    ssh         = "admin@server.example"
    key         = var.keys.ssh
    passphrase  = var.passwords.ssh
    known_hosts = "server.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5"
    agent       = false
    jump        = ["admin@gate.example"]
  }

  entry "server" {
    certificate = var.certificates.server
    chain       = var.certificates.issuers
    key         = var.keys.server
  }
}

keystore "FORMAT" "internal" {
  path     = "/opt/internal/certs/internal.FORMAT"
  password = var.passwords.now
  names    = ["internal.example"]

  host {
    ssh              = "admin@internal.example"
    key_file         = "~/.ssh/id_ed25519"
    known_hosts_file = "known_hosts"
  }

  entry "internal" {
    self_signed {
      subject  = "CN=internal.example"
      dns      = ["internal.example"]
      ip       = ["192.0.2.7"]
      days     = 365
      key_type = "ecdsa-p256"
    }
  }
}
