package keystore

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore/pfx"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// standing is a declaration compared with the content of its file.
type standing struct {
	*wanted

	have     *Store // what the file holds; empty if there is no file
	previous bool   // only the previous password opens the file
	now      time.Time

	changes []change
	made    map[string]bool // entries that are to be made, by alias
	target  *Store          // what the file is to hold, without the entries that are to be made
	read    *Store          // target as Java will read it
	found   []Problem       // problems that prevent writing
}

// change is one difference between the file and the declaration.
type change struct {
	kind  changeKind
	what  string // `entry "server"`, "the password"
	why   string
	alias bool // whether it is about an entry or a trusted certificate
}

type changeKind string

const (
	adds    changeKind = "is added"
	alters  changeKind = "changes"
	removes changeKind = "is removed"
)

func (c change) String() string { return c.what + " " + string(c.kind) }

func (c change) reason() string { return c.what + ": " + c.why }

// stand compares a declaration with the content of its file, nil if there is no file. It depends only on its
// arguments.
func (w *wanted) stand(have *Store, previous bool, now time.Time) *standing {
	s := &standing{wanted: w, have: have, previous: previous, now: now, made: map[string]bool{}}
	if have == nil {
		s.have = &Store{Format: w.format}
	}
	s.compose()
	s.entriesChange()
	s.trustChanges()
	s.othersGo()
	if have == nil {
		return s
	}
	s.fileChanges()
	s.obstacles()
	return s
}

// level returns the newest protection that the declared release of Java reads.
func (w *wanted) level() pfx.Level {
	switch {
	case w.Java < 11:
		return pfx.Legacy
	case w.Java < 26:
		return pfx.Modern
	}
	return pfx.Newest
}

// compose sets what the file is to hold.
func (s *standing) compose() {
	t := &Store{Format: s.format, source: s.have.source, password: s.have.password, Level: min(s.level(), pfx.Modern)}
	declared := map[string]bool{}
	for _, e := range s.entries {
		declared[fold(e.Alias)] = true
		old := s.have.Entry(e.Alias)
		if e.made != nil {
			if old == nil || s.renewal(&e, old) != "" {
				s.made[e.Alias] = true
				continue
			}
			e.Entry = *old
			e.Alias = s.spell(old.Alias)
		} else if old != nil && old.Public == e.Public && sameChain(old.Chain, e.Chain) {
			e.Created, e.id, e.noted = old.Created, old.id, old.noted
		}
		t.Entries = append(t.Entries, e.Entry)
	}
	trusted := map[string]bool{}
	for _, d := range s.trusted {
		declared[fold(d.Alias)] = true
		trusted[string(d.Certificate.DER)] = true
		if old := s.have.Trust(d.Alias); old != nil && old.Certificate.Equal(d.Certificate) {
			d.Created, d.noted = old.Created, old.noted
		}
		t.Trusted = append(t.Trusted, d)
	}
	if s.KeepOthers {
		for _, e := range s.have.Entries {
			if !declared[fold(e.Alias)] {
				e.Alias = s.spell(e.Alias)
				t.Entries = append(t.Entries, e)
			}
		}
		for _, d := range s.have.Trusted {
			if !declared[fold(d.Alias)] {
				d.Alias = s.spell(d.Alias)
				t.Trusted = append(t.Trusted, d)
			}
		}
		t.Secrets, t.secrets, t.Unknown = s.have.Secrets, s.have.secrets, s.have.Unknown
		for i, l := range s.have.Loose { // except what is now declared as trusted
			if !trusted[string(l.Certificate.DER)] {
				t.Loose = append(t.Loose, l)
				if s.have.loose != nil {
					t.loose = append(t.loose, s.have.loose[i])
				}
			}
		}
	}
	if s.format == JKS { // which cannot hold them
		t.Loose, t.loose, t.Secrets, t.secrets = nil, nil, nil, nil
	}
	s.target = t
	var err error
	if s.read, err = t.asRead(s.now); err != nil {
		s.read = t // there is Unknown content, which obstacles reports
	}
}

func sameChain(a, b []Certificate) bool { return slices.EqualFunc(a, b, Certificate.Equal) }

