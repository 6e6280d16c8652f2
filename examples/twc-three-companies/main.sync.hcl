# Acme and its supplier share models by way of a neutral Teamwork Cloud. Nobody reaches more than one server, and nobody
# has more than one password: each company runs syncctl for its own site, and they send each other bundles.

syncctl {
  required_version = ">= 0.1"
}

# The keys are examples: nobody has the private halves. Put yours here (`cat ~/.ssh/id_ed25519.pub`). The supplier plans,
# who gets the models: what it has to look for on its own server depends on what the others have.
site "supplier" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2oKhK5IRxxF26dwwt1spt7NOBseIlO7PQ6BDVXZAXa admin@supplier"]
  max_age = "24h"
}

site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPi5W1PQaD5qIVQqY8bWaQJm6WAk627cOEt30FdjneaX admin@acme"]
  max_age = "24h"
}

site "exchange" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBGZOFRa4DkkODvPZPAFwwlNcUHekU0TRfcofVteuoSd admin@exchange"]
  max_age = "24h"
}

variable "acme_password" {
  type      = string
  sensitive = true
}

variable "neutral_password" {
  type      = string
  sensitive = true
}

variable "supplier_password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "acme" {
  url          = env("ACME_URL", "https://twc.acme.example:8111")
  sync_address = "twc.acme.example:10002"
  user         = env("ACME_USER", "neutral-reader")
  password     = var.acme_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site         = site.acme

  expect {
    major = "2026x"
  }
}

server "teamwork_cloud" "neutral" {
  url          = env("NEUTRAL_URL", "https://twc.exchange.example:8111")
  sync_address = "twc.exchange.example:10002"
  user         = env("NEUTRAL_USER", "exchange")
  password     = var.neutral_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site         = site.exchange

  expect {
    major = "2026x"
  }
}

server "teamwork_cloud" "supplier" {
  url      = env("SUPPLIER_URL", "https://twc.supplier.example:8111")
  user     = env("SUPPLIER_USER", "syncctl")
  password = var.supplier_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site     = site.supplier

  expect {
    major = "2026x"
  }
}

# First hop: the neutral server reads from Acme.
sync "teamwork_cloud" "to_exchange" {
  source          = server.teamwork_cloud.acme
  target          = server.teamwork_cloud.neutral
  categories      = ["Released/Powertrain"]
  target_category = "From Acme"
  trigger         = "every_commit"
  tls             = true
}

# Second hop: the supplier reads what the first has written.
sync "teamwork_cloud" "to_supplier" {
  source          = server.teamwork_cloud.neutral
  target          = server.teamwork_cloud.supplier
  upstream        = sync.teamwork_cloud.to_exchange
  categories      = ["From Acme"]
  target_category = "From Acme"
  trigger         = "every_commit"
  tls             = true
}
