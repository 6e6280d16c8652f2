package keystore

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Reacher = (*Driver)(nil)

// Reach returns the only file of a keystore.
func (d *Driver) Reach(r *schema.Resource) driver.Reach {
	name, machine := Location(r)
	if name == "" {
		return driver.Reach{}
	}
	return driver.Reach{Files: []driver.MachineFile{{Machine: machine, Path: name}}}
}
