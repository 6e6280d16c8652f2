package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/kballard/go-shellquote"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// project is a loaded configuration with the drivers of its types.
type project struct {
	cfg     *schema.Config
	drivers map[typeKey]driver.Driver
}

type typeKey struct {
	kind schema.Kind
	name string
}

func (p *project) planner(a schema.Addr) planner.Driver   { return p.drivers[typeKey{a.Kind, a.Type}] }
func (p *project) executor(a schema.Addr) executor.Driver { return p.drivers[typeKey{a.Kind, a.Type}] }

// load reads the configuration. It prints errors, and the returned error contains only the exit code.
func (c *command) load(ctx context.Context, vars []schema.VarSource, allowUnset bool) (*project, error) {
	c.warnOfNoPolicy()
	if c.foundPolicy {
		if err := c.comesAlong(c.dir); err != nil {
			return nil, err
		}
	}
	p, diags := c.read(ctx, vars, allowUnset)
	if ctx.Err() != nil {
		return nil, ctx.Err() // an incomplete configuration may contain errors that the whole does not
	}
	if err := c.diagnostics(diags, p.cfg.Files); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, exitQuietly(exitError)
	}
	return p, c.knownSite(p.cfg)
}

// read reads the configuration. From then on its secrets are redacted.
func (c *command) read(ctx context.Context, vars []schema.VarSource, allowUnset bool) (*project, hcl.Diagnostics) {
	p := &project{}
	var catalog schema.Catalog
	catalog, p.drivers = c.catalog()
	keys, err := c.rehearsedKeys()
	var diags hcl.Diagnostics
	p.cfg, diags = schema.Load(ctx, schema.Options{
		Fs: c.files(), Dir: c.dirName, Catalog: catalog, Version: version(), Env: c.exactEnv, Added: c.added,
		Vars: vars, AllowUnset: allowUnset, Access: c.access(), Room: c.room(), Ask: c.asker(),
		Run: c.testing, Site: c.site(), SiteRequired: c.live, SiteKeys: keys,
	})
	if err != nil {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No keys for a rehearsal",
			Detail: fmt.Sprintf("The keys that sites have in a rehearsal cannot be used: %s.", err)})
	}
	c.redactor = p.cfg.Redactor()
	return p, diags
}

// catalog returns the types of all products, and the driver of each.
func (c *command) catalog() (schema.Catalog, map[typeKey]driver.Driver) {
	var catalog schema.Catalog
	drivers := map[typeKey]driver.Driver{}
	for _, prod := range c.app.products {
		d := prod.Driver(c.driverEnv(prod.Name))
		if closer, ok := d.(driver.Closer); ok {
			c.held = append(c.held, closer)
		}
		for _, t := range d.Types() {
			catalog = append(catalog, t)
			drivers[typeKey{t.Kind, t.Name}] = d
		}
	}
	return catalog, drivers
}

// exactEnv returns a variable of the environment whose name is spelled so. On Windows, the system finds it in other
// letters, too, and a name that was changed so would no longer tell of a secret, nor be one that a policy names.
func (c *command) exactEnv(name string) (string, bool) {
	value, ok := c.app.env(name)
	if runtime.GOOS == "windows" && ok && !spelled(c.app.environ(), name) {
		return "", false
	}
	return value, ok
}

