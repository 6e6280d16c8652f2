package driver

import "github.com/syncctl/syncctl/schema"

// Reacher is a Driver that knows what its declarations reach beyond the arguments that every driver has, for
// `syncctl policy init`.
type Reacher interface {
	// Reach is all that a plan of the declaration may use, whatever release its server is found to be. Nothing is asked
	// for it. The same declaration reaches the same.
	Reach(r *schema.Resource) Reach
}

// Reach is what a declaration uses of machines and of the network.
type Reach struct {
	Files     []MachineFile // read or written
	Addresses []string      // host:port, connected to from here or from a machine
}

// MachineFile is a file on a machine.
type MachineFile struct {
	Machine string // as host.ssh names it; "": this machine
	Path    string
}
