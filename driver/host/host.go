// Package host gives access to the machine of a server: it runs commands there and handles its files, on this machine
// or over SSH.
//
// Over SSH there are no passwords, only keys and an agent, and the machine's own key is always compared with
// known_hosts. This package never restarts a command that may have been started.
package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
)

// Host runs commands on one machine and gives access to its files. It may be used by several goroutines.
type Host interface {
	// Name returns its name for people: "admin@db.example:22", or "this machine".
	Name() string

	// Run runs a command and waits until it has ended and all its output has been read. A code other than 0 is not an
	// error. An error is always an *Error, and the Output beside it has what was read until then. When ctx ends, the
	// command is asked to end (SIGTERM), then forced to (SIGKILL), and Run waits for its end for a few seconds.
	Run(ctx context.Context, c Command) (Output, error)

	// Dial connects from the machine to an address, "host:port", as a program that runs there would: the machine
	// resolves the name. Over SSH the connection is tunnelled. An error is always an *Error, and may wrap
	// ErrForbidden or ErrRefused. ctx limits only the waiting for the connection. The connection ends when it is
	// closed, when the host is closed, or, with an *Error, when the connection to the machine ends. It has deadlines,
	// and a CloseWrite that ends what is sent but not what is received.
	Dial(ctx context.Context, address string) (net.Conn, error)

	// Files returns the machine's files. Over SSH, an access ends when ctx does, or when the machine does not answer
	// for SSHOptions.FileTimeout. On this machine it takes as long as the operating system needs.
	Files(ctx context.Context) Files

	// Close ends everything that runs and every connection that was dialed, and closes the connection to the machine.
	// The Host cannot be used afterwards.
	Close() error
}

// Command is one command.
type Command struct {
	// Args are the program and its arguments. No shell expands them; over SSH they are quoted for a POSIX shell.
	Args []string
	Dir  string // where it runs; "" for the folder in which the login starts
	// Stdin is read until its end or the command's. If nil, the input is empty, so that a program that asks gets an
	// end of file.
	Stdin     io.Reader
	MaxOutput int64 // maximum bytes that are kept of each stream; 0: DefaultMaxOutput
	// Within is the time limit of the command. When it is over, the command is ended as when ctx ends, and the error
	// is a context.DeadlineExceeded. 0: DefaultWithin.
	Within time.Duration
}

// DefaultWithin is the time limit of a command without Within.
const DefaultWithin = 10 * time.Minute

// DefaultMaxOutput is the limit for each output stream of a command without MaxOutput, in bytes.
const DefaultMaxOutput = 4 << 20

// Output is the output of a command and its exit status.
type Output struct {
	Stdout, Stderr string // unchanged, and not necessarily UTF-8
	Code           int    // the exit status; 127: the program was not found; 126: it may not be run
	// Truncated reports that some of the output is missing: there was more than MaxOutput, or something that the
	// command left running held the output open.
	Truncated bool
}

// Unanswered says why an Output does not answer the question that a command asks, such as whether a service runs: it
// is incomplete, the program was not found or not allowed to run, it was killed, or it failed and complains. It
// returns "" if the Output is an answer, whatever the code.
func (o Output) Unanswered() string {
	switch complaint := strings.TrimSpace(o.Stderr); {
	case o.Truncated:
		return "its output is incomplete"
	case o.Code == 126 || o.Code == 127:
		return "the program was not found or may not be run"
	case o.Code < 0 || o.Code >= 125: // errors of shells, sudo, env and timeout themselves, and ends by a signal
		return fmt.Sprintf("the program did not run to its end (code %d)", o.Code)
	case o.Code != 0 && complaint != "":
		return fmt.Sprintf("it failed (code %d): %s", o.Code, wording.Message(complaint, 200))
	}
	return ""
}

// Started reports whether a command that failed was started.
type Started int

// The values of Started, in the order of what may have happened.
const (
	StartedNo    Started = iota // certainly not: the machine was not told to
	StartedMaybe                // it may have been started, and may have ended in any way, or still run
	StartedYes                  // it was started and has ended: there is an Output with its code
)

func (s Started) String() string {
	return [...]string{"no", "maybe", "yes"}[s]
}

// WasStarted returns how far the command of err got. nil is StartedYes. For an error of another package everything is
// possible: StartedMaybe.
func WasStarted(err error) Started {
	var e *Error
	switch {
	case err == nil:
		return StartedYes
	case errors.As(err, &e):
		return e.Started
	}
	return StartedMaybe
}

// Error says that a command could not be run, that its end is not known, or that a connection failed. None of its
// texts contains a secret or a control character.
type Error struct {
	Host    string // its Name
	Doing   string // "connecting", "running systemctl stop db"
	Message string // what went wrong, and what helps if that is known
	Started Started

	cause error
}

func (e *Error) Error() string { return e.Host + ": " + e.Doing + ": " + e.Message }

// Unwrap returns the cause for errors.Is: context.Canceled, ErrBroken and the like. Its own text must not be shown.
func (e *Error) Unwrap() error { return e.cause }

// The reasons why a connection ended, for errors.Is.
var (
	ErrBroken = errors.New("the connection broke")
	ErrClosed = errors.New("the connection to the machine was closed")
)

// The reasons why Dial failed, for errors.Is.
var (
	ErrForbidden = errors.New("the machine does not forward connections")
	// ErrRefused says that nothing listens there, or that the name is unknown: sshd distinguishes the two only in
	// words.
	ErrRefused = errors.New("the address cannot be reached")
)

// grace is the time that a command has to end after it was asked to, and again after it was forced to. It is also the
// time that its output may stay open without data after it has ended.
const grace = 5 * time.Second

// check refuses commands that cannot be passed to a machine.
func (c Command) check() error {
	switch {
	case len(c.Args) == 0 || c.Args[0] == "":
		return errors.New("no command is given")
	case strings.HasPrefix(c.Args[0], "-"):
		return fmt.Errorf("the program %q would be taken for an option: give its path", c.Args[0])
	}
	for _, arg := range append([]string{c.Dir}, c.Args...) {
		if strings.ContainsRune(arg, 0) {
			return errors.New("a NUL character cannot be part of a command")
		}
	}
	return nil
}

// doing describes a command, for errors and logs.
func (c Command) doing() string {
	return "running " + wording.Message(Quote(c.Args), 200)
}

// during returns a context that ends with ctx, or when the time limit of the command is over.
func (c Command) during(ctx context.Context) (context.Context, context.CancelFunc) {
	within := cmp.Or(c.Within, DefaultWithin)
	return context.WithTimeoutCause(ctx, within,
		&inWords{fmt.Sprintf("it has not ended within %s", within), context.DeadlineExceeded})
}

func (c Command) limit() int64 {
	if c.MaxOutput > 0 {
		return c.MaxOutput
	}
	return DefaultMaxOutput
}

// foreign prepares the text of an error to be shown, because machines choose some of its words.
func foreign(err error) string { return wording.Message(wording.Closed(err).Error(), 300) }
