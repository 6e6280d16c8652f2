package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// copy copies one resource to the target: its whole history the first time, later what is new, and its metadata each
// time. "The source server determines all of the resource's metadata" (seed).
func (p *pass) copy(j job) {
	if skips(p.target, j.from) {
		return
	}
	mine, err := p.own(j.from)
	if err == nil {
		err = p.unique(j.from, mine)
	}
	if err != nil {
		p.problems = append(p.problems, err.Error())
		return
	}
	if mine == nil {
		// ASSUMED: branches and tags keep their IDs, like the resource.
		mine = &state.Resource{ID: j.from.ID, ReadOnly: true, Source: p.source.Name}
		p.target.Resources = append(p.target.Resources, mine)
		p.here[mine.ID] = mine
	}
	mine.ProjectID, mine.LocalID, mine.Name, mine.Description = j.from.ProjectID, j.from.LocalID, j.from.Name,
		j.from.Description
	// "It returns to its original category specified in the synchronization configuration" (seed).
	mine.Category = p.c.TargetCategory
	p.copyRevisions(j, mine)
	copyBranches(j, mine)
	copyTags(j, mine)
	mine.SyncedTo = max(mine.SyncedTo, j.upTo)
	if !slices.Contains(p.c.Members, mine.ID) {
		p.c.Members = append(p.c.Members, mine.ID)
	}
}

// own finds the copy that the configuration may write to. It returns nil if the target has none. What "delete
// configuration only" left behind is used again: only up to 2024x the resource had to be removed first
// (MCS/pages/247047420).
func (p *pass) own(from *state.Resource) (*state.Resource, error) {
	mine := p.here[from.ID]
	if mine == nil {
		return nil, nil
	}
	last := from.Latest()
	switch {
	case mine.ReadOnly && mine.Source == "" && !mine.Removed:
		err := Adopt(mine, from, p.source.Name)
		return mine, err
	case mine.Source != p.source.Name:
		return nil, fmt.Errorf("a resource with the resource id %s exists on the target (%s)", mine.ID, mine.Name)
	case mine.Removed: // ASSUMED: uniqueness includes removed ones, even the configuration's own
		return nil, fmt.Errorf("resource %s is marked as deleted on the target", mine.Name)
	case !mine.ReadOnly:
		// "This will cause version inconsistencies after subsequent synchronizations" (seed). ASSUMED: the engine
		// notices and stops, rather than mixing two histories.
		return nil, fmt.Errorf("version inconsistency: resource %s is not read-only on the target any more", mine.Name)
	case last == nil && mine.SyncedTo > 0 || last != nil && last.Number < mine.SyncedTo: // ASSUMED, as above
		return nil, fmt.Errorf("version inconsistency: revision %d of resource %s is not on the source any more",
			mine.SyncedTo, mine.Name)
	}
	for _, other := range p.target.Configurations {
		if other != p.c && !other.LeftBehind && slices.Contains(other.Members, mine.ID) {
			// ASSUMED, as for one item twice
			return nil, fmt.Errorf("resource %s is synchronized by another configuration", mine.Name)
		}
	}
	return mine, nil
}

// Adopt takes over a read-only resource whose source is known only from a seed, if its history is the source's. A copy
// has the branch IDs of the source, which a seed need not repeat.
func Adopt(r *state.Resource, from *state.Resource, source string) error {
	for i, v := range r.Revisions {
		if i >= len(from.Revisions) || !v.Created.Equal(from.Revisions[i].Created) || v.Author != from.Revisions[i].Author {
			return fmt.Errorf("version inconsistency: revision %d of resource %s is not the source's", v.Number, r.Name)
		}
	}
	for i, v := range r.Revisions {
		v.Copied, v.Origin = from.Revisions[i].Number, from.Revisions[i].Origin
		r.SyncedTo = v.Copied
		v.Branch = from.Revisions[i].Branch
	}
	for _, b := range r.Branches {
		if same := from.BranchOf(b.Name); same != nil {
			b.ID = same.ID
		}
	}
	r.Source = source
	return nil
}

