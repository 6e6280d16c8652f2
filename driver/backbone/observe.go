package backbone

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The kinds of observations of a server, each with what it is about and its type.
const (
	seeList        = "synchronizations" // of a project: listSeen
	seeOne         = "synchronization"  // by its key: syncSeen
	seePairs       = "pairs"            // of a connector: pairsSeen
	seePairsByName = "pairs by name"    // of a connector: pairListSeen; only where the two ends disagree
	// of a connector: pairListSeen; the end that was read first is read again if the other end has pairs that it
	// lacks
	seePairsAgain = "pairs by name, again"
	seeProject    = "project" // of Jira, by its key: projectSeen
	seeMark       = "mark"    // of a half, by its place (markPlace): markSeen
)

// listSeen lists the synchronizations of a project.
type listSeen struct {
	List []integration `json:"list"`
}

// syncSeen is all that a plan needs to know about one synchronization.
type syncSeen struct {
	integration
	health

	Configuration   configuration `json:"configuration"`
	Conflicts       []string      `json:"conflicts"`        // of the configuration; nil: unknown
	ConflictsAnswer string        `json:"conflicts_answer"` // the answer, if it could not be understood
}

// projectSeen reports whether Jira shows a project.
type projectSeen struct {
	Found bool `json:"found"`
}

// Observe makes one observation of a server.
func (d *Driver) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	server, err := declared(declare.Decode[serverBlock], r)
	if err != nil {
		return nil, err
	}
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	switch n.What {
	case seeList:
		list, err := c.integrations(ctx, n.Of)
		return &listSeen{List: list}, err
	case seeOne:
		return c.see(ctx, n.Of)
	case seePairs:
		return c.pairs(ctx, n.Of)
	case seePairsByName, seePairsAgain:
		return c.pairList(ctx, n.Of)
	case seeProject:
		found, err := c.hasProject(ctx, n.Of)
		return &projectSeen{Found: found}, err
	case seeMark:
		return c.seeMark(ctx, n.Of)
	}
	return nil, fmt.Errorf("observing %s: unknown observation", n)
}

