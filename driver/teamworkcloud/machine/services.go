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

// Running is what a service manager says of a server's services.
type Running int

// The values of Running. A question that could not be asked is RunningUnknown, never Stopped.
const (
	RunningUnknown Running = iota
	Stopped
	RunningPartly
	RunningAll
)

// Status asks whether the server's services run. why is what the machine said, for a person.
func (m *Machine) Status(ctx context.Context) (state Running, why string, err error) {
	out, err := m.Host.Run(ctx, host.Command{Args: m.Commands.Status})
	if err != nil {
		return RunningUnknown, "", fmt.Errorf("asking whether %s runs: %w", m.Server, err)
	}
	why = fmt.Sprintf("%s on %s ends with code %d%s", host.Quote(m.Commands.Status), m.Host.Name(), out.Code,
		lastLine(out))
	return readStatus(out, len(m.Units)), why, nil
}

// readStatus reads systemctl's words, a unit a line, or the code of another service manager: 0 is running, 3 is not
// running, as for init scripts (LSB), and so is 1 without a word, as pgrep ends. Anything else is unknown: a mixture
// of systemctl's words with others, a state that systemctl does not know, a code that contradicts the words, a
// command that complains.
//
// Where systemctl is asked for a number of units, exactly so many of its words are an answer.
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
			up++ // deactivating still runs
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

// VerifyStopped: the services are stopped by the machine's word alone. The verdict is Done, or says why not.
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

// manage runs commands that stop or start services, in order, and stops at the first that fails: service managers say
// with their code whether they did it.
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

// lastLine is the last line that a command printed, its errors first.
func lastLine(out host.Output) string {
	all := append(wording.Lines(out.Stdout), wording.Lines(out.Stderr)...)
	if len(all) == 0 {
		return ""
	}
	return ": " + wording.Quote(all[len(all)-1])
}

// Since is when the first of the services was started, by systemd's word; zero where that is unknown.
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

// readSince adds what systemd says of so many units since the machine was started (in microseconds, whatever the
// language) to when that was (proc(5), btime: seconds since 1970). A unit that was never started has 0.
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

// valuesOf are the numbers on the lines that begin with a name.
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
