package backbone

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// If the halves of the original are in different sites, no process reaches both. Then each step that looks at both
// halves becomes one step per half. What one side needs to know about the other is in the run's files and in the
// outputs of steps: the exports with the keys of the issues, numbers of comments, and digests of summaries. Otherwise
// the steps and their verbs are the same.

// apart reports whether the halves of the original are in different sites.
func (s *standing) apart() bool {
	return s.from != nil && s.siteOf(s.moving) != "" && s.siteOf(s.staying) != "" &&
		s.siteOf(s.moving) != s.siteOf(s.staying)
}

func (m *migration) siteOf(role string) string { return m.from.end(role).server.Resource().Site }

// cloudIsMovers reports whether the cloud is in the site of the half that migrates. Then its issues can be read only
// there. Otherwise they can be read from the site of the half that stays.
func (m *migration) cloudIsMovers() bool {
	return m.site().Resource().Site == m.siteOf(m.moving)
}

// checkCloud returns an error if neither side reaches the cloud.
func (s *standing) checkCloud() error {
	of := s.site().Resource().Site
	if of == s.siteOf(s.moving) || of == s.siteOf(s.staying) {
		return nil
	}
	return fmt.Errorf("%s is in site %q, and neither half of the original is: this is not supported over sites. Give "+
		"it the site of one half", s.site().Addr(), of)
}

// checkRest returns an error if the rest of an original over two sites would be deleted by another run than the one
// that migrated it. Such a deletion relies on comparing the live pairs of both ends, and no process reaches both.
func (s *standing) checkRest() error {
	var keys []string
	for _, role := range []string{s.moving, s.staying} {
		if h := s.half(role); h.found() {
			keys = append(keys, fmt.Sprintf("%s on %s", h.Key, h.end.server.Addr()))
		}
	}
	keep := ""
	switch {
	case !s.apart():
		return nil
	case s.left() != "":
	case s.finished():
		keep = ", or leave out delete_original to keep them"
	default:
		return nil
	}
	what := strings.Join(keys, " and ")
	return fmt.Errorf("%s has taken over, and what is left of the original is %s. Only the run that migrated it can "+
		"delete it over two sites: resume that run. If it has ended, compare the numbers of pairs on the web pages, and "+
		"have the people of each site delete %s there by hand%s", s.new.Key, what, what, keep)
}

// ofHalf returns the half that a step is about, or "" if it is about both.
func ofHalf(t *executor.Task) string {
	if end := t.Step.Args[endArg]; end == master || end == slave {
		return end
	}
	return ""
}

// apartPlan builds the steps of a migration over two sites: one chain of steps per half.
type apartPlan struct {
	*standing

	q      *planner.Sequence
	last   map[string][]string // by half, the IDs of the steps that the next step of its chain needs
	guards map[string][]string // by half, the steps that check that the mark is this run's
}

// stepsApart adds all steps of the migration.
func (s *standing) stepsApart(q *planner.Sequence) {
	p := &apartPlan{standing: s, q: q, last: map[string][]string{master: {}, slave: {}}, guards: map[string][]string{}}
	for _, role := range roles {
		p.prepareHalf(role)
	}
	p.join()
	p.buildNew()
	p.verifyHalves()
	if s.deleteOriginal {
		for _, role := range []string{s.moving, s.staying} {
			step := guarded(s.delete(role, q.ID(op(opVerify, role)), s.half(role).own().Pairs,
				"; the exported pairs stay in the run's files"), []string{q.ID(op(opVerify, other(role)))})
			p.then(role, guarded(step, p.guards[role]))
			p.last[s.staying] = []string{q.ID(step.Op)}
		}
		p.last[s.moving] = []string{q.ID(op(opDelete, s.moving))}
	}
	if s.Mark != markNone {
		for _, role := range []string{s.moving, s.staying} {
			step := planner.Act("", planner.MarkDelete, planner.CheckFirst, "remove the mark from "+
				s.markedHalves([]string{role}))
			step.Because, step.Within = "the migration is at its end", briefly
			step.Args, step.Effect = s.places([]string{role}), &planner.Effect{}
			p.then(role, at(forEnd(step, opUnmark, role), s.half(role).end.server))
		}
	}
}

// then adds steps to the chain of one half.
func (p *apartPlan) then(role string, steps ...planner.Step) {
	for _, s := range steps {
		s.Needs = append([]string{}, p.last[role]...)
		p.q.Then(s)
		p.last[role] = []string{p.q.ID(s.Op)}
	}
}

// unseen reports whether a change of a half's configuration after the plan would go unnoticed. When the halves are
// not apart, their configurations are compared with each other once more.
func (s *standing) unseen(role string) bool {
	return s.apart() && s.half(role).found() && s.half(role).digest() == unknownFact
}

// unseenArg is the argument of the steps about an unseen half: a person has to confirm its configuration.
const unseenArg = "unseen"

