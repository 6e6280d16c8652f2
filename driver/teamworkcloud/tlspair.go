package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/settings"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// encryption answers what synchronizations ask about encryption.
func (d *Driver) encryption() share.Encryption { return encryption{d} }

type encryption struct{ d *Driver }

// HasRecipe is share.Encryption's.
func (e encryption) HasRecipe(server *connect.Server, release osmc.Release) bool {
	r, _ := recipeFor(server.Resource(), release)
	return r.Name != ""
}

// VerifySecured is share.Encryption's.
func (e encryption) VerifySecured(ctx context.Context, s *survey.Sync) (executor.Verdict, error) {
	return e.d.verifySecured(ctx, s)
}

// Look is share.Encryption's.
func (e encryption) Look(v *survey.View, s *survey.Sync, f *survey.Facts) *share.Pair {
	source, target := s.SourceServer(), s.TargetServer()
	if source.SyncTLS == nil || !share.IsEncrypted(s, &f.Source) {
		return nil
	}
	ends := [2]*encryptionFacts{e.d.lookAtEncryption(v, source), e.d.lookAtEncryption(v, target)}
	first := e.d.lookAtEnd(v, source, target, ends[0], &f.Target)
	pair := &share.Pair{BothEnds: target.SyncTLS != nil}
	var second *endFacts
	if pair.BothEnds {
		second = e.d.lookAtEnd(v, target, source, ends[1], &f.Source)
	}
	differ := e.d.differing(v, [2]*connect.Server{source, target}, ends)
	if v.Lacks() || first == nil || pair.BothEnds && second == nil {
		return nil
	}
	pair.Changes = first.Changes || second != nil && second.Changes
	pair.Findings = first.findings(f.Target.Addr)
	if second != nil {
		pair.Findings = append(pair.Findings, second.findings(f.Source.Addr)...)
	} else {
		pair.Findings = append(pair.Findings, planner.Finding{Rule: product + "/tls-one-end", Severity: planner.Warn,
			Summary: fmt.Sprintf("%s encrypts, and %s declares no sync_tls", f.Source.Addr, f.Target.Addr),
			Detail: "Both servers must have the same settings (" + share.SyncPage + "); later pages have the target trust the source. " +
				"Declare sync_tls there too, and it is looked after."})
	}
	for _, x := range differ {
		pair.Findings = append(pair.Findings, planner.Finding{Rule: product + "/tls-mismatch", Severity: planner.Refuse,
			Summary: wording.OneLine(fmt.Sprintf("%s differs: %s, %s", x.Key, x.Source, x.Target)),
			Detail:  "Both source and target server must have the same value (" + share.SyncPage + "). Make them the same."})
	}
	return pair
}

// findings are what the other end, viewer, thinks of this one.
func (e *endFacts) findings(viewer string) []planner.Finding {
	when := "presents"
	if e.Pending {
		when = "is going to present"
	}
	var out []planner.Finding
	refuse := func(rule, detail, format string, args ...any) {
		out = append(out, planner.Finding{
			Rule: product + "/" + rule, Severity: planner.Refuse, Summary: wording.OneLine(fmt.Sprintf(format, args...)), Detail: detail,
		})
	}
	for _, p := range e.Problems {
		refuse(p.Rule, p.Detail, "what %s %s is not accepted by %s: %s", e.Addr, when, viewer, p.Summary)
	}
	if e.Shown == nil || e.Shown.leaf() != nil {
		return out
	}
	detail := "Let a firewall pass it, or correct sync_address."
	if e.Shown.Rule == portForeign {
		detail = "It is another service's port, or that without encryption: correct sync_address."
	}
	refuse(e.Shown.Rule, detail, "%s cannot reach the encrypted port of %s at %s: %s (seen from %s)",
		viewer, e.Addr, e.Shown.Address, e.Shown.Why, e.Shown.From)
	return out
}

// lookAtEnd looks at one end as the other one does. What is only to come is judged by what is declared. It is nil while observations
// are missing.
func (d *Driver) lookAtEnd(v *survey.View, server, viewer *connect.Server, f *encryptionFacts, viewed *survey.Server) *endFacts {
	views := d.lookAtTrust(v, viewer, viewed.Release)
	if f == nil {
		return nil
	}
	e := newEncrypting(server.Resource(), f, nil)
	end := &endFacts{Addr: server.Address(), Pending: e.uploads(), Changes: e.changes()}
	name, _ := server.Peer()
	declared := chainsOf(f.Keystore.Entries)
	if end.Pending {
		for _, chain := range declared {
			end.Problems = append(end.Problems, mistrusted(views, chain, name, f.Now, declared)...)
		}
		return end
	}
	address := net.JoinHostPort(name, otherPort(server.Resource(), f.Port.Port))
	end.Shown = survey.Look[presented](v, viewer.Resource(), aboutHandshake, address+" "+name)
	if end.Shown.leaf() != nil {
		end.Problems = mistrusted(views, end.Shown.Chain, name, f.Now, declared)
	}
	return end
}

