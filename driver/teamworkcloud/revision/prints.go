package revision

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/schema"
)

// Prints returns the history for others to compare, with digests instead of authors, descriptions, tags and contents.
// Authors of branches and IDs of tags are left out. Other IDs, numbers, dates and the names of branches stay, because
// they show which revisions belong together. What is unknown stays unknown. Equal histories have equal Prints.
func (h *History) Prints() *History {
	out := &History{Branches: slices.Clone(h.Branches), Revisions: slices.Clone(h.Revisions), Tags: slices.Clone(h.Tags)}
	for i := range out.Branches {
		out.Branches[i].Author = ""
	}
	for i := range out.Revisions {
		r := &out.Revisions[i]
		r.Author, r.Description = printed(r.Author), printed(r.Description)
		r.RootObjects, r.ElementPackages = printedList(r.RootObjects), printedList(r.ElementPackages)
	}
	for i := range out.Tags {
		t := &out.Tags[i]
		t.ID, t.Name, t.Description = "", PrintOfTag(t.Name), printed(t.Description)
	}
	slices.SortFunc(out.Tags, func(a, b osmc.Tag) int {
		return slices.Compare([]string{a.Name, a.Description}, []string{b.Name, b.Description})
	})
	slices.SortStableFunc(out.Tags, func(a, b osmc.Tag) int { return a.Revision - b.Revision })
	return out
}

// PrintOfTag returns the digest that Prints uses for a tag's name.
func PrintOfTag(name string) string { return printed(schema.NameForm(name)) }

// printed returns the digest of a text, "" for "".
func printed(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func printedList(all []string) []string {
	if len(all) == 0 {
		return all
	}
	return []string{printed(strings.Join(all, "\n"))}
}
