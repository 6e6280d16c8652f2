package planner_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// depot is a made-up product whose answers a test writes down: what is there, and the outline of every declaration.
type depot struct {
	live     map[string]string          // colors by address; absent: there is nothing
	outlines map[string]planner.Outline // by address
	broken   map[string]error           // what Observe fails with
	refused  map[string]hcl.Diagnostics // what Plan says
	seen     map[string]planner.Change  // what Plan was handed
}

// box is what was observed of one declaration.
type box struct {
	Color *string
}

func (d *depot) Needs(r *schema.Resource, seen *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return []planner.Need{{Server: r.Addr.String(), What: "box"}}, nil
}

func (d *depot) Observe(_ context.Context, r *schema.Resource, n planner.Need) (any, error) {
	if err := d.broken[r.Addr.String()]; err != nil {
		return nil, err
	}
	b := &box{}
	if c, ok := d.live[r.Addr.String()]; ok {
		b.Color = &c
	}
	return b, nil
}

func (d *depot) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	if d.seen == nil {
		d.seen = map[string]planner.Change{}
	}
	d.seen[c.Resource.Addr.String()] = c
	out := d.outlines[c.Resource.Addr.String()]
	out.Actual = cty.NullVal(cty.EmptyObject)
	seen, err := planner.Observed[box](c.Seen, planner.Need{Server: c.Resource.Addr.String(), What: "box"})
	if err != nil {
		return out, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: err.Error()}}
	}
	if seen.Color != nil {
		out.Actual = cty.ObjectVal(map[string]cty.Value{"color": cty.StringVal(*seen.Color)})
	}
	out.Steps = append([]planner.Step(nil), out.Steps...)
	out.Findings = append([]planner.Finding(nil), out.Findings...)
	return out, d.refused[c.Resource.Addr.String()]
}

var catalog = schema.Catalog{
	{Kind: schema.Server, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "url", Type: cty.String}, {Name: "password", Type: cty.String, Secret: true, Brief: true},
		{Name: "site", Type: cty.String},
	}}},
	{Kind: schema.Sync, Name: "depot", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "color", Type: cty.String, Brief: true},
		{Name: "server", Ref: &schema.Ref{Kind: schema.Server, Type: "depot", Flow: schema.FlowTo}},
	}}},
	{Kind: schema.Migration, Name: "depot_move", Body: schema.Body{Attributes: []schema.Attribute{
		{Name: "from", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "depot", Owns: true, MayBeGone: true}},
		{Name: "to", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "depot", Owns: true}},
	}}},
}

// fataler is *testing.T or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func load(t fataler, text string) *schema.Config {
	t.Helper()
	fs := afero.NewMemMapFs()
	if err := afero.WriteFile(fs, "conf/main.sync.hcl", []byte(text), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Options{Fs: fs, Dir: "conf", Catalog: catalog})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	return cfg
}

func input(cfg *schema.Config, d *depot) planner.Input {
	return planner.Input{Config: cfg, Drivers: func(schema.Addr) planner.Driver { return d }, Version: "test"}
}

func made(t fataler, in planner.Input) *planner.Plan {
	t.Helper()
	p, diags := planner.Make(context.Background(), in)
	if diags.HasErrors() {
		t.Fatalf("%v", diags)
	}
	return p
}

func encoded(t fataler, p *planner.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// step is a step of a test's outline; needs are verbs of the same declaration.
func step(addr, op string, needs ...string) planner.Step {
	s := planner.Step{Op: op, Mark: planner.MarkChange, Repeat: planner.CheckFirst, Summary: op + " it",
		Because: "it is told to"}
	for _, n := range needs {
		s.Needs = append(s.Needs, planner.StepID(addr, n))
	}
	return s
}

func update(steps ...planner.Step) planner.Outline {
	return planner.Outline{Action: planner.Update, Steps: steps}
}

func ids(p *planner.Plan) string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, s.ID)
	}
	return strings.Join(out, " ")
}

// moving: a migration that owns two syncs, something that follows one of them, and something apart.
const moving = `
server "depot" "north" {
  url = "https://north.example"
}
sync "depot" "old" {
  server = server.depot.north
}
sync "depot" "new" {
  depends_on = [sync.depot.base]
}
sync "depot" "base" {}
sync "depot" "apart" {}
sync "depot" "after" {
  depends_on = [sync.depot.new]
}
migration "depot_move" "m" {
  from = sync.depot.old
  to   = sync.depot.new
}
`

