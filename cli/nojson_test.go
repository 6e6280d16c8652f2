package cli

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/docs"
	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
	"github.com/syncctl/syncctl/reference"
	"github.com/syncctl/syncctl/reference/schematest"
	"github.com/syncctl/syncctl/schema"
)

// TestEveryCommandSpeaksJSON walks the tree of commands: each has -json and -json-into, or the reference says why not.
func TestEveryCommandSpeaksJSON(t *testing.T) {
	t.Parallel()
	root := (&command{app: &app{}}).root()
	program := programOf(root) // adds the command help
	var names, without []string
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd != root {
			at := slices.IndexFunc(program.Commands, func(c reference.Command) bool {
				return root.Name()+" "+c.Name == cmd.CommandPath()
			})
			if at < 0 {
				t.Fatalf("%s has no page", cmd.CommandPath())
			}
			described := program.Commands[at]
			names = append(names, described.Name)
			if described.JSON == (described.NoJSON != "") {
				t.Errorf("%s: -json %v, and it has none because %q", described.Name, described.JSON, described.NoJSON)
			}
			if described.JSON {
				haveSchemas(t, described)
			}
			if !described.JSON && !cmd.HasSubCommands() {
				without = append(without, described.Name)
			}
			for _, flag := range []string{"json", "json-into"} {
				if cmd.Flag(flag) == nil {
					t.Errorf("%s has no -%s", described.Name, flag)
				}
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	if len(names) != len(program.Commands) {
		t.Errorf("%d commands have pages, and there are %d", len(program.Commands), len(names))
	}
	if want := []string{"help", "lsp"}; !slices.Equal(without, want) {
		t.Errorf("without -json are %v, want %v", without, want)
	}
	for name := range writtenAs {
		if !slices.Contains(names, name) {
			t.Errorf("%s has formats, and is not a command", name)
		}
	}
	for name := range noJSON {
		if !slices.Contains(names, name) {
			t.Errorf("%s has no -json, and is not a command", name)
		}
	}
}

// haveSchemas fails if something that a command writes has no JSON Schema that the program has.
func haveSchemas(t *testing.T, of reference.Command) {
	t.Helper()
	for _, name := range of.Formats {
		text, err := docs.Files.ReadFile("schemas/" + name + schemaSuffix)
		var s jsonschema.Schema
		if err == nil {
			err = json.Unmarshal(text, &s)
		}
		if err != nil {
			t.Errorf("%s: %v", of.Name, err)
		}
		if name == commandsFormat && !slices.ContainsFunc(s.OneOf, func(one *jsonschema.Schema) bool {
			return strings.HasPrefix(one.Title+" ", of.Name+" ")
		}) {
			t.Errorf("%s is not in %s: add it to TestCommandsSchema", of.Name, name)
		}
	}
}

// TestCommandsSchema: docs/schemas/commands.schema.json has what commands without a format of their own write.
func TestCommandsSchema(t *testing.T) {
	t.Parallel()
	s := &jsonschema.Schema{Schema: schematest.Draft, Title: "What commands write: -json of those without a format of " +
		"their own", Description: "By the names of the commands."}
	written := &record.Record{Manifest: record.Manifest{Parts: []record.Part{}}}
	for _, of := range []struct {
		name, doc string
		sample    any
	}{
		{"ci approved", "The plan that is approved.", approvedDoc{"sha256:1", "ada", 7}},
		{"ci comment", "What has become of the comment.", commentDoc{7, true}},
		{"completion", "The script of a shell.", scriptDoc{"bash", "complete"}},
		{"console", "One value, on a line of its own.", shownOutput{Type: "string", Value: "x"}},
		{"docs WORD", "The pages of a word.", []pageDoc{{Word: "plan", Schema: json.RawMessage("{}")}}},
		{"docs -out", "The pages that were written, or with -man the manual pages.", writtenDoc{"pages",
			[]string{"README.md"}}},
		{"doctor", "What was examined.", view.ExaminationsJSON([]view.Examined{{Address: "server.depot.north",
			Found: []driver.Examination{{What: "clock", State: driver.OK, Seen: "right"}}}})},
		{"explain", "What ids mean.", rulesDocument{"1.0", []view.Explained{{Product: "depot", Rule: planner.Rules()[0]}}}},
		{"fmt", "What was not formatted.", fmtDoc{[]fmtFileDoc{{"a.sync.hcl", "@@"}}, []schema.DiagnosticView{}}},
		{"graph", "A picture.", pictureDoc{"dot", "graph {}", 1}},
		{"import", "What a server or a keystore has.", importDoc{From: "server.depot.north", Declarations: []string{}}},
		{"init", "What was written.", initDoc{".", []string{"main.sync.hcl"}, []string{"password"},
			[]string{"syncctl plan"}}},
		{"init -examples", "The examples of the program.", examplesDoc{[]exampleDoc{{"first", "The first one"}}}},
		{"metadata functions", "What terraform metadata functions -json writes, of our functions.", metadata{"1.0",
			map[string]functionSignature{"abs": {Returns: json.RawMessage(`"number"`)}}}},
		{"output", "All outputs by their names.", map[string]shownOutput{"urls": {Type: "string", Value: "x"}}},
		{"output NAME", "The value of one output; null if it is sensitive.", []any{1, "x"}},
		{"policy init", "A policy.", policyDoc{"files = []", "policy.hcl"}},
		{"record", "A record that was written.", recordDoc{"r.tar", "00", written}},
		{"record verify", "A record that is whole.", recordDoc{"r.tar", "00", written}},
		{"resolve", "What was decided, with the members of an entry in the record of a run.", resolveDoc{Run: "r",
			Key: "a/b", Event: "resolved", Data: map[string]string{"reason": "seen"}}},
		{"sandbox", "What is served, until it is interrupted.", sandboxDoc{[]sandboxServerDoc{{"depot", "north",
			"https://x"}}, []sandboxMachineDoc{{"depot", "m", "x:22"}}, map[string]string{"A": "b"}}},
		{"status", "The runs of the folder.", statusDoc{&runDoc{ID: "r"}, []runDoc{}}},
		{"validate", "What is wrong with the files.", validateDoc{Diagnostics: []schema.DiagnosticView{}}},
		{"version", "How the program was built.", buildInfo()},
	} {
		one := schematest.ForType(t, reflect.TypeOf(of.sample))
		if of.name == "output NAME" {
			one = &jsonschema.Schema{}
		}
		one.Title, one.Description = of.name, of.doc
		if err := schematest.Fits(t, one, of.sample); err != nil {
			t.Errorf("%s: %v", of.name, err)
		}
		s.OneOf = append(s.OneOf, one)
	}
	schematest.Described(t, s)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "commands.schema.json"), s, *rewrite)
}

