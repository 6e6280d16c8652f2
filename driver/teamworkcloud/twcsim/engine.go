package twcsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Statuses in the words of the page (MCS/pages/247047420, since 2024xR1).
const (
	inQueue         = "In queue"
	notSynchronized = "Not synchronized"
	synchronized    = "Synchronized"
	partly          = "Partially synchronized"
	inError         = "Error"
)

// Triggers and kinds of configurations, under the names that seeds and Person use.
const (
	everyCommit = "every_commit" // "On every new commit"
	commitTag   = "commit_tag"   // "On specific commit tag"
	byHand      = "manual"       // "Manual"

	kindResource = "resource"
	kindCategory = "category"
)

// What came when.
func (r release) synchronizes() bool   { return r.since(2021, 2, 0) } // release notes of 2021xR2
func (r release) reSynchronizes() bool { return r.since(2022, 2, 0) } // several hops: VN/pages/272742674
func (r release) encrypts() bool       { return r.since(2024, 1, 0) } // "Use Secure Connection (TLS)": VN/pages/272744559
func (r release) asksOnDelete() bool   { return r.since(2024, 1, 0) } // DELETE CONFIGURATION ONLY, DELETE ALL: MCS/pages/247047420
func (r release) checksLocalID() bool  { return r.since(2024, 2, 1) } // VN/pages/272745696
func (r release) keepsNumbers() bool   { return r.since(2026, 0, 0) } // MCS/pages/247046793