// otherPort is the port under which others find a server's encrypted port: as sync_address has it, else the server's own.
func otherPort(server *schema.Resource, port int) string {
	if _, given := connect.Declared(server).Peer(); given != "" && given != strconv.Itoa(connect.PlainPort) {
		return given
	}
	return strconv.Itoa(port)
}

// mistrusted is what is wrong with a chain in the eyes of all that have to trust it, each problem once.
func mistrusted(views []trust, chain []keystore.Certificate, name string, now time.Time, declared [][]keystore.Certificate) []problemFacts {
	var out []problemFacts
	for i := range views {
		for _, p := range views[i].mistrust(chain, name, now, slices.Concat(declared...)) {
			if !slices.ContainsFunc(out, func(q problemFacts) bool { return q.Rule == p.Rule }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// trustsOf are what a server verifies others' certificates by: all of them have to agree. planned: with what is declared and not there
// yet, and without what cannot be read: the server's own plan refuses that. In a proof it is an error.
func (d *Driver) trustsOf(ctx context.Context, server *schema.Resource, release osmc.Release, planned bool) ([]trust, error) {
	declared := certificatesOf(trusted(server))
	if !encrypts(server) {
		return []trust{standIn(server.Addr.String())}, nil
	}
	h, err := d.machine(server)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return []trust{{Whose: fmt.Sprintf("what %s declares with trust (its machine is not declared)", server.Addr), Roots: declared}}, nil
	}
	r, _ := recipeFor(server, release)
	var out []trust
	for _, s := range storesOf(server, r, filesOf(server, release)) {
		t := trust{Whose: fmt.Sprintf("%s on %s", s.path, h.Name())}
		switch store, _, _, err := openStore(ctx, h, s); {
		case err == nil:
			t.Roots, t.Known = certificatesOf(store.Trusted), true
		case !planned || !isUnusable(err):
			return nil, err
		}
		if planned {
			t.Roots = append(t.Roots, declared...)
		}
		out = append(out, t)
	}
	switch {
	case len(texts(server.Get("sync_tls", "trust_stores"))) == 0: // who else is trusted lies where nobody has said
		t := trust{Whose: fmt.Sprintf("what %s declares with trust", server.Addr)}
		if planned || len(out) == 0 {
			t.Roots = declared
		} else {
			t.Whose = out[0].Whose
		}
		t.Whose += ", or the authorities of this machine, which stand in for those of its Javas (no trust_stores)"
		for _, other := range out {
			t.Roots = append(t.Roots, other.Roots...)
		}
		return []trust{t}, nil
	case r.Keystore: // one of them is enough: each has a page that speaks of it
		t := trust{Whose: out[0].Whose, Known: true}
		for _, other := range out {
			t.Roots, t.Known = append(t.Roots, other.Roots...), t.Known && other.Known
		}
		return []trust{t}, nil
	}
	return out, nil
}

// isUnusable: it is the store that is wrong, not the way to it.
func isUnusable(err error) bool { return isNoFile(err) || errors.As(err, new(*keystore.Error)) }

func certificatesOf(all []keystore.Trusted) []keystore.Certificate {
	var out []keystore.Certificate
	for _, t := range all {
		out = append(out, t.Certificate)
	}
	return out
}

// sameKeys are the values that "both source and target server must have" (seed).
var sameKeys = []string{keyType, keyPath, keyPassword, keyTLS}

// endValue is a value at one end, and where it stands.
type endValue struct {
	Value string // "" of a secret
	At    string
	Known bool
	Same  bool // of a secret: it is the declared one of the other end
}

// endValues are the values of an end by key.
type endValues struct{ Values map[string]endValue }

// differing compares the values that have to be the same on both ends, where one of the ends follows a page that says so. Values of
// secrets are compared and never told.
func (d *Driver) differing(v *survey.View, servers [2]*connect.Server, ends [2]*encryptionFacts) []differFact {
	var values [2]map[string]endValue
	demands := [2]bool{demandsSame(servers[0], ends[0]), demandsSame(servers[1], ends[1])}
	if !demands[0] && !demands[1] {
		return nil
	}
	for i, server := range servers {
		switch {
		case demands[i]:
			values[i] = declaredValues(server, ends[i], servers[1-i])
		case server.Host != nil:
			if read := survey.Look[endValues](v, server.Resource(), aboutValues, servers[1-i].Address()); read != nil {
				values[i] = read.Values
			}
		}
	}
	var out []differFact
	for _, key := range sameKeys {
		a, b := values[0][key], values[1][key]
		same := a.Value == b.Value || (key == keyType || key == keyTLS) && strings.EqualFold(a.Value, b.Value)
		if key == keyPassword {
			same = a.Same
			if !demands[1] { // what the target's file has was compared with what the source declares
				same = b.Same
			}
		}
		if !a.Known || !b.Known || same {
			continue
		}
		f := differFact{Key: key, Source: a.At, Target: b.At}
		if key != keyPassword {
			f.Source, f.Target = f.Source+" has "+quote(a.Value), f.Target+" has "+quote(b.Value)
		}
		out = append(out, f)
	}
	return out
}

func quote(text string) string {
	if text == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", wording.OneLine(text))
}

func demandsSame(server *connect.Server, f *encryptionFacts) bool {
	if f == nil {
		return false
	}
	r, _ := recipeFor(server.Resource(), f.Server.Release)
	return r.Settings
}

// declaredValues are the values of an end as they will be.
func declaredValues(server *connect.Server, f *encryptionFacts, other *connect.Server) map[string]endValue {
	out := map[string]endValue{}
	r, _ := recipeFor(server.Resource(), f.Server.Release)
	for _, s := range settingsOf(server.Resource(), r, f.Server.Release, f.Port.Want)[0].want {
		v := endValue{Value: s.value, At: fmt.Sprintf("%s (%s)", server.Address(), f.lineOf(s.key)), Known: true}
		if s.secret {
			v.Value, v.Same = "", other.SyncTLS != nil && s.value == keystore.Password(other.SyncTLS.Keystore).Reveal()
		}
		out[s.key] = v
	}
	return out
}

// readValues reads the values that the settings file of a server has, beside the secret that another one declares.
func (d *Driver) readValues(ctx context.Context, server, other *schema.Resource) (*endValues, error) {
	h, err := d.machine(server)
	if err != nil || h == nil {
		return &endValues{}, err
	}
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	_, release, err := c.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its version: %w", server.Addr, err)
	}
	want := ""
	if t := connect.Declared(other).SyncTLS; t != nil {
		want = keystore.Password(t.Keystore).Reveal()
	}
	values, err := readEndValues(ctx, server, h, filesOf(server, release).web, want)
	return &endValues{Values: values}, err
}

func readEndValues(
	ctx context.Context, server *schema.Resource, h host.Host, name, password string,
) (map[string]endValue, error) {
	out := map[string]endValue{}
	content, _, err := readWhole(h.Files(ctx), name, mostSettings)
	if isNoFile(err) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s on %s: %w", name, h.Name(), err)
	}
	p, err := settings.ParseProperties(content)
	if err != nil {
		return out, nil // the server's own plan says so
	}
	for _, key := range sameKeys {
		value, line, found := p.Get(key)
		v := endValue{Value: value, At: fmt.Sprintf("%s (%s:%d)", server.Addr, name, line), Known: !settings.IsEncrypted(value)}
		if !found {
			v.At = fmt.Sprintf("%s (%s, where it is not set)", server.Addr, name)
		}
		if key == keyPassword {
			v.Value, v.Same = "", value == password
		}
		out[key] = v
	}
	return out, nil
}

// standIn is what stands in for what a server trusts that does not declare it.
func standIn(server string) trust {
	return trust{Whose: fmt.Sprintf("the CAs of this machine, which stand in for those of %s (it declares no sync_tls)", server)}
}

// lineOf is where a value stands, or will stand.
func (f *encryptionFacts) lineOf(key string) string {
	for _, file := range f.Files {
		for _, v := range file.Values {
			switch {
			case v.Key == key && v.Line > 0:
				return fmt.Sprintf("%s:%d", file.Path, v.Line)
			case v.Key == key:
				return file.Path + ", where it is not set yet"
			}
		}
	}
	return "as declared in sync_tls"
}
