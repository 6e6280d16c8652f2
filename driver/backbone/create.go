package backbone

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// createSync is the verb of a person's step that creates a direct synchronization: the body of POST /integrations is
// not documented.
var createSync = driver.Verb[*Driver]{Name: opCreate, Verify: (*Driver).verifyCreated}

// createHalf names the steps in which a person creates one half of a synchronization by e-mail or file.
const createHalf = "create"

func createStep(s *synchronization, have *live) planner.Step {
	stay, partner := s.one.server, s.two.server
	summary := fmt.Sprintf("create the direct synchronization %s on %s", s.name(), stay.Addr())
	effect, undo := planner.Effect{Add: 1}, "delete the new synchronization"
	if have.found() {
		summary += fmt.Sprintf(" (%s is there already)", have.Key)
		effect, undo = planner.Effect{}, ""
	}
	step := planner.Person(opCreate, summary, planner.Manual{
		Where:  stay.URL.String() + ", Backbone",
		Action: "create_sync",
		Do: []string{
			fmt.Sprintf("In project %s create a new synchronization with project %s on %s. Do not start it.",
				s.one.Project, s.two.Project, partner.URL),
			"Choose a synchronization user of its own on either side: its changes are never synchronized.",
		},
		Values: []planner.Value{
			{Name: "server", Label: "Jira", Value: stay.URL.String()},
			{Name: "name", Label: "Name", Value: s.name()},
			{Name: "transport", Label: "Connection", Value: direct},
			{Name: "first_project", Label: "Project", Value: s.one.Project},
			{Name: "second_server_url", Label: "Partner Jira", Value: partner.URL.String()},
			{Name: "second_project", Label: "Partner project", Value: s.two.Project},
		},
	})
	step.Because = "the end that stays configures it (" + guide + ", step 3.1); the interface's create call is " +
		"documented without its body"
	step.Effect, step.Undo = &effect, undo
	return at(step, stay)
}

func createHalfStep(s *synchronization, e *end) planner.Step {
	do := []string{fmt.Sprintf("In project %s create a synchronization over %s, as %s.", e.Project, s.Transport,
		e.name)}
	if e.name == master {
		do = append(do, "Download the handshake file and send it to the slave's admin.")
	} else {
		do = append(do, "Create it from the master's handshake file.")
	}
	step := planner.Person("", fmt.Sprintf("create the %s's half of %s on %s", e.name, s.name(), e.server.Addr()),
		planner.Manual{
			Where: e.server.URL.String() + ", Backbone", Action: "create_half", Do: do,
			Values: []planner.Value{
				{Name: "server", Label: "Jira", Value: e.server.URL.String()},
				{Name: "project", Label: "Project", Value: e.Project},
				{Name: "role", Label: "Role", Value: e.name},
				{Name: "transport", Label: "Communication channel", Value: s.Transport},
				{Name: "partner_project", Label: "Partner project", Value: s.end(other(e.name)).Project},
			},
		})
	step.Because = "it is declared and was not found; an e-mail or file synchronization is created in " +
		"the web page only"
	step.Within, step.Effect, step.Undo = settling/2, &planner.Effect{Add: 1}, "delete it again"
	step = forEnd(step, createHalf, e.name)
	step.Verb = opCreate
	return at(step, e.server)
}

func (d *Driver) verifyCreated(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, t.Step.Args[endArg])
	if err != nil {
		return executor.Verdict{}, err
	}
	if !l.found() {
		return executor.NotDone.Because("%s has no such synchronization", l.end.server.Addr()), nil
	}
	why := fmt.Sprintf("%s with connector %s", l.Key, l.First.Key)
	if l.Second != nil {
		why += " and " + l.Second.Key
	}
	return executor.Verdict{State: executor.Done, Why: why, Outputs: map[string]string{"integration": l.Key}}, nil
}
