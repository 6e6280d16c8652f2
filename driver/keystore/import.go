package keystore

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var _ driver.Importer = (*Driver)(nil)

// Import drafts the blocks that the declaration of a keystore lacks of what its file holds. No draft holds a key: an
// entry whose key was not made as self_signed makes keys is a comment, and stays in the file as it is.
func (d *Driver) Import(ctx context.Context, of driver.ImportRequest) ([]schema.Draft, error) {
	if len(of.From) > 0 {
		return nil, errors.New("a keystore says itself what it holds")
	}
	w, err := parse(of.Server)
	if err != nil {
		return nil, err
	}
	o, _, err := d.look(ctx, w)
	where := fmt.Sprintf("%s on %s", w.Path, machineOf(o))
	switch {
	case err != nil:
		return nil, err
	case o.State == Missing:
		return nil, fmt.Errorf("there is no file %s", where)
	case o.State != Opened:
		return nil, fmt.Errorf("%s cannot be opened: %s. %s", where, o.Problem.Message, o.Problem.Help)
	}
	x := &importer{wanted: w, seen: o, entries: map[string]cty.Value{}, trust: map[string]cty.Value{},
		draft: schema.Draft{Addr: of.Server.Addr, Notes: map[string]string{}, Doubts: map[string]bool{}, Completes: true}}
	x.add()
	x.others()
	if len(x.entries)+len(x.trust)+len(x.draft.Comments) == 0 {
		return nil, nil
	}
	x.draft.Value = cty.ObjectVal(map[string]cty.Value{"entry": cty.ObjectVal(x.entries), "trust": cty.ObjectVal(x.trust)})
	return []schema.Draft{x.draft}, nil
}

func machineOf(o *Observed) string {
	if o == nil {
		return ""
	}
	return o.Machine
}

// importer drafts what a file holds.
type importer struct {
	*wanted

	seen           *Observed
	entries, trust map[string]cty.Value
	draft          schema.Draft
	known          []Certificate     // what the declarations and the file trust
	why            map[string]string // what would change about an entry or a certificate if it were declared
}

// add drafts the entries and trusted certificates that are not declared.
func (x *importer) add() {
	taken := map[string]bool{}
	for _, alias := range slices.Concat(x.spelled, x.seen.Store.Doubles) {
		taken[fold(alias)] = true
	}
	made := map[string]*selfSigned{}
	all := *x.wanted
	all.entries, all.trusted = slices.Clone(x.wanted.entries), slices.Clone(x.wanted.trusted)
	var entries []*Entry
	var trusted []*Trusted
	for i := range x.seen.Store.Entries {
		e := &x.seen.Store.Entries[i]
		if taken[fold(e.Alias)] || !x.isLabel(e.Alias, "entry") {
			continue
		}
		entries = append(entries, e)
		if made[e.Alias] = selfSignedLike(e); made[e.Alias] != nil {
			all.entries = append(all.entries, wantedEntry{Entry: Entry{Alias: x.spell(e.Alias)}, made: made[e.Alias]})
		}
	}
	x.known = slices.Clone(x.anchors)
	for i := range x.seen.Store.Trusted {
		t := &x.seen.Store.Trusted[i]
		x.known = append(x.known, t.Certificate)
		if taken[fold(t.Alias)] || !x.isLabel(t.Alias, "trusted certificate") {
			continue
		}
		trusted = append(trusted, t)
		all.trusted = append(all.trusted, Trusted{Alias: x.spell(t.Alias), Certificate: t.Certificate})
	}
	x.why = map[string]string{}
	for _, c := range all.stand(x.seen.Store, x.seen.Previous, x.seen.Now).changes {
		x.why[c.what] = c.why
	}
	for _, e := range entries {
		x.entry(e, made[e.Alias])
	}
	for _, t := range trusted {
		x.trusts(t)
	}
}