func (s *standing) note(kind changeKind, what, format string, args ...any) {
	s.changes = append(s.changes, change{kind, what, fmt.Sprintf(format, args...), true})
}

func (s *standing) entriesChange() {
	for _, e := range s.entries {
		what, old := e.String(), s.have.Entry(e.Alias)
		switch {
		case old == nil && s.have.Trust(e.Alias) != nil:
			s.note(alters, what, "the alias is that of a trusted certificate, and a key is declared")
		case old == nil:
			s.note(adds, what, "it is declared and missing")
		case s.made[e.Alias]:
			s.note(alters, what, "%s", s.renewal(&e, old))
		default:
			if why := s.differs(&e, old); why != "" {
				s.note(alters, what, "%s", why)
			} else if s.hidden(old.Alias) {
				s.note(alters, what, "the file spells it %q, and Java finds only aliases in lower case in a JKS", old.Alias)
			}
		}
	}
}

// hidden reports whether Java does not find an alias. In a JKS it looks for lower case only, and the file's spelling
// is not changed when it is read.
func (s *standing) hidden(alias string) bool {
	return s.have.Format == JKS && s.format == JKS && alias != fold(alias)
}

// differs says how an entry differs from its declaration. The chain is compared in the form in which Java will read
// it.
func (s *standing) differs(e *wantedEntry, old *Entry) string {
	if e.made != nil {
		return ""
	}
	var why []string
	want := e.Chain
	if read := s.read.Entry(e.Alias); read != nil && len(read.Chain) > 0 {
		want = read.Chain
	}
	switch {
	case len(old.Chain) == 0:
		why = append(why, "its certificate is missing")
	case !old.Chain[0].Equal(want[0]):
		why = append(why, fmt.Sprintf("its certificate is %s; declared is %s", old.Chain[0], want[0]))
	case !sameChain(old.Chain, want):
		why = append(why, fmt.Sprintf("its chain is %s; declared is %s", chainNames(old.Chain), chainNames(want)))
	}
	switch {
	case old.Sealed:
		why = append(why, "the password of the keystore does not open its key")
	case old.Public != e.Public:
		why = append(why, fmt.Sprintf("its key (%s) is not the declared one (%s)", old.Key, e.Key))
	case old.Plain:
		why = append(why, "its key is not encrypted in the file, so Java does not see it")
	}
	return strings.Join(why, ", and ")
}

func chainNames(chain []Certificate) string {
	var out []string
	for _, c := range chain {
		out = append(out, c.Name())
	}
	return strings.Join(out, " > ")
}

func (s *standing) trustChanges() {
	for _, d := range s.trusted {
		what, old := d.String(), s.have.Trust(d.Alias)
		loose := slices.ContainsFunc(s.have.Loose, func(l Trusted) bool { return l.Certificate.Equal(d.Certificate) })
		switch {
		case old == nil && s.have.Entry(d.Alias) != nil:
			s.note(alters, what, "the alias is that of a key, and a trusted certificate is declared")
		case old == nil && loose:
			s.note(adds, what, "the file has it without Java's mark of trust")
		case old == nil:
			s.note(adds, what, "it is declared and missing")
		case !old.Certificate.Equal(d.Certificate):
			s.note(alters, what, "it is %s; declared is %s", old.Certificate, d.Certificate)
		case s.hidden(old.Alias):
			s.note(alters, what, "the file spells it %q, and Java finds only aliases in lower case in a JKS", old.Alias)
		}
	}
}

// others describes the undeclared content of the file.
func (s *standing) others() []string {
	var out []string
	declared := map[string]bool{}
	for _, e := range s.entries {
		declared[fold(e.Alias)] = true
	}
	for _, d := range s.trusted {
		declared[fold(d.Alias)] = true
	}
	for _, e := range s.have.Entries {
		if !declared[fold(e.Alias)] {
			out = append(out, e.String())
		}
	}
	for _, d := range s.have.Trusted {
		if !declared[fold(d.Alias)] {
			out = append(out, d.String())
		}
	}
	for _, alias := range s.have.Secrets {
		out = append(out, fmt.Sprintf("secret %q", alias))
	}
	for _, l := range s.have.Loose {
		if !slices.ContainsFunc(s.trusted, func(d Trusted) bool { return d.Certificate.Equal(l.Certificate) }) {
			out = append(out, "the certificate "+l.Certificate.Name()+", which belongs to no entry")
		}
	}
	for _, alias := range s.have.Doubles {
		if s.KeepOthers { // obstacles and findings report it in their own words
			break
		}
		out = append(out, fmt.Sprintf("the other entries with the alias %q", alias))
	}
	out = append(out, s.have.Unknown...)
	slices.Sort(out) // Java ignores the order in a file
	return out
}

