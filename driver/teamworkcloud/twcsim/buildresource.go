package twcsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// trunk is what the main branch is called (facts 2.5).
const trunk = "trunk"

// maxGenerated is how many revisions one server's resources may have together, so that a slip in a seed does not fill the
// memory.
const maxGenerated = 200_000

func (w *World) buildResource(s *server, in *seedResource) error {
	if in == nil || in.Name == "" {
		return errors.New("needs a name")
	}
	id, err := identified(in.ID, "resource "+s.name+" "+in.Name)
	if err != nil {
		return err
	}
	r := &resource{
		id: id, projectID: in.ProjectID, localID: in.LocalID, name: in.Name, description: in.Description, removed: in.Removed,
		readOnly: in.ReadOnly,
	}
	// The forms of both are the modelling tool's own; equal names make equal ids on no two servers.
	r.projectID = cmp.Or(r.projectID, "PROJECT-"+uuidOf("project "+s.name+" "+in.Name))
	r.localID = cmp.Or(r.localID, "_"+uuidOf("local " + r.projectID)[:18])
	for _, other := range s.resources {
		if other.id == r.id || other.projectID == r.projectID || other.localID == r.localID {
			return fmt.Errorf("%s and %s have an id in common", other.name, r.name)
		}
	}
	if in.Category != "" {
		c := s.categoryByPath(in.Category)
		if c == nil {
			return fmt.Errorf("category: there is no %s", in.Category)
		}
		r.category = c.id
	}
	if err := w.buildHistory(s, r, in); err != nil {
		return err
	}
	total := len(r.revisions)
	for _, other := range s.resources {
		total += len(other.revisions)
	}
	if total > maxGenerated {
		return fmt.Errorf("the server has more than %d revisions", maxGenerated)
	}
	s.resources = append(s.resources, r)
	return nil
}

func (w *World) buildHistory(s *server, r *resource, in *seedResource) error {
	branches := in.Branches
	if len(branches) == 0 {
		branches = []*seedBranch{{Name: trunk}}
	}
	for n, b := range branches {
		if err := r.buildBranch(s, b, n == 0); err != nil {
			return fmt.Errorf("branches[%d]: %w", n, err)
		}
	}
	switch {
	case in.Generate != nil && len(in.Revisions) > 0:
		return errors.New("generate: there are revisions already")
	case in.Generate != nil:
		if err := r.generate(in.Generate, w.now); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	default:
		for n, v := range in.Revisions {
			if err := w.buildRevision(r, v, len(in.Revisions)-n); err != nil {
				return fmt.Errorf("revisions[%d]: %w", n, err)
			}
		}
	}
	for n, b := range branches {
		if err := r.settleBranch(r.branches[n], b, w.now); err != nil {
			return fmt.Errorf("branches[%d]: %w", n, err)
		}
	}
	r.link()
	return r.buildTags(s, in)
}

func (r *resource) buildBranch(s *server, in *seedBranch, first bool) error {
	if in == nil || in.Name == "" {
		return errors.New("needs a name")
	}
	if r.branchOf(in.Name) != nil {
		return fmt.Errorf("%s is there twice", in.Name)
	}
	if first != (in.From == 0) {
		return errors.New("from: the first branch is the main one, all others begin after a revision")
	}
	id, err := identified(in.ID, "branch "+s.name+" "+r.id+" "+in.Name)
	if err != nil {
		return err
	}
	if r.branchOf(id) != nil {
		return fmt.Errorf("id: %s is there twice", id)
	}
	r.branches = append(r.branches, &branch{id: id, name: in.Name, start: in.From})
	return nil
}

// buildRevision adds a revision; without a time it is so many days before now, as come after it.
func (w *World) buildRevision(r *resource, in *seedRevision, before int) error {
	if in == nil {
		return errors.New("is null")
	}
	last := 0
	if v := r.latest(); v != nil {
		last = v.number
	}
	if in.N == 0 {
		in.N = last + 1
	}
	if in.N <= last || in.N > 1_000_000_000 {
		return fmt.Errorf("n: %d does not come after %d", in.N, last)
	}
	b := r.branches[0]
	if in.Branch != "" {
		b = r.branchOf(in.Branch)
	}
	if b == nil {
		return fmt.Errorf("branch: there is no %s", in.Branch)
	}
	if b.start >= in.N {
		return fmt.Errorf("branch: %s begins after revision %d", b.name, b.start)
	}
	created, err := instant(in.Created, w.stamp().Add(-time.Duration(before)*24*time.Hour))
	if err != nil {
		return fmt.Errorf("created: %w", err)
	}
	if in.Merged != 0 && r.revision(in.Merged) == nil {
		return fmt.Errorf("merged: there is no revision %d before it", in.Merged)
	}
	r.revisions = append(r.revisions, &revision{
		number: in.N, origin: in.N, branch: b.id, merged: in.Merged, author: cmp.Or(in.Author, "Administrator"), created: created,
		description: in.Description,
	})
	return nil
}

