package schema

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/zclconf/go-cty/cty"
)

const (
	testSuffix     = ".synctest.hcl"
	testJSONSuffix = ".synctest.hcl.json"
)

// Test is one *.synctest.hcl file: runs of the configuration in the same folder, in order. It is not part of that
// configuration.
type Test struct {
	File string // its name in the folder
	Runs []*TestRun

	path      string // as in ranges
	source    source
	variables []*hcl.Attribute // for all runs, by name
}

// TestRun is one run block: the command to execute and the expected result.
type TestRun struct {
	Name  string
	Range hcl.Range
	Apply bool // otherwise it is only planned

	Faults   []TestText // failures of the simulated servers
	Steps    []TestText // IDs of steps that the plan must have, in this order
	Failures []TestText // addresses of what must fail: var.x, check.x, output.x, module.x, or a declaration's

	test      *Test
	variables []*hcl.Attribute // by name
	asserts   []*rule
}

// TestText is a text or an address in a test, and its position.
type TestText struct {
	Text  string
	Range hcl.Range
}

// variablesBlock is the grammar of the values that a test sets for variables.
var variablesBlock = Block{Name: "variables", Doc: "Values of variables, by their names: constants. They come before " +
	"all others; those of a run before those of its file."}

// runBody is the grammar of a run block.
var runBody = Body{
	Attributes: []Attribute{
		{Name: "command", Doc: "What is done with the configuration, without quotes: plan or apply. Without it: apply."},
		{Name: "faults", Type: cty.List(cty.String), Doc: "What goes wrong at the simulated servers during this run, each " +
			"as `syncctl sandbox --fault` takes it: \"method=POST,path=**/resync,kind=lost\"."},
		{Name: "expect_failures", Doc: "A list of references to what must fail, and may: [var.NAME, check.NAME, " +
			"output.NAME, sync.TYPE.NAME]."},
		{Name: "expect_steps", Type: cty.List(cty.String), Doc: "Ids of steps that the plan must have, in this order. " +
			"Others may stand between them."},
	},
	Blocks: []Block{variablesBlock, {Name: "assert", Many: true, Doc: "A condition that must hold when the run has " +
		"ended. It may also refer to plan, run.NAME and output.NAME.", Body: ruleBody}},
}

var testScope = scope{where: "at the top level of a test", blocks: []hcl.BlockHeaderSchema{variablesBlock.header(),
	{Type: "run", LabelNames: []string{"name"}}}}

// ReadTests reads the tests of one folder, sorted by file name, and reports all problems in all of them at once. The
// sources are for snippets, with secrets masked. Only the files of the folder are read: Load and Config.Assert resolve
// the references in their expressions.
func ReadTests(ctx context.Context, opts Options) ([]*Test, map[string]*hcl.File, hcl.Diagnostics) {
	out, ctx := newOutside(ctx, opts.Room)
	defer out.close()
	l := newLoader(ctx, opts, out)
	names, err := l.list(l.root, func(n string) bool {
		return strings.HasSuffix(n, testSuffix) || strings.HasSuffix(n, testJSONSuffix)
	})
	if err != nil {
		l.add(problem(hcl.Range{}, "Folder not readable", "Reading the folder %q: %s.", l.dir(), err))
	}
	var tests []*Test
	for _, name := range names {
		before := len(l.diags)
		body := l.parse(l.root, name)
		if path := l.filePath(l.root, name); tornBy(l.diags[before:]) {
			l.masked = append(l.masked, groupRanges(tornText, path, l.files[path].text)...)
		}
		if body == nil {
			continue
		}
		t := l.collectTest(name, body)
		tests = append(tests, t)
		if len(t.Runs) == 0 && !l.diags[before:].HasErrors() {
			l.add(problem(body.MissingItemRange(), "Test without a run", "%s has no run, so that it tests nothing.", name))
		}
		if l.diags[before:].HasErrors() { // perhaps nothing loads it, which would mask what is declared sensitive
			l.maskVariables(t)
		}
	}
	files := maskFiles(l.files, l.masked, l.secret, l.secrets.redactor())
	l.diags = arrange(l.diags)
	l.leftOut()
	return tests, files, l.diags
}

// tornText matches text that may be a value in a test that does not parse, so that it is unknown whose value it is:
// quoted text, and lines without punctuation of the language.
var tornText = lazyregexp.New(`(?m)((?:"[^"\n]*)|^[^={}\[\]"\n]+$)`)

// maskVariables keeps all values that a test sets for variables out of snippets.
func (l *loader) maskVariables(t *Test) {
	l.maskAll(t.variables)
	for _, r := range t.Runs {
		l.maskAll(r.variables)
	}
}

func (l *loader) maskAll(attrs []*hcl.Attribute) {
	for _, attr := range attrs {
		l.mask(attr.Expr)
	}
}

