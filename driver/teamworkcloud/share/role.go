package share

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var grantRole = driver.Verb[*Sharing]{Name: VerbGrantRole, Execute: (*Sharing).grantRole,
	Verify: (*Sharing).verifyRole}

func (p *Plan) grantRoleStep() planner.Step {
	r := p.Facts.Role
	return planner.Step{
		Op: VerbGrantRole, Servers: []string{p.Facts.Target.Addr}, Mark: planner.MarkChange, Repeat: planner.CheckFirst,
		Exclusive: []string{"rights on " + p.Facts.Target.Addr},
		Summary: fmt.Sprintf("give %s the role %s on category %q of %s", r.User, r.Name, p.Facts.Category.Path,
			p.Facts.Target.Addr) + orBy(p.sharedWith(p.Facts.Category.Path, false)),
		Because: "the user who creates a remote resource configuration needs the role on the category that the copies " +
			"are put into (" + WizardPage + ")",
		Args:   map[string]string{"path": p.Facts.Category.Path, "user": r.User},
		Facts:  p.releaseFacts(atTarget),
		Effect: &planner.Effect{Change: p.granted()},
		Undo:   fmt.Sprintf("take the role %s on that category from %s again", r.Name, r.User),
	}
}

func (p *Plan) granted() int {
	if p.sharedWith(p.Facts.Category.Path, false) != "" {
		return 0
	}
	return 1
}

func (w *Sharing) grantRole(ctx context.Context, t *executor.Task) (executor.Result, error) {
	fail := func(format string, args ...any) (executor.Result, error) {
		return executor.Result{}, executor.NotSent(fmt.Errorf("giving a role: "+format, args...))
	}
	path, user, target := t.Step.Args["path"], t.Step.Args["user"], w.Sync.TargetServer()
	var server *survey.Server
	var inv *survey.Inventory
	var role *survey.Role
	err := survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		if server, inv = v.Server(target), v.Categories(target, path); inv != nil {
			role = v.RoleIn(target, inv, path)
		}
	})
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	c := inv.CategoryAt(path)
	switch {
	case c == nil:
		return fail("%s has no category %q", target.Address(), path)
	case role.RoleID == "":
		return fail("%s lists no role %s", target.Address(), survey.RoleNames[0])
	}
	to, err := w.Servers.Writer(w.Sync.Target)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if err := to.GrantCategoryRole(ctx, c.ID, role.RoleID, user, server.Release); err != nil {
		return executor.Result{}, connect.Sent(fmt.Errorf("giving %s the role %s on category %q of %s: %w", user,
			role.Name, path, target.Address(), err))
	}
	return executor.Result{}, nil
}

func (w *Sharing) verifyRole(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	path, target := t.Step.Args["path"], w.Sync.TargetServer()
	var inv *survey.Inventory
	var role *survey.Role
	err := survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		if inv = v.Categories(target, path); inv != nil {
			role = v.RoleIn(target, inv, path)
		}
	})
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case inv.CategoryAt(path) == nil:
		return executor.NotDone.Because("%s has no category %q", target.Address(), path), nil
	case !role.Known:
		return executor.Unknown.Because("%s does not say who has the role %s on category %q", target.Address(),
			role.Name, path), nil
	case !role.Held:
		return executor.NotDone.Because("%s does not have the role %s on category %q", role.User, role.Name, path), nil
	}
	return executor.Done.Because("%s has the role %s on category %q", role.User, role.Name, path), nil
}
