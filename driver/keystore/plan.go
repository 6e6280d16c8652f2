package keystore

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// opWrite is the one verb: a file is written whole.
const opWrite = "write"

// plan compares and writes the step down.
func (w *wanted) plan(f *facts) planner.Outline {
	p := &planning{f: f, where: w.path + " on " + f.Machine}
	if p.unusable() {
		return planner.Outline{Action: planner.Update, Findings: p.findings}
	}
	p.standing = w.stand(f.Store, f.Previous, f.Now)
	out := planner.Outline{Action: planner.NoChange}
	if f.Sum == "" {
		p.create()
		out.Action = planner.Create
	}
	p.check()
	p.notes()
	if len(p.changes) > 0 {
		out.Steps = []planner.Step{p.step()}
		if f.Sum != "" {
			out.Action = planner.Update
		}
	}
	out.Findings = p.findings
	return out
}

type planning struct {
	*standing

	f        *facts
	where    string
	findings []planner.Finding
}

func (p *planning) add(found ...Problem) {
	for _, x := range found {
		finding := planner.Finding{Rule: product + "/" + x.Rule, Severity: x.Severity, Summary: oneLine(x.Summary), Detail: x.Detail}
		if !slices.ContainsFunc(p.findings, func(f planner.Finding) bool { return f.Rule == finding.Rule && f.Summary == finding.Summary }) {
			p.findings = append(p.findings, finding)
		}
	}
}

func (p *planning) say(rule string, severity planner.Severity, detail, format string, args ...any) {
	p.add(Problem{Rule: rule, Severity: severity, Summary: fmt.Sprintf(format, args...), Detail: detail})
}

// oneLine keeps what files say from breaking a line.
func oneLine(text string) string { return strings.Join(strings.Fields(schema.SanitizeLine(text)), " ") }

// unusable: the file is there and cannot be opened, or cannot be made.
func (p *planning) unusable() bool {
	switch {
	case p.f.Problem != nil:
		p.say(p.f.Problem.Rule, planner.Refuse, p.f.Problem.Help, "%s: %s", p.where, p.f.Problem.Message)
		return true
	case p.f.NoFolder != "":
		p.say("no-folder", planner.Refuse, "Make the folder first, or correct path.", "%s: there is no folder %s", p.where, p.f.NoFolder)
		return true
	}
	return false
}

// create: what there is nothing of yet.
func (p *planning) create() {
	if len(p.entries) == 0 && len(p.trusted) == 0 {
		p.say("empty", planner.Refuse, "Declare what it is to hold, with entry or trust; or correct path if it is there already.", "%s is not there, and nothing is declared to be in it", p.where)
	}
}

// check holds what the file is to hold to the rules. What is declared and would fail is refused; of what was there before, the
// person is told.
func (p *planning) check() {
	k := &checker{Checks: Checks{Now: p.now, WarnDays: p.warnDays, Names: p.names, Anchors: p.anchors}}
	for _, t := range p.target.Trusted {
		k.Anchors = append(k.Anchors, t.Certificate)
	}
	var made []*x509.Certificate
	declared := map[string]bool{}
	for _, e := range p.entries {
		declared[fold(e.Alias)] = true
		if p.made[e.Alias] {
			made = append(made, e.made.announced())
			p.say("self-signed", planner.Note, "Its fingerprint is reported when it is made. Add it with trust to the keystore that whoever connects trusts by.",
				"entry %q: a self-signed certificate is made: whoever connects must trust this very certificate", e.Alias)
			continue
		}
		before := len(k.out)
		k.entry(p.target.Entry(e.Alias))
		if !slices.ContainsFunc(k.out[before:], func(x Problem) bool { return x.Severity == planner.Refuse }) {
			p.unambiguous(&e)
		}
	}
	for _, t := range p.trusted {
		alias := len(k.out)
		k.dates("", t.Certificate, true)
		k.strength("", t.Certificate, true)
		for i := range k.out[alias:] {
			k.out[alias+i].Summary = fmt.Sprintf("trusted certificate %q: %s", t.Alias, k.out[alias+i].Summary)
		}
	}
	k.names(p.target.Entries, made)
	p.add(k.out...)
	p.add(p.found...)
	p.checkOthers(declared)
}

// unambiguous: what is written is read as it was meant.
func (p *planning) unambiguous(e *wantedEntry) {
	read := p.read.Entry(e.Alias)
	if read == nil || e.made != nil || len(read.Chain) >= len(e.Chain) && sameChain(read.Chain[:len(e.Chain)], e.Chain) {
		return
	}
	p.say("ambiguous-chain", planner.Refuse,
		byName+" Give one of the two, take the other out of the file (keep_others = false), or use a jks keystore.",
		"entry %q: a PKCS#12 file cannot hold its chain beside another certificate of the same name", e.Alias)
}

