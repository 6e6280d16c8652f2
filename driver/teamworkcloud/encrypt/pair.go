package encrypt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

var _ share.Encryption = (*Encryption)(nil)

// Look compares the two ends of an encrypted synchronization. It returns nil if it is not encrypted or the source
// declares no sync_tls, and while observations are missing.
func (e *Encryption) Look(v *survey.View, sync *survey.Sync, f *survey.Facts) *share.Pair {
	source, target := sync.SourceServer(), sync.TargetServer()
	if !IsEncrypted(sync, &f.Source) || source.SyncTLS == nil {
		return nil
	}
	p := &pair{ends: [2]*end{
		{server: source, about: &f.Source}, {server: target, about: &f.Target},
	}}
	for _, end := range p.ends {
		if end.server.SyncTLS != nil {
			end.state = e.look(v, end.server)
		}
	}
	if v.Lacks() || v.Err() != nil {
		return nil
	}
	p.look(v)
	if v.Lacks() || v.Err() != nil {
		return nil
	}
	out := &share.Pair{BothEnds: target.SyncTLS != nil, Findings: p.findings()}
	for _, end := range p.ends {
		out.Changes = out.Changes || end.state != nil && end.state.changes()
	}
	return out
}

// IsEncrypted reports whether the target connects to the source with encryption.
func IsEncrypted(sync *survey.Sync, source *survey.Server) bool {
	if sync.TLS != nil {
		return *sync.TLS
	}
	server := sync.SourceServer()
	_, port := server.Peer()
	if server.SyncTLS != nil {
		return port == "" || port == strconv.Itoa(server.EncryptedPort(source.TLSPort))
	}
	return port != "" && source.TLSPort != 0 && port == strconv.Itoa(source.TLSPort)
}

// pair is an encrypted synchronization's source and target.
type pair struct {
	ends   [2]*end
	values [2]map[string]endValue // values that must be the same on both ends
}

// end is one end of the synchronization, and what the other one sees of it.
type end struct {
	server *connect.Server
	about  *survey.Server
	state  *state // nil: it declares no sync_tls

	shown    *Handshake         // as the other end sees it now; nil if that will change
	problems []keystore.Problem // problems of what is presented now or, if that will change, of what will be presented
}

// look examines each end from the other one.
func (p *pair) look(v *survey.View) {
	for i, end := range p.ends {
		if end.state != nil {
			end.look(v, p.ends[1-i])
		}
	}
	if !p.ends[0].demandsSame() && !p.ends[1].demandsSame() {
		return
	}
	for i, end := range p.ends {
		p.values[i] = end.valuesOf(v)
	}
}

// look examines an end from the machine of the other one, the viewer. If the end will be changed, its declaration is
// examined instead.
func (x *end) look(v *survey.View, viewer *end) {
	address, name := peerPort(x.server, x.state.port.Port)
	views := trustsOf(v, viewer.server, viewer.about.Release, true)
	var declared []keystore.Certificate
	for _, entry := range x.state.keystore.entries {
		declared = append(declared, entry.Chain...)
	}
	if x.state.uploads() {
		for _, entry := range x.state.keystore.entries {
			x.problems = append(x.problems, mistrusted(views, entry.Chain, name, x.state.now, declared)...)
		}
		return
	}
	x.shown = survey.Look[Handshake](v, viewer.server.Resource(), AboutHandshake, address+as+name)
	if x.shown.leaf() != nil {
		x.problems = mistrusted(views, x.shown.Chain, name, x.state.now, declared)
	}
}

