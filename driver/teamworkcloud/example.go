package teamworkcloud

import _ "embed" // the longer examples are files

// The examples with the arguments that those below leave out.
var (
	//go:embed full/server.sync.hcl
	serverFull string
	//go:embed full/sync.sync.hcl
	syncFull string
)

// The examples of the documentation, each a whole configuration.

const serverExample = `variable "password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url          = "https://twc.prod.example:8111"
  user         = "syncctl"
  password     = var.password
  sync_address = "twc.prod.example:10002"

  expect { major = "2024x" }

  host {
    ssh      = "admin@twc.prod.example"
    key_file = "~/.ssh/id_ed25519"
  }
}
`

const syncExample = `variable "password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url      = "https://twc.prod.example:8111"
  user     = "syncctl"
  password = var.password
}

server "teamwork_cloud" "supplier" {
  url      = "https://twc.supplier.example:8111"
  user     = "syncctl"
  password = var.password
}

sync "teamwork_cloud" "powertrain" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.supplier
  categories      = ["Released/Powertrain"]
  target_category = "From ACME/Powertrain"
  trigger         = "commit_tag"
  tag             = "release"

  verify { within = "1h" }
}
`

const offloadExample = offloadAround + `migration "teamwork_cloud_offload" "dormant_2019" {
  sync       = sync.teamwork_cloud.dormant_2019
  reactivate = true

  remove_from_source { allow = 14 }
}
`

const offloadFull = offloadAround + `migration "teamwork_cloud_offload" "dormant_2019" {
  sync = sync.teamwork_cloud.dormant_2019

  remove_configuration = false
  order                = "as_documented"
  allow_logged_in      = true
}
`

// offloadAround is what a migration needs, in both of its examples.
const offloadAround = `variable "password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url      = "https://twc.prod.example:8111"
  user     = "syncctl"
  password = var.password
}

server "teamwork_cloud" "archive" {
  url      = "https://twc.archive.example:8111"
  user     = "syncctl"
  password = var.password
}

sync "teamwork_cloud" "dormant_2019" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.archive
  categories      = ["Dormant/2019"]
  target_category = "Archive/2019"
}

`
