package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// bench is a server's machine at work: its commands, and its Data Manager.
type bench struct {
	upkeep
	host    host.Host
	manager dataManager
}

// bench reaches the machine of a server. The release comes from the plan: a server whose services are stopped cannot be asked.
func (d *Driver) bench(server *schema.Resource, release string) (*bench, error) {
	h, err := d.machine(server)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("%s has no host block: its machine cannot be reached", server.Addr)
	}
	r, _ := osmc.ParseRelease(release)
	u := upkeepOf(server, r)
	return &bench{upkeep: u, host: h, manager: dataManager{host: h, program: u.dataManager}}, nil
}

// answers tells whether a server's REST interface answers, whatever it says. A gateway before it that has nothing behind it
// does not count.
func (d *Driver) answers(ctx context.Context, server *schema.Resource) (bool, error) {
	const retries = 1 // silence is what is expected: asking for long only keeps the server down for longer
	c, err := d.connect(server, retries)
	if err != nil {
		return false, fmt.Errorf("connecting to %s: %w", server.Addr, err)
	}
	defer func() {
		if err := c.Close(ctx); err != nil {
			d.env.Log.Warn("logging out", "server", server.Addr.String(), "error", err)
		}
	}()
	_, _, err = c.Reader().Version(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var failed *rest.Error
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &failed):
		return failed.Status != 0 && !slices.Contains([]int{502, 503, 504}, failed.Status), nil
	}
	return true, nil // whatever it is, it is no silence
}

// notStopped tells whether a server's services are stopped, by the machine's word alone: done, or why not.
func (b *bench) notStopped(ctx context.Context) (executor.State, string, error) {
	state, why, err := b.serviceStatus(ctx, b.host)
	switch {
	case err != nil:
		return executor.Unknown, "", err
	case state == runningUnknown:
		return executor.Unknown, "whether the services of " + b.server.Addr.String() + " are stopped cannot be told: " + why, nil
	case state != runningNo:
		return executor.NotDone, "the services of " + b.server.Addr.String() + " run: " + why, nil
	}
	return executor.Done, "", nil
}

// verifyStopped: the machine says so, and nobody answers. A cluster has more machines than one, and a unit may be called
// otherwise: as long as the server answers, it is not stopped.
func (d *Driver) verifyStopped(ctx context.Context, server *schema.Resource, release string) (executor.Verdict, error) {
	b, err := d.bench(server, release)
	if err != nil {
		return executor.Verdict{}, err
	}
	state, why, err := b.notStopped(ctx)
	if err != nil || state != executor.Done {
		return executor.Verdict{State: state, Why: why}, err
	}
	up, err := d.answers(ctx, server)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case up:
		return notDone("%s says that the services are stopped, but %s still answers: is it another machine, or one of several of a cluster? Name all of them in host.stop and host.status of %s",
			b.host.Name(), server.Text("url"), server.Addr), nil
	}
	return reached("the services of %s are stopped; start them by hand with: %s", server.Addr, joined(b.start)), nil
}

// verifyStarted: the machine says so, and the server is healthy.
func (d *Driver) verifyStarted(ctx context.Context, server *schema.Resource, release string) (executor.Verdict, error) {
	b, err := d.bench(server, release)
	if err != nil {
		return executor.Verdict{}, err
	}
	state, why, err := b.serviceStatus(ctx, b.host)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case state == runningNo || state == runningPartly:
		return notDone("the services of %s do not all run: %s", server.Addr, why), nil
	}
	v, err := d.verifyHealthy(ctx, server)
	if err != nil && state == runningYes { // it is coming up
		return executor.Verdict{State: executor.NotDone, Working: true, Why: err.Error()}, nil
	}
	v.Working = v.State == executor.NotDone && state == runningYes
	return v, err
}

