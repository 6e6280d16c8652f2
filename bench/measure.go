package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// An entrant is a process that does the work of a race.
type entrant struct {
	name  string
	argv  []string
	dir   string
	env   []string     // added to the environment
	out   string       // a file for its output; without it, the output is discarded
	code  int          // the only correct exit code: nobody wins by failing
	again func() error // called before each run; may be nil
}

// figures holds the costs of one run.
type figures struct {
	cpu, wall time.Duration
	peak      int64 // largest resident size in bytes; 0 if the system does not report it
}

// measure runs an entrant once and returns its costs.
func (e entrant) measure(ctx context.Context) (_ figures, err error) {
	if e.again != nil {
		if err := e.again(); err != nil {
			return figures{}, err
		}
	}
	cmd := exec.CommandContext(ctx, e.argv[0], e.argv[1:]...)
	cmd.Dir, cmd.Env = e.dir, append(os.Environ(), e.env...)
	var last tail
	cmd.Stderr = &last
	if e.out == "" {
		cmd.Stdout = &last
	} else {
		f, err := os.Create(e.out)
		if err != nil {
			return figures{}, err
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
		}()
		cmd.Stdout = f
	}
	begun := time.Now()
	runErr := cmd.Run()
	wall := time.Since(begun)
	if cmd.ProcessState == nil || ctx.Err() != nil {
		return figures{}, fmt.Errorf("running %s: %w", e.name, runErr)
	}
	if code := cmd.ProcessState.ExitCode(); code != e.code {
		return figures{}, fmt.Errorf("%s ended with code %d, not %d: %q\n%s", e.name, code, e.code, e.argv, last.kept)
	}
	s := cmd.ProcessState
	return figures{cpu: s.UserTime() + s.SystemTime(), wall: wall, peak: peak(s)}, nil
}

// tail keeps the end of a process's output, for the error. It has no other method to write than Write: what is kept of
// more counts as memory of the processes that are measured later.
type tail struct{ kept []byte }

// mostOfTail is how many bytes a tail keeps.
const mostOfTail = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-mostOfTail):]...)
	t.kept = slices.Delete(t.kept, 0, max(0, len(t.kept)-mostOfTail))
	return len(p), nil
}

var _ io.Writer = (*tail)(nil)

// median returns the median of each figure.
func median(all []figures) figures {
	middle := func(of func(figures) int64) int64 {
		values := make([]int64, len(all))
		for i, f := range all {
			values[i] = of(f)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return figures{
		cpu:  time.Duration(middle(func(f figures) int64 { return int64(f.cpu) })),
		wall: time.Duration(middle(func(f figures) int64 { return int64(f.wall) })),
		peak: middle(func(f figures) int64 { return f.peak }),
	}
}