// trustsOf returns what a server verifies other certificates against: all of them have to accept it. With planned,
// they include declared certificates that are still missing, and a store that cannot be read is ignored, since the
// server's own plan refuses it. Without planned, the Problem of a store fails the view.
func trustsOf(v *survey.View, server *connect.Server, release osmc.Release, planned bool) []trust {
	declared := certificatesOf(trusted(server))
	if server.SyncTLS == nil {
		return []trust{{whose: fmt.Sprintf(
			"the CAs of this machine, which stand in for those of %s (it declares no sync_tls)",
			server.Address())}}
	}
	if server.Host == nil {
		return []trust{{whose: fmt.Sprintf("what %s declares with trust (its machine is not declared)", server.Address()),
			roots: declared}}
	}
	r, _ := recipeFor(server, release)
	var out []trust
	for _, path := range storesOf(server, r, placesOf(server, release)) {
		seen := survey.Look[Store](v, server.Resource(), AboutStore, path)
		if seen == nil {
			continue
		}
		t := trust{whose: fmt.Sprintf("%s on %s", path, seen.Machine)}
		switch {
		case seen.Store != nil:
			t.roots, t.known = certificatesOf(seen.Store.Trusted), true
		case !planned:
			v.Fail(&unreadable{server.Address(), fmt.Sprintf("%s on %s: %s", path, seen.Machine, seen.Problem)})
		}
		if planned {
			t.roots = append(t.roots, declared...)
		}
		out = append(out, t)
	}
	switch {
	case len(out) == 0 && len(storesOf(server, r, placesOf(server, release))) > 0: // not observed yet
		return nil
	case len(server.SyncTLS.TrustStores) == 0:
		return []trust{withoutTrustStores(server, out, declared, planned)}
	case r.Keystore: // one of them is enough: different pages name them
		t := trust{whose: out[0].whose, known: true}
		for _, other := range out {
			t.roots, t.known = append(t.roots, other.roots...), t.known && other.known
		}
		return []trust{t}
	}
	return out
}

// withoutTrustStores returns the trust of a server that does not declare the trust stores of its Javas.
func withoutTrustStores(server *connect.Server, others []trust, declared []keystore.Certificate, planned bool) trust {
	t := trust{whose: fmt.Sprintf("what %s declares with trust", server.Address())}
	if planned || len(others) == 0 {
		t.roots = declared
	} else {
		t.whose = others[0].whose
	}
	t.whose += ", or the CAs of this machine, which stand in for those of its Javas (no trust_stores)"
	for _, other := range others {
		t.roots = append(t.roots, other.roots...)
	}
	return t
}

// unreadable is the error for a trust store that cannot be read, so that its content is unknown.
type unreadable struct{ server, why string }

func (u *unreadable) Error() string { return "reading what " + u.server + " trusts: " + u.why }

// sameKeys are the keys of values that "both source and target server must have" (seed).
var sameKeys = []string{keyType, keyPath, keyPassword, keyTLS}

// endValue is a value at one end, and where it is set. For a password, it holds the keystores with that password.
type endValue struct {
	value     string
	keystores []string
	password  string // as declared, "" if it is only read from a file
	at        string
	known     bool
}

// demandsSame reports whether an end follows a page that requires the same values on both ends.
func (x *end) demandsSame() bool { return x.state != nil && x.state.recipe.Settings }

// valuesOf returns the values as they will be: those declared, else those in the file if the server's machine is
// declared.
func (x *end) valuesOf(v *survey.View) map[string]endValue {
	out := map[string]endValue{}
	if x.demandsSame() {
		for _, want := range wantOf(x.server, x.state.want, false) {
			value := endValue{value: want.value, at: fmt.Sprintf("%s (%s)", x.server.Address(), x.state.lineOf(want.key)),
				known: true}
			if want.secret != "" {
				value.password, value.value, value.keystores = want.value, "", []string{want.secret}
			}
			out[want.key] = value
		}
		return out
	}
	if x.server.Host == nil {
		return out
	}
	name := placesOf(x.server, x.about.Release).web
	seen := survey.Look[Settings](v, x.server.Resource(), AboutProperties, name)
	if seen == nil || seen.Problem != "" { // the server's own plan refuses a file that has to be edited
		return out
	}
	for _, key := range sameKeys {
		said := valueIn(seen.Values, key)
		at := fmt.Sprintf("%s (%s:%d)", x.server.Address(), name, said.Line)
		if !said.Set {
			at = fmt.Sprintf("%s (%s, where it is not set)", x.server.Address(), name)
		}
		out[key] = endValue{value: said.Have, keystores: said.Keystores, at: at, known: !said.Sealed}
	}
	return out
}

