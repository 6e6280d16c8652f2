// Package share plans, executes and verifies a synchronization of resources between two servers. A migration that owns
// a synchronization has the same steps under its own address.
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

// The verbs of a synchronization. Steps that exist once for each configuration have a name that begins with the verb.
const (
	VerbOriginals      = "originals" // if a server is in a site
	VerbSecured        = "secured"   // if it is encrypted
	VerbCreateCategory = "create_category"
	VerbGrantRole      = "grant_role"
	VerbConfigure      = "configure"
	VerbEncrypt        = "encrypt" // for a configuration that existed before encryption was declared
	VerbSynchronize    = "synchronize"
	VerbArrived        = "arrived"
	VerbUnconfigure    = "remove_configuration"
)

// Prefixes of the names of steps that exist once for each configuration. The key of the resource or category follows.
const (
	opConfigure   = VerbConfigure + "_" // + key + Plan.configuration
	opEncrypt     = VerbEncrypt + "_"   // + the same
	opUnconfigure = VerbUnconfigure + "_"
)

// Verbs are the verbs of a synchronization.
var Verbs = driver.Verbs[*Sharing]{originals, secured, createCategory, grantRole, configure, encryptVerb, synchronize,
	arrived, unconfigure}

// Sharing carries out one synchronization.
type Sharing struct {
	Sync       *survey.Sync
	Servers    Servers
	Observe    survey.Observer
	Encryption Encryption
}

// Servers returns clients that write to servers.
type Servers interface {
	Writer(server *schema.Resource) (osmc.Writer, error)
}

// Encryption is what a synchronization needs to know about the encryption of its ends.
type Encryption interface {
	// Look compares the ends of an encrypted synchronization. It returns nil if the source declares no sync_tls, and
	// while observations are missing.
	Look(v *survey.View, s *survey.Sync, f *survey.Facts) *Pair

	// HasRecipe reports whether one of the vendor's pages says how a server of a release encrypts synchronization.
	HasRecipe(server *connect.Server, release osmc.Release) bool

	// VerifySecured makes a TLS handshake with the port of each end, from the machine of the other one, and verifies
	// it.
	VerifySecured(ctx context.Context, s *survey.Sync) (executor.Verdict, error)
}

// Pair describes the encryption of the two ends of a synchronization.
type Pair struct {
	BothEnds bool // the target declares sync_tls too
	Changes  bool // the plan of one of the ends changes something
	Findings []planner.Finding
}

// servers returns the addresses of the servers that are contacted to read the copies.
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
