package build

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

func buildSync(w *state.World, in *seedSync, rng *rand.Rand) error {
	if err := seed.OneOf("transport", &in.Transport, state.File, state.Email, state.Direct); err != nil {
		return err
	}
	if err := seed.OneOf("delivery", &in.Delivery, "automatic", "manual"); err != nil {
		return err
	}
	a, b, err := buildEnds(w, in)
	if err != nil {
		return err
	}
	cfg, err := buildConfig(in, a.In.Server)
	if err != nil {
		return err
	}
	a.In.Config = cfg
	if b.In != a.In {
		b.In.Config = cfg.Mirrored()
	}
	if g := in.Generate; g != nil {
		if err := generate(w, a, b, g, rng); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	ends := []struct {
		word string
		seed *seedEnd
		c    *state.Connector
	}{{"master", in.Master, a}, {"slave", in.Slave, b}}
	if in.Transport == state.Direct {
		ends[0].word, ends[0].seed, ends[1].word, ends[1].seed = "first", in.First, "second", in.Second
	}
	for _, e := range ends {
		showPairs(e.c)
	}
	for _, e := range ends {
		for n, one := range e.seed.Errors {
			if err := plantError(w, e.c, one); err != nil {
				return fmt.Errorf("%s.errors[%d]: %w", e.word, n, err)
			}
		}
	}
	for n, m := range in.InFlight {
		if err := plantMessage(w, m, ends[0].word, ends[1].word, a, b); err != nil {
			return fmt.Errorf("in_flight[%d]: %w", n, err)
		}
	}
	for _, e := range ends {
		e.c.Scanned = w.Stamp() // what the seed says was synchronized long ago
	}
	return nil
}

// buildEnds makes the synchronization, or its two halves, with connectors and entries.
func buildEnds(w *state.World, in *seedSync) (a, b *state.Connector, err error) {
	if in.Transport == state.Direct {
		if in.First == nil || in.Second == nil || in.Master != nil || in.Slave != nil {
			return nil, nil, errors.New("a direct synchronization has first and second")
		}
		if a, err = buildEnd(w, in, "", in.First); err != nil {
			return nil, nil, fmt.Errorf("first: %w", err)
		}
		s := w.Named[in.Second.Server]
		if s == nil || s.Projects[in.Second.Project] == nil {
			return nil, nil, fmt.Errorf("second: there is no project %q on a server %q", in.Second.Project, in.Second.Server)
		}
		if b, err = buildConnector(a.In, s, in.Second); err != nil {
			return nil, nil, fmt.Errorf("second: %w", err)
		}
		return a, b, nil
	}
	if in.Master == nil || in.Slave == nil || in.First != nil || in.Second != nil {
		return nil, nil, errors.New("an email or file synchronization has master and slave, never two of a kind")
	}
	if in.Master.Server == in.Slave.Server {
		return nil, nil, errors.New("master and slave are on two servers")
	}
	if a, err = buildEnd(w, in, state.Master, in.Master); err != nil {
		return nil, nil, fmt.Errorf("master: %w", err)
	}
	if b, err = buildEnd(w, in, state.Slave, in.Slave); err != nil {
		return nil, nil, fmt.Errorf("slave: %w", err)
	}
	a.In.Partner, b.In.Partner = b.In, a.In
	a.In.PartnerKey, b.In.PartnerKey = b.Project, a.Project
	return a, b, nil
}

func buildEnd(w *state.World, in *seedSync, role string, end *seedEnd) (*state.Connector, error) {
	s := w.Named[end.Server]
	if s == nil || s.Projects[end.Project] == nil {
		return nil, fmt.Errorf("there is no project %q on a server %q", end.Project, end.Server)
	}
	if s.Backbone == "" {
		// "Behind firewall: both DC/Server only" (W/5.21/server/connection-modes); a direct one is run from one Jira.
		return nil, fmt.Errorf("server %s is not a Data Center with Backbone, which this end of a %s synchronization "+
			"needs", s.Name, in.Transport)
	}
	if err := seed.OneOf("status", &end.Status, state.Statuses...); err != nil {
		return nil, err
	}
	name := in.Name
	if name == "" {
		name = end.Project
	}
	i := w.NewIntegration(s, in.Transport, name)
	if end.Integration != "" {
		if i.Key != end.Integration && s.Integration(end.Integration) != nil {
			return nil, fmt.Errorf("integration: %s appears twice", end.Integration)
		}
		s.IDs.Integration--
		i.Key = end.Integration
		state.Taken(&s.IDs.Integration, strings.TrimPrefix(i.Key, "INT-"))
	}
	i.Role, i.Status, i.Description, i.Planted = role, end.Status, end.Description, slices.Clone(end.Conflicts)
	i.Manual, i.DeliverAfter = in.Delivery == "manual", in.DeliverAfterMS
	if end.CreatedBy != "" {
		i.CreatedBy = end.CreatedBy
	}
	created, err := seed.Instant(end.Created, w.Now.Add(-90*24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("created: %w", err)
	}
	i.Created, i.Modified = created.UnixMilli(), created.UnixMilli()
	return buildConnector(i, s, end)
}

func buildConnector(in *state.Integration, jira *state.Server, end *seedEnd) (*state.Connector, error) {
	name := end.SyncUser
	if name == "" {
		name = jira.SyncUser
	}
	if jira.User(name) == nil {
		return nil, fmt.Errorf("sync_user: there is no user %q on %s", name, jira.Name)
	}
	if end.Connector != "" && in.Server.Connector(end.Connector) != nil {
		return nil, fmt.Errorf("connector: %s appears twice", end.Connector)
	}
	c := in.NewConnector(jira, end.Project, name)
	if end.Connector != "" {
		in.Server.IDs.Connector--
		c.Key = end.Connector
		var n int64
		if _, err := fmt.Sscanf(c.Key, "CON-%d-", &n); err == nil {
			state.Taken(&in.Server.IDs.Connector, strconv.FormatInt(n, 10))
		}
	}
	c.JQL = end.JQL
	if _, err := jql.Parse(c.JQL, jira); err != nil {
		return nil, fmt.Errorf("jql: %w", err)
	}
	ids := map[int64]bool{}
	for n, raw := range end.Pairs {
		p, err := state.ParsePair(raw)
		if err != nil {
			return nil, fmt.Errorf("pairs[%d]: %w", n, err)
		}
		if state.ProjectOf(p.Local) != c.Project || c.ByLocal[p.Local] != nil || c.ByRemote[p.Remote] != nil ||
			p.ID != 0 && ids[p.ID] {
			return nil, fmt.Errorf("pairs[%d]: %s is of another project, or appears twice", n, p.Local)
		}
		ids[p.ID] = true
		c.AddPair(p)
	}
	return c, nil
}

// showPairs sets the sync info panels of the paired issues.
func showPairs(c *state.Connector) {
	for _, p := range c.Pairs {
		if i := c.Tab().ByKey[p.Local]; i != nil {
			*i.Panel(c.In.PanelKey()) = state.Panel{Partner: p.Remote, LastSent: p.LastOut, LastGotten: p.LastIn}
		}
	}
}

func buildConfig(in *seedSync, s *state.Server) (state.Config, error) {
	cfg := state.Config{Comments: in.Comments, Attachments: in.Attachments}
	for n, t := range in.IssueTypes {
		if t == nil {
			return cfg, fmt.Errorf("issue_types[%d]: is null", n)
		}
		cfg.IssueTypes = append(cfg.IssueTypes,
			state.TypeMapping{ID: state.Next(&s.IDs.Mapping), First: t.First, Second: t.Second})
	}
	for n, f := range in.Fields {
		if f == nil || f.First == "" || f.Second == "" {
			return cfg, fmt.Errorf("fields[%d]: needs first and second", n)
		}
		if err := seed.OneOf("type", &f.Type, state.MappingTypes...); err != nil {
			return cfg, fmt.Errorf("fields[%d].%w", n, err)
		}
		if err := seed.OneOf("direction", &f.Direction, state.Directions...); err != nil {
			return cfg, fmt.Errorf("fields[%d].%w", n, err)
		}
		state.Taken(&s.IDs.Mapping, f.ID)
		if f.ID == "" {
			f.ID = state.Next(&s.IDs.Mapping)
		}
		if slices.ContainsFunc(cfg.Fields, func(x state.FieldMapping) bool { return x.ID == f.ID }) {
			return cfg, fmt.Errorf("fields[%d]: id %s appears twice", n, f.ID)
		}
		cfg.Fields = append(cfg.Fields, state.FieldMapping{
			ID: f.ID, First: f.First, Second: f.Second, Typ: f.Type, Direction: f.Direction, Prefix: f.Prefix,
			Values: f.Values,
		})
	}
	return cfg, nil
}

// plantError puts an issue in error: it has messages from the partner that cannot be applied.
func plantError(w *state.World, c *state.Connector, in *seedError) error {
	if in == nil || in.Error == "" {
		return errors.New("needs issue and error")
	}
	p := c.ByLocal[in.Issue]
	if p == nil {
		return fmt.Errorf("issue %q is not paired", in.Issue)
	}
	from := c.Peer()
	theirs := from.ByLocal[p.Remote]
	i := from.Tab().ByKey[p.Remote]
	if theirs == nil || i == nil || in.Messages < 0 || in.Messages > 1000 {
		return fmt.Errorf("issue %q has no partner that could have sent it messages", in.Issue)
	}
	e := &state.IssueError{Local: p.Local, Remote: p.Remote, Text: in.Error, Occurred: w.Stamp(), Planted: true}
	for range max(1, in.Messages) {
		m := engine.Compose(from, i, func(state.FieldMapping) bool { return true })
		if m == nil {
			return fmt.Errorf("issue %q has a type that is not mapped", in.Issue)
		}
		theirs.Out++
		m.Seq, m.At = theirs.Out, w.Stamp()
		theirs.LastOut = m.At
		e.Queue = append(e.Queue, m)
	}
	c.Errors = append(c.Errors, e)
	return nil
}

// plantMessage edits an issue and leaves the message about it in flight.
func plantMessage(w *state.World, in *seedInFlight, first, second string, a, b *state.Connector) error {
	if in == nil {
		return errors.New("is null")
	}
	c := map[string]*state.Connector{first: a, second: b}[in.From]
	if c == nil {
		return fmt.Errorf("from: %q is neither %s nor %s", in.From, first, second)
	}
	i, p := c.Tab().ByKey[in.Issue], c.ByLocal[in.Issue]
	if i == nil || p == nil {
		return fmt.Errorf("issue %q is not there or not paired", in.Issue)
	}
	maps.Copy(i.Fields, in.Fields)
	m := engine.Compose(c, i, func(f state.FieldMapping) bool { _, ok := in.Fields[engine.Local(c, f)]; return ok })
	if m == nil {
		return fmt.Errorf("issue %q has a type that is not mapped", in.Issue)
	}
	engine.Send(w, c, i, p, m)
	return nil
}
