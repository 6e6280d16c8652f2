package drift_test

import (
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/drift"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

const (
	addr = "sync.depot.tools"
	head = "server \"depot\" \"north\" { url = \"https://north.example\" }\n"
)

var catalog = schema.Catalog{
	{Kind: schema.Server, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "url", Type: cty.String}}}},
	{Kind: schema.Sync, Name: "depot", Body: schema.Body{
		Attributes: []schema.Attribute{
			{Name: "server", Ref: &schema.Ref{Kind: schema.Server, Type: "depot"}},
			{Name: "color", Type: cty.String},
			{Name: "size", Type: cty.Number},
			{Name: "lids", Type: cty.List(cty.String)},
			{Name: "tags", Type: cty.Map(cty.String)},
		}}},
}

func load(t *testing.T, text string) *schema.Config {
	t.Helper()
	fsys := afero.NewMemMapFs()
	if err := afero.WriteFile(fsys, "main.sync.hcl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Options{Fs: fsys, Dir: ".", Catalog: catalog})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

func box(arguments string) string {
	return head + "sync \"depot\" \"tools\" {\n  server = server.depot.north\n" + arguments + "\n}\n"
}

// plan is one of a configuration, with these differences and steps of the box.
func plan(cfg *schema.Config, action planner.Action, steps int, diff ...planner.Difference) *planner.Plan {
	p := &planner.Plan{Digest: cfg.Digest(), Changes: []planner.ResourceChange{
		{Addr: "server.depot.north", Action: planner.NoChange}, {Addr: addr, Action: action, Diff: diff}}}
	for range steps {
		p.Steps = append(p.Steps, planner.Step{Addr: addr})
	}
	return p
}

func of(path, declared, actual string) planner.Difference {
	return planner.Difference{Path: path, Declared: declared, Actual: actual}
}

var day = time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)

// TestCause: where a difference comes from, or that it is not known.
func TestCause(t *testing.T) {
	type list []planner.Difference
	color, hidden := of("color", `"red"`, `"green"`), of("color", `"red"`, `"dark (sensitive value)"`)
	for name, c := range map[string]struct {
		was, is string // the arguments; was "": not declared
		before  list
		worked  int // steps of the run that has finished
		now     list
		action  planner.Action
		steps   int
		past    func(*drift.Past)
		applied bool
		want    drift.Cause
	}{
		"the same files":   {was: `color = "red"`, is: `color = "red"`, now: list{color}, want: drift.Outside},
		"another argument": {was: "size = 1", is: "size = 2", now: list{of("size", "2", "1")}, want: drift.Pending},
		"neither":          {was: "size = 1", is: "size = 2", now: list{of("size", "2", "3")}, want: drift.Outside},
		"a list": {was: `lids = ["a"]`, is: `lids = ["b"]`, now: list{of("lids", `["b"]`, `["a"]`)},
			want: drift.Pending},
		"a changed list": {was: `lids = ["a"]`, is: `lids = ["b"]`, now: list{of("lids", `["b"]`, `["c"]`)},
			want: drift.Outside},
		"unreadable": {was: "size = 1", is: "size = 2", now: list{of("size", "2", "(unknown)")},
			want: drift.Unknown},
		"hidden": {was: `color = "blue"`, is: `color = "red"`,
			now: list{of("color", `"red"`, `"(sensitive value)"`)}, want: drift.Unknown},
		"left by the run, and hidden": {was: `color = "red"`, is: `color = "red"`, before: list{hidden}, now: list{hidden},
			want: drift.Unknown},
		"hidden since": {was: `color = "red"`, is: `color = "red"`, before: list{color}, now: list{hidden},
			want: drift.Unknown},
		"hidden then": {was: `color = "red"`, is: `color = "red"`, before: list{hidden}, now: list{color},
			want: drift.Unknown},
		"another is hidden": {was: `color = "red"`, is: `color = "red"`, before: list{of("size", "1", `"(sensitive value)"`)},
			now: list{color}, want: drift.Outside},
		"hidden, and changed back": {was: `color = "red"`, is: `color = "red"`, before: list{hidden}, worked: 1,
			now: list{hidden}, want: drift.Outside},
		"beside what changed": {was: "size = 1\ncolor = \"red\"", is: "size = 2\ncolor = \"red\"", now: list{color},
			want: drift.Outside},
		"newly declared": {was: "size = 1", is: "size = 1\ncolor = \"red\"", now: list{color}, want: drift.Pending},
		"a key of nobody": {was: "tags = { a = 1 }", is: "tags = { a = 1 }\nsize = 1",
			now: list{of("tags.b", "null", `"x"`)}, want: drift.Outside},
		"a dotted key of nobody": {was: "tags = { x = 1 }", is: "tags = { x = 1 }\nsize = 1",
			now: list{of("tags.a.b", "null", `"x"`)}, want: drift.Outside},
		"a dotted key beside a new one": {was: "tags = { x = 1 }", is: "tags = { x = 1, \"a.c\" = 1 }",
			now: list{of("tags.a.b", "null", `"x"`)}, want: drift.Unknown},
		"a dotted key beside an old one": {was: "tags = { \"a.c\" = 1 }", is: "tags = { \"a.c\" = 1 }\nsize = 1",
			now: list{of("tags.a.b", "null", `"x"`)}, want: drift.Outside},
		"a dotted key of a new map": {was: "size = 1", is: "tags = { x = 1 }\nsize = 1",
			now: list{of("tags.a.b", "null", `"x"`)}, want: drift.Pending},
		"a key of what nobody has": {was: "size = 1", is: "size = 2",
			now: list{of("tags.a.b", "null", `"x"`)}, want: drift.Unknown},
		"a new map": {was: "size = 1", is: "tags = { a = 1 }\nsize = 1", now: list{of("tags.b", "null", `"x"`)},
			want: drift.Pending},
		"a key taken away": {was: "tags = { a = 1, b = 2 }", is: "tags = { a = 1 }",
			now: list{of("tags.b", "null", `"2"`)}, want: drift.Pending},
		"left by the run": {was: `color = "red"`, is: `color = "red"`, before: list{color},
			now: list{color}, want: drift.Pending},
		"changed back": {was: `color = "red"`, is: `color = "red"`, before: list{color}, worked: 1,
			now: list{color}, want: drift.Outside},
		"missing": {was: `color = "red"`, is: `color = "red"`,
			now: list{of("color", `"red"`, "null")}, action: planner.Create, want: drift.Outside},
		"missing and changed": {was: `color = "red"`, is: `color = "blue"`,
			now: list{of("color", `"blue"`, "null")}, action: planner.Create, want: drift.Unknown},
		"steps alone":        {was: `color = "red"`, is: `color = "red"`, steps: 2, want: drift.Outside},
		"steps of new files": {was: `color = "red"`, is: `color = "blue"`, steps: 2, want: drift.Unknown},
		"new":                {is: `color = "red"`, now: list{color}, want: drift.Pending},
		"no run": {is: `color = "red"`, now: list{color}, past: func(p *drift.Past) { p.Any = false },
			want: drift.Unknown},
		"a person's word": {is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Any = false }, applied: true, want: drift.Outside},
		"given up": {was: `color = "red"`, is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.GivenUp[addr] = "r2" }, want: drift.Unknown},
		"new, and a run is damaged": {is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Lost = "r0" }, want: drift.Unknown},
		"a later run is damaged": {was: `color = "red"`, is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Lost = "r2" }, want: drift.Unknown},
		"an earlier run is damaged": {was: `color = "red"`, is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Lost = "r0" }, want: drift.Outside},
		"nothing kept": {was: `color = "blue"`, is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Last[addr].Basis = nil }, want: drift.Unknown},
		"nothing kept, needed": {was: `color = "red"`, is: `color = "red"`, now: list{color},
			past: func(p *drift.Past) { p.Last[addr].Basis = nil }, want: drift.Outside},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := load(t, box(c.is))
			past := drift.Past{Any: true, Last: map[string]drift.Applied{}, GivenUp: map[string]string{}}
			if c.was != "" {
				old := load(t, box(c.was))
				past.Last[addr] = drift.Applied{Was: addr, Run: drift.NewRun("r1", plan(old, planner.Update, c.worked, c.before...),
					planner.NewBasis(old, planner.Selection{}))}
			}
			if c.past != nil {
				c.past(&past)
			}
			r := drift.Find(drift.Input{Config: cfg, Plan: plan(cfg, c.action, c.steps, c.now...), Past: past, Now: day,
				Applied: c.applied})
			if len(r.Differences) != 1 || r.Differences[0].Cause != c.want {
				t.Errorf("%+v, want %s", r.Differences, c.want)
			}
		})
	}
}

