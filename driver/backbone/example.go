package backbone

import _ "embed" // the longer examples are files

// The examples with the arguments that those below leave out.
var (
	//go:embed full/server.sync.hcl
	serverFull string
	//go:embed full/sync.sync.hcl
	syncFull string
)

// The examples in the documentation. Each is a whole configuration.

const serverExample = `variable "jira_token" {
  type      = string
  sensitive = true
}

server "backbone" "a" {
  url        = "https://jira.a.example"
  token      = var.jira_token
  deployment = "data_center"
  ca_file    = "ca.pem"
}
`

const syncExample = `variable "password" {
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

sync "backbone" "support" {
  transport = "direct"

  first {
    server  = server.backbone.a
    project = "SUP"
    jql     = "issuetype = ${jql_quote("Bug")}"
  }

  second {
    server  = server.backbone.b
    project = "PARTNER"
  }

  issue_types = { Bug = "Bug", Task = "Story" }
  comments    = true
  attachments = true

  field "summary" {}
  field "assignee" { mapping = "user_passthrough_by_email" }
  field "Severity" {
    mapping = "correlation"
    to      = "Priority"
  }
}
`

const migrationExample = migrationAround + `migration "backbone_to_cloud" "support" {
  from      = sync.backbone.support_files
  to        = sync.backbone.support
  migrating = "master"

  verify { sample = 100 }
  delete_original { allow = 2 }
}
`

const migrationFull = migrationAround + `migration "backbone_to_cloud" "support" {
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
`

// migrationAround is what a migration needs, in both of its examples.
const migrationAround = `variable "password" {
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

`
