package depot

import "github.com/syncctl/syncctl/driver"

// Drafts are what `syncctl init` asks, and the configuration that it writes for the answers.
func (d *Driver) Drafts() []driver.Draft {
	return []driver.Draft{{
		Name: "depot", Summary: "a box in a depot",
		Questions: []driver.Question{
			{Name: "url", Text: "URL of the depot", Check: driver.CheckURL},
			{Name: "box", Text: "Which box?"},
			{Name: "color", Text: "Which colour shall it have?", Default: "red",
				Choices: []driver.Choice{{Value: "red", Text: "as fire engines"}, {Value: "blue", Text: "as the sea"}}},
			{Name: "labelled", Text: "Shall it have a label?", Default: "no",
				Choices: []driver.Choice{{Value: "no", Text: "whatever it says"}, {Value: "yes", Text: "a person sticks it on"}}},
			{Name: "label", Text: "What shall it say?", When: []string{"labelled=yes"}},
		},
		Template: `
variable "password" {
  type      = string
  sensitive = true
}

server "depot" "north" {
  url      = {{ q .url }}
  user     = "keeper"
  password = var.password
}

sync "depot" "box" {
  server = server.depot.north
  box    = {{ q .box }}
  color  = {{ q .color }}
  {{- if .label }}
  label  = {{ q .label }}
  {{- end }}
}
`,
	}}
}
