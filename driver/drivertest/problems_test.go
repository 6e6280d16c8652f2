package drivertest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// sound returns a plan without problems: a check, a person's step, and an irreversible one.
func sound() *planner.Plan {
	const addr = "sync.depot.a"
	check := planner.Step{Op: "look", Mark: planner.MarkCheck, Repeat: planner.Idempotent, Summary: "look at it"}
	label := planner.Step{
		Op: "label", Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Summary: "label it",
		Because: "it has none", Needs: []string{addr + "/look"},
		Manual: &planner.Manual{Where: "the depot", Do: []string{"Put it on."}, Action: "label",
			Values: []planner.Value{{Name: "text", Label: "Text", Value: "heavy"}}},
	}
	scrap := planner.Step{
		Op: "scrap", Mark: planner.MarkFinal, Repeat: planner.Once, Summary: "scrap it", Because: "it is old",
		Needs:  []string{addr + "/label"},
		Guards: []string{addr + "/look"}, Effect: &planner.Effect{Destroy: 1, Irreversible: true, Loses: "the box"},
		Facts: []planner.Fact{{Name: "self.box", Value: "7"}}, Retires: []string{addr},
	}
	p := &planner.Plan{Steps: []planner.Step{check, label, scrap}, Findings: []planner.Finding{
		{Rule: "depot/old", Severity: planner.Refuse, Addr: addr, Summary: "it is old", Detail: "Take another."},
	}}
	for i := range p.Steps {
		p.Steps[i].Addr, p.Steps[i].ID = addr, planner.StepID(addr, p.Steps[i].Op)
	}
	return p
}

func TestPlanProblems(t *testing.T) {
	if got := planProblems(sound(), "depot", soundRules); len(got) > 0 {
		t.Fatalf("a sound plan has problems: %v", got)
	}
	byHand := sound() // what a person has to do may be irreversible too
	byHand.Steps[1].Effect, byHand.Steps[1].Guards = byHand.Steps[2].Effect, byHand.Steps[2].Guards
	byHand.Steps[1].Facts = byHand.Steps[2].Facts
	if got := planProblems(byHand, "depot", soundRules); len(got) > 0 {
		t.Fatalf("a person's irreversible step has problems: %v", got)
	}
	look, label, scrap := 0, 1, 2
	for want, spoil := range map[string]func(*planner.Plan){
		"the id is taken": func(p *planner.Plan) { p.Steps = append(p.Steps, p.Steps[look]) },
		"which does not stand before it": func(
			p *planner.Plan) {
			p.Steps[look].Needs = []string{"sync.depot.a/scrap"}
		},
		`its verb "Stop it"`:                   func(p *planner.Plan) { p.Steps[look].Op = "Stop it" },
		`unknown mark "*"`:                     func(p *planner.Plan) { p.Steps[look].Mark = "*" },
		"whether it can be repeated":           func(p *planner.Plan) { p.Steps[look].Repeat = "" },
		"its summary is not one line: \"\"":    func(p *planner.Plan) { p.Steps[look].Summary = "" },
		"its summary is not one line: \"a\\nb": func(p *planner.Plan) { p.Steps[look].Summary = "a\nb" },
		"does not say why it is there":         func(p *planner.Plan) { p.Steps[label].Because = "" },
		"its arguments have": func(
			p *planner.Plan) {
			p.Steps[look].Args = map[string]string{"x": strings.Repeat("y", mostArgs)}
		},
		"a fact has no name":               func(p *planner.Plan) { p.Steps[scrap].Facts[0].Name = "" },
		`it retires "box"`:                 func(p *planner.Plan) { p.Steps[scrap].Retires = []string{"box"} },
		"it only looks, and has an effect": func(p *planner.Plan) { p.Steps[look].Effect = &planner.Effect{} },
		"is not in the plan": func(
			p *planner.Plan) {
			p.Steps[scrap].Guards = []string{"sync.depot.a/gone"}
		},
		"is not a check": func(
			p *planner.Plan) {
			p.Steps[scrap].Guards = []string{"sync.depot.a/label"}
		},
		"it does not need its guard":            func(p *planner.Plan) { p.Steps[label].Needs = nil },
		`it is marked "!", irreversible: false`: func(p *planner.Plan) { p.Steps[scrap].Effect.Irreversible = false },
		`it is marked "-", irreversible: true`:  func(p *planner.Plan) { p.Steps[scrap].Mark = planner.MarkDelete },
		"retires a declaration and is not":      func(p *planner.Plan) { p.Steps[label].Retires = []string{"sync.depot.a"} },
		"has no guard":                          func(p *planner.Plan) { p.Steps[scrap].Guards = nil },
		"does not say what is lost":             func(p *planner.Plan) { p.Steps[scrap].Effect.Loses = "" },
		"relies on no fact":                     func(p *planner.Plan) { p.Steps[scrap].Facts = nil },
		"a person's: false":                     func(p *planner.Plan) { p.Steps[label].Manual = nil },
		"a person's: true":                      func(p *planner.Plan) { p.Steps[label].Mark = planner.MarkAdd },
		"cannot be pasted":                      func(p *planner.Plan) { p.Steps[label].Manual.Commands = []string{"rm 'a"} },
		"commands beside those of the person":   func(p *planner.Plan) { p.Steps[label].Commands = []string{"rm a"} },
		"stands in its summary": func(p *planner.Plan) {
			p.Steps[look].Summary, p.Steps[scrap].Commands = "look, then rm a", []string{"rm a"}
		},
		"in how it is undone": func(p *planner.Plan) {
			p.Steps[scrap].Undo, p.Steps[label].Manual.Commands = "cp b a, by hand", []string{"cp b a"}
		},
		"does not say where the person goes": func(p *planner.Plan) { p.Steps[label].Manual.Do = []string{""} },
		"no name for an operator's command":  func(p *planner.Plan) { p.Steps[label].Manual.Action = "" },
		"it has no values to enter":          func(p *planner.Plan) { p.Steps[label].Manual.Values = nil },
		"a value is incomplete":              func(p *planner.Plan) { p.Steps[label].Manual.Values[0].Value = "" },
		"two values are called text": func(p *planner.Plan) {
			m := p.Steps[label].Manual
			m.Values = append(m.Values, m.Values[0])
		},
		"its rule does not begin with depot/":      func(p *planner.Plan) { p.Findings[0].Rule = "old" },
		`unknown severity "bad"`:                   func(p *planner.Plan) { p.Findings[0].Severity = "bad" },
		"finding depot/old of sync.depot.a: its s": func(p *planner.Plan) { p.Findings[0].Summary = "" },
		"it refuses and does not say what to do":   func(p *planner.Plan) { p.Findings[0].Detail = "" },
		"about the step gone": func(p *planner.Plan) {
			p.Findings[0].Severity, p.Findings[0].Op = planner.Warn, "gone"
		},
	} {
		p := sound()
		spoil(p)
		if got := planProblems(p, "depot", soundRules); !slices.ContainsFunc(got,
			func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("want a problem with %q, got %q", want, got)
		}
	}
}

