package planner

import (
	"slices"
	"strings"
)

// hidden is what stands in a text in the place of a secret.
const hidden = "(sensitive value)"

// Hides reports whether a secret was removed from a text of a plan. Then the text does not say what the value is: two
// such texts may be equal although the values differ.
func Hides(text string) bool { return strings.Contains(text, hidden) }

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
	instead = remembering(instead)
	hide := func(texts ...*string) {
		for _, text := range texts {
			if *text != "null" { // no value
				*text = instead(*text)
			}
		}
	}
	for i := range p.Findings {
		hide(&p.Findings[i].Summary, &p.Findings[i].Detail)
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		c.Diff = hiding(c.Diff, func(d *Difference) { hide(&d.Declared, &d.Actual) })
		c.Replaced = hiding(c.Replaced, func(r *Replaced) { hide(&r.Original, &r.New) })
	}
	for i := range p.Declared {
		d := &p.Declared[i]
		d.Seen = hiding(d.Seen, func(s *Shown) { hide(&s.Value) })
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
		hide(&m.Attest, &m.Where)
		m.Do = hiding(m.Do, func(text *string) { hide(text) })
		m.Values = hiding(m.Values, func(v *Value) { hide(&v.Shown) })
		s.Manual = &m
	}
}

// hiding returns the list with secrets hidden in each element. It copies the list if there is anything to hide: the
// driver may use it elsewhere.
func hiding[T comparable](list []T, hide func(*T)) []T {
	copied := false
	for i, was := range list {
		is := was
		if hide(&is); is == was {
			continue
		}
		if !copied {
			list, copied = slices.Clone(list), true
		}
		list[i] = is
	}
	return list
}

// remembering returns a function that gives the same as instead. Many texts of a plan are equal, and looking through
// one costs more than finding it. At a thousand it starts over: most texts are of one declaration alone, and common
// ones are soon known again.
func remembering(instead func(string) string) func(string) string {
	const most = 1000
	known := map[string]string{}
	return func(text string) string {
		if text == "" {
			return ""
		}
		is, ok := known[text]
		if !ok {
			if len(known) == most {
				clear(known)
			}
			is = instead(text)
			known[text] = is
		}
		return is
	}
}
