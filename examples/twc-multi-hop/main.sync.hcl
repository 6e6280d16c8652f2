# Acme and its supplier must not reach each other's network. A neutral Teamwork Cloud between them takes part in both: it
# reads from Acme, and the supplier reads from it.

syncctl {
  required_version = ">= 0.1"
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
  site         = "acme"

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
  site         = "exchange"

  expect {
    major = "2026x"
  }
}

server "teamwork_cloud" "supplier" {
  url      = env("SUPPLIER_URL", "https://twc.supplier.example:8111")
  user     = env("SUPPLIER_USER", "syncctl")
  password = var.supplier_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site     = "supplier"

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
