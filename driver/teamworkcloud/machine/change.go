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

// mostSaid is the number of bytes of Data Manager's output after which only commands and their exit codes are kept. The
// output of one command has limits of its own.
const mostSaid = 1 << 20

// Change runs a Data Manager command on resources, batch by batch. The output is kept in a file of the run.
func (m *Machine) Change(
	ctx context.Context, t *executor.Task, ids []string, args func([]string) []string,
) (executor.Result, error) {
	if err := CheckIDs(ids); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	before, unread := m.Manager.logSize(ctx)
	var said strings.Builder
	failed := m.batches(ctx, t, ids, args, &said)
	name := t.Step.Op + ".txt"
	if _, err := t.Files.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, t.Redacted(said.String()))
		return err
	}); err != nil {
		t.Log.Warn("keeping what Data Manager said", "file", name, "error", err)
	}
	if failed != nil {
		return executor.Result{}, failed
	}
	n := 0
	if unread == nil {
		n, unread = m.Manager.loggedErrors(ctx, before)
	}
	if n > 0 {
		return executor.Result{}, fmt.Errorf("datamanager on %s has written %s into %s", m.Host.Name(),
			wording.Plural(n, "error"), m.Manager.logFile())
	}
	note := fmt.Sprintf("%s; what Data Manager said is in %s", wording.Plural(len(ids), "resource"), name)
	if unread != nil { // the step's verification does not use the log, but a person may look for errors there
		note += fmt.Sprintf("; whether it logged errors is unknown: %s: %s", m.Manager.logFile(),
			wording.Message(unread.Error(), 200))
	}
	return executor.Result{Note: note}, nil
}

// batches runs the command lines. Its errors show whether something may have been changed. The first one runs right
// after the step's guards. Before each other one, it verifies that the services are still stopped: while they run,
// users change resources.
func (m *Machine) batches(
	ctx context.Context, t *executor.Task, ids []string, args func([]string) []string, said *strings.Builder,
) error {
	for i, command := range Batches(m.DataManager, ids, args) {
		t.Report(executor.Progress{Done: int64(i * batchSize), Total: int64(len(ids)), Unit: "resources"})
		if i > 0 {
			v, err := m.VerifyStopped(ctx)
			if err == nil && v.State != executor.Done {
				err = errors.New(v.Why)
			}
			if err != nil {
				return fmt.Errorf("the last %s stay as they are: %w", wording.Plural(len(ids)-i*batchSize, "resource"), err)
			}
		}
		out, err := m.Host.Run(ctx, host.Command{Args: command, Within: longest})
		if err != nil {
			err = fmt.Errorf("running %s on %s: %w", shown(command[len(m.DataManager):]), m.Host.Name(), err)
			switch {
			case host.WasStarted(err) == host.StartedMaybe:
				return m.unended(err)
			case i == 0 && host.WasStarted(err) == host.StartedNo:
				return executor.NotSent(err)
			}
			return err
		}
		fmt.Fprintf(said, "$ %s\n", host.Quote(command))
		if said.Len() < mostSaid {
			said.WriteString(out.Stdout + out.Stderr)
		} else {
			said.WriteString("(its output is not kept: there was too much before)\n")
		}
		fmt.Fprintf(said, "(exit code %d)\n", out.Code)
		if why := reportedError(out); why != "" {
			err := fmt.Errorf("%s on %s: %s", shown(command[len(m.DataManager):]), m.Host.Name(), why)
			if out.Truncated { // what it has started may still have its output open
				return m.unended(err)
			}
			return err
		}
	}
	return nil
}

// unended returns the error of a command that may still run: nothing must follow on it by itself.
func (m *Machine) unended(err error) error {
	return executor.Unended(fmt.Errorf("%w. Data Manager may still be running there. Before you run syncctl apply again, "+
		"make sure on %s that it has ended: two at once, or the services beside it, can damage the database",
		err, m.Host.Name()))
}

// reportedError returns what went wrong according to the output of a command that changes something. It returns "" if
// the output reports no error.
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

// logSize returns the size of Data Manager's log in bytes, 0 if there is no log yet.
func (m DataManager) logSize(ctx context.Context) (int64, error) {
	info, err := m.host.Files(ctx).Stat(m.logFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return info.Size(), nil
}

// loggedErrors counts the errors in the log after offset from. The error says why there may be more.
func (m DataManager) loggedErrors(ctx context.Context, from int64) (int, error) {
	const most = 1 << 20
	size, err := m.logSize(ctx)
	if err != nil {
		return 0, err
	}
	if size < from {
		return 0, errors.New("it is shorter than before")
	}
	f, err := m.host.Files(ctx).Open(m.logFile())
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return 0, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, line := range wording.Lines(string(text)) {
		if logLine.MatchString(line) && logError.MatchString(line) {
			n++
		}
	}
	if len(text) > most {
		return n, fmt.Errorf("more than %d bytes were added to it", most)
	}
	return n, nil
}
