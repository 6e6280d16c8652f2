package keystore

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// add adds findings, each once.
func (p *planning) add(found ...Problem) {
	for _, x := range found {
		f := planner.Finding{Rule: product + "/" + x.Rule, Severity: x.Severity, Summary: wording.OneLine(x.Summary),
			Detail: x.Detail}
		same := func(other planner.Finding) bool { return other.Rule == f.Rule && other.Summary == f.Summary }
		if !slices.ContainsFunc(p.findings, same) {
			p.findings = append(p.findings, f)
		}
	}
}

func (p *planning) say(rule string, severity planner.Severity, detail, format string, args ...any) {
	p.add(Problem{Rule: rule, Severity: severity, Summary: fmt.Sprintf(format, args...), Detail: detail})
}

// creatable reports whether a file that does not exist can be made: its folder must exist.
func (p *planning) creatable() bool {
	if p.seen.NoFolder != "" {
		p.say(ruleNoFolder, planner.Refuse, "Make the folder first, or correct path.", "%s: there is no folder %s",
			p.where, p.seen.NoFolder)
		return false
	}
	if len(p.entries) == 0 && len(p.trusted) == 0 {
		p.say(ruleEmpty, planner.Refuse, "Declare its content with entry or trust; or correct path if the file exists "+
			"already.",
			"%s does not exist, and no content is declared", p.where)
	}
	return true
}

// check checks what the file will hold against the rules. Problems of declared content are refused; problems of
// undeclared entries are warnings.
func (p *planning) check() {
	k := &checker{now: p.now, warnDays: p.WarnDays, java: p.Java, names: p.Names, anchors: p.anchors}
	for _, t := range p.target.Trusted {
		k.anchors = append(k.anchors, t.Certificate)
	}
	var made []*x509.Certificate
	declared := map[string]bool{}
	for _, e := range p.entries {
		declared[fold(e.Alias)] = true
		if p.made[e.Alias] {
			made = append(made, e.made.announced())
			p.say(ruleSelfSigned, planner.Note, "Its fingerprint is reported when it is made. "+trustIt,
				"entry %q: a self-signed certificate is made: every client must trust this very certificate", e.Alias)
			continue
		}
		before := len(k.out)
		k.entry(p.target.Entry(e.Alias))
		if !slices.ContainsFunc(k.out[before:], refuses) {
			p.unambiguous(&e)
		}
	}
	for _, t := range p.trusted {
		before := len(k.out)
		k.dates("", t.Certificate, true)
		k.strength("", t.Certificate, true)
		for i := range k.out[before:] {
			k.out[before+i].Summary = t.String() + ": " + k.out[before+i].Summary
		}
	}
	k.covered(p.target.Entries, made)
	p.add(k.out...)
	p.add(p.found...)
	p.checkOthers(declared)
}

func refuses(x Problem) bool { return x.Severity == planner.Refuse }

// unambiguous refuses an entry that would be read from the file differently from how it is declared.
func (p *planning) unambiguous(e *wantedEntry) {
	read := p.read.Entry(e.Alias)
	if read == nil || e.made != nil || read.continues(e.Chain) {
		return
	}
	p.say(ruleAmbiguousChain, planner.Refuse,
		byName+" Give one of the two, take the other out of the file (keep_others = false), or use a jks keystore.",
		"entry %q: a PKCS#12 file cannot hold its chain beside another certificate of the same name", e.Alias)
}

// checkOthers checks the undeclared entries of the file.
func (p *planning) checkOthers(declared map[string]bool) {
	k := &checker{now: p.now, warnDays: p.WarnDays, java: p.Java}
	for i := range p.target.Entries {
		e := &p.target.Entries[i]
		if declared[fold(e.Alias)] {
			continue
		}
		if e.Sealed {
			p.say(ruleOtherKeyPassword, planner.Warn, "It is kept as it is, and its password too.",
				"entry %q: the password of the keystore does not open its key", e.Alias)
		}
		p.namesakes(e)
		for _, c := range e.Chain[:min(1, len(e.Chain))] {
			k.dates(e.Alias, c, true)
			k.strength(e.Alias, c, true)
			k.match(e)
		}
	}
	for _, x := range k.out {
		x.Severity = planner.Warn
		x.Detail = "It is not declared and is kept as it is."
		p.add(x)
	}
}

// namesakes checks whether a declared certificate has the same name as one in the chain of an undeclared entry. One
// with the same key, such as a CA's renewed certificate, is harmless.
func (p *planning) namesakes(e *Entry) {
	read := p.read.Entry(e.Alias)
	if len(p.changes) == 0 || read == nil || read.continues(e.Chain) {
		return
	}
	k := &checker{now: p.now, anchors: read.Chain}
	k.chain(read)
	if slices.ContainsFunc(k.out, refuses) {
		p.say(ruleAmbiguousChain, planner.Refuse, byName+" Use a keystore of its own for one of the two, or a jks keystore.",
			"entry %q is not declared, and would get a wrong chain: another certificate of the same name is declared", e.Alias)
		return
	}
	p.say(ruleAmbiguousChain, planner.Warn, byName, "entry %q is not declared, and gets another chain: %s", e.Alias,
		chainNames(read.Chain))
}