// Tick lets time pass up to now, never back: servers come up, and the synchronization engine of every target looks after
// its configurations.
//
// All of them see their sources as they were when the Tick began, so that a revision takes one Tick for each hop. ASSUMED:
// only that a hop takes time; no page says how hops follow one another, or how often the engine looks. "Several at once"
// (2026xR1, VN/pages/314179937) and one after the other before are the same here.
func (w *World) Tick(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.After(w.now) {
		if by := now.Sub(w.now); !w.ticked && by > 24*time.Hour { // from the seed's time to the world's: nobody has waited for so long
			w.putOff(by)
		}
		w.setNow(now)
	}
	w.ticked = true
	there := map[string]index{}
	for name, s := range w.servers {
		there[name] = s.index()
	}
	var passes []*pass
	for _, name := range w.Servers() {
		t := w.servers[name]
		if !t.works(w.now) {
			continue // the engine is part of the server
		}
		for _, c := range t.configurations {
			if c.leftBehind {
				continue
			}
			p := &pass{target: t, source: w.servers[c.source], c: c, here: there[name], there: there[c.source]}
			// While the source is down nothing is known, so what was created or started stays in the queue (ASSUMED, no page
			// says what is shown).
			if p.source != nil && p.source.works(w.now) {
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
	target, source *server
	c              *configuration
	here, there    index
	members        []*resource // of the source, that it is to keep in step
	marked         bool        // its one resource is marked as deleted
	jobs           []job
	problems       []string
}

// job is one resource that is copied, up to and with a revision of the source.
type job struct {
	from *resource
	upTo int
}

func (p *pass) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// index finds a server's resources by their ids.
type index map[string]*resource

func (s *server) index() index {
	out := make(index, len(s.resources))
	for _, r := range s.resources {
		out[r.id] = r
	}
	return out
}

// look decides what is to be done.
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

// refused checks what concerns the configuration as a whole. ASSUMED: the engine finds all of it whenever it looks, and
// goes on by itself once the cause is gone; pages only say that the status is Error and its reason a tooltip.
func (p *pass) refused() bool {
	t, s, c := p.target, p.source, p.c
	owner := t.user(c.owner)
	switch {
	case !t.release.synchronizes() || !s.release.synchronizes():
		p.problem("resource synchronization came with 2021x Refresh2; the target has %s, the source %s", t.release, s.release)
	case t.release.year != s.release.year: // seed: "the same major version"
		p.problem("both servers must have the same major version; the target has %s, the source %s", t.release, s.release)
	case c.tls && (!t.release.since(2024, 0, 0) || !s.release.since(2024, 0, 0)):
		p.problem("encrypted synchronization came with 2024x; the target has %s, the source %s", t.release, s.release)
	case !s.accepts(c.port, c.tls):
		p.problem("could not connect to %s", s.syncAddress)
	case c.tls && p.distrusts():
	case s.user(c.user) == nil:
		p.problem("login of %s to %s failed", c.user, s.syncAddress)
	case t.category(c.targetCategory) == nil:
		p.problem("the target category does not exist any more")
	case c.owner != "" && (owner == nil || !t.hasRole(owner, syncManager, c.targetCategory)):
		// MCS/pages/247047172: the role must cover every target category. A seed's configuration may have no owner.
		p.problem("%s has not the role %s on category %s", c.owner, syncManager, t.path(c.targetCategory))
	case t.configuredBefore(c):
		p.problem("%s %s is configured already", c.kind, c.item)
	}
	return len(p.problems) > 0
}

// accepts tells whether the server talks on a port (0: the right one) in the way asked for. The encrypted port is there
// only once it is switched on (MCS/pages/247046810); the plain one stays open (MCS/pages/247047270).
func (s *server) accepts(port int, tls bool) bool {
	if tls {
		return s.open() && (port == 0 || port == s.tlsPort)
	}
	return port == 0 || port == s.plainPort
}

// configuredBefore tells whether another configuration has the same item, an older one or what is left of it. ASSUMED:
// the product refuses it; pages only say that one resource has one configuration.
func (s *server) configuredBefore(c *configuration) bool {
	for _, other := range s.configurations {
		if other == c {
			return false
		}
		if other.kind == c.kind && other.item == c.item {
			return true
		}
	}
	return false
}

// findMembers collects the resources of the source that the configuration is about. "If a whole category is being
// synchronized and you remove a resource from that category, this resource is not synchronized anymore" (seed); what comes
// into the category joins. ASSUMED: categories beneath it are not meant.
func (p *pass) findMembers() {
	if p.c.kind == kindResource {
		switch r := p.there[p.c.item]; {
		case r == nil:
			// ASSUMED: an error, and the copy stays as it is. No page says what happens.
			p.problem("resource %s does not exist on the source any more", p.c.item)
		case r.removed: // what is marked as deleted is not synchronized: 2021xR2 Hot Fix 5, VN/pages/261624215
			p.marked = true
		default:
			p.members = []*resource{r}
		}
		return
	}
	if p.source.category(p.c.item) == nil {
		p.problem("category %s does not exist on the source any more", p.c.item)
		return
	}
	for _, id := range p.c.members {
		if p.there[id] == nil {
			p.problem("resource %s does not exist on the source any more", id)
		}
	}
	for _, r := range p.source.resourcesIn(p.c.item) {
		if !r.removed {
			p.members = append(p.members, r)
		}
	}
	// Whoever has left the category may be configured elsewhere.
	p.c.members = slices.DeleteFunc(p.c.members, func(id string) bool {
		r := p.there[id]
		return r != nil && r.category != p.c.item
	})
}

// mayCopy checks what the source has to say. ASSUMED: the others of a category are copied all the same.
func (p *pass) mayCopy(r *resource) bool {
	switch {
	case !p.source.canRead(p.source.user(p.c.user), r): // MCS/pages/247047420: Read Resources on the source
		p.problem("%s may not read resource %s on the source", p.c.user, r.name)
	case r.readOnly && !(p.source.release.reSynchronizes() && p.target.release.reSynchronizes()):
		p.problem("resource %s is a synchronized one itself; several hops came with 2022x Refresh2", r.name)
	default:
		return true
	}
	return false
}

// due tells up to which revision a resource is to be copied, and whether now. ASSUMED: only commits are looked for;
// names, tags and branches alone wait for "the subsequent synchronization iteration" (seed).
func (p *pass) due(r *resource) (upTo int, now bool) {
	copied := p.here[r.id]
	synced := 0
	if copied != nil {
		synced = copied.syncedTo
	}
	newest := 0
	if p.c.trigger == commitTag {
		newest = r.tagged(p.c.tag)
	} else if last := r.latest(); last != nil {
		newest = last.number
	}
	switch {
	case p.c.trigger == commitTag && newest == 0:
		return 0, false
	case p.c.trigger == byHand:
		now = p.c.wanted
	default: // what another configuration has left is taken up at once
		now = p.c.wanted || copied == nil || newest > synced || !slices.Contains(p.c.members, r.id)
	}
	return max(newest, synced), now
}

// tagged is the newest revision that carries a tag. ASSUMED: it makes no difference whether the tag came with the commit,
// as pages say, or later; and what is copied is the whole history up to there.
func (r *resource) tagged(name string) int {
	newest := 0
	for _, t := range r.tags {
		if t.name == name {
			newest = max(newest, t.revision)
		}
	}
	return newest
}

// settle words the outcome. "Partially synchronized": the source has newer revisions (MCS/pages/247047420).
func (p *pass) settle() {
	c := p.c
	c.reason = ""
	if len(p.problems) > 0 {
		// It was tried and is tried again, so what a person asked for is not forgotten.
		c.status, c.reason = inError, strings.Join(p.problems, "; ")
		return
	}
	c.wanted = false
	if p.marked {
		c.reason = "the resource is marked as deleted on the source"
		if c.status != synchronized && c.status != partly {
			c.status = notSynchronized
		}
		return
	}
	copied, behind := 0, false
	for _, r := range p.members {
		switch mine := p.here[r.id]; {
		case mine != nil && slices.Contains(c.members, r.id):
			copied++
			behind = behind || r.latest() != nil && r.latest().number > mine.syncedTo
		case !p.target.skips(r):
			behind = true
		}
	}
	switch {
	case c.trigger == everyCommit:
		c.status = synchronized
	case copied == 0:
		c.status = notSynchronized
	case behind:
		c.status = partly
	default:
		c.status = synchronized
	}
}
