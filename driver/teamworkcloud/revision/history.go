// Package revision represents a resource's history, and compares a copy's history with the original's.
//
// A copy is compared with its original branch by branch and revision by revision. What one of the two servers does
// not show is unknown, which is neither equal nor different. A Record is what a run has verified, for the time when a
// server cannot be asked.
package revision

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/schema"
)

// Reader reads the three lists that make up a history.
type Reader interface {
	History(ctx context.Context, resource string) ([]osmc.Revision, []osmc.Branch, error)
	Tags(ctx context.Context, resource string) ([]osmc.Tag, error)
}

// History is everything that a server keeps about how a resource was made.
type History struct {
	Branches  []osmc.Branch
	Revisions []osmc.Revision // of all branches, sorted by number
	Tags      []osmc.Tag
}

// Read reads a resource's branches, revisions and tags.
func Read(ctx context.Context, server Reader, resource string) (*History, error) {
	var h History
	err := rest.Beside(ctx, func(ctx context.Context) (err error) {
		if h.Revisions, h.Branches, err = server.History(ctx, resource); err != nil {
			return fmt.Errorf("reading the history of resource %s: %w", resource, err)
		}
		return nil
	}, func(ctx context.Context) (err error) {
		if h.Tags, err = server.Tags(ctx, resource); err != nil {
			return fmt.Errorf("reading the tags of resource %s: %w", resource, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &h, nil
}

// Summary is the part of a history that a plan keeps.
type Summary struct {
	Branches  int      `json:"branches"`
	Revisions int      `json:"revisions"`
	Tags      int      `json:"tags"`
	Latest    int      `json:"latest"`              // number of the newest revision on this server
	LatestAt  string   `json:"latest_at,omitempty"` // when it was made (RFC 3339, UTC)
	LatestBy  string   `json:"latest_by,omitempty"`
	Creator   string   `json:"creator,omitempty"` // author of the first revision
	Authors   []string `json:"authors,omitempty"` // of all revisions, sorted
	Digest    string   `json:"digest"`            // see History.Digest
	Unknown   []Part   `json:"unknown,omitempty"` // parts that the server does not show for every revision, sorted
}

// Summary returns the counts and digest of a history.
func (h *History) Summary() Summary {
	s := Summary{Branches: len(h.Branches), Revisions: len(h.Revisions), Tags: len(h.Tags), Digest: h.Digest()}
	for i := range h.Revisions {
		r := &h.Revisions[i]
		if i == 0 {
			s.Creator = r.Author
		}
		if r.Author != "" {
			s.Authors = append(s.Authors, r.Author)
		}
		if r.Number >= s.Latest {
			s.Latest, s.LatestBy, s.LatestAt = r.Number, r.Author, Instant(r.Created)
		}
		for _, f := range fieldsOf(r) {
			if !f.known {
				s.Unknown = append(s.Unknown, f.part)
			}
		}
	}
	slices.Sort(s.Authors)
	s.Authors = slices.Compact(s.Authors)
	slices.Sort(s.Unknown)
	s.Unknown = slices.Compact(s.Unknown)
	return s
}

// Instant formats a time to the second, "" for the zero time. Servers do not write fractions in every date format.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// Tagged returns the number of the newest revision with a tag, 0 if there is none.
func (h *History) Tagged(tag string) int {
	newest := 0
	for _, t := range h.Tags {
		if schema.SameName(t.Name, tag) {
			newest = max(newest, t.Revision)
		}
	}
	return newest
}

// Digest returns a digest of branches, revisions with their numbers, and tags. It does not depend on the order in
// which the server lists them, and stays the same as long as none of them changes.
func (h *History) Digest() string {
	sum := sha256.New()
	for _, l := range h.Lines() {
		fmt.Fprintf(sum, "branch %q %q %d\n", l.ID, l.Name, l.Start)
		for _, r := range l.Revisions {
			fmt.Fprintf(sum, "%d %d %d %q %s %q\n", r.Number, r.Parent, r.MergedParent, r.Author, Instant(r.Created),
				r.Description)
		}
	}
	tags := slices.Clone(h.Tags)
	slices.SortFunc(tags, func(a, b osmc.Tag) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Description, b.Description))
	})
	for _, t := range tags {
		fmt.Fprintf(sum, "tag %d %q %q\n", t.Revision, t.Name, t.Description)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Line is a branch with the revisions made on it, oldest first. Earlier revisions belong to the parent branch.
type Line struct {
	ID, Name  string
	Start     int
	Revisions []*osmc.Revision
	Deleted   bool // the server still lists its revisions, but not the branch itself
}

// Lines returns the branches, sorted by name and ID.
func (h *History) Lines() []*Line {
	byID := map[string]*Line{}
	var out []*Line
	for _, b := range h.Branches {
		l := &Line{ID: b.ID, Name: b.Name, Start: b.Start}
		byID[b.ID] = l
		out = append(out, l)
	}
	for i := range h.Revisions {
		r := &h.Revisions[i]
		l := byID[r.Branch]
		if l == nil {
			l = &Line{ID: r.Branch, Name: cmp.Or(r.BranchName, r.Branch), Deleted: true}
			byID[r.Branch] = l
			out = append(out, l)
		}
		l.Revisions = append(l.Revisions, r)
	}
	for _, l := range out {
		slices.SortStableFunc(l.Revisions, func(a, b *osmc.Revision) int { return cmp.Compare(a.Number, b.Number) })
	}
	slices.SortStableFunc(out, func(a, b *Line) int {
		return cmp.Or(strings.Compare(a.Name, b.Name),
			strings.Compare(a.ID, b.ID))
	})
	return out
}
