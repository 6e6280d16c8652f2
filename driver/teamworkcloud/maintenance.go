package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// upkeep is how the machine behind a server is looked after: the commands that are run there, or that a person runs.
type upkeep struct {
	server      *schema.Resource
	stop, start [][]string
	status      []string // tells whether the services run
	database    []string // shows the nodes of the database
	dataManager []string
	within      time.Duration // how long started services may take
	units       []string      // of systemd
	systemd     bool          // it is asked and told about them in the vendor's way: no commands of the user's own
}

// What changed with releases (MCS 247048049): the name of the folder, and that the authentication server was one of its own.
var (
	newFolder2022R2 = osmc.Release{Year: 2022, Refresh: 2}
	oneLogin2022    = osmc.Release{Year: 2022}
)

// upkeepOf takes what is declared, and the vendor's defaults of that release for the rest; an unknown release is a new one.
func upkeepOf(server *schema.Resource, release osmc.Release) upkeep {
	home := homeOf(server, release)
	units := []string{"webapp", "twcloud"} // stopped in this order, started in the other: database, twcloud, webapp (MCS 247048049)
	if olderThan(release, oneLogin2022) {
		units = []string{"webapp", "authserver", "twcloud"}
	}
	u := upkeep{
		server: server,
		status: append([]string{"systemctl", "is-active"}, units...), database: []string{"nodetool", "status"},
		dataManager: []string{path.Join(home, "Utilities", "datamanager", "datamanager")},
		within:      15 * time.Minute, units: units, systemd: true,
	}
	for _, unit := range units {
		u.stop = append(u.stop, []string{"sudo", "systemctl", "stop", unit})
		u.start = slices.Insert(u.start, 0, []string{"sudo", "systemctl", "start", unit})
	}
	for name, command := range map[string]*[]string{"status": &u.status, "database": &u.database, "datamanager": &u.dataManager} {
		if words := texts(server.Get("host", name)); len(words) > 0 {
			*command = words
			u.systemd = u.systemd && name != "status"
		}
	}
	for name, commands := range map[string]*[][]string{"stop": &u.stop, "start": &u.start} {
		if declared := commandsOf(server, name); len(declared) > 0 {
			*commands, u.systemd = declared, false
		}
	}
	if d, err := time.ParseDuration(server.Text("host", "within")); err == nil && d > 0 {
		u.within = d
	}
	return u
}

// homeOf is the folder that Teamwork Cloud is installed in.
func homeOf(server *schema.Resource, release osmc.Release) string {
	if home := server.Text("host", "home"); home != "" {
		return home
	}
	if olderThan(release, newFolder2022R2) {
		return "/opt/TeamworkCloud"
	}
	return "/opt/CATIANoMagicServices"
}

// commandsOf is a list of commands among the arguments of host.
func commandsOf(server *schema.Resource, name string) [][]string {
	v := server.Get("host", name)
	if !known(v) || !v.CanIterateElements() {
		return nil
	}
	var out [][]string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if words := texts(e); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out
}

// commandLines are commands as a person types them.
func commandLines(commands ...[]string) []string {
	var out []string
	for _, c := range commands {
		out = append(out, host.Quote(c))
	}
	return out
}

func joined(commands [][]string) string { return strings.Join(commandLines(commands...), " && ") }

// runAll runs commands in order and stops at the first that fails: service managers say with their code whether they did it.
func runAll(ctx context.Context, h host.Host, commands [][]string, report func(done int)) error {
	for i, args := range commands {
		out, err := h.Run(ctx, host.Command{Args: args})
		if err != nil {
			return &partError{err, i > 0 || host.WasStarted(err) != host.StartedNo}
		}
		if out.Code != 0 {
			return &partError{fmt.Errorf("%s on %s ended with code %d%s", host.Quote(args), h.Name(), out.Code, lastWords(out)), true}
		}
		report(i + 1)
	}
	return nil
}

// partError is a failure among several commands.
type partError struct {
	error
	begun bool // something may have been done
}

