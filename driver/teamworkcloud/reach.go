package teamworkcloud

import (
	"path"
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Reacher = (*Driver)(nil)

// Reach returns the files on a server's machine that may be used (Data Manager with its log, and what encryption reads
// and edits), and the ports that encryption tries. Where the files are depends on the release: without expect, all of
// the vendor's paths are returned.
func (d *Driver) Reach(r *schema.Resource) driver.Reach {
	if r.Addr.Kind != schema.Server {
		return driver.Reach{}
	}
	server := connect.Declared(r)
	out := driver.Reach{Addresses: encrypt.Addresses(server)}
	if server.Host == nil || server.Host.SSH == "" && !server.Host.Local {
		return out
	}
	var names []string
	for _, release := range releasesOf(server) {
		names = append(names, machine.FilesOf(machine.CommandsFor(server, release))...)
		names = append(names, encrypt.PossibleFiles(server, release)...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if path.IsAbs(name) || server.Host.Local {
			out.Files = append(out.Files, driver.MachineFile{Machine: server.Host.SSH, Path: name})
		}
	}
	return out
}

// releasesOf returns releases that a server may have, one for each of the vendor's layouts.
func releasesOf(server *connect.Server) []osmc.Release {
	if server.Expect != nil {
		if r, ok := osmc.ParseRelease(server.Expect.Major); ok {
			const latest = 99
			return []osmc.Release{{}, r, {Year: r.Year, Refresh: latest}}
		}
	}
	return []osmc.Release{{}, {Year: 2021}, {Year: 2024}, {Year: 2026}}
}
