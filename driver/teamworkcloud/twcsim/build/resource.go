package build

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// trunk is the name of the main branch (facts 2.5).
const trunk = "trunk"

// maxGenerated is the maximum number of revisions of all resources of a server, and of all generated ones of a seed,
// so that a mistake in a seed does not fill the memory.
const maxGenerated = 200_000

func buildResource(w *state.World, s *state.Server, in *seedResource) error {
	if in == nil || in.Name == "" {
		return errors.New("needs a name")
	}
	id, err := identified(in.ID, "resource "+s.Name+" "+in.Name)
	if err != nil {
		return err
	}
	r := &state.Resource{
		ID: id, ProjectID: in.ProjectID, LocalID: in.LocalID, Name: in.Name, Description: in.Description,
		Removed:  in.Removed,
		ReadOnly: in.ReadOnly, Uses: in.Uses,
	}
	// Both have the modelling tool's form. The server's name is included, so equal names on two servers get different
	// IDs.
	r.ProjectID = cmp.Or(r.ProjectID, "PROJECT-"+state.UUIDOf("project "+s.Name+" "+in.Name))
	r.LocalID = cmp.Or(r.LocalID, "_"+state.UUIDOf("local " + r.ProjectID)[:18])
	for _, other := range s.Resources {
		if other.ID == r.ID || other.ProjectID == r.ProjectID || other.LocalID == r.LocalID {
			return fmt.Errorf("%s and %s have an id in common", other.Name, r.Name)
		}
	}
	if in.Category != "" {
		c := s.CategoryByPath(in.Category)
		if c == nil {
			return fmt.Errorf("category: there is no %s", in.Category)
		}
		r.Category = c.ID
	}
	if err := buildHistory(w, s, r, in); err != nil {
		return err
	}
	total := len(r.Revisions)
	for _, other := range s.Resources {
		total += len(other.Revisions)
	}
	if total > maxGenerated {
		return fmt.Errorf("the server has more than %d revisions", maxGenerated)
	}
	s.Resources = append(s.Resources, r)
	return nil
}

func buildHistory(w *state.World, s *state.Server, r *state.Resource, in *seedResource) error {
	branches := in.Branches
	if len(branches) == 0 {
		branches = []*seedBranch{{Name: trunk}}
	}
	for n, b := range branches {
		if err := buildBranch(r, s, b, n == 0); err != nil {
			return fmt.Errorf("branches[%d]: %w", n, err)
		}
	}
	switch {
	case in.Generate != nil && len(in.Revisions) > 0:
		return errors.New("generate: there are revisions already")
	case in.Generate != nil:
		if err := generate(r, in.Generate, w.Now); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	default:
		for n, v := range in.Revisions {
			if err := buildRevision(w, r, v, len(in.Revisions)-n); err != nil {
				return fmt.Errorf("revisions[%d]: %w", n, err)
			}
		}
	}
	for n, b := range branches {
		if err := settleBranch(r, r.Branches[n], b, w.Now); err != nil {
			return fmt.Errorf("branches[%d]: %w", n, err)
		}
	}
	link(r)
	return buildTags(r, s, in)
}

func buildBranch(r *state.Resource, s *state.Server, in *seedBranch, first bool) error {
	if in == nil || in.Name == "" {
		return errors.New("needs a name")
	}
	if r.BranchOf(in.Name) != nil {
		return fmt.Errorf("%s appears twice", in.Name)
	}
	if first != (in.From == 0) {
		return errors.New("from: the first branch is the main one, all others begin after a revision")
	}
	id, err := identified(in.ID, "branch "+s.Name+" "+r.ID+" "+in.Name)
	if err != nil {
		return err
	}
	if r.BranchOf(id) != nil {
		return fmt.Errorf("id: %s appears twice", id)
	}
	r.Branches = append(r.Branches, &state.Branch{ID: id, Name: in.Name, Start: in.From})
	return nil
}

// buildRevision adds a revision. Without a time, it is dated as many days before now as there are revisions after it.
func buildRevision(w *state.World, r *state.Resource, in *seedRevision, before int) error {
	if in == nil {
		return errors.New("is null")
	}
	last := 0
	if v := r.Latest(); v != nil {
		last = v.Number
	}
	if in.N == 0 {
		in.N = last + 1
	}
	if in.N <= last || in.N > 1_000_000_000 {
		return fmt.Errorf("n: %d does not come after %d", in.N, last)
	}
	b := r.Branches[0]
	if in.Branch != "" {
		b = r.BranchOf(in.Branch)
	}
	if b == nil {
		return fmt.Errorf("branch: there is no %s", in.Branch)
	}
	if b.Start >= in.N {
		return fmt.Errorf("branch: %s begins after revision %d", b.Name, b.Start)
	}
	created, err := instant(in.Created, w.Stamp().Add(-time.Duration(before)*24*time.Hour))
	if err != nil {
		return fmt.Errorf("created: %w", err)
	}
	if in.Merged != 0 && r.Revision(in.Merged) == nil {
		return fmt.Errorf("merged: there is no revision %d before it", in.Merged)
	}
	r.Revisions = append(r.Revisions, &state.Revision{
		Number: in.N, Origin: in.N, Branch: b.ID, Merged: in.Merged, Author: cmp.Or(in.Author, "Administrator"),
		Created:     created,
		Description: in.Description,
	})
	return nil
}

