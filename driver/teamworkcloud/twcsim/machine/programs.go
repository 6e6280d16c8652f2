package machine

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// program is a program on a machine. args[0] is its own name.
type program struct {
	run       func(sh *Shell, root bool, args []string) int
	reads     func(args []string) bool // whether a call with these arguments changes nothing; nil: never
	installed bool                     // an installed file, not part of the system
}

var programs map[string]program

func init() { // the programs use the table through the shell
	always := func([]string) bool { return true }
	programs = map[string]program{
		"cd":       {run: changeFolder, reads: always},
		"true":     {run: func(*Shell, bool, []string) int { return 0 }, reads: always},
		"hostname": {run: hostname, reads: func(args []string) bool { return len(args) == 0 }},
		"test":     {run: test, reads: always},
		"cat":      {run: cat, reads: always},
		"mv":       {run: move},
		"systemctl": {run: systemctl, reads: func(args []string) bool {
			return len(args) > 0 && slices.Contains([]string{"is-active", "show"}, args[0])
		}},
		"nodetool":    {run: nodetool, reads: func(args []string) bool { return len(args) == 1 && args[0] == "status" }},
		"keytool":     {run: keytool},
		"datamanager": {run: dataManager, reads: dataManagerReads, installed: true},
	}
}

func changeFolder(sh *Shell, _ bool, args []string) int {
	to := state.LoginFolder
	if len(args) > 1 {
		to = sh.abs(args[1])
	}
	if ok, err := afero.DirExists(sh.M.FS, to); err != nil || !ok {
		fmt.Fprintf(&sh.Errs, "sh: 1: cd: can't cd to %s\n", to)
		return 2
	}
	sh.Dir = to
	return 0
}

func hostname(sh *Shell, _ bool, args []string) int {
	if len(args) > 1 {
		fmt.Fprintln(&sh.Errs, "hostname: this machine keeps its name")
		return 1
	}
	fmt.Fprintln(&sh.Out, sh.S.Name)
	return 0
}

func test(sh *Shell, _ bool, args []string) int {
	if len(args) != 3 || !slices.Contains([]string{"-e", "-f", "-d"}, args[1]) {
		fmt.Fprintln(&sh.Errs, "test: only -e, -f and -d FILE are here")
		return 2
	}
	info, err := sh.M.FS.Stat(sh.abs(args[2]))
	if err != nil || args[1] == "-f" && info.IsDir() || args[1] == "-d" && !info.IsDir() {
		return 1
	}
	return 0
}

func cat(sh *Shell, _ bool, args []string) int {
	code := 0
	for _, name := range args[1:] {
		b, err := afero.ReadFile(sh.M.FS, sh.abs(name))
		if err != nil {
			fmt.Fprintf(&sh.Errs, "cat: %s: No such file or directory\n", name)
			code = 1
			continue
		}
		sh.Out.Write(b)
	}
	return code
}

// move renames one file.
func move(sh *Shell, _ bool, args []string) int {
	if len(args) != 3 {
		fmt.Fprintln(&sh.Errs, "mv: only FROM TO is supported")
		return 1
	}
	if err := sh.M.FS.Rename(sh.abs(args[1]), sh.abs(args[2])); err != nil {
		fmt.Fprintf(&sh.Errs, "mv: cannot move '%s' to '%s': No such file or directory\n", args[1], args[2])
		return 1
	}
	return 0
}