// see reads one synchronization, and its conflicts beside it.
func (c *reader) see(ctx context.Context, key string) (*syncSeen, error) {
	s := &syncSeen{}
	err := rest.Beside(ctx, func(ctx context.Context) error {
		return c.seeItself(ctx, key, s)
	}, func(ctx context.Context) (err error) {
		s.Conflicts, s.ConflictsAnswer, err = c.conflicts(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *reader) seeItself(ctx context.Context, key string, s *syncSeen) error {
	i, conf, err := c.integration(ctx, key)
	if err != nil {
		return err
	}
	s.integration, s.Configuration = *i, conf
	s.health, err = c.healthOf(ctx, i)
	return err
}

func (e *end) need(what, of string) planner.Need {
	return planner.Need{Server: e.server.Addr().String(), What: what, Of: of}
}

// Needs names the observations that a plan is made from: first the list of synchronizations of each project, then the
// synchronization that is meant, then the pairs of both ends.
func (d *Driver) Needs(r *schema.Resource, seen *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	switch r.Addr.Kind {
	case schema.Sync:
		s, diags := decodeSync(r)
		if diags.HasErrors() {
			return nil, diags
		}
		_, needs, err := look(s, seen)
		return needs, asDiagnostics(r, err)
	case schema.Migration:
		m, diags := decodeMigration(r)
		if diags.HasErrors() {
			return nil, diags
		}
		_, needs, err := m.look(seen)
		return needs, asDiagnostics(r, err)
	}
	return nil, nil
}

func asDiagnostics(r *schema.Resource, err error) hcl.Diagnostics {
	if err == nil {
		return nil
	}
	return hcl.Diagnostics{problem(r, "Cannot tell which synchronization is meant", schema.Sanitize(err.Error()))}
}

// observed returns an observation. If it is missing, it adds it to needs and returns nil.
func observed[T any](seen *planner.Observations, n planner.Need, needs *[]planner.Need) (*T, error) {
	if !seen.Has(n) {
		*needs = append(*needs, n)
		return nil, nil
	}
	return planner.Observed[T](seen, n)
}

// live is a declared synchronization, or one half of it, as observed on its server.
type live struct {
	*syncSeen // nil if it was not found

	end      *end     // the server that has it
	unlisted bool     // not found, but the list was empty, which proves nothing
	others   []string // the synchronizations in the list, if it was not found
	pairs    map[string]*pairsSeen
}

func (l *live) found() bool { return l.syncSeen != nil }

// tally returns the summary of a connector's pairs, a zero one if they were not observed.
func (l *live) tally(connector string) *pairsSeen {
	if p := l.pairs[connector]; p != nil {
		return p
	}
	return &pairsSeen{}
}

// look finds a declared synchronization in the observations: both halves, or the direct one. needs lists the
// observations that are still missing.
func look(s *synchronization, seen *planner.Observations) (found []*live, needs []planner.Need, err error) {
	for _, e := range s.holders() {
		l := &live{end: e, pairs: map[string]*pairsSeen{}}
		found = append(found, l)
		list, err := observed[listSeen](seen, e.need(seeList, e.Project), &needs)
		if err != nil {
			return nil, nil, err
		}
		if list == nil {
			continue
		}
		i, err := pick(s, e, list.List)
		if err != nil {
			return nil, nil, err
		}
		if i == nil {
			l.unlisted = len(list.List) == 0
			for _, other := range list.List {
				l.others = append(l.others, other.String())
			}
			continue
		}
		if l.syncSeen, err = observed[syncSeen](seen, e.need(seeOne, i.Key), &needs); err != nil {
			return nil, nil, err
		}
		if l.found() && l.ends() != i.ends() {
			return nil, nil, fmt.Errorf("reading %s on %s: it has %d connectors, and %d in the list", i.Key,
				e.server.Addr(), l.ends(), i.ends())
		}
	}
	return found, needs, nil
}

// pick returns the synchronization that is meant, out of the list of an end's project. It returns nil if there is
// none.
func pick(s *synchronization, e *end, list []integration) (*integration, error) {
	if s.direct() {
		return pickDirect(s, list)
	}
	partner := s.end(other(e.name)).Project
	return onlyOne(s, e, slices.DeleteFunc(slices.Clone(list), func(i integration) bool {
		return !i.isHalf(e.Project, partner)
	}))
}

// isHalf reports whether i may be the half, in the given project, of an e-mail or file synchronization with that
// partner.
func (i *integration) isHalf(project, partner string) bool {
	return i.Second == nil && i.First.Project == project && i.Channel != "DIRECT" &&
		(i.Partner == "" || i.Partner == partner)
}

// connects reports whether i may be a direct synchronization of the two projects.
func (i *integration) connects(one, two string) bool {
	return i.Second != nil && i.First.Project == one && i.Second.Project == two && i.Channel != "FILE" &&
		i.Channel != "EMAIL"
}

// pickDirect finds a direct synchronization by its two projects. One between the same projects of other Jiras is an
// error that names it, unless the declaration has its key.
func pickDirect(s *synchronization, list []integration) (*integration, error) {
	i, err := onlyOne(s, s.one, slices.DeleteFunc(slices.Clone(list), func(i integration) bool {
		return !i.connects(s.one.Project, s.two.Project)
	}))
	if err != nil || i == nil || s.one.Key != "" {
		return i, err // a declared key is enough
	}
	for _, at := range []struct {
		end  *end
		have *connector
	}{{s.one, &i.First}, {s.two, i.Second}} {
		if at.have.URL != "" && !sameURL(at.have.URL, at.end.server.URL.Reveal()) {
			return nil, fmt.Errorf("%s: %s connects project %s with %s, but its %s end is on %s, not on %s (%s): delete "+
				"it, or set key = %q in the block first if it is the one that is meant",
				s.Addr(), i.Key, s.one.Project, s.two.Project, at.end.name, at.have.URL, at.end.server.Addr(),
				at.end.server.URL, i.Key)
		}
	}
	return i, nil
}

// sameURL compares base URLs as Jira does: it ignores the case of the host and slashes at the end.
func sameURL(a, b string) bool {
	x, errX := url.Parse(strings.TrimRight(a, "/"))
	y, errY := url.Parse(strings.TrimRight(b, "/"))
	return errX == nil && errY == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host) && x.Path == y.Path
}

// onlyOne returns the only match. If there are several, the declared key decides; without a key they are an error.
func onlyOne(s *synchronization, e *end, match []integration) (*integration, error) {
	if e.Key != "" {
		match = slices.DeleteFunc(match, func(i integration) bool { return i.Key != e.Key })
	}
	switch len(match) {
	case 0:
		return nil, nil
	case 1:
		return &match[0], nil
	}
	keys := make([]string, len(match))
	for i := range match {
		keys[i] = match[i].String()
	}
	slices.Sort(keys)
	return nil, fmt.Errorf("%s: project %s has %d synchronizations that could be meant (%s): set key in the block %s",
		s.Addr(), e.Project, len(keys), wording.Foreign(keys), e.name)
}

// see makes the observations that a migration's plan needs again, for preflight.
func (d *Driver) see(ctx context.Context, r *schema.Resource) (*planner.Observations, error) {
	servers := map[string]*schema.Resource{}
	m, err := declared(decodeMigration, r)
	if err != nil {
		return nil, err
	}
	syncs := []*synchronization{m.to}
	if m.from != nil {
		syncs = append(syncs, m.from)
	}
	for _, s := range syncs {
		for _, e := range []*end{s.one, s.two} {
			servers[e.Server.Addr.String()] = e.Server
		}
	}
	seen := planner.NewObservations()
	for {
		needs, diags := d.Needs(r, seen)
		if diags.HasErrors() {
			return nil, diags
		}
		made := false
		for _, n := range needs {
			if seen.Has(n) {
				continue
			}
			body, err := d.Observe(ctx, servers[n.Server], n)
			if err != nil {
				return nil, err
			}
			seen.Put(n, d.env.Now(), "", body)
			made = true
		}
		if !made {
			return seen, nil
		}
	}
}
