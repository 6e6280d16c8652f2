package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
)

// Facts are what a synchronization's plan, and that of a migration that owns it, are made from: what is selected,
// its copies, and what is around them.
type Facts struct {
	Source, Target Server
	Chain          []Hop // the hops before the source: upstream, its upstream, ...

	Items    []Item // categories first, each kind in the order of the declaration
	Category Category
	Role     Role
	Held     []Held    // what is in the target category and not selected, by id
	Left     []Held    // those of Held that were in a selected category of the source and are in another now
	Twice    []Overlap // other declarations that bring the same to the same target
	Loops    []Overlap // hops that bring something back to where it comes from
	Feeds    []Overlap // declarations that bring what is selected to the source, other than upstream
	AsOf     string    // when the newest revision of all that is selected was made, by the source's clock (RFC 3339)

	// Known are all categories and resources of the source, by ConfigurationKey: what an earlier run has configured
	// and is not declared any more still has a name.
	Known map[string]Known
}

// Hop is one hop before a synchronization.
type Hop struct {
	Addr   string
	Source Server
}

// Kinds of what a remote resource configuration is made for.
const (
	KindResource = "resource"
	KindCategory = "category"
)

// Item is one element of resources or categories: one remote resource configuration.
type Item struct {
	Kind      string     // KindResource, KindCategory
	Declared  string     // as it is written
	Index     int        // of the element in the list
	ID        string     // "" while it does not exist, such as a category that is only to come
	Name      string     //
	Path      string     // a category's own; a resource's category and name
	Coming    bool       // it is not on the source yet: upstream brings it
	Problem   string     // why it could not be resolved, in words
	Similar   []string   // with Problem: what may have been meant
	Removed   []string   // names of what is in it and marked as deleted on the source
	Hidden    []string   // ids in the category that the source's user cannot read
	Resources []Resource // what it brings, by name and id; the removed ones are not among them
}

// Resource is one selected resource on both servers.
type Resource struct {
	ID        string
	ProjectID string // "" where the server does not say
	Name      string
	Path      string // of its category on the source
	Coming    bool   // it is not on the source yet: upstream brings it
	Waits     string // what has to happen before upstream brings it, in words
	Readable  bool   // the source's user may read it

	Source revision.Summary // zero while it is only to come
	Target Copy
	Diff   revision.Comparison
	Tagged int // the newest revision of the source with the tag of the synchronization
	Taken  []Collision
}

// Copy is a resource of the same id on the target.
type Copy struct {
	Exists   bool
	Removed  bool // marked as deleted
	Name     string
	Category string // id
	Path     string // of its category
	History  revision.Summary

	ProjectID string // "" where the server does not say
}

// IsPresent tells whether there is a copy that is not marked as deleted.
func (c *Copy) IsPresent() bool { return c.Exists && !c.Removed }

// Held names a resource on the target.
type Held struct {
	ID        string
	ProjectID string
	Name      string
	Path      string // of its category; for a copy that left, on the source
	Removed   bool
}

// Known names what a configuration can be made for.
type Known struct{ Kind, ID, Path string }

// Collision is another resource on the target, or of the selection, that the product takes for the same.
type Collision struct {
	By      string // "project id", "name"
	ID      string
	Name    string
	Removed bool
	Within  bool // of the selection itself
}

// Category is the target category.
type Category struct {
	Declared string
	ID       string   // "" while it does not exist
	Path     string   // its names from the top, joined by "/"
	Existing []string // the paths of it and of those that it is in, as far as they exist
	Problem  string   // it is declared by an id that does not exist
}

// Role is the target user's right to have resources synchronized into the target category.
type Role struct {
	User     string
	RoleID   string // "" where the role cannot be made out
	Name     string
	Known    bool // whether the user holds it could be read
	Held     bool
	MayGrant bool // false: the server says that the client's user may not grant roles
}

// Overlap is what a declaration and others have in common.
type Overlap struct {
	Chain     []string // declarations, beginning with this one where hops lead on
	Resources []string // names
}

// ConfigurationKey stands for a resource or category in the names of steps: a resource by its id, which is the same
// on every server, a category by its path, which is known before a hop has created it.
func ConfigurationKey(kind, id, path string) string {
	if kind == KindResource {
		return Print(8, kind, id)
	}
	return Print(8, kind, path)
}

// Key is the ConfigurationKey of an element.
func (i *Item) Key() string { return ConfigurationKey(i.Kind, i.ID, i.Path) }

// IsRemoved: a resource that is marked as deleted on the source is not synchronized (VN 261624215).
func (i *Item) IsRemoved() bool { return i.Kind == KindResource && len(i.Removed) > 0 }

// Expected are the resources that can come by now: those that the source's user may read and that no earlier hop
// waits for.
func (i *Item) Expected() []*Resource {
	var out []*Resource
	for j := range i.Resources {
		if r := &i.Resources[j]; r.Readable && r.Waits == "" {
			out = append(out, r)
		}
	}
	return out
}

// Resources are all that is selected, each once, in order.
func (f *Facts) Resources() []*Resource {
	var out []*Resource
	seen := map[string]bool{}
	for i := range f.Items {
		for j := range f.Items[i].Resources {
			if r := &f.Items[i].Resources[j]; !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, r)
			}
		}
	}
	return out
}

// Print is a fingerprint of n characters for the name of a step: the same for the same words.
func Print(n int, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
