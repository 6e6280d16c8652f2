package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

type sendFlags struct {
	vars variables
	to   []string
	key  string
	out  string
	all  bool
}

func (c *command) sendCommand() *cobra.Command {
	f := &sendFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "send [DIR]", Args: atMost(1),
		Short: "Write a bundle for the other sites: what this site's servers show, or how far the run is here",
		Long: `Writes one file for the other sites, SITE-N.syncbundle, encrypted to the keys that their site blocks name, and
signed with yours. Carry it there, by mail or on a stick; "syncctl receive" takes it in.

As long as no run is unfinished, it reads what a plan needs of your site's servers, and the bundle has that. In a run it
has the plan, what is done here, and the files that other sites' steps need. It changes no server, and sends no secret:
docs/bundles.md says what is in it, and who could do what with it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			return c.send(cmd.Context(), f)
		},
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "for this `SITE`; may be repeated (default: all other sites)")
	_ = cmd.RegisterFlagCompletionFunc("to", c.words(c.completeSites))
	cmd.Flags().StringVar(&f.key, "key", "", "sign with the SSH key in this `FILE`; a public key means that of your SSH "+
		"agent (default: SYNCCTL_SITE_KEY, or id_ed25519 or id_rsa in ~/.ssh)")
	cmd.Flags().StringVar(&f.out, "out", "", "write this `FILE` instead of SITE-N.syncbundle")
	cmd.Flags().BoolVar(&f.all, "all", false, "also the files of the run that the receivers have said they have")
	return cmd
}

func (c *command) send(ctx context.Context, f *sendFlags) error {
	if err := c.usesOwnKey("send"); err != nil {
		return err
	}
	p, err := c.loadLive(ctx, f.vars.list)
	if err != nil {
		return err
	}
	own, err := ownSite(p.cfg)
	if err != nil {
		return err
	}
	to, err := receivers(p.cfg, f.to)
	if err != nil {
		return err
	}
	lock, err := c.lock(ctx, "send")
	if err != nil {
		return err
	}
	name, sent, err := c.writeBundle(ctx, p, own, to, f)
	if err := errors.Join(err, lock.Release()); err != nil {
		return err
	}
	return c.reportSent(name, sent)
}

// receivers returns the named sites, or all other sites if none is named.
func receivers(cfg *schema.Config, names []string) ([]bundle.Receiver, error) {
	var out []bundle.Receiver
	var others []string
	for _, s := range cfg.Settings.Sites {
		if s.Name == cfg.Site {
			continue
		}
		others = append(others, s.Name)
		if len(names) == 0 || slices.Contains(names, s.Name) {
			out = append(out, bundle.Receiver{Site: s.Name, Keys: s.Recipients})
		}
	}
	for _, name := range names {
		if !slices.Contains(others, name) {
			return nil, failf(exitError, "-to=%s: the other sites are %s", name, wording.QuotedList(others))
		}
	}
	if len(out) == 0 {
		return nil, failf(exitError, "there is no other site to send anything to")
	}
	return out, nil
}

// writeBundle writes the next bundle of the site to a file and returns the file's name. The caller must hold the lock.
func (c *command) writeBundle(
	ctx context.Context, p *project, own *schema.Site, to []bundle.Receiver, f *sendFlags,
) (name string, sent *bundle.Record, err error) {
	sign, err := c.siteSigner(ctx, own, f.key)
	if err != nil {
		return "", nil, err
	}
	h, run, err := c.handOver(ctx, p, to)
	if err != nil {
		return "", nil, err
	}
	m, err := c.nextManifest(p.cfg)
	if err != nil {
		return "", nil, err
	}
	m.Configuration, m.Plan = h.Digest, h.Handover.Plan
	parts, err := h.parts()
	if err != nil {
		return "", nil, err
	}
	if run != nil {
		parts = append(parts, c.fileParts(run, h.Files, to, f.all)...)
	}
	name = cmp.Or(f.out, fmt.Sprintf("%s-%d%s", own.Name, m.Number, bundle.Suffix))
	path, err := c.place(name)
	if err != nil {
		return "", nil, err
	}
	write := files.Write
	if f.out == "" {
		write = files.WriteChosen
	}
	err = write(c.app.fs, path, 0o600, func(w io.Writer) error {
		if sent, err = bundle.Write(ctx, w, *m, to, parts, sign); err != nil {
			return err
		}
		return c.sent().Add(sent) // before the file gets its name
	})
	return name, sent, err
}

// handOver collects what is to be sent: the state of the last run here, and, unless that is unfinished, the
// observations of servers.
func (c *command) handOver(
	ctx context.Context, p *project, to []bundle.Receiver,
) (*handed, *executor.Run, error) {
	run, err := c.lastRun()
	if err != nil {
		return nil, nil, err
	}
	if run != nil && run.Finished() && run.Plan.Digest != p.cfg.Digest() {
		c.warnOfEnd(run, to)
		run = nil // it has ended, and the configuration has changed since: observations begin the next run
	}
	handover, cargo, err := c.store().Handover(run)
	if err != nil {
		return nil, nil, err
	}
	h := &handed{Handover: *handover, Cargo: *cargo, configuration: c.shareable(p.cfg)}
	switch {
	case run == nil:
		h.Digest = p.cfg.Digest()
	case run.Finished():
	default:
		if h.Digest != p.cfg.Digest() {
			return nil, nil, c.fitsSite(p.cfg, run)
		}
		return h, run, nil
	}
	if h.Observations, _, err = c.observeOwn(ctx, p, nil); err != nil {
		return nil, nil, err
	}
	return h, run, c.store().Vouch(p.cfg, h.Observations)
}

// warnOfEnd warns that a bundle does not say that a run has ended, which a receiver may not know yet. This is no
// refusal: a receiver that knows it, and has the new configuration as well, may be unable to say so.
func (c *command) warnOfEnd(run *executor.Run, to []bundle.Receiver) {
	var unsure []string
	for _, r := range to {
		if run.Plan.SiteOf(r.Site) != nil && !run.KnowsEnd(r.Site) {
			unsure = append(unsure, r.Site)
		}
	}
	if len(unsure) > 0 {
		c.warn("the configuration has changed since run %s, so that the bundle does not say that the run has ended here, "+
			"%s may not know it. If `syncctl status` there shows the run as unfinished, restore the run's configuration at "+
			"both sites, send and receive once with it, and then change it", schema.SanitizeLine(run.ID),
			wording.QuotedList(unsure))
	}
}

// lastRun returns the unfinished run over sites in the folder, or else the last one, or nil if there is none.
func (c *command) lastRun() (*executor.Run, error) {
	store := c.store()
	open, err := store.Unfinished()
	if err != nil || open != nil && open.Damage == nil && open.Site != "" {
		return open, err
	}
	ids, err := store.Latest()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		run, err := store.Load(id)
		switch {
		case err != nil:
			return nil, err
		case run.Damage != nil:
			return nil, failf(exitError, "%s", c.damaged(run))
		case run.Site != "":
			return run, nil
		}
	}
	return nil, nil
}

// fileParts returns the run's files to send: those that steps of a receiver read, except those that all their readers
// already have.
func (c *command) fileParts(
	run *executor.Run, infos []executor.FileInfo, to []bundle.Receiver, all bool,
) []bundle.Source {
	lack, read := map[string]bool{}, map[string]bool{} // by one of the receivers
	for _, r := range to {
		had := run.HadBy(r.Site)
		for name := range run.ReadBy(r.Site) {
			read[name] = true
			lack[name] = lack[name] || !had[name]
		}
	}
	var out []bundle.Source
	store := c.store().Files(run)
	for _, f := range infos {
		if lack[f.Name] || all && read[f.Name] {
			out = append(out, bundle.Source{Name: partFile + f.Name, Size: f.Bytes,
				Open: func() (io.ReadCloser, error) { return store.Open(f.Name) }})
		}
	}
	return out
}

// nextManifest returns the manifest of the next bundle.
func (c *command) nextManifest(cfg *schema.Config) (*bundle.Manifest, error) {
	before, err := c.sent().Last()
	if err != nil {
		return nil, err
	}
	m := &bundle.Manifest{From: cfg.Site, Number: 1, Created: c.app.clock.Now().UTC().Truncate(time.Second)}
	if before != nil {
		m.Number, m.Previous = before.Number+1, before.ID
	}
	for _, s := range cfg.Settings.Sites {
		if s.Name == cfg.Site {
			continue
		}
		last, err := c.inbox().From(s.Name).Last()
		if err != nil {
			return nil, err
		}
		if last != nil {
			m.Received = append(m.Received, bundle.Receipt{Site: s.Name, Number: last.Number, ID: last.ID})
		}
	}
	return m, nil
}

// siteSigner returns a function that signs for the site, with the key in a file or with the person's usual key.
func (c *command) siteSigner(
	ctx context.Context, own *schema.Site, name string,
) (func([]byte) ([]byte, error), error) {
	if name = cmp.Or(name, c.siteKey()); name == "" {
		for _, usual := range c.usualKeys() {
			if info, err := c.app.fs.Stat(usual); err == nil && info.Mode().IsRegular() {
				name = usual
				break
			}
		}
	}
	if name == "" {
		return nil, failf(exitError, "a bundle is signed with an SSH key, and there is neither ~/.ssh/id_ed25519 nor "+
			"~/.ssh/id_rsa: give one with -key=FILE")
	}
	fingerprint, err := c.fingerprintOf(ctx, name)
	if err != nil {
		return nil, err
	}
	if !isSigner(own, fingerprint) {
		return nil, failf(exitError, "the key %s (%s) is not one of the signers of the site %q: the other sites would "+
			"refuse the bundle. Add its public half to the site's signers, at every site", name, fingerprint, own.Name)
	}
	return func(manifest []byte) ([]byte, error) { return c.sign(ctx, name, bundle.Namespace, manifest) }, nil
}

func (c *command) reportSent(name string, sent *bundle.Record) error {
	shown := view.Bundle{File: name, Bundle: &bundle.Bundle{Manifest: sent.Manifest, ID: sent.ID}, Known: true,
		Now: c.app.clock.Now()}
	if err := c.document(shown.JSON()); err != nil || c.flags.json {
		return err
	}
	var to []string
	for _, a := range sent.To {
		to = append(to, a.Site)
	}
	c.say("Wrote %s, bundle %d of %s for %s. It is encrypted and signed: the way there need not be safe.\n"+
		"There: syncctl receive %s", name, sent.Number, sent.From, strings.Join(to, " and "), filepath.Base(name))
	return nil
}
