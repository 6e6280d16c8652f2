package driver

import (
	"context"

	"github.com/syncctl/syncctl/schema"
)

// Importer is a Driver that can find what a declared server has and nobody has declared, for `syncctl import`.
type Importer interface {
	// Import reads a server, and where the other end of something is looked for other declared ones too; it changes
	// nothing. What is declared is left out. What cannot be read, or can be told by a likeness alone, is said in
	// comments, and never guessed. A plan of what is drafted has nothing to change. The same servers give the same
	// drafts, and none holds a secret.
	Import(ctx context.Context, of ImportRequest) ([]schema.Draft, error)
}

// ImportRequest is what is to be imported.
type ImportRequest struct {
	Server   *schema.Resource
	Declared []*schema.Resource // all declarations

	// From are the declared servers that a person says what Server has comes from: what no interface shows need not be
	// concluded then, and other servers are not looked at. Whoever has no use for it returns an error.
	From []*schema.Resource

	// IDs are what import blocks ask for, as schema.Draft.ID has it: nil where everything is. More may be drafted.
	IDs []string
}
