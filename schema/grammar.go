package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Construct is a block of the language itself, or a set of arguments that it adds to the blocks of all types.
type Construct struct {
	Name   string   // the block's type; "" for arguments alone
	Labels []string // the meaning of its labels, in order
	Where  string   // where it may be written: "at the top of a file", "in a declaration"
	Body   Body
}

// Grammar returns the language without the types that drivers add. The loader accepts exactly this.
func Grammar() []Construct {
	const top = "at the top of a file"
	bodies := map[string]Body{"syncctl": settingsBody, "site": siteBody, "variable": variableBody, "module": moduleBody,
		"output": outputBody,
		"check":  checkBody, "moved": movedBody, "removed": removedBody,
		"import": importBody}
	var out []Construct
	for _, b := range topBlocks {
		out = append(out, Construct{Name: b.Type, Labels: b.LabelNames, Where: top, Body: bodies[b.Type]})
	}
	return append(out,
		Construct{Where: "in a declaration", Body: metaBody},
		Construct{Where: "in a server or keystore", Body: Body{Attributes: []Attribute{siteArgument}}},
		Construct{Name: "lifecycle", Where: "in a declaration", Body: lifecycleBody},
		Construct{Name: dynamicHeader.Type, Labels: dynamicHeader.LabelNames, Where: "where nested blocks may " +
			"stand", Body: dynamicBody},
	)
}

// TestGrammar returns what is allowed at the top level of a test, a *.synctest.hcl file.
func TestGrammar() []Construct {
	const top = "at the top of a test"
	return []Construct{
		{Name: variablesBlock.Name, Where: top, Body: variablesBlock.Body},
		{Name: "run", Labels: []string{"name"}, Where: top, Body: runBody},
	}
}

// ruleBody is the grammar of every block with a condition.
var ruleBody = Body{Attributes: []Attribute{
	{Name: "condition", Type: cty.Bool, Required: true, Doc: "What must be true. It may refer to anything in its " +
		"module."},
	{Name: "error_message", Type: cty.String, Required: true, Doc: "What is said where it is false. It cannot be " +
		"computed from a sensitive value."},
}}

var variableBody = Body{
	Attributes: []Attribute{
		{Name: "type", Doc: "What values it takes: string, number, bool, any, list(T), set(T), map(T), tuple([...]), " +
			"object({...}), in which optional(T, DEFAULT) may stand. It is written without quotes. Without it: any."},
		{Name: "default", Type: cty.DynamicPseudoType, Doc: "The value where none is given: a constant. Without it a " +
			"value is required."},
		{Name: "sensitive", Type: cty.Bool, Doc: "Whether the value is a secret. Without it: whether its name tells of " +
			"one, with a warning."},
		{Name: "description", Type: cty.String, Doc: "What it is for. A person who is asked for the value sees it."},
		{Name: "nullable", Type: cty.Bool, Default: cty.True, Doc: "Whether the value may be null."},
	},
	Blocks: []Block{{Name: "validation", Many: true, Doc: "A condition that the value must meet.", Body: ruleBody}},
}

var outputBody = Body{
	Attributes: []Attribute{
		{Name: "value", Type: cty.DynamicPseudoType, Required: true, Doc: "The value. It may refer to anything in its " +
			"module."},
		{Name: "description", Type: cty.String, Doc: "What it is."},
		{Name: "sensitive", Type: cty.Bool, Default: cty.False, Doc: "Whether its users treat it as a secret. It must be " +
			"true where the value comes from a secret."},
		dependsOn,
	},
	Blocks: []Block{{Name: "precondition", Many: true, Doc: "A condition that must hold.", Body: ruleBody}},
}

var checkBody = Body{Blocks: []Block{{Name: "assert", Many: true, Required: true, Doc: "A condition. Where it does " +
	"not hold, there is a warning.", Body: ruleBody}}}

var lifecycleBody = Body{
	Attributes: []Attribute{{Name: "prevent_destroy", Type: cty.Bool, Default: cty.False, Doc: "Whether a plan is " +
		"refused that destroys something of this declaration."}},
	Blocks: []Block{
		{Name: "precondition", Many: true, Doc: "A condition that must hold. In it, self is the " +
			"declaration.", Body: ruleBody},
		{Name: "postcondition", Many: true, Doc: "The same: all is known when planning, so that there is no difference.",
			Body: ruleBody},
		{Name: ignoreDriftName, Many: true, Doc: "What may be changed from outside until a day, and is not reported by " +
			"syncctl drift until then. It changes no plan.", Body: ignoredDriftBody},
	},
}

