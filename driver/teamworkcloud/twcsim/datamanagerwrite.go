package twcsim

import (
	"slices"
	"strings"
)

// deleteResources is -dr: "physically deletes" resources. Ids are separated by blanks.
func (m *manager) deleteResources() bool {
	if len(m.args) == 0 || slices.ContainsFunc(m.args, isOption) {
		return false
	}
	for _, id := range m.args {
		if r := m.named(id); r != nil {
			m.s.erase(r.id)
			m.say("Resource %s was deleted", id)
		}
	}
	return true
}

func isOption(arg string) bool { return strings.HasPrefix(arg, "-") }

// deleteMarked is -drd: all that are marked as deleted, whoever marked them.
func (m *manager) deleteMarked() bool {
	if len(m.args) > 0 {
		return false
	}
	for _, r := range m.sorted(true) {
		m.s.erase(r.id)
		m.say("Resource %s was deleted", r.id)
	}
	return true
}

func (m *manager) unmark() bool {
	if len(m.args) == 0 || slices.ContainsFunc(m.args, isOption) {
		return false
	}
	for _, id := range m.args {
		switch r := m.named(id); {
		case r == nil:
		case !r.removed:
			m.say("Resource %s is not marked as deleted", id)
		default:
			r.removed = false
			m.say("Resource %s is no longer marked as deleted", id)
		}
	}
	return true
}

// makeEditable is -rrof. Pages advise against it for what is still synchronized (seed); the product lets people do it.
// ASSUMED: a category is one of this server, and those beneath it are not meant. Pages print -resourceID once and
// --resourceID in the example; both are taken.
func (m *manager) makeEditable() bool {
	for i, a := range m.args {
		if strings.HasPrefix(a, "-resourceID=") {
			m.args[i] = "-" + a
		}
	}
	v, ok := m.values("--resourceID", "--categoryID")
	if !ok {
		return false
	}
	for id := range strings.SplitSeq(v["--resourceID"], ",") {
		if id == "" {
			continue
		}
		if r := m.named(id); r != nil {
			m.clear(r)
		}
	}
	for id := range strings.SplitSeq(v["--categoryID"], ",") {
		switch {
		case id == "":
		case m.s.category(id) == nil:
			m.say("Category %s was not found", id)
		default:
			for _, r := range m.s.resourcesIn(id) {
				m.clear(r)
			}
		}
	}
	return true
}

func (m *manager) clear(r *resource) {
	if !r.readOnly {
		m.say("Resource %s is not read-only", r.id)
		return
	}
	r.readOnly = false
	m.say("Read-only flag of resource %s was removed", r.id)
}

// erase removes a resource with its "tags, category link, branches, commits, role assignments, locks", and on a target its
// remote resource configuration, or what an old release left of it. ASSUMED: the configuration of a category goes with the
// last of its resources; until then the category is configured, and what was deleted comes again.
func (s *server) erase(id string) {
	s.resources = slices.DeleteFunc(s.resources, func(r *resource) bool { return r.id == id })
	for _, u := range s.users {
		for i := range u.grants {
			u.grants[i].resources = slices.DeleteFunc(u.grants[i].resources, func(r string) bool { return r == id })
		}
		u.grants = slices.DeleteFunc(u.grants, func(g grant) bool { return !g.global && len(g.categories)+len(g.resources) == 0 })
	}
	s.configurations = slices.DeleteFunc(s.configurations, func(c *configuration) bool {
		if c.kind == kindResource {
			return c.item == id
		}
		had := len(c.members)
		c.members = slices.DeleteFunc(c.members, func(m string) bool { return m == id })
		return had > 0 && len(c.members) == 0
	})
}
