// Package engine synchronizes every target: what its configurations select, copy and refuse at each Tick.
package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/network"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// Tick advances the time to now, but never back: servers come up, and the synchronization engine of every target
// processes its configurations.
//
// All of them see their sources as they were when the Tick began, so a revision takes one Tick for each hop. ASSUMED:
// only that a hop takes time; no page says how hops follow one another, or how often the engine runs. "Several at
// once" (2026xR1, VN/pages/314179937) and one after the other, as before, are the same here.
func Tick(w *state.World, now time.Time) {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if now.After(w.Now) {
		// from the seed's time to the real time: nobody has waited that long
		if by := now.Sub(w.Now); !w.Ticked && by > 24*time.Hour {
			w.PutOff(by)
		}
		w.SetNow(now)
	}
	w.Ticked = true
	there := map[string]Index{}
	for name, s := range w.Named {
		there[name] = IndexOf(s)
	}
	var passes []*pass
	for _, name := range w.Servers() {
		t := w.Named[name]
		if !machine.Works(t, w.Now) {
			continue // the engine is part of the server
		}
		for _, c := range t.Configurations {
			if c.LeftBehind {
				continue
			}
			p := &pass{target: t, source: w.Named[c.Source], c: c, here: there[name], there: there[c.Source]}
			// While the source is down nothing is known, so what was created or started stays in the queue (ASSUMED,
			// no page says what is shown).
			if p.source != nil && machine.Works(p.source, w.Now) {
				p.look()
				passes = append(passes, p)
			}
		}
	}
	for _, p := range passes {
		for _, j := range p.jobs {
			p.copy(j)
		}
		p.settle()
	}
}

// pass is what one configuration does in one Tick.
type pass struct {
	target, source *state.Server
	c              *state.Configuration
	here, there    Index
	members        []*state.Resource // resources on the source that it synchronizes
	marked         bool              // its single resource is marked as deleted
	jobs           []job
	problems       []string
}

// job is one resource to copy, up to and including a revision of the source.
type job struct {
	from *state.Resource
	upTo int
}

func (p *pass) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// Index holds a server's resources by ID.
type Index map[string]*state.Resource

// IndexOf returns the resources of a server by ID.
func IndexOf(s *state.Server) Index {
	out := make(Index, len(s.Resources))
	for _, r := range s.Resources {
		out[r.ID] = r
	}
	return out
}

// look decides what to copy.
func (p *pass) look() {
	if p.refused() {
		return
	}
	p.findMembers()
	for _, r := range p.members {
		if p.mayCopy(r) {
			if upTo, due := p.due(r); due {
				p.jobs = append(p.jobs, job{r, upTo})
			}
		}
	}
}

// refused checks what concerns the configuration as a whole. ASSUMED: the engine checks all of it each time, and
// continues by itself once the cause is gone. Pages only say that the status is Error and its reason a tooltip.
func (p *pass) refused() bool {
	t, s, c := p.target, p.source, p.c
	owner := t.User(c.Owner)
	switch {
	case !t.Release.Synchronizes() || !s.Release.Synchronizes():
		p.problem("resource synchronization came with 2021x Refresh2; the target has %s, the source %s", t.Release,
			s.Release)
	case t.Release.Year != s.Release.Year: // seed: "the same major version"
		p.problem("both servers must have the same major version; the target has %s, the source %s", t.Release, s.Release)
	case c.TLS && (!t.Release.Since(2024, 0, 0) || !s.Release.Since(2024, 0, 0)):
		p.problem("encrypted synchronization came with 2024x; the target has %s, the source %s", t.Release, s.Release)
	case !Accepts(s, c.Port, c.TLS):
		p.problem("could not connect to %s", s.SyncAddress)
	case c.TLS && p.distrusts():
	case s.User(c.User) == nil:
		p.problem("login of %s to %s failed", c.User, s.SyncAddress)
	case t.Category(c.TargetCategory) == nil:
		p.problem("the target category does not exist any more")
	case c.Owner != "" && (owner == nil || !t.HasRole(owner, state.SyncManager, c.TargetCategory)):
		// MCS/pages/247047172: the role must cover every target category. A configuration in a seed may have no owner.
		p.problem("%s has not the role %s on category %s", c.Owner, state.SyncManager, t.Path(c.TargetCategory))
	case configuredBefore(t, c):
		p.problem("%s %s is configured already", c.Kind, c.Item)
	}
	return len(p.problems) > 0
}

// Accepts reports whether the server accepts connections on a port (0: the right one) with or without encryption. The
// encrypted port exists only once it is switched on (MCS/pages/247046810); the plain one stays open
// (MCS/pages/247047270).
func Accepts(s *state.Server, port int, tls bool) bool {
	if tls {
		return network.EncryptedPortIsOpen(s) && (port == 0 || port == s.TLSPort)
	}
	return port == 0 || port == s.PlainPort
}

