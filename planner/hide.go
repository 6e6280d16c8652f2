package planner

import "slices"

// hide takes secrets out of what people read of a plan: a server may repeat one, in a name or a message, and a plan
// is passed on. What is compared and carried out stays to the letter, or it would mean something else: ids, arguments,
// facts, commands, and the values that a person enters. Whoever shows those, and knows the secrets, hides them. instead
// gives a text without secrets.
//
// Over sites nothing is hidden here: each site knows its own secrets alone, and all have to make the same plan.
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
			effect := *s.Effect // the driver's own may stand in other steps too
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