// TestSharedSchemas: what more than one command writes, and reports, have JSON Schemas of their own.
func TestSharedSchemas(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		name, title, doc string
		sample           any
	}{
		{failureFormat, "What is wrong: -json of every command that could not do what was asked for, and warnings of " +
			"plan -save-observations", "A command that has failed writes it instead of its own document, unless that says " +
			"what is wrong; one that writes events writes an event.",
			schema.DiagnosticsView{Diagnostics: []schema.DiagnosticView{errorView(errInterrupted)}}},
		{"drift", "Where differences come from: syncctl drift -json", "", view.DriftJSON(&drift.Report{Compared: []string{},
			Differences: []drift.Difference{}, Findings: []planner.Finding{}})},
		{"inspection", "A bundle as it is read or written: syncctl bundle inspect -json, bundle verify -json, receive -json, " +
			"send -json", "", (&view.Bundle{File: "x"}).JSON()},
	} {
		s := schematest.ForType(t, reflect.TypeOf(of.sample))
		s.Schema, s.Title, s.Description = schematest.Draft, of.title, of.doc
		if err := schematest.Fits(t, s, of.sample); err != nil {
			t.Errorf("%s: %v", of.name, err)
		}
		schematest.Described(t, s)
		schematest.Golden(t, filepath.Join("..", "docs", "schemas", of.name+schemaSuffix), s, *rewrite)
	}
}
