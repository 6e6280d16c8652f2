package reference

import (
	"encoding/json"
	"slices"

	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Document is the whole grammar and all commands, for programs. Its JSON Schema is in docs/schemas. Members may be
// added; existing ones keep their meaning while the first number of the version stays the same.
type Document struct {
	Version   string      `json:"format_version" jsonschema:"1.0"`
	Types     []Type      `json:"types" jsonschema:"the block types that products bring"`
	Language  []Construct `json:"language" jsonschema:"the blocks of the language itself"`
	Commands  []Command   `json:"commands" jsonschema:"the commands of the program"`
	Flags     []Flag      `json:"flags" jsonschema:"of every command"`
	Exits     []ExitCode  `json:"exit_codes" jsonschema:"of all commands"`
	Variables []Variable  `json:"environment" jsonschema:"the environment variables that are read"`
	Files     []Variable  `json:"files" jsonschema:"the files that are read and written"`
}

// Type is a block type.
type Type struct {
	Kind    string `json:"kind" jsonschema:"the block's type: server, keystore, sync or migration"`
	Name    string `json:"name" jsonschema:"the first label"`
	Summary string `json:"summary" jsonschema:"one sentence"`
	Body    *Body  `json:"body" jsonschema:"what stands in it"`
	Example string `json:"example" jsonschema:"a whole configuration that declares one"`
	Full    string `json:"full_example,omitempty" jsonschema:"another one, with the arguments that example leaves out"`
}

// Construct is a block of the language, or a group of arguments that the language adds to other blocks.
type Construct struct {
	Name   string   `json:"name,omitempty" jsonschema:"absent: arguments alone"`
	Labels []string `json:"labels,omitempty" jsonschema:"what the labels are, in order"`
	Where  string   `json:"where" jsonschema:"where it stands"`
	Body   *Body    `json:"body" jsonschema:"what stands in it"`
}

// Body is the content allowed between two braces.
type Body struct {
	Attributes []Attribute `json:"attributes,omitempty" jsonschema:"its arguments"`
	Blocks     []Block     `json:"blocks,omitempty" jsonschema:"the blocks in it"`
}

// Attribute is an argument.
type Attribute struct {
	Name        string          `json:"name" jsonschema:"before the equals sign"`
	Description string          `json:"description" jsonschema:"what it is for"`
	Type        json.RawMessage `json:"type,omitempty" jsonschema:"as cty writes types; absent of references and names"`
	Unit        string          `json:"unit,omitempty" jsonschema:"what a number counts; duration: a text such as 90s"`
	Required    bool            `json:"required,omitempty" jsonschema:"it must be there"`
	Default     json.RawMessage `json:"default,omitempty" jsonschema:"its value where it is left out"`
	Sensitive   bool            `json:"sensitive,omitempty" jsonschema:"the value is a secret, whatever it comes from"`
	Allowed     []string        `json:"allowed,omitempty" jsonschema:"the permitted texts"`
	Whole       bool            `json:"whole,omitempty" jsonschema:"numbers are whole and at least minimum"`
	Minimum     int             `json:"minimum,omitempty" jsonschema:"of whole numbers"`
	Reference   *Reference      `json:"reference,omitempty" jsonschema:"its value refers to a declaration"`
	Since       string          `json:"since" jsonschema:"the version of syncctl that brought it"`
}

// Reference says what a reference may refer to.
type Reference struct {
	Kind      string `json:"kind" jsonschema:"server, keystore, sync or migration"`
	Type      string `json:"type,omitempty" jsonschema:"absent: any of the kind"`
	Owns      bool   `json:"owns,omitempty" jsonschema:"the declaration that refers carries the other one out"`
	MayBeGone bool   `json:"may_be_gone,omitempty" jsonschema:"the other one may have been taken out of the files"`
}

// Block is a nested block.
type Block struct {
	Name        string `json:"name" jsonschema:"its type"`
	Description string `json:"description" jsonschema:"what it is for"`
	Label       string `json:"label,omitempty" jsonschema:"what its label is; blocks with one are keyed by it"`
	Required    bool   `json:"required,omitempty" jsonschema:"at least one must be there"`
	When        string `json:"when,omitempty" jsonschema:"where it must be there, and only there"`
	Many        bool   `json:"many,omitempty" jsonschema:"there may be any number, with a label or without"`
	Body        *Body  `json:"body" jsonschema:"what stands in it"`
}

// Describe returns the whole reference as a document.
func Describe(catalog schema.Catalog, program *Program) *Document {
	doc := &Document{Version: "1.0", Types: []Type{}, Language: []Construct{}, Commands: program.Commands,
		Flags: program.Global, Exits: program.Exits, Variables: program.Variables, Files: program.Files}
	for i := range catalog {
		t := &catalog[i]
		doc.Types = append(doc.Types, Type{Kind: string(t.Kind), Name: t.Name, Summary: t.Summary, Body: describe(&t.Body),
			Example: t.Example, Full: t.Full})
	}
	for _, c := range schema.Grammar() {
		if slices.Contains(schema.Kinds, schema.Kind(c.Name)) { // those are described by the types
			continue
		}
		doc.Language = append(doc.Language, Construct{Name: c.Name, Labels: c.Labels, Where: c.Where,
			Body: describe(&c.Body)})
	}
	return doc
}

func describe(b *schema.Body) *Body {
	out := &Body{}
	for i := range b.Attributes {
		out.Attributes = append(out.Attributes, describeAttribute(&b.Attributes[i]))
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		out.Blocks = append(out.Blocks, Block{Name: n.Name, Description: n.Doc, Label: n.Label, Required: n.Required,
			When: n.When, Many: n.Many || n.Label != "", Body: describe(&n.Body)})
	}
	return out
}

func describeAttribute(a *schema.Attribute) Attribute {
	out := Attribute{Name: a.Name, Description: a.Doc, Unit: a.Unit, Required: a.Required, Sensitive: a.Secret,
		Allowed: a.OneOf, Whole: a.Whole, Minimum: a.Least, Since: a.Version()}
	if a.Ref != nil {
		out.Reference = &Reference{Kind: string(a.Ref.Kind), Type: a.Ref.Type, Owns: a.Ref.Owns, MayBeGone: a.Ref.MayBeGone}
		return out
	}
	if a.Type != cty.NilType {
		out.Type, _ = ctyjson.MarshalType(a.Type) // types of arguments can always be written
	}
	if a.Default != cty.NilVal {
		out.Default, _ = ctyjson.Marshal(a.Default, a.Default.Type()) // defaults are known and not secret
	}
	return out
}
