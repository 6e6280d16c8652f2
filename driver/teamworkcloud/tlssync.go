package teamworkcloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// isEncrypted tells whether the target connects to the source encrypted.
func isEncrypted(sync *schema.Resource, source *serverFacts) bool {
	if known(sync.Get("tls")) {
		return isTrue(sync, "tls")
	}
	server := sync.Ref("source")
	_, port := syncAddress(server)
	if encrypts(server) {
		return port == "" || port == number(declaredPort(server, source.TLSPort))
	}
	return port != "" && source.TLSPort != 0 && port == number(source.TLSPort)
}

// secures tells whether something is to be proved before a sync is relied on: something of one of the ends is about to change, or
// something is set up.
func (p *syncPlan) secures() bool {
	pair := p.facts.Encryption
	return pair != nil && (pair.Source.Changes || pair.Target != nil && pair.Target.Changes ||
		len(p.unconfigured())+len(p.reencrypted())+len(p.neverSynchronized()) > 0)
}

func (p *syncPlan) securedStep() planner.Step {
	pair := p.facts.Encryption
	summary := fmt.Sprintf("%s presents a certificate in a TLS handshake that %s trusts", pair.Source.Addr, p.facts.Target.Addr)
	if pair.Target != nil {
		summary += ", and the other way round"
	}
	return planner.Step{
		Op: opSecured, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(2 * time.Minute),
		Summary: summary,
		Because: "no synchronization relies on encryption that nobody has seen",
	}
}

// verifySecured is the proof: a handshake with the port of each end, from where the other one stands, verified by whom it trusts.
func (d *Driver) verifySecured(ctx context.Context, sync *schema.Resource) (executor.Verdict, error) {
	v := executor.Verdict{State: executor.Done, Outputs: map[string]string{}}
	var seen []string
	for _, end := range []struct{ name, other string }{{atSource, atTarget}, {atTarget, atSource}} {
		server, viewer := sync.Ref(end.name), sync.Ref(end.other)
		if !encrypts(server) {
			continue
		}
		shown, problems, by, err := d.prove(ctx, server, viewer)
		switch {
		case isUnusable(err):
			return notDone("whom %s trusts cannot be read: %s", viewer.Addr, wording.OneLine(err.Error())), nil
		case err != nil:
			return executor.Verdict{}, err
		case shown.leaf() == nil:
			return notDone("%s of %s shows no certificate to %s: %s", shown.Address, server.Addr, shown.From, shown.Why), nil
		case len(problems) > 0:
			var why []string
			for _, p := range problems {
				why = append(why, p.Summary)
			}
			return notDone("%s; %s does not accept it: %s", shown.seen(), viewer.Addr, wording.OneLine(strings.Join(why, "; "))), nil
		}
		seen = append(seen, fmt.Sprintf("%s; trusted by %s", shown.seen(), by))
		v.Outputs["fingerprint."+end.name] = shown.leaf().Print
	}
	v.Why = wording.OneLine(strings.Join(seen, "; "))
	return v, nil
}

// prove shakes hands with a server as another one will, and verifies by what that one trusts now.
func (d *Driver) prove(ctx context.Context, server, viewer *schema.Resource) (shown *presented, problems []problemFacts, by string, err error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, nil, "", err
	}
	facts, err := readServer(ctx, c, server)
	if err != nil {
		return nil, nil, "", planner.About(server, err)
	}
	vc, err := d.reader(viewer)
	if err != nil {
		return nil, nil, "", err
	}
	_, release, err := vc.Version(ctx)
	if err != nil {
		return nil, nil, "", planner.About(viewer, err)
	}
	views, err := d.trustsOf(viewer, release, false)
	if err != nil {
		return nil, nil, "", err
	}
	name, _ := syncAddress(server)
	if shown, err = d.shakeHands(ctx, viewer, joinPort(name, otherPort(server, declaredPort(server, facts.TLSPort))), name); err != nil {
		return nil, nil, "", err
	}
	if shown.leaf() == nil {
		return shown, nil, "", nil
	}
	var whose []string
	for _, t := range views {
		whose = append(whose, t.Whose)
	}
	var declared [][]keystore.Certificate
	if s, _, err := keystore.Declared(keystoreOf(server)); err == nil {
		for _, one := range s.Entries {
			declared = append(declared, one.Chain)
		}
	}
	return shown, mistrusted(views, shown.Chain, name, d, declared), strings.Join(whose, " and "), nil
}

// reencryptStep has a person look at a configuration that was made before its source was encrypted: no interface shows whether it
// connects encrypted.
func (p *syncPlan) reencryptStep(s *standing) planner.Step {
	step := p.configureStep(s)
	step.Op = p.reencryptOp(s)
	step.Summary = fmt.Sprintf("on %s, see that the remote resource configuration of %s %q of %s connects encrypted", p.facts.Target.Addr, s.Kind, s.Path, p.facts.Source.Addr)
	step.Because = "it was there before, no interface shows how it connects, and a configuration cannot be edited (" + wizardPage + ")"
	step.Effect = &planner.Effect{Change: 1}
	m := step.Manual
	m.Action = "encrypt_configuration"
	m.Do = append([]string{
		fmt.Sprintf("Log in as %s, and look at the configuration of this %s: if it connects with these values already, come back.", p.facts.Target.User, s.Kind),
		"Else tick it, delete it with DELETE CONFIGURATION ONLY (never DELETE ALL, which removes the copies), and create it anew:",
	}, m.Do[1:]...)
	m.Attest = fmt.Sprintf("the configuration of %s %q connects encrypted, with these values", s.Kind, s.Path)
	return step
}

