package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// siteVariable is the environment variable for the site that commands act for.
const siteVariable = "SYNCCTL_SITE"

// siteKeyVariable is the environment variable for the file of the SSH key that signs for that site, and decrypts what
// is sent to it.
const siteKeyVariable = "SYNCCTL_SITE_KEY"

// siteKey returns that file, or "" if none is set.
func (c *command) siteKey() string {
	name, _ := c.app.env(siteKeyVariable)
	return name
}

// site returns the site that the command acts for, as the person has named it, or "".
func (c *command) site() string {
	if c.flags.site != "" {
		return c.flags.site
	}
	name, _ := c.app.env(siteVariable)
	return name
}

// knownSite refuses a site that is not declared. For a configuration without sites the environment variable is
// ignored.
func (c *command) knownSite(cfg *schema.Config) error {
	name := c.site()
	var names []string
	for _, s := range cfg.Settings.Sites {
		if s.Name == name {
			return nil
		}
		names = append(names, s.Name)
	}
	switch {
	case name == "" || len(names) == 0 && c.flags.site == "":
		return nil
	case len(names) == 0:
		return failf(exitError, "-site=%s: this configuration declares no site", name)
	}
	return failf(exitError, "there is no site %q.%s", name, args.DidYouMean(name, names, "\nThe sites are "+
		wording.List(names)+"."))
}

// loadLive is load for a command that contacts servers. If the configuration has sites, the command must act for one.
func (c *command) loadLive(ctx context.Context, vars []schema.VarSource) (*project, error) {
	c.live = true
	return c.load(ctx, vars, false)
}

// withSent adds the observations that other sites have sent of their own servers. A server may be declared at another
// site now, or may not have been declared when an observation of it was received.
func (c *command) withSent(cfg *schema.Config, seen *planner.Observations) (*planner.Observations, error) {
	if cfg.Site == "" {
		return seen, nil
	}
	if seen == nil {
		seen = planner.NewObservations()
	}
	for _, s := range cfg.Settings.Sites {
		if s.Name == cfg.Site {
			continue
		}
		sent, err := c.store().Seen(s.Name)
		if err != nil {
			return nil, err
		}
		if sent != nil {
			seen.Take(onlyOf(cfg, s.Name, sent))
		}
	}
	return seen, nil
}

// observeOwn observes what a plan needs of the servers that the site may contact, and returns the warnings about it.
func (c *command) observeOwn(
	ctx context.Context, p *project, targets []schema.Addr,
) (*planner.Observations, hcl.Diagnostics, error) {
	seen, err := c.withSent(p.cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	reading, finish := c.reading()
	defer finish()
	own, diags := planner.Look(ctx, planner.Input{
		Config: p.cfg, Drivers: p.planner, Version: version(), Targets: targets, Observations: seen,
		Now: c.app.clock.Now, By: c.whoami(), Reading: reading,
	})
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("reading the servers: %w", ctx.Err())
	}
	if err := c.diagnostics(diags, p.cfg.Files); err != nil {
		return nil, nil, err
	}
	if diags.HasErrors() {
		return nil, nil, exitQuietly(exitError)
	}
	return own, diags, nil
}

// saveOwn saves the observations of the site's own servers.
func (c *command) saveOwn(ctx context.Context, p *project, targets []schema.Addr, name string) error {
	own, warnings, err := c.observeOwn(ctx, p, targets)
	if err != nil {
		return err
	}
	if err := c.saveObservations(own, name); err != nil {
		return err
	}
	err = c.writeJSON(func(w io.Writer) error { return schema.WriteJSON(w, warnings, p.cfg.Files()) })
	if err == nil && !c.flags.json {
		c.say("Saved what the servers of %s show to %s.", p.cfg.Site, schema.SanitizeLine(name))
	}
	return err
}

// saySent says how old the observations from other sites are, and who has sent them.
func (c *command) saySent(cfg *schema.Config, seen *planner.Observations) {
	if cfg.Site == "" || seen == nil || c.flags.json {
		return
	}
	ages := seen.Ages(cfg)
	for _, s := range cfg.Settings.Sites {
		age, sent := ages[s.Name]
		if !sent {
			continue
		}
		by := ""
		if age.By != "" {
			by = " by " + schema.SanitizeLine(age.By)
		}
		c.say("Servers of %s as seen %s ago%s.", s.Name, ago(c.app.clock.Now().Sub(age.At)), by)
	}
}

// fitsSite refuses to resume a run over sites with changed files, which only a run of one process supports.
func (c *command) fitsSite(cfg *schema.Config, run *executor.Run) error {
	if len(run.Plan.Sites) == 0 || cfg.Digest() == run.Plan.Digest {
		return nil
	}
	return failf(exitStale, "cannot resume run %s: the configuration has changed since it was planned, and a run over "+
		"sites cannot be revised.\nRestore the files, or abandon the run at all sites (syncctl resolve -abandon) and plan "+
		"again", schema.SanitizeLine(run.ID))
}

// handOn writes the bundle for the other sites, if a run can proceed no further here and the site's key is available,
// and returns the name of its file, or "" if none was written. A failure stops nothing, because `syncctl send` does
// the same.
func (c *command) handOn(ctx context.Context, p *project, end view.End) string {
	if p.cfg.Site == "" || !end.Report.Finished && len(end.WaitsFor()) == 0 {
		return ""
	}
	own, err := ownSite(p.cfg)
	if err != nil || c.siteKey() == "" && !c.hasSigner(ctx, own) {
		return ""
	}
	to, err := receivers(p.cfg, nil)
	if err != nil {
		return ""
	}
	name, _, err := c.writeBundle(ctx, p, own, to, &sendFlags{})
	if err != nil {
		text := "no bundle was written for the other sites"
		if _, said := codeOf(err); said != nil {
			text += ": " + said.Error()
		}
		if c.events != nil {
			c.events.Write("warn", text, view.NoBundleEvent{})
		}
		if !c.flags.json {
			c.warn("%s", text)
		}
		return ""
	}
	return name
}

// hasSigner reports whether the key that signs by default is one of the site's signers.
func (c *command) hasSigner(ctx context.Context, own *schema.Site) bool {
	for _, name := range c.usualKeys() {
		if info, err := c.app.fs.Stat(name); err == nil && info.Mode().IsRegular() {
			fingerprint, err := c.fingerprintOf(ctx, name)
			return err == nil && isSigner(own, fingerprint)
		}
	}
	return false
}

// ago formats a duration for people.
func ago(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
