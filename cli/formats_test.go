package cli

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
	"github.com/syncctl/syncctl/reference/schematest"
)

// TestFormatsSchema: every file that a run, a bundle and a record consist of has a JSON Schema in docs/schemas, from
// its type, and each of its members is described.
func TestFormatsSchema(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*jsonschema.Schema{
		"basis": schematest.For[planner.Basis](t,
			"The basis of a plan: basis.json in the folder of a run, with which a mended plan is compared"),
		"origin": schematest.For[executor.Origin](t,
			"The origin of a plan over sites: origin.json in the folder of a run, and in a bundle"),
		"observations": schematest.For[planner.Observation](t,
			"What servers showed: observations.jsonl in the folder of a run, sites/SITE.jsonl, plan "+
				"-save-observations; one on each line"),
		"lock": schematest.For[journal.Holder](t,
			"Who holds the lock: the file lock in the data folder; what counts is the operating system's lock "+
				"on it"),
		"bundle": schematest.For[bundle.Manifest](t,
			"The manifest of a bundle: manifest.json in it; received/SITE/ and sent/ in the data folder keep "+
				"those of all"),
		"handover": schematest.For[executor.Handover](t,
			"How far a run is at a site: handover.json in a bundle"),
		"record": schematest.For[record.Manifest](t,
			"The manifest of a record: record.json in the archive of syncctl record"),
		"verification": schematest.For[verificationDoc](t,
			"How each step was verified: verification.json in the archive of syncctl record"),
		"files": schematest.For[[]runFile](t,
			"The files that a run has made: files.json in the archive of syncctl record"),
		"rehearsal": schematest.For[record.Rehearsal](t,
			"What was rehearsed: syncctl rehearse -out=FILE, rehearsal.json in a record"),
		"operator": schematest.For[operatorAsk](t,
			"What a person has to do: the line of JSON that the program of an operator block reads"),
		"notice": schematest.For[notice](t,
			"A notice that a person is asked: the input of the command, and the body for the webhook, of "+
				"notify.hcl"),
	} {
		schematest.Described(t, s)
		schematest.Golden(t, filepath.Join("..", "docs", "schemas", name+".schema.json"), s, *rewrite)
	}
}

// TestJournalSchema: the JSON Schema of journals is that of their entries. clitest holds every entry that the scripts
// write against it.
func TestJournalSchema(t *testing.T) {
	t.Parallel()
	s := schematest.For[journal.Entry](t, "The journal: journal.jsonl in the folder of a run, an entry on each line")
	s.AdditionalProperties, s.UnevaluatedProperties = nil, &jsonschema.Schema{Not: &jsonschema.Schema{}}
	s.Description = "It is only ever appended to, and each entry is durable before what it announces is done. An entry " +
		"has the hash of the one before it, so that a journal that was edited or cut is noticed. syncctl show RUN prints it."
	for _, kind := range executor.EntryTypes() {
		var event any = kind.Event
		data := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{},
			Description: "more about it", AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}}
		for _, d := range kind.Data {
			one := &jsonschema.Schema{Type: "string", Description: d.Doc}
			if strings.HasSuffix(d.Name, ".") {
				if data.PatternProperties == nil {
					data.PatternProperties = map[string]*jsonschema.Schema{}
				}
				data.PatternProperties["^"+regexp.QuoteMeta(d.Name)] = one
				continue
			}
			data.Properties[d.Name] = one
			data.PropertyOrder = append(data.PropertyOrder, d.Name)
		}
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Title: kind.Event, Description: kind.Doc,
			Properties: map[string]*jsonschema.Schema{"event": {Const: &event, Description: "the event"}, "data": data}})
	}
	schematest.Described(t, s)
	schematest.Golden(t, filepath.Join("..", "docs", "schemas", "journal.schema.json"), s, *rewrite)
}

// TestFilesAreListed: syncctl docs files has the name of every file and folder of a run and of the data folder.
func TestFilesAreListed(t *testing.T) {
	t.Parallel()
	listed := ""
	for _, f := range fileNames {
		listed += f.Name + "\n"
	}
	want := slices.Clone(dataNames)
	eachFile(t, filepath.Join("..", "executor"), func(f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			for i := 0; ok && i < len(v.Values); i++ {
				lit, is := v.Values[i].(*ast.BasicLit)
				if name := v.Names[i].Name; is && (strings.HasSuffix(name, "Name") || name == "revisedPrefix") {
					text, _ := strconv.Unquote(lit.Value)
					want = append(want, text)
				}
			}
			return true
		})
	})
	if len(want) < len(dataNames)+8 {
		t.Errorf("the names are not found in the code any more: %q", want)
	}
	for _, name := range want {
		if !strings.Contains(listed, "/"+name) {
			t.Errorf("fileNames does not have %s", name)
		}
	}
}
