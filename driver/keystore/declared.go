package keystore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/schema"
)

// wanted is a declaration, understood. It holds secrets.
type wanted struct {
	format   Format
	path     string
	java     int
	password string
	previous string

	entries []wantedEntry // by alias
	trusted []Trusted

	names      []string
	warnDays   int
	keepOthers bool

	anchors []Certificate // what other declarations trust
	spelled []string      // aliases as they are declared
}

type wantedEntry struct {
	Entry

	made *selfSigned // nil: certificate and key are given
}

// understand reads a declaration. What check has passed cannot fail here.
func understand(r *schema.Resource) (*wanted, error) {
	w := &wanted{
		format: Format(r.Addr.Type), path: reveal(r, "path"), java: number(r, defaultJava, "java"),
		password: reveal(r, "password"), previous: reveal(r, "previous_password"),
		names: texts(r.Get("names")), warnDays: number(r, defaultWarn, "expires_warning_days"),
		keepOthers: r.Text("keep_others") != "false",
	}
	for _, alias := range aliases(r, "entry") {
		e, err := understandEntry(r, alias)
		if err != nil {
			return nil, fmt.Errorf("understanding entry %q: %w", alias, err)
		}
		w.spelled = append(w.spelled, alias)
		e.Alias = w.spell(alias)
		w.entries = append(w.entries, e)
	}
	var err error
	if w.trusted, err = trusts(r); err != nil {
		return nil, err
	}
	for i := range w.trusted {
		w.spelled = append(w.spelled, w.trusted[i].Alias)
		w.trusted[i].Alias = w.spell(w.trusted[i].Alias)
	}
	for _, peer := range r.Peers {
		others, err := trusts(peer)
		if err != nil {
			return nil, err
		}
		for _, t := range others {
			w.anchors = append(w.anchors, t.Certificate)
		}
	}
	return w, nil
}

// spell is an alias as it is written: Java looks for small letters in a JKS.
func (w *wanted) spell(alias string) string {
	if w.format == JKS {
		return fold(alias)
	}
	return alias
}

func understandEntry(r *schema.Resource, alias string) (wantedEntry, error) {
	var e wantedEntry
	at := func(names ...string) []string { return append([]string{"entry", alias}, names...) }
	if !r.Get(at("self_signed")...).IsNull() {
		e.made = &selfSigned{
			subject: r.Text(at("self_signed", "subject")...), dns: texts(r.Get(at("self_signed", "dns")...)),
			days: number(r, defaultDays, at("self_signed", "days")...), keyType: r.Text(at("self_signed", "key_type")...),
		}
		for _, text := range texts(r.Get(at("self_signed", "ip")...)) {
			ip := net.ParseIP(text)
			if ip == nil {
				return e, fmt.Errorf("%q is no IP address", text)
			}
			e.made.ips = append(e.made.ips, ip)
		}
		return e, nil
	}
	var err error
	if e.Chain, err = ParseCertificates(reveal(r, at("certificate")...)); err != nil {
		return e, fmt.Errorf("its certificate: %w", err)
	}
	if text := reveal(r, at("chain")...); strings.TrimSpace(text) != "" {
		more, err := ParseCertificates(text)
		if err != nil {
			return e, fmt.Errorf("its chain: %w", err)
		}
		e.Chain = append(e.Chain, more...)
	}
	key, err := parseKey(reveal(r, at("key")...))
	if err != nil {
		return e, fmt.Errorf("its key: %w", err)
	}
	e.setKey(key)
	return e, nil
}

func trusts(r *schema.Resource) ([]Trusted, error) {
	var out []Trusted
	for _, alias := range aliases(r, "trust") {
		all, err := ParseCertificates(reveal(r, "trust", alias, "certificate"))
		if err != nil {
			return nil, fmt.Errorf("understanding trust %q of %s: %w", alias, r.Addr, err)
		}
		out = append(out, Trusted{Alias: alias, Certificate: all[0]})
	}
	return out, nil
}

func number(r *schema.Resource, otherwise int, path ...string) int {
	v := r.Get(path...)
	if !known(v) {
		return otherwise
	}
	n, _ := v.AsBigFloat().Int64()
	return int(n)
}

// Declared is the content that a keystore's declaration describes, as it will be read once it is written. What is self-signed and
// has not been made yet is not in it.
func Declared(r *schema.Resource) (*Store, error) {
	w, err := understand(r)
	if err != nil {
		return nil, err
	}
	s := &Store{Format: w.format, Trusted: w.trusted}
	for _, e := range w.entries {
		if e.made == nil {
			s.Entries = append(s.Entries, e.Entry)
		}
	}
	return s, nil
}

// Effective is what the file will hold once the declaration is carried out: what is declared over what the file holds now; nil:
// there is no file. What is self-signed and still has to be made, or made anew, is not in it. pending says in words what of the
// file is going to change, empty if nothing; whether something is in the way of that is for the declaration's own plan to say.
func Effective(r *schema.Resource, have *Store, now time.Time) (s *Store, pending []string, err error) {
	w, err := understand(r)
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
	if w.format == JKS { // which knows no other algorithms
		out.Level = 0
	}
	return &out, pending, nil
}

// Location is where the file of a declaration lies: its path, and the machine as host.ssh names it, "" for this one.
func Location(r *schema.Resource) (name, machine string) {
	name, machine = reveal(r, "path"), reveal(r, "host", "ssh")
	switch {
	case name == "":
	case machine != "": // which has slashes, whatever this one has
		name = path.Clean(name)
	default:
		name = filepath.Clean(name)
	}
	return name, machine
}

// Password is the password of a declaration's file, a secret: for drivers, where they hand it to a server.
func Password(r *schema.Resource) string { return reveal(r, "password") }

// ErrNoFile says that a declared keystore is not there yet.
var ErrNoFile = errors.New("there is no such keystore yet")

// File is a keystore as it lies on its machine.
type File struct {
	Store    *Store
	Content  []byte `json:"-"`
	Sum      string // SHA-256 of Content, in hex
	Modified time.Time
}

// String says what it is, and nothing of its content.
func (f File) String() string { return fmt.Sprintf("%s, SHA-256 %s", f.Store, f.Sum) }

// GoString is String.
func (f File) GoString() string { return f.String() }

// Read opens the file of a keystore's declaration, on its machine, with its password. An error is ErrNoFile where there is none,
// and an *Error where it cannot be opened.
func Read(ctx context.Context, env driver.Env, r *schema.Resource) (*Store, error) {
	f, err := ReadFile(ctx, env, r)
	if err != nil {
		return nil, err
	}
	return f.Store, nil
}

// ReadFile is Read, with the file itself.
func ReadFile(_ context.Context, env driver.Env, r *schema.Resource) (*File, error) {
	h, err := OpenHost(env, r, "host")
	if err != nil {
		return nil, fmt.Errorf("reaching the machine of %s: %w", r.Addr, err)
	}
	defer func() { _ = h.Close() }() // what was read is read
	name := reveal(r, "path")
	content, there, err := readFile(h.Files(), name)
	var info fs.FileInfo
	if err == nil && there { // after it was read: what is written in between then counts as newer than what was read, not as older
		info, err = h.Files().Stat(name)
	}
	switch {
	case err == nil && !there, errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading %s of %s: %w", r.Addr, h.Name(), ErrNoFile)
	case err != nil:
		return nil, fmt.Errorf("reading %s of %s: %w", r.Addr, h.Name(), err)
	}
	s, err := Open(content, Password(r))
	if err != nil {
		return nil, err
	}
	return &File{s, content, host.Sum(content), info.ModTime()}, nil
}
