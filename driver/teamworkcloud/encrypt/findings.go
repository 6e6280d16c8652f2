package encrypt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// finder collects the findings about a server's encryption.
type finder struct {
	*state

	q   *planner.Sequence
	out []planner.Finding
}

// add adds a finding. A finding about a step names the step only if it is in the plan.
func (f *finder) add(rule string, severity planner.Severity, op, detail, format string, args ...any) {
	if !f.plans(op) {
		op = ""
	}
	f.out = append(f.out, planner.Finding{
		Rule: product + "/" + rule, Severity: severity, Op: op, Detail: detail,
		Summary: wording.OneLine(fmt.Sprintf(format, args...)),
	})
}

// plans reports whether the plan has a step.
func (f *finder) plans(op string) bool {
	return slices.ContainsFunc(f.q.Steps, func(s planner.Step) bool { return s.Op == op })
}

func (s *state) findings(q *planner.Sequence) []planner.Finding {
	f := &finder{state: s, q: q}
	if s.recipe.Name == "" {
		f.add(share.RuleTLSVersion, planner.Refuse, "", "Update the server to 2024x or later. The oldest page names no "+
			"version: recipe = \"seed\" follows it all the same.", "%s: %s", s.addr(), s.why)
		return f.out
	}
	if len(q.Steps) > 0 {
		f.add(ruleTLSRecipe, planner.Note, "", s.recipe.words(), "%s follows the vendor's recipe %s, since %s", s.addr(),
			s.recipe.Name, s.why)
	}
	if s.recipe.Name == "seed" && !s.about.Release.IsZero() {
		f.add(ruleTLSRecipe, planner.Warn, "", "What the page leaves open, the proof by a handshake shows.",
			"the recipe seed is followed on %s, and its page names no version", s.about.String())
	}
	f.keystoreFindings()
	f.portFindings()
	f.fileFindings()
	f.storeFindings()
	f.serviceFindings()
	return f.out
}

func (f *finder) keystoreFindings() {
	k := &f.keystore
	switch n := len(k.entries) + k.made; {
	case n == 0:
		f.add(ruleTLSEntry, planner.Refuse, "", "Declare an entry with key and certificate in it.",
			"%s has no key, so %s has nothing to present", k.addr, f.addr())
		return
	case n > 1:
		f.add(ruleTLSEntry, planner.Warn, openPort.Name, "No page says which one a server takes. The handshake shows it.",
			"%s has %d keys",
			k.addr, n)
	}
	name, _ := f.server.Peer()
	var have []string
	for _, entry := range k.entries {
		leaf := entry.Chain[0]
		if _, err := leaf.X509(); err != nil || leaf.Covers(name) == nil { // an unreadable certificate may cover it
			return
		}
		have = append(have, fmt.Sprintf("%s covers %s", leaf.Name(), namesOf(leaf)))
	}
	if len(have) > 0 && k.made == 0 {
		f.add(ruleTLSName, planner.Refuse, "",
			"Have a certificate issued that has it as an alternative name (subjectAltName), or correct sync_address.",
			"other servers connect to %s as %s, and no certificate of %s covers that: %s", f.addr(), name, k.addr,
			strings.Join(wording.FirstTen(have), "; "))
	}
}

