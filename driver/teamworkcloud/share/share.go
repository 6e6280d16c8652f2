// Package share is a synchronization of resources between two servers: its plan, its steps, and what their end
// looks like. A migration that owns a synchronization has the same steps under its own address.
package share

import (
	"context"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of a synchronization. Steps that exist once for each configuration have the verb at the beginning of
// their name.
const (
	VerbOriginals      = "originals" // where servers are in sites
	VerbSecured        = "secured"   // where it is encrypted
	VerbCreateCategory = "create_category"
	VerbGrantRole      = "grant_role"
	VerbConfigure      = "configure"
	VerbEncrypt        = "encrypt" // of a configuration that was there before encryption was declared
	VerbSynchronize    = "synchronize"
	VerbArrived        = "arrived"
	VerbUnconfigure    = "remove_configuration"
)

// The beginnings of the names of steps that exist once for each configuration: the key of the resource or category
// follows.
const (
	opConfigure   = VerbConfigure + "_" // + key + what it is configured as
	opEncrypt     = VerbEncrypt + "_"   // + the same
	opUnconfigure = VerbUnconfigure + "_"
)

// Verbs are all that a synchronization does.
var Verbs = driver.Verbs[*Sharing]{originals, secured, createCategory, grantRole, configure, encryptVerb, synchronize,
	arrived, unconfigure}

// Sharing is one synchronization at work.
type Sharing struct {
	Sync       *survey.Sync
	Servers    Servers
	Observe    survey.Observer
	Encryption Encryption
}

// Servers writes to servers.
type Servers interface {
	Writer(server *schema.Resource) (osmc.Writer, error)
}

// Encryption is what a synchronization asks about the encryption of its ends.
type Encryption interface {
	// Look says how the ends of an encrypted synchronization stand to each other: nil where the source does not declare
	// sync_tls, or while observations are missing.
	Look(v *survey.View, s *survey.Sync, f *survey.Facts) *Pair

	// HasRecipe tells whether one of the vendor's pages says how a server of a release synchronizes encrypted.
	HasRecipe(server *connect.Server, release osmc.Release) bool

	// VerifySecured shakes hands with the port of each end, from where the other one stands, and verifies what it shows.
	VerifySecured(ctx context.Context, s *survey.Sync) (executor.Verdict, error)
}

// Pair is how the two ends of an encrypted synchronization stand to each other.
type Pair struct {
	BothEnds bool // the target declares sync_tls too
	Changes  bool // the plan of one of the ends changes something
	Findings []planner.Finding
}

// servers are the addresses of the servers that looking at the copies contacts.
func (p *Plan) servers() []string {
	if p.Sync.OverSites() {
		return []string{p.Facts.Target.Addr}
	}
	out := []string{p.Facts.Source.Addr, p.Facts.Target.Addr}
	for _, hop := range p.Sync.Chain() {
		out = append(out, hop.SourceServer().Address())
	}
	return out
}
