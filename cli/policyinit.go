package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/policy"
)

// policyDoc is the document of policy init -json.
type policyDoc struct {
	Policy string `json:"policy"`         // as HCL
	File   string `json:"file,omitempty"` // where it was written; none without -out
}

func (c *command) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "policy", Args: atMost(0),
		Short: "What configurations may do on your behalf",
		Long: `A policy says which hosts, environment variables, files, commands and SSH keys configurations may use. It is
read from -policy=FILE, SYNCCTL_POLICY, or policy.hcl in your configuration folder, never from the configuration's own
folder. What it does not name is refused.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var vars variables
	var out string
	initial := jsonCommand(&cobra.Command{
		Use: "init [DIR]", Args: atMost(1),
		Short: "Write the policy that a configuration needs, from one that you trust",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			return c.policyInit(cmd.Context(), &vars, out)
		},
	})
	c.varFlags(initial, &vars)
	initial.Flags().StringVar(&out, "out", "", "write it to this `FILE`, which must not exist (default: print it)")
	cmd.AddCommand(initial)
	return cmd
}

func (c *command) policyInit(ctx context.Context, vars *variables, out string) error {
	if c.flags.untrusted {
		return failf(exitError, "a policy is written from a configuration that you trust: -untrusted is not one")
	}
	used := policy.Used{}
	c.policy = nil // record what the configuration uses, not what it may use
	c.used = &used
	p, err := c.load(ctx, vars.list, true)
	if err != nil {
		return err
	}
	home, _ := c.app.env("HOME")
	if err := c.useAll(&used, p, home); err != nil {
		return err
	}
	for _, h := range used.Hosts {
		used.Files = append(used.Files, h.SSHKeys...)
	}
	used.Files = outside(c.dir, used.Files)
	for _, name := range used.Files {
		if info, err := c.app.fs.Stat(name); err == nil && info.IsDir() {
			return failf(exitError, "%s is a folder: a policy that names it would allow all that is in it", name)
		}
	}
	if o := p.cfg.Settings.Operator; o != nil {
		argv := c.operatorArgs(o)
		if slices.Equal(argv, []string{"*"}) {
			return failf(exitError, "the operator %w", policy.Literal(argv[0]))
		}
		used.Commands = append(used.Commands, argv)
		used.Environment = append(used.Environment, o.Environment...)
	}
	var text strings.Builder
	if err := policy.Write(&text, used); err != nil {
		return err
	}
	doc := policyDoc{Policy: text.String(), File: out}
	if out == "" {
		if err := c.document(doc); err != nil || c.flags.json {
			return err
		}
		_, err := c.out.Write([]byte(text.String()))
		return err
	}
	err = c.createNew(out, []byte(text.String()), 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return failf(exitError, "%s exists already: compare it with the output of policy init without -out", out)
	case err != nil:
		return err
	}
	if err := c.document(doc); err != nil || c.flags.json {
		return err
	}
	c.say("Wrote %s. Read each line of it: everything that it names is allowed from now on where it is used.", out)
	return nil
}

// useAll adds what all declarations use.
func (c *command) useAll(used *policy.Used, p *project, home string) error {
	for _, r := range p.cfg.Resources {
		declare.Use(used, r, c.dir, home)
		if d, ok := p.drivers[typeKey{r.Addr.Kind, r.Addr.Type}].(driver.Reacher); ok {
			declare.UseReach(used, d.Reach(r), c.dir)
		}
	}
	env := c.driverEnv("policy")
	for _, r := range p.cfg.Resources {
		if err := declare.UseKnown(used, r, env); err != nil {
			return failf(exitError, "%w", err)
		}
	}
	return nil
}

// outside returns the files that are not in a folder.
func outside(dir string, names []string) []string {
	var out []string
	for _, name := range names {
		if rel, err := filepath.Rel(dir, name); err != nil || strings.HasPrefix(rel, "..") {
			out = append(out, name)
		}
	}
	return out
}