// generate makes a history of the main branch. The same seed gives the same one: revision i is by the authors in turn, at
// start + i*every, with seconds and milliseconds that look like people's.
func (r *resource) generate(in *seedGenerate, now time.Time) error {
	if in.Revisions < 1 || in.Revisions > maxGenerated {
		return fmt.Errorf("revisions: %d is not between 1 and %d", in.Revisions, maxGenerated)
	}
	if in.GapEvery < 0 || in.GapEvery == 1 {
		return errors.New("gap_every: every how many numbers one is missing, 2 or more")
	}
	every := 24 * time.Hour
	if in.Every != "" {
		d, err := time.ParseDuration(in.Every)
		if err != nil || d < time.Second || d > 10_000*time.Hour {
			return fmt.Errorf("every: %q is no time between 1s and 10000h", in.Every)
		}
		every = d
	}
	start, err := instant(in.Start, now.Add(-time.Duration(in.Revisions)*every).Truncate(time.Millisecond))
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	authors := in.Authors
	if len(authors) == 0 {
		authors = []string{"Administrator"}
	}
	if slices.Contains(authors, "") {
		return errors.New("authors: one has no name")
	}
	r.revisions = make([]*revision, 0, in.Revisions)
	number := 0
	for i := range in.Revisions {
		if number++; in.GapEvery > 0 && number%in.GapEvery == 0 {
			number++
		}
		r.revisions = append(r.revisions, &revision{
			number: number, origin: number, branch: r.branches[0].id, author: authors[i%len(authors)],
			created:     start.Add(time.Duration(i)*every + time.Duration(i*37%900)*time.Millisecond),
			description: work(i),
		})
	}
	return nil
}

// work describes the i-th change to a model.
func work(i int) string {
	if i == 0 {
		return "Initial commit"
	}
	done := []string{"Add", "Rework", "Rename", "Review", "Remove", "Split"}
	what := []string{
		"requirements of the housing", "block diagram", "interface of the controller", "parametrics", "state machine", "allocation table",
		"glossary", "use cases", "port types", "value properties", "views",
	}
	return done[i%len(done)] + " " + what[i%len(what)]
}

// settleBranch fills in what depends on the revisions. A branch exists before its own first revision.
func (r *resource) settleBranch(b *branch, in *seedBranch, now time.Time) error {
	from := r.revision(b.start)
	if b.start != 0 && from == nil {
		return fmt.Errorf("from: there is no revision %d", b.start)
	}
	b.author, b.created = in.Author, now.UTC().Truncate(time.Millisecond)
	own := slices.IndexFunc(r.revisions, func(v *revision) bool { return v.branch == b.id })
	switch {
	case own >= 0: // creating a branch is its first commit (OMBEE-SYNC's fixture)
		b.author, b.created = cmp.Or(b.author, r.revisions[own].author), r.revisions[own].created
	case from != nil:
		b.author, b.created = cmp.Or(b.author, from.author), from.created
	}
	b.author = cmp.Or(b.author, "Administrator")
	return nil
}

// link sets each revision's parent: the one before it on its branch, else the one that the branch begins after.
func (r *resource) link() {
	tips := map[string]int{}
	for _, b := range r.branches {
		tips[b.id] = b.start
	}
	for _, v := range r.revisions {
		v.parent = tips[v.branch]
		tips[v.branch] = v.number
	}
}

func (r *resource) buildTags(s *server, in *seedResource) error {
	for n, t := range in.Tags {
		if t == nil || t.Name == "" || r.revision(t.Revision) == nil {
			return fmt.Errorf("tags[%d]: needs a name and a revision that is there", n)
		}
		id := uuidOf(fmt.Sprintf("tag %s %s %d", s.name, r.id, n))
		r.tags = append(r.tags, &tag{id: id, name: t.Name, description: t.Description, revision: t.Revision})
	}
	for n, l := range in.Locks {
		if l == nil || l.User == "" {
			return fmt.Errorf("locks[%d]: needs a user", n)
		}
		b := r.branches[0]
		if l.Branch != "" {
			b = r.branchOf(l.Branch)
		}
		if b == nil {
			return fmt.Errorf("locks[%d]: branch: there is no %s", n, l.Branch)
		}
		element := cmp.Or(l.Element, uuidOf(fmt.Sprintf("element %s %d", r.id, n)))
		r.locks = append(r.locks, &lock{user: l.User, branch: b.id, element: element})
	}
	return nil
}
