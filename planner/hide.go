package planner

import "slices"

// hide removes secrets from the texts of a plan that people read: a server may repeat a secret in a name or a message,
// and plans are passed on. What is compared or carried out must stay unchanged: IDs, arguments, facts, commands, and
// the values that a person enters. Code that shows those and knows the secrets must hide them itself. instead returns
// a text without secrets.
//
// In a plan over sites nothing is hidden here: each site knows only its own secrets, and all must make the same plan.
func (p *Plan) hide(instead func(string) string) {
	if len(p.Sites) > 0 {
		return
	}
	hide := func(texts ...*string) {
		for _, text := range texts {
			*text = instead(*text)
		}
	}
	for i := range p.Findings {
		hide(&p.Findings[i].Summary, &p.Findings[i].Detail)
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		c.Diff, c.Replaced = slices.Clone(c.Diff), slices.Clone(c.Replaced)
		for n := range c.Diff {
			hide(&c.Diff[n].Declared, &c.Diff[n].Actual)
		}
		for n := range c.Replaced {
			hide(&c.Replaced[n].Original, &c.Replaced[n].New)
		}
	}
	for i := range p.Declared {
		d := &p.Declared[i]
		d.Seen = slices.Clone(d.Seen)
		for n := range d.Seen {
			hide(&d.Seen[n].Value)
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		hide(&s.Summary, &s.Because, &s.Undo)
		if s.Effect != nil && s.Effect.Loses != "" {
			effect := *s.Effect // the driver may use the same Effect in other steps
			hide(&effect.Loses)
			s.Effect = &effect
		}
		if s.Manual == nil {
			continue
		}
		m := *s.Manual
		m.Do, m.Values = slices.Clone(m.Do), slices.Clone(m.Values)
		hide(&m.Attest)
		for n := range m.Do {
			hide(&m.Do[n])
		}
		for n := range m.Values {
			hide(&m.Values[n].Shown)
		}
		s.Manual = &m
	}
}
