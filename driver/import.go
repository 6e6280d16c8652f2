package driver

import (
	"context"

	"github.com/syncctl/syncctl/schema"
)

// Importer is a Driver that can find what a declared server has and nobody has declared, for `syncctl import`.
type Importer interface {
	// Import reads a server, and where the other end of something is looked for other declared ones too; it changes
	// nothing. declared are all declarations: what they mean is left out. What cannot be read, or can be told by a
	// likeness alone, is said in comments, and never guessed. A plan of what is drafted has nothing to change. The same
	// servers give the same drafts, and none holds a secret.
	Import(ctx context.Context, server *schema.Resource, declared []*schema.Resource) ([]schema.Draft, error)
}
