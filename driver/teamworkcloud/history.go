package teamworkcloud

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// history is all that a server keeps of how a resource came to be.
type history struct {
	Branches  []osmc.Branch
	Revisions []osmc.Revision // of all branches, by number
	Tags      []osmc.Tag
}

// readHistory reads a resource's branches, revisions and tags.
func readHistory(ctx context.Context, c osmc.Reader, resource string) (*history, error) {
	var h history
	var err error
	if h.Revisions, err = c.Revisions(ctx, resource); err != nil {
		return nil, fmt.Errorf("reading the revisions of resource %s: %w", resource, err)
	}
	if h.Branches, err = c.Branches(ctx, resource); err != nil {
		return nil, fmt.Errorf("reading the branches of resource %s: %w", resource, err)
	}
	if h.Tags, err = c.Tags(ctx, resource); err != nil {
		return nil, fmt.Errorf("reading the tags of resource %s: %w", resource, err)
	}
	return &h, nil
}

// historyFacts are what is kept of a history.
type historyFacts struct {
	Branches  int      `json:"branches"`
	Revisions int      `json:"revisions"`
	Tags      int      `json:"tags"`
	Latest    int      `json:"latest"`              // number of the newest revision, as this server counts
	LatestAt  string   `json:"latest_at,omitempty"` // when it was made (RFC 3339, UTC)
	LatestBy  string   `json:"latest_by,omitempty"`
	Creator   string   `json:"creator,omitempty"` // author of the first revision
	Authors   []string `json:"authors,omitempty"` // of all revisions, sorted
	Digest    string   `json:"digest"`            // of everything that was read, numbers included: the same as long as nothing changes
}

func (h *history) facts() historyFacts {
	f := historyFacts{Branches: len(h.Branches), Revisions: len(h.Revisions), Tags: len(h.Tags), Digest: h.digest()}
	authors := map[string]bool{}
	for i := range h.Revisions {
		r := &h.Revisions[i]
		if i == 0 {
			f.Creator = r.Author
		}
		if r.Author != "" && !authors[r.Author] {
			authors[r.Author] = true
			f.Authors = append(f.Authors, r.Author)
		}
		if r.Number >= f.Latest {
			f.Latest, f.LatestBy, f.LatestAt = r.Number, r.Author, instant(r.Created)
		}
	}
	slices.Sort(f.Authors)
	return f
}

// instant is a time to the second: what is finer is not the same in every form that servers write dates in.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// tagged is the newest revision with a tag, 0 if there is none.
func (h *history) tagged(tag string) int {
	newest := 0
	for _, t := range h.Tags {
		if t.Name == tag {
			newest = max(newest, t.Revision)
		}
	}
	return newest
}

// digest covers branches, revisions with their numbers, and tags, in an order that no server decides.
func (h *history) digest() string {
	sum := sha256.New()
	for _, l := range h.lines() {
		fmt.Fprintf(sum, "branch %q %q %d\n", l.id, l.name, l.start)
		for _, r := range l.revisions {
			fmt.Fprintf(sum, "%d %d %d %q %s %q\n", r.Number, r.Parent, r.MergedParent, r.Author, instant(r.Created), r.Description)
		}
	}
	tags := slices.Clone(h.Tags)
	slices.SortFunc(tags, func(a, b osmc.Tag) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), strings.Compare(a.Name, b.Name), strings.Compare(a.Description, b.Description))
	})
	for _, t := range tags {
		fmt.Fprintf(sum, "tag %d %q %q\n", t.Revision, t.Name, t.Description)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// line is a branch with the revisions that were made on it, oldest first. What came before the branch belongs to its parent.
type line struct {
	id, name  string
	start     int
	revisions []*osmc.Revision
}

// lines are the branches by name and id.
func (h *history) lines() []*line {
	byID := map[string]*line{}
	var out []*line
	for _, b := range h.Branches {
		l := &line{id: b.ID, name: b.Name, start: b.Start}
		byID[b.ID] = l
		out = append(out, l)
	}
	for i := range h.Revisions {
		r := &h.Revisions[i]
		l := byID[r.Branch]
		if l == nil { // a branch that has been deleted since
			l = &line{id: r.Branch, name: cmp.Or(r.BranchName, r.Branch)}
			byID[r.Branch] = l
			out = append(out, l)
		}
		l.revisions = append(l.revisions, r)
	}
	for _, l := range out {
		slices.SortStableFunc(l.revisions, func(a, b *osmc.Revision) int { return cmp.Compare(a.Number, b.Number) })
	}
	slices.SortStableFunc(out, func(a, b *line) int { return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.id, b.id)) })
	return out
}
