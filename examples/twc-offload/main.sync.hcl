# Dormant projects move from the production server to the archive: brought over with all their history, verified revision
# by revision, removed from production, and made editable again where they are now.

syncctl {
  required_version = ">= 0.1"
}

variable "prod_password" {
  type      = string
  sensitive = true
}

variable "prod_ssh_key" {
  type      = string
  sensitive = true
}

variable "archive_password" {
  type      = string
  sensitive = true
}

variable "archive_ssh_key" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url          = env("PROD_URL", "https://twc.prod.example:8111")
  sync_address = "twc.prod.example:3579"
  user         = env("PROD_USER", "syncctl")
  password     = var.prod_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")

  expect {
    major = "2024x"
  }

  # The machine: services are stopped and datamanager is run here. Without this block a person does it, with the exact
  # command lines.
  host {
    ssh         = env("PROD_SSH", "admin@twc.prod.example")
    key         = var.prod_ssh_key
    known_hosts = env("PROD_KNOWN_HOSTS", "")
    home        = "/opt/CATIANoMagicServices"
  }
}

server "teamwork_cloud" "archive" {
  url          = env("ARCHIVE_URL", "https://twc.archive.example:8111")
  sync_address = "twc.archive.example:3579"
  user         = env("ARCHIVE_USER", "syncctl")
  password     = var.archive_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")

  expect {
    major = "2024x"
  }

  host {
    ssh         = env("ARCHIVE_SSH", "admin@twc.archive.example")
    key         = var.archive_ssh_key
    known_hosts = env("ARCHIVE_KNOWN_HOSTS", "")
    home        = "/opt/CATIANoMagicServices"
  }
}

# How they get there: once, with every commit as the trigger.
sync "teamwork_cloud" "dormant_2019" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.archive
  categories      = ["Dormant/2019"]
  target_category = "Archive/2019"
  trigger         = "every_commit"
}

migration "teamwork_cloud_offload" "dormant_2019" {
  sync = sync.teamwork_cloud.dormant_2019

  # The number the plan shows; removal from production is for good.
  remove_from_source {
    allow = 5
  }

  # Take off the read-only flag on the archive, so that somebody can work on them again.
  reactivate = true
}
