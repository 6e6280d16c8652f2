variable "password" {
  type      = string
  sensitive = true
}

variable "company_ca" { type = string }

site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}

server "backbone" "a" {
  url                 = "https://jira.a.example/jira"
  user                = "sync-admin"
  password            = var.password
  ca                  = var.company_ca
  requests_per_second = 10
  request_timeout     = "1m"
  site                = site.acme
  start_stop_verb     = "put"
}
