package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
)

// Facts are the input for the plan of a synchronization, and of a migration that owns it: the selected resources,
// their copies, and what is around them.
type Facts struct {
	Source, Target Server
	Chain          []Hop // the hops before the source: upstream, its upstream, ...

	Items    []Item // categories first, each kind in the order of the declaration
	Category Category
	Role     Role
	Held     []Held    // resources in the target category that are not selected, in the target's order
	Left     []Held    // those of Held that were in a selected category of the source and are now in another category
	Twice    []Overlap // other declarations that bring the same resources to the same target
	Loops    []Overlap // hops that bring resources back to the source
	Feeds    []Overlap // declarations other than upstream that bring selected resources to the source
	AsOf     string    // when the newest selected revision was made, by the source's clock (RFC 3339)

	// Known holds all categories and resources of the source, by ConfigurationKey. It names what an earlier run has
	// configured and is no longer declared.
	Known map[string]Known
}

// Hop is one hop before a synchronization.
type Hop struct {
	Addr   string
	Source Server
}

// The kinds of remote resource configurations, and of items.
const (
	KindResource = "resource"
	KindCategory = "category"
)

// Item is one element of resources or categories in a declaration. It becomes one remote resource configuration.
type Item struct {
	Kind      string     // KindResource, KindCategory
	Declared  string     // as written in the declaration
	Index     int        // of the element in the list
	ID        string     // "" while it does not exist, for example a category that is still to come
	Name      string     //
	Path      string     // a category's path; a resource's category path and name
	Coming    bool       // not on the source yet: upstream will bring it
	Problem   string     // why the item could not be found
	Similar   []string   // with Problem: names that may have been meant
	Removed   []string   // names of resources in it that are marked as deleted on the source
	Hidden    []string   // IDs of resources in the category that the source's user cannot read
	Resources []Resource // its resources without removed ones, sorted by name and ID
}

// Resource is one selected resource on both servers.
type Resource struct {
	ID        string
	ProjectID string // "" where the server does not say
	Name      string
	Path      string // of its category on the source
	Coming    bool   // not on the source yet: upstream will bring it
	Waits     string // what has to happen before upstream brings it, as a text
	Readable  bool   // the source's user may read it

	Source revision.Summary // zero while the resource is still to come
	Target Copy
	Diff   revision.Comparison
	Tagged int // the newest revision on the source with the synchronization's tag
	Taken  []Collision
}

// Copy is the resource with the same ID on the target.
type Copy struct {
	Exists   bool
	Removed  bool // marked as deleted
	Name     string
	Category string // id
	Path     string // of its category
	History  revision.Summary

	ProjectID string // "" where the server does not say
}

// IsPresent reports whether there is a copy that is not marked as deleted.
func (c *Copy) IsPresent() bool { return c.Exists && !c.Removed }

// Held names a resource on the target.
type Held struct {
	ID        string
	ProjectID string
	Name      string
	Path      string // path of its category on the target, or on the source for a copy in Facts.Left
	Removed   bool
}

// Known is a resource or category that can have a configuration.
type Known struct{ Kind, ID, Path string }

// Collision is another resource, on the target or selected, that the product takes for the same project.
type Collision struct {
	By      string // "project id", "name"
	ID      string
	Name    string
	Removed bool
	Within  bool // the other resource is selected too
}

// Category is the target category.
type Category struct {
	Declared string
	ID       string   // "" while it does not exist
	Path     string   // its names from the top, joined by "/"
	Existing []string // the paths of the category and its ancestors, as far as they exist
	Problem  string   // set if it is declared by an ID that does not exist
}

// Role is the target user's right to have resources synchronized into the target category.
type Role struct {
	User     string
	RoleID   string // "" if the role cannot be found
	Name     string
	Known    bool // false: unknown whether the user has the role
	Held     bool
	MayGrant bool // false: the server says that the client's user may not grant roles
}

// Overlap lists resources that declarations have in common.
type Overlap struct {
	Chain     []string // addresses of the declarations; a loop begins with this one
	Resources []string // names
}

// ConfigurationKey identifies a resource or category in the names of steps. A resource is identified by its ID, which
// is the same on every server. A category is identified by its path, which is known before a hop has created it.
func ConfigurationKey(kind, id, path string) string {
	if kind == KindResource {
		return Print(8, kind, id)
	}
	return Print(8, kind, path)
}

// Key returns the ConfigurationKey of an item.
func (i *Item) Key() string { return ConfigurationKey(i.Kind, i.ID, i.Path) }

// IsRemoved reports whether the item is a resource that is marked as deleted on the source. Such a resource is not
// synchronized (VN 261624215).
func (i *Item) IsRemoved() bool { return i.Kind == KindResource && len(i.Removed) > 0 }

// Expected returns the resources that can arrive now: those that the source's user may read and that do not wait for
// an earlier hop.
func (i *Item) Expected() []*Resource {
	var out []*Resource
	for j := range i.Resources {
		if r := &i.Resources[j]; r.Readable && r.Waits == "" {
			out = append(out, r)
		}
	}
	return out
}

// Resources returns all selected resources in order, without duplicates.
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

// Print returns a fingerprint of words with n characters, for the name of a step.
func Print(n int, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
