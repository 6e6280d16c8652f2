package backbone

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// moveProject is the verb of a person's step that moves the project to the cloud with Atlassian's assistant.
var moveProject = driver.Verb[*Driver]{Name: opMove, Verify: (*Driver).verifyMoved}

// sampleMoved is the number of exported issues that are looked up in the cloud.
const sampleMoved = 5

func (s *standing) moveProject() planner.Step {
	project, from, to := s.to.two.Project, s.from.end(s.moving).server, s.site()
	step := planner.Person(opMove,
		fmt.Sprintf("move project %s from %s to the cloud site %s%s", project, from.Addr(), to.Addr(),
			map[bool]string{true: " (it is there already)"}[s.moved]),
		planner.Manual{
			Where:  "Jira Cloud Migration Assistant of " + from.URL.String(),
			Action: "move_project_to_cloud",
			Do: []string{
				"Lock the project for everyone, so that nobody edits it while it moves.",
				fmt.Sprintf("Migrate project %s with its issues, comments and attachments to %s. Its key must stay %s.",
					project, to.URL, project),
				"Wait until the assistant reports success, then come back.",
			},
			Values: []planner.Value{
				{Name: "server", Label: "From", Value: from.URL.String()},
				{Name: "project", Label: "Project", Value: project},
				{Name: "cloud_server", Label: "To", Value: to.URL.String()},
			},
		})
	step.Because = "the new synchronization is with the project in the cloud; the move itself is Atlassian's " +
		"(Jira Cloud Migration Assistant), not Backbone's"
	step.Undo = "the project in the cloud is a copy: the one on the server is still there"
	return at(step, to)
}

// verifyMoved checks that the cloud shows the project and a few of its issues.
func (d *Driver) verifyMoved(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	project := m.to.two.Project
	c, err := d.reader(m.site())
	if err != nil {
		return executor.Verdict{}, err
	}
	if ok, err := c.hasProject(ctx, project); err != nil || !ok {
		return executor.NotDone.Because("project %s is not on %s", project, m.site().Addr()), err
	}
	if err := intact(ctx, t, exportFile(m.moving)); err != nil {
		return executor.Verdict{}, err
	}
	keys, err := sampleKeys(t.Files, exportFile(m.moving), sampleMoved)
	if err != nil {
		return executor.Verdict{}, err
	}
	var want []string
	for _, k := range keys {
		want = append(want, k.local)
	}
	have, err := c.issues(ctx, want)
	if err != nil {
		return executor.Verdict{}, err
	}
	for _, k := range want {
		if _, ok := have[k]; !ok {
			return executor.NotDone.Because("project %s is in the cloud, but issue %s was not found", project, k), nil
		}
	}
	return executor.Done.Because("project %s answers in the cloud, with %d of its issues looked at", project,
		len(keys)), nil
}