func (e *partError) Unwrap() error { return e.error }

func nothingBegun(err error) bool {
	var p *partError
	return errors.As(err, &p) && !p.begun
}

// lastWords is the last line that a command said, its errors first.
func lastWords(out host.Output) string {
	all := append(wording.Lines(out.Stdout), wording.Lines(out.Stderr)...)
	if len(all) == 0 {
		return ""
	}
	return ": " + wording.Quote(all[len(all)-1])
}

// running is what a service manager says of a server's services.
type running int

const (
	runningUnknown running = iota
	runningNo
	runningPartly
	runningYes
)

// serviceStatus asks whether the server's services run. why is what was said, for a person.
func (u upkeep) serviceStatus(ctx context.Context, h host.Host) (running, string, error) {
	out, err := h.Run(ctx, host.Command{Args: u.status})
	if err != nil {
		return runningUnknown, "", fmt.Errorf("asking whether %s runs: %w", u.server.Addr, err)
	}
	state := readStatus(out)
	why := fmt.Sprintf("%s on %s ends with code %d%s", host.Quote(u.status), h.Name(), out.Code, lastWords(out))
	return state, why, nil
}

// readStatus reads systemctl's words, a unit a line, or the code of another service manager: 0 is running, 3 is not running, as
// for init scripts (LSB), and so is 1 without a word, as pgrep ends. Anything else is unknown: a mixture of systemctl's words
// with others, a state that systemctl does not know, a code that contradicts the words, a command that complains.
func readStatus(out host.Output) running {
	const notRunning, noUnit = 3, 4
	if out.Unanswered() != "" {
		return runningUnknown
	}
	words := wording.Lines(out.Stdout)
	if !slices.ContainsFunc(words, func(w string) bool { return slices.Contains(unitStates, w) }) {
		switch {
		case out.Code == 0:
			return runningYes
		case out.Code == notRunning, out.Code == 1 && len(words) == 0:
			return runningNo
		}
		return runningUnknown
	}
	up := 0
	for _, w := range words {
		switch {
		case !slices.Contains(unitStates, w) || w == "unknown":
			return runningUnknown
		case w != "inactive" && w != "failed":
			up++ // deactivating still runs
		}
	}
	switch {
	case out.Code == noUnit || up == 0 && out.Code == 0:
		return runningUnknown
	case up == 0:
		return runningNo
	case up < len(words):
		return runningPartly
	}
	return runningYes
}

// unitStates are systemd's words for a unit's state (systemctl(1), is-active).
var unitStates = []string{"active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "unknown"}

// nodeLine is a line of nodetool status: U or D (up, down), then N, L, J or M (normal, leaving, joining, moving), then the
// address.
var nodeLine = regexp.MustCompile(`^\W*([UD?])([NLJM])\s+(\S+)`)

// databaseProblem asks whether all of Cassandra's nodes are up and normal (UN), which datamanager needs (MCS 247046791). ""
// is yes.
func (u upkeep) databaseProblem(ctx context.Context, h host.Host) (string, error) {
	out, err := h.Run(ctx, host.Command{Args: u.database})
	if err != nil {
		return "", fmt.Errorf("asking how the database of %s is: %w", u.server.Addr, err)
	}
	if why := readNodes(out); why != "" {
		return fmt.Sprintf("%s on %s: %s", host.Quote(u.database), h.Name(), why), nil
	}
	return "", nil
}

func readNodes(out host.Output) string {
	if out.Code != 0 || out.Truncated {
		return fmt.Sprintf("it ended with code %d%s", out.Code, lastWords(out))
	}
	nodes := 0
	for _, line := range wording.Lines(out.Stdout) {
		m := nodeLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		nodes++
		if m[1]+m[2] != "UN" {
			return fmt.Sprintf("Cassandra's node %s is %s%s, and must be UN (up and normal)", m[3], m[1], m[2])
		}
	}
	if nodes == 0 {
		return "it shows no node of Cassandra" + lastWords(out)
	}
	return ""
}
