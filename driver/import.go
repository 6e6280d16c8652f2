package driver

import (
	"context"

	"github.com/syncctl/syncctl/schema"
)

// Importer is a Driver that can draft what a declared server has and nobody has declared, for `syncctl import`.
type Importer interface {
	// Import reads a server, and other declared servers if the other end of something has to be looked up. It changes
	// nothing. What is already declared is left out. What cannot be read, or is only likely, is said in comments and
	// never guessed. A plan of the drafts has nothing to change. The same servers give the same drafts, and no draft
	// holds a secret. What a declared keystore holds is one draft, which completes its declaration.
	Import(ctx context.Context, of ImportRequest) ([]schema.Draft, error)
}

// ImportRequest says what to import.
type ImportRequest struct {
	Server   *schema.Resource   // a server or a keystore
	Declared []*schema.Resource // all declarations

	// From lists the declared servers from which, according to the user, the contents of Server come. Then what no
	// interface shows need not be concluded, and no other servers are read. An importer that has no use for it
	// returns an error.
	From []*schema.Resource

	// IDs lists what import blocks ask for, as in schema.Draft.ID. If nil, everything is imported. More may be
	// drafted.
	IDs []string
}