// busy gives each of the addresses the steps "do" and "check".
func busy(addrs ...string) *depot {
	d := &depot{outlines: map[string]planner.Outline{}}
	for _, a := range addrs {
		d.outlines[a] = update(step(a, "do"), step(a, "check", "do"))
	}
	return d
}

func movingDepot() *depot {
	return busy("sync.depot.old", "sync.depot.new", "sync.depot.base", "sync.depot.apart", "sync.depot.after",
		"migration.depot_move.m")
}

func TestOwnedAreCarriedOutByTheirOwner(t *testing.T) {
	p := made(t, input(load(t, moving), movingDepot()))
	want := "sync.depot.apart/do sync.depot.apart/check sync.depot.base/do sync.depot.base/check " +
		"migration.depot_move.m/do migration.depot_move.m/check sync.depot.after/do sync.depot.after/check"
	if got := ids(p); got != want {
		t.Errorf("steps are\n%s\nwant\n%s", got, want)
	}
	var changes []string
	for _, c := range p.Changes {
		changes = append(changes, c.Addr)
	}
	if got, want := strings.Join(changes, " "),
		"migration.depot_move.m server.depot.north sync.depot.after sync.depot.apart sync.depot.base"; got != want {
		t.Errorf("changes are %s, want %s", got, want)
	}
	if got := p.Step("sync.depot.after/do").Needs; len(got) != 1 || got[0] != "migration.depot_move.m/check" {
		t.Errorf("what depends on an owned declaration needs %v", got)
	}
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"sync.depot.apart": "sync.depot.apart/do sync.depot.apart/check",
		// An owned one is carried out by its owner, whole, with what both depend on.
		"sync.depot.old": "sync.depot.base/do sync.depot.base/check migration.depot_move.m/do " +
			"migration.depot_move.m/check",
		"migration.depot_move.m": "sync.depot.base/do sync.depot.base/check migration.depot_move.m/do " +
			"migration.depot_move.m/check",
		// What depends on an owned one needs its owner.
		"sync.depot.after": "sync.depot.base/do sync.depot.base/check migration.depot_move.m/do " +
			"migration.depot_move.m/check sync.depot.after/do sync.depot.after/check",
		"server.depot.north": "",
	} {
		in := input(load(t, moving), movingDepot())
		addr, err := schema.ParseAddr(target)
		if err != nil {
			t.Fatal(err)
		}
		in.Targets = []schema.Addr{addr}
		if got := ids(made(t, in)); got != want {
			t.Errorf("-target=%s: steps are\n%s\nwant\n%s", target, got, want)
		}
	}
}

// TestTargetsSayWhatTheyLeaveOut: a plan for targets never looks like a whole one.
func TestTargetsSayWhatTheyLeaveOut(t *testing.T) {
	for target, want := range map[string]string{
		"sync.depot.apart": "plan/target", "sync.depot.old": "plan/target plan/owned", "sync.depot.after": "plan/target",
	} {
		in := input(load(t, moving), movingDepot())
		addr, err := schema.ParseAddr(target)
		if err != nil {
			t.Fatal(err)
		}
		in.Targets = []schema.Addr{addr}
		var rules []string
		for _, f := range made(t, in).Findings {
			rules = append(rules, f.Rule)
			if f.Rule == "plan/owned" && (f.Addr != target || !strings.Contains(f.Summary, "migration.depot_move.m ")) {
				t.Errorf("-target=%s: %s does not name the owner: %s", target, f.Addr, f.Summary)
			}
		}
		if got := strings.Join(rules, " "); got != want {
			t.Errorf("-target=%s: findings %s, want %s", target, got, want)
		}
	}
}

func TestMisspeltTargetIsAnError(t *testing.T) {
	in := input(load(t, moving), movingDepot())
	in.Targets = []schema.Addr{{Kind: schema.Sync, Type: "depot", Name: "apart"},
		{Kind: schema.Sync, Type: "depot", Name: "aprat"}}
	p, diags := planner.Make(t.Context(), in)
	if p != nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, "sync.depot.aprat") {
		t.Errorf("plan %v, diagnostics %v", p, diags)
	}
}

