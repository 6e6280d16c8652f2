package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// executeSync carries out what there is an interface for: the category and the role.
func (d *Driver) executeSync(ctx context.Context, t *executor.Task, sync *schema.Resource) (executor.Result, error) {
	switch t.Step.Op {
	case opCreateCategory:
		return d.createCategory(ctx, t, sync.Ref("target"))
	case opGrantRole:
		return executor.Result{}, d.grantRole(ctx, t, sync.Ref("target"))
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: there is no interface for it", t.Step.ID))
}

// createCategory creates what is missing of a path, from the top.
func (d *Driver) createCategory(ctx context.Context, t *executor.Task, target *schema.Resource) (executor.Result, error) {
	inv, err := d.takeInventory(ctx, target)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	w, err := d.writer(target)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	parent, path, created := "", "", false
	for _, name := range strings.Split(t.Step.Args["path"], "/") {
		path = strings.TrimPrefix(path+"/"+name, "/")
		if c := inv.category(path); c != nil && inv.paths[c.ID] == path {
			parent = c.ID
			continue
		}
		if parent, err = w.CreateCategory(ctx, name, parent); err != nil {
			err = fmt.Errorf("creating category %q on %s: %w", path, target.Addr, err)
			if created {
				return executor.Result{}, err
			}
			return executor.Result{}, written(err)
		}
		created = true
	}
	return executor.Result{Outputs: map[string]string{"id": parent}}, nil
}

func (d *Driver) grantRole(ctx context.Context, t *executor.Task, target *schema.Resource) error {
	inv, err := d.takeInventory(ctx, target)
	if err != nil {
		return executor.NotSent(err)
	}
	path, user := t.Step.Args["path"], t.Step.Args["user"]
	c := inv.category(path)
	if c == nil {
		return executor.NotSent(fmt.Errorf("giving a role: category %q is not on %s", path, target.Addr))
	}
	roles, err := inv.client.Roles(ctx)
	if err != nil {
		return executor.NotSent(fmt.Errorf("reading the roles of %s: %w", target.Addr, err))
	}
	at := slices.IndexFunc(roles, func(r osmc.Role) bool { return slices.Contains(syncRoles, r.Name) })
	if at < 0 {
		return executor.NotSent(fmt.Errorf("giving a role: %s has no role %s", target.Addr, syncRoles[0]))
	}
	w, err := d.writer(target)
	if err != nil {
		return executor.NotSent(err)
	}
	if err := w.GrantCategoryRole(ctx, c.ID, roles[at].ID, user, inv.facts.Release); err != nil {
		return written(fmt.Errorf("giving %s the role %s on category %q of %s: %w", user, roles[at].Name, path, target.Addr, err))
	}
	return nil
}

// written tells the executor what the client knows: an error after which nothing can have been changed, or one that leaves it
// open. A refusal (4xx) changes nothing.
func written(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Status == http.StatusTooManyRequests { // not carried out, and welcome later
		after, ok := e.RetryAfter()
		if !ok {
			after = politePause
		}
		return &executor.Later{After: after, Err: err}
	}
	refused := e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
	if refused || osmc.WasSent(err) == rest.SentNo {
		return executor.NotSent(err)
	}
	return err
}

// politePause is waited where a server says that it is too much and not when to come again.
const politePause = 10 * time.Second
