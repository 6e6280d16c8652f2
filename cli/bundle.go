package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/schema"
	"github.com/syncctl/syncctl/signing"
)

func (c *command) bundleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bundle", Args: atMost(0),
		Short: "What is in a file that another site has sent, and whether it is whole and theirs",
		Long: `A bundle is what one site sends another where no network joins them: one file, encrypted to the receiver's SSH
keys, with a signature of the sender inside. These commands read one without taking anything in.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var keys []string
	signers := ""
	var vars variables
	inspect := jsonCommand(&cobra.Command{
		Use: "inspect FILE", Args: one("FILE"),
		Short: "Show what is in a bundle, from whom and to whom it is, and how old; takes nothing in",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.inspectBundle(cmd.Context(), args[0], keys, bundle.Options{})
		},
		ValidArgsFunction: completeEnding(strings.TrimPrefix(bundle.Suffix, ".")),
	})
	verify := jsonCommand(&cobra.Command{
		Use: "verify FILE", Args: one("FILE"),
		Short: "Tell whether a bundle is whole, addressed to you and signed by its sender; takes nothing in",
		Long: `Reads a bundle to its end, and tells whether it is whole, addressed to you, and signed with a key of its
sender: one that the sender's site block in the configuration names, or, with -signers, one of that file. It takes
nothing in.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.trusted(cmd.Context(), signers, vars.list, args[0])
			if err != nil {
				return err
			}
			return c.inspectBundle(cmd.Context(), args[0], keys, o)
		},
		ValidArgsFunction: completeEnding(strings.TrimPrefix(bundle.Suffix, ".")),
	})
	for _, sub := range []*cobra.Command{inspect, verify} {
		sub.Flags().StringArrayVar(&keys, "key", nil, openingKeyHelp)
	}
	verify.Flags().StringVar(&signers, "signers", "", "the public keys whose signatures are taken, a line each, from "+
		"this `FILE` (default: those of the site blocks)")
	c.varFlags(verify, &vars)
	cmd.AddCommand(inspect, verify)
	return cmd
}

const openingKeyHelp = "open it with the private SSH key in this `FILE`; may be repeated (default: " +
	"SYNCCTL_SITE_KEY, and id_ed25519 and id_rsa in ~/.ssh)"

// trusted returns whose signatures are accepted: those of the keys in a file, or those of the sites declared in the
// folder's configuration. name is the bundle.
func (c *command) trusted(
	ctx context.Context, signers string, vars []schema.VarSource, name string,
) (o bundle.Options, err error) {
	if signers != "" {
		lines, err := c.readSigners(signers)
		o.Signers = func(string) []string { return lines }
		return o, err
	}
	if c.foundPolicy {
		if err := c.comesAlong(c.dir); err != nil {
			return o, err
		}
	}
	p, diags := c.read(ctx, vars, true)
	switch {
	case ctx.Err() != nil:
		return o, ctx.Err()
	case len(p.cfg.FileNames()) > 0 && diags.HasErrors():
		return o, errors.Join(c.diagnostics(diags, p.cfg.Files), exitQuietly(exitError))
	case len(p.cfg.Settings.Sites) == 0:
		return o, failf(exitError, "there is no configuration with site blocks here, so -signers=FILE is needed: whose "+
			"signatures are taken. To see whose it is: syncctl bundle inspect %s", name)
	}
	if err := c.knownSite(p.cfg); err != nil {
		return o, err
	}
	return c.ofSites(p.cfg), nil
}

// ofSites accepts the signatures of the other sites of a configuration, on bundles for the site that the command acts
// for, if there is one.
func (c *command) ofSites(cfg *schema.Config) bundle.Options {
	return bundle.Options{Site: cfg.Site, Signers: func(site string) []string {
		for _, s := range cfg.Settings.Sites {
			if s.Name == site && s.Name != cfg.Site {
				return s.Signers
			}
		}
		return nil
	}}
}

// inspectBundle reads a bundle to its end and describes it. If o names no signers, it accepts any signature, and says
// so.
func (c *command) inspectBundle(ctx context.Context, name string, keys []string, o bundle.Options) error {
	o.Limits = c.bundleLimits()
	var err error
	if o.Keys, err = c.openingKeys(ctx, keys); err != nil {
		return err
	}
	f, err := c.foreign().Open(c.abs(name))
	if err != nil {
		return fmt.Errorf("opening the bundle: %w", err)
	}
	defer f.Close() // it is only read
	b, err := bundle.Read(ctx, f, o)
	var refusal *bundle.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	shown := view.Bundle{File: name, Bundle: b, Known: o.Signers != nil && err == nil, Refusal: refusal,
		Now: c.app.clock.Now()}
	if err := c.document(shown.JSON()); err != nil {
		return err
	}
	if !c.flags.json && b != nil {
		if err := shown.Write(c.out, c.outStyle); err != nil {
			return err
		}
	}
	switch {
	case refusal != nil && c.flags.json:
		return exitQuietly(exitRefused)
	case refusal != nil:
		return refusedBundle(name, refusal)
	case !c.flags.json && o.Signers != nil:
		c.say("%s is whole, addressed to you, and signed with a key whose signatures are taken. Nothing was taken in.", name)
	}
	return nil
}

// refusedBundle returns the error for a refused bundle.
func refusedBundle(name string, r *bundle.Refusal) error {
	return failf(exitRefused, "%s is refused: %w [%s%s]", name, r, bundleRule, r.Reason)
}

// bundleLimits returns the policy's limits, or the defaults.
func (c *command) bundleLimits() bundle.Limits {
	of, defaults := c.policy.Bundles(), bundle.DefaultLimits
	return bundle.Limits{Bytes: cmp.Or(of.Bytes, defaults.Bytes), Parts: cmp.Or(of.Parts, defaults.Parts),
		Name: cmp.Or(of.Name, defaults.Name)}
}

// openingKeys returns the private keys that may open a bundle: the named ones, or the user's usual ones.
func (c *command) openingKeys(ctx context.Context, names []string) ([]*signing.Private, error) {
	named := len(names) > 0
	if !named {
		names = c.usualKeys()
		if own := c.siteKey(); own != "" {
			names = append([]string{own}, names...)
		}
	}
	var keys []*signing.Private
	for _, name := range names {
		key, _, err := c.readKey(ctx, name)
		switch {
		case !named && (errors.Is(err, fs.ErrNotExist) && name != c.siteKey() || errors.Is(err, signing.ErrPublic)):
			continue // a public key stands for the agent's key, which can sign
		case errors.Is(err, signing.ErrPublic):
			return nil, failf(exitError, "%s is a public key. An SSH agent signs with the private half, but does not decrypt: "+
				"-key must be the file of the private key", name)
		case err != nil:
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, failf(exitError, "a bundle is opened with a private SSH key, and there is neither ~/.ssh/id_ed25519 nor "+
			"~/.ssh/id_rsa: give one with -key=FILE")
	}
	return keys, nil
}

// readSigners reads public keys, one on each line. A line with options, such as those of a key that has expired or was
// revoked, is refused: they would be ignored.
func (c *command) readSigners(name string) ([]string, error) {
	text, err := schema.ReadBounded(c.app.fs, c.abs(name), mostOfKey)
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	lines := []string{}
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := signing.CheckPublic(line, false); err != nil {
			return nil, failf(exitError, "%s:%d: %w", name, i+1, err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}
