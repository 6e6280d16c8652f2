package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/settings"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// encryption reads how the two ends of an encrypted sync stand to each other; nothing where the source does not declare it.
func (x *syncReader) encryption(ctx context.Context) error {
	source, target := x.declared.Ref("source"), x.declared.Ref("target")
	if !isEncrypted(x.declared, &x.facts.Source) || !encrypts(source) {
		return nil
	}
	var ends [2]*encryptionFacts
	for i, server := range []*schema.Resource{source, target} {
		if !encrypts(server) {
			continue
		}
		var err error
		if ends[i], err = x.d.readEncryption(ctx, server); err != nil {
			return err
		}
	}
	p := &pairFacts{}
	var err error
	if p.Source, err = x.d.readEnd(ctx, source, target, ends[0], &x.facts.Target); err != nil {
		return err
	}
	if encrypts(target) {
		if p.Target, err = x.d.readEnd(ctx, target, source, ends[1], &x.facts.Source); err != nil {
			return err
		}
	}
	if p.Differ, err = x.d.differing([2]*schema.Resource{source, target}, ends, [2]osmc.Release{x.facts.Source.Release, x.facts.Target.Release}); err != nil {
		return err
	}
	x.facts.Encryption = p
	return nil
}

// readEnd looks at one end as the other one does. What is only to come is judged by what is declared.
func (d *Driver) readEnd(ctx context.Context, server, viewer *schema.Resource, f *encryptionFacts, viewed *serverFacts) (*endFacts, error) {
	e := newEncrypting(server, f, nil)
	end := &endFacts{Addr: server.Addr.String(), Pending: e.uploads(), Changes: e.changes()}
	name, _ := syncAddress(server)
	views, err := d.trustsOf(viewer, viewed.Release, true)
	if err != nil {
		return nil, err
	}
	var declared [][]keystore.Certificate
	for _, one := range f.Keystore.Entries {
		declared = append(declared, one.chain)
	}
	if end.Pending {
		for _, chain := range declared {
			end.Problems = append(end.Problems, mistrusted(views, chain, name, d, declared)...)
		}
		return end, nil
	}
	address := joinPort(name, otherPort(server, f.Port.Port))
	if end.Shown, err = d.shakeHands(ctx, viewer, address, name); err != nil {
		return nil, planner.About(viewer, err)
	}
	if end.Shown.leaf() != nil {
		end.Problems = mistrusted(views, end.Shown.Chain, name, d, declared)
	}
	return end, nil
}

// otherPort is the port under which others find a server's encrypted port: as sync_address has it, else the server's own.
func otherPort(server *schema.Resource, port int) string {
	if _, given := syncAddress(server); given != "" && given != number(plainPort) {
		return given
	}
	return number(port)
}

// mistrusted is what is wrong with a chain in the eyes of all that have to trust it, each problem once.
func mistrusted(views []trust, chain []keystore.Certificate, name string, d *Driver, declared [][]keystore.Certificate) []problemFacts {
	var out []problemFacts
	for i := range views {
		for _, p := range views[i].mistrust(chain, name, d.env.Now(), slices.Concat(declared...)) {
			if !slices.ContainsFunc(out, func(q problemFacts) bool { return q.Rule == p.Rule }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// trustsOf are what a server verifies others' certificates by: all of them have to agree. planned: with what is declared and not there
// yet, and without what cannot be read: the server's own plan refuses that. In a proof it is an error.
func (d *Driver) trustsOf(server *schema.Resource, release osmc.Release, planned bool) ([]trust, error) {
	declared := certificatesOf(trusted(server))
	if !encrypts(server) {
		return []trust{{Whose: fmt.Sprintf("the authorities of this machine, which stand in for those of %s (it declares no sync_tls)", server.Addr)}}, nil
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
		switch store, _, _, err := openStore(h, s); {
		case err == nil:
			t.Roots, t.Known = certificatesOf(store.Trusted), true
		case !planned || !isUnusable(err):
			return nil, planner.About(server, err)
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

// endValue is a value at one end, and where it stands. It may be a secret.
type endValue struct {
	value, at string
	known     bool
}

// differing compares the values that have to be the same on both ends, where one of the ends follows a page that says so. Values of
// secrets are compared and never told.
func (d *Driver) differing(servers [2]*schema.Resource, ends [2]*encryptionFacts, releases [2]osmc.Release) ([]differFact, error) {
	if !demandsSame(servers[0], ends[0]) && !demandsSame(servers[1], ends[1]) {
		return nil, nil
	}
	var values [2]map[string]endValue
	for i, server := range servers {
		var err error
		if values[i], err = d.endValues(server, ends[i], releases[i]); err != nil {
			return nil, err
		}
	}
	var out []differFact
	for _, key := range sameKeys {
		a, b := values[0][key], values[1][key]
		same := a.value == b.value || (key == keyType || key == keyTLS) && strings.EqualFold(a.value, b.value)
		if !a.known || !b.known || same {
			continue
		}
		f := differFact{Key: key, Source: a.at, Target: b.at}
		if key != keyPassword {
			f.Source, f.Target = f.Source+" has "+quote(a.value), f.Target+" has "+quote(b.value)
		}
		out = append(out, f)
	}
	return out, nil
}

func quote(text string) string {
	if text == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", wording.OneLine(text))
}

func demandsSame(server *schema.Resource, f *encryptionFacts) bool {
	if f == nil {
		return false
	}
	r, _ := recipeFor(server, f.Server.Release)
	return r.Settings
}

// endValues are the values as they will be: what is declared, else what the file says, where there is a machine to read it on.
func (d *Driver) endValues(server *schema.Resource, f *encryptionFacts, release osmc.Release) (map[string]endValue, error) {
	out := map[string]endValue{}
	if demandsSame(server, f) {
		r, _ := recipeFor(server, f.Server.Release)
		for _, s := range settingsOf(server, r, f.Server.Release, f.Port.Want)[0].want {
			out[s.key] = endValue{s.value, fmt.Sprintf("%s (%s)", server.Addr, f.lineOf(s.key)), true}
		}
		return out, nil
	}
	h, err := d.machine(server)
	if err != nil || h == nil {
		return out, err
	}
	return readEndValues(server, h, filesOf(server, release).web)
}

func readEndValues(server *schema.Resource, h host.Host, name string) (map[string]endValue, error) {
	out := map[string]endValue{}
	content, _, err := readWhole(h.Files(), name, mostSettings)
	if isNoFile(err) {
		return out, nil
	}
	if err != nil {
		return nil, planner.About(server, fmt.Errorf("reading %s on %s: %w", name, h.Name(), err))
	}
	p, err := settings.ParseProperties(content)
	if err != nil {
		return out, nil // whoever wants to edit it is told
	}
	for _, key := range sameKeys {
		value, line, there := p.Get(key)
		at := fmt.Sprintf("%s (%s:%d)", server.Addr, name, line)
		if !there {
			at = fmt.Sprintf("%s (%s, where it is not set)", server.Addr, name)
		}
		out[key] = endValue{value, at, !settings.IsEncrypted(value)}
	}
	return out, nil
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
