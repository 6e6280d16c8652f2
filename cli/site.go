package cli

import (
	"context"

	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// siteVariable is the environment variable with the site that commands act for.
const siteVariable = "SYNCCTL_SITE"

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