func (f *finder) portFindings() {
	plain := cmp.Or(f.about.PlainPort, connect.PlainPort)
	if !f.port.Known && f.uploads() {
		f.add(ruleTLSRights, planner.Refuse, "",
			"Give the user a role with the permission Configure Server, or use the token of a user who has it.",
			"%s may not manage the encrypted port of %s", f.user(), f.addr())
	}
	if f.want == f.about.PlainPort {
		f.add(ruleTLSPort, planner.Refuse, "", "Declare another one; the vendor's is 10002.",
			"port %d of %s is that for clients without encryption", f.want, f.addr())
	}
	if f.port.Enabled && f.port.Port == f.want && f.certificate() == unknown && f.shown != nil {
		f.add(ruleTLSUnseen, planner.Warn, openPort.Name,
			"It is taken to be the keystore's. Let this machine, or the server's own (host), reach the port.",
			"it is unknown which certificate port %d of %s presents: %s", f.port.Port, f.addr(), f.shown.Why)
	}
	if f.uploads() && !f.port.Enabled {
		f.add(ruleTLSPlainPort, planner.Note, openPort.Name,
			"Block it with a firewall if nobody is to connect unencrypted (MCS 247047270).",
			"port %d of %s, without encryption, stays open", plain, f.addr())
	}
	if f.keystore.format == keystore.JKS && f.uploads() {
		f.add(ruleTLSFormat, planner.Note, openPort.Name, "The example in its interface is one; newer pages have PKCS#12.",
			"%s is given a JKS keystore", f.addr())
	}
}

func (f *finder) user() string { return cmp.Or(f.about.User, "the user") }

func (f *finder) fileFindings() {
	for i := range f.files {
		file := &f.files[i]
		if file.seen.Problem != "" {
			f.add(ruleTLSFile, planner.Refuse, "",
				"Repair the file, or say where it is: application_conf and webappplatform_properties in host.",
				"%s on %s cannot be edited: %s", file.path, f.machine, file.seen.Problem)
			continue
		}
		f.passwordFindings(file)
		for j := range file.want {
			want := &file.want[j]
			said := valueIn(file.seen.Values, want.key)
			switch {
			case want.secret != "" && said.Sealed:
				f.add(ruleTLSSealed, planner.Note, "",
					"It is left as it is. When the password of the keystore changes, encrypt the new one by hand.",
					"%s in line %d of %s is encrypted (ENC), so only the server can tell whether it is right",
					want.key, said.Line, file.path)
			case want.secret != "" && !want.isSet(file.seen.Values):
				f.add(ruleTLSClear, planner.Note, "",
					"The vendor's encryptor can encrypt it afterwards (MCS 247046637); ENC(...) is left as it is.",
					"%s gets the password of the keystore in clear text, as the page has it", file.path)
			}
		}
	}
}

// passwordFindings are about who can read a password in a settings file or its backup.
func (f *finder) passwordFindings(file *fileState) {
	had := valueIn(file.seen.Values, keyPassword)
	missing := file.missing(file.seen.Values)
	gets := slices.ContainsFunc(missing, func(s *setting) bool { return s.secret != "" })
	inClear := had.Set && !had.Sealed
	if file.seen.Exposed && (gets || inClear) {
		f.add(ruleTLSReadable, planner.Warn, "",
			"Let only the user of the web application read it, and its backups (*.bak) beside it; syncctl keeps the mode of "+
				"the file.", "every user of %s may read %s, which has the password of the keystore in clear text", f.machine,
			file.path)
	}
	if inClear && len(missing) > 0 {
		f.add(ruleTLSBackup, planner.Note, "", "Remove it once the services run as they should.",
			"the backup of %s, made beside it, keeps the former password of the keystore in clear text", file.path)
	}
}

