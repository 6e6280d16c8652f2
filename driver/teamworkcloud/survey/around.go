package survey

import (
	"slices"
	"strings"
)

// held lists what else is in the target category, which of that was synchronized once, and the names of everything on
// the source.
func (l *copiesView) held() {
	if l.Lacks() {
		return
	}
	chosen, categories := map[string]bool{}, map[string]bool{}
	for _, r := range l.facts.Resources() {
		chosen[r.ID] = true
	}
	for i := range l.facts.Items {
		if l.facts.Items[i].Kind == KindCategory {
			categories[l.facts.Items[i].ID] = true
		}
	}
	source := l.selection.source
	if l.facts.Category.ID != "" {
		for _, t := range l.target.Members(l.facts.Category.ID) {
			if chosen[t.ID] {
				continue
			}
			l.facts.Held = append(l.facts.Held, Held{ID: t.ID, ProjectID: t.ProjectID, Name: t.Name,
				Path: l.facts.Category.Path, Removed: t.Removed})
			o := source.Resource(t.ID)
			if len(categories) == 0 || o == nil || o.Removed || t.Removed || categories[o.Category] || l.elsewhere[t.ID] {
				continue
			}
			l.facts.Left = append(l.facts.Left, Held{ID: t.ID, ProjectID: t.ProjectID, Name: t.Name,
				Path: source.Path(o.Category)})
		}
	}
	l.facts.Known = source.knownByKey()
}

// overlaps finds other declarations that bring the same resources to the same target or to the source, and loops of
// declarations that bring them back to the source.
func (l *copiesView) overlaps() {
	l.elsewhere = map[string]bool{}
	s := l.declared
	if s.IsRemoved() {
		return
	}
	mine := l.selection.Names()
	near := slices.Clone(s.activeTo(s.TargetServer()))
	if !s.TargetServer().IsSame(s.SourceServer()) {
		near = slices.Concat(near, s.activeTo(s.SourceServer()))
	}
	slices.SortFunc(near, func(a, b *Sync) int { return strings.Compare(a.Address(), b.Address()) })
	chain := s.Chain()
	for _, p := range near {
		toMine := p.TargetServer().IsSame(s.TargetServer())
		if p == s || !toMine && isIn(chain, p) {
			continue
		}
		theirs := l.Select(p).Names()
		if toMine && len(s.Categories) > 0 { // needed only for Facts.Left
			for id := range theirs {
				l.elsewhere[id] = true
			}
		}
		both := common(mine, theirs)
		if len(both) == 0 {
			continue
		}
		o := Overlap{Chain: []string{p.Address()}, Resources: both}
		switch {
		case toMine:
			l.facts.Twice = append(l.facts.Twice, o)
		default:
			l.facts.Feeds = append(l.facts.Feeds, o)
		}
	}
	l.loop([]*Sync{s}, mine)
}

// loop follows the selected resources through later declarations, and notes each path that brings some of them back to
// the source.
func (l *copiesView) loop(chain []*Sync, carried map[string]string) {
	at := chain[len(chain)-1].TargetServer()
	for _, p := range l.declared.ActiveFrom(at) {
		if isIn(chain, p) || !p.leadsTo(l.declared.SourceServer()) {
			continue
		}
		theirs := l.Select(p).Names()
		on := map[string]string{}
		for id, name := range carried {
			if _, ok := theirs[id]; ok {
				on[id] = name
			}
		}
		if len(on) == 0 {
			continue
		}
		longer := append(slices.Clone(chain), p)
		if p.TargetServer().IsSame(l.declared.SourceServer()) {
			o := Overlap{Resources: common(carried, on)}
			for _, c := range longer {
				o.Chain = append(o.Chain, c.Address())
			}
			l.facts.Loops = append(l.facts.Loops, o)
			continue
		}
		l.loop(longer, on)
	}
}

func isIn(chain []*Sync, p *Sync) bool {
	return slices.ContainsFunc(chain, func(c *Sync) bool { return c.Addr() == p.Addr() })
}

// Brought returns the resources that other declarations bring to the target: the address of the declaration, by
// resource ID.
func (v *View) Brought(s *Sync) map[string]string {
	out := map[string]string{}
	for _, p := range s.activeTo(s.TargetServer()) {
		if p == s {
			continue
		}
		for id := range v.Select(p).Names() {
			out[id] = p.Address()
		}
	}
	return out
}

// Readers returns the other declarations that bring selected resources from the source to other servers.
func (v *View) Readers(s *Sync, f *Facts) []Overlap {
	mine := map[string]string{}
	for _, r := range f.Resources() {
		mine[r.ID] = r.Name
	}
	var out []Overlap
	for _, p := range s.ActiveFrom(s.SourceServer()) {
		if p == s || p.TargetServer().IsSame(s.TargetServer()) {
			continue
		}
		if both := common(mine, v.Select(p).Names()); len(both) > 0 {
			out = append(out, Overlap{Chain: []string{p.Address()}, Resources: both})
		}
	}
	return out
}

// common returns the names of the resources that are in both selections, sorted.
func common(a, b map[string]string) []string {
	var out []string
	for id, name := range a {
		if _, ok := b[id]; ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
