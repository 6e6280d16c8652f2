package teamworkcloud

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
)

// What a migration that owns a sync takes from here:
//
//	readSyncFacts, readCopies     what is selected and how its copies stand, with a visitor for whole histories
//	readHistory, compareHistories one resource by itself
//	newSyncPlan                   the sync's steps under the migration's address: prepare (category, role), unconfigured with
//	                              configureStep, arrivedStep(true), removeAllStep; and findings
//	verifyArrived                 the verification of arrivedStep, with a visitor
//
// create_category, grant_role and configure_* are carried out and verified by executeSync and verifySync, whoever owns them.

// syncFacts are what a sync's plan, and that of a migration that owns it, are made from.
type syncFacts struct {
	Source serverFacts `json:"source"`
	Target serverFacts `json:"target"`
	Chain  []hopFacts  `json:"chain,omitempty"` // what leads to the source: upstream, its upstream, ...

	Items    []selectionFacts `json:"items"`    // categories first, each kind in the order of the declaration
	Category categoryFacts    `json:"category"` // where the copies are put
	Role     roleFacts        `json:"role"`
	Held     []heldFacts      `json:"held,omitempty"`  // what is in the target category and not selected, by id
	Left     []heldFacts      `json:"left,omitempty"`  // those of Held that were in a selected category of the source and are in another now
	Twice    []overlapFacts   `json:"twice,omitempty"` // other declarations that bring the same to the same target
	Loops    []overlapFacts   `json:"loops,omitempty"` // hops that bring something back to where it comes from
	Feeds    []overlapFacts   `json:"feeds,omitempty"` // declarations that bring what is selected to the source, other than upstream
	AsOf     string           `json:"as_of,omitempty"` // when the newest revision of all that is selected was made, by the source's clock (RFC 3339)

	Encryption *pairFacts `json:"encryption,omitempty"` // nil: it is not encrypted, or the source does not declare how

	// Known are all categories and resources of the source, by configurationKey: what an earlier run has configured and is not
	// declared any more still has a name.
	Known map[string]knownFacts `json:"known,omitempty"`
}

// serverFacts are what a server says of itself.
type serverFacts struct {
	Addr      string       `json:"addr"` // of the declaration
	Text      string       `json:"text"` // of /osmc/version
	Release   osmc.Release `json:"release"`
	Keyspace  string       `json:"keyspace,omitempty"`
	Major     string       `json:"major,omitempty"` // "2024x": of the release, else of the database's keyspace; "" unknown
	PlainPort int          `json:"plain_port,omitempty"`
	TLSPort   int          `json:"tls_port,omitempty"` // 0: not known, or not open
	Ports     bool         `json:"ports"`              // the server says which ports it has
	Nodes     int          `json:"nodes,omitempty"`    // of the cluster; 0: not known
	User      string       `json:"user"`               // as whom the client works
}

// hopFacts are one hop before this one.
type hopFacts struct {
	Addr   string      `json:"addr"`
	Source serverFacts `json:"source"`
}

// Kinds of what a remote resource configuration is made for.
const (
	kindResource = "resource"
	kindCategory = "category"
)

// selectionFacts are one element of resources or categories: one remote resource configuration.
type selectionFacts struct {
	Kind     string          `json:"kind"`     // kindResource, kindCategory
	Declared string          `json:"declared"` // as it is written
	Index    int             `json:"index"`    // of the element in the list
	ID       string          `json:"id"`       // "" when it is not there, or is a category that is only to come
	Name     string          `json:"name"`
	Path     string          `json:"path"`              // a category's own; a resource's category and name
	Coming   bool            `json:"coming,omitempty"`  // it is not on the source yet: upstream brings it
	Problem  string          `json:"problem,omitempty"` // why it could not be resolved, in words; Similar: what may have been meant
	Similar  []string        `json:"similar,omitempty"`
	Removed  []string        `json:"removed,omitempty"` // names of what is in it and marked as deleted on the source
	Hidden   []string        `json:"hidden,omitempty"`  // ids in the category that the source's user cannot read
	Resource []resourceFacts `json:"resources"`         // what it brings, by name and id; the removed ones are not among them
}

