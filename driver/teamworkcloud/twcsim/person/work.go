package person

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// found returns the resource that a person means.
func found(s *state.Server, v map[string]string) (*state.Resource, error) {
	r := s.Resource(v["resource"])
	if r == nil {
		return nil, fmt.Errorf("there is no resource %s on %s", v["resource"], s.Name)
	}
	return r, nil
}

// editable returns a resource that can be edited: "synchronized resources on the target server are read-only" (seed).
func editable(s *state.Server, v map[string]string) (*state.Resource, error) {
	r, err := found(s, v)
	switch {
	case err != nil:
		return nil, err
	case r.Removed:
		return nil, fmt.Errorf("resource %s is marked as deleted on %s", r.Name, s.Name)
	case r.ReadOnly:
		return nil, fmt.Errorf("resource %s is read-only on %s, because it is synchronized", r.Name, s.Name)
	}
	return r, nil
}

// at returns the revision in a value.
func at(r *state.Resource, v map[string]string, name string) (*state.Revision, error) {
	n, err := strconv.Atoi(v[name])
	if err != nil || r.Revision(n) == nil {
		return nil, fmt.Errorf("%s: resource %s has no revision %q", name, r.Name, v[name])
	}
	return r.Revision(n), nil
}

func addResource(w *state.World, s *state.Server, v map[string]string) (string, error) {
	c := s.CategoryByPath(v["category"])
	if c == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["category"], s.Name)
	}
	for _, r := range s.Resources {
		if r.Name == v["name"] || v["id"] != "" && r.ID == v["id"] {
			return "", fmt.Errorf("resource %s exists on %s (%s)", r.Name, s.Name, r.ID)
		}
	}
	author := cmp.Or(v["author"], account(s, ""), "admin")
	trunk := &state.Branch{ID: w.NewID("branch"), Name: "trunk", Author: author, Created: w.Stamp()}
	r := &state.Resource{
		ID: cmp.Or(v["id"], w.NewID("resource")), ProjectID: cmp.Or(v["project_id"], "PROJECT-"+w.NewID("project")),
		LocalID: v["local_id"],
		Name:    v["name"], Description: v["description"], Category: c.ID, Branches: []*state.Branch{trunk},
	}
	r.Revisions = []*state.Revision{{Number: 1, Origin: 1, Branch: trunk.ID, Author: author, Created: w.Stamp(),
		Description: "created"}}
	s.Resources = append(s.Resources, r)
	return fmt.Sprintf("added resource %s (%s) on %s", r.Name, r.ID, s.Name), nil
}

// commit adds a revision, numbered after all others of its resource on any branch. ASSUMED: gaps come only from what
// is deleted later, so commits leave none.
func commit(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := editable(s, v)
	if err != nil {
		return "", err
	}
	b, err := workedOn(r, v["branch"])
	if err != nil {
		return "", err
	}
	c := &state.Revision{Number: 1, Branch: b.ID, Author: cmp.Or(v["author"], account(s, ""), "admin"),
		Description: v["description"], Created: w.Stamp()}
	if last := r.Latest(); last != nil {
		c.Number = last.Number + 1
	}
	c.Origin, c.Parent = c.Number, b.Start
	if own := r.On(b); len(own) > 0 {
		c.Parent = own[0].Number
	}
	if v["merged"] != "" {
		m, err := at(r, v, "merged")
		if err != nil {
			return "", err
		}
		c.Merged = m.Number
	}
	r.Revisions = append(r.Revisions, c)
	if v["tag"] != "" {
		r.Tags = append(r.Tags, &state.Tag{ID: w.NewID("tag"), Name: v["tag"], Revision: c.Number})
	}
	return fmt.Sprintf("committed revision %d of %s on %s", c.Number, r.Name, s.Name), nil
}

// workedOn returns a branch, without a name the main one.
func workedOn(r *state.Resource, ref string) (*state.Branch, error) {
	if ref == "" && len(r.Branches) > 0 {
		return r.Branches[0], nil
	}
	if b := r.BranchOf(ref); b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("resource %s has no branch %q", r.Name, ref)
}

func addTag(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := editable(s, v)
	if err != nil {
		return "", err
	}
	at, err := at(r, v, "revision")
	if err != nil {
		return "", err
	}
	r.Tags = append(r.Tags, &state.Tag{ID: w.NewID("tag"), Name: v["name"], Description: v["description"],
		Revision: at.Number})
	return fmt.Sprintf("tagged revision %d of %s with %s on %s", at.Number, r.Name, v["name"], s.Name), nil
}

// newBranch creates a branch after a revision, which adds a commit on the new branch (OMBEE-SYNC's capture).
func newBranch(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := editable(s, v)
	if err != nil {
		return "", err
	}
	b := &state.Branch{ID: w.NewID("branch"), Name: v["name"],
		Author: cmp.Or(v["author"], account(s, ""), "admin"), Created: w.Stamp()}
	switch last := r.Latest(); {
	case r.BranchOf(v["name"]) != nil:
		return "", fmt.Errorf("resource %s has a branch %s", r.Name, v["name"])
	case v["from"] != "":
		from, err := at(r, v, "from")
		if err != nil {
			return "", err
		}
		b.Start = from.Number
	case last != nil:
		b.Start = last.Number
	}
	r.Branches = append(r.Branches, b)
	r.Revisions = append(r.Revisions, r.Creation(b))
	return fmt.Sprintf("made branch %s of %s on %s, from revision %d", b.Name, r.Name, s.Name, b.Start), nil
}

