package twcsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// found gets the resource that a person means.
func (s *server) found(v map[string]string) (*resource, error) {
	r := s.resource(v["resource"])
	if r == nil {
		return nil, fmt.Errorf("there is no resource %s on %s", v["resource"], s.name)
	}
	return r, nil
}

// editable gets a resource that can be worked in: "synchronized resources on the target server are read-only" (seed).
func (s *server) editable(v map[string]string) (*resource, error) {
	r, err := s.found(v)
	switch {
	case err != nil:
		return nil, err
	case r.removed:
		return nil, fmt.Errorf("resource %s is marked as deleted on %s", r.name, s.name)
	case r.readOnly:
		return nil, fmt.Errorf("resource %s is read-only on %s, because it is synchronized", r.name, s.name)
	}
	return r, nil
}

// at reads a revision that a resource has.
func (r *resource) at(v map[string]string, name string) (*revision, error) {
	n, err := strconv.Atoi(v[name])
	if err != nil || r.revision(n) == nil {
		return nil, fmt.Errorf("%s: resource %s has no revision %q", name, r.name, v[name])
	}
	return r.revision(n), nil
}

func (w *World) addResource(s *server, v map[string]string) (string, error) {
	c := s.categoryByPath(v["category"])
	if c == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["category"], s.name)
	}
	for _, r := range s.resources {
		if r.name == v["name"] || v["id"] != "" && r.id == v["id"] {
			return "", fmt.Errorf("resource %s exists on %s (%s)", r.name, s.name, r.id)
		}
	}
	author := cmp.Or(v["author"], s.account(""), "admin")
	trunk := &branch{id: w.newID("branch"), name: "trunk", author: author, created: w.stamp()}
	r := &resource{
		id: cmp.Or(v["id"], w.newID("resource")), projectID: cmp.Or(v["project_id"], "PROJECT-"+w.newID("project")), localID: v["local_id"],
		name: v["name"], description: v["description"], category: c.id, branches: []*branch{trunk},
	}
	r.revisions = []*revision{{number: 1, origin: 1, branch: trunk.id, author: author, created: w.stamp(), description: "created"}}
	s.resources = append(s.resources, r)
	return fmt.Sprintf("added resource %s (%s) on %s", r.name, r.id, s.name), nil
}

// commit numbers a revision after all others of its resource, whatever branch it is on. ASSUMED: gaps come from what is
// deleted later, so a new one leaves none.
func (w *World) commit(s *server, v map[string]string) (string, error) {
	r, err := s.editable(v)
	if err != nil {
		return "", err
	}
	b, err := r.workedOn(v["branch"])
	if err != nil {
		return "", err
	}
	c := &revision{number: 1, branch: b.id, author: cmp.Or(v["author"], s.account(""), "admin"), description: v["description"], created: w.stamp()}
	if last := r.latest(); last != nil {
		c.number = last.number + 1
	}
	c.origin, c.parent = c.number, b.start
	if own := r.on(b); len(own) > 0 {
		c.parent = own[0].number
	}
	if v["merged"] != "" {
		m, err := r.at(v, "merged")
		if err != nil {
			return "", err
		}
		c.merged = m.number
	}
	r.revisions = append(r.revisions, c)
	if v["tag"] != "" {
		r.tags = append(r.tags, &tag{id: w.newID("tag"), name: v["tag"], revision: c.number})
	}
	return fmt.Sprintf("committed revision %d of %s on %s", c.number, r.name, s.name), nil
}

// workedOn finds a branch; without a name it is the main one.
func (r *resource) workedOn(ref string) (*branch, error) {
	if ref == "" && len(r.branches) > 0 {
		return r.branches[0], nil
	}
	if b := r.branchOf(ref); b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("resource %s has no branch %q", r.name, ref)
}

func (w *World) addTag(s *server, v map[string]string) (string, error) {
	r, err := s.editable(v)
	if err != nil {
		return "", err
	}
	at, err := r.at(v, "revision")
	if err != nil {
		return "", err
	}
	r.tags = append(r.tags, &tag{id: w.newID("tag"), name: v["name"], description: v["description"], revision: at.number})
	return fmt.Sprintf("tagged revision %d of %s with %s on %s", at.number, r.name, v["name"], s.name), nil
}

