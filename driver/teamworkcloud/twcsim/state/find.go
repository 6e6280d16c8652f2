package state

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Server finds a server by its name, or by the URL that SetURL set, with or without /osmc. A name takes precedence. A
// URL is compared by host, port and path.
func (w *World) Server(ref string) *Server {
	if s := w.Named[ref]; s != nil {
		return s
	}
	want := plainURL(ref)
	for _, name := range w.Servers() {
		if s := w.Named[name]; s.URL != "" && plainURL(s.URL) == want {
			return s
		}
	}
	return nil
}

// ServerAt finds the server that another server's configuration names as "host" or "host:port". port is "" if none is
// given. The address at which the sandbox accepts connections for a port is found too, and returns that port.
func (w *World) ServerAt(address string) (s *Server, port string) {
	for _, name := range w.Servers() {
		switch s := w.Named[name]; address {
		case "":
		case s.Ports[PortPlain]:
			return s, strconv.Itoa(s.PlainPort)
		case s.Ports[PortTLS]:
			return s, strconv.Itoa(s.TLSPort)
		}
	}
	host, port := address, ""
	if i := strings.LastIndexByte(address, ':'); i >= 0 && !strings.HasSuffix(address, "]") {
		host, port = address[:i], address[i+1:]
	}
	for _, name := range w.Servers() {
		if s := w.Named[name]; strings.EqualFold(s.SyncAddress, host) {
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

// User finds a user by name.
func (s *Server) User(name string) *User {
	for _, u := range s.Users {
		if u.Name == name {
			return u
		}
	}
	return nil
}

// Creation returns the commit that creates a branch without revisions, numbered after all others of the resource.
func (r *Resource) Creation(b *Branch) *Revision {
	number := 1
	if last := r.Latest(); last != nil {
		number = last.Number + 1
	}
	return &Revision{Number: number, Origin: number, Parent: b.Start, Branch: b.ID, Author: b.Author, Created: b.Created,
		Description: BranchCreated(b.Name)}
}

// BranchCreated returns the description of a branch's first commit (OMBEE-SYNC's capture).
func BranchCreated(name string) string { return fmt.Sprintf("Branch %q created", name) }

// Group finds a user group by its ID.
func (s *Server) Group(id string) *Group {
	for _, g := range s.Groups {
		if g.ID == id {
			return g
		}
	}
	return nil
}

// GroupsOf returns the groups of a user.
func (s *Server) GroupsOf(u *User) []*Group {
	var out []*Group
	for _, g := range s.Groups {
		if slices.Contains(g.Users, u.Name) {
			out = append(out, g)
		}
	}
	return out
}

// GrantsOf returns a user's roles, then those of its groups.
func (s *Server) GrantsOf(u *User) []Grant {
	out := slices.Clone(u.Grants)
	for _, g := range s.GroupsOf(u) {
		out = append(out, g.Grants...)
	}
	return out
}

// Role finds a role by its ID or name.
func (s *Server) Role(ref string) *Role {
	for _, r := range s.Roles {
		if r.ID == ref || r.Name == ref {
			return r
		}
	}
	return nil
}

// Category finds a category by its ID.
func (s *Server) Category(id string) *Category {
	for _, c := range s.Categories {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// CategoryByPath finds a category by its ID or its path from the top: "Dormant/2019".
func (s *Server) CategoryByPath(ref string) *Category {
	for _, c := range s.Categories {
		if c.ID == ref || s.Path(c.ID) == ref {
			return c
		}
	}
	return nil
}

// Path returns a category's path from the top, "" if there is none.
func (s *Server) Path(categoryID string) string {
	c := s.Category(categoryID)
	if c == nil {
		return ""
	}
	if parent := s.Path(c.Parent); parent != "" {
		return parent + "/" + c.Name
	}
	return c.Name
}

// Lineage returns the IDs of a category and of those that it is within, of none if there is no such category.
func (s *Server) Lineage(id string) []string {
	var out []string
	for c := s.Category(id); c != nil; c = s.Category(c.Parent) {
		out = append(out, c.ID)
	}
	return out
}

// Resource finds a resource by its ID, else by its name. By name, resources that are not marked as deleted take
// precedence.
func (s *Server) Resource(ref string) *Resource {
	var found *Resource
	for _, r := range s.Resources {
		if r.ID == ref {
			return r
		}
		if r.Name == ref && (found == nil || found.Removed && !r.Removed) {
			found = r
		}
	}
	return found
}

// ResourcesIn returns the resources in a category, but not those in categories within it, in the order they were
// added.
func (s *Server) ResourcesIn(categoryID string) []*Resource {
	var out []*Resource
	for _, r := range s.Resources {
		if r.Category == categoryID {
			out = append(out, r)
		}
	}
	return out
}

// BranchOf finds a branch by its ID or name.
func (r *Resource) BranchOf(ref string) *Branch {
	for _, b := range r.Branches {
		if b.ID == ref || b.Name == ref {
			return b
		}
	}
	return nil
}

// Revision finds a revision by its number.
func (r *Resource) Revision(number int) *Revision {
	i, ok := slices.BinarySearchFunc(r.Revisions, number,
		func(x *Revision, n int) int { return cmp.Compare(x.Number, n) })
	if !ok {
		return nil
	}
	return r.Revisions[i]
}

// Latest returns the newest revision of the resource, or nil if there is none.
func (r *Resource) Latest() *Revision {
	if len(r.Revisions) == 0 {
		return nil
	}
	return r.Revisions[len(r.Revisions)-1]
}

// On lists a branch's revisions, newest first, as a branch shows them: it includes those of its parent up to the
// branch point (facts 2.5: OMBEE-SYNC's fixture of a branch from 3 lists 4, 3, 2, 1).
func (r *Resource) On(b *Branch) []*Revision {
	var out []*Revision
	upTo := math.MaxInt
	for b != nil {
		for _, v := range slices.Backward(r.Revisions) {
			if v.Branch == b.ID && v.Number <= upTo {
				out = append(out, v)
			}
		}
		start := r.Revision(b.Start)
		if start == nil || b.Start >= upTo {
			break
		}
		upTo = b.Start
		b = r.BranchOf(start.Branch)
	}
	return out
}

// Tag finds a tag by its ID.
func (r *Resource) Tag(ref string) *Tag {
	for _, t := range r.Tags {
		if t.ID == ref {
			return t
		}
	}
	return nil
}
