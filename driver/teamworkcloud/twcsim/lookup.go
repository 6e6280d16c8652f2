package twcsim

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// server finds a server by its name or by the URL that SetURL gave, with or without /osmc. A name of the world's own
// wins; a URL is compared by host, port and path.
func (w *World) server(ref string) *server {
	if s := w.servers[ref]; s != nil {
		return s
	}
	want := plainURL(ref)
	for _, name := range w.Servers() {
		if s := w.servers[name]; s.url != "" && plainURL(s.url) == want {
			return s
		}
	}
	return nil
}

// serverAt finds the server that another one's configuration names: "host", "host:port"; "" as port when none is given. The
// address at which the sandbox takes a port's connections is known, too, and stands for that port.
func (w *World) serverAt(address string) (s *server, port string) {
	for _, name := range w.Servers() {
		switch s := w.servers[name]; address {
		case "":
		case s.ports[portPlain]:
			return s, strconv.Itoa(s.plainPort)
		case s.ports[portTLS]:
			return s, strconv.Itoa(s.tlsPort)
		}
	}
	host, port := address, ""
	if i := strings.LastIndexByte(address, ':'); i >= 0 && !strings.HasSuffix(address, "]") {
		host, port = address[:i], address[i+1:]
	}
	for _, name := range w.Servers() {
		if s := w.servers[name]; strings.EqualFold(s.syncAddress, host) {
			return s, port
		}
	}
	return nil, port
}

func plainURL(text string) string {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimRight(text, "/"), "/osmc"))
	if err != nil || u.Host == "" {
		return text
	}
	return strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")
}

func (s *server) user(name string) *user {
	for _, u := range s.users {
		if u.name == name {
			return u
		}
	}
	return nil
}

// role finds a role by its id or name.
func (s *server) role(ref string) *role {
	for _, r := range s.roles {
		if r.id == ref || r.name == ref {
			return r
		}
	}
	return nil
}

// category finds a category by its id.
func (s *server) category(id string) *category {
	for _, c := range s.categories {
		if c.id == id {
			return c
		}
	}
	return nil
}

// categoryByPath finds a category by its id or its names from the top: "Dormant/2019".
func (s *server) categoryByPath(ref string) *category {
	for _, c := range s.categories {
		if c.id == ref || s.path(c.id) == ref {
			return c
		}
	}
	return nil
}

// path is a category's names from the top; "" for none.
func (s *server) path(categoryID string) string {
	c := s.category(categoryID)
	if c == nil {
		return ""
	}
	if parent := s.path(c.parent); parent != "" {
		return parent + "/" + c.name
	}
	return c.name
}

// within tells whether a category is the other one or beneath it.
func (s *server) within(id, ancestor string) bool {
	for c := s.category(id); c != nil; c = s.category(c.parent) {
		if c.id == ancestor {
			return true
		}
	}
	return false
}

// resource finds a resource by its id, else by its name; what is marked as deleted is found after all else.
func (s *server) resource(ref string) *resource {
	var found *resource
	for _, r := range s.resources {
		if r.id == ref {
			return r
		}
		if r.name == ref && (found == nil || found.removed && !r.removed) {
			found = r
		}
	}
	return found
}

// resourcesIn are those of a category itself, not of the ones beneath it, in the order they came.
func (s *server) resourcesIn(categoryID string) []*resource {
	var out []*resource
	for _, r := range s.resources {
		if r.category == categoryID {
			out = append(out, r)
		}
	}
	return out
}

// branchOf finds a branch by its id or name.
func (r *resource) branchOf(ref string) *branch {
	for _, b := range r.branches {
		if b.id == ref || b.name == ref {
			return b
		}
	}
	return nil
}

// revision finds a revision by its number.
func (r *resource) revision(number int) *revision {
	i, ok := slices.BinarySearchFunc(r.revisions, number, func(x *revision, n int) int { return cmp.Compare(x.number, n) })
	if !ok {
		return nil
	}
	return r.revisions[i]
}

// latest is the newest revision of the whole resource, nil if there is none.
func (r *resource) latest() *revision {
	if len(r.revisions) == 0 {
		return nil
	}
	return r.revisions[len(r.revisions)-1]
}

// on lists a branch's revisions, newest first, as a branch shows them: those of its parent up to the branch point are
// included (facts 2.5: OMBEE-SYNC's fixture of a branch from 3 lists 4, 3, 2, 1).
func (r *resource) on(b *branch) []*revision {
	var out []*revision
	upTo := math.MaxInt
	for b != nil {
		for _, v := range slices.Backward(r.revisions) {
			if v.branch == b.id && v.number <= upTo {
				out = append(out, v)
			}
		}
		start := r.revision(b.start)
		if start == nil || b.start >= upTo {
			break
		}
		upTo = b.start
		b = r.branchOf(start.branch)
	}
	return out
}

func (r *resource) tag(ref string) *tag {
	for _, t := range r.tags {
		if t.id == ref {
			return t
		}
	}
	return nil
}
