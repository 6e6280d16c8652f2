package share

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// finder collects the findings about a synchronization.
type finder struct {
	*Plan
	steps *planner.Sequence
	out   []planner.Finding
	todo  map[*Standing]bool // items that this plan configures
}

// Findings returns what the product's rules say about the synchronization as declared and the servers as they are. A
// finding about a step names it if q has the step.
func (p *Plan) Findings(q *planner.Sequence) []planner.Finding {
	f := &finder{Plan: p, steps: q, todo: map[*Standing]bool{}}
	for _, s := range p.unconfigured() {
		f.todo[s] = true
	}
	if p.Sync.IsRemoved() {
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
	if !slices.ContainsFunc(f.steps.Steps, func(s planner.Step) bool { return s.Op == op }) {
		op = ""
	}
	f.out = append(f.out, planner.Finding{Rule: product + "/" + rule, Severity: severity, Op: op,
		Summary: wording.OneLine(summary), Detail: detail})
}

func (f *finder) refuse(rule, detail, format string, args ...any) {
	f.add(rule, planner.Refuse, "", fmt.Sprintf(format, args...), detail)
}

func (f *finder) warn(rule, detail, format string, args ...any) {
	f.add(rule, planner.Warn, "", fmt.Sprintf(format, args...), detail)
}

// versions is about releases that do not support this.
func (f *finder) versions() {
	src, tgt := &f.Facts.Source, &f.Facts.Target
	f.expected("source", src)
	f.expected("target", tgt)
	if src.Major != "" && tgt.Major != "" && src.Major != tgt.Major {
		f.refuse(ruleMajor, "Resources are synchronized only between servers of one major version; refreshes and hot "+
			"fixes may differ ("+SyncPage+"). Update one of the two first.",
			"source %s is %s and target %s is %s: not the same major version", src.String(), src.Major, tgt.String(), tgt.Major)
	}
	for _, s := range []*survey.Server{src, tgt} {
		if s.Release.IsZero() {
			f.warn(ruleVersionUnreadable, fmt.Sprintf("It says %q. What depends on the refresh is taken as in new releases: "+
				"compare the versions yourself.", wording.OneLine(s.Text)),
				"the version of %s cannot be made out", s.String())
		}
		if s.Release.OlderThan(osmc.Sync2021R2) {
			f.refuse(ruleSyncVersion, "Synchronization of resources came with 2021x Refresh2. Update the server first.",
				"%s has no synchronization of resources yet", s.String())
		}
	}
	f.multiHop(src, tgt)
	_, encrypted := f.SourceAddress()
	f.tlsVersion(encrypted)
}

func (f *finder) expected(end string, s *survey.Server) {
	want := ""
	if expect := f.server(end).Expect; expect != nil {
		want = expect.Major
	}
	if want != "" && s.Major != "" && !strings.EqualFold(want, s.Major) {
		f.refuse(ruleMajorExpected, "Change expect { major } there if the server has been updated, or the url if it is "+
			"another server.",
			"%s %s expects major version %s and is %s", end, s.Addr, want, s.String())
	}
}

// multiHop is about copies that are synchronized further, which is possible from 2022x Refresh2 on (VN 272742674).
func (f *finder) multiHop(src, tgt *survey.Server) {
	hops := []*survey.Server{tgt, src}
	for i := range f.Facts.Chain {
		hops = append(hops, &f.Facts.Chain[i].Source)
	}
	if len(f.Facts.Chain) == 0 && len(f.Facts.Feeds) == 0 {
		return
	}
	var old []string
	for _, s := range hops {
		if s.Release.OlderThan(osmc.MultiHop2022R2) {
			old = append(old, s.String())
		}
	}
	if len(old) > 0 {
		f.refuse(ruleMultiHop, "Synchronized resources can be synchronized further from 2022x Refresh2 on, on every "+
			"server of the chain. Update first, or synchronize from where the resources come from.",
			"several hops, and %s cannot take part", strings.Join(old, ", "))
	}
	for _, o := range f.Facts.Feeds {
		f.warn(ruleNoUpstream, "Write upstream = "+o.Chain[0]+", so that this one is planned and verified after it.",
			"%s brings %s to %s, from where it is synchronized further", o.Chain[0], wording.QuotedList(o.Resources), src.Addr)
	}
}

// login is about how the target connects to the source.
func (f *finder) login() {
	src, tgt := f.coming(atSource), f.coming(atTarget)
	if src.User == "" {
		f.refuse(ruleSourceUser, "A remote resource configuration logs in to the source with a user name and password: "+
			"write user beside the token.", "whom %s is reached as is not known", src.Addr)
	}
	_, port := f.Sync.SourceServer().Peer()
	_, encrypted := f.SourceAddress()
	address := fmt.Sprintf("sync_address %q of %s", f.Sync.SourceServer().SyncAddress, src.Addr)
	if f.Sync.SourceServer().SyncAddress == "" {
		address = "the address of " + src.Addr + " (it has no sync_address)"
	}
	plain, tls := strconv.Itoa(src.PlainPort), strconv.Itoa(src.TLSPort)
	switch {
	case !src.Ports:
	case encrypted && src.TLSPort == 0:
		f.warn(ruleLoginPort, "Switch it on in Settings, Server settings.", "the synchronization is encrypted, and %s "+
			"names no port for encrypted clients", src.Addr)
	case port == "" && encrypted && tgt.Ports && tgt.TLSPort != src.TLSPort:
		f.refuse(ruleLoginPort, fmt.Sprintf("Without a port the target logs in to the source with its own port for "+
			"encrypted clients, %d (%s). Write sync_address = \"HOST:%d\".", tgt.TLSPort, SyncPage, src.TLSPort),
			"%s has no port, and the ports for encrypted clients differ: %s has %d, %s has %d", address, src.Addr,
			src.TLSPort, tgt.Addr, tgt.TLSPort)
	case port == "" || encrypted && port == tls || !encrypted && port == plain:
	case encrypted && port == plain:
		f.refuse(ruleLoginPort, fmt.Sprintf("Write sync_address = \"HOST:%s\", or tls = false.", tls),
			"%s has the port for clients without encryption, and the synchronization is encrypted", address)
	case !encrypted && port == tls:
		f.refuse(ruleLoginPort, fmt.Sprintf("Write sync_address = \"HOST:%s\", or tls = true.", plain),
			"%s has the port for encrypted clients, and the synchronization is not encrypted", address)
	default:
		f.warn(ruleLoginPort, "A firewall may translate it. If not, the login will fail.",
			"%s names no port that the server has for clients (%s)", address, portWords(src))
	}
}

// coming returns a server with the ports that it will have.
func (f *finder) coming(end string) *survey.Server {
	s := f.Facts.Target
	if end == atSource {
		s = f.Facts.Source
	}
	if server := f.server(end); server.SyncTLS != nil {
		s.TLSPort = server.EncryptedPort(s.TLSPort)
	}
	return &s
}

func portWords(s *survey.Server) string {
	words := fmt.Sprintf("%d without encryption", s.PlainPort)
	if s.TLSPort != 0 {
		words += fmt.Sprintf(", %d with it", s.TLSPort)
	}
	return words
}

// directions is about loops and duplicates: a resource goes in one direction, and reaches a server in one way.
func (f *finder) directions() {
	for _, o := range f.Facts.Loops {
		f.refuse(ruleOneDirection,
			"A resource is synchronized in one direction, and a copy cannot be edited ("+SyncPage+"). Take it out of one "+
				"of the declarations.",
			"%s would come back to %s: %s", wording.QuotedList(o.Resources), f.Facts.Source.Addr, strings.Join(o.Chain, " -> "))
	}
	for _, o := range f.Facts.Twice {
		f.refuse(ruleTwice, "Two configurations cannot keep one resource. Take it out of one of the declarations.",
			"%s brings %s to %s too", o.Chain[0], wording.QuotedList(o.Resources), f.Facts.Target.Addr)
	}
	by := map[string]*Standing{}
	for i := range f.Items {
		for _, r := range f.Items[i].Resources {
			if first := by[r.ID]; first != nil {
				f.refuse(ruleTwice, "Two configurations cannot keep one resource. A category brings all that is in it: take the "+
					"resource out of the list.",
					"resource %q is selected by %s %q and by %s %q", r.Name, first.Kind, first.Declared, f.Items[i].Kind,
					f.Items[i].Declared)
				continue
			}
			by[r.ID] = &f.Items[i]
		}
	}
}

func (f *finder) forgottenUnknown() {
	for _, key := range f.forgotten() {
		if _, ok := f.Facts.Known[key]; ok {
			continue
		}
		op, at := f.lastConfigured(key)
		f.warn(ruleLeftConfiguration, "See the step in the report of that run, and delete the configuration on the page "+
			"if it is still there.",
			"run %s has configured something (%s) that is neither declared nor on %s any more", at.Run, op, f.Facts.Source.Addr)
	}
}

// product is the prefix of the IDs of findings.
const product = "teamwork_cloud"

// server returns the declaration of the server at an end.
func (f *finder) server(end string) *connect.Server {
	if end == atTarget {
		return f.Sync.TargetServer()
	}
	return f.Sync.SourceServer()
}
