package backbone

import (
	"fmt"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// The verbs. The op of a step is its verb or, if a verb is used for several ends, the verb and the end.
const (
	opNoErrors     = "no_errors" // + master, slave, new
	opPreflight    = "preflight"
	opMark         = "mark"
	opMarked       = "marked"
	opUnmark       = "unmark"
	opStop         = "stop"         // + master, slave; alone for a direct synchronization
	opStopByHand   = "stop_by_hand" // + master, slave
	opDrained      = "drained"
	opExport       = "export" // + master, slave
	opMove         = "move_project"
	opMerge        = "merge"
	opStill        = "still"
	opCreate       = "create_sync"
	opPair         = "pair"     // a person uploads the merged file
	verbPair       = "pair_end" // its ops are pair_first and pair_second
	opConfigure    = "configure"
	opStart        = "start" // + master, slave; alone for a direct synchronization
	opStartByHand  = "start_by_hand"
	opResync       = "resync" // + first, second
	opPanel        = "info_panel"
	opStillStopped = "still_stopped" // + master, slave
	opVerify       = "verify"
	opDelete       = "delete" // + master, slave
	opGone         = "gone"   // + master, slave
	opRest         = "verify_rest"
)

// endArg is the argument with the end that a step is about, if its verb is used for several ends.
const endArg = "end"

// newEnd stands for the new synchronization in verbs that are used for it and for the halves of the original.
const newEnd = "new"

// op returns the op of a verb's step for one end, such as stop_master.
func op(verb, end string) string { return verb + "_" + end }

// forEnd makes a step the one of its verb for the given end.
func forEnd(s planner.Step, verb, end string) planner.Step {
	s.Op, s.Verb = op(verb, end), verb
	args := map[string]string{endArg: end}
	for k, v := range s.Args {
		args[k] = v
	}
	s.Args = args
	return s
}

// at adds servers to those that a step contacts.
func at(s planner.Step, servers ...*serverBlock) planner.Step {
	for _, server := range servers {
		s.Servers = append(s.Servers, server.Addr().String())
	}
	return s
}

// exclusive makes uploads and resyncs on one server run one at a time.
func exclusive(server *serverBlock) []string { return []string{"backbone " + server.Addr().String()} }

// roles are the halves of the original.
var roles = []string{master, slave}

// prepare adds the steps up to the merged file.
func (s *standing) prepare(q *planner.Sequence) {
	for _, role := range roles {
		if len(s.half(role).unknowns()) > 0 {
			q.Then(s.noErrors(role))
		}
	}
	q.Then(s.preflight())
	guards := s.mark(q, roles...)
	q.Then(guarded(s.stop(master), guards), guarded(s.stop(slave), guards))
	q.Then(s.drained())
	q.Then(s.export(master), s.export(slave))
	q.Then(s.moveProject(), s.merge(q))
}

// build adds the steps until the new synchronization runs. Moving the project may take days. So the steps check that
// the original is still stopped before anything is built on its export, and again before the pairs are uploaded and
// before the start.
func (s *standing) build(q *planner.Sequence) {
	q.Then(s.still())
	guards := append([]string{q.ID(opStill)}, s.markGuards(q)...)
	q.Then(createStep(s.to, s.new))
	if s.Pair == pairByPerson {
		q.Then(s.pairByFile(guards))
	} else {
		q.Then(s.pair(first, guards))
		q.Then(s.pair(second, guards))
	}
	q.Then(configureStep(s.to, guide+", step 3.3: the same issue types, fields, comments and attachments",
		spelled(s.original(), s.staying == slave)))
	q.Then(s.start(guards))
	q.Then(guarded(s.resync(first), s.markGuards(q)), guarded(s.resync(second), s.markGuards(q)))
}

// finish adds the verification and the deletion of the original.
func (s *standing) finish(q *planner.Sequence) {
	q.Then(s.panel())
	s.words(q, roles...)
	q.Then(s.verify())
	if s.deleteOriginal {
		for _, role := range []string{s.moving, s.staying} {
			q.Then(guarded(s.delete(role, q.ID(opVerify), s.half(role).own().Pairs,
				"; the exported pairs stay in the run's files"), s.markGuards(q)))
		}
	}
	s.unmark(q, roles...)
}

// last adds the steps that delete the original of a migration that is otherwise complete. What was resynced, or
// synchronized since, is not sent again.
func (s *standing) last(q *planner.Sequence) {
	for _, role := range roles {
		if len(s.half(role).unknowns()) > 0 {
			q.Then(s.noErrors(role))
		}
	}
	q.Then(s.preflight())
	guards := s.mark(q, roles...)
	v := map[string]cty.Value{}
	configured(v, s.to.endNames(), s.new)
	if len(unreadable(s.to, v)) > 0 || s.new.Conflicts == nil {
		q.Then(configureStep(s.to, "parts of its configuration cannot be read, and the original is deleted for it",
			spelled(s.new.Configuration, false)))
	}
	s.words(q, roles...)
	q.Then(s.verifyRest(s.within, roles...))
	for _, role := range []string{s.moving, s.staying} {
		q.Then(guarded(s.delete(role, q.ID(opRest), s.half(role).own().Pairs, ""), guards))
	}
	s.unmark(q, roles...)
}

// rest adds the steps that finish what another run, or a person, has left: the half that still exists is deleted once
// the new synchronization has all its pairs.
func (s *standing) rest(q *planner.Sequence, role string) {
	guards := s.mark(q, role)
	q.Then(guarded(s.stop(role), guards))
	if s.half(other(role)).unlisted {
		q.Then(s.gone(other(role)))
	}
	s.words(q, role)
	q.Then(s.verifyRest(20*time.Second, role))
	q.Then(guarded(s.delete(role, q.ID(opRest), s.half(role).own().Pairs, ""), guards))
	s.unmark(q, role)
}

// words adds the confirmations that are needed before the verification that precedes a deletion: about the halves
// that are deleted, and about the new synchronization.
func (s *standing) words(q *planner.Sequence, roles ...string) {
	for _, role := range roles {
		if s.half(role).Status == "" {
			q.Then(s.stillStopped(role))
		}
	}
	if h := s.likeNew(); !h.complete() {
		q.Then(s.noErrorsNew())
	}
}

// facts returns the facts that tie a step to the half that was seen when planning.
func (s *standing) facts(role string) []planner.Fact {
	h := s.half(role)
	path := "from." + role + "."
	return []planner.Fact{{Name: path + "connector", Value: h.First.Key}, {Name: path + "integration", Value: h.Key}}
}

// word returns a step in which a person looks at a web page and confirms what it shows. It is planned only if a
// server does not show something that a guard or a deletion relies on. What can be read when it is verified outweighs
// the confirmation.
func word(server *serverBlock, page, action string, values []planner.Value, attest string) planner.Step {
	s := planner.Person("", fmt.Sprintf("look at %s on %s and confirm: %s", page, server.Addr(), attest),
		planner.Manual{
			Where: server.URL.String() + ", Backbone, " + page, Action: action,
			Do:     []string{"Look at the page. Say that this is done only if it shows this: " + attest + "."},
			Values: append([]planner.Value{{Name: "server", Label: "Jira", Value: server.URL.String()}}, values...),
			Attest: attest,
		})
	s.Because, s.Effect = "it cannot be read over REST, and what is not known is never taken for fine",
		&planner.Effect{}
	s.Within = briefly
	return at(s, server)
}

func keyValue(key string) []planner.Value {
	return []planner.Value{{Name: "integration", Label: "Synchronization", Value: key}}
}

// directValues identifies a direct synchronization.
func directValues(s *synchronization) []planner.Value {
	return []planner.Value{
		{Name: "first_project", Label: "Project", Value: s.one.Project},
		{Name: "second_project", Label: "Partner project", Value: s.two.Project},
		{Name: "transport", Label: "Connection", Value: direct},
	}
}
