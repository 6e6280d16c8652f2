package teamworkcloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// finder collects what a person must know of a sync.
type finder struct {
	*syncPlan
	steps *list
	out   []planner.Finding
	todo  map[*standing]bool // what is configured by this plan
}

// findings are what the product's rules say about the sync as it is declared and the servers as they are. Those that are about a
// step name it if l has it.
func (p *syncPlan) findings(l *list) []planner.Finding {
	f := &finder{syncPlan: p, steps: l, todo: map[*standing]bool{}}
	for _, s := range p.unconfigured() {
		f.todo[s] = true
	}
	if p.sync.Text("state") == survey.Removed {
		f.forgottenUnknown()
		return f.out
	}
	f.versions()
	f.login()
	f.encryption()
	f.selection()
	f.directions()
	f.resources()
	f.targetSide()
	f.progress()
	f.drift()
	f.forgottenUnknown()
	return f.out
}

func (f *finder) add(rule string, severity planner.Severity, op, summary, detail string) {
	if !slices.ContainsFunc(f.steps.steps, func(s planner.Step) bool { return s.Op == op }) {
		op = ""
	}
	f.out = append(f.out, planner.Finding{Rule: product + "/" + rule, Severity: severity, Op: op, Summary: wording.OneLine(summary), Detail: detail})
}

func (f *finder) refuse(rule, detail, format string, args ...any) {
	f.add(rule, planner.Refuse, "", fmt.Sprintf(format, args...), detail)
}

func (f *finder) warn(rule, detail, format string, args ...any) {
	f.add(rule, planner.Warn, "", fmt.Sprintf(format, args...), detail)
}

// says is a server with the version that it names.
func (s *serverFacts) says() string {
	if s.Release.IsZero() {
		if s.Major != "" {
			return fmt.Sprintf("%s (%s by its database %s)", s.Addr, s.Major, s.Keyspace)
		}
		return s.Addr + " (version unknown)"
	}
	return fmt.Sprintf("%s (%s)", s.Addr, s.Release)
}

// versions: which releases can do this at all.
func (f *finder) versions() {
	src, tgt := &f.facts.Source, &f.facts.Target
	f.expected("source", src)
	f.expected("target", tgt)
	if src.Major != "" && tgt.Major != "" && src.Major != tgt.Major {
		f.refuse("major", "Resources are synchronized only between servers of one major version; refreshes and hot fixes may differ ("+syncPage+"). Update one of the two first.",
			"source %s is %s and target %s is %s: not the same major version", src.says(), src.Major, tgt.says(), tgt.Major)
	}
	for _, s := range []*serverFacts{src, tgt} {
		if s.Release.IsZero() {
			f.warn("version-unreadable", fmt.Sprintf("It says %q. What depends on the refresh is taken as in new releases: compare the versions yourself.", wording.OneLine(s.Text)),
				"the version of %s cannot be made out", s.says())
		}
		if s.Release.OlderThan(osmc.Sync2021R2) {
			f.refuse("sync-version", "Synchronization of resources came with 2021x Refresh2. Update the server first.", "%s has no synchronization of resources yet", s.says())
		}
	}
	f.multiHop(src, tgt)
	_, encrypted := f.sourceAddress()
	f.tlsVersion(encrypted)
}

func (f *finder) expected(end string, s *serverFacts) {
	want := f.sync.Ref(end).Text("expect", "major")
	if want != "" && s.Major != "" && !strings.EqualFold(want, s.Major) {
		f.refuse("major-expected", "Change expect { major } there if the server has been updated, or the url if it is another server.",
			"%s %s expects major version %s and is %s", end, s.Addr, want, s.says())
	}
}

// multiHop: what is a copy itself can be synchronized further from 2022x Refresh2 on (VN 272742674).
func (f *finder) multiHop(src, tgt *serverFacts) {
	hops := []*serverFacts{tgt, src}
	for i := range f.facts.Chain {
		hops = append(hops, &f.facts.Chain[i].Source)
	}
	if len(f.facts.Chain) == 0 && len(f.facts.Feeds) == 0 {
		return
	}
	var old []string
	for _, s := range hops {
		if s.Release.OlderThan(osmc.MultiHop2022R2) {
			old = append(old, s.says())
		}
	}
	if len(old) > 0 {
		f.refuse("multi-hop", "Synchronized resources can be synchronized further from 2022x Refresh2 on, on every server of the chain. Update first, or synchronize from where the resources come from.",
			"several hops, and %s cannot take part", strings.Join(old, ", "))
	}
	for _, o := range f.facts.Feeds {
		f.warn("no-upstream", "Write upstream = "+o.Chain[0]+", so that this one is planned and verified after it.",
			"%s brings %s to %s, from where it is synchronized further", o.Chain[0], wording.QuotedList(o.Resources), src.Addr)
	}
}

