package teamworkcloud

import (
	"slices"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/planner"
)

// What is examined on a server.
const (
	whatDataManager = "datamanager"
	whatFile        = "file"
	whatMachine     = "machine"
	whatPorts       = "ports"
	whatRelease     = "release"
	whatRole        = "role"
	whatServices    = "services"
	whatSudo        = "sudo"
)

// Rules explains Teamwork Cloud's findings, and what is examined on a server.
func (d *Driver) Rules() []planner.Rule {
	return slices.Concat(share.Rules(), encrypt.Rules(), offload.Rules(), machine.Rules("teamwork_cloud"),
		[]planner.Rule{
			driver.ExaminationRule(whatDataManager,
				"Whether the program datamanager exists on the machine, and may be read. It is not run.",
				"The server has a host block.",
				"Name it with its folder in host.datamanager, and let the login read it."),
			driver.ExaminationRule(whatFile,
				"Whether a settings file or trust store exists on the machine, and may be read.",
				"The server has a host block and sync_tls.",
				"Correct host.home, or name the file in host; let the login read it."),
			driver.ExaminationRule(whatMachine,
				"Whether the machine behind the server is reached, and its host key is known.",
				"The server has a host block.",
				"Check ssh, key, known_hosts and jump of host."),
			driver.ExaminationRule(whatPorts,
				"Which ports the server has for clients, without encryption and with it.",
				"The server accepts the credentials.",
				"Let the user read the server's health (Server Administrator), or look at its settings."),
			driver.ExaminationRule(whatRelease,
				"Which release the server is of, and whether expect { major } is true of it.",
				"The server accepts the credentials.",
				"Look at it in the web application: both servers of a synchronization must be of one major version."),
			driver.ExaminationRule(whatRole,
				"Whether the user has the role that the target of a synchronization needs, or may give it.",
				"A synchronization has the server as its target.",
				"Give the user the role on the target category."),
			driver.ExaminationRule(whatServices,
				"Whether the services of the server run on its machine.",
				"The server has a host block.",
				"Start them. If they should run, see host.status, and whether it is the machine of another server."),
			driver.ExaminationRule(whatSudo,
				"Whether the login may stop and start the services without a password. sudo lists it, nothing is run.",
				"The commands that stop and start the services begin with sudo.",
				"Allow it in sudoers with NOPASSWD, or declare host.stop and host.start."),
		})
}