// verifyHealthy asks a server's own word on its health.
func (d *Driver) verifyHealthy(ctx context.Context, server *schema.Resource) (executor.Verdict, error) {
	c, err := d.reader(server)
	if err != nil {
		return executor.Verdict{}, err
	}
	text, _, err := c.Version(ctx)
	if err != nil {
		return executor.Verdict{}, fmt.Errorf("waiting for %s: %w", server.Addr, err)
	}
	health, err := c.Health(ctx)
	if osmc.NotAllowed(err) || osmc.IsGone(err) { // its user may not see it: that it answers and lets us in must do
		return reached("%s answers: %s", server.Addr, wording.OneLine(text)), nil
	}
	if err != nil {
		return executor.Verdict{}, fmt.Errorf("waiting for %s: %w", server.Addr, err)
	}
	if len(health.Nodes) == 0 {
		return notDone("the health of %s shows no node", server.Addr), nil
	}
	for _, n := range health.Nodes {
		if n.Status != "" && !strings.EqualFold(n.Status, "UP") {
			return notDone("node %s of %s is %s", n.Name, server.Addr, n.Status), nil
		}
	}
	if len(health.CassandraUnreachable) > 0 {
		return notDone("%s does not reach Cassandra's %s", server.Addr, wording.List(health.CassandraUnreachable)), nil
	}
	return reached("%s is healthy: %s", server.Addr, wording.OneLine(text)), nil
}

// unfit tells what keeps a machine from being the right one, with a database that can be worked on: every resource must be
// listed by its Data Manager. "" is that it fits.
func (b *bench) unfit(ctx context.Context, resources map[string]string) (string, error) {
	why, err := b.databaseProblem(ctx, b.host)
	if err != nil || why != "" {
		return why, err
	}
	held, err := b.manager.holds(ctx)
	if isUnreadable(err) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	var missing []string
	for id, name := range resources {
		if !held.has(id) {
			missing = append(missing, fmt.Sprintf("%s (%s)", name, id))
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Sprintf("datamanager on %s does not list %s: is this the machine, and the database, of %s?", b.host.Name(), wording.List(missing), b.server.Addr), nil
	}
	return "", nil
}

// serviceCommands runs commands that stop or start services, in order.
func (b *bench) serviceCommands(ctx context.Context, t *executor.Task, commands [][]string) (executor.Result, error) {
	err := runAll(ctx, b.host, commands, func(done int) {
		t.Report(executor.Progress{Done: int64(done), Total: int64(len(commands)), Unit: "commands"})
	})
	if nothingBegun(err) {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{Note: joined(commands)}, err
}

// verifyUntouched looks, with the services stopped, whether the database holds anything of the resources that was not verified:
// what somebody committed while the services were being stopped would be lost. strict: nothing of them may be missing either,
// as long as this run has not begun to remove them.
func (b *bench) verifyUntouched(ctx context.Context, t *executor.Task, verified revision.Records, strict bool) (executor.Verdict, error) {
	held, err := b.manager.holds(ctx)
	if err != nil {
		return unreadableVerdict(err)
	}
	ids := verified.IDs()
	listed := held.of(ids)
	if gone := len(ids) - len(listed); strict && gone > 0 {
		at := slices.IndexFunc(ids, func(id string) bool { return !held.has(id) })
		return executor.Verdict{}, executor.Final(fmt.Errorf("datamanager on %s does not list %s (%s) any more, and this run has not removed it%s", b.host.Name(), verified[ids[at]].Name, ids[at], andMore(gone-1)))
	}
	for i, id := range listed {
		t.Report(executor.Progress{Done: int64(i), Total: int64(len(listed)), Unit: "resources"})
		v, err := b.untouched(ctx, id, verified[id], strict)
		if err != nil || v.State != executor.Done {
			return v, err
		}
	}
	return executor.Verdict{
		State: executor.Done, Outputs: map[string]string{witnessOutput: strings.Join(held.others(ids, mostWitnesses), ",")},
		Why: fmt.Sprintf("the database has no branch and no revision of %s that was not verified", wording.Plural(len(listed), "resource")),
	}, nil
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", nor %d others", n)
}

// untouched is one resource.
func (b *bench) untouched(ctx context.Context, id string, was revision.Record, strict bool) (executor.Verdict, error) {
	known, err := was.VerifiedRevisions()
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	branches, err := b.manager.branches(ctx, id)
	if err != nil {
		return unreadableVerdict(err)
	}
	called, want := map[string]*revision.BranchRecord{}, 0
	for i := range was.Source {
		called[strings.ToLower(was.Source[i].ID)] = &was.Source[i]
		if !was.Source[i].Deleted {
			want++
		}
	}
	found := 0
	for _, branch := range branches {
		if called[branch] == nil {
			return executor.Verdict{}, executor.Final(fmt.Errorf("%s (%s) has a branch %s in the database of %s that was not verified: nothing of it would be left. %s", was.Name, id, branch, b.server.Addr, planAnew))
		}
		found++
		numbers, err := b.manager.revisions(ctx, id, branch)
		if err != nil {
			return unreadableVerdict(err)
		}
		for _, n := range slices.Backward(numbers) {
			if !known[n] {
				return executor.Verdict{}, executor.Final(fmt.Errorf("%s (%s) has a revision %d on branch %s in the database of %s that was not verified: it was committed since, and nothing of it would be left. %s", was.Name, id, n, called[branch].Name, b.server.Addr, planAnew))
			}
		}
		own, err := called[branch].Numbers()
		if err != nil {
			return executor.Verdict{}, executor.Final(err)
		}
		at := slices.IndexFunc(own, func(n int) bool { return !slices.Contains(numbers, n) })
		if at >= 0 && (strict || len(numbers) > 0) {
			return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf("datamanager on %s does not list revision %d of branch %s of %s (%s), which the server had: its listing cannot be relied on. %s",
				b.host.Name(), own[at], called[branch].Name, was.Name, id, byHand)}, nil
		}
	}
	if strict && found < want || found == 0 && want > 0 {
		return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf("datamanager on %s lists %s of %s (%s), the server had %d: its listing cannot be relied on. %s",
			b.host.Name(), wording.Plural(found, "branch"), was.Name, id, want, byHand)}, nil
	}
	return executor.Verdict{State: executor.Done}, nil
}

