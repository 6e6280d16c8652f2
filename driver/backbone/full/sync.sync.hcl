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

sync "backbone" "support" {
  transport = "direct"
  name      = "Support with partner"
  state     = "stopped"

  first {
    server  = server.backbone.a
    project = "SUP"
    key     = "INT-16"
    jql     = "labels = shared"
  }

  second {
    server  = server.backbone.b
    project = "PARTNER"
    key     = "INT-3"
    jql     = "labels = shared"
  }

  issue_types = { Bug = "Bug" }

  field "summary" { direction = "first_to_second" }
}

sync "backbone" "parts" {
  transport = "email"

  master {
    server  = server.backbone.a
    project = "PARTS"
    key     = "INT-17"
    jql     = "labels = shared"
  }

  slave {
    server  = server.backbone.b
    project = "PARTS"
    key     = "INT-4"
    jql     = "labels = shared"
  }
}
