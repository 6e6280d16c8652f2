package keystore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
)

// wanted is a decoded declaration with its certificates and keys parsed. It holds secrets.
type wanted struct {
	*declaration

	format  Format
	entries []wantedEntry // by alias
	trusted []Trusted
	anchors []Certificate // trusted by any declaration of this format
	spelled []string      // aliases as they are declared
	again   []string      // fingerprints of certificates that are generated again, though they are as declared
}

type wantedEntry struct {
	Entry

	made *selfSigned // nil if certificate and key are given
}

// parse decodes a declaration and parses its certificates and keys. It cannot fail for a declaration that passed
// check, except for arguments that only another site knows (errElsewhere).
func parse(r *schema.Resource) (*wanted, error) {
	d, err := decode(r)
	if err != nil {
		return nil, err
	}
	if err := knownHere(d.Block, "path", "java", "names", "expires_warning_days", "keep_others"); err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.Addr, err)
	}
	w := &wanted{declaration: d, format: Format(r.Addr.Type)}
	for _, alias := range aliases(d.Entries) {
		block := d.Entries[alias]
		e, err := block.parse()
		if err != nil {
			return nil, fmt.Errorf("reading entry %q of %s: %w", alias, r.Addr, err)
		}
		w.spelled = append(w.spelled, alias)
		e.Alias = w.spell(alias)
		w.entries = append(w.entries, e)
	}
	if w.trusted, err = d.trusted(); err != nil {
		return nil, err
	}
	for i := range w.trusted {
		w.spelled = append(w.spelled, w.trusted[i].Alias)
		w.trusted[i].Alias = w.spell(w.trusted[i].Alias)
	}
	w.anchors, err = anchorsOf(r)
	return w, err
}

// anchors holds the certificates that all declarations of a format trust, or why they cannot be read.
type (
	anchors struct {
		all []Certificate
		err error
	}
	anchorsKey struct{}
)

// anchorsOf returns the anchors. They are made once for all declarations, and must not be changed. Keystores of other
// sites whose trusted certificates are not known here are left out.
func anchorsOf(r *schema.Resource) ([]Certificate, error) {
	a := r.PeerMemo(anchorsKey{}, func() any {
		var out anchors
		for _, r := range slices.AppendSeq([]*schema.Resource{r}, r.Peers()) {
			d, err := decode(r)
			if err != nil {
				return anchors{err: err}
			}
			trusted, err := d.trusted()
			if errors.Is(err, errElsewhere) {
				continue
			}
			if err != nil {
				return anchors{err: err}
			}
			for _, t := range trusted {
				out.all = append(out.all, t.Certificate)
			}
		}
		out.all = slices.Clip(out.all)
		return out
	}).(anchors)
	return a.all, a.err
}

// decode returns the decoded declaration, which all callers share.
func decode(r *schema.Resource) (*declaration, error) {
	d, diags := declare.Decode[declaration](r)
	if diags.HasErrors() {
		return nil, fmt.Errorf("reading the declaration %s: %w", r.Addr, diags)
	}
	return d, nil
}

// errElsewhere is returned for an argument of another site's keystore that is needed for planning and not known here.
var errElsewhere = errors.New("it is known only where its own site plans")

// unknownHere reports whether an argument of another site's keystore has a value that this process does not know,
// such as that of a variable of that site's environment.
func unknownHere(b declare.Block, name string) bool {
	return b.Resource().Elsewhere && b.Has(name) && !b.Known(name)
}

// knownHere returns an error if one of the arguments is unknownHere. Such an argument decodes as if it were absent,
// so a plan would not be about what is declared.
func knownHere(b declare.Block, names ...string) error {
	for _, name := range names {
		if unknownHere(b, name) {
			return fmt.Errorf("its %s: %w", name, errElsewhere)
		}
	}
	return nil
}

// spell returns an alias as it is written. In a JKS, Java looks for lower case.
func (w *wanted) spell(alias string) string {
	if w.format == JKS {
		return fold(alias)
	}
	return alias
}

func (e *entryBlock) parse() (wantedEntry, error) {
	var out wantedEntry
	if s := e.SelfSigned; s != nil {
		if err := knownHere(s.Block, "subject", "dns", "ip", "days", "key_type"); err != nil {
			return out, fmt.Errorf("its self_signed: %w", err)
		}
		out.made = &selfSigned{subject: s.Subject, dns: s.DNS, days: s.Days, keyType: s.KeyType}
		for _, text := range s.IP {
			ip := net.ParseIP(text)
			if ip == nil {
				return out, fmt.Errorf("%q is not an IP address", text)
			}
			out.made.ips = append(out.made.ips, ip)
		}
		return out, nil
	}
	err := knownHere(e.Block, "certificate", "chain")
	if err != nil {
		return out, err
	}
	if out.Chain, err = ParseCertificates(e.Certificate.Reveal()); err != nil {
		return out, fmt.Errorf("its certificate: %w", err)
	}
	if text := e.Chain.Reveal(); strings.TrimSpace(text) != "" {
		more, err := ParseCertificates(text)
		if err != nil {
			return out, fmt.Errorf("its chain: %w", err)
		}
		out.Chain = append(out.Chain, more...)
	}
	if unknownHere(e.Block, "key") { // assumed to fit; otherwise its own site writes nothing (secretsRefused)
		out.Key, out.Public = out.Chain[0].kind(), out.Chain[0].public()
		return out, nil
	}
	key, err := parseKey(e.Key.Reveal())
	if err != nil {
		return out, fmt.Errorf("its key: %w", err)
	}
	out.setKey(key)
	return out, nil
}