const byName = "Java finds the issuers in a PKCS#12 file by their names alone, and takes the first."

// notes adds findings about the file as a whole.
func (p *planning) notes() {
	p.othersNotes()
	if p.format == JKS {
		p.lowerCased()
	}
	exists := p.seen.State == Opened
	if exists && p.have.Format != p.format {
		p.say(ruleOtherFormat, planner.Warn,
			fmt.Sprintf("Java reads both by either name. To keep the format, declare keystore %q.", string(p.have.Format)),
			"%s is actually %s and will be rewritten as %s", p.where, p.have.Format, p.format)
	}
	if len(p.changes) == 0 && p.have.Weak {
		p.say(ruleWeakProtection, planner.Note, "Anybody who gets the file can break it. The next write protects it better.",
			"%s is encrypted with RC2 or RC4", p.where)
	}
	if len(p.changes) == 0 && exists && p.have.Format == PKCS12 && p.have.Unprotected {
		p.say(ruleUnprotected, planner.Note, "The next write adds one.",
			"%s has no MAC, so a manipulation would go unnoticed", p.where)
	}
	p.passwords()
}

// othersNotes adds findings about undeclared content of the file.
func (p *planning) othersNotes() {
	switch others := p.others(); {
	case len(others) == 0:
	case p.KeepOthers:
		p.say(ruleUnknownAlias, planner.Note, "Declare it, or have it removed with keep_others = false.",
			"%s also has %s; it stays",
			p.where, wording.List(others))
	default:
		p.say(ruleUnknownAlias, planner.Warn, "It is not declared, and keep_others is false: "+strings.Join(others, ", ")+
			". A backup of the file stays beside it.", "%s is removed from %s", wording.List(others), p.where)
	}
	if len(p.have.Doubles) > 0 {
		sees := "Java sees only the last of them."
		if p.have.Format == JKS {
			sees = "Where they are spelled alike, Java sees only the last of them; otherwise only the one in lower case."
		}
		p.say(ruleDuplicateAlias, planner.Warn, sees, "%s has the alias %s more than once",
			p.where, wording.QuotedList(p.have.Doubles))
	}
	for _, l := range p.have.Loose {
		declared := func(t Trusted) bool { return t.Certificate.Equal(l.Certificate) }
		if p.KeepOthers && !slices.ContainsFunc(p.trusted, declared) {
			p.say(ruleUntrustedCertificate, planner.Note,
				"openssl writes certificates without Java's mark of trust. Declare it with trust to add the mark.",
				"%s has %s in it, which Java neither shows nor trusts", p.where, l.Certificate.Name())
		}
	}
}

// leastPassword is the minimum length of a password for keytool.
const leastPassword = 6

// passwords adds findings about a password that keytool, or Java, does not accept.
func (p *planning) passwords() {
	if unknownHere(p.Block, "password") {
		return // its own site refuses to write with a password that Java does not accept
	}
	password := p.Password.Reveal()
	if len([]rune(password)) < leastPassword {
		p.say(ruleShortPassword, planner.Warn, "keytool refuses to write a keystore with it, and it is quickly guessed.",
			"the password has fewer than %d characters", leastPassword)
	}
	if len(p.changes) > 0 && odd(password) {
		p.say(rulePasswordCharacters, planner.Refuse, "Choose ASCII letters, digits and punctuation.", oddPassword)
	}
}

const oddPassword = "the password has characters that Java does not accept for a keystore"

// odd reports whether Java does not accept a password for a keystore.
func odd(password string) bool {
	return strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' })
}

// secretsRefused returns an error if the password or a key is one that a plan refuses. It is checked again before
// writing, because the plan may come from another site, which knows neither.
func (w *wanted) secretsRefused() error {
	if odd(w.Password.Reveal()) {
		return errors.New(oddPassword)
	}
	k := &checker{}
	for i := range w.entries {
		if e := &w.entries[i]; e.made == nil {
			k.match(&e.Entry)
		}
	}
	if len(k.out) > 0 {
		return errors.New(k.out[0].Summary)
	}
	return nil
}

// lowerCased notes which aliases a JKS will hold in lower case instead.
func (p *planning) lowerCased() {
	var with []string
	for _, alias := range p.spelled {
		if alias != fold(alias) {
			with = append(with, alias)
		}
	}
	if len(with) > 0 {
		p.say(ruleAliasCase, planner.Note, "Java ignores case in aliases, and writes them in lower case in a JKS.",
			"aliases are written in lower case: %s", wording.QuotedList(with))
	}
}