// byHand is what is left where datamanager's listings cannot be made out.
const byHand = "Look by hand; if all is well, remove the resources by hand and say so: syncctl resolve STEP -done, with the step that removes them"

// unreadableVerdict: a listing that says nothing leaves it unknown; what kept us from asking is an error.
func unreadableVerdict(err error) (executor.Verdict, error) {
	if isUnreadable(err) {
		return executor.Verdict{State: executor.Unknown, Why: err.Error()}, nil
	}
	return executor.Verdict{}, err
}

// witnessOutput names resources that the database lists and that stay: a listing without any of them is not believed.
const (
	witnessOutput = "witnesses"
	mostWitnesses = 5
)

// verifyRemoved: the database lists none of them.
func (b *bench) verifyRemoved(ctx context.Context, ids []string, witnesses string) (executor.Verdict, error) {
	held, err := b.manager.holds(ctx)
	if err != nil {
		return unreadableVerdict(err)
	}
	left := held.of(ids)
	switch {
	case len(left) == len(ids):
		return notDone("the database of %s holds %s", b.server.Addr, allOf(len(ids))), nil
	case len(left) > 0:
		return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("the database of %s still holds %d of %d: %s", b.server.Addr, len(left), len(ids), wording.List(left))}, nil
	}
	if others := strings.FieldsFunc(witnesses, func(r rune) bool { return r == ',' }); len(others) > 0 && len(held.of(others)) == 0 {
		return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf("datamanager on %s lists none of them, but none of the resources that stay either (%s): that is not believed", b.host.Name(), wording.List(others))}, nil
	}
	return reached("the database of %s holds none of the %s any more", b.server.Addr, wording.Plural(len(ids), "resource")), nil
}

func allOf(n int) string {
	if n == 1 {
		return "it"
	}
	return fmt.Sprintf("all %d", n)
}
