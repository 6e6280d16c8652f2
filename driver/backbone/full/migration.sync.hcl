variable "password" {
  type      = string
  sensitive = true
}

defaults "server" "backbone" {
  user     = "sync-admin"
  password = var.password
}

server "backbone" "a" {
  url = "https://jira.a.example"
}

server "backbone" "b" {
  url = "https://jira.b.example"
}

server "backbone" "a_cloud" {
  url        = "https://a.atlassian.net"
  deployment = "cloud"
  user       = "admin@a.example"
}

sync "backbone" "support_files" {
  transport = "file"
  master {
    server  = server.backbone.a
    project = "SUP"
  }
  slave {
    server  = server.backbone.b
    project = "PARTNER"
  }
}

sync "backbone" "support" {
  transport = "direct"
  first {
    server  = server.backbone.b
    project = "PARTNER"
  }
  second {
    server  = server.backbone.a_cloud
    project = "SUP"
  }
  issue_types = { Bug = "Bug" }
  field "summary" {}
}

migration "backbone_to_cloud" "support" {
  from      = sync.backbone.support_files
  to        = sync.backbone.support
  migrating = "master"

  pair              = "person"
  mark              = "none"
  take_over         = "20270102T030405.000Z-0a1b2c"
  complete_comments = true
  allow             = ["sequence", "connectors"]
  accept            = ["comments", "field.Severity"]

  verify {
    sample    = 100
    new_pairs = 5
    within    = "1h"
  }

  delete_original { allow = 2 }
}
