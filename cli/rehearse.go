package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

func (c *command) rehearseCommand() *cobra.Command {
	out := ""
	cmd := jsonCommand(&cobra.Command{
		Use: "rehearse DIR|EXAMPLE", Args: one("the folder of an example, or its name"),
		Short: "Plan, apply and verify an example against simulated servers on this machine",
		Long: `Starts the simulated servers that DIR/sandbox.json describes, on this machine only, and works in a
scratch copy of DIR: plan, apply with a stand-in for the person, and a second plan, which must find nothing to
do. DIR stays as it is.

Where the configuration has site blocks, each site is a process with a folder, keys and credentials of its own, which
reaches the servers of its site alone, and bundles are carried between them. The site plans whose block stands first, or
that -site names. EXAMPLE is the name of one that is a part of the program; "syncctl init -examples" lists them.

With -json it writes what -out does, and nothing of what its commands print.`,
		Example: "  syncctl rehearse behind-firewall-master",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.rehearse(cmd.Context(), args[0], out) },
	})
	cmd.Flags().StringVar(&out, "out", "", "write what was rehearsed, when, and how it ended to `FILE`, for record "+
		"-rehearsal")
	return cmd
}

// seedFile describes the simulated servers of an example.
const seedFile = "sandbox.json"

// mostOfSeed is the maximum size of a seed, in bytes.
const mostOfSeed = 64 << 20

// startSandbox serves the simulated servers of an example.
func (c *command) startSandbox(ctx context.Context, dir string, o sandbox.Options) (*sandbox.Sandbox, error) {
	if !c.isDir(dir) {
		return nil, failf(exitError, "%s is not a folder", dir)
	}
	name := filepath.Join(dir, seedFile)
	folder := schema.Folder{Fs: c.files(), Dir: dir}
	seed, err := folder.Read(schema.Reading{Path: seedFile, By: seedFile, Most: mostOfSeed})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitError, "%s is not an example: it has no %s, which describes the servers to simulate.\n"+
			"For your own servers use `syncctl plan` and `syncctl apply`", dir, seedFile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	o.Seed, o.SeedName, o.Products = seed, name, map[string]sandbox.Open{}
	o.ErrorLog = c.log.Named("sandbox").StandardWriter(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})
	for _, p := range c.app.products {
		if p.Simulator != nil {
			o.Products[p.Name] = p.Simulator
		}
	}
	return sandbox.Start(ctx, o)
}

func (c *command) rehearse(ctx context.Context, name, out string) (err error) {
	if err := c.mayWriteRehearsal(out); err != nil {
		return err
	}
	dir, remove, err := c.unpacked(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if c.foundPolicy {
		if err := c.comesAlong(c.abs(dir)); err != nil {
			return err
		}
	}
	begun := c.app.clock.Now()
	asked := &contacts{}
	tried, err := c.openScratch(ctx, dir, "", sandbox.Options{Person: true, AccessLog: asked})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tried.close()) }()
	cfg, err := tried.rehearsedConfig(ctx)
	if err != nil {
		return err
	}
	shown := c.out
	if c.flags.json {
		c.out = output.Guard(io.Discard, func() *redact.Set { return c.redactor })
	}
	var sites *sitesRehearsal
	if len(cfg.Settings.Sites) > 0 {
		if sites, err = tried.sitesOf(ctx, cfg, asked); err == nil {
			err = sites.rehearse(ctx)
		}
	} else {
		err = tried.rehearse(ctx)
	}
	// The contacts must be known: a rehearsal is incomplete if its access log has failed.
	err = c.orWarn(err, tried.stop())
	c.out = shown
	if out != "" || c.wantsJSON() {
		err = c.orWarn(err, tried.saveRehearsal(out, rehearsedAt(tried, sites), cfg, begun, err))
	}
	if err != nil || c.flags.json {
		return err
	}
	took := c.app.clock.Now().Sub(begun).Round(100 * time.Millisecond)
	if sites != nil {
		c.say("\n%s %s, %s.", c.outStyle.Good("Rehearsal complete:"), took, sites.words())
	} else {
		c.say("\n%s %s, %s.", c.outStyle.Good("Rehearsal complete:"), took,
			asked.all.words(len(tried.box.Servers()), len(tried.box.Machines())))
	}
	if dir != name {
		c.say("Read on: `syncctl init -example=%s DIR` writes its files. README.md explains what happened here, and how to "+
			"do it with real servers.", schema.SanitizeLine(filepath.Base(dir)))
		return nil
	}
	c.say("Read on: %s explains what happened here, and how to do it with real servers.",
		schema.SanitizeLine(filepath.Join(dir, "README.md")))
	return nil
}

// orWarn returns the first of two errors. If both are set, it prints the second as a warning, so that it is not lost.
func (c *command) orWarn(err, other error) error {
	if err == nil {
		return other
	}
	if other != nil {
		c.warn("%v", other)
	}
	return err
}

// rehearsedPlan is the plan file of a rehearsal, so that the plan carried out is the one shown.
const rehearsedPlan = "rehearsal.syncplan.json"

// rehearse runs the three commands.
func (s *scratch) rehearse(ctx context.Context) error {
	inside := s.inside()
	var last bytes.Buffer
	for _, part := range []struct {
		heading string
		args    []string
	}{
		{"1. syncctl plan: what would be done, and why", []string{"plan", "-out=" + rehearsedPlan}},
		{"2. syncctl apply: every step, verified", []string{"apply", "-auto-approve", rehearsedPlan}},
		{"3. syncctl plan: what is left to do", []string{"plan"}},
	} {
		s.say("\n%s\n", s.outStyle.Bold("== "+part.heading+" =="))
		last.Reset()
		inside.stdout = io.MultiWriter(s.out, &last)
		args := append(part.args, "-color="+s.flags.color.value)
		if s.flags.noColor {
			args = append(args, "-no-color")
		}
		if code := inside.run(ctx, args); code != exitDone {
			return exitQuietly(code)
		}
	}
	if !strings.Contains(last.String(), report.NoChanges) {
		return failf(exitError, "the second plan still has steps: applying the first one did not lead to what is declared")
	}
	return nil
}
