package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/sandbox"
	"github.com/syncctl/syncctl/schema"
)

// configDir returns the folder for files of the user rather than of a configuration: the policy and the key. It
// returns "" if the environment defines none.
func (c *command) configDir() string {
	if dir, _ := c.app.env("SYNCCTL_CONFIG_DIR"); dir != "" {
		return c.app.abs(dir)
	}
	variable, below := "HOME", []string{".config", "syncctl"}
	switch runtime.GOOS {
	case "windows":
		variable, below = "APPDATA", []string{"syncctl"}
	case "darwin":
		below = []string{"Library", "Application Support", "syncctl"}
	}
	if dir, _ := c.app.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "syncctl")
	}
	home, _ := c.app.env(variable)
	if !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(append([]string{home}, below...)...)
}

// policyFile returns the file of the user's policy, or "" if there is none, and whether the user has named it.
func (c *command) policyFile() (name string, asked bool) {
	if c.flags.policy != "" {
		return c.app.abs(c.flags.policy), true
	}
	if name, _ := c.app.env("SYNCCTL_POLICY"); name != "" {
		return c.app.abs(name), true
	}
	if dir := c.configDir(); dir != "" {
		return filepath.Join(dir, "policy.hcl"), false
	}
	return "", false
}

// openPolicy reads the user's policy. It never comes from the folder of the configuration, unless the user names it.
func (c *command) openPolicy() error {
	if c.app.scratch {
		c.policy = c.app.rehearsal
		return nil
	}
	name, asked := c.policyFile()
	if name != "" {
		if err := files.Trusted(c.app.fs, name); err != nil {
			return failf(exitError, "the policy cannot be used: %w", err)
		}
		src, err := schema.ReadBounded(c.app.fs, name, mostOfPolicy)
		switch {
		case err == nil:
			if err := c.parsePolicy(src, name); err != nil {
				return err
			}
			c.foundPolicy = !asked
		case asked || !errors.Is(err, fs.ErrNotExist):
			return failf(exitError, "reading the policy: %w", err)
		default:
			if link := files.Dangling(name); link != "" { // without it, everything would be allowed
				return failf(exitError, "reading the policy %s: the link %s leads to nothing", name, link)
			}
		}
	}
	if c.flags.untrusted {
		c.policy = c.policy.Untrusted()
	}
	if names, _ := c.app.env(sandbox.EnvRehearsal); c.simulated() && names != "" {
		c.app.scratch = true
		if c.app.set(sandbox.EnvUntrusted) {
			c.policy = c.policy.Untrusted()
		}
		c.policy = c.policy.Confined(c.simulatedAddresses(), strings.Split(names, ","))
		return nil
	}
	if c.simulated() { // a shell in the sandbox, whose variables cannot be distinguished from the user's own
		var environment []string
		if !c.flags.untrusted {
			environment = []string{"*"}
		}
		c.policy = c.policy.Simulated(c.simulatedAddresses(), environment)
	}
	return nil
}

// mostOfPolicy is the maximum size of a policy, in bytes.
const mostOfPolicy = 1 << 20

// comesAlong returns an error if the user's configuration folder is inside of dir, or tracked by a repository that dir
// is in: a configuration could then bring its own policy and key. That happens if HOME is the checkout of a repository.
// A folder that the user names is accepted.
func (c *command) comesAlong(dir string) error {
	own := c.configDir()
	if own == "" || c.app.set("SYNCCTL_CONFIG_DIR") {
		return nil
	}
	brought, err := c.broughtBy(dir, own)
	if err != nil || !brought {
		return err
	}
	return failf(exitError, "%s comes with the configuration, so that what lies there (your policy, your key) may be "+
		"anybody's: set SYNCCTL_CONFIG_DIR to a folder that is yours alone", own)
}

// broughtBy reports whether a path is inside of dir, or tracked by a repository that dir is in.
func (c *command) broughtBy(dir, path string) (bool, error) {
	within := func(root, path string) bool {
		rel, err := filepath.Rel(files.Resolved(root), files.Resolved(path))
		return err == nil && filepath.IsLocal(rel)
	}
	if within(dir, path) {
		return true, nil
	}
	tracked, root, err := files.Tracked(c.app.fs, files.Resolved(path))
	return tracked != "" && within(root, dir), err
}

