package cli

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/spf13/cobra"
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
	for name := range noJSON {
		if !slices.Contains(names, name) {
			t.Errorf("%s has no -json, and is not a command", name)
		}
	}
}

// TestCommandsSchema: docs/schemas/commands.schema.json has what commands without a format of their own write.
func TestCommandsSchema(t *testing.T) {
	t.Parallel()
	s := &jsonschema.Schema{Schema: schematest.Draft, Title: "What commands write: -json of those without a format of " +
		"their own", Description: "By the names of the commands. rehearse writes what its -out does, metadata functions " +
		"what Terraform's command does; output writes, by their names, what console writes of one value."}
	for _, of := range []struct {
		name, doc string
		sample    any
	}{
		{"ci approved", "The plan that is approved.", approvedDoc{"sha256:1", "ada", 7}},
		{"ci comment", "What has become of the comment.", commentDoc{7, true}},
		{"completion", "The script of a shell.", scriptDoc{"bash", "complete"}},
		{"console", "One value, on a line of its own.", shownOutput{Type: "string", Value: "x"}},
		{"fmt", "What was not formatted.", fmtDoc{[]fmtFileDoc{{"a.sync.hcl", "@@"}}, []schema.DiagnosticView{}}},
		{"graph", "A picture.", pictureDoc{"dot", "graph {}", 1}},
		{"import", "What a server or a keystore has.", importDoc{From: "server.depot.north", Declarations: []string{}}},
		{"init", "What was written.", initDoc{".", []string{"main.sync.hcl"}, []string{"password"},
			[]string{"syncctl plan"}}},
		{"init -examples", "The examples of the program.", examplesDoc{[]exampleDoc{{"first", "The first one"}}}},
		{"policy init", "A policy.", policyDoc{"files = []", "policy.hcl"}},
		{"resolve", "What was decided, with the members of an entry in the record of a run.", resolveDoc{Run: "r",
			Key: "a/b", Event: "resolved", Data: map[string]string{"reason": "seen"}}},
		{"sandbox", "What is served, until it is interrupted.", sandboxDoc{[]sandboxServerDoc{{"depot", "north",
			"https://x"}}, []sandboxMachineDoc{{"depot", "m", "x:22"}}, map[string]string{"A": "b"}}},
		{"version", "How the program was built.", buildInfo()},
	} {
		one := schematest.ForType(t, reflect.TypeOf(of.sample))
		one.Title, one.Description = of.name, of.doc
		if err := schematest.Fits(t, one, of.sample); err != nil {
			t.Errorf("%s: %v", of.name, err)
		}
		s.OneOf = append(s.OneOf, one)
	}
	schematest.Described(t, s)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "commands.schema.json"), s, *rewrite)
}