// TestUnderway: what an unfinished run is to change is not applied yet, whatever a person says, also under a former
// name.
func TestUnderway(t *testing.T) {
	cfg := load(t, box(`color = "red"`))
	color := of("color", `"red"`, `"green"`)
	run := plan(cfg, planner.Update, 1, color)
	run.Changes[1].Addr, run.Steps[0].Addr = "sync.depot.old", "sync.depot.old"
	began := drift.Applied{Run: drift.NewRun("r1", run, nil), Was: "sync.depot.old"}
	past := drift.Past{Underway: map[string]drift.Applied{addr: began}}
	for actual, want := range map[string]drift.Cause{`"green"`: drift.Pending, `"blue"`: drift.Unknown} {
		r := drift.Find(drift.Input{Config: cfg, Plan: plan(cfg, planner.Update, 1, of("color", `"red"`, actual)), Past: past,
			Now: day, Applied: true})
		if len(r.Differences) != 1 || r.Differences[0].Cause != want || r.Differences[0].Run != "r1" {
			t.Errorf("%s: %+v, want %s", actual, r.Differences, want)
		}
	}
}

// TestIgnored until the end of its last day, in UTC, and what it names alone. What is not applied is not ignored.
func TestIgnored(t *testing.T) {
	ignored := func(argument string) *schema.Config {
		return load(t, box("color = \"red\"\ntags = { a = 1 }\nlifecycle {\n ignore_drift {\n"+argument+
			"reason = \"the fair\"\n until = \"2027-01-31\"\n}\n}"))
	}
	color, tag, gone := of("color", `"red"`, `"green"`), of("tags.a", `"1"`, `"2"`), of("color", `"red"`, "null")
	for name, c := range map[string]struct {
		argument string
		diff     planner.Difference
		action   planner.Action
		later    time.Duration
		pending  bool
		want     drift.Cause
		findings int
	}{
		"the argument":     {argument: "argument = \"color\"\n", diff: color, want: drift.Ignored},
		"another":          {argument: "argument = \"tags\"\n", diff: color, want: drift.Outside},
		"inside of it":     {argument: "argument = \"tags\"\n", diff: tag, want: drift.Ignored},
		"all":              {diff: color, want: drift.Ignored},
		"a day later":      {diff: color, later: time.Second, want: drift.Outside, findings: 1},
		"all, missing":     {diff: gone, action: planner.Create, want: drift.Ignored},
		"the one, missing": {argument: "argument = \"color\"\n", diff: gone, action: planner.Create, want: drift.Outside},
		"not applied":      {diff: color, pending: true, want: drift.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := ignored(c.argument)
			r := drift.Find(drift.Input{Config: cfg, Plan: plan(cfg, c.action, 0, c.diff), Now: day.Add(c.later),
				Past: drift.Past{Any: true}, Applied: !c.pending})
			if len(r.Differences) != 1 || r.Differences[0].Cause != c.want || len(r.Findings) != c.findings {
				t.Errorf("%+v, findings %+v; want %s", r.Differences, r.Findings, c.want)
			}
		})
	}
}