// configuredBefore reports whether an earlier configuration, or what is left of one, has the same item. ASSUMED: the
// product refuses it; pages only say that one resource has one configuration.
func configuredBefore(s *state.Server, c *state.Configuration) bool {
	for _, other := range s.Configurations {
		if other == c {
			return false
		}
		if other.Kind == c.Kind && other.Item == c.Item {
			return true
		}
	}
	return false
}

// findMembers collects the resources of the source that the configuration selects. "If a whole category is being
// synchronized and you remove a resource from that category, this resource is not synchronized anymore" (seed); what
// is added to the category is included. ASSUMED: categories within it are not.
func (p *pass) findMembers() {
	if p.c.Kind == state.KindResource {
		switch r := p.there[p.c.Item]; {
		case r == nil:
			// ASSUMED: an error, and the copy stays as it is. No page says what happens.
			p.problem("resource %s does not exist on the source any more", p.c.Item)
		case r.Removed: // what is marked as deleted is not synchronized: 2021xR2 Hot Fix 5, VN/pages/261624215
			p.marked = true
		default:
			p.members = []*state.Resource{r}
		}
		return
	}
	if p.source.Category(p.c.Item) == nil {
		p.problem("category %s does not exist on the source any more", p.c.Item)
		return
	}
	for _, id := range p.c.Members {
		if p.there[id] == nil {
			p.problem("resource %s does not exist on the source any more", id)
		}
	}
	for _, r := range p.source.ResourcesIn(p.c.Item) {
		if !r.Removed {
			p.members = append(p.members, r)
		}
	}
	// A resource that has left the category may be configured elsewhere.
	p.c.Members = slices.DeleteFunc(p.c.Members, func(id string) bool {
		r := p.there[id]
		return r != nil && r.Category != p.c.Item
	})
}

// mayCopy checks what depends on the source. ASSUMED: the other resources of a category are still copied.
func (p *pass) mayCopy(r *state.Resource) bool {
	switch {
	case !p.source.CanRead(p.source.User(p.c.User), r): // MCS/pages/247047420: Read Resources on the source
		p.problem("%s may not read resource %s on the source", p.c.User, r.Name)
	case r.ReadOnly && !(p.source.Release.ReSynchronizes() && p.target.Release.ReSynchronizes()):
		p.problem("resource %s is a synchronized one itself; several hops came with 2022x Refresh2", r.Name)
	default:
		return true
	}
	return false
}

// due returns up to which revision to copy a resource, and whether now. ASSUMED: only commits count; changes of only
// names, tags or branches wait for "the subsequent synchronization iteration" (seed).
func (p *pass) due(r *state.Resource) (upTo int, now bool) {
	copied := p.here[r.ID]
	synced := 0
	if copied != nil {
		synced = copied.SyncedTo
	}
	newest := 0
	if p.c.Trigger == state.CommitTag {
		newest = tagged(r, p.c.Tag)
	} else if last := r.Latest(); last != nil {
		newest = last.Number
	}
	switch {
	case p.c.Trigger == state.CommitTag && newest == 0:
		return 0, false
	case p.c.Trigger == state.ByHand:
		now = p.c.Wanted
	default: // what another configuration has left is used at once
		now = p.c.Wanted || copied == nil || newest > synced || !slices.Contains(p.c.Members, r.ID)
	}
	return max(newest, synced), now
}

// tagged returns the newest revision with a tag. ASSUMED: it does not matter whether the tag was set with the commit,
// as pages say, or later; and the whole history up to there is copied.
func tagged(r *state.Resource, name string) int {
	newest := 0
	for _, t := range r.Tags {
		if t.Name == name {
			newest = max(newest, t.Revision)
		}
	}
	return newest
}

// settle sets the configuration's status. "Partially synchronized": the source has newer revisions
// (MCS/pages/247047420).
func (p *pass) settle() {
	c := p.c
	c.Reason = ""
	if len(p.problems) > 0 {
		// It will be tried again, so what a person requested is kept.
		c.Status, c.Reason = state.InError, strings.Join(p.problems, "; ")
		return
	}
	c.Wanted = false
	if p.marked {
		c.Reason = "the resource is marked as deleted on the source"
		if c.Status != state.Synchronized && c.Status != state.Partly {
			c.Status = state.NotSynchronized
		}
		return
	}
	copied, behind := 0, false
	for _, r := range p.members {
		switch mine := p.here[r.ID]; {
		case mine != nil && slices.Contains(c.Members, r.ID):
			copied++
			behind = behind || r.Latest() != nil && r.Latest().Number > mine.SyncedTo
		case !skips(p.target, r):
			behind = true
		}
	}
	switch {
	case c.Trigger == state.EveryCommit:
		c.Status = state.Synchronized
	case copied == 0:
		c.Status = state.NotSynchronized
	case behind:
		c.Status = state.Partly
	default:
		c.Status = state.Synchronized
	}
}
