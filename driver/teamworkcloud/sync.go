package teamworkcloud

import (
	"cmp"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of a sync. A migration that owns one uses the same, with its own address.
const (
	opSecured             = "secured" // where it is encrypted
	opCreateCategory      = "create_category"
	opGrantRole           = "grant_role"
	opConfigure           = "configure_"           // + key of the resource or category + what it is configured as
	opReencrypt           = "encrypt_"             // + the same: a configuration from before is looked at
	opSynchronize         = "synchronize"          //
	opArrived             = "arrived"              //
	opRemoveConfiguration = "remove_configuration" // a sync's own: + _ + key of what it was made for
)

// isSyncOp tells whether a step is one of a sync's, whoever owns it.
func isSyncOp(op string) bool {
	return slices.Contains([]string{opSecured, opCreateCategory, opGrantRole, opSynchronize, opArrived}, op) ||
		strings.HasPrefix(op, opConfigure) || strings.HasPrefix(op, opReencrypt) || strings.HasPrefix(op, opRemoveConfiguration)
}

// syncPlan is a sync beside what is there. It makes the sync's steps, for its own plan or for that of a migration.
type syncPlan struct {
	owner     string // address of the declaration that the steps belong to
	sync      *schema.Resource
	facts     *syncFacts
	confirmed map[string]planner.Confirmation
	items     []standing // of facts.Items
}

// standing is how an element of the selection stands.
type standing struct {
	*selectionFacts
	op         string // the verb of the step that configures it as declared
	appeared   int    // how many of its resources the target has as copies
	configured bool   // as far as can be told there is a configuration as declared
	replace    bool   // an earlier run has configured it otherwise, and a configuration cannot be edited
	removed    bool   // an earlier run has removed its configuration
	asked      bool   // an earlier run has configured it as declared
	waits      string // it cannot be configured yet, in words
}

func newSyncPlan(owner string, sync *schema.Resource, f *syncFacts, confirmed map[string]planner.Confirmation) *syncPlan {
	p := &syncPlan{owner: owner, sync: sync, facts: f, confirmed: confirmed}
	for i := range f.Items {
		p.items = append(p.items, p.stand(&f.Items[i]))
	}
	p.doubt()
	return p
}

// doubt takes back what is concluded from copies alone where another configuration may have brought them: one that was
// declared formerly, or that of a category which the resource has left.
func (p *syncPlan) doubt() {
	former := p.former()
	category := slices.ContainsFunc(p.items, func(s standing) bool {
		asked, _ := p.lastConfigured(s.key())
		return s.Kind == kindCategory && (asked != "" || !s.configured)
	})
	for i := range p.items {
		s := &p.items[i]
		if asked, _ := p.lastConfigured(s.key()); asked != "" || !s.configured {
			continue
		}
		ids := func(r resourceFacts) bool { return former[configurationKey(kindResource, r.ID, "")] }
		switch s.Kind {
		case kindResource:
			s.configured = !category && !former[configurationKey(kindCategory, "", parentOf(s.Path))]
		case kindCategory:
			s.configured = !slices.ContainsFunc(s.Resource, ids)
		}
	}
}

func parentOf(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// former are the keys of what earlier runs have configured and is not declared any more.
func (p *syncPlan) former() map[string]bool {
	out := map[string]bool{}
	for op := range p.confirmed {
		if key, _, ok := strings.Cut(strings.TrimPrefix(op, opConfigure), "_"); ok && strings.HasPrefix(op, opConfigure) {
			out[key] = true
		}
	}
	for i := range p.items {
		delete(out, p.items[i].key())
	}
	return out
}

// stand judges by what the target shows, and by what the journal remembers where no server can tell.
func (p *syncPlan) stand(item *selectionFacts) standing {
	s := standing{selectionFacts: item, op: opConfigure + item.key() + "_" + p.configuration()}
	for i := range item.Resource {
		if r := &item.Resource[i]; r.Target.There && !r.Target.Removed && (r.Coming || r.Diff.IsCopy()) {
			s.appeared++
		}
	}
	asked, at := p.lastConfigured(item.key())
	gone, wasRemoved := p.lastRemoved(item.key(), keyOf(p.facts.Items))
	s.removed = wasRemoved && (asked == "" || gone.After(at))
	s.asked = asked == s.op
	expected := len(item.expected())
	switch {
	case s.removed:
	case asked == "":
		s.configured = s.appeared > 0 && s.appeared >= expected
	case !s.asked:
		s.replace = true
	default: // with a trigger that comes by itself, something must show
		s.configured = p.sync.Text("trigger") != survey.EveryCommit || s.appeared > 0 || expected == 0
	}
	if item.Kind == kindResource && item.Coming {
		s.waits = item.Resource[0].Waits
	}
	return s
}

// expected are the resources that can come by now: those that the source's user may read and that no earlier hop waits for.
func (s *selectionFacts) expected() []*resourceFacts {
	var out []*resourceFacts
	for i := range s.Resource {
		if r := &s.Resource[i]; r.Readable && r.Waits == "" {
			out = append(out, r)
		}
	}
	return out
}

// configuration is short for what a remote resource configuration is made with, by the declaration alone: a server that is
// updated, or a category that got its id, makes it no other.
func (p *syncPlan) configuration() string {
	host, port := syncAddress(p.sync.Ref("source"))
	tls := p.sync.Text("tls")
	if tls == "" && encrypts(p.sync.Ref("source")) && isEncrypted(p.sync, &p.facts.Source) {
		tls = "true"
	}
	return short(6, host, port, p.facts.Source.User, tls, p.sync.Text("target_category"), p.sync.Text("trigger"), p.sync.Text("tag"))
}

// lastConfigured is the step that configured it last, "" if none did.
func (p *syncPlan) lastConfigured(key string) (string, planner.Confirmation) {
	var last string
	var at planner.Confirmation
	for op, c := range p.confirmed {
		if strings.HasPrefix(op, opConfigure+key+"_") && (last == "" || c.After(at)) {
			last, at = op, c
		}
	}
	return last, at
}

// lastRemoved is when a configuration was removed last: by a step of one of the keys, or by a migration.
func (p *syncPlan) lastRemoved(keys ...string) (planner.Confirmation, bool) {
	at, found := p.confirmed[opRemoveConfiguration]
	for _, key := range keys {
		if c, ok := p.confirmed[opRemoveConfiguration+"_"+key]; ok && (!found || c.After(at)) {
			at, found = c, true
		}
	}
	return at, found
}

// keyOf stands for all that is declared in the name of a step.
func keyOf(items []selectionFacts) string {
	var words []string
	for i := range items {
		words = append(words, items[i].Kind, items[i].Declared)
	}
	return short(8, words...)
}

// forgotten are those of former whose configuration has not been removed since: keys, sorted.
func (p *syncPlan) forgotten() []string {
	var out []string
	for key := range p.former() {
		_, at := p.lastConfigured(key)
		if gone, ok := p.lastRemoved(key); !ok || at.After(gone) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// planSync reconciles a sync that is declared alone.
func planSync(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	var f syncFacts
	if err := unpack(c.Actual, &f); err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(c.Resource, "Cannot plan", err.Error())}
	}
	addr := c.Resource.Addr.String()
	p, l := newSyncPlan(addr, c.Resource, &f, c.Confirmed), &list{addr: addr}
	out := planner.Outline{Action: planner.Update}
	if c.Resource.Text("state") == survey.Removed {
		p.takeDown(l)
		out.Action = planner.Delete
	} else {
		p.setUp(l)
		if p.isNew() {
			out.Action = planner.Create
		}
	}
	out.Steps = l.steps
	out.Findings = p.findings(l)
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

// isNew: nothing of it is there.
func (p *syncPlan) isNew() bool {
	return !slices.ContainsFunc(p.items, func(s standing) bool { return s.appeared > 0 || s.configured || s.replace })
}

// setUp adds what brings the configurations to what is declared, up to the arrival of what they bring.
func (p *syncPlan) setUp(l *list) {
	todo := p.unconfigured()
	if p.secures() {
		l.then(p.securedStep())
	}
	if len(todo) > 0 {
		p.prepare(l)
	}
	var gone []planner.Step
	for _, key := range p.forgotten() {
		if k, ok := p.facts.Known[key]; ok {
			gone = append(gone, p.removeForgotten(key, k))
		}
	}
	for _, s := range todo {
		if s.replace && !p.cannotReplace(s) {
			gone = append(gone, p.removeStep(s.key(), "it is to be another, and a configuration cannot be edited", s))
		}
	}
	l.then(gone...)
	var made []planner.Step
	for _, s := range todo {
		made = append(made, p.configureStep(s))
	}
	for _, s := range p.reencrypted() {
		made = append(made, p.reencryptStep(s))
	}
	l.then(made...)
	first := p.neverSynchronized()
	if len(first) > 0 {
		l.then(p.synchronizeStep(first))
	}
	for _, s := range todo {
		if p.promises(s) {
			first = append(first, s)
		}
	}
	if len(first) > 0 {
		l.then(p.arrivedStep(false, first...))
	}
}

// prepare adds what must be there before a configuration can be made.
func (p *syncPlan) prepare(l *list) {
	if c := p.facts.Category; c.ID == "" && c.Problem == "" {
		l.then(p.createCategoryStep())
	}
	if r := p.facts.Role; r.Known && !r.Held && r.MayGrant {
		l.then(p.grantRoleStep())
	}
}

// unconfigured are the elements that have no configuration as declared, as far as can be told.
func (p *syncPlan) unconfigured() []*standing {
	var out []*standing
	for i := range p.items {
		if s := &p.items[i]; s.Problem == "" && s.waits == "" && !s.configured && !s.isRemoved() {
			out = append(out, s)
		}
	}
	return out
}

// isRemoved: a resource that is marked as deleted on the source is not synchronized (VN 261624215).
func (s *selectionFacts) isRemoved() bool { return s.Kind == kindResource && len(s.Removed) > 0 }

// neverSynchronized are the elements of a manual sync that nothing has come of yet.
func (p *syncPlan) neverSynchronized() []*standing {
	if p.sync.Text("trigger") != survey.Manual {
		return nil
	}
	var out []*standing
	for i := range p.items {
		s := &p.items[i]
		if s.Problem == "" && s.waits == "" && s.appeared == 0 && len(s.expected()) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// promises tells whether the trigger brings something by itself once the element is configured. ASSUMED: a configuration with a
// commit tag brings what carries the tag already; the documents speak of commits "with a specific tag" only.
func (p *syncPlan) promises(s *standing) bool {
	switch p.sync.Text("trigger") {
	case survey.EveryCommit:
		return len(s.expected()) > 0
	case survey.CommitTag:
		return slices.ContainsFunc(s.expected(), func(r *resourceFacts) bool { return r.Tagged > 0 })
	}
	return false
}

// cannotReplace: before 2024x Refresh1 deleting a configuration leaves its record behind, and only Data Manager, which removes
// the copy with it, makes room for another (TWCloud2024x 137987228).
func (p *syncPlan) cannotReplace(s *standing) bool {
	return s.appeared > 0 && p.oldTarget()
}

func (p *syncPlan) oldTarget() bool { return p.facts.Target.Release.OlderThan(osmc.SyncTLS2024R1) }

// takeDown adds what removes the configurations and keeps the data.
func (p *syncPlan) takeDown(l *list) {
	var there []*standing
	for i := range p.items {
		asked, _ := p.lastConfigured(p.items[i].key())
		if s := &p.items[i]; !s.removed && (asked != "" || s.appeared > 0) {
			there = append(there, s)
		}
	}
	var steps []planner.Step
	if len(there) > 0 {
		steps = append(steps, p.removeStep(keyOf(p.facts.Items), "state is declared as removed", there...))
	}
	for _, key := range p.forgotten() {
		if k, ok := p.facts.Known[key]; ok {
			steps = append(steps, p.removeForgotten(key, k))
		}
	}
	l.then(steps...)
}

func (p *syncPlan) within() planner.Duration {
	d, err := time.ParseDuration(p.sync.Text("verify", "within"))
	if err != nil || d <= 0 {
		d = 30 * time.Minute
	}
	return planner.Duration(d)
}

// sourceAddress is what the wizard asks for first, and whether the connection is encrypted. Before 2024x Refresh1 it wants the
// port too (MCS2022xR1, Creating remote resource configurations). Later the target's own port for encrypted clients is used where
// none is given (seed). ASSUMED: the same holds without encryption, so that a port that differs is given.
func (p *syncPlan) sourceAddress() (address string, encrypted bool) {
	host, port := syncAddress(p.sync.Ref("source"))
	encrypted = isEncrypted(p.sync, &p.facts.Source)
	src, tgt := &p.facts.Source, &p.facts.Target
	if port == "" && !encrypted && (p.oldTarget() || src.Ports && tgt.Ports && src.PlainPort != tgt.PlainPort) {
		port = number(cmp.Or(src.PlainPort, plainPort))
	}
	if port == "" {
		return host, encrypted
	}
	return joinPort(host, port), encrypted
}

// plainPort is Teamwork Cloud's for clients without encryption, where nobody has changed it (MCS 247046454).
const plainPort = 3579

// syncAddress is a server's address for other servers' configurations, as declared, in host and port; the port may be "".
func syncAddress(server *schema.Resource) (host, port string) {
	text := server.Text("sync_address")
	if text == "" {
		u, err := url.Parse(server.Text("url"))
		if err != nil {
			return "", ""
		}
		return u.Hostname(), ""
	}
	return splitPort(text)
}

// webApplication is where people go.
func webApplication(server *schema.Resource) string {
	if text := server.Text("web_application"); text != "" {
		return text
	}
	u, err := url.Parse(server.Text("url"))
	if err != nil {
		return server.Text("url")
	}
	return "https://" + joinPort(u.Hostname(), "8443") + "/webapp"
}