// systemctl behaves like systemd's: it exits with 3 for an inactive unit, 5 for a missing one, and only root may
// change anything.
func systemctl(sh *Shell, root bool, args []string) int {
	if len(args) > 1 && args[1] == "show" {
		return sh.show(args[2:])
	}
	if len(args) < 3 || !slices.Contains([]string{"start", "stop", "restart", "is-active"}, args[1]) {
		fmt.Fprintln(&sh.Errs, "systemctl: only start, stop, restart, is-active UNIT and show --property=... UNIT are here")
		return 1
	}
	verb, code := args[1], 0
	if verb == "is-active" {
		code = 3
	}
	for _, name := range args[2:] {
		unit := strings.TrimSuffix(name, ".service")
		running, ok := sh.S.Services.Running[unit]
		switch {
		case verb == "is-active" && running:
			fmt.Fprintln(&sh.Out, "active")
			code = 0 // one active unit is enough
		case verb == "is-active":
			fmt.Fprintln(&sh.Out, unitState(sh.S, unit))
		case !ok:
			fmt.Fprintf(&sh.Errs, "Failed to %s %s.service: Unit %s.service not found.\n", verb, unit, unit)
			code = 5
		case !root:
			fmt.Fprintf(&sh.Errs, "Failed to %s %s.service: Interactive authentication required.\n", verb, unit)
			code = 1
		default:
			if verb != "start" {
				StopUnit(sh.S, unit)
			}
			if verb != "stop" && StartUnit(sh.S, unit, sh.W.Now) != nil { // systemctl does not say why
				fmt.Fprintf(&sh.Errs, "Job for %s.service failed because the control process exited with error code.\n"+
					"See \"systemctl status %s.service\" and \"journalctl -xeu %s.service\" for details.\n", unit, unit, unit)
				code = 1
			}
		}
	}
	return code
}

func unitState(s *state.Server, unit string) string {
	switch {
	case s.Services.Running[unit]:
		return "active"
	case s.Services.Failed[unit]:
		return "failed"
	}
	return "inactive"
}

// show prints a block per unit, with the properties in systemd's order. A missing unit is inactive and has never run.
func (sh *Shell) show(args []string) int {
	var properties, units []string
	for _, arg := range args {
		if list, ok := strings.CutPrefix(arg, "--property="); ok {
			properties = append(properties, strings.Split(list, ",")...)
		} else {
			units = append(units, strings.TrimSuffix(arg, ".service"))
		}
	}
	known := []string{"Id", "ActiveState", "ActiveEnterTimestampMonotonic"}
	strange := slices.ContainsFunc(properties, func(p string) bool { return !slices.Contains(known, p) })
	if len(properties) == 0 || len(units) == 0 || strange ||
		slices.ContainsFunc(units, func(u string) bool { return strings.HasPrefix(u, "-") }) {
		fmt.Fprintf(&sh.Errs, "systemctl: show has only --property=%s here\n", strings.Join(known, ","))
		return 1
	}
	for i, unit := range units {
		if i > 0 {
			fmt.Fprintln(&sh.Out)
		}
		entered := int64(0)
		if at, ok := sh.S.Services.Started[unit]; ok {
			entered = at.Sub(sh.S.Services.Boot).Microseconds()
		}
		values := map[string]any{"Id": unit + ".service", "ActiveState": unitState(sh.S, unit),
			"ActiveEnterTimestampMonotonic": entered}
		for _, p := range known {
			if slices.Contains(properties, p) {
				fmt.Fprintf(&sh.Out, "%s=%v\n", p, values[p])
			}
		}
	}
	return 0
}

// nodetool is Cassandra's own. The form of its output has been the same for many years.
func nodetool(sh *Shell, _ bool, args []string) int {
	if len(args) != 2 || args[1] != "status" {
		fmt.Fprintln(&sh.Errs, "nodetool: only status is here")
		return 1
	}
	if !sh.S.Services.Running[state.UnitDatabase] {
		fmt.Fprintln(&sh.Errs, "nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection "+
			"refused (Connection refused)'.")
		return 1
	}
	fmt.Fprintf(&sh.Out, "Datacenter: datacenter1\n=======================\nStatus=Up/Down\n|/ "+
		"State=Normal/Leaving/Joining/Moving\n"+
		"--  Address    Load      Tokens  Owns (effective)  Host ID                               Rack\n"+
		"UN  127.0.0.1  1.21 MiB  16      100.0%%            %s  rack1\n\n", state.UUIDOf("node "+sh.S.Name))
	return 0
}

// logFile returns the path of Data Manager's log: in its own folder, in 2021x in that of the user
// (MCS/pages/247046791, TWCloud2021x/Data+manager).
func (sh *Shell) logFile(program string) string {
	if r := sh.S.Release; r.Year < 2022 {
		return path.Join(state.LoginFolder, ".twcloud", r.Major(), "datamanager.log")
	}
	return path.Join(path.Dir(sh.abs(program)), "logs/datamanager.log")
}
