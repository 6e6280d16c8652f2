package machine

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// Declared is what a server declares about its machine. The vendor's defaults replace empty values.
type Declared struct {
	Home        string     // the folder that Teamwork Cloud is installed in
	Stop, Start [][]string // in order
	Status      []string
	Database    []string
	DataManager []string
	Within      time.Duration
}

// Commands are the commands for working on the machine of a server, by syncctl or by a person.
type Commands struct {
	Server string // address of its declaration

	Stop, Start [][]string
	Status      []string      // shows whether the services run
	Database    []string      // shows the nodes of the database
	DataManager []string      // the program, without its arguments
	Within      time.Duration // how long services may take to become healthy after they are started

	Units []string // systemd units; nil if the declaration has its own commands
}

// Releases before these differ (MCS 247048049): the folder has another name, and the authentication server is a
// separate service.
var (
	NewHome2022R2 = osmc.Release{Year: 2022, Refresh: 2}
	oneLogin2022  = osmc.Release{Year: 2022}
)

// CommandsOf returns the declared commands, and the vendor's defaults for the release where none are declared. An
// unknown release counts as a new one.
func CommandsOf(server string, d Declared, release osmc.Release) Commands {
	// order of stopping; the order of starting is the reverse: database, twcloud, webapp (MCS 247048049)
	units := []string{"webapp", "twcloud"}
	if release.OlderThan(oneLogin2022) {
		units = []string{"webapp", "authserver", "twcloud"}
	}
	c := Commands{
		Server: server, Stop: d.Stop, Start: d.Start, Status: d.Status, Database: d.Database, DataManager: d.DataManager,
		Within: d.Within,
	}
	if len(d.Stop) == 0 && len(d.Start) == 0 && len(d.Status) == 0 {
		c.Units = units
	}
	if len(c.Stop) == 0 {
		for _, unit := range units {
			c.Stop = append(c.Stop, []string{"sudo", "systemctl", "stop", unit})
		}
	}
	if len(c.Start) == 0 {
		for _, unit := range slices.Backward(units) {
			c.Start = append(c.Start, []string{"sudo", "systemctl", "start", unit})
		}
	}
	if len(c.Status) == 0 {
		c.Status = append([]string{"systemctl", "is-active"}, units...)
	}
	if len(c.Database) == 0 {
		c.Database = []string{"nodetool", "status"}
	}
	if len(c.DataManager) == 0 {
		c.DataManager = []string{path.Join(HomeOf(d, release), "Utilities", "datamanager", "datamanager")}
	}
	if c.Within <= 0 {
		c.Within = 15 * time.Minute
	}
	return c
}

// CommandsFor returns the commands for the machine of a declared server.
func CommandsFor(server *connect.Server, release osmc.Release) Commands {
	var d Declared
	if h := server.Host; h != nil {
		d = Declared{
			Home: h.Home, Stop: h.Stop, Start: h.Start, Status: h.Status, Database: h.Database,
			DataManager: h.DataManager, Within: h.Within,
		}
	}
	return CommandsOf(server.Address(), d, release)
}

// HomeOf returns the folder that Teamwork Cloud is installed in.
func HomeOf(d Declared, release osmc.Release) string {
	switch {
	case d.Home != "":
		return d.Home
	case release.OlderThan(NewHome2022R2):
		return "/opt/TeamworkCloud"
	}
	return "/opt/CATIANoMagicServices"
}

// Lines returns commands as a person types them, one per line.
func Lines(commands ...[]string) []string {
	var out []string
	for _, c := range commands {
		out = append(out, host.Quote(c))
	}
	return out
}

// JoinLines returns commands as a person types them on one line.
func JoinLines(commands ...[]string) string { return strings.Join(Lines(commands...), " && ") }

// Script collects command lines that a person pastes into a shell on a machine. A comment has its own line before a
// command, because an interactive shell may take a comment after a command for arguments. Shells such as zsh execute
// what follows a typed #, and whoever may create a project chooses the names in comments. So characters with a meaning
// in a shell are quoted in comments, too.
type Script []string

const meansToShells = ";&|<>()$`'\"\\!*?[]{}^~#="

// Run adds commands.
func (s *Script) Run(commands ...[]string) { *s = append(*s, Lines(commands...)...) }

// Note adds a comment.
func (s *Script) Note(format string, args ...any) {
	text := wording.OneLine(fmt.Sprintf(format, args...))
	if strings.ContainsAny(text, meansToShells) {
		text = host.Quote([]string{text})
	}
	*s = append(*s, "# "+text)
}

// Lines returns the commands without the comments.
func (s Script) Lines() []string {
	return slices.DeleteFunc(slices.Clone(s), func(line string) bool { return strings.HasPrefix(line, "#") })
}

// Exclusive returns the name of what only one step may use at a time: the machine of a server.
func Exclusive(server string) []string { return []string{"the machine of " + server} }
