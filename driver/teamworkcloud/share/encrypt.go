package share

import (
	"context"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var secured = driver.Verb[*Sharing]{Name: VerbSecured, Verify: (*Sharing).verifySecured}

var encryptVerb = driver.Verb[*Sharing]{Name: VerbEncrypt, Verify: (*Sharing).verifyConfigured}

// Secures reports whether encryption has to be proved before anything depends on the synchronization, because one of
// the ends is about to change, or something is set up.
func (p *Plan) Secures() bool {
	return p.pair != nil && (p.pair.Changes || len(p.unconfigured())+len(p.unencrypted())+len(p.neverSynchronized()) > 0)
}

// SecuredStep returns the step that proves encryption.
func (p *Plan) SecuredStep() planner.Step {
	summary := fmt.Sprintf("%s presents a certificate in a TLS handshake that %s trusts", p.Facts.Source.Addr,
		p.Facts.Target.Addr)
	if p.pair.BothEnds {
		summary += ", and the other way round"
	}
	step := planner.Check(VerbSecured, summary, 2*time.Minute)
	step.Because = "no synchronization relies on encryption that has not been proved"
	step.Servers = []string{p.Facts.Source.Addr, p.Facts.Target.Addr}
	return step
}

func (w *Sharing) verifySecured(ctx context.Context, _ *executor.Task) (executor.Verdict, error) {
	return w.Encryption.VerifySecured(ctx, w.Sync)
}

// encryptStep has a person check a configuration that was made before its source was encrypted: no interface shows
// whether it connects with encryption.
func (p *Plan) encryptStep(s *Standing) planner.Step {
	step := p.ConfigureStep(s)
	step.Op, step.Verb = p.encryptOp(s), VerbEncrypt
	step.Summary = fmt.Sprintf("on %s, see that the remote resource configuration of %s %q of %s connects encrypted",
		p.Facts.Target.Addr, s.Kind, s.Path, p.Facts.Source.Addr)
	step.Because = "it existed before, no interface shows how it connects, and a configuration cannot be edited (" +
		WizardPage + ")"
	step.Effect = &planner.Effect{Change: 1}
	m := step.Manual
	m.Action = "encrypt_configuration"
	m.Do = append([]string{
		fmt.Sprintf("Log in as %s, and look at the configuration of this %s: if it connects with these values already, "+
			"come back.",
			p.Facts.Target.User, s.Kind),
		"Else tick it, delete it with DELETE CONFIGURATION ONLY (never DELETE ALL, which removes the copies), and " +
			"create it again:",
	}, m.Do[1:]...)
	m.Attest = fmt.Sprintf("the configuration of %s %q connects encrypted, with these values", s.Kind, s.Path)
	return step
}

func (p *Plan) encryptOp(s *Standing) string { return opEncrypt + s.Key() + "_" + p.configuration() }

// unencrypted returns the items whose configuration a person has to check: it exists, no run has made it, and nobody
// has checked it yet. Before 2024x Refresh1 configurations have no such switch.
func (p *Plan) unencrypted() []*Standing {
	if p.pair == nil || p.oldTarget() {
		return nil
	}
	var out []*Standing
	for i := range p.Items {
		s := &p.Items[i]
		if _, looked := p.confirmed[p.encryptOp(s)]; p.isForeign(s) && !looked {
			out = append(out, s)
		}
	}
	return out
}

// isForeign reports whether an item has a configuration that no run has made.
func (p *Plan) isForeign(s *Standing) bool {
	asked, _ := p.lastConfigured(s.Key())
	return s.Configured && asked == ""
}
