package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/spf13/afero"
)

// LocalOptions says how this machine is used.
type LocalOptions struct {
	Fs  afero.Fs // its files
	Env []string // environment of commands, "NAME=value"; nil: this process's own

	// Dial makes connections over "tcp". If nil, a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Local returns the machine that this process runs on. Commands have no terminal, so a command that asks for a
// password there fails.
func Local(o LocalOptions) Host {
	h := &local{o: o, grace: grace}
	if o.Dial == nil {
		h.o.Dial = (&net.Dialer{}).DialContext
	}
	h.life, h.die = context.WithCancelCause(context.Background())
	return h
}

type local struct {
	o     LocalOptions
	grace time.Duration

	life context.Context // ends with Close
	die  context.CancelCauseFunc

	mu      sync.Mutex
	running sync.WaitGroup
	conns   conns
}

// Name implements Host.
func (*local) Name() string { return "this machine" }

// Files implements Host.
func (h *local) Files(context.Context) Files { return FilesOf(h.o.Fs) }

// Close implements Host.
func (h *local) Close() error {
	h.mu.Lock()
	h.die(ErrClosed)
	h.mu.Unlock()
	h.conns.end()
	h.running.Wait()
	return nil
}

// begin counts a running command, unless the host is closed.
func (h *local) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() != nil {
		return false
	}
	h.running.Add(1)
	return true
}

// Run implements Host.
func (h *local) Run(ctx context.Context, c Command) (Output, error) {
	out, started, err := h.run(ctx, c)
	if err != nil {
		return out, &Error{Host: h.Name(), Doing: c.doing(), Message: foreign(err), Started: started, cause: err}
	}
	return out, nil
}

func (h *local) run(ctx context.Context, c Command) (Output, Started, error) {
	if err := c.check(); err != nil {
		return Output{}, StartedNo, err
	}
	if ctx.Err() != nil {
		return Output{}, StartedNo, context.Cause(ctx)
	}
	if !h.begin() {
		return Output{}, StartedNo, ErrClosed
	}
	defer h.running.Done()
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(ErrClosed) })()
	within, end := c.during(within)
	defer end()
	if c.Dir != "" { // the error of starting would not tell a missing directory from a missing program
		if _, err := afero.NewOsFs().Stat(c.Dir); err != nil {
			return Output{}, StartedNo, fmt.Errorf("going to its directory: %w", err)
		}
	}
	p, err := h.start(ctx, c)
	switch {
	case err == nil:
		return p.attend(within, c)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist): // as a shell reports it on other machines
		return Output{Stderr: c.Args[0] + ": not found\n", Code: 127}, StartedYes, nil
	case errors.Is(err, fs.ErrPermission):
		return Output{Stderr: c.Args[0] + ": permission denied\n", Code: 126}, StartedYes, nil
	}
	return Output{}, StartedNo, err
}

// start starts a command. Its streams are our own pipes. Processes that the command leaves running may hold them
// open, and are not waited for.
func (h *local) start(ctx context.Context, c Command) (*process, error) {
	var pipes [3][2]*os.File // for each, the end to read and the end to write
	release := func() {
		for _, pipe := range pipes {
			for _, end := range pipe {
				end.Close() // for nil and for closed files this only returns an error
			}
		}
	}
	for i := range pipes {
		var err error
		if pipes[i][0], pipes[i][1], err = os.Pipe(); err != nil {
			release()
			return nil, fmt.Errorf("making a pipe: %w", err)
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.Args[0], c.Args[1:]...) // attend ends it, and asks first
	cmd.Dir, cmd.Env = c.Dir, h.o.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes[0][0], pipes[1][1], pipes[2][1]
	apart(cmd)
	if err := cmd.Start(); err != nil {
		release()
		return nil, err
	}
	for _, theirs := range []*os.File{pipes[0][0], pipes[1][1], pipes[2][1]} {
		theirs.Close()
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how looks at the state
		close(ended)
	}()
	return &process{
		stdin: pipes[0][1], stdout: pipes[1][0], stderr: pipes[2][0], release: release, ended: ended,
		how: func(context.Context) (int, error) {
			if code := cmd.ProcessState.ExitCode(); code >= 0 {
				return code, nil
			}
			return 0, fmt.Errorf("it was ended by a signal (%s): how far it came is unknown", cmd.ProcessState)
		},
		signal: func(force bool) { signal(cmd.Process, force) },
		grace:  h.grace, after: time.After,
	}, nil
}
