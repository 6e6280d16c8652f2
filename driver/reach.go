package driver

import "github.com/syncctl/syncctl/schema"

// Reacher is a Driver that knows what its declarations use beyond the arguments that every driver has, for `syncctl
// policy init`.
type Reacher interface {
	// Reach returns everything that a plan of the declaration may use, for every possible release of its server. It
	// contacts nothing. The same declaration has the same result.
	Reach(r *schema.Resource) Reach
}

// Reach is what a declaration uses on machines and on the network.
type Reach struct {
	Files     []MachineFile // read or written
	Addresses []string      // host:port, connected to from this machine or from another one
}

// MachineFile is a file on a machine.
type MachineFile struct {
	Machine string // as host.ssh names it; "" for this machine
	Path    string
}