var dependsOn = Attribute{Name: "depends_on", Doc: "A list of references to declarations or modules whose steps " +
	"come first, where no other reference says so: [sync.TYPE.NAME]."}

var movedBody = Body{Attributes: []Attribute{
	{Name: "from", Required: true, Doc: "The address until now: a declaration, one instance of it, or a module."},
	{Name: "to", Required: true, Doc: "The address from now on."},
}}

var removedBody = Body{
	Attributes: []Attribute{{Name: "from", Required: true, Doc: "The address that is no longer declared: a " +
		"declaration, one instance of it, or a module."}},
	Blocks: []Block{{Name: "lifecycle", Doc: "For those who come from Terraform.", Body: keepsBody}},
}

// importBody is the grammar of an import block.
var importBody = Body{Attributes: []Attribute{
	{Name: "for_each", Type: cty.DynamicPseudoType, Doc: "A map, an object or a set of strings: there is one import for " +
		"each key. It must not be sensitive."},
	{Name: "to", Required: true, Doc: "The address at which it is to be declared; with for_each it ends in [each.key]."},
	{Name: "id", Type: cty.String, Required: true, Doc: "Where it is: the address of a declared server, a slash, and " +
		"what it is called there, as in \"server.TYPE.NAME/KEY\"."},
}}

// keepsBody is the grammar of the lifecycle of a removed block.
var keepsBody = Body{Attributes: []Attribute{{Name: "destroy", Type: cty.Bool, Default: cty.False, Doc: "It can " +
	"only be false: nothing is removed from a server because a block is gone."}}}

// metaBody holds the arguments that every declaration may have.
var metaBody = Body{Attributes: []Attribute{
	{Name: "for_each", Type: cty.DynamicPseudoType, Doc: "A map, an object or a set of strings: there is one instance " +
		"for each key. It must not be sensitive."},
	{Name: "enabled", Type: cty.Bool, Default: cty.True, Doc: "Whether it is declared at all. With for_each it is " +
		"asked for each instance, and may use each.key and each.value."},
	dependsOn,
}}

var moduleBody = Body{Attributes: append([]Attribute{{Name: "source", Type: cty.String, Required: true, Doc: "The " +
	"folder with the module's files, below this one or beside it: ./NAME or ../NAME. It lies within the folder of the " +
	"whole configuration. Modules are not downloaded."}}, metaBody.Attributes...)}

var dynamicBody = Body{
	Attributes: []Attribute{
		{Name: "for_each", Type: cty.DynamicPseudoType, Required: true, Doc: "A map, list, set or object: one block is " +
			"made for each element."},
		{Name: "iterator", Doc: "The name, without quotes, by which content refers to the element: NAME.key and " +
			"NAME.value. Without it the name of the block."},
		{Name: "labels", Type: cty.List(cty.String), Doc: "The label of each block, as a list of one. Required where the " +
			"block has a label, and only there."},
	},
	Blocks: []Block{{Name: "content", Required: true, Doc: "What each block holds: the arguments of the block that " +
		"is made."}},
}

// block returns the block of a name, or nil if there is none.
func (b *Body) block(name string) *Block {
	for i := range b.Blocks {
		if b.Blocks[i].Name == name {
			return &b.Blocks[i]
		}
	}
	return nil
}

// names returns the names of a body's arguments.
func (b *Body) names() []string {
	out := make([]string, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		out = append(out, a.Name)
	}
	return out
}

// scope returns what a body permits, except the arguments named in without; where is its place, for messages.
func (b *Body) scope(where string, without ...string) scope {
	sc := scope{where: where}
	for _, name := range b.names() {
		if !slices.Contains(without, name) {
			sc.args = append(sc.args, name)
		}
	}
	sc.blocks = b.headers()
	return sc
}

// headers returns the headers of the blocks of a body.
func (b *Body) headers() []hcl.BlockHeaderSchema {
	var out []hcl.BlockHeaderSchema
	for i := range b.Blocks {
		out = append(out, b.Blocks[i].header())
	}
	return out
}