// trusted returns the certificates that a declaration trusts, by alias.
func (d *declaration) trusted() ([]Trusted, error) {
	var out []Trusted
	for _, alias := range aliases(d.Trust) {
		if err := knownHere(d.Trust[alias].Block, "certificate"); err != nil {
			return nil, fmt.Errorf("reading trust %q of %s: %w", alias, d.Addr(), err)
		}
		all, err := ParseCertificates(d.Trust[alias].Certificate.Reveal())
		if err != nil {
			return nil, fmt.Errorf("reading trust %q of %s: %w", alias, d.Addr(), err)
		}
		out = append(out, Trusted{Alias: alias, Certificate: all[0]})
	}
	return out, nil
}

// Declared returns the content that a keystore's declaration describes, as it will be read once it is written.
// Self-signed certificates are made later and are not included; made is their number.
func Declared(r *schema.Resource) (s *Store, made int, err error) {
	w, err := parse(r)
	if err != nil {
		return nil, 0, err
	}
	s = &Store{Format: w.format, Trusted: w.trusted}
	for _, e := range w.entries {
		if e.made != nil {
			made++
			continue
		}
		s.Entries = append(s.Entries, e.Entry)
	}
	return s, made, nil
}

// Effective returns what the file will hold once the declaration is carried out: the declared content on top of what
// the file holds now (have, nil if there is no file). Self-signed certificates that have yet to be made or renewed
// are not included. pending describes what will change in the file; it is empty if nothing will. The declaration's
// own plan says whether something prevents that.
func Effective(r *schema.Resource, have *Store, now time.Time) (s *Store, pending []string, err error) {
	w, err := parse(r)
	if err != nil {
		return nil, nil, err
	}
	st := w.stand(have, false, now)
	if have != nil && len(st.changes) == 0 {
		return have, nil, nil
	}
	for _, c := range st.changes {
		pending = append(pending, c.String())
	}
	out := *st.read
	out.Format, out.Level = w.format, st.target.Level
	if w.format == JKS { // which has no other algorithms
		out.Level = 0
	}
	return &out, pending, nil
}

// Location returns where a declaration's file is: its path, and the machine as host.ssh names it, "" for this one.
// Both are "" while they are not known.
func Location(r *schema.Resource) (name, machine string) {
	d, _ := declare.Decode[declaration](r) // other arguments may be wrong or not known yet
	if d.Host != nil {
		machine = d.Host.SSH
	}
	switch {
	case d.Path == "":
		return "", machine
	case machine != "": // paths on another machine have slashes, whatever those of this one have
		return path.Clean(d.Path), machine
	}
	return filepath.Clean(d.Path), ""
}

// Password returns the password of a declaration's file, for drivers that pass it to a server.
func Password(r *schema.Resource) declare.Secret {
	d, _ := declare.Decode[declaration](r)
	return d.Password
}

// ErrNoFile says that a declared keystore does not exist yet, according to its machine.
var ErrNoFile = errors.New("there is no such keystore yet")

// ReadFile opens the file of a keystore's declaration, on its machine, with its password. It returns the keystore
// with its keys, and the bytes of the file. The error is ErrNoFile if there is no file, and an *Error if it cannot be
// opened.
func ReadFile(ctx context.Context, env driver.Env, r *schema.Resource) (*Store, []byte, error) {
	d, err := decode(r)
	if err != nil {
		return nil, nil, err
	}
	h, err := d.open(env)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = h.Close() }() // nothing was written
	content, _, err := readFile(h.Files(ctx), d.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s of %s: %w", r.Addr, h.Name(), err)
	}
	s, err := Open(ctx, content, d.Password.Reveal())
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s of %s: %w", r.Addr, h.Name(), err)
	}
	return s, content, nil
}

// open returns the machine that has the file. It connects at the first use.
func (d *declaration) open(env driver.Env) (host.Host, error) {
	if err := declare.Reachable(d.Resource()); err != nil {
		return nil, fmt.Errorf("reaching the machine of %s: %w", d.Addr(), err)
	}
	if d.Host == nil {
		folder := schema.Folder{Fs: env.Fs, Access: env.Access}
		if err := folder.Check(schema.Reading{Path: d.Path, By: "path", Most: mostBytes, Whole: true}); err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", d.Path, d.Addr(), err)
		}
		return declare.Local(env, env.Fs), nil
	}
	h, err := d.Host.Open(env)
	if err != nil {
		return nil, fmt.Errorf("reaching the machine of %s: %w", d.Addr(), err)
	}
	return h, nil
}
