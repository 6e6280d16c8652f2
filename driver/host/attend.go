package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// process is a command that was started, on this machine or over SSH.
type process struct {
	stdin          io.WriteCloser
	stdout, stderr io.Reader
	ended          <-chan struct{}                        // closed when it has ended, or its end cannot be known any more
	how            func(ctx context.Context) (int, error) // once ended and read: its code, or why it is unknown
	signal         func(force bool)                       // asks it to end, or forces it to; may block
	release        func()                                 // closes the streams

	grace time.Duration
	after func(time.Duration) <-chan time.Time
}

// attend feeds a command its input, collects its output, and waits for its end.
func (p *process) attend(ctx context.Context, c Command) (Output, Started, error) {
	defer p.release()
	stdout, stderr := &kept{limit: c.limit()}, &kept{limit: c.limit()}
	input, read := make(chan error, 1), make(chan struct{})
	go p.feed(c.Stdin, input)
	go p.drain(stdout, stderr, read)
	var open bool
	var code int
	var err error
	select {
	case <-p.ended:
		open, err = p.rest(ctx, read, func() int64 { return stdout.count() + stderr.count() })
	case <-ctx.Done():
		err = p.stop(context.Cause(ctx))
	case broken := <-input:
		err = p.stop(fmt.Errorf("reading its input: %w", broken))
	}
	if err == nil {
		code, err = p.how(ctx)
	}
	out, cut := Output{Code: code}, [2]bool{}
	out.Stdout, cut[0] = stdout.text()
	out.Stderr, cut[1] = stderr.text()
	out.Truncated = open || cut[0] || cut[1]
	if err != nil {
		return out, StartedMaybe, err
	}
	return out, StartedYes, nil
}

// feed writes the input to the command, and closes it. If reading the input fails, it is not closed: half of it must
// not look like all of it.
func (p *process) feed(stdin io.Reader, failed chan<- error) {
	if stdin != nil {
		from := &noting{Reader: stdin}
		_, _ = io.Copy(p.stdin, from) // if it cannot be written, the command or the connection has ended
		if from.err != nil {
			failed <- from.err
			return
		}
	}
	p.stdin.Close() // fails if the other end is closed
}

// noting remembers why reading failed.
type noting struct {
	io.Reader
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	k, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return k, err
}

// drain reads the output to its end. The function how finds out what ended it.
func (p *process) drain(stdout, stderr io.Writer, done chan<- struct{}) {
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(stdout, p.stdout) })
	both.Go(func() { _, _ = io.Copy(stderr, p.stderr) })
	both.Wait()
	close(done)
}

// rest waits for the remaining output of a command that has ended. open reports whether a process that the command
// left running holds the output open, and nothing more comes.
func (p *process) rest(ctx context.Context, read <-chan struct{}, count func() int64) (open bool, err error) {
	for {
		before := count()
		select {
		case <-read:
			return false, nil
		case <-ctx.Done():
			return true, p.stop(context.Cause(ctx))
		case <-p.after(p.grace):
			if count() == before {
				return true, nil
			}
		}
	}
}

// stop ends the command: it asks it to end, then forces it to.
func (p *process) stop(why error) error {
	done := make(chan struct{})
	go func() { // a signal blocks while the connection does
		defer close(done)
		for _, force := range []bool{false, true} {
			p.signal(force)
			select {
			case <-p.ended:
				return
			case <-p.after(p.grace):
			}
		}
	}()
	select {
	case <-done:
	case <-p.after(3 * p.grace):
	}
	select {
	case <-p.ended:
		return fmt.Errorf("%w: it was told to end, and how far it came is unknown", why)
	default:
		return fmt.Errorf("%w: it was told to end, and whether it did is unknown", why)
	}
}
