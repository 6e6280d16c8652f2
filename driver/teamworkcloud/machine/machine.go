// Package machine is the machine behind a Teamwork Cloud server: its Data Manager, its services and its database, and
// the maintenance window in which its services are stopped.
//
// What a command prints counts only in exactly the form that is expected. Anything else (a failed command, a login
// banner, a line too many) is unknown: never "stopped", never "empty", never a revision.
package machine

import (
	"context"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
)

// Machine is a machine that is reached, with the commands that are run there.
type Machine struct {
	Commands

	Host    host.Host
	Manager DataManager
}

// New returns the machine that a host is.
func New(h host.Host, c Commands) *Machine {
	return &Machine{Commands: c, Host: h, Manager: DataManager{host: h, program: c.DataManager}}
}

// Unfit tells what keeps the machine from being the one that is to be worked on, "" if nothing does. Of the services
// some may have been stopped by an earlier try; that none of them run contradicts the server, which answers.
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

// UnfitDatabase tells what keeps the database from being worked on, "" if nothing does: its nodes must be up, and
// Data Manager must list every one of the resources, which are names by id.
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