// prepareHalf adds the steps up to the export of one half.
func (p *apartPlan) prepareHalf(role string) {
	h := p.half(role)
	if len(h.unknowns()) > 0 || p.unseen(role) {
		p.then(role, p.noErrors(role))
	}
	look := planner.Check("", fmt.Sprintf("the %s's half %s of %s can be migrated: reachable, no issue in error, no "+
		"conflicts", role, h.Key, p.from.Addr()), 5*time.Second)
	look.Because = guide + ": errors in the troubleshooting tab are to be solved first"
	look.Facts = p.facts(role)
	if p.unseen(role) {
		look.Args = map[string]string{unseenArg: "yes"}
	} else {
		look.Facts = append(look.Facts, planner.Fact{Name: "from." + role + "." + configurationFact, Value: h.digest()})
	}
	p.then(role, at(forEnd(look, opPreflight, role), h.end.server))
	if p.Mark != markNone {
		step := planner.Act("", planner.MarkChange, planner.CheckFirst,
			"mark "+p.markedHalves([]string{role})+" as being migrated, unless another run has")
		step.Because = "the lock of this folder keeps out no run of another clone; who plans the same migration sees the mark"
		step.Args, step.Effect, step.Within = p.takes(p.places([]string{role})), &planner.Effect{}, briefly
		step.Undo = "remove the property"
		check := planner.Check("", "the mark is this run's", time.Duration(briefly))
		check.Args = p.places([]string{role})
		p.then(role, at(forEnd(step, opMark, role), h.end.server), at(forEnd(check, opMarked, role), h.end.server))
		p.guards[role] = []string{p.q.ID(op(opMarked, role))}
	}
	export := p.export(role)
	export.Writes = []string{exportFile(role)}
	p.then(role, guarded(p.stop(role), p.guards[role]), export)
}

// join adds the steps that need both exports: the check that nothing is in flight, the move of the project, the merge
// of the files.
func (p *apartPlan) join() {
	both := []string{exportFile(master), exportFile(slave)}
	drained := planner.Check(opDrained, "nothing is in flight: for every issue, what one end sent the other has "+
		"applied (message sequence ids in the exports)", 20*time.Second)
	drained.Because = "a message that is still under way when the pairs are taken away is lost"
	drained.Needs, drained.Reads = append(p.last[master], p.last[slave]...), both
	drained.Args = map[string]string{fromExports: "yes"}
	p.q.Then(drained)
	p.last[p.moving] = []string{p.q.ID(opDrained)}
	move := p.moveProject()
	move.Reads = both
	p.then(p.moving, move, p.stillHalf(p.moving))
	merge := p.merge(p.q)
	merge.Needs, merge.Reads, merge.Site = []string{p.q.ID(opDrained)}, both, p.siteOf(p.staying)
	p.q.Then(merge)
	p.last[p.staying] = append([]string{p.q.ID(opMerge)}, p.last[p.moving]...)
}

// fromExports is the argument that makes the check for messages in flight look at the exports only.
const fromExports = "exports"

func (p *apartPlan) stillHalf(role string) planner.Step {
	h := p.half(role)
	step := planner.Check("", fmt.Sprintf("the %s's half %s is still stopped, and is what was exported", role, h.Key),
		20*time.Second)
	step.Because = "a restart of Jira starts synchronizations again (HC/5.0/server/system-properties); what they " +
		"do now would be missing in the new one, or done twice"
	step.Args = map[string]string{"sample": strconv.Itoa(p.sample)}
	return at(forEnd(step, opStill, role), p.lookedAt(role)...)
}

// lookedAt returns the servers that are contacted from the site of a half: the server of that half and, if it is
// reached from there, the cloud.
func (m *migration) lookedAt(role string) []*serverBlock {
	servers := []*serverBlock{m.from.end(role).server}
	if m.cloudIsMovers() == (role == m.moving) {
		servers = append(servers, m.site())
	}
	return servers
}

// buildNew adds the steps until the new synchronization runs, all on the server that stays.
func (p *apartPlan) buildNew() {
	stay := p.staying
	p.then(stay, p.stillHalf(stay))
	guards := append([]string{p.q.ID(op(opStill, stay)), p.q.ID(op(opStill, p.moving))}, p.guards[stay]...)
	p.then(stay, createStep(p.to, p.new))
	if p.Pair == pairByPerson {
		p.then(stay, p.pairByFile(guards))
	} else {
		p.then(stay, p.pair(first, guards), p.pair(second, guards))
	}
	p.then(stay, configureStep(p.to, guide+", step 3.3: the same issue types, fields, comments and attachments",
		spelled(p.original(), p.staying == slave)))
	p.then(stay, p.start(guards), guarded(p.resync(first), p.guards[stay]), guarded(p.resync(second), p.guards[stay]),
		p.panel())
}

// verifyHalves adds the verification before the original is deleted: first what can be verified from the half that
// stays, then from the other one.
func (p *apartPlan) verifyHalves() {
	if p.half(p.staying).Status == "" {
		p.then(p.staying, p.stillStopped(p.staying))
	}
	if h := p.likeNew(); !h.complete() {
		p.then(p.staying, p.noErrorsNew())
	}
	step := func(role, summary string) planner.Step {
		s := planner.Check("", summary, p.within)
		s.Because = guide + ", step 4.3: the original is deleted only once everything is verified"
		s.Args = map[string]string{"sample": strconv.Itoa(p.sample)}
		return forEnd(s, opVerify, role)
	}
	compared := fmt.Sprintf("the summaries of %s are equal on both Jiras", wording.Plural(p.sample, "pair"))
	stays := fmt.Sprintf("%s runs, no issue is in error, every exported pair is on both connectors, no more and no "+
		"fewer; the %s's half is still what was exported", p.to.name(), p.staying)
	moves := fmt.Sprintf("the %s's half is still what was exported", p.moving)
	if p.cloudIsMovers() {
		moves += "; " + compared
	} else {
		stays += "; " + compared
	}
	p.then(p.staying, at(step(p.staying, stays), append(p.lookedAt(p.staying), p.stay())...))
	p.last[p.moving] = append(p.last[p.moving], p.last[p.staying]...)
	if p.half(p.moving).Status == "" {
		p.then(p.moving, p.stillStopped(p.moving))
	}
	p.then(p.moving, at(step(p.moving, moves), p.lookedAt(p.moving)...))
	p.last[p.staying] = append(p.last[p.staying], p.last[p.moving]...)
}
