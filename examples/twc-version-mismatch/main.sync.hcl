# Acme still runs 2022x, its supplier 2024x already. Resources are shared between servers of the same major version only.

syncctl {
  required_version = ">= 0.1"
}

variable "acme_password" {
  type      = string
  sensitive = true
}

variable "supplier_password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "acme" {
  url          = env("ACME_URL", "https://twc.acme.example:8111")
  sync_address = "twc.acme.example:3579"
  user         = env("ACME_USER", "supplier-reader")
  password     = var.acme_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")
}

server "teamwork_cloud" "supplier" {
  url      = env("SUPPLIER_URL", "https://twc.supplier.example:8111")
  user     = env("SUPPLIER_USER", "syncctl")
  password = var.supplier_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
}

sync "teamwork_cloud" "powertrain" {
  source          = server.teamwork_cloud.acme
  target          = server.teamwork_cloud.supplier
  categories      = ["Released/Powertrain"]
  target_category = "From Acme"
  trigger         = "every_commit"
}
