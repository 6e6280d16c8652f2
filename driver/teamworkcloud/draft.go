package teamworkcloud

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
)

// Drafts returns the first configurations that init can write.
func (d *Driver) Drafts() []driver.Draft {
	return []driver.Draft{{
		Name: product, Summary: "models that one Teamwork Cloud shares with another, or moves to an archive",
		Questions: []driver.Question{
			{Name: "source_url", Text: "URL of the server that has the models", Check: driver.CheckURL},
			{Name: "source_user", Text: "User of syncctl there"},
			{Name: "target_url", Text: "URL of the server that gets the copies", Check: driver.CheckURL},
			{Name: "target_user", Text: "User of syncctl there"},
			{Name: "category", Text: "Category of the models, such as Released/Powertrain"},
			{Name: "target_category", Text: "Category of the copies"},
			{Name: "move", Text: "Do the models move, or are they shared?", Default: "no", Choices: []driver.Choice{
				{Value: "no", Text: "they are shared, and stay where they are"},
				{Value: "yes", Text: "they move: what is offloaded can be edited at the target, and the source may give them up"}}},
			{Name: "trigger", Text: "When are they copied?", Default: survey.EveryCommit,
				When: []string{"move=no"}, Choices: []driver.Choice{
					{Value: survey.EveryCommit, Text: "with every commit"},
					{Value: survey.CommitTag, Text: "when a commit gets a tag"},
					{Value: survey.Manual, Text: "when somebody asks for it"}}},
			{Name: "tag", Text: "Which tag?", Default: "release", When: []string{"trigger=" + survey.CommitTag}},
		},
		Template: draft,
	}}
}

const draft = `
variable "source_password" {
  type      = string
  sensitive = true
}

variable "target_password" {
  type      = string
  sensitive = true
}

# Has the models. Its user is the one that the target's server logs in with.
server "teamwork_cloud" "source" {
  url      = {{ q .source_url }}
  user     = {{ q .source_user }}
  password = var.source_password
}

# Gets the copies, and reads them from the source.
server "teamwork_cloud" "target" {
  url      = {{ q .target_url }}
  user     = {{ q .target_user }}
  password = var.target_password
}

sync "teamwork_cloud" "models" {
  source          = server.teamwork_cloud.source
  target          = server.teamwork_cloud.target
  categories      = [{{ q .category }}]
  target_category = {{ q .target_category }}
  trigger         = {{ if .trigger }}{{ q .trigger }}{{ else }}"every_commit"{{ end }}
  {{- if eq .trigger "commit_tag" }}
  tag             = {{ q .tag }}
  {{- end }}
}
{{ if eq .move "yes" }}
# "syncctl plan" shows what it does. Once that is right, remove_from_source { allow = N } removes the originals.
migration "teamwork_cloud_offload" "models" {
  sync       = sync.teamwork_cloud.models
  reactivate = true
}
{{ end -}}
`