// generate makes a history of the main branch, the same for the same seed. Revision i is by the authors in turn, at
// start + i*every, with milliseconds that look real.
func generate(r *state.Resource, in *seedGenerate, now time.Time) error {
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
			return fmt.Errorf("every: %q is not a time between 1s and 10000h", in.Every)
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
	r.Revisions = make([]*state.Revision, 0, in.Revisions)
	number := 0
	for i := range in.Revisions {
		if number++; in.GapEvery > 0 && number%in.GapEvery == 0 {
			number++
		}
		r.Revisions = append(r.Revisions, &state.Revision{
			Number: number, Origin: number, Branch: r.Branches[0].ID, Author: authors[i%len(authors)],
			Created:     start.Add(time.Duration(i)*every + time.Duration(i*37%900)*time.Millisecond),
			Description: work(i),
		})
	}
	return nil
}

// work returns a description of the i-th change to a model.
func work(i int) string {
	if i == 0 {
		return "Initial commit"
	}
	done := []string{"Add", "Rework", "Rename", "Review", "Remove", "Split"}
	what := []string{
		"requirements of the housing", "block diagram", "interface of the controller", "parametrics", "state machine",
		"allocation table",
		"glossary", "use cases", "port types", "value properties", "views",
	}
	return done[i%len(done)] + " " + what[i%len(what)]
}

// settleBranch sets what depends on the revisions. The first revision on a branch is the commit that created it
// (OMBEE-SYNC's capture). If the seed has none, it is added; otherwise what the seed says of it is kept.
func settleBranch(r *state.Resource, b *state.Branch, in *seedBranch, now time.Time) error {
	from := r.Revision(b.Start)
	if b.Start != 0 && from == nil {
		return fmt.Errorf("from: there is no revision %d", b.Start)
	}
	b.Author, b.Created = in.Author, now.UTC().Truncate(time.Millisecond)
	own := slices.IndexFunc(r.Revisions, func(v *state.Revision) bool { return v.Branch == b.ID })
	switch {
	case own >= 0:
		first := r.Revisions[own]
		b.Author, b.Created = cmp.Or(b.Author, first.Author), first.Created
		if from != nil {
			first.Description = cmp.Or(first.Description, state.BranchCreated(b.Name))
		}
	case from != nil:
		b.Author, b.Created = cmp.Or(b.Author, from.Author), r.Latest().Created
		r.Revisions = append(r.Revisions, r.Creation(b))
	}
	b.Author = cmp.Or(b.Author, "Administrator")
	return nil
}

// link sets each revision's parent: the previous one on its branch, else the one after which the branch begins.
func link(r *state.Resource) {
	tips := map[string]int{}
	for _, b := range r.Branches {
		tips[b.ID] = b.Start
	}
	for _, v := range r.Revisions {
		v.Parent = tips[v.Branch]
		tips[v.Branch] = v.Number
	}
}

func buildTags(r *state.Resource, s *state.Server, in *seedResource) error {
	for n, t := range in.Tags {
		if t == nil || t.Name == "" || r.Revision(t.Revision) == nil {
			return fmt.Errorf("tags[%d]: needs a name and a revision that is there", n)
		}
		id := state.UUIDOf(fmt.Sprintf("tag %s %s %d", s.Name, r.ID, n))
		r.Tags = append(r.Tags, &state.Tag{ID: id, Name: t.Name, Description: t.Description, Revision: t.Revision})
	}
	for n, l := range in.Locks {
		if l == nil || l.User == "" {
			return fmt.Errorf("locks[%d]: needs a user", n)
		}
		b := r.Branches[0]
		if l.Branch != "" {
			b = r.BranchOf(l.Branch)
		}
		if b == nil {
			return fmt.Errorf("locks[%d]: branch: there is no %s", n, l.Branch)
		}
		element := cmp.Or(l.Element, state.UUIDOf(fmt.Sprintf("element %s %d", r.ID, n)))
		r.Locks = append(r.Locks, &state.Lock{User: l.User, Branch: b.ID, Element: element})
	}
	return nil
}
