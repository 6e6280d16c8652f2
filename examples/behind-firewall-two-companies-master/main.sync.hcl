# Two companies, acme and globex, synchronize a project each over files. The master's Jira moves to the cloud, so the
# synchronization becomes a direct one, configured on the Jira that stays. No machine reaches the servers of both
# companies, and nobody has the passwords of both: each side has these files, and a process of its own.

syncctl {
  required_version = ">= 0.1"
}

# The keys are examples: nobody has the private halves. Put yours here.
site "globex" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAFbPmDHKRqyOCfPXnB99qwmBVIL3x4obYnjo8kiW/4i admin@globex"]
  max_age = "24h"
}

site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0djMXMbEMtRSK6E0l9aUGtpRTjnWVPQwnABgkYFZxc admin@acme"]
  max_age = "24h"
}

variable "jira_a_password" {
  type      = string
  sensitive = true
}

variable "jira_b_password" {
  type      = string
  sensitive = true
}

variable "jira_a_cloud_token" {
  type      = string
  sensitive = true
}

server "backbone" "a" {
  url      = env("JIRA_A_URL", "https://jira.a.example")
  user     = env("JIRA_A_USER", "backbone-admin")
  password = var.jira_a_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site     = site.acme
}

server "backbone" "b" {
  url      = env("JIRA_B_URL", "https://jira.b.example")
  user     = env("JIRA_B_USER", "backbone-admin")
  password = var.jira_b_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site     = site.globex
}

server "backbone" "a_cloud" {
  url        = env("JIRA_A_CLOUD_URL", "https://a.atlassian.net")
  deployment = "cloud"
  user       = env("JIRA_A_CLOUD_USER", "admin@a.example")
  token      = var.jira_a_cloud_token
  ca_file    = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site       = site.acme
}

# What runs today: one half on each side, messages carried as files.
sync "backbone" "support_files" {
  transport = "file"

  master {
    server  = server.backbone.a
    project = "SAM2"
  }
  slave {
    server  = server.backbone.b
    project = "SP2"
  }
}

# What shall run: the Jira that stays configures it, so it is the first.
sync "backbone" "support" {
  name      = "Support SP2 <> SAM2"
  transport = "direct"

  first {
    server  = server.backbone.b
    project = "SP2"
  }
  second {
    server  = server.backbone.a_cloud
    project = "SAM2"
  }

  issue_types = { Bug = "Bug", Task = "Task" }

  field "summary" {}
  field "description" {}
  field "priority" {}
  field "assignee" {
    mapping = "user_passthrough_by_email"
  }

  comments    = true
  attachments = true
}

migration "backbone_to_cloud" "support" {
  from      = sync.backbone.support_files
  to        = sync.backbone.support
  migrating = "master"

  verify {
    sample = 50
  }

  # One half on each side: the number the plan shows.
  delete_original {
    allow = 2
  }
}
