# Two companies synchronize a project each over e-mail. One issue is in error, so the migration must not begin. The master's Jira moves to the cloud, so the synchronization
# becomes a direct one, configured on the slave's Jira, which stays.

syncctl {
  required_version = ">= 0.1"
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
  site     = "a"
}

server "backbone" "b" {
  url      = env("JIRA_B_URL", "https://jira.b.example")
  user     = env("JIRA_B_USER", "backbone-admin")
  password = var.jira_b_password
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE", "")
  site     = "b"
}

server "backbone" "a_cloud" {
  url        = env("JIRA_A_CLOUD_URL", "https://a.atlassian.net")
  deployment = "cloud"
  user       = env("JIRA_A_CLOUD_USER", "admin@a.example")
  token      = var.jira_a_cloud_token
  ca_file    = env("SYNCCTL_SANDBOX_CA_FILE", "")
}

# What runs today: one half on each side, messages carried as e-mail.
sync "backbone" "support_mail" {
  transport = "email"

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
  from      = sync.backbone.support_mail
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
