package planner_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// TestPlanHidesSecrets: what a server repeats of a secret stands in no text of a plan, however it is encoded; what is
// carried out stays to the letter, and so does what the driver has made.
func TestPlanHidesSecrets(t *testing.T) {
	const secret = "canary-4711"
	const config = `
server "depot" "a" {
  password = "canary-4711"
}

sync "depot" "b" {
  color  = "red"
  server = server.depot.a
}
`
	for _, said := range []string{secret, "Y2FuYXJ5LTQ3MTE=", "63616e6172792d34373131", "canary%2D4711", "CANARY-4711"} {
		text := "before " + said + " after"
		effect := &planner.Effect{Change: 1, Loses: text}
		manual := &planner.Manual{Where: text, Do: []string{text}, Attest: text, Commands: []string{text},
			Values: []planner.Value{{Name: "n", Label: "l", Value: text, Shown: text}}}
		s := step("sync.depot.b", "paint")
		s.Summary, s.Because, s.Undo, s.Effect, s.Manual = text, text, text, effect, manual
		s.Args, s.Facts = map[string]string{"a": text}, []planner.Fact{{Name: "f", Value: text}}
		out := update(s)
		out.Seen = []planner.Shown{{Name: "seen", Value: text}}
		out.Replaced = []planner.Replaced{{Part: "p", Original: text, New: text, Becomes: planner.Lost}}
		out.Findings = []planner.Finding{{Rule: "depot/x", Severity: planner.Warn, Summary: text, Detail: text}}
		p := made(t, input(load(t, config), &depot{live: map[string]string{"sync.depot.b": text},
			outlines: map[string]planner.Outline{"sync.depot.b": out}}))
		if got := p.Steps[0]; got.Args["a"] != text || got.Facts[0].Value != text || got.Manual.Commands[0] != text ||
			got.Manual.Values[0].Value != text {
			t.Errorf("%s: what is carried out was changed: %+v", said, got)
		}
		if manual.Do[0] != text || effect.Loses != text {
			t.Errorf("%s: what the driver has made was changed", said)
		}
		for i := range p.Steps {
			p.Steps[i].Args, p.Steps[i].Facts = nil, nil
			if m := p.Steps[i].Manual; m != nil {
				m.Commands, m.Values[0].Value = nil, ""
			}
		}
		all := encoded(t, p)
		if strings.Contains(all, said) || strings.Count(all, "(sensitive value)") < 12 {
			t.Errorf("%s stands in the plan:\n%s", said, all)
		}
	}
}
