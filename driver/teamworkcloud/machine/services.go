package machine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

// Running is the state of a server's services according to its service manager.
type Running int

// The values of Running. If the question could not be asked, the state is RunningUnknown, never Stopped.
const (
	RunningUnknown Running = iota
	Stopped
	RunningPartly
	RunningAll
)

// Status finds out whether the server's services run. why is the machine's answer, for a person.
func (m *Machine) Status(ctx context.Context) (state Running, why string, err error) {
	out, err := m.Host.Run(ctx, host.Command{Args: m.Commands.Status})
	if err != nil {
		return RunningUnknown, "", fmt.Errorf("asking whether %s runs: %w", m.Server, err)
	}
	why = fmt.Sprintf("%s on %s ends with code %d%s", host.Quote(m.Commands.Status), m.Host.Name(), out.Code,
		lastLine(out))
	return readStatus(out, len(m.Units)), why, nil
}

// readStatus reads the words of systemctl, one line per unit, or the exit code of another service manager. For that, 0
// means running and 3 not running, as for init scripts (LSB). Code 1 without output also means not running, as from
// pgrep. Anything else is unknown: words of systemctl mixed with others, a state that systemctl does not know, a code
// that contradicts the words, a command that prints errors.
//
// If systemctl is asked about units, there must be exactly one word for each of them.
func readStatus(out host.Output, units int) Running {
	const notRunning, noUnit = 3, 4
	words := wording.Lines(out.Stdout)
	if out.Unanswered() != "" || units > 0 && len(words) != units {
		return RunningUnknown
	}
	if units == 0 && !slices.ContainsFunc(words, func(w string) bool { return slices.Contains(unitStates, w) }) {
		switch {
		case out.Code == 0:
			return RunningAll
		case out.Code == notRunning, out.Code == 1 && len(words) == 0:
			return Stopped
		}
		return RunningUnknown
	}
	up := 0
	for _, w := range words {
		switch {
		case !slices.Contains(unitStates, w) || w == "unknown":
			return RunningUnknown
		case w != "inactive" && w != "failed":
			up++ // a unit that is deactivating still runs
		}
	}
	switch {
	case out.Code == noUnit || up == 0 && out.Code == 0:
		return RunningUnknown
	case up == 0:
		return Stopped
	case up < len(words):
		return RunningPartly
	}
	return RunningAll
}

// unitStates are systemd's words for a unit's state (systemctl(1), is-active).
var unitStates = []string{"active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance",
	"unknown"}

// VerifyStopped verifies that the services are stopped, asking only the machine. The verdict is Done, or says why not.
func (m *Machine) VerifyStopped(ctx context.Context) (executor.Verdict, error) {
	state, why, err := m.Status(ctx)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case state == RunningUnknown:
		return executor.Unknown.Because("it is unknown whether the services of %s are stopped: %s", m.Server, why), nil
	case state != Stopped:
		return executor.NotDone.Because("the services of %s run: %s", m.Server, why), nil
	}
	return executor.Done.Because("the services of %s are stopped", m.Server), nil
}

// manage runs commands that stop or start services, in order. It stops at the first that fails, because the exit code
// of a service manager says whether it succeeded.
func (m *Machine) manage(ctx context.Context, t *executor.Task, commands [][]string) (executor.Result, error) {
	for i, args := range commands {
		out, err := m.Host.Run(ctx, host.Command{Args: args})
		switch {
		case err != nil && i == 0 && host.WasStarted(err) == host.StartedNo:
			return executor.Result{}, executor.NotSent(err)
		case err != nil:
			return executor.Result{}, err
		case out.Code != 0:
			return executor.Result{}, fmt.Errorf("%s on %s ended with code %d%s", host.Quote(args), m.Host.Name(), out.Code,
				lastLine(out))
		}
		t.Report(executor.Progress{Done: int64(i + 1), Total: int64(len(commands)), Unit: "commands"})
	}
	return executor.Result{Note: JoinLines(commands...)}, nil
}

// lastLine returns the last line of what a command printed to stderr, or to stdout if stderr is empty.
func lastLine(out host.Output) string {
	all := append(wording.Lines(out.Stdout), wording.Lines(out.Stderr)...)
	if len(all) == 0 {
		return ""
	}
	return ": " + wording.Quote(all[len(all)-1])
}

// Since returns when the first of the services was started, according to systemd. It returns the zero time if unknown.
func (m *Machine) Since(ctx context.Context) (time.Time, error) {
	if len(m.Units) == 0 {
		return time.Time{}, nil
	}
	show := append([]string{"systemctl", "show", "--property=Id,ActiveEnterTimestampMonotonic"}, m.Units...)
	out, err := m.Host.Run(ctx, host.Command{Args: show})
	if err != nil {
		return time.Time{}, fmt.Errorf("asking since when %s runs: %w", m.Server, err)
	}
	stat, err := m.Host.Run(ctx, host.Command{Args: []string{"cat", "/proc/stat"}})
	if err != nil {
		return time.Time{}, fmt.Errorf("asking since when %s runs: %w", m.Server, err)
	}
	return readSince(out, stat, len(m.Units)), nil
}

// readSince adds two values: when the machine was booted (proc(5), btime: seconds since 1970), and when systemd
// started the first unit after that (in microseconds, in any language). A unit that was never started has 0.
func readSince(show, stat host.Output, units int) time.Time {
	if show.Code != 0 || stat.Code != 0 {
		return time.Time{}
	}
	boot, err := valuesOf(stat, "btime ")
	if err != nil || len(boot) != 1 || boot[0] <= 0 {
		return time.Time{}
	}
	started, err := valuesOf(show, "ActiveEnterTimestampMonotonic=")
	if err != nil || len(started) != units {
		return time.Time{}
	}
	started = slices.DeleteFunc(started, func(us int64) bool { return us <= 0 })
	if len(started) == 0 {
		return time.Time{}
	}
	return time.Unix(boot[0], 0).Add(time.Duration(slices.Min(started)) * time.Microsecond).UTC()
}

// valuesOf returns the numbers on the lines that begin with name.
func valuesOf(out host.Output, name string) ([]int64, error) {
	var all []int64
	for _, line := range wording.Lines(out.Stdout) {
		text, ok := strings.CutPrefix(line, name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", line, err)
		}
		all = append(all, n)
	}
	return all, nil
}