// checkOthers looks at what the file has and is not declared.
func (p *planning) checkOthers(declared map[string]bool) {
	k := &checker{Checks: Checks{Now: p.now, WarnDays: p.warnDays}}
	for i := range p.target.Entries {
		e := &p.target.Entries[i]
		if declared[fold(e.Alias)] {
			continue
		}
		if e.Sealed {
			p.say("other-key-password", planner.Warn, "It is kept as it is, and its password too.", "entry %q: the password of the keystore does not open its key", e.Alias)
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

// namesakes: what is declared brings a certificate with the name of one in the chain of an entry that is not. One with the same
// key, as when an authority's certificate was renewed, does no harm.
func (p *planning) namesakes(e *Entry) {
	read := p.read.Entry(e.Alias)
	if len(p.changes) == 0 || read == nil || len(read.Chain) >= len(e.Chain) && sameChain(read.Chain[:len(e.Chain)], e.Chain) {
		return
	}
	k := &checker{Checks: Checks{Now: p.now, Anchors: read.Chain}}
	k.chain(read)
	if slices.ContainsFunc(k.out, func(x Problem) bool { return x.Severity == planner.Refuse }) {
		p.say("ambiguous-chain", planner.Refuse, byName+" Use a keystore of its own for one of the two, or a jks keystore.",
			"entry %q is not declared, and would get a wrong chain: another certificate of the same name is declared", e.Alias)
		return
	}
	p.say("ambiguous-chain", planner.Warn, byName, "entry %q is not declared, and gets another chain: %s", e.Alias, chainNames(read.Chain))
}

const byName = "Java finds the issuers in a PKCS#12 file by their names alone, and takes the first."

// notes are what the person must know of the file.
func (p *planning) notes() {
	if others := p.others(); len(others) > 0 && p.keepOthers {
		p.say("unknown-alias", planner.Note, "Declare it, or let it be removed with keep_others = false.", "%s also has %s; it stays", p.where, some(others))
	} else if len(others) > 0 {
		p.say("unknown-alias", planner.Warn, "It is not declared, and keep_others is false: "+strings.Join(others, ", ")+". A backup of the file stays beside it.",
			"%s is removed from %s", some(others), p.where)
	}
	if len(p.have.Doubles) > 0 {
		p.say("duplicate-alias", planner.Warn, "Java sees the last of them alone.", "%s has the alias %s more than once", p.where, quoted(p.have.Doubles))
	}
	for _, l := range p.have.Loose {
		if p.keepOthers && !slices.ContainsFunc(p.trusted, func(d Trusted) bool { return d.Certificate.Equal(l.Certificate) }) {
			p.say("untrusted-certificate", planner.Note, "openssl writes certificates without Java's mark of trust. Declare it with trust, and it gets the mark.",
				"%s has %s in it, which Java neither shows nor trusts", p.where, l.Certificate.Name())
		}
	}
	if p.format == JKS {
		p.capitals()
	}
	if p.f.Sum != "" && p.have.Format != p.format {
		p.say("other-format", planner.Warn, fmt.Sprintf("Java reads both by either name. If it is to stay what it is, declare keystore %q.", string(p.have.Format)),
			"%s is in truth %s; it is written anew as %s", p.where, p.have.Format, p.format)
	}
	if len(p.changes) == 0 && p.have.Weak {
		p.say("weak-protection", planner.Note, "Whoever gets hold of the file can break it. It is protected better when it is next written.", "%s is encrypted with RC2 or RC4", p.where)
	}
	if len(p.changes) == 0 && p.f.Sum != "" && p.have.Format == PKCS12 && p.have.Unprotected {
		p.say("unprotected", planner.Note, "It gets one when it is next written.", "%s has no MAC: a change to it does not show", p.where)
	}
	p.passwords()
}

// leastPassword is what keytool wants.
const leastPassword = 6

// passwords: what keytool, and Java, take for one.
func (p *planning) passwords() {
	if len([]rune(p.password)) < leastPassword {
		p.say("short-password", planner.Warn, "keytool refuses to write a keystore with it, and it is found out quickly.", "the password has fewer than %d characters", leastPassword)
	}
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	if len(p.changes) > 0 && strings.ContainsFunc(p.password, odd) {
		p.say("password-characters", planner.Refuse, "Choose one of letters, digits and signs of ASCII.", "the password has characters that Java does not take in the password of a keystore")
	}
}

// capitals: JKS has none.
func (p *planning) capitals() {
	var with []string
	for _, kind := range p.spelled {
		if kind != fold(kind) {
			with = append(with, kind)
		}
	}
	if len(with) > 0 {
		p.say("alias-case", planner.Note, "Java knows no capitals in aliases, and writes small letters in a JKS.", "aliases are written in small letters: %s", quoted(with))
	}
}

// step writes the file.
func (p *planning) step() planner.Step {
	var what, why []string
	e := planner.Effect{}
	for _, c := range p.changes {
		what = append(what, c.String())
		why = append(why, c.what+": "+c.why)
		switch {
		case !c.alias:
		case c.kind == adds:
			e.Add++
		case c.kind == removes:
			e.Destroy++
		default:
			e.Change++
		}
	}
	if e == (planner.Effect{}) { // the file alone
		e.Change = 1
	}
	s := planner.Step{
		Op: opWrite, Repeat: planner.CheckFirst, Facts: []planner.Fact{{Name: fileFact, Value: p.f.file()}},
		Exclusive: []string{product + " " + p.where}, Effect: &e,
	}
	if p.f.Sum == "" {
		s.Mark, s.Summary, s.Because = planner.MarkAdd, fmt.Sprintf("make the %s keystore %s for Java %d: %s", p.format, p.where, p.java, some(what)), "it is not there"
		s.Undo = "delete the file"
	} else {
		s.Mark, s.Summary, s.Because = planner.MarkChange, fmt.Sprintf("change the %s keystore %s: %s", p.format, p.where, some(what)), reasons(why)
		s.Undo = "put the backup in its place that is beside it, named by the time"
		if e.Destroy > 0 {
			e.Loses = "what is removed is in the backup alone"
		}
	}
	s.Summary, s.Because = oneLine(s.Summary), oneLine(s.Because)
	return s
}

func reasons(why []string) string {
	if len(why) > mostNamed {
		return strings.Join(why[:mostNamed], "; ") + fmt.Sprintf("; and %d more", len(why)-mostNamed)
	}
	return strings.Join(why, "; ")
}
