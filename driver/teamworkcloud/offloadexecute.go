package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// executeMigration carries out what is done at the machines. What is done on web pages, or where no machine is declared, are a
// person's steps and never come here.
func (d *Driver) executeMigration(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if t.Resource.Ref("sync") == nil {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s is not declared any more", t.Resource.Text("sync")))
	}
	op, end := splitEnd(t.Step.Op)
	switch op {
	case opStop, opStart:
		b, err := d.bench(serverOf(t, end), t.Step.Args[argRelease])
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		if op == opStop {
			d.leave(ctx, serverOf(t, end))
			return b.serviceCommands(ctx, t, b.stop)
		}
		return b.serviceCommands(ctx, t, b.start)
	case opRemove:
		return d.removeResources(ctx, t)
	case opReactivate:
		return d.reactivateResources(ctx, t)
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: Teamwork Cloud has no such step", t.Step.ID))
}

// leave logs out of a server that is about to be stopped: afterwards there is nobody to log out from.
func (d *Driver) leave(ctx context.Context, server *schema.Resource) {
	c, err := d.client(server)
	if err == nil {
		err = c.Close(ctx)
	}
	if err != nil {
		d.env.Log.Warn("logging out", "server", server.Addr.String(), "error", err)
	}
}

// verifyUnchanged guards the removal. Whatever it finds, people are told that the services stand still.
func (d *Driver) verifyUnchanged(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	b, err := d.bench(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.unchanged(ctx, t, b)
	standstill := fmt.Sprintf("; if the services of %s stand still, syncctl apply goes on from here, or start them by hand: %s", b.server.Addr, joined(b.start))
	switch {
	case err != nil:
		return v, fmt.Errorf("%w%s", err, standstill)
	case v.State != executor.Done:
		v.Why += standstill
	}
	return v, nil
}

// unchanged: with the services of the source stopped nothing is in its database that was not verified, and the target still has
// what was.
func (d *Driver) unchanged(ctx context.Context, t *executor.Task, b *bench) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	state, why, err := b.notStopped(ctx)
	if err != nil || state != executor.Done {
		if state == executor.NotDone && t.IsDone(opStop+atSource) {
			why += fmt.Sprintf("; somebody has started them: have them stopped again: syncctl resolve %s -retry", planner.StepID(t.Step.Addr, opStop+atSource))
		}
		return executor.Verdict{State: state, Why: why}, err
	}
	if why, err := b.databaseProblem(ctx, b.host); err != nil || why != "" {
		return executor.Verdict{State: executor.NotDone, Why: why}, err
	}
	if err := d.kept(ctx, t, verified, (*revision.Record).Changed); err != nil {
		return executor.Verdict{}, err
	}
	return b.verifyUntouched(ctx, t, verified, !t.IsDone(opUnchanged))
}

// verifyRemoval: the database lists none of them. Data Manager's own word and exit code count for nothing.
func (d *Driver) verifyRemoval(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	b, err := d.bench(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Verdict{}, err
	}
	return b.verifyRemoved(ctx, verified.IDs(), t.Output(opUnchanged, witnessOutput))
}

// removeResources removes exactly what this run has verified, as far as it is there still. The plan must name the same.
func (d *Driver) removeResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	verified, err := verifiedHere(t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := verified.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{}, executor.NotSent(fmt.Errorf("removing: the %s that this run has verified are not those that the plan is about", wording.Plural(len(ids), "resource")))
	}
	b, err := d.bench(serverOf(t, atSource), t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	held, err := b.manager.holds(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	left := held.of(ids)
	if len(left) == 0 {
		return executor.Result{Note: "none of them is there any more"}, nil
	}
	return b.work(ctx, t, left, removeArgs)
}

// reactivateResources takes the flag off what was looked at before the services were stopped.
func (d *Driver) reactivateResources(ctx context.Context, t *executor.Task) (executor.Result, error) {
	all, err := revision.DecodeRecords(t.Output(opIdle+atTarget, revision.RecordsOutput))
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	ids := all.IDs()
	if len(ids) == 0 || fingerprint(ids) != t.Step.Args[argResources] {
		return executor.Result{}, executor.NotSent(fmt.Errorf("reactivating: the %s that this run has looked at are not those that the plan is about", wording.Plural(len(ids), "resource")))
	}
	b, err := d.bench(serverOf(t, atTarget), t.Step.Args[argRelease])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	state, why, err := b.notStopped(ctx)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if state != executor.Done {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s; have them stopped: syncctl resolve %s -retry", why, planner.StepID(t.Step.Addr, opStop+atTarget)))
	}
	called := all.Names()
	if why, err := b.unfit(ctx, called); err != nil || why != "" {
		return executor.Result{}, executor.NotSent(errors.Join(err, textError(why)))
	}
	category := t.Output(opIdle+atTarget, categoryOutput)
	if category != "" {
		if err := checkIDs([]string{category}); err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
	}
	return b.work(ctx, t, ids, reactivateArgs(category))
}

func textError(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// work has Data Manager do something to resources, batch by batch, and keeps what it says among the run's files.
func (b *bench) work(ctx context.Context, t *executor.Task, ids []string, args func([]string) []string) (executor.Result, error) {
	if err := checkIDs(ids); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	before := b.manager.logSize()
	var said strings.Builder
	failed := b.batches(ctx, t, ids, args, &said)
	name := t.Step.Op + ".txt"
	if _, err := t.Files.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, said.String())
		return err
	}); err != nil {
		t.Log.Warn("keeping what Data Manager said", "file", name, "error", err)
	}
	if failed != nil {
		return executor.Result{}, failed
	}
	if n := b.manager.loggedErrors(before); n > 0 {
		return executor.Result{}, fmt.Errorf("datamanager on %s has written %s into %s", b.host.Name(), wording.Plural(n, "error"), b.manager.logFile())
	}
	return executor.Result{Note: fmt.Sprintf("%s; what Data Manager said is in %s", wording.Plural(len(ids), "resource"), name)}, nil
}