// addLock means that somebody has begun to edit and has not committed yet.
func addLock(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := editable(s, v)
	if err != nil {
		return "", err
	}
	b, err := workedOn(r, v["branch"])
	if err != nil {
		return "", err
	}
	r.Locks = append(r.Locks, &state.Lock{User: v["user"], Branch: b.ID,
		Element: cmp.Or(v["element"], w.NewID("element"))})
	return fmt.Sprintf("%s has locked an element of %s on %s", v["user"], r.Name, s.Name), nil
}

func unlock(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := found(s, v)
	if err != nil {
		return "", err
	}
	had := len(r.Locks)
	r.Locks = slices.DeleteFunc(r.Locks, func(l *state.Lock) bool { return v["user"] == "" || l.User == v["user"] })
	return fmt.Sprintf("released %d locks of %s on %s", had-len(r.Locks), r.Name, s.Name), nil
}

// personLogin logs in with a modelling tool, which keeps its session and licence until announce or the end of the
// server.
func personLogin(w *state.World, s *state.Server, v map[string]string) (string, error) {
	u := s.User(v["user"])
	if u == nil {
		return "", fmt.Errorf("login of %s to %s failed", v["user"], s.Name)
	}
	if w.OpenSession(s, u, true) == nil {
		return "", errors.New("no licence is left")
	}
	return fmt.Sprintf("%s is logged in to %s", u.Name, s.Name), nil
}

// rename and move also work on a synchronized resource: the next synchronization reverts them (seed).
func rename(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := found(s, v)
	if err != nil {
		return "", err
	}
	old := r.Name
	r.Name = v["name"]
	return fmt.Sprintf("renamed %s to %s on %s", old, r.Name, s.Name), nil
}

func move(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := found(s, v)
	if err != nil {
		return "", err
	}
	c := s.CategoryByPath(v["category"])
	if c == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["category"], s.Name)
	}
	r.Category = c.ID
	return fmt.Sprintf("moved %s to %s on %s", r.Name, s.Path(c.ID), s.Name), nil
}

func renameCategory(_ *state.World, s *state.Server, v map[string]string) (string, error) {
	c := s.CategoryByPath(v["category"])
	if c == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["category"], s.Name)
	}
	c.Name = v["name"]
	return fmt.Sprintf("renamed %s to %s on %s", v["category"], c.Name, s.Name), nil
}

func markDeleted(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := found(s, v)
	if err != nil {
		return "", err
	}
	if r.Removed {
		return "", fmt.Errorf("resource %s is marked as deleted on %s", r.Name, s.Name)
	}
	r.Removed = true
	return fmt.Sprintf("marked %s as deleted on %s", r.Name, s.Name), nil
}

// tamper changes stored data as no product does, to test that comparisons find it.
func tamper(w *state.World, s *state.Server, v map[string]string) (string, error) {
	r, err := found(s, v)
	if err != nil {
		return "", err
	}
	if v["what"] == "gone" {
		s.Resources = slices.DeleteFunc(s.Resources, func(x *state.Resource) bool { return x == r })
		return fmt.Sprintf("%s is gone from %s", r.Name, s.Name), nil
	}
	if v["what"] == "project_id" {
		r.ProjectID = "PROJECT-" + w.NewID("project")
		return fmt.Sprintf("gave %s on %s another project id", r.Name, s.Name), nil
	}
	at, err := at(r, v, "revision")
	if err != nil {
		return "", err
	}
	switch v["what"] {
	case "lose":
		drop(r, func(x *state.Revision) bool { return x == at })
	case "truncate":
		drop(r, func(x *state.Revision) bool { return x.Number >= at.Number })
	case "author", "date", "description":
		engine.Distort(at, v["what"])
	default:
		return "", fmt.Errorf("what: want gone, project_id, lose, truncate, author, date or description, got %q", v["what"])
	}
	return fmt.Sprintf("did %s to revision %d of %s on %s", v["what"], at.Number, r.Name, s.Name), nil
}

// drop removes revisions with their tags. Their successors then follow their predecessors.
func drop(r *state.Resource, which func(*state.Revision) bool) {
	for _, x := range slices.Clone(r.Revisions) {
		if !which(x) {
			continue
		}
		for _, y := range r.Revisions {
			if y.Parent == x.Number {
				y.Parent = x.Parent
			}
		}
		for _, b := range r.Branches {
			if b.Start == x.Number {
				b.Start = x.Parent
			}
		}
		r.Tags = slices.DeleteFunc(r.Tags, func(t *state.Tag) bool { return t.Revision == x.Number })
	}
	r.Revisions = slices.DeleteFunc(r.Revisions, which)
}