// login: how the target reaches the source.
func (f *finder) login() {
	src, tgt := f.coming(atSource), f.coming(atTarget)
	if src.User == "" {
		f.refuse("source-user", "A remote resource configuration logs in to the source with a user name and password: write user beside the token.", "whom %s is reached as is not known", src.Addr)
	}
	_, port := syncAddress(f.sync.Ref("source"))
	_, encrypted := f.sourceAddress()
	address := fmt.Sprintf("sync_address %q of %s", f.sync.Ref("source").Text("sync_address"), src.Addr)
	if f.sync.Ref("source").Text("sync_address") == "" {
		address = "the address of " + src.Addr + " (it has no sync_address)"
	}
	plain, tls := number(src.PlainPort), number(src.TLSPort)
	switch {
	case !src.Ports:
	case encrypted && src.TLSPort == 0:
		f.warn("login-port", "Switch it on in Settings, Server settings.", "the synchronization is encrypted, and %s names no port for encrypted clients", src.Addr)
	case port == "" && encrypted && tgt.Ports && tgt.TLSPort != src.TLSPort:
		f.refuse("login-port", fmt.Sprintf("Without a port the target logs in to the source with its own port for encrypted clients, %d (%s). Write sync_address = \"HOST:%d\".", tgt.TLSPort, syncPage, src.TLSPort),
			"%s has no port, and the ports for encrypted clients differ: %s has %d, %s has %d", address, src.Addr, src.TLSPort, tgt.Addr, tgt.TLSPort)
	case port == "" || encrypted && port == tls || !encrypted && port == plain:
	case encrypted && port == plain:
		f.refuse("login-port", fmt.Sprintf("Write sync_address = \"HOST:%s\", or tls = false.", tls), "%s has the port for clients without encryption, and the synchronization is encrypted", address)
	case !encrypted && port == tls:
		f.refuse("login-port", fmt.Sprintf("Write sync_address = \"HOST:%s\", or tls = true.", plain), "%s has the port for encrypted clients, and the synchronization is not encrypted", address)
	default:
		f.warn("login-port", "A firewall may translate it. If not, the login will fail.", "%s has none of the server's ports for clients (%s)", address, portWords(src))
	}
}

// coming is a server with the ports that it is going to have.
func (f *finder) coming(end string) *serverFacts {
	s := f.facts.Target
	if end == atSource {
		s = f.facts.Source
	}
	if server := f.sync.Ref(end); encrypts(server) {
		s.TLSPort = declaredPort(server, s.TLSPort)
	}
	return &s
}

func portWords(s *serverFacts) string {
	words := fmt.Sprintf("%d without encryption", s.PlainPort)
	if s.TLSPort != 0 {
		words += fmt.Sprintf(", %d with it", s.TLSPort)
	}
	return words
}

// selection: what is declared is there, and what comes with it.
func (f *finder) selection() {
	for i := range f.items {
		s := &f.items[i]
		at := fmt.Sprintf("%s[%d] %q", listOf(s.Kind), s.Index, s.Declared)
		switch {
		case s.Problem != "":
			detail := "Write it as it is called there, with its category path, or as its id."
			if len(s.Similar) > 0 {
				detail = "Did you mean " + strings.Join(quotes(s.Similar), " or ") + "? " + detail
			}
			f.refuse("not-found", detail, "%s: %s", at, s.Problem)
			continue
		case s.isRemoved():
			f.removedResource(at, s)
			continue
		case s.waits != "":
			f.add("waits-upstream", planner.Warn, "", fmt.Sprintf("%s is not on %s yet: %s", at, f.facts.Source.Addr, s.waits), "It is configured by the first plan after that.")
		}
		if len(s.Hidden) > 0 {
			f.refuse("readable", "Give the user the role Resource Reviewer on the category: a configuration brings only what its user may read ("+wizardPage+").",
				"%s: user %s of %s may not read %s in it: %s", at, f.facts.Source.User, f.facts.Source.Addr, wording.Plural(len(s.Hidden), "resource"), wording.List(s.Hidden))
		}
		if s.Kind == kindCategory && len(s.Removed) > 0 {
			f.add("removed-marked", planner.Note, "", fmt.Sprintf("%s: marked as deleted on %s and not synchronized: %s", at, f.facts.Source.Addr, wording.QuotedList(s.Removed)), "")
		}
		if s.Kind == kindCategory && f.todo[s] {
			f.holds(at, s)
		}
	}
}

