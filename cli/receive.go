package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/cli/internal/hook"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

type receiveFlags struct {
	vars variables
	keys []string
}

func (c *command) receiveCommand() *cobra.Command {
	f := &receiveFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "receive FILE", Args: one("FILE"),
		Short: "Verify a bundle of another site, and take in what it brings",
		Long: `Verifies that a bundle is whole, meant for your site, signed with one of the sender's keys, and later than
what was received before; that both sites have the same configuration and the same plan; and that the sender's
journal continues what is known of it here. Only then what it brings is taken in. If anything does not hold, the error
says what, and nothing is changed. Receiving the same bundle again changes nothing.`,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.receive(cmd.Context(), args[0], f) },
		ValidArgsFunction: completeEnding(strings.TrimPrefix(bundle.Suffix, ".")),
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, openingKeyHelp)
	return cmd
}

func (c *command) receive(ctx context.Context, name string, f *receiveFlags) error {
	if err := c.usesOwnKey("receive"); err != nil {
		return err
	}
	p, err := c.load(ctx, f.vars.list, true)
	if err != nil {
		return err
	}
	if _, err := ownSite(p.cfg); err != nil {
		return err
	}
	o := c.ofSites(p.cfg)
	o.Limits = c.bundleLimits()
	if o.Keys, err = c.openingKeys(ctx, f.keys); err != nil {
		return err
	}
	lock, err := c.lock(ctx, "receive")
	if err != nil {
		return err
	}
	r := &receiving{command: c, cfg: p.cfg, vars: f.vars.list, file: name}
	err = r.take(ctx, o)
	return errors.Join(err, lock.Release())
}

// receiving is one bundle that is being received.
type receiving struct {
	*command

	cfg  *schema.Config
	vars []schema.VarSource
	file string
	run  *executor.Run // the run that it is about; nil: none
}

func (r *receiving) take(ctx context.Context, o bundle.Options) error {
	f, err := r.foreign().Open(r.abs(r.file))
	if err != nil {
		return fmt.Errorf("opening the bundle: %w", err)
	}
	defer f.Close() // it is only read
	b, again, err := r.inbox().Take(ctx, f, o, func(s *bundle.Staged) error { return r.takeIn(ctx, s) })
	var refusal *bundle.Refusal
	switch {
	case errors.As(err, &refusal):
		if r.wantsJSON() {
			shown := view.Bundle{File: r.file, Refusal: refusal}
			if err := r.document(shown.JSON()); err != nil || r.flags.json {
				return errors.Join(err, exitQuietly(exitRefused))
			}
		}
		return refusedBundle(r.file, refusal)
	case err != nil:
		return fmt.Errorf("receiving %s: %w", r.file, err)
	}
	return r.report(b, again)
}

// takeIn compares the contents of a bundle with what is here, and adds them.
func (r *receiving) takeIn(ctx context.Context, s *bundle.Staged) error {
	if err := r.sent().Check(r.cfg.Site, &s.Manifest); err != nil {
		return err
	}
	h, err := unpack(s)
	if err != nil {
		return err
	}
	if h.Digest != r.cfg.Digest() {
		return r.otherConfiguration(h)
	}
	if h.Observations != nil {
		h.Observations = onlyOf(r.cfg, s.From, h.Observations)
	}
	in, err := r.store().Receive(&h.Handover, &h.Cargo)
	if err != nil {
		return r.unfit(h, err)
	}
	if in.Begins() {
		if err := r.planAgain(ctx, h); err != nil {
			return err
		}
	}
	wanted, err := in.Wants(ctx)
	if err != nil {
		return r.unfit(h, err)
	}
	if err := hasFiles(s, wanted); err != nil {
		return errors.Join(err, in.Discard())
	}
	for _, f := range wanted {
		if err := takeFile(ctx, s, in, f); err != nil {
			return errors.Join(err, in.Discard())
		}
	}
	r.run, err = in.Commit(ctx, s.By, journal.Options{Now: r.app.clock.Now, Watch: hook.Journal})
	return err
}

