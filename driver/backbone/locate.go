package backbone

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// located is the synchronization, or the half of one, that a step works on, as its server shows it now.
type located struct {
	*integration // nil if it was not found

	sync     *synchronization
	end      *end // the end whose server has it
	client   *reader
	fares    *health // nil: it has not been read yet
	unlisted bool    // not found, but the list was empty, which proves nothing
}

func (l *located) found() bool { return l.integration != nil }

// target returns the synchronization that a step works on: the original if end is one of its halves, else the new
// one.
func target(t *executor.Task, end string) (*synchronization, error) {
	if t.Resource.Addr.Kind == schema.Sync {
		return declared(decodeSync, t.Resource)
	}
	m, err := declared(decodeMigration, t.Resource)
	switch {
	case err != nil:
		return nil, err
	case end != master && end != slave:
		return m.to, nil
	case m.from == nil:
		return nil, executor.Final(errNotDeclared)
	}
	return m.from, nil
}

// locate finds the synchronization that a step works on. It contacts only the server that has it.
func (d *Driver) locate(ctx context.Context, t *executor.Task, end string) (*located, error) {
	s, err := target(t, end)
	if err != nil {
		return nil, err
	}
	return d.find(ctx, s, end)
}

func (d *Driver) find(ctx context.Context, s *synchronization, name string) (*located, error) {
	l := &located{sync: s, end: s.one}
	if !s.direct() {
		l.end = s.end(name)
	}
	var err error
	if l.client, err = d.reader(l.end.server); err != nil {
		return nil, err
	}
	list, err := l.client.integrations(ctx, l.end.Project)
	if err != nil {
		return nil, err
	}
	l.unlisted = len(list) == 0
	l.integration, err = pick(s, l.end, list)
	return l, err
}

// locateExisting is locate, but it is an error if nothing is found.
func (d *Driver) locateExisting(ctx context.Context, t *executor.Task, end string) (*located, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil || l.found() {
		return l, err
	}
	if t.Resource.Addr.Kind == schema.Migration && l.sync.direct() {
		return nil, fmt.Errorf("%s was not found on %s any more; have it created again: syncctl resolve %s -retry",
			l.sync.name(), l.end.server.Addr(), planner.TypedID(t.Step.Addr, opCreate))
	}
	return nil, fmt.Errorf("%s was not found on %s", l.sync.name(), l.end.server.Addr())
}

// connector returns the key of the connector of one end of a direct synchronization.
func (l *located) connector(end string) string {
	if end == second && l.Second != nil {
		return l.Second.Key
	}
	return l.First.Key
}

// health reads the current state.
func (l *located) health(ctx context.Context) (health, error) {
	if l.fares != nil {
		return *l.fares, nil
	}
	return l.client.healthOf(ctx, l.integration)
}

// isStopped reports whether a half of the original is stopped: by its status or, if that cannot be read, by the
// confirmation of a person in the step word.
func isStopped(t *executor.Task, h health, word string) executor.State {
	switch {
	case h.Status == "STOPPED":
		return executor.Done
	case h.Status != "":
		return executor.NotDone
	case t.IsDone(word):
		return executor.Done
	}
	return executor.Unknown
}