func (f *finder) storeFindings() {
	for _, store := range f.stores {
		if store.seen.Problem != "" {
			f.add(ruleTLSStore, planner.Refuse, "", "Correct trust_stores or its password in sync_tls.",
				"%s on %s cannot be used: %s",
				store.path, f.machine, store.seen.Problem)
			continue
		}
		for _, h := range store.seen.Store.Hindrances(f.trust) {
			f.add(ruleTLSStore, planner.Refuse, "", h.Detail, "%s on %s: %s", store.path, f.machine, h.Summary)
		}
	}
	stores := len(f.server.SyncTLS.TrustStores)
	switch {
	case len(f.trust) == 0 || f.server.Host == nil:
	case f.recipe.Javas && stores == 0:
		grade := planner.Refuse
		if f.recipe.Keystore { // the keystore gets the certificate in any case
			grade = planner.Warn
		}
		f.add(ruleTLSTrustStores, grade, "",
			"Write trust_stores = [...]: cacerts of Teamwork Cloud's Java, and of the web application's "+
				"(lib/security/cacerts under each).",
			"%s is to trust %s, and the trust stores of its Javas are not declared",
			f.addr(), wording.QuotedList(f.aliases()))
	case f.recipe.Javas && stores == 1:
		f.add(ruleTLSTrustStores, planner.Warn, "",
			"The page has it done twice, with each of the two. If both use one Java, ignore this.",
			"one trust store of %s is declared, and Teamwork Cloud and the web application have a Java each", f.addr())
	}
	if !f.recipe.Keystore || placesOf(f.server, f.about.Release).keystore != f.keystore.path {
		return
	}
	if missing := f.untrustedByKeystore(); len(missing) > 0 {
		f.add(ruleTLSTrust, planner.Refuse, "",
			"Declare them with trust in the keystore: two declarations cannot write one file.",
			"%s is to trust %s by %s, which is the file of %s", f.addr(), wording.QuotedList(missing), f.keystore.path,
			f.keystore.addr)
	}
}

func (s *state) aliases() []string {
	var out []string
	for _, t := range s.trust {
		out = append(out, t.Alias)
	}
	return out
}

// untrustedByKeystore returns the aliases of certificates that the server should trust but its keystore does not
// declare.
func (f *finder) untrustedByKeystore() []string {
	declared, _, err := keystore.Declared(f.server.SyncTLS.Keystore)
	if err != nil {
		return f.aliases()
	}
	var out []string
	for _, t := range f.trust {
		if !declared.Trusts(t.Certificate) {
			out = append(out, t.Alias)
		}
	}
	return out
}

// serviceFindings are about starting the services again.
func (f *finder) serviceFindings() {
	w := f.window()
	if f.about.Nodes > 1 && len(f.q.Steps) > 0 {
		f.add(ruleTLSNodes, planner.Warn, "",
			"Settings and trust stores are on each of them: make the same changes there by hand, and have host.stop and "+
				"host.start reach all of them.",
			"%s has %d nodes, and at most one machine is declared", f.addr(), f.about.Nodes)
	}
	if !f.plans(w.Op(machine.Start)) {
		for _, name := range f.unread() {
			f.add(ruleTLSRestart, planner.Warn, "", "If that was about encryption, start the services again:\n"+
				strings.Join(machine.Lines(append(slices.Clone(w.Commands.Stop), w.Commands.Start...)...), "\n"),
				"%s on %s was changed after the services were started (%s): the change may not be in effect", name, f.machine,
				f.since.UTC().Format("2006-01-02 15:04 UTC"))
		}
		return
	}
	switch {
	case !f.in.Known && !w.AllowLoggedIn:
		f.add(machine.RuleLoggedIn, planner.Note, w.Op(machine.Announce), "",
			"%s may not see who is logged in to %s, so a person says that nobody is",
			f.user(), f.addr())
	case len(f.in.Users) > 0 && w.AllowLoggedIn:
		f.add(machine.RuleLoggedIn, planner.Warn, w.Op(machine.Idle), "allow_logged_in = true",
			"logged in to %s now: %s; they are cut off when its services stop", f.addr(), wording.List(f.in.Users))
	case len(f.in.Users) > 0:
		f.add(machine.RuleLoggedIn, planner.Warn, w.Op(machine.Idle), "Its services are stopped only once nobody else is.",
			"logged in to %s now: %s", f.addr(), wording.List(f.in.Users))
	}
}

// unread returns the files that were changed after the services that read them were started.
func (f *finder) unread() []string {
	if f.since.IsZero() {
		return nil
	}
	var out []string
	for _, file := range f.files {
		if file.seen.Modified.After(f.since) {
			out = append(out, file.path)
		}
	}
	for _, store := range f.stores {
		if store.seen.Modified.After(f.since) {
			out = append(out, store.path)
		}
	}
	return out
}
