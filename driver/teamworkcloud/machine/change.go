package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

// Change has Data Manager do something to resources, batch by batch, and keeps what it says among the run's files.
func (m *Machine) Change(
	ctx context.Context, t *executor.Task, ids []string, args func([]string) []string,
) (executor.Result, error) {
	if err := CheckIDs(ids); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	before := m.Manager.logSize(ctx)
	var said strings.Builder
	failed := m.batches(ctx, t, ids, args, &said)
	name := t.Step.Op + ".txt"
	if _, err := t.Files.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, said.String())
		return err
	}); err != nil {
		t.Log.Warn("keeping what Data Manager said", "file", name, "error", err)
	}
	if failed != nil {
		return executor.Result{}, failed
	}
	if n := m.Manager.loggedErrors(ctx, before); n > 0 {
		return executor.Result{}, fmt.Errorf("datamanager on %s has written %s into %s", m.Host.Name(),
			wording.Plural(n, "error"), m.Manager.logFile())
	}
	return executor.Result{Note: fmt.Sprintf("%s; what Data Manager said is in %s", wording.Plural(len(ids), "resource"),
		name)}, nil
}

// batches runs the command lines. Its errors say whether something may have been done.
func (m *Machine) batches(
	ctx context.Context, t *executor.Task, ids []string, args func([]string) []string, said *strings.Builder,
) error {
	for i, command := range Batches(m.DataManager, ids, args) {
		t.Report(executor.Progress{Done: int64(i * batchSize), Total: int64(len(ids)), Unit: "resources"})
		out, err := m.Host.Run(ctx, host.Command{Args: command, Within: longest})
		if err != nil {
			err = fmt.Errorf("running %s on %s: %w", shown(command[len(m.DataManager):]), m.Host.Name(), err)
			if i == 0 && host.WasStarted(err) == host.StartedNo {
				return executor.NotSent(err)
			}
			return err
		}
		fmt.Fprintf(said, "$ %s\n%s%s(exit code %d)\n", host.Quote(command), out.Stdout, out.Stderr, out.Code)
		if why := reportedError(out); why != "" {
			return fmt.Errorf("%s on %s: %s", shown(command[len(m.DataManager):]), m.Host.Name(), why)
		}
	}
	return nil
}

// reportedError is what a command that does something says went wrong, "" if it says nothing of the kind.
func reportedError(out host.Output) string {
	if why := brokenOff(out); why != "" {
		return why
	}
	for _, line := range wording.Lines(out.Stdout) {
		if saysError(line) {
			return "it says " + wording.Quote(line)
		}
	}
	return ""
}

// logSize is how long Data Manager's log is, -1 if it cannot be read: then its word must do.
func (m DataManager) logSize(ctx context.Context) int64 {
	info, err := m.host.Files(ctx).Stat(m.logFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0
	case err != nil:
		return -1
	}
	return info.Size()
}

// loggedErrors counts what the log has of errors beyond a length.
func (m DataManager) loggedErrors(ctx context.Context, from int64) int {
	const most = 1 << 20
	f, err := m.host.Files(ctx).Open(m.logFile())
	if err != nil || from < 0 {
		return 0
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return 0
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return 0
	}
	n := 0
	for _, line := range wording.Lines(string(text)) {
		if logLine.MatchString(line) && logError.MatchString(line) {
			n++
		}
	}
	return n
}
