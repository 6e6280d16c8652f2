package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/schema/functions"
)

// TestFunctionPage: docs/functions.md is what the registry says.
func TestFunctionPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "docs", "functions.md")
	want := functionPage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("%s is stale (%v): go test ./schema -run FunctionPage -update", page, err)
	}
}

func functionPage() string {
	var b strings.Builder
	b.WriteString(`# Functions

Written by ` + "`go test ./schema -run FunctionPage -update`" + `. Each example is run by a test, which compares its value.

Expressions call functions under the names that they have in Terraform, with the same behaviour but for [some
differences](#differences-from-terraform); [some are left out](#left-out). Those marked with * Terraform does not have.
` + "`syncctl metadata functions`" + ` lists them, with ` + "`-json`" + ` in the format of ` + "`terraform metadata functions -json`" + `.

Evaluation is deterministic: the same files, variables and environment give the same values. What a secret goes into is
a secret. What functions make is bounded in its size, like all that is evaluated.
`)
	all := Functions()
	var groups []string
	for _, f := range all {
		if !slices.Contains(groups, f.Group) {
			groups = append(groups, f.Group)
		}
	}
	slices.Sort(groups)
	for _, group := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| function | what it gives | example | since |\n| --- | --- | --- | --- |\n", group)
		for _, f := range all {
			if f.Group == group {
				fmt.Fprintf(&b, "| %s%s | %s | %s | %s |\n", code(f.Signature()), map[bool]string{true: "*"}[f.Own],
					cell(f.Summary), exampleCell(f.Examples), f.Since)
			}
		}
	}
	b.WriteString("\n## Differences from Terraform\n\nOf all functions: the errors do not quote what is sensitive, nor " +
		"what `env()` and files gave.\n\n| function | difference |\n| --- | --- |\n")
	var named []string
	of := map[string][]string{} // the functions with a difference, by its words
	for _, f := range all {
		if f.Differs != "" {
			if of[f.Differs] == nil {
				named = append(named, f.Differs)
			}
			of[f.Differs] = append(of[f.Differs], "`"+f.Name+"`")
		}
	}
	for _, words := range named {
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(of[words], " "), cell(words))
	}
	b.WriteString("\n## Left out\n\nUsing one of these is an error that says the same. Functions of providers, " +
		"`provider::NAME::FUNCTION`, there are none.\n\n| Terraform's function | why, and what to write |\n| --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(functions.Omitted)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(sentence(fmt.Errorf("%s", functions.Omitted[name]))))
	}
	return b.String()
}

func exampleCell(list []functions.Example) string {
	var out []string
	for _, e := range list {
		var with []string
		for _, name := range slices.Sorted(maps.Keys(e.Files)) {
			if len(e.Files[name]) < 80 {
				with = append(with, fmt.Sprintf("%s holds %s", name, code(e.Files[name])))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.Env)) {
			with = append(with, fmt.Sprintf("%s is %s", name, code(e.Env[name])))
		}
		text := code(e.Code) + " = " + code(e.Result)
		if len(with) > 0 {
			text += " where " + strings.Join(with, ", ")
		}
		out = append(out, text)
	}
	return strings.Join(out, "<br>")
}

// code is a text as code in a cell of a table.
func code(text string) string { return "`" + cell(text) + "`" }

// cell keeps a text within its cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