func listOf(kind string) string {
	return map[string]string{kindCategory: "categories", kindResource: "resources"}[kind]
}

func quotes(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, fmt.Sprintf("%q", w))
	}
	return out
}

func (f *finder) removedResource(at string, s *standing) {
	if slices.ContainsFunc(f.facts.Held, func(h heldFacts) bool { return h.ID == s.ID }) {
		f.warn("removed-marked", "What is marked as deleted is not synchronized (VN 261624215). Its copy stays as it is; take it out of the declaration, or restore it on the source.",
			"%s is marked as deleted on %s", at, f.facts.Source.Addr)
		return
	}
	f.refuse("removed-marked", "What is marked as deleted is not synchronized (VN 261624215). Restore it on the source, or take it out of the declaration.",
		"%s is marked as deleted on %s", at, f.facts.Source.Addr)
}

// holds: what a category brings now; later it brings what is put into it.
func (f *finder) holds(at string, s *standing) {
	var all []string
	revisions, come := 0, 0
	for i := range s.Resource {
		r := &s.Resource[i]
		all = append(all, r.Name)
		revisions += r.Source.Revisions
		if !r.Target.There {
			come++
		}
	}
	summary := fmt.Sprintf("%s of %s holds nothing now", at, f.facts.Source.Addr)
	if len(all) > 0 {
		summary = fmt.Sprintf("%s of %s holds %s now (%s): %s", at, f.facts.Source.Addr, wording.Plural(len(all), "resource"), wording.Plural(revisions, "revision"), wording.List(all))
	}
	detail := fmt.Sprintf("%d of them are not on %s yet and will come.", come, f.facts.Target.Addr)
	if come == 0 {
		detail = "None of them is new to " + f.facts.Target.Addr + "."
	}
	f.add("holds", planner.Note, s.op, summary, detail+" What is put into the category later comes too.")
}

// directions: a resource goes one way, and reaches a server by one way.
func (f *finder) directions() {
	for _, o := range f.facts.Loops {
		f.refuse("one-direction", "A resource is synchronized in one direction, and a copy cannot be edited ("+syncPage+"). Take it out of one of the declarations.",
			"%s would come back to %s: %s", wording.QuotedList(o.Resources), f.facts.Source.Addr, strings.Join(o.Chain, " -> "))
	}
	for _, o := range f.facts.Twice {
		f.refuse("twice", "Two configurations cannot keep one resource. Take it out of one of the declarations.",
			"%s brings %s to %s too", o.Chain[0], wording.QuotedList(o.Resources), f.facts.Target.Addr)
	}
	by := map[string]*standing{}
	for i := range f.items {
		for _, r := range f.items[i].Resource {
			if first := by[r.ID]; first != nil {
				f.refuse("twice", "Two configurations cannot keep one resource. A category brings all that is in it: take the resource out of the list.",
					"resource %q is selected by %s %q and by %s %q", r.Name, first.Kind, first.Declared, f.items[i].Kind, f.items[i].Declared)
				continue
			}
			by[r.ID] = &f.items[i]
		}
	}
}

func (f *finder) forgottenUnknown() {
	for _, key := range f.forgotten() {
		if _, ok := f.facts.Known[key]; ok {
			continue
		}
		op, at := f.lastConfigured(key)
		f.warn("left-configuration", "See the step in the report of that run, and delete the configuration on the page if it is still there.",
			"run %s has configured something (%s) that is neither declared nor on %s any more", at.Run, op, f.facts.Source.Addr)
	}
}
