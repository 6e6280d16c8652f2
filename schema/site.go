package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// Site is one site block: a network with the people and the secrets in it. A process acts for one site, and contacts
// the servers of that site and those without one.
type Site struct {
	Name string

	// Signers are the SSH keys, as lines of authorized_keys, whose signatures stand for the site. At least one.
	Signers []string
	// Recipients are the SSH keys for which what the site is sent is encrypted; the signers' where the block names none.
	Recipients []string
	// MaxAge is how old what the site's servers showed, or what it has verified, may be when others rely on it.
	MaxAge time.Duration

	Range hcl.Range // the block's header
}