// batches runs the command lines. Its errors say whether something may have been done.
func (b *bench) batches(ctx context.Context, t *executor.Task, ids []string, args func([]string) []string, said *strings.Builder) error {
	for i, command := range eachBatch(b.dataManager, ids, args) {
		t.Report(executor.Progress{Done: int64(i * batch), Total: int64(len(ids)), Unit: "resources"})
		out, err := b.host.Run(ctx, host.Command{Args: command})
		if err != nil {
			err = fmt.Errorf("running %s on %s: %w", shown(command[len(b.dataManager):]), b.host.Name(), err)
			if i == 0 && host.WasStarted(err) == host.StartedNo {
				return executor.NotSent(err)
			}
			return err
		}
		fmt.Fprintf(said, "$ %s\n%s%s(exit code %d)\n", host.Quote(command), out.Stdout, out.Stderr, out.Code)
		if why := reportedError(out); why != "" {
			return fmt.Errorf("%s on %s: %s", shown(command[len(b.dataManager):]), b.host.Name(), why)
		}
	}
	return nil
}

// reportedError is what a command that does something says went wrong, "" if it says nothing of the kind.
func reportedError(out host.Output) string {
	if why := brokenOff(out); why != "" {
		return why
	}
	for _, line := range wording.Lines(out.Stdout) {
		if saysError(line) {
			return "it says " + wording.Quote(line)
		}
	}
	return ""
}

// logSize is how long Data Manager's log is, -1 if it cannot be read: then its word must do.
func (m dataManager) logSize() int64 {
	info, err := m.host.Files().Stat(m.logFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0
	case err != nil:
		return -1
	}
	return info.Size()
}

// loggedErrors counts what the log has of errors beyond a length.
func (m dataManager) loggedErrors(from int64) int {
	const most = 1 << 20
	f, err := m.host.Files().Open(m.logFile())
	if err != nil || from < 0 {
		return 0
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return 0
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return 0
	}
	n := 0
	for _, line := range wording.Lines(string(text)) {
		if logLine.MatchString(line) && logError.MatchString(line) {
			n++
		}
	}
	return n
}

// migrationFacts reads the named facts again. Those about the target alone are read of the target alone: the source's services
// may be stopped by then.
func (d *Driver) migrationFacts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	sync := r.Ref("sync")
	if sync == nil {
		return out, nil
	}
	for _, name := range names {
		switch end, what, _ := strings.Cut(name, "."); {
		case what == "major" && (end == atSource || end == atTarget):
			inv, err := d.greet(ctx, sync.Ref(end))
			if err != nil {
				return nil, err
			}
			out[name] = inv.facts.Major
		case name == "source.resources":
			f, err := d.readOffload(ctx, r)
			if err != nil {
				return nil, err
			}
			out[name] = resourcesText(newOffloading(r, f, nil).present)
		default:
			return nil, fmt.Errorf("reading fact %q: it is none of an offload's", name)
		}
	}
	return out, nil
}
