package cli

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/interrupt"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/policy"
	"golang.org/x/term"
)

// app holds the program's access to the outside world. A rehearsal runs commands in an app of its own.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	environ        func() []string
	fs             afero.Fs
	cwd            string // absolute: the folder of relative names
	clock          executor.Clock
	random         io.Reader
	tty            terminal
	products       []Product
	rehearsal      *policy.Policy // what its commands may do; nil: everything, or this is not a rehearsal
	scratch        bool           // the folder is removed when the command ends, so nobody is referred to it
	executable     func() (string, error)
	temp           func(pattern string) (string, error) // makes a temporary folder
	interrupts     *interrupt.Interrupts
	input          *prompt.Lines
	unused         []byte            // see unusedSize; nil: none
	answers        map[string]string // what a person answered, by folder and variable; shared with a rehearsal's commands
}

// terminal says which streams are a terminal.
type terminal struct {
	in, out, err bool
	width        func() int // of the terminal behind stdout; 0 when unknown
}

// takeSignals returns a channel that receives the signals which interrupt a command.
func takeSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	return signals
}

// operatingSystem returns the app of a real process.
func operatingSystem(products []Product, signals <-chan os.Signal) *app {
	cwd, err := os.Getwd()
	if err != nil {
		cwd = "." // the folder was removed; whatever needs it reports that
	}
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		env: os.LookupEnv, environ: os.Environ,
		fs: afero.NewOsFs(), cwd: cwd, clock: systemClock{}, random: rand.Reader,
		tty: terminal{
			in:  term.IsTerminal(int(os.Stdin.Fd())),
			out: term.IsTerminal(int(os.Stdout.Fd())),
			err: term.IsTerminal(int(os.Stderr.Fd())),
			width: func() int {
				w, _, err := term.GetSize(int(os.Stdout.Fd()))
				if err != nil {
					return 0
				}
				return w
			},
		},
		products:   products,
		executable: os.Executable,
		temp:       func(pattern string) (string, error) { return os.MkdirTemp("", pattern) },
		interrupts: &interrupt.Interrupts{},
		input:      prompt.NewLines(os.Stdin),
		answers:    map[string]string{},
	}
	handled := make(chan os.Signal, cap(signals))
	go func() { // apart, since a handler blocks where nobody reads what it says
		for s := range handled {
			a.interrupts.Deliver(s)
		}
	}()
	go func() {
		n := 0
		for s := range signals {
			if n++; n == 2 { // something blocks, such as opening a pipe that nobody writes to
				time.AfterFunc(secondInterrupt, leave)
			}
			select {
			case handled <- s:
			default: // the process is about to end
			}
		}
	}()
	return a
}

// secondInterrupt is the maximum time that a process takes to end after the second interrupt, and as long again where
// nobody reads its errors. Anything not written by then is lost as if the process had been killed, which is safe.
const secondInterrupt = time.Second

// leave ends the process, whatever blocks.
func leave() {
	time.AfterFunc(secondInterrupt, func() { os.Exit(exitInterrupted) })
	fmt.Fprintln(os.Stderr, "Something did not end, and is left as it is. "+
		"`syncctl status` shows what is known of the run.")
	os.Exit(exitInterrupted)
}

// takeBrokenPipes makes a write to a pipe without a reader fail instead of ending the process, until release is
// called.
func takeBrokenPipes() (release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	return func() { signal.Stop(signals) }
}

// abs makes a name absolute, relative to the folder in which the program was started.
func (a *app) abs(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.cwd, name)
}

// is reports whether an environment variable has a value.
func (a *app) is(name, value string) bool {
	v, _ := a.env(name)
	return v == value
}

// set reports whether an environment variable is set and not empty.
func (a *app) set(name string) bool { return !a.is(name, "") }

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// platform returns the operating system and the architecture.
func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