func soundTypes() []schema.Type {
	const server = "server \"depot\" \"a\" {}\n"
	return []schema.Type{{Kind: schema.Sync, Name: "depot", Summary: "A depot.", Body: schema.Body{
		Attributes: []schema.Attribute{
			{Name: "color", Doc: "Its colour.", Type: cty.String, OneOf: []string{"red", "blue"},
				Default: cty.StringVal("red")},
			{Name: "server", Doc: "Where it is.", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "depot"}},
		},
		Blocks: []schema.Block{{Name: "box", Doc: "A box.", Label: "name",
			Body: schema.Body{Attributes: []schema.Attribute{{Name: "weight", Doc: "What it weighs.", Type: cty.Number,
				Unit: "kg", Default: cty.NumberIntVal(1)}}}}},
	}, Example: server + "\nsync \"depot\" \"a\" {\n  server = server.depot.a\n}\n"},
		{Kind: schema.Server, Name: "depot", Summary: "A server.", Example: server}}
}

func TestTypeProblems(t *testing.T) {
	if got := typeProblems(soundTypes()); len(got) > 0 {
		t.Fatalf("sound types have problems: %v", got)
	}
	attr := func(i int, f func(*schema.Attribute)) func([]schema.Type) []schema.Type {
		return func(types []schema.Type) []schema.Type { f(&types[0].Body.Attributes[i]); return types }
	}
	example := func(i int, f func(string) string) func([]schema.Type) []schema.Type {
		return func(types []schema.Type) []schema.Type { types[i].Example = f(types[i].Example); return types }
	}
	for want, spoil := range map[string]func([]schema.Type) []schema.Type{
		"brings no type":            func([]schema.Type) []schema.Type { return nil },
		"the name is taken":         func(types []schema.Type) []schema.Type { return append(types, types[0]) },
		"unknown kind":              func(types []schema.Type) []schema.Type { types[0].Kind = "thing"; return types },
		"the name is not of":        func(types []schema.Type) []schema.Type { types[0].Name = "Depot"; return types },
		"depot\": it declares none": example(0, func(string) string { return "" }),
		"Missing required argument": example(0, func(string) string { return "sync \"depot\" \"a\" {}\n" }),
		"it is not formatted":       example(1, func(e string) string { return e + "locals { a =1 }\n" }),
		"box.weight is a number wi": func(types []schema.Type) []schema.Type {
			types[0].Body.Blocks[0].Body.Attributes[0].Unit = ""
			return types
		},
		"it has no summary":        func(types []schema.Type) []schema.Type { types[0].Summary = ""; return types },
		"Color is not of the form": attr(0, func(a *schema.Attribute) { a.Name = "Color" }),
		"box is there twice":       attr(0, func(a *schema.Attribute) { a.Name = "box" }),
		"depends_on is a word":     attr(0, func(a *schema.Attribute) { a.Name = "depends_on" }),
		"address is a word":        attr(0, func(a *schema.Attribute) { a.Name = "address" }),
		"color has no documen":     attr(0, func(a *schema.Attribute) { a.Doc = "" }),
		"box has a label and": func(
			types []schema.Type) []schema.Type {
			types[0].Body.Blocks[0].Many = true
			return types
		},
		"box.weight has no doc": func(types []schema.Type) []schema.Type {
			types[0].Body.Blocks[0].Body.Attributes[0].Doc = ""
			return types
		},
		"cannot be declared":        attr(1, func(a *schema.Attribute) { a.Ref.Kind = "shelf" }),
		"server is a reference":     attr(1, func(a *schema.Attribute) { a.Secret = true }),
		"color has no type":         attr(0, func(a *schema.Attribute) { a.Type = cty.NilType }),
		"and is not a string":       attr(0, func(a *schema.Attribute) { a.Type, a.Default = cty.Number, cty.NilVal }),
		"it is required or secret":  attr(0, func(a *schema.Attribute) { a.Required = true }),
		"the default of color: ":    attr(0, func(a *schema.Attribute) { a.Default = cty.EmptyObjectVal }),
		"color is null or unknown":  attr(0, func(a *schema.Attribute) { a.Default = cty.NullVal(cty.String) }),
		`"green", which is not per`: attr(0, func(a *schema.Attribute) { a.Default = cty.StringVal("green") }),
	} {
		if got := typeProblems(spoil(soundTypes())); !slices.ContainsFunc(got,
			func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("want a problem with %q, got %q", want, got)
		}
	}
}