// spelled reports whether a name is in an environment, which has NAME=VALUE, in exactly these letters.
func spelled(environ []string, name string) bool {
	return slices.ContainsFunc(environ, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
}

// driverEnv returns what a driver has to work with.
func (c *command) driverEnv(product string) driver.Env {
	return driver.Env{
		Fs: files.In(c.app.fs, c.dir), Log: c.log.Named(product), Version: version(),
		Now: c.app.clock.Now, LookupEnv: c.app.env, Policy: c.policy, Access: c.access(),
		Waiting: c.waiting, Patience: c.waits.patience, Own: c.usersOwn,
	}
}

// closeDrivers releases what the drivers hold on servers, such as sessions, which must not outlive the command,
// however that ended. It returns only faults; other errors are logged.
func (c *command) closeDrivers() (err error) {
	defer fault.Catch(&err)
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	for _, d := range c.held {
		if err := d.Close(ctx); err != nil {
			fault.Raise(err)
			c.log.Warn("closing a driver: sessions may be left open at a server", "error", err)
		}
	}
	c.held = nil
	return nil
}

// closeWithin is the maximum time that closing may take, because a person who has interrupted a command waits for it.
const closeWithin = 10 * time.Second

// dataDir returns the folder of the runs, their journals and the lock, as an absolute path.
func (c *command) dataDir() string {
	name, _ := c.app.env("SYNCCTL_DATA_DIR")
	if name == "" {
		name = ".syncctl"
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// makeDataDir creates the data folder. Nobody else can read it, and it is never committed.
func (c *command) makeDataDir() error {
	dir := c.dataDir()
	if err := c.ownDataDir(); err != nil {
		return err
	}
	if err := c.app.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the data folder: %w", err)
	}
	if err := c.privateDataDir(c.realDataDir()); err != nil { // somebody may have created it meanwhile
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	// After a full disk there may be an empty one.
	if b, err := afero.ReadFile(c.app.fs, ignore); err == nil && string(b) == "*\n" {
		return nil
	}
	if err := files.Replace(c.app.fs, ignore, []byte("*\n"), 0o600); err != nil {
		return fmt.Errorf("creating the data folder: %w", err)
	}
	return nil
}

// dataNames holds the names in the data folder.
var dataNames = []string{"runs", "sites", "received", "sent", "damaged", "lock"}

// ownDataDir refuses a data folder that somebody else may have created or may change: its contents decide what is
// carried out, and what is shown of a run. A folder that the user names may be reached by a link.
func (c *command) ownDataDir() error {
	dir := c.dataDir()
	if c.app.set("SYNCCTL_DATA_DIR") {
		if err := host.Planted(c.app.fs, dir); err != nil {
			return failf(exitError, "the data folder cannot be used: %w", err)
		}
	}
	dir = c.realDataDir()
	if err := c.privateDataDir(dir); err != nil {
		return err
	}
	for _, folder := range []string{"sites", "received", "sent", "damaged"} { // runs are looked at when they are read
		top := filepath.Join(dir, folder)
		err := afero.Walk(c.app.fs, top, func(path string, info fs.FileInfo, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist): // most often there is none
				return nil
			case err != nil:
				return failf(exitError, "the data folder cannot be used: %w", err)
			}
			if err := c.private(path); err != nil || path == top || folder != "damaged" || !info.IsDir() {
				return err
			}
			return filepath.SkipDir // a run that is not read any more
		})
		if err != nil {
			return err
		}
	}
	tracked, _, err := files.Tracked(c.app.fs, files.Resolved(dir))
	if err != nil {
		return err
	}
	if tracked != "" {
		return failf(exitError, "the data folder cannot be used: git tracks %s, and what comes with a repository is "+
			"nobody's record of what was done here. Take it out: git rm -r --cached %s", tracked, shellquote.Join(c.near(dir)))
	}
	return nil
}

// realDataDir returns the data folder, and where a link leads if the user has named it.
func (c *command) realDataDir() string {
	dir := c.dataDir()
	if c.app.set("SYNCCTL_DATA_DIR") {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return real
		}
	}
	return dir
}

// privateDataDir refuses a data folder of which somebody else may change what is in it, before any of that is opened.
func (c *command) privateDataDir(dir string) error {
	for _, name := range append([]string{".", ".gitignore"}, dataNames...) {
		if err := c.private(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := files.Alone(c.app.fs, filepath.Join(dir, "lock")); err != nil {
		return failf(exitError, "the data folder cannot be used: %w", err)
	}
	return nil
}

func (c *command) private(path string) error {
	if err := files.Private(c.app.fs, path); err != nil {
		return failf(exitError, "the data folder cannot be used: %w", err)
	}
	return nil
}

// store returns the runs of the configuration's folder. The key is read once for all of them.
func (c *command) store() *executor.Store {
	return &executor.Store{
		Fs: c.app.fs, Dir: filepath.Join(c.dataDir(), "runs"), Now: c.app.clock.Now,
		Key: sync.OnceValues(c.userKey), Site: c.site(),
	}
}
