package machine

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// managerCommand is a command of Data Manager, as in MCS/pages/247046791. It "writes directly to Cassandra", so the
// services have to be stopped and Cassandra has to run. Its exit codes and output are not documented. ASSUMED:
//
//   - lists have one item per line: the ID or number, two blanks, the name
//   - without Cassandra it says so and exits with 1; everything else exits with 0, even an unknown ID or a refusal, so
//     that a client which relies on the exit code fails
//   - it refuses to write while the server runs. Pages only tell people to stop the services
//   - the path to Java, which the very first run asks for, was entered at the installation
//
// Not simulated, and refused as unknown: commands about branches, revisions, blobs, indexes, users, LDAP, keyspaces,
// and denial of edits.
type managerCommand struct {
	short, long string
	args        string                   // as shown by -help
	since       func(state.Release) bool // nil: exists in all releases
	writes      bool
	offline     bool                  // works without the database
	do          func(m *manager) bool // false: wrong arguments
}

var managerCommands []managerCommand

func init() { // -help uses the table
	managerCommands = []managerCommand{
		{short: "-help", long: "--help", offline: true, do: (*manager).help},
		{short: "-version", long: "--version", offline: true, do: (*manager).version},
		{short: "-lr", long: "--list-resources", do: (*manager).listResources},
		{short: "-lrd", long: "--list-marked-deleted-resources", do: (*manager).listMarked},
		{short: "-lcat", long: "--list-categories", since: listsCategories, do: (*manager).listCategories},
		{short: "-lb", long: "--list-branch", args: "resourceID=<value>", do: (*manager).listBranches},
		{short: "-lrv", long: "--list-revision", args: "resourceID=<value> branchID=<value>", do: (*manager).listRevisions},
		{short: "-dr", long: "--delete-resource", args: "<resource id> <resource id> ...", writes: true,
			do: (*manager).deleteResources},
		{short: "-drd", long: "--delete-marked-deleted-resources", writes: true, do: (*manager).deleteMarked},
		{short: "-urd", long: "--unmark-deleted-resources", args: "<resource id> <resource id> ...", writes: true,
			do: (*manager).unmark},
		{short: "-rrof", long: "--remove-read-only-flag", args: "--resourceID=<value>,<value> --categoryID=<value>,<value>",
			writes: true, do: (*manager).makeEditable},
	}
}

// listsCategories reports whether the option exists: it is on the pages of 2024xR2 and later, but not on that of 2024x
// (TWCloud2024x/pages/137986640).
func listsCategories(r state.Release) bool { return r.Since(2024, 2, 0) }

// manager is one call of Data Manager.
type manager struct {
	sh   *Shell
	s    *state.Server
	log  string
	args []string // after the command
}

func dataManager(sh *Shell, _ bool, args []string) int {
	m := &manager{sh: sh, s: sh.S, log: sh.logFile(args[0])}
	if len(args) == 1 {
		m.help()
		return 0
	}
	c := findManagerCommand(args[1])
	if c == nil || c.since != nil && !c.since(m.s.Release) {
		m.say("Unknown option: %s", args[1])
		m.help()
		return 0
	}
	m.args = args[2:]
	if !c.offline && !m.s.Services.Running[state.UnitDatabase] {
		m.say("ERROR: could not reach any contact point: [localhost/127.0.0.1:9042]")
		return 1
	}
	if c.writes && m.s.Services.Running[state.UnitServer] {
		m.say("ERROR: Teamwork Cloud is running. Stop the Teamwork Cloud services first. Nothing was changed.")
		return 0
	}
	if !c.do(m) {
		m.say("ERROR: wrong arguments. Usage: datamanager %s %s", c.short, c.args)
	}
	return 0
}

// dataManagerReads reports whether a call changes nothing, in any release.
func dataManagerReads(args []string) bool {
	if len(args) == 0 {
		return true // shows its help
	}
	c := findManagerCommand(args[0])
	return c != nil && !c.writes
}

func findManagerCommand(name string) *managerCommand {
	i := slices.IndexFunc(managerCommands, func(c managerCommand) bool { return name == c.short || name == c.long })
	if i < 0 {
		return nil
	}
	return &managerCommands[i]
}