// newBranch begins a branch after a revision. ASSUMED: that is no commit.
func (w *World) newBranch(s *server, v map[string]string) (string, error) {
	r, err := s.editable(v)
	if err != nil {
		return "", err
	}
	b := &branch{id: w.newID("branch"), name: v["name"], author: cmp.Or(v["author"], s.account(""), "admin"), created: w.stamp()}
	switch last := r.latest(); {
	case r.branchOf(v["name"]) != nil:
		return "", fmt.Errorf("resource %s has a branch %s", r.name, v["name"])
	case v["from"] != "":
		from, err := r.at(v, "from")
		if err != nil {
			return "", err
		}
		b.start = from.number
	case last != nil:
		b.start = last.number
	}
	r.branches = append(r.branches, b)
	return fmt.Sprintf("made branch %s of %s on %s, from revision %d", b.name, r.name, s.name, b.start), nil
}

// addLock: somebody has begun to edit and has not committed yet.
func (w *World) addLock(s *server, v map[string]string) (string, error) {
	r, err := s.editable(v)
	if err != nil {
		return "", err
	}
	b, err := r.workedOn(v["branch"])
	if err != nil {
		return "", err
	}
	r.locks = append(r.locks, &lock{user: v["user"], branch: b.id, element: cmp.Or(v["element"], w.newID("element"))})
	return fmt.Sprintf("%s has locked an element of %s on %s", v["user"], r.name, s.name), nil
}

func (w *World) unlock(s *server, v map[string]string) (string, error) {
	r, err := s.found(v)
	if err != nil {
		return "", err
	}
	had := len(r.locks)
	r.locks = slices.DeleteFunc(r.locks, func(l *lock) bool { return v["user"] == "" || l.user == v["user"] })
	return fmt.Sprintf("released %d locks of %s on %s", had-len(r.locks), r.name, s.name), nil
}

// personLogin is a modelling tool that stays logged in, and keeps its licence, until announce or the end of the server.
func (w *World) personLogin(s *server, v map[string]string) (string, error) {
	u := s.user(v["user"])
	if u == nil {
		return "", fmt.Errorf("login of %s to %s failed", v["user"], s.name)
	}
	if w.openSession(s, u, true) == nil {
		return "", errors.New("no licence is left")
	}
	return fmt.Sprintf("%s is logged in to %s", u.name, s.name), nil
}

// rename and move are possible on a synchronized resource, too: the next synchronization undoes them (seed).
func (w *World) rename(s *server, v map[string]string) (string, error) {
	r, err := s.found(v)
	if err != nil {
		return "", err
	}
	old := r.name
	r.name = v["name"]
	return fmt.Sprintf("renamed %s to %s on %s", old, r.name, s.name), nil
}

func (w *World) move(s *server, v map[string]string) (string, error) {
	r, err := s.found(v)
	if err != nil {
		return "", err
	}
	c := s.categoryByPath(v["category"])
	if c == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["category"], s.name)
	}
	r.category = c.id
	return fmt.Sprintf("moved %s to %s on %s", r.name, s.path(c.id), s.name), nil
}

func (w *World) markDeleted(s *server, v map[string]string) (string, error) {
	r, err := s.found(v)
	if err != nil {
		return "", err
	}
	if r.removed {
		return "", fmt.Errorf("resource %s is marked as deleted on %s", r.name, s.name)
	}
	r.removed = true
	return fmt.Sprintf("marked %s as deleted on %s", r.name, s.name), nil
}

// tamper does to stored data what no product does, so that whoever compares can be seen to find it.
func (w *World) tamper(s *server, v map[string]string) (string, error) {
	r, err := s.found(v)
	if err != nil {
		return "", err
	}
	if v["what"] == "gone" {
		s.resources = slices.DeleteFunc(s.resources, func(x *resource) bool { return x == r })
		return fmt.Sprintf("%s is gone from %s", r.name, s.name), nil
	}
	at, err := r.at(v, "revision")
	if err != nil {
		return "", err
	}
	switch v["what"] {
	case "lose":
		r.drop(func(x *revision) bool { return x == at })
	case "truncate":
		r.drop(func(x *revision) bool { return x.number >= at.number })
	case "author", "date", "description":
		at.distort(v["what"])
	default:
		return "", fmt.Errorf("what: want gone, lose, truncate, author, date or description, got %q", v["what"])
	}
	return fmt.Sprintf("did %s to revision %d of %s on %s", v["what"], at.number, r.name, s.name), nil
}

// drop takes revisions away, with their tags; what came after one comes after the one before it.
func (r *resource) drop(which func(*revision) bool) {
	for _, x := range slices.Clone(r.revisions) {
		if !which(x) {
			continue
		}
		for _, y := range r.revisions {
			if y.parent == x.number {
				y.parent = x.parent
			}
		}
		for _, b := range r.branches {
			if b.start == x.number {
				b.start = x.parent
			}
		}
		r.tags = slices.DeleteFunc(r.tags, func(t *tag) bool { return t.revision == x.number })
	}
	r.revisions = slices.DeleteFunc(r.revisions, which)
}