// hasFiles returns an error, before the first file is stored, unless a bundle contains all wanted files, as described
// in the sender's journal.
func hasFiles(s *bundle.Staged, wanted []executor.FileInfo) error {
	parts := map[string]bundle.Part{}
	for _, p := range s.Parts {
		parts[p.Name] = p
	}
	for _, f := range wanted {
		p, ok := parts[partFile+f.Name]
		switch {
		case !ok:
			return bundle.Refuse(unfitRun, "it does not have the file %s, which is missing here: have it sent with `syncctl "+
				"send -all`", f.Name)
		case p.SHA256 != f.SHA256 || p.Size != f.Bytes:
			return bundle.Refuse(unfitRun, "its file %s is not the one that site %q has written: its SHA-256 is %s, and its "+
				"journal names %s. It was changed after the step that wrote it", f.Name, s.From, p.SHA256, f.SHA256)
		}
	}
	return nil
}

func takeFile(ctx context.Context, s *bundle.Staged, in *executor.Incoming, f executor.FileInfo) error {
	content, err := s.Open(partFile + f.Name)
	if err != nil {
		return err
	}
	defer content.Close() // it is only read
	return in.File(ctx, f, content)
}

// unfit returns the refusal of contents that do not match the runs of the folder. It returns read errors unchanged.
func (r *receiving) unfit(h *handed, err error) error {
	if errors.As(err, new(*fs.PathError)) {
		return err
	}
	if h.Run != "" && h.Cargo.Plan != nil {
		run, loading := r.store().Load(h.Run)
		if loading == nil && run.Damage == nil {
			if diff := planDifference(run.Plan, h.Cargo.Plan); diff != "" {
				return bundle.Refuse(otherPlan, "%v. What differs, from the plan here to the one of %q:\n%s", err, h.From, diff)
			}
		}
	}
	return bundle.Refuse(unfitRun, "%v", err)
}

// planDifference describes the differences between two plans, or returns "" if there are none.
func planDifference(here, there *planner.Plan) string {
	d, err := planner.DiffPlans(here, there)
	if err != nil || d.Same() {
		return ""
	}
	var b strings.Builder
	if err := view.PlanDiff(&b, view.Style{}, d); err != nil {
		return ""
	}
	return shortened(strings.TrimSpace(b.String()))
}

func (r *receiving) otherConfiguration(h *handed) error {
	diff := differences(r.shareable(r.cfg), h.configuration, r.cfg.Site, h.From)
	if diff == "" {
		diff = "The files say the same. So values differ that come from elsewhere: variables, such as in *.syncvars.hcl, " +
			"or the environment"
	}
	return bundle.Refuse(otherConfiguration, "%q has another configuration than this folder. Agree upon one, and have "+
		"the bundle sent again.\n%s", h.From, diff)
}

// mostOfDifference is the maximum length of a difference in an error, and mostCompared the maximum size of a file for
// which differences are shown, in bytes. The other site may send files of any size.
const (
	mostOfDifference = 16 << 10
	mostCompared     = 256 << 10
)

// differences describes the differences between the files of two sites.
func differences(here, there map[string][]byte, own, other string) string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(here)), maps.Keys(there))
	slices.Sort(names)
	var b strings.Builder
	for _, name := range slices.Compact(names) {
		switch {
		case bytes.Equal(here[name], there[name]):
		case len(here[name])+len(there[name]) > mostCompared:
			fmt.Fprintf(&b, "%s: the files differ, and are too long to show how\n", name)
		default:
			b.WriteString(udiff.Unified(own+": "+name, other+": "+name, string(here[name]), string(there[name])))
		}
		if b.Len() > mostOfDifference {
			break
		}
	}
	return shortened(strings.TrimSuffix(b.String(), "\n"))
}

// shortened returns the beginning of a long difference.
func shortened(diff string) string {
	if len(diff) <= mostOfDifference {
		return diff
	}
	return strings.ToValidUTF8(diff[:mostOfDifference], "") + "\n… and more"
}

func (r *receiving) report(b *bundle.Bundle, again bool) error {
	shown := view.Bundle{File: r.file, Bundle: b, Known: true, Again: again, Now: r.app.clock.Now()}
	if err := r.document(shown.JSON()); err != nil || r.flags.json {
		return err
	}
	if again {
		r.say("%s was received before: nothing has changed.", r.file)
		return nil
	}
	if err := shown.Write(r.out, r.outStyle); err != nil {
		return err
	}
	switch {
	case r.run == nil:
		r.say("\nReceived. Next: syncctl plan")
	case r.run.Finished():
		r.say("\nReceived. Run %s is finished.", schema.SanitizeLine(r.run.ID))
	default:
		r.say("\nReceived, for run %s. Next: syncctl apply", schema.SanitizeLine(r.run.ID))
	}
	return nil
}