// TestTimes checks that WithoutTimes replaces times in every form, and nothing else.
func TestTimes(t *testing.T) {
	in := `{"a": 1732250000123, "b": "2026-11-22T05:00:00Z", "c": 12345, "d": "SAM2-1", "e": 1732250000, "f": "1732250000",
		"g": "20180713082509555", "h": 20180713082509, "i": "Mon Aug 08 13:00:13 ICT 2016",
			"j": "Mon Aug  8 13:00:13 +0700 2016",
		"k": "2026-11-22", "l": "0c6eb1f4-1234-4a5b-8c9d-112345678901", "m": 2018071308, "n": "Mon Aug 08"}`
	out := WithoutTimes([]byte(in))
	var v map[string]any
	if err := json.NewDecoder(bytes.NewReader([]byte(out))).Decode(&v); err != nil {
		t.Fatal(err, out)
	}
	kept := map[string]any{"c": 12345.0, "d": "SAM2-1", "l": "0c6eb1f4-1234-4a5b-8c9d-112345678901",
		"m": 2018071308.0, "n": "Mon Aug 08"}
	for name, got := range v {
		if want := kept[name]; want == nil && got != "TIME" || want != nil && got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
}

func TestExaminationProblems(t *testing.T) {
	for _, c := range []struct {
		x    driver.Examination
		want int
	}{
		{driver.Examination{What: "clock", State: driver.OK, Seen: "the same"}, 0},
		{driver.Examination{What: "clock", State: driver.Warn, Seen: "behind", Advice: "Set it."}, 0},
		{driver.Examination{What: "clock", State: driver.Fail, Seen: "behind"}, 1},
		{driver.Examination{What: "clock", State: driver.OK, Seen: "fine", Advice: "Nothing."}, 1},
		{driver.Examination{What: "clock", State: "fine", Seen: "the same", Advice: "Nothing."}, 1},
		{driver.Examination{State: driver.OK, Seen: "a\nb"}, 2},
	} {
		if got := examinationProblems(c.x, nil); len(got) != c.want {
			t.Errorf("%+v: %q", c.x, got)
		}
	}
}

// soundRules are the rules of sound.
var soundRules = []planner.Rule{
	planner.FindingRule("depot/old", "It is old.", "It is.", "Take another.", planner.Refuse),
}
