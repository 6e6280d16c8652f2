# Acme develops; its supplier uses what Acme releases. Three shares of different kinds: a category with every commit,
# one model only when a release is tagged, and one by hand.

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

# The source. The user is the one that the supplier's server logs in with: it needs Read Resources on what is shared.
server "teamwork_cloud" "acme" {
  url             = env("ACME_URL", "https://twc.acme.example:8111")
  web_application = "https://twc.acme.example:8443/webapp"
  sync_address    = "twc.acme.example:3579"
  user            = env("ACME_USER", "supplier-reader")
  password        = var.acme_password
  ca_file         = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site            = "acme"

  expect {
    major = "2024x"
  }
}

# The target. Remote resource configurations live here; the user needs the role Resource Synchronization Manager on the
# target category.
server "teamwork_cloud" "supplier" {
  url             = env("SUPPLIER_URL", "https://twc.supplier.example:8111")
  web_application = "https://twc.supplier.example:8443/webapp"
  user            = env("SUPPLIER_USER", "syncctl")
  password        = var.supplier_password
  ca_file         = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site            = "supplier"

  expect {
    major = "2024x"
  }
}

# A whole category, with every commit. What joins the category is shared, what leaves it is no longer.
sync "teamwork_cloud" "powertrain" {
  source          = server.teamwork_cloud.acme
  target          = server.teamwork_cloud.supplier
  categories      = ["Released/Powertrain"]
  target_category = "From Acme/Powertrain"
  trigger         = "every_commit"
}

# One model, as far as its last tagged release.
sync "teamwork_cloud" "chassis" {
  source          = server.teamwork_cloud.acme
  target          = server.teamwork_cloud.supplier
  resources       = ["Chassis"]
  target_category = "From Acme"
  trigger         = "commit_tag"
  tag             = "release"
}

# A library that is brought over when somebody asks for it.
sync "teamwork_cloud" "interfaces" {
  source          = server.teamwork_cloud.acme
  target          = server.teamwork_cloud.supplier
  resources       = ["Interface Library"]
  target_category = "From Acme"
  trigger         = "manual"
}
