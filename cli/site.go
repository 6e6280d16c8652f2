package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// siteVariable is the environment variable with the site that commands act for.
const siteVariable = "SYNCCTL_SITE"

// siteKeyVariable is the environment variable with the file of the SSH key that signs for that site, and opens what it
// is sent.
const siteKeyVariable = "SYNCCTL_SITE_KEY"

// siteKey is that file; "": none is named.
func (c *command) siteKey() string {
	name, _ := c.app.env(siteKeyVariable)
	return name
}

// site is the site that the command acts for, as the person has named it; "": none.
func (c *command) site() string {
	if c.flags.site != "" {
		return c.flags.site
	}
	name, _ := c.app.env(siteVariable)
	return name
}

// knownSite refuses a site that is not declared. A configuration without sites has nothing to do with the environment
// variable.
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

// loadLive is load for a command that contacts servers: where there are sites, it acts for one.
func (c *command) loadLive(ctx context.Context, vars []schema.VarSource) (*project, error) {
	c.live = true
	return c.load(ctx, vars, false)
}

// withSent adds to observations what other sites have sent of their servers.
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
			seen.Take(sent)
		}
	}
	return seen, nil
}

// observeOwn reads what a plan needs of the servers that the site may contact.
func (c *command) observeOwn(ctx context.Context, p *project, targets []schema.Addr) (*planner.Observations, error) {
	seen, err := c.withSent(p.cfg, nil)
	if err != nil {
		return nil, err
	}
	reading, finish := c.reading()
	defer finish()
	own, diags := planner.Look(ctx, planner.Input{
		Config: p.cfg, Drivers: p.planner, Version: version(), Targets: targets, Observations: seen,
		Now: c.app.clock.Now, By: c.whoami(), Reading: reading,
	})
	if ctx.Err() != nil {
		return nil, fmt.Errorf("reading the servers: %w", ctx.Err())
	}
	if err := c.diagnostics(diags, p.cfg.Files); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, exitQuietly(exitError)
	}
	return own, nil
}

// saveOwn saves what the servers of the site show.
func (c *command) saveOwn(ctx context.Context, p *project, targets []schema.Addr, name string) error {
	own, err := c.observeOwn(ctx, p, targets)
	if err != nil {
		return err
	}
	if err := c.saveObservations(own, name); err != nil {
		return err
	}
	if !c.flags.json { // the output is a document, of warnings
		c.say("Saved what the servers of %s show to %s.", p.cfg.Site, schema.SanitizeLine(name))
	}
	return nil
}

// saySent says how old what other sites have sent is, and who has sent it.
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

// fitsSite refuses to resume a run over sites in ways that only one process alone can do.
func (c *command) fitsSite(cfg *schema.Config, run *executor.Run) error {
	if len(run.Plan.Sites) == 0 || cfg.Digest() == run.Plan.Digest {
		return nil
	}
	return failf(exitStale, "cannot resume run %s: the configuration has changed since it was planned, and a run over "+
		"sites cannot be revised.\nRestore the files, or abandon the run at all sites (syncctl resolve -abandon) and plan "+
		"again", schema.SanitizeLine(run.ID))
}

// handOn writes the bundle for the other sites when a run has come as far as it comes here, where the site's key is at
// hand, and returns the name of its file; "": none was written. What prevents it stops nothing: `syncctl send` does the
// same.
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
			c.events.Write("warn", "no_bundle", text, nil)
		}
		if !c.flags.json {
			c.warn("%s", text)
		}
		return ""
	}
	return name
}

// hasSigner tells whether the key that signs where none is named is one of the site's signers.
func (c *command) hasSigner(ctx context.Context, own *schema.Site) bool {
	for _, name := range c.usualKeys() {
		if info, err := c.app.fs.Stat(name); err == nil && info.Mode().IsRegular() {
			fingerprint, err := c.fingerprintOf(ctx, name)
			return err == nil && isSigner(own, fingerprint)
		}
	}
	return false
}

// ago is a length of time for people.
func ago(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
