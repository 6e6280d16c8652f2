package machine

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// deleteResources is -dr: it "physically deletes" resources. IDs are separated by blanks.
func (m *manager) deleteResources() bool {
	if len(m.args) == 0 || slices.ContainsFunc(m.args, isOption) {
		return false
	}
	for _, id := range m.args {
		if r := m.named(id); r != nil {
			Erase(m.s, r.ID)
			m.say("Resource %s was deleted", id)
		}
	}
	return true
}

func isOption(arg string) bool { return strings.HasPrefix(arg, "-") }

// deleteMarked is -drd: it deletes everything that is marked as deleted, whoever marked it.
func (m *manager) deleteMarked() bool {
	if len(m.args) > 0 {
		return false
	}
	for _, r := range m.sorted(true) {
		Erase(m.s, r.ID)
		m.say("Resource %s was deleted", r.ID)
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
		case !r.Removed:
			m.say("Resource %s is not marked as deleted", id)
		default:
			r.Removed = false
			m.say("Resource %s is no longer marked as deleted", id)
		}
	}
	return true
}

// makeEditable is -rrof. Pages advise against it for resources that are still synchronized (seed), but the product
// allows it. ASSUMED: a category is one of this server, and does not include those within it. Pages print -resourceID
// once, and --resourceID in the example; both are accepted.
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
		case m.s.Category(id) == nil:
			m.say("Category %s was not found", id)
		default:
			for _, r := range m.s.ResourcesIn(id) {
				m.clear(r)
			}
		}
	}
	return true
}

func (m *manager) clear(r *state.Resource) {
	if !r.ReadOnly {
		m.say("Resource %s is not read-only", r.ID)
		return
	}
	r.ReadOnly = false
	m.say("Read-only flag of resource %s was removed", r.ID)
}

// without removes a resource from role grants, and grants that apply to nothing else.
func without(grants []state.Grant, id string) []state.Grant {
	for i := range grants {
		grants[i].Resources = slices.DeleteFunc(grants[i].Resources, func(r string) bool { return r == id })
	}
	return slices.DeleteFunc(grants,
		func(g state.Grant) bool { return !g.Global && len(g.Categories)+len(g.Resources) == 0 })
}

// Erase removes a resource with its "tags, category link, branches, commits, role assignments, locks". On a target, it
// also removes its remote resource configuration, or what an old release has left of it. ASSUMED: the configuration of
// a category is removed with the last of its resources. Until then the category stays configured, and what was deleted
// comes back.
func Erase(s *state.Server, id string) {
	s.Resources = slices.DeleteFunc(s.Resources, func(r *state.Resource) bool { return r.ID == id })
	for _, u := range s.Users {
		u.Grants = without(u.Grants, id)
	}
	for _, g := range s.Groups {
		g.Grants = without(g.Grants, id)
	}
	s.Configurations = slices.DeleteFunc(s.Configurations, func(c *state.Configuration) bool {
		if c.Kind == state.KindResource {
			return c.Item == id
		}
		had := len(c.Members)
		c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return m == id })
		return had > 0 && len(c.Members) == 0
	})
}
