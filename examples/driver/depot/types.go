package depot

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// declaredServer is a server "depot": what every server declares is enough.
type declaredServer struct {
	declare.Server
}

func decodeServer(r *schema.Resource) (*declaredServer, hcl.Diagnostics) {
	return declare.Decode[declaredServer](r)
}

// declaredBox is a sync "depot".
type declaredBox struct {
	declare.Block

	Server   *schema.Resource `decl:"server"`
	Box      string           `decl:"box"`
	Color    string           `decl:"color"`
	Label    *string          `decl:"label"`    // nil: whatever it says
	Replaces string           `decl:"replaces"` // "": none
}

func decodeBox(r *schema.Resource) (*declaredBox, hcl.Diagnostics) {
	return declare.Decode[declaredBox](r)
}

// serverExample and boxExample are shown in the documentation of the types, as whole configurations.
const (
	serverExample = `variable "password" {
  type      = string
  sensitive = true
}

server "depot" "north" {
  url      = "https://north.example"
  user     = "keeper"
  password = var.password
}
`
	boxExample = `
sync "depot" "tools" {
  server = server.depot.north
  box    = "tools"
  color  = "red"
}
`
)

// Types are the blocks that the depot brings to the language. What is wrong with a declaration on its own is
// said by the rules of its type, at its line, before any server is asked.
func (d *Driver) Types() []schema.Type {
	text := func(name, doc string) schema.Attribute {
		return schema.Attribute{Name: name, Doc: doc, Type: cty.String}
	}
	needed := func(a schema.Attribute) schema.Attribute { a.Required = true; return a }
	brief := func(a schema.Attribute) schema.Attribute { a.Brief = true; return a } // pictures show it
	return []schema.Type{
		declare.Type(schema.Type{
			Kind: schema.Server, Name: "depot", Summary: "A depot, as its interface is reached.", Example: serverExample,
			Body: schema.Body{
				Attributes: declare.ServerAttributes("The address: https://HOST.", "The keeper.", "A token of the keeper's."),
			},
		}, func(s *declaredServer) hcl.Diagnostics { return s.Check() }),
		declare.Type(schema.Type{
			Kind: schema.Sync, Name: "depot", Summary: "A box in a depot.", Example: serverExample + boxExample,
			Body: schema.Body{Attributes: []schema.Attribute{
				{Name: "server", Doc: "The depot.", Required: true,
					Ref: &schema.Ref{Kind: schema.Server, Type: "depot", Flow: schema.FlowTo}},
				needed(text("box", "The name of the box, which is added if it is missing.")),
				brief(needed(text("color", "The colour it is painted in."))),
				text("label", "What its label says. A person sticks it on."),
				text("replaces", "The box that is scrapped once this one is painted and labelled."),
			}},
		}, func(b *declaredBox) hcl.Diagnostics {
			if b.Known("replaces") && b.Replaces == b.Box {
				return hcl.Diagnostics{b.Problem("A box that replaces itself",
					"Name another box, or leave out the argument.", "replaces")}
			}
			return nil
		}),
	}
}