// TestUncompared: what a plan could not compare, or refuses, is not fine, unless a step of the plan finds it out. All
// that the plan says of what was compared is told.
func TestUncompared(t *testing.T) {
	color := of("color", `"red"`, `"green"`)
	unread := planner.Finding{Rule: "depot/unread", Severity: planner.Warn, Addr: addr,
		Summary: "its state cannot be read"}
	asked, refused, noted := unread, unread, unread
	asked.Op = "ask"
	refused.Rule, refused.Severity = "depot/full", planner.Refuse
	noted.Rule, noted.Severity = "depot/old", planner.Note
	for name, c := range map[string]struct {
		finding planner.Finding
		diff    []planner.Difference
		step    string
		pending bool
		ignored bool
		want    []drift.Cause
	}{
		"unread":                   {finding: unread, want: []drift.Cause{drift.Unknown}},
		"unread, pending":          {finding: unread, diff: []planner.Difference{color}, pending: true, want: []drift.Cause{drift.Unknown, drift.Pending}},
		"unread, from outside":     {finding: unread, diff: []planner.Difference{color}, want: []drift.Cause{drift.Outside}},
		"unread, ignored":          {finding: unread, ignored: true, want: []drift.Cause{drift.Ignored}},
		"asked by a step":          {finding: asked, step: "ask", pending: true, want: []drift.Cause{drift.Pending}},
		"asked by another step":    {finding: asked, step: "look", pending: true, want: []drift.Cause{drift.Pending, drift.Unknown}},
		"asked by no step":         {finding: asked, want: []drift.Cause{drift.Unknown}},
		"refused":                  {finding: refused, want: []drift.Cause{drift.Unknown}},
		"refused, with difference": {finding: refused, diff: []planner.Difference{color}, pending: true, want: []drift.Cause{drift.Pending}},
		"noted":                    {finding: noted},
	} {
		t.Run(name, func(t *testing.T) {
			arguments := `color = "red"`
			if c.ignored {
				arguments += "\nlifecycle {\n ignore_drift {\n reason = \"the fair\"\n until = \"2027-01-31\"\n}\n}"
			}
			cfg := load(t, box(arguments))
			p := plan(cfg, planner.Update, 0, c.diff...)
			if p.Findings = []planner.Finding{c.finding, {Rule: "depot/x", Addr: "sync.depot.other"}}; c.step != "" {
				p.Steps = []planner.Step{{Addr: addr, Op: c.step, ID: planner.StepID(addr, c.step)}}
			}
			r := drift.Find(drift.Input{Config: cfg, Plan: p, Past: drift.Past{Any: true}, Now: day.Add(-time.Hour),
				Applied: !c.pending, Uncompared: func(rule string) bool { return rule == "depot/unread" }})
			var got []drift.Cause
			for _, d := range r.Differences {
				got = append(got, d.Cause)
			}
			if !slices.Equal(got, c.want) || len(r.Findings) != 1 || r.Findings[0] != c.finding {
				t.Errorf("%+v, findings %+v; want %s", r.Differences, r.Findings, c.want)
			}
		})
	}
}
