package teamworkcloud

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
	"github.com/syncctl/syncctl/schema"
)

// find adds what a rule says. One that is about a step names it, if the plan has it.
func (e *encrypting) find(rule string, severity planner.Severity, op, detail, format string, args ...any) {
	if !slices.ContainsFunc(e.l.Steps, func(s planner.Step) bool { return s.Op == op }) {
		op = ""
	}
	e.out = append(e.out, planner.Finding{Rule: product + "/" + rule, Severity: severity, Op: op, Summary: wording.OneLine(fmt.Sprintf(format, args...)), Detail: detail})
}

// findings are what the product's rules say about a server's encryption as it is declared and as it stands.
func (e *encrypting) findings() {
	if e.recipe.Name == "" {
		e.find("tls-version", planner.Refuse, "", "Update the server to 2024x or later. The oldest page there is names no version: recipe = \"seed\" follows it all the same.", "%s: %s", e.addr(), e.f.Why)
		return
	}
	if len(e.l.Steps) > 0 {
		e.find("tls-recipe", planner.Note, "", e.recipe.words(), "%s follows the vendor's recipe %s, since %s", e.addr(), e.recipe.Name, e.f.Why)
	}
	if e.recipe.Name == "seed" && !e.f.Server.Release.IsZero() {
		e.find("tls-recipe", planner.Warn, "", "What the page leaves open, the proof by a handshake shows.", "the recipe seed is followed on %s, and its page names no version", e.f.Server.String())
	}
	e.keystoreFindings()
	e.portFindings()
	e.fileFindings()
	e.storeFindings()
	e.serviceFindings()
}

// words are what a recipe has done, for a person.
func (r recipe) words() string {
	out := []string{"the encrypted port gets the keystore"}
	if r.Settings {
		out = append(out, "twc.client.* and "+keySync+" are set on both ends")
	}
	if r.Keystore {
		out = append(out, "others' certificates go into configuration/keystore.p12")
	}
	if r.Javas {
		out = append(out, "those of an authority of one's own, and self-signed ones, go into the trust stores of both Javas")
	}
	return r.Page + ": " + strings.Join(out, "; ") + "."
}

func (e *encrypting) keystoreFindings() {
	k := &e.f.Keystore
	made := madeEntries(keystoreOf(e.r))
	switch n := len(k.Entries) + made; {
	case n == 0:
		e.find("tls-entry", planner.Refuse, "", "Declare an entry with key and certificate in it.", "%s has no key, so %s has nothing to present", k.Addr, e.addr())
		return
	case n > 1:
		e.find("tls-entry", planner.Warn, opEncryptedPort, "No page says which one a server takes. The handshake shows it.", "%s has %d keys", k.Addr, n)
	}
	name, _ := connect.Declared(e.r).Peer()
	var have []string
	for _, one := range k.Entries {
		if one.Covers {
			return
		}
		have = append(have, fmt.Sprintf("%s is for %s", one.Name, one.For))
	}
	if len(have) > 0 && made == 0 {
		e.find("tls-name", planner.Refuse, "", "Have a certificate issued that has it among its alternative names (subjectAltName), or correct sync_address.",
			"other servers connect to %s as %s, and no certificate of %s is for that: %s", e.addr(), name, k.Addr, strings.Join(wording.FirstTen(have), "; "))
	}
}

// madeEntries counts the entries of a keystore that are self-signed and not made yet.
func madeEntries(decl *schema.Resource) int {
	_, made, err := keystore.Declared(decl)
	if err != nil {
		return 0
	}
	return made
}

func (e *encrypting) portFindings() {
	p := &e.f.Port
	if !p.Known && e.uploads() {
		e.find("tls-rights", planner.Refuse, "", "Give the user a role with the permission Configure Server, or let its token be that of one who has it.",
			"%s may not look after the encrypted port of %s", share.OrNobody(e.f.Server.User), e.addr())
	}
	if p.Want == e.f.Server.PlainPort {
		e.find("tls-port", planner.Refuse, "", "Declare another one; the vendor's is 10002.", "port %d of %s is that for clients without encryption", p.Want, e.addr())
	}
	if p.Enabled && p.Port == p.Want && e.certificate() == "" && p.Shown != nil {
		e.find("tls-unseen", planner.Warn, opEncryptedPort, "It is taken to be the keystore's. Let this machine, or the server's own (host), get to the port.",
			"which certificate port %d of %s presents cannot be seen: %s", p.Port, e.addr(), p.Shown.Why)
	}
	if e.uploads() && !p.Enabled {
		e.find("tls-plain-port", planner.Note, opEncryptedPort, "Block it with a firewall where nobody is to connect unencrypted (MCS 247047270).",
			"port %d of %s, without encryption, stays open", cmp.Or(e.f.Server.PlainPort, connect.PlainPort), e.addr())
	}
	if jks := keystoreOf(e.r).Addr.Type == string(keystore.JKS); jks && e.uploads() {
		e.find("tls-format", planner.Note, opEncryptedPort, "The example in its interface is one; newer pages have PKCS#12.", "%s is given a JKS keystore", e.addr())
	}
}