func TestRetired(t *testing.T) {
	in := input(load(t, `sync "depot" "old" {}`), busy("sync.depot.old"))
	in.Retired = map[string]string{"sync.depot.old": "run-7"}
	p := made(t, in)
	if len(p.Steps) != 0 || len(p.Findings) != 1 || p.Findings[0].Rule != "plan/retired" ||
		!strings.Contains(p.Findings[0].Summary, "run-7") {
		t.Errorf("what was removed for good comes back: %s", encoded(t, p))
	}
	// Somebody made it again since: then it is like any other.
	d := busy("sync.depot.old")
	d.live = map[string]string{"sync.depot.old": "red"}
	in.Drivers = func(schema.Addr) planner.Driver { return d }
	if p := made(t, in); len(p.Steps) != 2 {
		t.Errorf("what is there again is left alone: %s", encoded(t, p))
	}
}

func TestNothingToDo(t *testing.T) {
	d := &depot{outlines: map[string]planner.Outline{"sync.depot.a": {Action: planner.Update}}}
	p := made(t, input(load(t, `sync "depot" "a" { color = "red" }`), d))
	if len(p.Steps) != 0 || p.Changes[0].Action != planner.NoChange {
		t.Errorf("an outline without steps is a change: %s", encoded(t, p))
	}
	if got := p.Changes[0].Diff; len(got) != 1 || got[0].Path != "color" || got[0].Actual != "null" {
		t.Errorf("drift is shown whatever is done about it: %v", got)
	}
	for _, list := range []string{`"changes": [`, `"steps": []`} {
		if !strings.Contains(encoded(t, p), list) {
			t.Errorf("the document has no %s: %s", list, encoded(t, p))
		}
	}
}

func TestUnreadableIsAnError(t *testing.T) {
	d := busy("sync.depot.a", "sync.depot.b")
	d.broken = map[string]error{"sync.depot.a": errors.New("no\x1b[31m answer")}
	p, diags := planner.Make(t.Context(), input(load(t, "sync \"depot\" \"a\" {}\nsync \"depot\" \"b\" {}\n"), d))
	if p != nil || len(diags) != 1 || diags[0].Subject == nil || diags[0].Subject.Start.Line != 1 ||
		schema.AddrOf(diags[0]).String() != "sync.depot.a" {
		t.Fatalf("plan %v, diagnostics %v", p, diags)
	}
	if strings.Contains(diags[0].Detail, "\x1b") {
		t.Error("a server's control characters reach the terminal")
	}
}

func TestDiagnosticsNameTheDeclaration(t *testing.T) {
	d := busy("sync.depot.a")
	d.refused = map[string]hcl.Diagnostics{"sync.depot.a": {{Severity: hcl.DiagError, Summary: "No paint"}}}
	p, diags := planner.Make(t.Context(), input(load(t, `sync "depot" "a" {}`), d))
	if p != nil || len(diags) != 1 || schema.AddrOf(diags[0]).String() != "sync.depot.a" {
		t.Errorf("plan %v, diagnostics %v of %q", p, diags, schema.AddrOf(diags[0]))
	}
}

// TestPreventDestroy: no step may remove what a lifecycle block protects, whoever carries it out.
func TestPreventDestroy(t *testing.T) {
	protect := "\n  lifecycle { prevent_destroy = true }\n}"
	remove := planner.Final("remove", "remove it", 1, "1 box", "sync.depot.apart/do")
	retire := planner.Final("remove", "remove the old one", 1, "1 box", "migration.depot_move.m/do")
	retire.Retires = []string{"sync.depot.old"}
	outlines := func(d *depot) *depot {
		d.outlines["sync.depot.apart"] = update(step("sync.depot.apart", "do"), remove)
		d.outlines["migration.depot_move.m"] = update(step("migration.depot_move.m", "do"), retire)
		return d
	}
	for name, c := range map[string]struct{ from, to, refused string }{
		"nothing protected": {"", "", ""},
		"its own object":    {"sync \"depot\" \"apart\" {}", "sync \"depot\" \"apart\" {" + protect, "sync.depot.apart"},
		"what it retires": {"  server = server.depot.north\n}", "  server = server.depot.north" + protect,
			"sync.depot.old"},
		"what is not removed":  {"sync \"depot\" \"base\" {}", "sync \"depot\" \"base\" {" + protect, ""},
		"the migration itself": {"  to   = sync.depot.new\n}", "  to   = sync.depot.new" + protect, "migration.depot_move.m"},
	} {
		text := strings.Replace(moving, c.from, c.to, 1)
		_, diags := planner.Make(t.Context(), input(load(t, text), outlines(movingDepot())))
		got := ""
		for _, d := range diags {
			got += schema.AddrOf(d).String()
		}
		if got != c.refused {
			t.Errorf("%s: refused %q, want %q: %v", name, got, c.refused, diags)
		}
	}
}
