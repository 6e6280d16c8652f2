package backbone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// spot is where one half is marked.
type spot struct {
	client      *reader
	project, of string
	seen        *mark
}

func (p *spot) String() string { return fmt.Sprintf("%s on %s", p.of, p.client.server.Addr()) }

// look reads the mark again.
func (p *spot) look(ctx context.Context) error {
	seen, err := p.client.seeMark(ctx, markPlace(p.project, p.of))
	if err == nil && seen.Unknown != "" {
		err = errors.New(seen.Unknown)
	}
	if err != nil {
		return fmt.Errorf("looking for the mark of %s: %w", p, err)
	}
	p.seen = seen.Mark
	return nil
}

// spots returns the places of a step's marks, with the marks that are there now. The first place decides.
func (d *Driver) spots(ctx context.Context, t *executor.Task, m *migration) ([]*spot, error) {
	if m.from == nil {
		return nil, executor.Final(errNotDeclared)
	}
	var out []*spot
	for _, role := range roles {
		of, ok := t.Step.Args[role]
		if !ok {
			continue
		}
		e := m.from.end(role)
		c, err := d.reader(e.server)
		if err != nil {
			return nil, err
		}
		p := &spot{client: c, project: e.Project, of: of}
		if err := p.look(ctx); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the step names no half of the original")
	}
	return out, nil
}

// markFile is the run's file with its own mark. It is written before the mark, so that a run can recognize the mark
// of a process that died.
const markFile = "mark.json"

// ownMark returns the mark of this run, or nil if it has none yet.
func ownMark(t *executor.Task) (*mark, error) {
	f, err := t.Files.Open(markFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &mark{}
	if err := json.NewDecoder(f).Decode(m); err != nil {
		return nil, fmt.Errorf("reading the run's file %s: %w", markFile, wording.Short(err))
	}
	return m, nil
}

// newMark returns the mark of this run, and makes it at the first call.
func (d *Driver) newMark(ctx context.Context, t *executor.Task) (*mark, error) {
	if m, err := ownMark(t); m != nil || err != nil {
		return m, err
	}
	m := &mark{Run: t.Run, Migration: t.Step.Addr, Since: d.env.Now().UTC(), By: d.whoami()}
	_, err := t.Files.Create(ctx, markFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(m) })
	return m, err
}

// whoami returns user@host, as far as the environment tells.
func (d *Driver) whoami() string {
	first := func(names ...string) string {
		for _, name := range names {
			if d.env.LookupEnv == nil {
				break
			}
			if v, _ := d.env.LookupEnv(name); v != "" {
				return wording.OneLine(v)
			}
		}
		return ""
	}
	user, host := first("USER", "USERNAME"), first("HOSTNAME", "COMPUTERNAME")
	if host != "" {
		host = "@" + host
	}
	return user + host
}

// mark reads the mark that decides, writes it, reads it again, and then writes the other one. A run whose mark of the
// other half is overwritten has already lost the first one.
func (d *Driver) mark(ctx context.Context, t *executor.Task) (executor.Result, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	own, err := d.newMark(ctx, t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	spots, err := d.spots(ctx, t, m)
	if err == nil {
		err = notOurs(takenOver(t), own, spots[0])
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	for i, p := range spots {
		if own.same(p.seen) {
			continue
		}
		w, err := d.writer(p.client.server)
		if err == nil {
			err = w.setProperty(ctx, p.project, markKey(p.of), own)
		}
		if rest.IsStatus(err, http.StatusForbidden, http.StatusNotFound) {
			err = fmt.Errorf("%w: the user must administer project %s there; let it, or give this run up (syncctl resolve "+
				"-abandon) and set mark = %q in %s: then runs in other folders are not kept out", err, p.project, markNone,
				m.Addr())
		}
		switch {
		case err != nil && i > 0:
			return executor.Result{}, changed(err)
		case err != nil:
			return executor.Result{}, err
		case i > 0:
			continue
		}
		if err := p.look(ctx); err != nil {
			return executor.Result{}, err
		}
		if err := notOurs(takenOver(t), own, p); err != nil {
			return executor.Result{}, err
		}
	}
	return executor.Result{}, nil
}

// changed returns an error about which it is known that something was changed before, whatever the failed request
// did.
func changed(err error) error { return errors.New(err.Error()) }

// notOurs returns an error if the mark of another run is in the way.
func notOurs(taken []string, own *mark, p *spot) error {
	if p.seen == nil || own.same(p.seen) || takes(taken, p.seen) {
		return nil
	}
	return executor.Final(fmt.Errorf("another run is at %s: %s; this run does nothing before that one is at its end. If "+
		"it was abandoned, syncctl plan says what to do", p, p.seen))
}

// verifyMark checks that all marks are this run's.
func (d *Driver) verifyMark(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return d.ours(ctx, t)
}

// verifyMarked checks that the mark that decides is still this run's.
func (d *Driver) verifyMarked(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.ours(ctx, t)
	if err == nil && v.State == executor.NotDone {
		v.Why += "; write it again: syncctl resolve " + planner.TypedID(t.Step.Addr, markOp(t)) + " -retry"
	}
	return v, err
}

// markOp returns the op of the step that writes the mark that t checks.
func markOp(t *executor.Task) string {
	if role := ofHalf(t); role != "" {
		return op(opMark, role)
	}
	return opMark
}

func (d *Driver) ours(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	own, err := ownMark(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	spots, err := d.spots(ctx, t, m)
	if err != nil {
		return executor.Verdict{}, err
	}
	if err := notOurs(takenOver(t), own, spots[0]); err != nil {
		return executor.Verdict{}, err
	}
	for _, p := range spots {
		if !own.same(p.seen) {
			return executor.NotDone.Because("%s does not have the mark of this run", p), nil
		}
	}
	return executor.Done.Because("%s has the mark of this run", spots[0]), nil
}

// unmark removes the marks, the one that decides last: who holds it owns the other one.
func (d *Driver) unmark(ctx context.Context, t *executor.Task) (executor.Result, error) {
	left, err := d.leftMarks(ctx, t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	for i, p := range slices.Backward(left) {
		w, err := d.writer(p.client.server)
		if err == nil {
			err = w.deleteProperty(ctx, p.project, markKey(p.of))
		}
		if err != nil && i < len(left)-1 {
			err = changed(err)
		}
		if err != nil {
			return executor.Result{}, err
		}
	}
	return executor.Result{}, nil
}

func (d *Driver) verifyUnmarked(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	left, err := d.leftMarks(ctx, t)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(left) > 0 {
		return executor.NotDone.Because("%s still has the mark of this run", left[0]), nil
	}
	return executor.Done.Because("no mark of this run is left"), nil
}

// leftMarks returns the marks that this run has to remove.
func (d *Driver) leftMarks(ctx context.Context, t *executor.Task) ([]*spot, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return nil, err
	}
	own, err := ownMark(t)
	if err != nil {
		return nil, err
	}
	spots, err := d.spots(ctx, t, m)
	if err != nil {
		return nil, err
	}
	holds := own.same(spots[0].seen)
	var left []*spot
	for _, p := range spots {
		if p.seen != nil && (holds || own.same(p.seen)) {
			left = append(left, p)
		}
	}
	return left, nil
}
