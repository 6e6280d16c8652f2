package reference_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncctl/syncctl/reference"
)

const crateSchema = `{
  "title": "A crate: crate -json",
  "description": "What is in it.",
  "properties": {
    "size": {"type": "integer", "description": "in cm"},
    "mark": {"type": "string", "description": "its mark.", "enum": ["+", "-"], "enumDescriptions": ["new", "old"]},
    "boxes": {"type": "array", "description": "inside", "items": {"type": "object", "properties": {
      "open": {"type": "boolean", "description": "whether"}}, "required": ["open"], "additionalProperties": false}},
    "spare": {"type": "object", "description": "others", "additionalProperties": {"type": "object", "properties": {
      "open": {"type": "boolean", "description": "whether"}}, "required": ["open"]}},
    "words": {"type": "array", "description": "all", "items": {"type": "array", "items": {"type": "string"}}}
  },
  "required": ["size"],
  "oneOf": [{"title": "sent", "description": "It was sent.", "properties": {
    "type": {"const": "sent"}, "to": {"description": "where"}}, "required": ["to"]},
    {"title": "all", "description": "Those sent.", "type": "array", "items": {"type": "object", "properties": {
      "to": {"$ref": "#/$defs/place", "description": "where"}}}}, {"title": "one", "description": "Its value."}],
  "$defs": {"place": {"type": "object", "properties": {"hall": {"type": "string", "description": "its name"}}}}
}`

const cratePage = "# A crate\n\nWhere: crate -json.\n\nWhat is in it.\n\n" +
	"Its JSON Schema is docs/schemas/crate.schema.json; `syncctl docs -json crate.json` has it in the\n" +
	"member `schema`.\n\n" +
	"* `size` (number): in cm.\n" +
	"* `mark` (text, optional): its mark. Allowed: `+` (new) or `-` (old).\n" +
	"* `boxes` (list of objects, optional): inside.\n" +
	"* `spare` (object of objects, by name, optional): others.\n" +
	"* `words` (list of lists of texts, optional): all.\n\n" +
	"## `boxes`\n\n* `open` (true or false): whether.\n\n" +
	"## `spare`\n\nIt has the members of `boxes`.\n\n" +
	"## `sent`\n\nIt was sent.\n\n* `to` (any value): where.\n\n" +
	"## `all`\n\nThose sent.\n\nIts form: list of objects.\n\n* `to` (object: see `place`, optional): where.\n\n" +
	"## `one`\n\nIts value.\n\nIts form: any value.\n\n" +
	"## `place`\n\n* `hall` (text, optional): its name.\n"

// TestFormat: the page of a format is made from its JSON Schema, and is found by its name.
func TestFormat(t *testing.T) {
	p, err := reference.Format("crate", []byte(crateSchema))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b, reference.Layout{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(cratePage, b.String()); d != "" {
		t.Error(d)
	}
	if !json.Valid(p.Schema) || p.File() != "formats/crate.json.md" {
		t.Error(p.File(), p.Schema)
	}
	for _, word := range []string{"crate", "crate.json", "crate.jsonl", "crate.schema.json"} {
		if got, err := reference.Find([]*reference.Page{p}, nil, word); err != nil || len(got) != 1 {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, err := reference.Format("crate", []byte("{")); err == nil {
		t.Error("a broken schema is taken")
	}
}

// TestFindByText: a word without a page is found in the text of pages, and a plural is that of a page.
func TestFindByText(t *testing.T) {
	pages := []*reference.Page{reference.Guide("crates", "# Crates\n\nA crate has a lid, and the lid a hinge."),
		reference.Guide("yards", "# Yards\n\nA crate with a lid stands in a yard."),
		reference.Guide("gate", "# Gate\n\nIt is shut.")}
	if found, err := reference.Find(pages, nil, "gates"); err != nil || found[0].Word != "gate" {
		t.Error(found, err)
	}
	for word, want := range map[string]string{"lid": "crates and yards", "hinges": "crates", "crate yard": "yards",
		"yard": "yards"} {
		if _, err := reference.Find(pages, nil, word); err == nil || !strings.HasSuffix(err.Error(), "it is in "+want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, err := reference.Find(pages, nil, "gaet"); err == nil || !strings.Contains(err.Error(), `"gate"?`) {
		t.Error(err)
	}
}
