package twcsim

import (
	"fmt"
	"slices"
	"time"
)

// copy brings one resource to the target: its whole history the first time, what is new afterwards, and its metadata
// each time. "The source server determines all of the resource's metadata" (seed).
func (p *pass) copy(j job) {
	if p.target.skips(j.from) {
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
		// ASSUMED: branches and tags keep their ids as the resource does.
		mine = &resource{id: j.from.id, readOnly: true, source: p.source.name}
		p.target.resources = append(p.target.resources, mine)
		p.here[mine.id] = mine
	}
	mine.projectID, mine.localID, mine.name, mine.description = j.from.projectID, j.from.localID, j.from.name, j.from.description
	// "It returns to its original category specified in the synchronization configuration" (seed).
	mine.category = p.c.targetCategory
	p.copyRevisions(j, mine)
	copyBranches(j, mine)
	copyTags(j, mine)
	mine.syncedTo = max(mine.syncedTo, j.upTo)
	if !slices.Contains(p.c.members, mine.id) {
		p.c.members = append(p.c.members, mine.id)
	}
}

// own finds the copy that the configuration may write to; nil when the target has none. What "delete configuration only"
// left behind is taken up again: only up to 2024x the resource had to be removed first (MCS/pages/247047420).
func (p *pass) own(from *resource) (*resource, error) {
	mine := p.here[from.id]
	if mine == nil {
		return nil, nil
	}
	last := from.latest()
	switch {
	case mine.readOnly && mine.source == "" && !mine.removed:
		err := mine.adopt(from, p.source.name)
		return mine, err
	case mine.source != p.source.name:
		return nil, fmt.Errorf("a resource with the resource id %s exists on the target (%s)", mine.id, mine.name)
	case mine.removed: // ASSUMED: uniqueness counts removed ones, the configuration's own too
		return nil, fmt.Errorf("resource %s is marked as deleted on the target", mine.name)
	case !mine.readOnly:
		// "This will cause version inconsistencies after subsequent synchronizations" (seed). ASSUMED: the engine sees it
		// and stops, rather than to mix two histories.
		return nil, fmt.Errorf("version inconsistency: resource %s is not read-only on the target any more", mine.name)
	case last == nil && mine.syncedTo > 0 || last != nil && last.number < mine.syncedTo: // ASSUMED, as above
		return nil, fmt.Errorf("version inconsistency: revision %d of resource %s is not on the source any more", mine.syncedTo, mine.name)
	}
	for _, other := range p.target.configurations {
		if other != p.c && !other.leftBehind && slices.Contains(other.members, mine.id) {
			return nil, fmt.Errorf("resource %s is synchronized by another configuration", mine.name) // ASSUMED, as for one item twice
		}
	}
	return mine, nil
}

// adopt takes over a read-only resource of which only a seed knows where it is from, if its history is the source's. A copy
// has the source's ids of branches, which a seed need not repeat.
func (r *resource) adopt(from *resource, source string) error {
	for i, v := range r.revisions {
		if i >= len(from.revisions) || !v.created.Equal(from.revisions[i].created) || v.author != from.revisions[i].author {
			return fmt.Errorf("version inconsistency: revision %d of resource %s is not the source's", v.number, r.name)
		}
	}
	for i, v := range r.revisions {
		v.copied, v.origin = from.revisions[i].number, from.revisions[i].origin
		r.syncedTo = v.copied
		v.branch = from.revisions[i].branch
	}
	for _, b := range r.branches {
		if same := from.branchOf(b.name); same != nil {
			b.id = same.id
		}
	}
	r.source = source
	return nil
}