// isLabel reports whether an alias can be declared, and comments on it if not. A configuration is read in composed
// Unicode (NFC), so that another spelling would declare another alias.
func (x *importer) isLabel(alias, what string) bool {
	var why string
	switch {
	case strings.TrimSpace(alias) == "" || strings.ContainsFunc(alias, unicode.IsControl):
		why = "an alias has at least one character that is not a space, and none that controls a terminal"
	case !isComposed(alias):
		why = "a configuration has aliases in UTF-8, in composed form (NFC), and would spell it another way"
	default:
		return true
	}
	x.remark("The %s with the alias %s cannot be declared: %s. %s", what, wording.Quote(wording.OneLine(alias)), why,
		x.stays())
	return false
}

// isComposed reports whether a configuration has a text as it is.
func isComposed(text string) bool { return utf8.ValidString(text) && schema.NameForm(text) == text }

func (x *importer) remark(format string, args ...any) {
	x.draft.Comments = append(x.draft.Comments, fmt.Sprintf(format, args...))
}

// stays says what becomes of an entry that is not declared.
func (x *importer) stays() string {
	if x.KeepOthers {
		return "It stays in the file as it is."
	}
	return "keep_others is false: a plan removes it."
}

// entry drafts an entry: as self_signed if it is as that would make it, else as a comment.
func (x *importer) entry(e *Entry, made *selfSigned) {
	path := schema.BlockPath("entry", e.Alias)
	why := x.why[Entry{Alias: x.spell(e.Alias)}.String()]
	k := &checker{now: x.seen.Now, warnDays: x.WarnDays, java: x.Java, anchors: x.known}
	k.entry(e)
	at := slices.IndexFunc(k.out, refuses)
	// Declared for no longer than the plan warns, it would be refused.
	live := made != nil && why == "" && at < 0 && made.days > x.WarnDays
	switch {
	case e.Sealed:
		x.remark("Entry %q cannot be declared: its key has a password of its own. %s", e.Alias, x.stays())
	case e.Public == "" || len(e.Chain) == 0:
		x.remark("Entry %q cannot be declared: its key or its certificate cannot be read. %s", e.Alias, x.stays())
	case at >= 0 && made == nil:
		x.remark("Declared, it would be refused: %s. %s", k.out[at].Summary, x.stays())
	case live, at >= 0: // what is refused as it is can only be made again
		x.entries[e.Alias] = cty.ObjectVal(map[string]cty.Value{"self_signed": made.value()})
		x.draft.Notes[path] = e.leaf()
		if !live {
			x.draft.Doubts[path] = true
			x.draft.Notes[path] += ". " + x.stays() + " " + x.remade(made, why)
		}
	case !readsAgain(e.Chain):
		x.remark("Entry %q cannot be declared: %s cannot be read here. %s", e.Alias, e.Chain[0].Name(), x.stays())
	default:
		values := map[string]cty.Value{"certificate": pemOf(e.Chain[:1]), "key": cty.UnknownVal(cty.String)}
		if len(e.Chain) > 1 {
			values["chain"] = pemOf(e.Chain[1:])
		}
		x.entries[e.Alias] = cty.ObjectVal(values)
		x.draft.Doubts[path] = true
		x.draft.Notes[path] = fmt.Sprintf("%s. %s To declare it, take the comment signs away and give its key.", e.leaf(),
			x.stays())
		if made != nil {
			x.draft.Notes[path] += " " + x.remade(made, why)
		}
	}
}

// remade says what becomes of an entry that is declared as self_signed, though it would not stay as it is.
func (x *importer) remade(made *selfSigned, why string) string {
	if made.days <= x.WarnDays {
		return fmt.Sprintf("As self_signed it needs more days than %d: expires_warning_days is %d.", made.days, x.WarnDays)
	}
	return fmt.Sprintf("As self_signed it would change: %s.", why)
}