// lineOf says where a value is set, or will be set.
func (s *state) lineOf(key string) string {
	for i := range s.files {
		f := &s.files[i]
		for _, want := range f.want {
			switch said := valueIn(f.seen.Values, key); {
			case want.key != key:
			case said.Line > 0:
				return fmt.Sprintf("%s:%d", f.path, said.Line)
			default:
				return f.path + ", where it is not set yet"
			}
		}
	}
	return "as declared in sync_tls"
}

// same compares two values. Passwords are compared directly if both are declared, else by the keystores with that
// password.
func (a endValue) same(b endValue, key string) bool {
	switch key {
	case keyPassword:
		if a.password != "" && b.password != "" {
			return a.password == b.password
		}
		return slices.ContainsFunc(a.keystores, func(k string) bool { return slices.Contains(b.keystores, k) })
	case keyType, keyTLS:
		return strings.EqualFold(a.value, b.value)
	}
	return a.value == b.value
}

// findings returns what each end does not accept of the other, and values that differ although they must not.
func (p *pair) findings() []planner.Finding {
	var out []planner.Finding
	say := func(rule string, severity planner.Severity, detail, format string, args ...any) {
		out = append(out, planner.Finding{
			Rule: product + "/" + rule, Severity: severity, Detail: detail,
			Summary: wording.OneLine(fmt.Sprintf(format, args...)),
		})
	}
	for i, end := range p.ends {
		if end.state != nil {
			end.findings(p.ends[1-i].server.Address(), say)
		}
	}
	if source, target := p.ends[0].server.Address(), p.ends[1].server.Address(); p.ends[1].state == nil {
		say(ruleTLSOneEnd, planner.Warn, "Both servers must have the same settings ("+share.SyncPage+
			"); later pages have the target trust the source. Declare sync_tls there too, and it is looked after.",
			"%s encrypts, and %s declares no sync_tls", source, target)
	}
	for _, key := range sameKeys {
		a, b := p.values[0][key], p.values[1][key]
		if !a.known || !b.known || a.same(b, key) {
			continue
		}
		say(ruleTLSMismatch, planner.Refuse, "Both source and target server must have the same value ("+share.SyncPage+
			"). Make them the same.", "%s differs: %s, %s", key, a.words(key), b.words(key))
	}
	return out
}

// words says where a value is set, and what it is unless it is a password.
func (a endValue) words(key string) string {
	switch {
	case key == keyPassword:
		return a.at
	case a.value == "":
		return a.at + " has nothing"
	}
	return fmt.Sprintf("%s has %q", a.at, wording.OneLine(a.value))
}

// sayer adds a finding.
type sayer func(rule string, severity planner.Severity, detail, format string, args ...any)

// findings adds what the viewer, which is the other end, does not accept of an end.
func (x *end) findings(viewer string, say sayer) {
	when := "presents"
	if x.state.uploads() {
		when = "is going to present"
	}
	for _, p := range x.problems {
		say(p.Rule, planner.Refuse, p.Detail, "what %s %s is not accepted by %s: %s", x.server.Address(), when, viewer,
			p.Summary)
	}
	if x.shown == nil || x.shown.leaf() != nil {
		return
	}
	detail := "Let a firewall pass it, or correct sync_address."
	if x.shown.Rule == rulePortForeign {
		detail = "It is another service's port, or the one without encryption: correct sync_address."
	}
	say(x.shown.Rule, planner.Refuse, detail, "%s cannot reach the encrypted port of %s at %s: %s (seen from %s)",
		viewer,
		x.server.Address(), x.shown.Address, x.shown.Why, x.shown.From)
}