func (s *standing) othersGo() {
	if s.KeepOthers {
		return
	}
	for _, what := range s.others() {
		s.note(removes, what, "it is not declared, and keep_others is false")
	}
}

// fileChanges adds the changes of the file as a whole.
func (s *standing) fileChanges() {
	say := func(what, format string, args ...any) {
		s.changes = append(s.changes, change{kind: alters, what: what, why: fmt.Sprintf(format, args...)})
	}
	if s.previous {
		say("the password", "the file opens with previous_password")
	}
	if s.have.Format != s.format {
		say("the format", "the file is actually %s, and %s is declared", s.have.Format, s.format)
	} else if s.format == PKCS12 && s.have.Level == pfx.Foreign {
		say("the protection", "no release of Java reads the algorithms that protect the file")
	} else if s.format == PKCS12 && s.have.Level > s.level() {
		say("the protection", "Java %d does not read the algorithms that protect the file", s.Java)
	}
}

// obstacles finds what would be lost by writing the file. It finds nothing if the file is not going to be written.
func (s *standing) obstacles() {
	if len(s.changes) == 0 || !s.KeepOthers {
		return
	}
	refuse := func(rule, summary, detail string) {
		s.found = append(s.found, Problem{rule, planner.Refuse, "", summary, detail})
	}
	const by = repair + ", or move it away so that a new one is made."
	s.found = append(s.found, s.have.unkept(by)...)
	if s.have.Format == s.format {
		return
	}
	if len(s.have.Secrets) > 0 {
		refuse(ruleUnsupportedEntry, fmt.Sprintf("the file has secret keys (%s), which a %s keystore cannot hold",
			wording.QuotedList(s.have.Secrets), s.format), by)
	}
	for i := range s.target.Entries {
		if e := &s.target.Entries[i]; e.Sealed {
			refuse(ruleUnsupportedEntry, fmt.Sprintf("%s has its own password, so it cannot be moved to another format", e), by)
		}
	}
}

const repair = "Repair the file with keytool or openssl first"

// unkept returns problems for the content that any writing of the keystore would lose, whatever the format. by is the
// advice.
func (s *Store) unkept(by string) []Problem {
	var out []Problem
	if len(s.Unknown) > 0 {
		out = append(out, Problem{
			ruleUnsupportedEntry, planner.Refuse, "",
			fmt.Sprintf("the file has %s that cannot be kept: %s", wording.Plural(len(s.Unknown), "item"),
				wording.List(s.Unknown)),
			by + " Java does not show it.",
		})
	}
	if len(s.Doubles) > 0 {
		out = append(out, Problem{
			ruleDuplicateAlias, planner.Refuse, "",
			fmt.Sprintf("the file has %s more than once, so writing it would lose one of them",
				wording.QuotedList(s.Doubles)), by,
		})
	}
	return out
}

// encode returns the content of the file. It makes the entries that are to be made.
func (s *standing) encode(random io.Reader) ([]byte, *Store, error) {
	target := *s.target
	target.Entries = slices.Clone(target.Entries)
	for _, e := range s.entries {
		if s.made[e.Alias] {
			fresh, err := e.made.make(e.Alias, s.now, random)
			if err != nil {
				return nil, nil, err
			}
			target.Entries = append(target.Entries, fresh)
		}
	}
	if s.format == JKS {
		b, err := target.encodeJKS(s.Password.Reveal(), random, s.now)
		return b, &target, err
	}
	bags, err := target.bags(s.now)
	if err != nil {
		return nil, nil, err
	}
	b, err := pfx.Write(bags, s.Password.Reveal(), pfx.Options{Level: target.Level, Random: random})
	return b, &target, err
}