// say prints a line and writes it to the log.
func (m *manager) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(&m.sh.Out, text)
	level := "INFO"
	if rest, bad := strings.CutPrefix(text, "ERROR: "); bad {
		level, text = "ERROR", rest
	}
	line := fmt.Sprintf("%s %-5s %s\n", m.sh.W.Now.UTC().Format("2006-01-02 15:04:05,000"), level, text)
	if err := appendFile(m.sh.M.FS, m.log, line); err != nil {
		fmt.Fprintf(&m.sh.Errs, "writing %s: %v\n", m.log, err)
	}
}

func appendFile(fs afero.Fs, name, text string) (err error) {
	if err := fs.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := fs.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	_, err = f.WriteString(text)
	return err
}

// item prints a line of a list. It shows only the first line of name, because a list has one item per line.
func (m *manager) item(id any, name string) {
	name, _, _ = strings.Cut(name, "\n")
	fmt.Fprintln(&m.sh.Out, strings.TrimRight(fmt.Sprintf("%v  %s", id, name), " \r"))
}

func (m *manager) help() bool {
	fmt.Fprintln(&m.sh.Out, "Usage: datamanager <command>")
	for _, c := range managerCommands {
		if c.since == nil || c.since(m.s.Release) {
			fmt.Fprintln(&m.sh.Out, strings.TrimRight(fmt.Sprintf("  %s, %s %s", c.short, c.long, c.args), " "))
		}
	}
	return true
}

func (m *manager) version() bool {
	fmt.Fprintf(&m.sh.Out, "Data Manager %s\n", m.s.Release)
	return len(m.args) == 0
}

// sorted returns the resources sorted by ID. ASSUMED: no resource is in both lists.
func (m *manager) sorted(removed bool) []*state.Resource {
	out := slices.DeleteFunc(slices.Clone(m.s.Resources), func(r *state.Resource) bool { return r.Removed != removed })
	slices.SortFunc(out, func(a, b *state.Resource) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (m *manager) list(removed bool) bool {
	if len(m.args) > 0 {
		return false
	}
	for _, r := range m.sorted(removed) {
		m.item(r.ID, r.Name)
	}
	return true
}

func (m *manager) listResources() bool { return m.list(false) }
func (m *manager) listMarked() bool    { return m.list(true) }

func (m *manager) listCategories() bool {
	if len(m.args) > 0 {
		return false
	}
	all := slices.Clone(m.s.Categories)
	slices.SortFunc(all, func(a, b *state.Category) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range all {
		m.item(c.ID, c.Name)
	}
	return true
}

// values reads arguments of the form name=value. Each must be one of names and occur at most once.
func (m *manager) values(names ...string) (map[string]string, bool) {
	out := map[string]string{}
	for _, a := range m.args {
		name, value, ok := strings.Cut(a, "=")
		if _, twice := out[name]; !ok || twice || value == "" || !slices.Contains(names, name) {
			return nil, false
		}
		out[name] = value
	}
	return out, len(out) > 0
}

// named finds a resource, and prints a message if there is none.
func (m *manager) named(id string) *state.Resource {
	r := m.s.Resource(id)
	if r == nil || r.ID != id {
		m.say("Resource %s was not found", id)
		return nil
	}
	return r
}

func (m *manager) listBranches() bool {
	v, ok := m.values("resourceID")
	if !ok {
		return false
	}
	if r := m.named(v["resourceID"]); r != nil {
		for _, b := range r.Branches {
			m.item(b.ID, b.Name)
		}
	}
	return true
}

// listRevisions lists a branch's revisions. ASSUMED: those committed on it, without earlier ones of its parent.
func (m *manager) listRevisions() bool {
	v, ok := m.values("resourceID", "branchID")
	if !ok || len(v) != 2 {
		return false
	}
	r := m.named(v["resourceID"])
	if r == nil {
		return true
	}
	if !slices.ContainsFunc(r.Branches, func(b *state.Branch) bool { return b.ID == v["branchID"] }) {
		m.say("Branch %s was not found", v["branchID"])
		return true
	}
	for _, x := range r.Revisions {
		if x.Branch == v["branchID"] {
			m.item(x.Number, x.Description)
		}
	}
	return true
}