// unique checks "project uniqueness by Project ID, Resource ID, and Project Name" (seed), and since 2024xR2 Hot Fix 1
// also by local ID. ASSUMED: names are compared exactly, and what is marked as deleted counts as well.
func (p *pass) unique(from, mine *state.Resource) error {
	for _, x := range p.target.Resources {
		var what, value string
		switch {
		case x == mine:
			continue
		case from.ProjectID != "" && x.ProjectID == from.ProjectID:
			what, value = "project id", x.ProjectID
		case x.Name == from.Name:
			what, value = "name", x.Name
		case p.target.Release.ChecksLocalID() && from.LocalID != "" && x.LocalID == from.LocalID:
			what, value = "local id", x.LocalID
		default:
			continue
		}
		state := ""
		if x.Removed {
			state = ", marked as deleted"
		}
		return fmt.Errorf("a resource with the %s %s exists on the target (%s%s)", what, value, x.ID, state)
	}
	return nil
}

// copyRevisions adds what is new. Before 2026x a target numbers revisions consecutively, even if the source has gaps;
// from 2026x on the gaps are kept (MCS/pages/247046793). ASSUMED: author, date and description are kept, because the
// "entire history" (seed) is of little use otherwise.
func (p *pass) copyRevisions(j job, mine *state.Resource) {
	synced := mine.SyncedTo
	for _, r := range j.from.Revisions {
		if r.Number <= synced || r.Number > j.upTo {
			continue
		}
		c := *r
		c.Copied = r.Number
		if !spoil(p.target, j.from, &c) {
			continue
		}
		if !p.target.Release.KeepsNumbers() {
			c.Number = 1
			if last := mine.Latest(); last != nil {
				c.Number = last.Number + 1
			}
		}
		c.Parent, c.Merged = counterpart(mine, j.from, r.Parent), counterpart(mine, j.from, r.Merged)
		mine.Revisions = append(mine.Revisions, &c)
	}
}

// counterpart returns the copy's number for a revision of the source, or for its nearest predecessor that the copy
// has.
func counterpart(r *state.Resource, from *state.Resource, number int) int {
	for number > 0 {
		if mine := copyOf(r, number); mine != nil {
			return mine.Number
		}
		before := from.Revision(number)
		if before == nil || before.Parent >= number {
			return 0
		}
		number = before.Parent
	}
	return 0
}

// copyOf finds the copy of one revision of the source.
func copyOf(r *state.Resource, number int) *state.Revision {
	for i := len(r.Revisions) - 1; i >= 0; i-- {
		if r.Revisions[i].Copied == number {
			return r.Revisions[i]
		}
	}
	return nil
}

// copyBranches copies the branches that begin within what is copied.
func copyBranches(j job, mine *state.Resource) {
	for _, b := range j.from.Branches {
		if b.Start > j.upTo {
			continue
		}
		c := *b
		c.Start = counterpart(mine, j.from, b.Start)
		if i := slices.IndexFunc(mine.Branches, func(x *state.Branch) bool { return x.ID == b.ID }); i >= 0 {
			mine.Branches[i] = &c
		} else {
			mine.Branches = append(mine.Branches, &c)
		}
	}
}

// copyTags copies the tags of what is copied, and removes those that the source no longer has.
func copyTags(j job, mine *state.Resource) {
	mine.Tags = nil
	for _, t := range j.from.Tags {
		if r := copyOf(mine, t.Revision); r != nil {
			c := *t
			c.Revision = r.Number
			mine.Tags = append(mine.Tags, &c)
		}
	}
}

// skips reports whether the engine silently leaves out a resource, which is one of the defects in a seed.
func skips(s *state.Server, from *state.Resource) bool {
	return slices.ContainsFunc(s.Defects, func(d *state.Defect) bool { return d.What == "skip" && of(d, from) })
}

func of(d *state.Defect, r *state.Resource) bool { return d.Resource == r.ID || d.Resource == r.Name }

// spoil applies the seed's defects to a revision, which still has the source's number. It returns false if the copy
// does not get the revision.
func spoil(s *state.Server, from *state.Resource, r *state.Revision) bool {
	for _, d := range s.Defects {
		if !of(d, from) {
			continue
		}
		switch {
		case d.What == "truncate" && d.Revision > 0 && r.Number >= d.Revision, d.What == "lose" && r.Number == d.Revision:
			return false
		case r.Number == d.Revision:
			Distort(r, d.What)
		}
	}
	return true
}

// Distort changes something about a revision that no product changes.
func Distort(r *state.Revision, what string) {
	switch what {
	case "author":
		r.Author = "twcSynchronizationManager" // user with which the engine logs in to the source: webappplatform.properties
	case "date":
		r.Created = r.Created.Add(time.Hour)
	case "description":
		r.Description += " (copied)"
	}
}