// unique checks "project uniqueness by Project ID, Resource ID, and Project Name" (seed), since 2024xR2 Hot Fix 1 the local
// id too. ASSUMED: names are compared to the letter, and what is marked as deleted counts like everything else.
func (p *pass) unique(from, mine *resource) error {
	for _, x := range p.target.resources {
		var what, value string
		switch {
		case x == mine:
			continue
		case from.projectID != "" && x.projectID == from.projectID:
			what, value = "project id", x.projectID
		case x.name == from.name:
			what, value = "name", x.name
		case p.target.release.checksLocalID() && from.localID != "" && x.localID == from.localID:
			what, value = "local id", x.localID
		default:
			continue
		}
		state := ""
		if x.removed {
			state = ", marked as deleted"
		}
		return fmt.Errorf("a resource with the %s %s exists on the target (%s%s)", what, value, x.id, state)
	}
	return nil
}

// copyRevisions appends what is new. Before 2026x a target numbers consecutively whatever gaps the source has, from 2026x
// on the gaps are kept (MCS/pages/247046793). ASSUMED: author, date and description survive as they are, for the "entire
// history" (seed) is of little use otherwise.
func (p *pass) copyRevisions(j job, mine *resource) {
	synced := mine.syncedTo
	for _, r := range j.from.revisions {
		if r.number <= synced || r.number > j.upTo {
			continue
		}
		c := *r
		c.copied = r.number
		if !p.target.spoil(j.from, &c) {
			continue
		}
		if !p.target.release.keepsNumbers() {
			c.number = 1
			if last := mine.latest(); last != nil {
				c.number = last.number + 1
			}
		}
		c.parent, c.merged = mine.counterpart(j.from, r.parent), mine.counterpart(j.from, r.merged)
		mine.revisions = append(mine.revisions, &c)
	}
}

// counterpart is the copy's number of a revision of the source, or of the nearest one before it that the copy has.
func (r *resource) counterpart(from *resource, number int) int {
	for number > 0 {
		if mine := r.copyOf(number); mine != nil {
			return mine.number
		}
		before := from.revision(number)
		if before == nil || before.parent >= number {
			return 0
		}
		number = before.parent
	}
	return 0
}

// copyOf finds the copy of one revision of the source.
func (r *resource) copyOf(number int) *revision {
	for i := len(r.revisions) - 1; i >= 0; i-- {
		if r.revisions[i].copied == number {
			return r.revisions[i]
		}
	}
	return nil
}

// copyBranches brings the branches that begin within what is copied.
func copyBranches(j job, mine *resource) {
	for _, b := range j.from.branches {
		if b.start > j.upTo {
			continue
		}
		c := *b
		c.start = mine.counterpart(j.from, b.start)
		if i := slices.IndexFunc(mine.branches, func(x *branch) bool { return x.id == b.id }); i >= 0 {
			mine.branches[i] = &c
		} else {
			mine.branches = append(mine.branches, &c)
		}
	}
}

// copyTags brings the tags of what is copied, and takes away those that the source has no more.
func copyTags(j job, mine *resource) {
	mine.tags = nil
	for _, t := range j.from.tags {
		if r := mine.copyOf(t.revision); r != nil {
			c := *t
			c.revision = r.number
			mine.tags = append(mine.tags, &c)
		}
	}
}

// skips: the engine leaves a resource out and says nothing, which is one of the defects that a seed may ask for.
func (s *server) skips(from *resource) bool {
	return slices.ContainsFunc(s.defects, func(d *defect) bool { return d.what == "skip" && d.of(from) })
}

func (d *defect) of(r *resource) bool { return d.resource == r.id || d.resource == r.name }

// spoil does to a revision what the seed's defects want; false: the copy does not get it. Revisions have the source's
// numbers here.
func (s *server) spoil(from *resource, r *revision) bool {
	for _, d := range s.defects {
		if !d.of(from) {
			continue
		}
		switch {
		case d.what == "truncate" && d.revision > 0 && r.number >= d.revision, d.what == "lose" && r.number == d.revision:
			return false
		case r.number == d.revision:
			r.distort(d.what)
		}
	}
	return true
}

// distort changes one thing about a revision that nobody ever changes.
func (r *revision) distort(what string) {
	switch what {
	case "author":
		r.author = "twcSynchronizationManager" // as who the engine logs in to the source: webappplatform.properties
	case "date":
		r.created = r.created.Add(time.Hour)
	case "description":
		r.description += " (copied)"
	}
}