// usersOwn returns an error if a file of the user's home folder comes with the configuration.
func (c *command) usersOwn(path string) error {
	brought, err := c.broughtBy(c.dir, path)
	if err == nil && brought {
		err = fmt.Errorf("%s comes with the configuration, so that it may be anybody's: set HOME to a folder that is yours "+
			"alone", path)
	}
	return err
}

// simulatedAddresses returns the addresses served in the sandbox that the command runs in.
func (c *command) simulatedAddresses() []string {
	all, _ := c.app.env(sandbox.EnvAddresses)
	return slices.DeleteFunc(strings.Split(all, ","), func(a string) bool { return a == "" })
}

// simulated reports whether the command runs inside of the sandbox.
func (c *command) simulated() bool { return c.app.set(sandbox.EnvCAFile) }

func (c *command) parsePolicy(src []byte, name string) error {
	home, _ := c.app.env("HOME")
	parsed, file, diags := policy.Parse(src, name, home)
	if err := c.diagnostics(diags, known(map[string]*hcl.File{name: file})); err != nil {
		return err
	}
	if diags.HasErrors() {
		return exitQuietly(exitError)
	}
	c.policy = parsed
	return nil
}

// warnOfNoPolicy warns in a CI job, once, that whoever can change the files can obtain its secrets.
func (c *command) warnOfNoPolicy() {
	if c.policy != nil || c.simulated() || !c.app.set("CI") || c.flags.json {
		return
	}
	fmt.Fprintln(c.err, c.errStyle.Bold("Warning: ")+"there is no policy, so these files decide which hosts are "+
		"contacted, and with which of this job's secrets. See docs/policy.md")
}

// bare returns the environment for a program that a configuration names: the variables that every program needs, and
// the named ones.
func (c *command) bare(names []string) ([]string, error) {
	out := host.PlainEnvironment(c.app.env)
	for _, name := range names {
		if err := c.policy.Environment(name); err != nil {
			return nil, err
		}
		if value, set := c.app.env(name); set && !host.IsPlain(name) {
			out = append(out, name+"="+value)
		}
	}
	return out, nil
}

// room returns the limits for reading the configuration.
func (c *command) room() schema.Room {
	if c.flags.untrusted || c.app.set(sandbox.EnvUntrusted) {
		return schema.Usual
	}
	return schema.Large
}

// access returns what a configuration may read under the user's policy. For a new policy, it records what is read.
func (c *command) access() schema.Access {
	switch {
	case c.used != nil:
		return schema.Access{
			Env: func(name string) error {
				c.used.Environment = append(c.used.Environment, name)
				return policy.Literal(name)
			},
			ReadFile:     func(r schema.Reading) error { c.used.Files = append(c.used.Files, r.Path); return nil },
			Nonsensitive: func() error { c.used.Nonsensitive = true; return nil },
		}
	case c.policy == nil:
		return schema.Access{}
	}
	return schema.Access{
		Env: c.policy.Environment,
		ReadFile: func(r schema.Reading) error {
			if c.isSandboxCA(r.Path) {
				return nil
			}
			if r.By == declare.KeyFile { // the machine that it is for is checked when it is used
				return c.policy.AnyKey(r.Path)
			}
			return c.policy.File(r.Path)
		},
		Nonsensitive: c.policy.Nonsensitive,
		NamesDecide:  c.policy.Nonsensitive() != nil,
	}
}

// isSandboxCA reports whether a file is the certificate of the sandbox that the command runs in.
func (c *command) isSandboxCA(path string) bool {
	name, _ := c.app.env(sandbox.EnvCAFile)
	if name == "" {
		return false
	}
	mine, err := c.app.fs.Stat(name)
	if err != nil {
		return false
	}
	asked, err := c.app.fs.Stat(path)
	return err == nil && os.SameFile(mine, asked)
}