// proof is what one end sees of the other now.
type proof struct {
	shown    *Handshake
	problems []keystore.Problem
	by       string // the trust that the viewer uses, in words
}

// VerifySecured proves that encryption works: it makes a TLS handshake with the port of each end from the machine of
// the other end, and verifies the certificates against what that one trusts now.
func (e *Encryption) VerifySecured(ctx context.Context, sync *survey.Sync) (executor.Verdict, error) {
	v := executor.Verdict{State: executor.Done, Outputs: map[string]string{}}
	source, target := sync.SourceServer(), sync.TargetServer()
	var seen []string
	for _, x := range []struct {
		role           string
		server, viewer *connect.Server
	}{{"source", source, target}, {"target", target, source}} {
		if x.server.SyncTLS == nil {
			continue
		}
		p, err := e.prove(ctx, x.server, x.viewer)
		var bad *unreadable
		switch {
		case errors.As(err, &bad):
			return executor.NotDone.Because("the trust of %s cannot be read: %s", bad.server, wording.OneLine(bad.why)), nil
		case err != nil:
			return executor.Verdict{}, err
		case p.shown.leaf() == nil:
			return executor.NotDone.Because("%s of %s shows no certificate to %s: %s", p.shown.Address, x.server.Address(),
				p.shown.From,
				p.shown.Why), nil
		case len(p.problems) > 0:
			var why []string
			for _, problem := range p.problems {
				why = append(why, problem.Summary)
			}
			return executor.NotDone.Because("%s; %s does not accept it: %s", p.shown.seen(), x.viewer.Address(),
				wording.OneLine(strings.Join(why, "; "))), nil
		}
		seen = append(seen, fmt.Sprintf("%s; trusted by %s", p.shown.seen(), p.by))
		v.Outputs["fingerprint."+x.role] = p.shown.leaf().Fingerprint()
	}
	v.Why = wording.OneLine(strings.Join(seen, "; "))
	return v, nil
}

// prove makes a TLS handshake with a server as another one will, and verifies it against what that one trusts now.
func (e *Encryption) prove(ctx context.Context, server, viewer *connect.Server) (*proof, error) {
	p := &proof{}
	observe := func(ctx context.Context, n planner.Need) (any, error) {
		at := server
		if n.Server == viewer.Address() {
			at = viewer
		}
		if Observes(n.What) {
			return e.Observe(ctx, at.Resource(), n)
		}
		c, err := e.Servers.Reader(at.Resource())
		if err != nil {
			return nil, err
		}
		return survey.Observe(ctx, c, at, n)
	}
	return p, survey.Gather(ctx, survey.Observer{Ask: observe}, func(v *survey.View) {
		about := survey.Look[survey.Server](v, server.Resource(), survey.AboutServer, "")
		theirs := survey.Look[survey.Server](v, viewer.Resource(), survey.AboutServer, "")
		if about == nil || theirs == nil {
			return
		}
		views := trustsOf(v, viewer, theirs.Release, false)
		address, name := peerPort(server, server.EncryptedPort(about.TLSPort))
		p.shown = survey.Look[Handshake](v, viewer.Resource(), AboutHandshake, address+as+name)
		if v.Lacks() || v.Err() != nil || p.shown.leaf() == nil {
			return
		}
		p.problems = mistrusted(views, p.shown.Chain, name, e.Env.Now(), declaredChains(server))
		var whose []string
		for _, t := range views {
			whose = append(whose, t.whose)
		}
		p.by = strings.Join(whose, " and ")
	})
}

// declaredChains returns the certificates that a server's keystore declares.
func declaredChains(server *connect.Server) []keystore.Certificate {
	s, _, err := keystore.Declared(server.SyncTLS.Keystore)
	if err != nil {
		return nil
	}
	var out []keystore.Certificate
	for _, entry := range s.Entries {
		out = append(out, entry.Chain...)
	}
	return out
}
