// Package machine is the machine of a Teamwork Cloud server: its Data Manager, its services and its database, and
// the maintenance window in which its services are stopped.
//
// The output of a command counts only if it has exactly the expected form. Anything else (a failed command, a login
// banner, an extra line) is unknown: never "stopped", never "empty", never a revision.
package machine

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
)

// Machine is a machine that can be reached, with the commands to run on it.
type Machine struct {
	Commands

	Host    host.Host
	Manager DataManager
}

// New returns the machine for a host.
func New(h host.Host, c Commands) *Machine {
	return &Machine{Commands: c, Host: h, Manager: DataManager{host: h, program: c.DataManager}}
}

// Unfit returns why this cannot be the machine to work on, "" if it can. An earlier try may have stopped some of the
// services. But if none of them runs, that contradicts the server, which answers.
func (m *Machine) Unfit(ctx context.Context, resources map[string]string) (string, error) {
	state, why, err := m.Status(ctx)
	switch {
	case err != nil:
		return "", err
	case state == Stopped || state == RunningUnknown:
		return fmt.Sprintf("%s answers, but its machine does not say that it runs: %s; see host.status of %s", m.Server,
			why, m.Server), nil
	}
	return m.UnfitDatabase(ctx, resources)
}

// UnfitDatabase returns why the database cannot be worked on, "" if it can. Its nodes must be up, and Data Manager
// must list each of the resources, which are given as names by ID.
func (m *Machine) UnfitDatabase(ctx context.Context, resources map[string]string) (string, error) {
	why, err := m.DatabaseProblem(ctx)
	if err != nil || why != "" {
		return why, err
	}
	held, err := m.Manager.Holds(ctx)
	if IsUnreadable(err) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	var missing []string
	for id, name := range resources {
		if !held.Has(id) {
			missing = append(missing, fmt.Sprintf("%s (%s)", name, id))
		}
	}
	if len(missing) == 0 {
		return "", nil
	}
	slices.Sort(missing)
	return fmt.Sprintf("datamanager on %s does not list %s: is this the machine, and the database, of %s?",
		m.Host.Name(), wording.List(missing), m.Server), nil
}
