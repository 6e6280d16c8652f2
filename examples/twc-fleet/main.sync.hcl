# Three plants share their released models with a hub. A plant is three lines; what they have in common is written once.

syncctl {
  required_version = ">= 0.1"
}

variable "north_password" {
  type      = string
  sensitive = true
}

variable "south_password" {
  type      = string
  sensitive = true
}

variable "west_password" {
  type      = string
  sensitive = true
}

variable "hub_password" {
  type      = string
  sensitive = true
}

# One more plant is one more line here.
locals {
  plants = {
    north = { password = var.north_password, categories = ["Released/Engines", "Released/Gears"] }
    south = { password = var.south_password, categories = ["Released/Frames"] }
    west  = { password = var.west_password, categories = ["Released/Brakes"] }
  }
}

# What all servers share, here and in the module.
defaults "server" "teamwork_cloud" {
  user    = "sync-reader"
  ca_file = env("SYNCCTL_SANDBOX_CA_FILE", "")

  expect {
    major = "2026x"
  }
}

server "teamwork_cloud" "hub" {
  url      = env("HUB_URL", "https://twc.hub.example:8111")
  user     = "hub-manager"
  password = var.hub_password
}

server "teamwork_cloud" "plant" {
  for_each     = local.plants
  url          = env("${upper(each.key)}_URL", "https://twc.${each.key}.example:8111")
  sync_address = "twc.${each.key}.example:10002"
  password     = each.value.password

  lifecycle {
    prevent_destroy = true
  }
}

module "share" {
  source     = "./share"
  for_each   = local.plants
  from       = server.teamwork_cloud.plant[each.key]
  to         = server.teamwork_cloud.hub
  name       = title(each.key)
  categories = each.value.categories
}

output "shared" {
  description = "What the hub gets, by plant."
  value       = { for plant, share in module.share : plant => share.categories }
}

check "categories" {
  assert {
    condition     = alltrue([for share in module.share : length(share.categories) > 0])
    error_message = "Each plant shares at least one category."
  }
}
