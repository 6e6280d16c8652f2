package backbone

import (
	"github.com/syncctl/syncctl/planner"
)

// standing is a migration together with what was observed of its servers.
type standing struct {
	*migration

	halves map[string]*live // of the original, by role; empty if it is no longer declared
	new    *live
	moved  bool                 // the project exists in the cloud
	marks  map[string]*markSeen // on the halves of the original, by role
	taken  []string             // IDs of the runs whose marks are taken over
	ends   comparison
}

// look collects the observations of a migration. needs lists the observations that are still missing.
func (m *migration) look(seen *planner.Observations) (*standing, []planner.Need, error) {
	s := &standing{migration: m, halves: map[string]*live{}, marks: map[string]*markSeen{}}
	found, needs, err := look(m.to, seen)
	if err != nil {
		return nil, nil, err
	}
	s.new = found[0]
	// The cloud is asked now, so that wrong credentials are not found once everything is stopped.
	project, err := observed[projectSeen](seen, m.to.two.need(seeProject, m.to.two.Project), &needs)
	if err != nil {
		return nil, nil, err
	}
	s.moved = project != nil && project.Found
	if m.from != nil {
		halves, more, err := look(m.from, seen)
		if err != nil {
			return nil, nil, err
		}
		needs = append(needs, more...)
		for _, l := range halves {
			s.halves[l.end.name] = l
		}
	}
	if err = s.lookAtMarks(seen, &needs); err == nil {
		err = s.lookAtPairs(seen, &needs)
	}
	return s, needs, err
}

// lookAtPairs looks up the pairs of every connector, and compares those of both halves of the original.
func (s *standing) lookAtPairs(seen *planner.Observations, needs *[]planner.Need) error {
	all := []*live{s.new}
	for _, role := range []string{master, slave} {
		if h := s.halves[role]; h != nil {
			all = append(all, h)
		}
	}
	for _, l := range all {
		if !l.found() {
			continue
		}
		connectors := []string{l.First.Key}
		if l.Second != nil {
			connectors = append(connectors, l.Second.Key)
		}
		for _, c := range connectors {
			p, err := observed[pairsSeen](seen, l.end.need(seePairs, c), needs)
			if err != nil {
				return err
			}
			l.pairs[c] = p
		}
	}
	a, b := s.halves[master], s.halves[slave]
	if a == nil || b == nil || !a.found() || !b.found() {
		return nil
	}
	one, two := a.pairs[a.First.Key], b.pairs[b.First.Key]
	if one == nil || two == nil {
		return nil // they are among the needs
	}
	var byName [2]*pairListSeen
	if !one.agrees(two) && max(one.Pairs, two.Pairs) <= mostByName {
		for i, l := range []*live{a, b} {
			var err error
			if byName[i], err = observed[pairListSeen](seen, l.end.need(seePairsByName, l.First.Key), needs); err != nil {
				return err
			}
		}
	}
	s.ends = compare(one, two, a.First.Key, b.First.Key, byName, nil)
	if byName[0] == nil || byName[1] == nil || s.ends.unmatched == 0 {
		return nil
	}
	// The ends are read one after the other. A pair that was made in between is looked up once more.
	again, err := observed[pairListSeen](seen, a.end.need(seePairsAgain, a.First.Key), needs)
	if err == nil && again != nil {
		s.ends = compare(one, two, a.First.Key, b.First.Key, byName, again)
	}
	return err
}

// half returns one half of the original. Its syncSeen is nil if it was not found.
func (s *standing) half(role string) *live {
	if h := s.halves[role]; h != nil {
		return h
	}
	return &live{}
}

// own returns the summary of the pairs of a half.
func (l *live) own() *pairsSeen {
	if !l.found() {
		return &pairsSeen{}
	}
	return l.tally(l.First.Key)
}

// newTallies returns the numbers of pairs of the new synchronization's two connectors.
func (s *standing) newTallies() (one, two int) {
	if !s.new.found() {
		return 0, 0
	}
	return s.new.tally(s.new.First.Key).Pairs, s.new.tally(s.new.Second.Key).Pairs
}

func (s *standing) bothFound() bool { return s.half(master).found() && s.half(slave).found() }

// ended reports whether the migration is complete: the new synchronization has the pairs, and the original is gone,
// or is to be kept and is stopped.
func (s *standing) ended() bool {
	if !s.new.found() {
		return false
	}
	one, two := s.newTallies()
	if !s.half(master).found() && !s.half(slave).found() {
		return one == two
	}
	kept := !s.deleteOriginal && s.bothFound() && s.half(master).Status == "STOPPED" &&
		s.half(slave).Status == "STOPPED"
	return kept && s.new.Status == "RUNNING" && one == two && one >= s.half(s.staying).own().Pairs
}

// finished reports whether only the deletion of the original is left to do. The new synchronization runs, has at
// least the original's pairs, and has been resynced, which shows in its message numbers. Both halves are stopped.
func (s *standing) finished() bool {
	if s.from == nil || !s.deleteOriginal || !s.bothFound() || !s.new.found() || s.new.Status != "RUNNING" {
		return false
	}
	for role, connector := range map[string]string{s.staying: s.new.First.Key, s.moving: s.new.Second.Key} {
		h, has := s.half(role), s.new.tally(connector)
		had := h.own()
		if h.Status != "STOPPED" || has.Pairs < had.Pairs || had.Sent < 0 || has.Sent-had.Sent < int64(had.Pairs) {
			return false
		}
	}
	return true
}

// left returns the remaining half of the original if the other one is gone and the new synchronization has taken
// over. Otherwise it returns "".
func (s *standing) left() string {
	if s.from == nil || s.half(master).found() == s.half(slave).found() || !s.new.found() || !s.deleteOriginal {
		return ""
	}
	one, _ := s.newTallies()
	if s.new.Status != "RUNNING" && (s.new.Status != "" || one == 0) {
		return ""
	}
	if s.half(master).found() {
		return master
	}
	return slave
}

// unknowns names what preflight needs to know about a half and cannot read.
func (l *live) unknowns() []string {
	var out []string
	if l.InError == nil {
		out = append(out, "how many issues are in error")
	}
	if l.Conflicts == nil {
		out = append(out, "whether its configuration has conflicts")
	}
	return out
}

// likeNew returns the state that shows whether the new synchronization's status can be read: its own or, until it
// exists, that of the original's half on the same server.
func (s *standing) likeNew() health {
	if s.new.found() {
		return s.new.health
	}
	if h := s.half(s.staying); h.found() {
		return h.health
	}
	return health{}
}
