package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/syncctl/syncctl/signing"
)

// planNamespace is the namespace of signatures of plans (-n of ssh-keygen -Y).
const planNamespace = "plan@syncctl"

// mostOfPlan is the maximum size of a plan file, in bytes: of about 17,000 new objects. Of objects that are as
// declared, 125,000 have as many JSON objects as printable.Documents allows. A plan file in a repository may be a link
// to a device.
const mostOfPlan = 128 << 20

// planKey returns the key that authenticates plan files, derived from the user's key.
func planKey(user []byte) []byte {
	mac := hmac.New(sha256.New, user)
	mac.Write([]byte("plan file"))
	return mac.Sum(nil)
}

// savePlan writes a plan file if it was requested, and says so.
func (c *command) savePlan(ctx context.Context, cfg *schema.Config, plan *planner.Plan, f *planFlags) error {
	if f.out == "" {
		return nil
	}
	if err := c.writePlan(ctx, cfg, plan, f); err != nil {
		return err
	}
	if !c.flags.json && !c.app.scratch && len(plan.Steps) > 0 {
		name := schema.SanitizeLine(f.out)
		c.say("\nSaved the plan to %s. Carry it out with: syncctl apply %s", name, name)
	}
	return nil
}

// writePlan writes a plan file that the same user can apply. If requested, it signs the file for somebody else to
// apply.
func (c *command) writePlan(ctx context.Context, cfg *schema.Config, plan *planner.Plan, f *planFlags) error {
	key, err := c.makeKey()
	if err != nil {
		return err
	}
	saved := *plan
	saved.Secrets = cfg.KeyedDigest(planKey(key))
	if err := saved.Authenticate(planKey(key)); err != nil {
		return err
	}
	text, err := saved.Text()
	if err != nil {
		return err
	}
	if len(text) > mostOfPlan {
		return failf(exitError, "the plan takes %d bytes, and no more than %d are read again. Plan a part of it with "+
			"-target or -exclude", len(text), mostOfPlan)
	}
	if err := c.replace(f.out, text); err != nil {
		return err
	}
	if f.sign == "" {
		return nil
	}
	signature, err := c.sign(ctx, f.sign, planNamespace, text)
	if err != nil {
		return failf(exitError, "the plan is saved, but not signed: %w", err)
	}
	path, err := c.place(f.out + signing.Suffix)
	if err != nil {
		return err
	}
	return files.WriteChosen(c.app.fs, path, 0o644, func(w io.Writer) error {
		_, err := w.Write(signature)
		return err
	})
}

// readPlan reads a plan file. It also returns the bytes, so that the signature is checked on exactly what was read.
func (c *command) readPlan(name string) (*planner.Plan, []byte, error) {
	if err := tfstate(name); err != nil {
		return nil, nil, err
	}
	content, err := schema.ReadBounded(c.foreign(), c.abs(name), mostOfPlan)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the plan: %w", err)
	}
	plan, err := planner.Decode(bytes.NewReader(content))
	return plan, content, err
}

// vouched returns an error unless a plan file may be applied: the user has made it, or somebody whose signature the
// user's policy accepts has signed it. signer is who has signed it, or "" if the user has made it.
func (c *command) vouched(
	cfg *schema.Config, plan *planner.Plan, content []byte, name string,
) (signer string, err error) {
	key, err := c.userKey()
	if err != nil {
		return "", err
	}
	if key != nil && plan.Authentic(planKey(key)) {
		if cfg.KeyedDigest(planKey(key)) != plan.Secrets {
			return "", failf(exitStale, "the plan is stale: a sensitive value, or a file that an argument names, has changed "+
				"since it was made. Plan again")
		}
		return "", nil
	}
	signature, err := schema.ReadBounded(c.foreign(), c.abs(name+signing.Suffix), mostOfPlan)
	if errors.Is(err, fs.ErrNotExist) {
		return "", failf(exitRefused, "%s was not made by you with your key, and nobody has signed it. Plan again, or have "+
			"whoever made it sign it: syncctl plan -out=FILE -sign=SSH-KEY", name)
	}
	if err != nil {
		return "", fmt.Errorf("reading the plan's signature: %w", err)
	}
	signer, err = signing.Verify(content, signature, planNamespace, c.policy.Signers())
	if err != nil {
		return "", failf(exitRefused, "the signature of %s is not taken: %w. Whose signatures are taken is in your policy "+
			"(signers = [...])", name, err)
	}
	c.log.Info("the plan is signed", "by", signer)
	return signer, nil
}

// madeHere makes a plan that somebody else has signed again, from the current state of the servers, and refuses it if
// the result differs: a step's own statements, such as that it only reads, are not trusted.
func (c *command) madeHere(
	ctx context.Context, p *project, signed *planner.Plan, signer, name string,
) (*executor.Kept, error) {
	kept, only := keptOf(p.cfg, signed)
	plan, err := c.makePlan(ctx, p, planning{chosen: only, seen: kept.Seen})
	if err != nil {
		return nil, err
	}
	if samePlan(plan, signed) {
		return kept, nil
	}
	return nil, failf(exitStale, "%s is not carried out: %s has signed it, and the same configuration gives another plan "+
		"here now. Either the servers or earlier runs have changed what is to be done, or the plan was changed before it "+
		"was signed. What differs, from the signed plan to that of now:\n%s\nNothing was changed. Plan again",
		schema.SanitizeLine(name), schema.SanitizeLine(signer), planDifference(signed, plan))
}