func (e *encrypting) fileFindings() {
	for i := range e.f.Files {
		f := &e.f.Files[i]
		if f.Problem != "" {
			e.find("tls-file", planner.Refuse, "", "Mend the file, or say where it is: application_conf and webappplatform_properties in host.", "%s on %s cannot be edited: %s", f.Path, e.f.Machine, f.Problem)
			continue
		}
		for _, v := range f.Values {
			at := fmt.Sprintf("%s in line %d of %s", v.Key, v.Line, f.Path)
			switch {
			case v.Secret && v.Sealed:
				e.find("tls-sealed", planner.Note, "", "It is left as it is. When the password of the keystore changes, it has to be encrypted anew by hand.", "%s is encrypted (ENC), so that nobody but the server can tell whether it is right", at)
			case v.Secret && !v.Same:
				e.find("tls-clear", planner.Note, "", "The vendor's encryptor can encrypt it afterwards (MCS 247046637); ENC(...) is left as it is.", "%s gets the password of the keystore in clear text, as the page has it", f.Path)
			}
		}
	}
}

func (e *encrypting) storeFindings() {
	for i := range e.f.Stores {
		s := &e.f.Stores[i]
		if s.Problem != "" {
			e.find("tls-store", planner.Refuse, "", "Correct trust_stores or its password in sync_tls.", "%s on %s cannot be used: %s", s.Path, e.f.Machine, s.Problem)
		}
		for _, h := range s.Hindrances {
			e.find("tls-store", planner.Refuse, "", h.Detail, "%s on %s: %s", s.Path, e.f.Machine, h.Summary)
		}
	}
	stores := texts(e.r.Get("sync_tls", "trust_stores"))
	switch {
	case len(e.f.Trust) == 0 || e.f.Machine == "":
	case e.recipe.Javas && len(stores) == 0:
		e.find("tls-trust-stores", planner.Refuse, "", "Write trust_stores = [...]: cacerts of Teamwork Cloud's Java, and of the web application's (lib/security/cacerts under each).",
			"%s is to trust %s, and where its Javas look is not declared", e.addr(), wording.QuotedList(e.f.Trust))
	case e.recipe.Javas && len(stores) == 1:
		e.find("tls-trust-stores", planner.Warn, "", "The page has it done twice, with each of the two. Where both are one Java, all is well.", "one trust store of %s is declared, and Teamwork Cloud and the web application have a Java each", e.addr())
	}
	if !e.recipe.Keystore || filesOf(e.r, e.f.Server.Release).keystore != e.f.Keystore.Path {
		return
	}
	if missing := e.untrustedByKeystore(); len(missing) > 0 {
		e.find("tls-trust", planner.Refuse, "", "Declare them with trust in the keystore: two declarations cannot write one file.", "%s is to trust %s by %s, which is the file of %s", e.addr(), wording.QuotedList(missing), e.f.Keystore.Path, e.f.Keystore.Addr)
	}
}

// untrustedByKeystore are aliases of what is declared to be trusted and not by the keystore itself.
func (e *encrypting) untrustedByKeystore() []string {
	declared, _, err := keystore.Declared(keystoreOf(e.r))
	if err != nil {
		return nil
	}
	var out []string
	for _, t := range trusted(e.r) {
		if !declared.Trusts(t.Certificate) {
			out = append(out, t.Alias)
		}
	}
	return out
}

// serviceFindings are about starting the services again.
func (e *encrypting) serviceFindings() {
	planned := slices.ContainsFunc(e.l.Steps, func(s planner.Step) bool { return s.Op == opStart+atServer })
	u := commandsOf(e.r, e.f.Server.Release)
	if e.f.Server.Nodes > 1 && len(e.l.Steps) > 0 {
		e.find("tls-nodes", planner.Warn, "", "Settings and trust stores lie on each of them: do the same there by hand, and have host.stop and host.start speak to all of them.",
			"%s has %d nodes, and one machine at the most is declared", e.addr(), e.f.Server.Nodes)
	}
	if !planned {
		for _, name := range e.unread() {
			e.find("tls-restart", planner.Warn, "", "If that was about encryption, start the services again: "+machine.JoinLines(append(slices.Clone(u.Stop), u.Start...)...),
				"%s on %s was changed after the services were started (%s): what it says now may not be in effect", name, e.f.Machine, e.f.Since.UTC().Format("2006-01-02 15:04 UTC"))
		}
		return
	}
	in, allowed := &e.f.In, isTrue(e.r, "sync_tls", "allow_logged_in")
	switch {
	case !in.Known && !allowed:
		e.find("logged-in", planner.Note, opAnnounce+atServer, "", "%s may not see who is logged in to %s, so a person says that nobody is", share.OrNobody(e.f.Server.User), e.addr())
	case len(in.Users) > 0 && allowed:
		e.find("logged-in", planner.Warn, opIdle+atServer, "allow_logged_in = true", "logged in to %s now: %s; they are cut off when its services stop", e.addr(), wording.List(in.Users))
	case len(in.Users) > 0:
		e.find("logged-in", planner.Warn, opIdle+atServer, "Its services are stopped only once nobody else is.", "logged in to %s now: %s", e.addr(), wording.List(in.Users))
	}
}

// unread are files that were changed after the services that read them had started.
func (e *encrypting) unread() []string {
	if e.f.Since.IsZero() {
		return nil
	}
	var out []string
	for _, f := range e.f.Files {
		if f.Modified.After(e.f.Since) {
			out = append(out, f.Path)
		}
	}
	for _, s := range e.f.Stores {
		if s.Modified.After(e.f.Since) {
			out = append(out, s.Path)
		}
	}
	return out
}
