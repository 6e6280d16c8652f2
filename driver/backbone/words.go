package backbone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The steps of this file record a person's word where a server does not say what a guard or a deletion rests on. They are
// planned only where something could not be read. What can be read when they are verified counts more than the word.

// newEnd stands for the new synchronization in the verbs that exist for it and for each half of the original.
const newEnd = "new"

const (
	opNoErrors     = "no_errors_"     // + master, slave, new
	opGone         = "gone_"          // + master, slave
	opStillStopped = "still_stopped_" // + master, slave
	opStopByHand   = "stop_by_hand_"  // + master, slave
	opStartByHand  = "start_by_hand"
)

// unknowns names what preflight wants to know of a half and cannot read.
func (h *half) unknowns() []string {
	var out []string
	if h.InError == nil {
		out = append(out, "how many issues are in error")
	}
	if h.Conflicts == nil {
		out = append(out, "whether its configuration has conflicts")
	}
	return out
}

// newUnreadable: the server that stays does not say all of a status. That the new synchronization's will not either is
// concluded from the half of the original that lives there, until there is a new one.
func (m *migrating) newUnreadable() bool {
	if m.facts.New.Found {
		return !m.facts.New.complete()
	}
	h := m.facts.end(m.staying)
	return h.Found && !h.complete()
}

func (m *migrating) newStatusUnreadable() bool {
	if m.facts.New.Found {
		return m.facts.New.Status == ""
	}
	h := m.facts.end(m.staying)
	return h.Found && h.Status == ""
}

// words adds what a person must say before the verification that a deletion rests on: of the halves that are to be deleted, and
// of the new synchronization.
func (m *migrating) words(l *list, roles ...string) {
	for _, role := range roles {
		if m.facts.end(role).Status == "" {
			l.then(m.stillStopped(role))
		}
	}
	if m.newUnreadable() {
		l.then(m.noErrorsNew())
	}
}

// word makes a step in which a person looks at a web page and says what it shows.
func word(op string, server *schema.Resource, page, action string, values []planner.Value, attest string) planner.Step {
	return planner.Step{
		Op: op, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(5 * time.Second),
		Summary: fmt.Sprintf("look at %s on %s and confirm: %s", page, server.Addr, attest),
		Because: "it cannot be read over REST, and what is not known is never taken for fine",
		Manual: &planner.Manual{
			Where: server.Text("url") + ", Backbone, " + page, Action: action,
			Do:     []string{"Look at the page. Say that this is done only if it shows this: " + attest + "."},
			Values: append([]planner.Value{{Name: "server", Label: "Jira", Value: server.Text("url")}}, values...),
			Attest: attest,
		},
		Effect: &planner.Effect{},
	}
}

func integrationValue(key string) []planner.Value {
	return []planner.Value{{Name: "integration", Label: "Synchronization", Value: key}}
}

func (m *migrating) newValues() []planner.Value {
	return []planner.Value{
		{Name: "first_project", Label: "Project", Value: m.to.Text(first, "project")},
		{Name: "second_project", Label: "Partner project", Value: m.to.Text(second, "project")},
		{Name: "transport", Label: "Connection", Value: direct},
	}
}

func (m *migrating) noErrors(role string) planner.Step {
	h := m.facts.end(role)
	return word(opNoErrors+role, m.from.Ref(role, "server"), h.Key, "confirm_no_errors", integrationValue(h.Key),
		fmt.Sprintf("no issue of %s is in error, as its troubleshooting tab shows, and no tab of its configuration shows a warning", h.Key))
}

func (m *migrating) noErrorsNew() planner.Step {
	s := word(opNoErrors+newEnd, m.stay, syncName(m.to), "confirm_no_errors", append(m.newValues(),
		planner.Value{Name: "status", Label: "Status", Value: "RUNNING"}),
		fmt.Sprintf("%s is RUNNING, no issue of it is in error, as its troubleshooting tab shows, and no message waits", syncName(m.to)))
	s.Within = m.verifyWithin()
	return s
}

func (m *migrating) gone(role string) planner.Step {
	return word(opGone+role, m.from.Ref(role, "server"), "the overview", "confirm_gone",
		[]planner.Value{{Name: "project", Label: "Project", Value: m.from.Text(role, "project")}},
		fmt.Sprintf("project %s has no synchronization by %s with project %s any more",
			m.from.Text(role, "project"), m.from.Text("transport"), m.from.Text(other(role), "project")))
}

func (m *migrating) stillStopped(role string) planner.Step {
	h := m.facts.end(role)
	return word(opStillStopped+role, m.from.Ref(role, "server"), h.Key, "confirm_stopped", integrationValue(h.Key), h.Key+" is still STOPPED")
}

// stopByHand stops a half whose status cannot be read: the request could be sent, but nothing would show its effect.
func (m *migrating) stopByHand(role string) planner.Step {
	h := m.facts.end(role)
	s := m.stop(role)
	return byHand(s, opStopByHand+role, m.from.Ref(role, "server"), "stop_sync", "Stop "+h.Key+" in the overview.", integrationValue(h.Key), h.Key+" is STOPPED")
}

func (m *migrating) startByHand(start planner.Step) planner.Step {
	name := syncName(m.to)
	return byHand(start, opStartByHand, m.stay, "start_sync", "Start "+name+" in the overview.", m.newValues(), name+" is RUNNING")
}