// trusts drafts a trusted certificate: as a comment if declaring it would change the file.
func (x *importer) trusts(t *Trusted) {
	path := schema.BlockPath("trust", t.Alias)
	if !readsAgain([]Certificate{t.Certificate}) {
		x.remark("Trusted certificate %q cannot be declared: %s cannot be read here. %s", t.Alias, t.Certificate.Name(),
			x.stays())
		return
	}
	x.trust[t.Alias] = cty.ObjectVal(map[string]cty.Value{"certificate": pemOf([]Certificate{t.Certificate})})
	x.draft.Notes[path] = t.Certificate.String()
	if why := x.why[Trusted{Alias: x.spell(t.Alias)}.String()]; why != "" {
		x.draft.Doubts[path] = true
		x.draft.Notes[path] += fmt.Sprintf(". Once it is declared, it changes: %s.", why)
	}
}

// others comments on what no declaration has arguments for.
func (x *importer) others() {
	s := x.seen.Store
	for _, alias := range s.Doubles {
		x.remark("The alias %q is in the file more than once: none of its entries can be declared. %s", alias, x.stays())
	}
	for _, alias := range s.Secrets {
		x.remark("Secret key %q cannot be declared. %s", alias, x.stays())
	}
	trusted := map[string]bool{}
	for i := range x.wanted.trusted {
		trusted[string(x.wanted.trusted[i].Certificate.DER)] = true
	}
	for _, l := range s.Loose {
		if !trusted[string(l.Certificate.DER)] {
			x.remark("%s belongs to no entry and lacks Java's mark of trust. Declared with trust, it gets the mark. %s",
				l.Certificate, x.stays())
		}
	}
	for _, what := range s.Unknown {
		x.remark("It has %s, which cannot be declared.", wording.OneLine(what))
	}
}

// readsAgain reports whether certificates are read from PEM as they are.
func readsAgain(chain []Certificate) bool {
	again, err := ParseCertificates(pemOf(chain).AsString())
	return err == nil && sameChain(again, chain)
}

func pemOf(chain []Certificate) cty.Value {
	var b strings.Builder
	for _, c := range chain {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.DER}) // a Builder returns no error
	}
	return cty.StringVal(b.String())
}

// selfSignedLike returns the self_signed that would make an entry like this one, or nil if none would.
func selfSignedLike(e *Entry) *selfSigned {
	if len(e.Chain) != 1 || !e.Chain[0].SelfIssued() {
		return nil
	}
	c, err := e.Chain[0].X509()
	if err != nil || giant(c.RawSubject) != "" {
		return nil
	}
	out := &selfSigned{dns: c.DNSNames, ips: c.IPAddresses,
		days: max(1, int(math.Round(c.NotAfter.Sub(c.NotBefore).Hours()/24)))}
	for name, kind := range keyTypes {
		if kind == e.Key {
			out.keyType = name
		}
	}
	var rdn pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &rdn); err != nil || out.keyType == "" {
		return nil
	}
	parts, err := splitName(rdn.String())
	if err != nil {
		return nil
	}
	out.subject = strings.Join(parts, ", ")
	_, name, err := parseName(out.subject)
	if err != nil || !isComposed(out.subject) || !slices.Equal(name, nameParts(c.RawSubject)) ||
		!same(sans(c), out.names()) ||
		slices.ContainsFunc(out.dns, func(n string) bool { return badName(n) != "" || net.ParseIP(n) != nil }) {
		return nil
	}
	return out
}

// value returns the block that declares it.
func (d *selfSigned) value() cty.Value {
	ips := make([]string, len(d.ips))
	for i, ip := range d.ips {
		ips[i] = ip.String()
	}
	values := map[string]cty.Value{"subject": cty.StringVal(d.subject), "days": cty.NumberIntVal(int64(d.days)),
		"key_type": cty.StringVal(d.keyType)}
	for name, words := range map[string][]string{"dns": d.dns, "ip": ips} {
		if len(words) > 0 {
			values[name] = texts(words)
		}
	}
	return cty.ObjectVal(values)
}

func texts(words []string) cty.Value {
	out := make([]cty.Value, len(words))
	for i, w := range words {
		out[i] = cty.StringVal(w)
	}
	return cty.ListVal(out)
}
