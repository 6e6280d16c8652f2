variable "password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url      = "https://twc.prod.example:8111"
  user     = "syncctl"
  password = var.password
}

server "teamwork_cloud" "hub" {
  url      = "https://twc.hub.example:8111"
  user     = "syncctl"
  password = var.password
}

server "teamwork_cloud" "supplier" {
  url      = "https://twc.supplier.example:8111"
  user     = "syncctl"
  password = var.password
}

sync "teamwork_cloud" "to_hub" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.hub
  resources       = ["Released/Powertrain/Engine"]
  target_category = "From ACME"
  trigger         = "manual"
  tls             = true

  verify {
    compare = ["author", "date", "contents"]
    within  = "2h"
  }
}

sync "teamwork_cloud" "to_supplier" {
  source          = server.teamwork_cloud.hub
  target          = server.teamwork_cloud.supplier
  resources       = ["From ACME/Engine"]
  target_category = "From ACME"
  upstream        = sync.teamwork_cloud.to_hub
  state           = "active"
}