func (p *syncPlan) reencryptOp(s *standing) string {
	return opReencrypt + s.key() + "_" + p.configuration()
}

// reencrypted are the elements whose configuration somebody has to look at: it is there, this program has not made it, and nobody
// has looked yet. Before 2024x Refresh1 a configuration has no such switch.
func (p *syncPlan) reencrypted() []*standing {
	if p.facts.Encryption == nil || p.oldTarget() {
		return nil
	}
	var out []*standing
	for i := range p.items {
		s := &p.items[i]
		asked, _ := p.lastConfigured(s.key())
		if _, looked := p.confirmed[p.reencryptOp(s)]; s.configured && asked == "" && !looked {
			out = append(out, s)
		}
	}
	return out
}

// encryption: what each end thinks of the other, and what differs that may not.
func (f *finder) encryption() {
	_, encrypted := f.sourceAddress()
	pair := f.facts.Encryption
	if pair == nil {
		if encrypted && !slices.ContainsFunc(f.out, func(x planner.Finding) bool { return x.Rule == product+"/tls-version" }) {
			f.add("tls-unproven", planner.Note, "", fmt.Sprintf("%s declares no sync_tls: what it presents is not looked at", f.facts.Source.Addr), "Declare it, and no synchronization is set up before a handshake has shown it.")
		}
		return
	}
	f.end(pair.Source, f.facts.Target.Addr)
	if pair.Target != nil {
		f.end(pair.Target, f.facts.Source.Addr)
	} else {
		f.warn("tls-one-end", "Both servers must have the same settings ("+syncPage+"); later pages have the target trust the source. Declare sync_tls there too, and it is looked after.",
			"%s encrypts, and %s declares no sync_tls", f.facts.Source.Addr, f.facts.Target.Addr)
	}
	for _, d := range pair.Differ {
		f.refuse("tls-mismatch", "Both source and target server must have the same value ("+syncPage+"). Make them the same.", "%s differs: %s, %s", d.Key, d.Source, d.Target)
	}
	before := func(s standing) bool { // made by nobody who knew of encryption
		asked, _ := f.lastConfigured(s.key())
		return s.configured && asked == ""
	}
	if f.oldTarget() && slices.ContainsFunc(f.items, before) {
		f.warn("tls-existing", "Where its status on the page is an Error afterwards, it has to be made anew, for which Data Manager removes the copies first (MCS 247047420).",
			"%s has configurations from before: whether they follow the settings no page of %s says", f.facts.Target.Addr, f.facts.Target.Release)
	}
}

// end tells of one end what the other one, viewer, thinks of it.
func (f *finder) end(e *endFacts, viewer string) {
	when := "presents"
	if e.Pending {
		when = "is going to present"
	}
	for _, p := range e.Problems {
		f.refuse(p.Rule, p.Detail, "what %s %s is not accepted by %s: %s", e.Addr, when, viewer, p.Summary)
	}
	if e.Shown == nil || e.Shown.leaf() != nil {
		return
	}
	detail := "Let a firewall pass it, or correct sync_address."
	if e.Shown.Rule == portForeign {
		detail = "It is another service's port, or that without encryption: correct sync_address."
	}
	f.refuse(e.Shown.Rule, detail, "%s does not get to the encrypted port of %s at %s: %s (seen from %s)", viewer, e.Addr, e.Shown.Address, e.Shown.Why, e.Shown.From)
}

// tlsVersion: encrypted synchronization came with 2024x Refresh1 as a switch of each configuration (VN 272744559); the pages of 2024x have
// it by settings, which sync_tls looks after.
func (f *finder) tlsVersion(encrypted bool) {
	if !encrypted {
		return
	}
	why := "tls = true"
	switch {
	case isTrue(f.sync, "tls"):
	case encrypts(f.sync.Ref("source")):
		why = fmt.Sprintf("%s has sync_tls", f.facts.Source.Addr)
	default:
		why = fmt.Sprintf("sync_address of %s has the port for encrypted clients", f.facts.Source.Addr)
	}
	for _, end := range []string{atSource, atTarget} {
		s, least := f.coming(end), osmc.SyncTLS2024R1
		if server := f.sync.Ref(end); encrypts(server) {
			if r, _ := recipeFor(server, s.Release); r.Name != "" {
				continue // by a page that is about it
			}
			least = tls2024
		}
		if s.Release.OlderThan(least) {
			f.refuse("tls-version", "Encrypted synchronization came with 2024x Refresh1 (VN 272744559), and with sync_tls on both servers as 2024x has it: do without, or update the server first.",
				"%s, and %s cannot synchronize encrypted", why, s.says())
		}
	}
}
