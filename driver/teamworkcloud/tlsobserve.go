package teamworkcloud

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// What is observed of a server's encryption, and the type of the observation's body.
const (
	aboutEncryption = "encryption" // encryptionFacts
	aboutTrust      = "trust"      // trusts, of the server's release
	aboutHandshake  = "handshake"  // presented, of "ADDRESS NAME"
	aboutValues     = "values"     // endValues, of the address of the server that they are compared with
)

var encryptionObservations = []string{aboutEncryption, aboutTrust, aboutHandshake, aboutValues}

// trusts are what a server verifies others' certificates by: all of them have to agree.
type trusts struct{ Views []trust }

// certificates are written in hexadecimal: in base64 they would look like part of a file that holds a key too.
type certificates []keystore.Certificate

// MarshalJSON writes each certificate in hexadecimal DER.
func (c certificates) MarshalJSON() ([]byte, error) {
	words := []string{}
	for _, one := range c {
		words = append(words, hex.EncodeToString(one.DER))
	}
	return json.Marshal(words)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *certificates) UnmarshalJSON(b []byte) error {
	var words []string
	if err := json.Unmarshal(b, &words); err != nil {
		return err
	}
	*c = nil
	for _, w := range words {
		der, err := hex.DecodeString(w)
		if err != nil {
			return fmt.Errorf("reading a certificate: %w", err)
		}
		*c = append(*c, keystore.NewCertificate(der))
	}
	return nil
}

// observeEncryption makes one observation of a server's encryption.
func (d *Driver) observeEncryption(ctx context.Context, server *schema.Resource, n planner.Need) (any, error) {
	switch n.What {
	case aboutEncryption:
		return d.readEncryption(ctx, server)
	case aboutTrust:
		release, _ := osmc.ParseRelease(n.Of) // one that is unknown counts as new
		views, err := d.trustsOf(ctx, server, release, true)
		return &trusts{Views: views}, err
	case aboutHandshake:
		address, name, _ := strings.Cut(n.Of, " ")
		return d.shakeHands(ctx, server, address, name)
	}
	for _, p := range server.Peers {
		if p.Addr.String() == n.Of {
			return d.readValues(ctx, server, p)
		}
	}
	return nil, fmt.Errorf("observing %s: %s is not declared", n, n.Of)
}

// lookAtEncryption looks at all that a plan of encryption at a server is made from, nil where sync_tls is not declared or while it
// has not been observed.
func (d *Driver) lookAtEncryption(v *survey.View, server *connect.Server) *encryptionFacts {
	if server.SyncTLS == nil {
		return nil
	}
	return survey.Look[encryptionFacts](v, server.Resource(), aboutEncryption, "")
}

// lookAtTrust looks at what a server verifies others' certificates by, nil while it has not been observed.
func (d *Driver) lookAtTrust(v *survey.View, server *connect.Server, release osmc.Release) []trust {
	if server.SyncTLS == nil {
		return []trust{standIn(server.Address())}
	}
	of := ""
	if !release.IsZero() {
		of = release.String()
	}
	if t := survey.Look[trusts](v, server.Resource(), aboutTrust, of); t != nil {
		return t.Views
	}
	return nil
}

// chainsOf are the chains of a keystore's entries.
func chainsOf(entries []entryFacts) [][]keystore.Certificate {
	var out [][]keystore.Certificate
	for _, e := range entries {
		out = append(out, e.Chain)
	}
	return out
}