// byHand gives a step to a person, because its effect cannot be read over REST.
func byHand(s planner.Step, op string, server *schema.Resource, action, do string, values []planner.Value, attest string) planner.Step {
	s.Op, s.Mark, s.Within = op, planner.MarkPerson, planner.Duration(5*time.Second)
	s.Because += "; its status cannot be read over REST, so a person does it"
	s.Manual = &planner.Manual{
		Where: server.Text("url") + ", Backbone", Action: action, Do: []string{do},
		Values: append([]planner.Value{{Name: "server", Label: "Jira", Value: server.Text("url")}}, values...),
		Attest: attest,
	}
	return s
}

// stands tells whether a half of the original stands still: by its status or, where that cannot be read, by the word of a
// person, who said so last in one of the given steps.
func stands(t *executor.Task, h *half, role string, words ...string) executor.State {
	switch h.Status {
	case "STOPPED":
		return executor.Done
	case "":
		for _, op := range words {
			if t.IsDone(op + role) {
				return executor.Done
			}
		}
		return executor.Unknown
	}
	return executor.NotDone
}

func unknown(format string, args ...any) executor.Verdict {
	return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf(format, args...)}
}

// verifyNoErrors reads what can be read. Anything that is wrong refuses, whatever the person says.
func (d *Driver) verifyNoErrors(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	if end == newEnd {
		l, err := d.locateExisting(ctx, t, first)
		if err != nil {
			return executor.Verdict{}, err
		}
		return d.verifyNewFares(ctx, l)
	}
	h, err := d.readHalf(ctx, target(t, end), end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !h.Found {
		return notDone("the %s's half was not found", end), nil
	}
	if len(h.Conflicts) > 0 {
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s has %s: %s", h.Key, plural(len(h.Conflicts), "conflict"), strings.Join(h.Conflicts, "; ")))
	}
	if h.InError != nil && *h.InError > 0 {
		return executor.Verdict{}, inErrorOn(h.Key, *h.InError)
	}
	if u := h.unknowns(); len(u) > 0 {
		return unknown("of %s it cannot be read %s", h.Key, strings.Join(u, " and ")), nil
	}
	return done("no issue of " + h.Key + " is in error, and it has no conflict"), nil
}

// verifyNewFares waits, before the person is asked, as long as the message numbers show that something is under way.
func (d *Driver) verifyNewFares(ctx context.Context, l *located) (executor.Verdict, error) {
	h, err := l.client.healthOf(ctx, l.integration)
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := fares(l.Key, h, false)
	if err != nil || v.State != executor.Unknown || h.Idle != nil {
		return v, err
	}
	var tallies [2]syncinfo.Tally
	drain, err := compareConnectors(ctx, [2]end{{l.client, l.First.Key}, {l.client, l.Second.Key}}, &tallies)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !drain.Empty() {
		return executor.Verdict{State: executor.Partial, Working: true, Why: oneLine(drain.String())}, nil
	}
	return v, nil
}

func inErrorOn(key string, n int) error {
	return executor.Final(fmt.Errorf("%s in error on %s: open its troubleshooting tab", plural(n, "issue"), key))
}

// fares says whether the new synchronization runs, with no issue in error and nothing to do. What cannot be read leaves the
// verdict unknown, unless a person has said it.
func fares(key string, h health, word bool) (executor.Verdict, error) {
	switch {
	case h.Status != "" && h.Status != "RUNNING":
		return notDone("%s is %s", key, h.Status), nil
	case h.InError != nil && *h.InError > 0:
		return executor.Verdict{}, inErrorOn(key, *h.InError)
	case h.Idle != nil && !*h.Idle:
		return notDone("%s is still working", key), nil
	case h.complete():
		return done(key + " runs, no issue in error"), nil
	case word:
		return done("by a person's word " + key + " runs, no issue in error"), nil
	}
	var missing []string
	for _, m := range []struct {
		unknown bool
		what    string
	}{{h.Status == "", "its status"}, {h.InError == nil, "how many issues are in error"}, {h.Idle == nil, "whether it is working"}} {
		if m.unknown {
			missing = append(missing, m.what)
		}
	}
	return unknown("of %s it cannot be read: %s", key, strings.Join(missing, ", ")), nil
}

func (d *Driver) verifyGone(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	from := target(t, role)
	c, err := d.reader(from.Ref(role, "server"))
	if err != nil {
		return executor.Verdict{}, err
	}
	i, empty, err := findHalf(ctx, c, from, role)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case i != nil:
		return executor.Verdict{}, executor.Final(fmt.Errorf("%s is there: plan again", i.Key))
	case empty:
		return unknown("%s lists no synchronization of project %s, which proves nothing", from.Ref(role, "server").Addr, from.Text(role, "project")), nil
	}
	return done("project " + from.Text(role, "project") + " has other synchronizations only"), nil
}

// verifyStands verifies the steps in which a person stops a half, or sees that it still stands still.
func (d *Driver) verifyStands(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	h, err := d.readHalf(ctx, target(t, role), role)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case !h.Found:
		return notDone("the %s's half was not found", role), nil
	case h.Status == "":
		return unknown("the status of %s cannot be read", h.Key), nil
	case h.Status != "STOPPED":
		return notDone("%s is %s", h.Key, h.Status), nil
	}
	return done(h.Key + " is STOPPED"), nil
}
