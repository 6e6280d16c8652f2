package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/schema"
)

// command is one command line being carried out.
type command struct {
	app *app

	// Flags that may be given before or after the command.
	flags struct {
		chdir    string
		color    enumeration // auto, always or never
		noColor  bool
		json     bool
		jsonInto string // a file
		compact  bool   // warnings

		site      string
		policy    string
		untrusted bool
	}

	name      string         // the words of the command after the program's name; "": none is known
	typed     *pflag.FlagSet // the flags on the command line
	typedArgs []string       // its arguments

	cwd      string // folder of relative names on the command line: the app's, or -chdir
	dir      string // the folder of the configuration, absolute
	dirName  string // the same, as the person has written it
	out, err *output.Guarded
	outStyle view.Style
	errStyle view.Style
	log      hclog.Logger
	closeLog func()
	into     io.Closer       // the file of events; nil: none
	used     *policy.Used    // if not nil, records what the configuration reads
	policy   *policy.Policy  // of the user; nil: everything is allowed
	redactor *redact.Set     // nil until a configuration is loaded
	held     []driver.Closer // drivers that hold something on servers until the command ends
	events   *view.Events    // if not nil, everything is reported as events

	long      longWords // of the command line
	documents int       // written as JSON
	emptied   bool      // the file of -json-into, so that it may be written to
	noHelp    error     // why no help was shown

	carrying string          // the run that is being carried out; "": none
	waits    waits           // what is reported about drivers that wait for servers
	testing  *schema.TestRun // the test run that the configuration is read for

	added map[string][]byte // read as files of the configuration, see schema.Options

	named afero.Fs // for replacing files that the command line names; nil: as for all files. See readOnly

	live bool // servers are contacted

	foundPolicy bool // the policy was found in the user's configuration folder
}

// run carries out one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	c := &command{app: a, long: longOf(args), closeLog: func() {}, log: hclog.NewNullLogger()}
	known := func() *redact.Set { return c.redactor }
	c.out, c.err = output.Guard(a.stdout, known), output.Guard(a.stderr, known)
	defer takeBrokenPipes()() // output without a reader is dropped, and does not stop the command
	ctx, release := a.interrupts.Context(ctx)
	defer release()

	err := c.execute(ctx, args)
	defer func() { c.closeLog() }()
	defer c.closeInto()
	var f *fault.Error
	if errors.As(err, &f) {
		c.faulty(f) // before anything else, which may meet what it has left behind
	}
	if closing := c.closeDrivers(); err == nil && errors.As(closing, &f) {
		c.faulty(f)
		err = f
	}
	code, left := codeOf(err)
	if code != exitDone && ctx.Err() != nil && a.interrupts.Happened() {
		code = exitInterrupted
		if left != nil {
			left = errInterrupted
		}
	}
	switch {
	case left != nil:
		c.failed(errors.New(c.long.cut(left.Error())))
	case code == exitInterrupted:
		c.failedJSON(errInterrupted)
	case code != exitDone:
		c.failedJSON(fmt.Errorf("exit code %d", code))
	}
	c.countDocuments()
	return code
}

var errInterrupted = errors.New("interrupted")

// failed prints the error that ended the command.
func (c *command) failed(err error) {
	c.failedJSON(err)
	if c.events != nil {
		c.events.Write("error", err.Error(), view.ErrorEvent{})
	}
	if c.events != nil && c.flags.json {
		return
	}
	if c.errStyle == (view.Style{}) {
		c.outStyle, c.errStyle = c.styles()
	}
	fmt.Fprintln(c.err, c.errStyle.Bad("Error: ")+schema.Sanitize(err.Error()))
}

// begin is called when the flags are known. It sets up folders, colours and the log.
func (c *command) begin() error {
	c.cwd = c.app.cwd
	if c.flags.chdir != "" {
		c.cwd = c.app.abs(c.flags.chdir)
		if info, err := c.app.fs.Stat(c.cwd); err != nil || !info.IsDir() {
			return failf(exitError, "-chdir: %s is not a folder", c.flags.chdir)
		}
	}
	c.outStyle, c.errStyle = c.styles()
	if err := c.openLog(); err != nil {
		return err
	}
	return c.enter(".")
}

// enter sets the folder of the configuration.
func (c *command) enter(name string) error {
	c.dir, c.dirName = c.abs(name), name
	info, err := c.app.fs.Stat(c.dir)
	if err != nil {
		return failf(exitError, "the folder %s cannot be read: %w", name, err)
	}
	if !info.IsDir() {
		return failf(exitError, "%s is a file, not the folder of a configuration", name)
	}
	return nil
}

// enterArg sets the folder of the configuration to a command's only argument, if it is given.
func (c *command) enterArg(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return c.enter(args[0])
}

// abs makes a name from the command line absolute.
func (c *command) abs(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.cwd, name)
}

// foreign returns the file system for files that somebody else may have made, such as bundles, plans and records.
func (c *command) foreign() afero.Fs { return files.Foreign(c.app.fs) }

// files returns the file system for names on the command line.
func (c *command) files() afero.Fs { return files.In(c.app.fs, c.cwd) }

// isDir reports whether a name from the command line is a folder.
func (c *command) isDir(name string) bool {
	info, err := c.app.fs.Stat(c.abs(name))
	return err == nil && info.IsDir()
}

// openLog sets up the log according to SYNCCTL_LOG and SYNCCTL_LOG_PATH.
func (c *command) openLog() error {
	level, _ := c.app.env("SYNCCTL_LOG")
	if level == "" || level == "off" {
		return nil
	}
	opts := &hclog.LoggerOptions{
		Name: "syncctl", Level: hclog.LevelFromString(level), JSONFormat: level == "json",
	}
	if level == "json" {
		opts.Level = hclog.Trace
	}
	if opts.Level == hclog.NoLevel {
		return failf(exitError, "SYNCCTL_LOG is %q: use trace, debug, info, warn, error, json or off", level)
	}
	to := c.err
	if path, _ := c.app.env("SYNCCTL_LOG_PATH"); path != "" {
		at, err := c.place(c.app.abs(path))
		if err != nil {
			return err
		}
		f, err := files.Append(c.app.fs, at, 0o600)
		if err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
		c.closeLog = func() { _ = f.Close() } // nothing is buffered
		to = c.guard(f)
	}
	opts.Output = output.Plain(to)
	if opts.JSONFormat {
		opts.Output = output.JSON(to)
	}
	c.log = hclog.New(opts)
	return nil
}
