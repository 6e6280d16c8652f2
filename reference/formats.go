package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Format returns the page about a file, or about what a command writes, from its JSON Schema. name is that of the file
// without a suffix of its own: "events.schema.json" is the schema of "events".
func Format(name string, text []byte) (*Page, error) {
	s := &jsonSchema{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("reading the JSON Schema of %s: %w", name, err)
	}
	title, where, _ := strings.Cut(s.Title, ": ")
	p := &Page{Word: name + ".json", Also: []string{name + ".jsonl", name + ".schema.json"}, Group: Formats, Title: title,
		Summary: s.Title + ".", mentions: []string{name}, Schema: text}
	if where != "" {
		p.say("Where: %s.", where)
	}
	p.prose(s.Description)
	p.say("Its JSON Schema is docs/schemas/%s.schema.json; `syncctl docs -json %s` has it in the member `schema`.", name,
		p.Word)
	seen := map[string][]SeedMember{}
	if s.Items != nil {
		p.say("It is a list of objects.")
		s = s.Items
	}
	p.members("", s.members(), seen)
	for _, one := range s.OneOf {
		p.heading(quoted(one.Title))
		p.say("%s", one.Description)
		switch words, inner := one.words(); {
		case inner == nil:
			p.say("Its form: %s.", words)
		case inner == one:
			p.object(one.Title, one.members(), seen)
		default:
			p.say("Its form: %s.", words)
			p.object(one.Title, inner.members(), seen)
		}
	}
	for _, def := range s.Defs {
		p.heading(quoted(def.name))
		p.object(def.name, def.members(), seen)
	}
	return p, nil
}

// jsonSchema is what the schemas in docs/ use of JSON Schema.
type jsonSchema struct {
	Title            string
	Description      string
	Type             string
	Const            any
	Enum             []string
	EnumDescriptions []string
	Properties       properties
	Required         []string
	Patterns         properties `json:"patternProperties"`
	Items            *jsonSchema
	OneOf            []*jsonSchema
	Ref              string     `json:"$ref"` // to one of Defs
	Defs             properties `json:"$defs"`

	// Additional is a schema, or false.
	Additional json.RawMessage `json:"additionalProperties"`
}

// properties holds the members of an object in their order.
type properties []property

type property struct {
	name string
	*jsonSchema
}

func (p *properties) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	_, err := d.Token()
	for err == nil && d.More() {
		var name json.Token
		if name, err = d.Token(); err != nil {
			break
		}
		one := property{name: fmt.Sprint(name), jsonSchema: &jsonSchema{}}
		err = d.Decode(one.jsonSchema)
		*p = append(*p, one)
	}
	return err
}

// values returns the schema of the members of an object whose names are free, or nil.
func (s *jsonSchema) values() *jsonSchema {
	if len(s.Additional) == 0 || s.Additional[0] != '{' {
		return nil
	}
	out := &jsonSchema{}
	if json.Unmarshal(s.Additional, out) != nil {
		return nil
	}
	return out
}

// members returns the members of an object, but those whose values are given.
func (s *jsonSchema) members() []SeedMember {
	var out []SeedMember
	for _, m := range slices.Concat(s.Properties, s.Patterns) {
		if m.Const != nil {
			continue
		}
		if pattern, ok := strings.CutPrefix(m.name, "^"); ok { // the beginning of names
			m.name = strings.ReplaceAll(pattern, `\`, "") + "NAME"
		}
		words, inner := m.words()
		if !slices.Contains(s.Required, m.name) {
			words += ", optional"
		}
		one := SeedMember{Name: m.name, Type: words, Doc: m.doc()}
		if inner != nil {
			one.Of = inner.members()
		}
		out = append(out, one)
	}
	return out
}

// doc returns what a member means, as a sentence, and its permitted values.
func (s *jsonSchema) doc() string {
	text := strings.TrimSuffix(s.Description, ".") + "."
	if len(s.Enum) == 0 {
		return text
	}
	var allowed []string
	for i, word := range s.Enum {
		word = quoted(word)
		if i < len(s.EnumDescriptions) {
			word += " (" + s.EnumDescriptions[i] + ")"
		}
		allowed = append(allowed, word)
	}
	return text + " Allowed: " + list(allowed, "or") + "."
}

// words returns the type in words, and the schema of the objects in it, if there is one.
func (s *jsonSchema) words() (string, *jsonSchema) {
	if s.Ref != "" {
		return "object: see " + quoted(strings.TrimPrefix(s.Ref, "#/$defs/")), nil
	}
	if values := s.values(); values != nil {
		one, inner := values.words()
		return "object of " + plural(one) + ", by name", inner
	}
	switch s.Type {
	case "":
		if len(s.Properties) > 0 {
			return "object", s
		}
	case "array":
		one, inner := s.Items.words()
		return "list of " + plural(one), inner
	case "object":
		return "object", s
	case "string":
		return "text", nil
	case "boolean":
		return "true or false", nil
	case "integer", "number":
		return "number", nil
	}
	return "any value", nil
}

func plural(word string) string {
	if rest, ok := strings.CutPrefix(word, "list "); ok {
		return "lists " + rest
	}
	return word + "s"
}
