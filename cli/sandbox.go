package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

type sandboxFlags struct {
	access, dump, dumpBefore string
	faults                   []string
	noPerson                 bool
}

// sandboxDoc is the document of sandbox -json.
type sandboxDoc struct {
	Servers     []sandboxServerDoc  `json:"servers,omitempty"`  // the simulated servers
	Machines    []sandboxMachineDoc `json:"machines,omitempty"` // those behind them, reached by SSH
	Environment map[string]string   `json:"environment"`        // what other commands need to reach them
}

type sandboxServerDoc struct {
	Product string `json:"product"` // whose server it is
	Name    string `json:"name"`    // in the seed
	URL     string `json:"url"`     // on this machine
}

type sandboxMachineDoc struct {
	Product string `json:"product"` // whose machine it is
	Name    string `json:"name"`    // in the seed
	Address string `json:"address"` // HOST:PORT of SSH
}

func (c *command) sandboxCommand() *cobra.Command {
	f := &sandboxFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use:   "sandbox DIR|EXAMPLE [flags] [-- COMMAND ARGS...]",
		Short: "Serve an example's simulated servers, or run a command inside them",
		Long: `Serves the simulated servers that DIR/sandbox.json describes on loopback, over TLS with a CA of their
own, and the machines behind them, if any, over SSH with keys of their own.

With COMMAND, it runs the command in a scratch copy of DIR, with this program first in PATH and the servers'
addresses and credentials in the environment, and exits with the exit code of the command. Without COMMAND, it
prints the environment and serves until it is interrupted. EXAMPLE is the name of one that is a part of the program.

A fault is KEY=VALUE,...: kind (fail, hang, cut, lost, late), server, method, path (a glob), nth (2, 2-4, 3-,
*), status, retry_after, delay. A command on a machine has the method EXEC, and its path is the command line; a
connection to a port without HTTP has the method CONNECT, and its path is the address.`,
		Example: `  syncctl sandbox examples/behind-firewall-master -- sh -c 'syncctl plan && syncctl apply -auto-approve'
  syncctl sandbox examples/behind-firewall-master --fault=method=POST,path=**/resync,kind=lost -- \
    syncctl apply -auto-approve`,
		Args: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 && len(args) > 1 {
				return failf(exitError, "put the command after --: syncctl sandbox %s -- %s ...", args[0], args[1])
			}
			if dash == 0 || len(args) == 0 {
				return failf(exitError, "%s needs the folder of an example.\nUsage: %s", cmd.CommandPath(), cmd.UseLine())
			}
			if dash > 1 {
				return failf(exitError, "%s needs one folder, not %d", cmd.CommandPath(), dash)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.typedArgs = args[:1] // COMMAND works in a copy of the folder, with other files
			return c.sandbox(cmd.Context(), args[0], args[1:], f)
		},
	})
	cmd.Flags().StringVar(&f.access, "access-log", "",
		"write a JSON line for every request, connection, command and file access to `FILE`")
	cmd.Flags().StringVar(&f.dump, "dump", "", "write the state of all servers as JSON to `FILE` at the end")
	cmd.Flags().StringVar(&f.dumpBefore, "dump-before", "", "write the state of all servers to `FILE` at the start")
	cmd.Flags().StringArrayVar(&f.faults, "fault", nil, "a fault to inject, as `KEY=VALUE,...`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("fault", func(
		_ *cobra.Command, _ []string, typed string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		const how = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		return matching(sandbox.FaultWords(typed), typed), how
	})
	cmd.Flags().BoolVar(&f.noPerson, "no-person", false, "no stand-in for the person: a person's steps wait")
	return cmd
}

