package backbonesim

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/sandbox/seed"
)

func (w *World) buildSync(in *seedSync, rng *rand.Rand) error {
	if err := seed.OneOf("transport", &in.Transport, file, email, direct); err != nil {
		return err
	}
	if err := seed.OneOf("delivery", &in.Delivery, "automatic", "manual"); err != nil {
		return err
	}
	a, b, err := w.buildEnds(in)
	if err != nil {
		return err
	}
	cfg, err := w.buildConfig(in, a.in.server)
	if err != nil {
		return err
	}
	a.in.config = cfg
	if b.in != a.in {
		b.in.config = cfg.mirrored()
	}
	if g := in.Generate; g != nil {
		if err := w.generate(a, b, g, rng); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	ends := []struct {
		word string
		seed *seedEnd
		c    *connector
	}{{"master", in.Master, a}, {"slave", in.Slave, b}}
	if in.Transport == direct {
		ends[0].word, ends[0].seed, ends[1].word, ends[1].seed = "first", in.First, "second", in.Second
	}
	for _, e := range ends {
		e.c.showPairs()
	}
	for _, e := range ends {
		for n, one := range e.seed.Errors {
			if err := w.plantError(e.c, one); err != nil {
				return fmt.Errorf("%s.errors[%d]: %w", e.word, n, err)
			}
		}
	}
	for n, m := range in.InFlight {
		if err := w.plantMessage(m, ends[0].word, ends[1].word, a, b); err != nil {
			return fmt.Errorf("in_flight[%d]: %w", n, err)
		}
	}
	for _, e := range ends {
		e.c.scanned = w.stamp() // what the seed says was synchronized long ago
	}
	return nil
}

// buildEnds makes the synchronization, or its two halves, with connectors and entries.
func (w *World) buildEnds(in *seedSync) (a, b *connector, err error) {
	if in.Transport == direct {
		if in.First == nil || in.Second == nil || in.Master != nil || in.Slave != nil {
			return nil, nil, errors.New("a direct synchronization has first and second")
		}
		if a, err = w.buildEnd(in, "", in.First); err != nil {
			return nil, nil, fmt.Errorf("first: %w", err)
		}
		s := w.servers[in.Second.Server]
		if s == nil || s.projects[in.Second.Project] == nil {
			return nil, nil, fmt.Errorf("second: there is no project %q on a server %q", in.Second.Project, in.Second.Server)
		}
		if b, err = a.in.buildConnector(s, in.Second); err != nil {
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
	if a, err = w.buildEnd(in, master, in.Master); err != nil {
		return nil, nil, fmt.Errorf("master: %w", err)
	}
	if b, err = w.buildEnd(in, slave, in.Slave); err != nil {
		return nil, nil, fmt.Errorf("slave: %w", err)
	}
	a.in.partner, b.in.partner = b.in, a.in
	a.in.partnerKey, b.in.partnerKey = b.project, a.project
	return a, b, nil
}

func (w *World) buildEnd(in *seedSync, role string, end *seedEnd) (*connector, error) {
	s := w.servers[end.Server]
	if s == nil || s.projects[end.Project] == nil {
		return nil, fmt.Errorf("there is no project %q on a server %q", end.Project, end.Server)
	}
	if s.backbone == "" {
		// "Behind firewall: both DC/Server only" (W/5.21/server/connection-modes); a direct one is run from one Jira.
		return nil, fmt.Errorf("server %s is no Data Center with Backbone, which this end of a %s synchronization needs", s.name, in.Transport)
	}
	if err := seed.OneOf("status", &end.Status, statuses...); err != nil {
		return nil, err
	}
	name := in.Name
	if name == "" {
		name = end.Project
	}
	i := w.newIntegration(s, in.Transport, name)
	if end.Integration != "" {
		if i.key != end.Integration && s.integration(end.Integration) != nil {
			return nil, fmt.Errorf("integration: %s is there twice", end.Integration)
		}
		s.ids.integration--
		i.key = end.Integration
		taken(&s.ids.integration, strings.TrimPrefix(i.key, "INT-"))
	}
	i.role, i.status, i.description, i.planted = role, end.Status, end.Description, slices.Clone(end.Conflicts)
	i.manual, i.deliverAfter = in.Delivery == "manual", in.DeliverAfterMS
	if end.CreatedBy != "" {
		i.createdBy = end.CreatedBy
	}
	created, err := seed.Instant(end.Created, w.now.Add(-90*24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("created: %w", err)
	}
	i.created, i.modified = created.UnixMilli(), created.UnixMilli()
	return i.buildConnector(s, end)
}

func (in *integration) buildConnector(jira *server, end *seedEnd) (*connector, error) {
	name := end.SyncUser
	if name == "" {
		name = jira.syncUser
	}
	if jira.user(name) == nil {
		return nil, fmt.Errorf("sync_user: there is no user %q on %s", name, jira.name)
	}
	if end.Connector != "" && in.server.connector(end.Connector) != nil {
		return nil, fmt.Errorf("connector: %s is there twice", end.Connector)
	}
	c := in.newConnector(jira, end.Project, name)
	if end.Connector != "" {
		in.server.ids.connector--
		c.key = end.Connector
		var n int64
		if _, err := fmt.Sscanf(c.key, "CON-%d-", &n); err == nil {
			taken(&in.server.ids.connector, strconv.FormatInt(n, 10))
		}
	}
	c.jql = end.JQL
	if _, err := parseJQL(c.jql, jira); err != nil {
		return nil, fmt.Errorf("jql: %w", err)
	}
	ids := map[int64]bool{}
	for n, raw := range end.Pairs {
		p, err := parsePair(raw)
		if err != nil {
			return nil, fmt.Errorf("pairs[%d]: %w", n, err)
		}
		if projectOf(p.local) != c.project || c.byLocal[p.local] != nil || c.byRemote[p.remote] != nil || p.id != 0 && ids[p.id] {
			return nil, fmt.Errorf("pairs[%d]: %s is of another project, or is there twice", n, p.local)
		}
		ids[p.id] = true
		c.addPair(p)
	}
	return c, nil
}

// showPairs gives the paired issues their sync info panels.
func (c *connector) showPairs() {
	for _, p := range c.pairs {
		if i := c.tab().byKey[p.local]; i != nil {
			*i.panel(c.in.panelKey()) = panel{partner: p.remote, lastSent: p.lastOut, lastGotten: p.lastIn}
		}
	}
}

func (w *World) buildConfig(in *seedSync, s *server) (config, error) {
	cfg := config{comments: in.Comments, attachments: in.Attachments}
	for n, t := range in.IssueTypes {
		if t == nil {
			return cfg, fmt.Errorf("issue_types[%d]: is null", n)
		}
		cfg.issueTypes = append(cfg.issueTypes, typeMapping{id: next(&s.ids.mapping), first: t.First, second: t.Second})
	}
	for n, f := range in.Fields {
		if f == nil || f.First == "" || f.Second == "" {
			return cfg, fmt.Errorf("fields[%d]: needs first and second", n)
		}
		if err := seed.OneOf("type", &f.Type, mappingTypes...); err != nil {
			return cfg, fmt.Errorf("fields[%d].%w", n, err)
		}
		if err := seed.OneOf("direction", &f.Direction, directions...); err != nil {
			return cfg, fmt.Errorf("fields[%d].%w", n, err)
		}
		taken(&s.ids.mapping, f.ID)
		if f.ID == "" {
			f.ID = next(&s.ids.mapping)
		}
		if slices.ContainsFunc(cfg.fields, func(x fieldMapping) bool { return x.id == f.ID }) {
			return cfg, fmt.Errorf("fields[%d]: id %s is there twice", n, f.ID)
		}
		cfg.fields = append(cfg.fields, fieldMapping{
			id: f.ID, first: f.First, second: f.Second, typ: f.Type, direction: f.Direction, prefix: f.Prefix, values: f.Values,
		})
	}
	return cfg, nil
}

// plantError puts an issue in error: messages of the partner have come that cannot be applied.
func (w *World) plantError(c *connector, in *seedError) error {
	if in == nil || in.Error == "" {
		return errors.New("needs issue and error")
	}
	p := c.byLocal[in.Issue]
	if p == nil {
		return fmt.Errorf("issue %q is not paired", in.Issue)
	}
	from := c.peer()
	theirs := from.byLocal[p.remote]
	i := from.tab().byKey[p.remote]
	if theirs == nil || i == nil || in.Messages < 0 || in.Messages > 1000 {
		return fmt.Errorf("issue %q has no partner that could have sent it messages", in.Issue)
	}
	e := &issueError{local: p.local, remote: p.remote, text: in.Error, occurred: w.stamp(), planted: true}
	for range max(1, in.Messages) {
		m := from.compose(i, func(fieldMapping) bool { return true })
		if m == nil {
			return fmt.Errorf("issue %q has a type that is not mapped", in.Issue)
		}
		theirs.out++
		m.seq, m.at = theirs.out, w.stamp()
		theirs.lastOut = m.at
		e.queue = append(e.queue, m)
	}
	c.errors = append(c.errors, e)
	return nil
}

// plantMessage edits an issue and leaves the message about it on the way.
func (w *World) plantMessage(in *seedInFlight, first, second string, a, b *connector) error {
	if in == nil {
		return errors.New("is null")
	}
	c := map[string]*connector{first: a, second: b}[in.From]
	if c == nil {
		return fmt.Errorf("from: %q is neither %s nor %s", in.From, first, second)
	}
	i, p := c.tab().byKey[in.Issue], c.byLocal[in.Issue]
	if i == nil || p == nil {
		return fmt.Errorf("issue %q is not there or not paired", in.Issue)
	}
	maps.Copy(i.fields, in.Fields)
	m := c.compose(i, func(f fieldMapping) bool { _, ok := in.Fields[c.local(f)]; return ok })
	if m == nil {
		return fmt.Errorf("issue %q has a type that is not mapped", in.Issue)
	}
	w.send(c, i, p, m)
	return nil
}
