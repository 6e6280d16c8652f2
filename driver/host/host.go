// Package host reaches the machine behind a server: it runs commands there and handles its files, on this machine or
// over SSH.
//
// Over SSH there are no passwords: keys and an agent only, and the machine's own key is always compared with
// known_hosts. A command that may have been started is never started again by this package.
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

// Host runs commands on one machine and reaches its files. It may be used by several goroutines.
type Host interface {
	// Name is how people call it: "admin@db.example:22", or "this machine".
	Name() string

	// Run runs a command until it has ended and all its output has come. A code other than 0 is not an error; an error
	// is always an *Error, and the Output beside it is what had come until then. When ctx ends, the command is asked to
	// end (SIGTERM), then made to (SIGKILL), and its end is awaited for a few seconds.
	Run(ctx context.Context, c Command) (Output, error)

	// Dial connects from the machine to an address, "host:port", as a program that runs there would: names are the
	// machine's own. Over SSH it goes through the connection. An error is always an *Error, of ErrForbidden and
	// ErrRefused among others. ctx ends the waiting for the connection, not the connection: that ends when it is
	// closed, with the host, and with the connection to the machine, in an *Error. It has deadlines, and a CloseWrite
	// that ends what is said and not what is heard.
	Dial(ctx context.Context, address string) (net.Conn, error)

	// Files are the machine's files. Over SSH, an access ends when ctx does, or when the machine does not answer for
	// SSHOptions.FileTimeout; on this machine it lasts as long as the operating system takes.
	Files(ctx context.Context) Files

	// Close ends what is running and what was dialed, and gives the connection back. Nothing works afterwards.
	Close() error
}

// Command is one command.
type Command struct {
	// Args are the program and its arguments. No shell expands them; over SSH they are quoted for a POSIX shell.
	Args []string
	Dir  string // where it runs; "": where the login starts
	// Stdin is read until its end or the command's. nil: empty, so that a program that asks gets an end of file.
	Stdin     io.Reader
	MaxOutput int64 // bytes that are kept of each stream; 0: DefaultMaxOutput
	// Within is how long the command may run: then it is ended as when ctx ends, and the error is a
	// context.DeadlineExceeded. 0: DefaultWithin.
	Within time.Duration
}

// DefaultWithin is how long a command may run where it does not say.
const DefaultWithin = 10 * time.Minute

// DefaultMaxOutput is how much is kept of each stream of output where a Command does not say.
const DefaultMaxOutput = 4 << 20

// Output is what a command said.
type Output struct {
	Stdout, Stderr string // as it came: nothing says that it is UTF-8
	Code           int    // the exit status; 127: the program was not found; 126: it may not be run
	// Truncated: some of the output is not here. There was more than MaxOutput, or something that the command left
	// running held it open.
	Truncated bool
}

// Unanswered tells why an Output is not an answer to the question that a command asks, such as whether a service
// runs: it is incomplete, the program was not found or not allowed to run, it was killed, or it failed and
// complains. "" means that it is an answer, whatever the code.
func (o Output) Unanswered() string {
	switch complaint := strings.TrimSpace(o.Stderr); {
	case o.Truncated:
		return "its output is incomplete"
	case o.Code == 126 || o.Code == 127:
		return "the program was not found or may not be run"
	case o.Code < 0 || o.Code >= 125: // what shells, sudo, env and timeout report about themselves, and ends by a signal
		return fmt.Sprintf("the program did not run to its end (code %d)", o.Code)
	case o.Code != 0 && complaint != "":
		return fmt.Sprintf("it failed (code %d): %s", o.Code, wording.Message(complaint, 200))
	}
	return ""
}

// Started tells whether a command that failed was started.
type Started int

// The values of Started, in the order of what may have happened.
const (
	StartedNo    Started = iota // certainly not: the machine was never told to
	StartedMaybe                // it may have been started, and may have ended in any way, or still run
	StartedYes                  // it was started and has ended: there is an Output with its code
)

func (s Started) String() string {
	return [...]string{"no", "maybe", "yes"}[s]
}

// WasStarted tells how far the command of err got. nil is StartedYes. An error that is not of this package leaves
// all possible: StartedMaybe.
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

// Error is a command that could not be run, or whose end is not known, or a connection that failed. None of its
// texts holds a secret or a control character.
type Error struct {
	Host    string // its Name
	Doing   string // "connecting", "running systemctl stop db"
	Message string // what went wrong, and what helps where that is known
	Started Started

	cause error
}

func (e *Error) Error() string { return e.Host + ": " + e.Doing + ": " + e.Message }

// Unwrap gives what errors.Is looks for: context.Canceled, ErrBroken and the like. Its own text is not to be shown.
func (e *Error) Unwrap() error { return e.cause }

// Why a connection ended, for errors.Is.
var (
	ErrBroken = errors.New("the connection broke")
	ErrClosed = errors.New("the connection to the machine was closed")
)

// Why Dial failed, for errors.Is.
var (
	ErrForbidden = errors.New("the machine does not forward connections")
	// ErrRefused: nothing listens there, or the name is unknown, which sshd tells apart in words only.
	ErrRefused = errors.New("the address cannot be reached")
)

// grace is how long a command has to end after it was asked to, and again after it was made to; and how long its
// output may stay open, with nothing coming, after it has ended.
const grace = 5 * time.Second

// check refuses commands that cannot be handed to a machine.
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

// doing names a command in errors and logs.
func (c Command) doing() string {
	return "running " + wording.Message(Quote(c.Args), 200)
}

// during is ctx, until the time of the command is over.
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

// foreign makes an error's text fit to be shown: machines choose some of these words.
func foreign(err error) string { return wording.Message(wording.Closed(err).Error(), 300) }