func (l *loader) collectTest(name string, body hcl.Body) *Test {
	path := l.filePath(l.root, name)
	t := &Test{File: name, path: path, source: l.files[path]}
	content := l.content(body, testScope)
	t.variables = l.collectTestVariables(content.Blocks.OfType("variables"), "test")
	first := map[string]hcl.Range{}
	for _, b := range content.Blocks.OfType("run") {
		r := l.collectRun(t, b)
		if !l.validName(r.Name, b.LabelRanges[0]) {
			continue
		}
		if was, taken := first[r.Name]; taken {
			l.maskAll(r.variables)
			l.add(problem(b.LabelRanges[0], "Duplicate run", "The run %q was already declared at %s. Each name is used once in "+
				"a file.", r.Name, place(was)))
			continue
		}
		first[r.Name] = b.DefRange
		t.Runs = append(t.Runs, r)
	}
	return t
}

// collectTestVariables reads a variables block, and reports duplicates.
func (l *loader) collectTestVariables(blocks hcl.Blocks, where string) []*hcl.Attribute {
	for _, b := range blocks[min(1, len(blocks)):] {
		l.add(problem(b.TypeRange, "Duplicate block", "There was already a block variables in this %s, at %s. It may stand "+
			"there once.", where, place(blocks[0].DefRange)))
	}
	var out []*hcl.Attribute
	for _, b := range blocks {
		l.refuseBlocks(b.Body, "a variables block")
		attrs, diags := b.Body.JustAttributes()
		if _, native := b.Body.(*hclsyntax.Body); !native {
			l.add(diags...)
		}
		for _, attr := range attrs {
			if maskedName(attr.Name) { // Load masks those declared sensitive
				l.mask(attr.Expr)
			}
			out = append(out, attr)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func (l *loader) collectRun(t *Test, b *hcl.Block) *TestRun {
	content := l.content(b.Body, runBody.scope("in a run block"))
	r := &TestRun{Name: b.Labels[0], Range: b.DefRange, Apply: true, test: t}
	if attr := content.Attributes["command"]; attr != nil {
		switch hcl.ExprAsKeyword(attr.Expr) {
		case "plan":
			r.Apply = false
		case "apply":
		default:
			l.add(problem(attr.Expr.Range(), "Invalid command", "The command of a run is plan or apply, without quotes."))
		}
	}
	r.Faults = l.testTexts(content.Attributes["faults"])
	r.Steps = l.testTexts(content.Attributes["expect_steps"])
	r.Failures = l.testAddresses(content.Attributes["expect_failures"])
	r.variables = l.collectTestVariables(content.Blocks.OfType("variables"), "run")
	before := len(l.rules)
	for _, a := range content.Blocks.OfType("assert") {
		l.collectRule(a, rule{what: "assertion of run \"" + r.Name + "\"", summary: "Assertion does not hold", strict: true})
	}
	r.asserts = slices.Clone(l.rules[before:])
	return r
}

// testTexts returns the elements of a list of constant texts.
func (l *loader) testTexts(attr *hcl.Attribute) []TestText {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		l.add(problem(attr.Expr.Range(), "Invalid list", "The argument %q is a list of texts, written in brackets.",
			attr.Name))
	}
	var out []TestText
	for _, e := range exprs {
		val, ok := l.constant(&hcl.Attribute{Name: attr.Name, Expr: e, Range: e.Range(), NameRange: attr.NameRange})
		if ok && (val.Type() != cty.String || val.IsNull() || !val.IsKnown()) {
			l.add(problem(e.Range(), "Invalid list", "The argument %q is a list of texts.", attr.Name))
			ok = false
		}
		if ok {
			out = append(out, TestText{Text: val.AsString(), Range: e.Range()})
		}
	}
	return out
}

// testAddresses returns the elements of a list of references.
func (l *loader) testAddresses(attr *hcl.Attribute) []TestText {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		l.add(problem(attr.Expr.Range(), "Invalid list", "The argument %q is a list of references, written in brackets.",
			attr.Name))
	}
	var out []TestText
	for _, e := range exprs {
		t, diags := hcl.AbsTraversalForExpr(e)
		if diags.HasErrors() || !canFail(t) {
			l.add(problem(e.Range(), "Invalid reference", "What can fail is written without quotes: var.NAME, check.NAME, "+
				"output.NAME, module.NAME, or the address of a declaration, such as sync.TYPE.NAME."))
			continue
		}
		out = append(out, TestText{Text: traversalText(t), Range: e.Range()})
	}
	return out
}

// canFail reports whether a reference names something that a run can expect to fail.
func canFail(t hcl.Traversal) bool {
	_, ok := stepName(t, 1)
	if isKind(t.RootName()) {
		_, named := stepName(t, 2)
		return ok && named
	}
	return ok && slices.Contains([]string{"var", "check", "output", "module"}, t.RootName())
}
