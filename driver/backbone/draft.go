package backbone

import "github.com/syncctl/syncctl/driver"

// Drafts returns the configurations that init can write.
func (d *Driver) Drafts() []driver.Draft {
	halves, moving, two := "transport="+email+"|"+file, "move="+master+"|"+slave, "servers=two"
	return []driver.Draft{{
		Name: "backbone", Summary: "issues of two Jira projects, with Backbone Issue Sync",
		Questions: []driver.Question{
			{Name: "transport", Text: "How do messages travel?", Choices: []driver.Choice{
				{Value: direct, Text: "both servers are reached; the first end configures it"},
				{Value: email, Text: "by e-mail, half a synchronization at each end: master and slave"},
				{Value: file, Text: "as files, half a synchronization at each end: master and slave"}}},
			{Name: "servers", Text: "Are the two projects in one Jira, or in two?", Default: "two", Choices: []driver.Choice{
				{Value: "one", Text: "both in the same"}, {Value: "two", Text: "one in each"}}},
			{Name: "first_url", Text: "URL of the first Jira, a Data Center (the master's)", Check: driver.CheckURL},
			{Name: "first_user", Text: "User of syncctl there"},
			{Name: "first_project", Text: "Key of the first project"},
			{Name: "second_url", Text: "URL of the second Jira (the slave's)", When: []string{two}, Check: driver.CheckURL},
			{Name: "second_deployment", Text: "What is the second Jira?", Default: dataCenter,
				When: []string{two, "transport=" + direct}, Choices: []driver.Choice{
					{Value: dataCenter, Text: "a Data Center"}, {Value: cloud, Text: "a site in Jira Cloud"}}},
			{Name: "second_user", Text: "User of syncctl there", When: []string{two}},
			{Name: "second_project", Text: "Key of the second project"},
			{Name: "move", Text: "Does one side move to Jira Cloud?", Default: "no", When: []string{halves, two},
				Choices: []driver.Choice{
					{Value: "no", Text: "the synchronization stays as it is"},
					{Value: master, Text: "the master's project moves, and a direct synchronization replaces the halves"},
					{Value: slave, Text: "the slave's project moves"}}},
			{Name: "cloud_url", Text: "URL of the site in Jira Cloud", When: []string{moving}, Check: driver.CheckURL},
			{Name: "cloud_user", Text: "User of syncctl there, an e-mail address", When: []string{moving}},
		},
		Template: draft,
	}}
}

// draft is the template of the configuration. Users fill in themselves which fields of an issue are synchronized.
const draft = `
{{- define "secret" }}
variable "{{ . }}" {
  type      = string
  sensitive = true
}
{{ end -}}

{{ template "secret" "first_password" }}
server "backbone" "first" {
  url      = {{ q .first_url }}
  user     = {{ q .first_user }}
  password = var.first_password
}
{{ if eq .servers "two" -}}
{{ if eq .second_deployment "cloud" -}}
{{ template "secret" "second_token" }}
server "backbone" "second" {
  url        = {{ q .second_url }}
  deployment = "cloud"
  user       = {{ q .second_user }}
  token      = var.second_token
}
{{ else -}}
{{ template "secret" "second_password" }}
server "backbone" "second" {
  url      = {{ q .second_url }}
  user     = {{ q .second_user }}
  password = var.second_password
}
{{ end }}{{ end -}}
{{ $second := "first" }}{{ if eq .servers "two" }}{{ $second = "second" }}{{ end -}}

{{ if eq .transport "direct" }}
sync "backbone" "issues" {
  transport = "direct"

  first {
    server  = server.backbone.first
    project = {{ q .first_project }}
  }
  second {
    server  = server.backbone.{{ $second }}
    project = {{ q .second_project }}
  }

  # What is synchronized: put your issue types and fields here.
  issue_types = { Task = "Task" }

  field "summary" {}
  field "description" {}
}
{{ else }}
# What runs today.
sync "backbone" "issues" {
  transport = {{ q .transport }}

  master {
    server  = server.backbone.first
    project = {{ q .first_project }}
  }
  slave {
    server  = server.backbone.{{ $second }}
    project = {{ q .second_project }}
  }
}
{{ end -}}

{{ if or (eq .move "master") (eq .move "slave") -}}
{{ template "secret" "cloud_token" }}
server "backbone" "cloud" {
  url        = {{ q .cloud_url }}
  deployment = "cloud"
  user       = {{ q .cloud_user }}
  token      = var.cloud_token
}

# What shall run: the end that stays is the first, and configures it.
sync "backbone" "issues_direct" {
  transport = "direct"

  first {
  {{ if eq .move "master" -}}
    server  = server.backbone.second
    project = {{ q .second_project }}
  {{ else -}}
    server  = server.backbone.first
    project = {{ q .first_project }}
  {{ end -}}
  }
  second {
    server  = server.backbone.cloud
    project = {{ if eq .move "master" }}{{ q .first_project }}{{ else }}{{ q .second_project }}{{ end }}
  }

  # What is synchronized: put your issue types and fields here.
  issue_types = { Task = "Task" }

  field "summary" {}
  field "description" {}
}

# "syncctl plan" shows what it does. Once that is right, delete_original { allow = N } removes the original at the end.
migration "backbone_to_cloud" "issues" {
  from      = sync.backbone.issues
  to        = sync.backbone.issues_direct
  migrating = {{ q .move }}

  verify {
    sample = 50
  }
}
{{ end -}}
`