// resourceFacts are one selected resource on both servers.
type resourceFacts struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	Name      string `json:"name"`
	Path      string `json:"path"` // of its category on the source
	Coming    bool   `json:"coming,omitempty"`
	Waits     string `json:"waits,omitempty"` // what has to happen before upstream brings it, in words
	Readable  bool   `json:"readable"`        // the source's user may read it

	Source revision.Summary    `json:"source"` // zero while it is only to come
	Target targetFacts         `json:"target"`
	Diff   revision.Comparison `json:"diff"`
	Tagged int                 `json:"tagged,omitempty"` // the newest revision of the source with the tag of the sync
	Taken  []collisionFact     `json:"taken,omitempty"`
}

// targetFacts are a resource of the same id on the target.
type targetFacts struct {
	There    bool             `json:"there"`
	Removed  bool             `json:"removed,omitempty"` // marked as deleted
	Name     string           `json:"name,omitempty"`
	Category string           `json:"category,omitempty"` // id
	Path     string           `json:"path,omitempty"`     // of its category
	History  revision.Summary `json:"history"`
}

// heldFacts name a resource on the target.
type heldFacts struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id,omitempty"`
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"` // of its category; for a copy that left, on the source
	Removed   bool   `json:"removed,omitempty"`
}

// knownFacts name what a configuration can be made for.
type knownFacts struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Path string `json:"path"`
}

// configurationKey stands for a resource or category in the names of steps: a resource by its id, which is the same on every
// server, a category by its path, which is known before a hop has created it.
func configurationKey(kind, id, path string) string {
	if kind == kindResource {
		return short(8, kind, id)
	}
	return short(8, kind, path)
}

func (s *selectionFacts) key() string { return configurationKey(s.Kind, s.ID, s.Path) }

// collisionFact is another resource on the target, or of the selection, that the product takes for the same.
type collisionFact struct {
	By      string `json:"by"` // "project id", "name"
	ID      string `json:"id"`
	Name    string `json:"name"`
	Removed bool   `json:"removed,omitempty"`
	Within  bool   `json:"within,omitempty"` // of the selection itself
}

// categoryFacts are the target category.
type categoryFacts struct {
	Declared string   `json:"declared"`
	ID       string   `json:"id"`                // "" when it is not there
	Path     string   `json:"path"`              // its names from the top, joined by "/"
	There    []string `json:"there,omitempty"`   // the paths of those that it is, or will be, in
	Problem  string   `json:"problem,omitempty"` // it is declared by an id that is not there
}

// roleFacts are the target user's right to have resources synchronized into the target category.
type roleFacts struct {
	User     string `json:"user"`
	RoleID   string `json:"role_id"` // "" when the role cannot be made out
	Name     string `json:"name"`
	Known    bool   `json:"known"` // whether the user holds it could be read
	Held     bool   `json:"held"`
	MayGrant bool   `json:"may_grant"` // false: the server says that the client's user may not grant roles
}

// overlapFacts are what this declaration and others have in common.
type overlapFacts struct {
	Chain     []string `json:"chain"`     // declarations, beginning with this one where hops lead on
	Resources []string `json:"resources"` // names
}

// resources are all that is selected, each once, in order.
func (f *syncFacts) resources() []*resourceFacts {
	var out []*resourceFacts
	seen := map[string]bool{}
	for i := range f.Items {
		for j := range f.Items[i].Resource {
			if r := &f.Items[i].Resource[j]; !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, r)
			}
		}
	}
	return out
}

// list collects steps; each follows the one before it unless it says what it needs.
type list struct {
	addr  string
	steps []planner.Step
	last  []string
}

func (l *list) id(op string) string { return planner.StepID(l.addr, op) }

// then adds steps that need everything added by the call before, but not each other.
func (l *list) then(steps ...planner.Step) {
	var ids []string
	for _, s := range steps {
		if s.Needs == nil {
			s.Needs = l.last
		}
		l.steps = append(l.steps, s)
		ids = append(ids, l.id(s.Op))
	}
	if len(ids) > 0 {
		l.last = ids
	}
}

// short is a fingerprint for the name of a step: the same for the same words.
func short(n int, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}