func (c *command) sandbox(ctx context.Context, name string, command []string, f *sandboxFlags) (err error) {
	if c.wantsJSON() && len(command) > 0 {
		return failf(exitError, "-json is for the environment that sandbox prints without COMMAND: put it behind COMMAND, "+
			"if it is meant for that")
	}
	for flag, name := range map[string]string{"access-log": f.access, "dump": f.dump, "dump-before": f.dumpBefore} {
		if name == "" {
			continue
		}
		if err := c.freeToWrite(flag, name, "out.json"); err != nil {
			return err
		}
		if err := c.wasSuch(flag, name, documentJSON); err != nil {
			return err
		}
	}
	o := sandbox.Options{Person: !f.noPerson}
	for _, text := range f.faults {
		fault, err := sandbox.ParseFault(text)
		if err != nil {
			return failf(exitError, "%w", err)
		}
		o.Faults = append(o.Faults, fault)
	}
	if f.access != "" {
		path, err := c.place(f.access)
		if err != nil {
			return err
		}
		file, err := files.Stream(c.app.fs, path, 0o600)
		if err != nil {
			return fmt.Errorf("opening the access log: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		o.AccessLog = io.Writer(file)
	}
	dir, remove, err := c.unpacked(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	box, err := c.startSandbox(ctx, dir, o)
	if err != nil && ctx.Err() != nil && len(command) == 0 {
		return nil // interrupted before it serves, which ends serving just as well
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	if len(command) > 0 {
		return c.runInside(ctx, box, dir, command, f)
	}
	return c.serveSandbox(ctx, box, f)
}

// runInside runs a command in the sandbox. Signals are passed to the command, which decides how to handle them.
func (c *command) runInside(
	ctx context.Context, box *sandbox.Sandbox, dir string, command []string, f *sandboxFlags,
) error {
	self, err := c.app.executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	signals := make(chan os.Signal, 4)
	restore := c.app.interrupts.During(func(s os.Signal) {
		select {
		case signals <- s:
		default: // several signals are waiting already
		}
	})
	defer restore()
	in := sandbox.Inside{
		Dir: c.abs(dir), Executable: self, Command: command, Env: c.app.environ(),
		Stdin: c.app.stdin, Stdout: c.app.stdout, Stderr: c.app.stderr, Signals: signals,
	}
	in.Write = c.replace
	if f.dump != "" {
		in.Dump = c.abs(f.dump)
	}
	if f.dumpBefore != "" {
		in.DumpBefore = c.abs(f.dumpBefore)
	}
	code, err := box.RunInside(ctx, in)
	if err != nil {
		return &exit{code: max(code, exitError), err: err}
	}
	return exitQuietly(code)
}

// serveSandbox serves the sandbox until it is interrupted.
func (c *command) serveSandbox(ctx context.Context, box *sandbox.Sandbox, f *sandboxFlags) (err error) {
	scratch, err := c.app.temp("syncctl-sandbox-")
	if err != nil {
		return fmt.Errorf("creating a folder for the sandbox's CA: %w", err)
	}
	defer func() { err = errors.Join(err, c.app.fs.RemoveAll(scratch)) }()
	if err := box.WriteCA(c.app.fs, filepath.Join(scratch, "ca.pem")); err != nil {
		return err
	}
	if err := c.dumpState(box, f.dumpBefore); err != nil {
		return err
	}
	if err := c.document(sandboxDocument(box)); err != nil {
		return err
	}
	if !c.flags.json {
		c.sayServed(box)
	}
	<-ctx.Done()
	return c.dumpState(box, f.dump)
}

func sandboxDocument(box *sandbox.Sandbox) sandboxDoc {
	doc := sandboxDoc{Environment: box.Environment()}
	for _, s := range box.Servers() {
		doc.Servers = append(doc.Servers, sandboxServerDoc{s.Product, s.Name, s.URL})
	}
	for _, m := range box.Machines() {
		doc.Machines = append(doc.Machines, sandboxMachineDoc{m.Product, m.Name, m.Address})
	}
	return doc
}

// sayServed says what is served, in lines for a shell.
func (c *command) sayServed(box *sandbox.Sandbox) {
	for _, s := range box.Servers() {
		c.say("# %s server %s is at %s", s.Product, schema.SanitizeLine(s.Name), s.URL)
	}
	for _, m := range box.Machines() {
		c.say("# %s machine %s is reached by SSH at %s", m.Product, schema.SanitizeLine(m.Name), m.Address)
	}
	env := box.Environment()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.say("export %s=%s", name, shellquote.Join(env[name]))
	}
	c.say("# Paste the lines above into another shell. Interrupt to stop the servers.")
}

func (c *command) dumpState(box *sandbox.Sandbox, name string) error {
	if name == "" {
		return nil
	}
	state, err := box.State()
	if err != nil {
		return err
	}
	return c.replace(name, state)
}
