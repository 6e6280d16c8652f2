package backbone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// planMigration returns the steps of the procedure in the vendor's guide.
func planMigration(m *migration, c planner.Change) (planner.Outline, hcl.Diagnostics) {
	s, needs, err := m.look(c.Seen)
	if err == nil && len(needs) > 0 {
		err = fmt.Errorf("%s: %w", needs[0], planner.ErrNotObserved)
	}
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(m.Resource(), "Cannot plan", err.Error())}
	}
	if s.ended() { // from then on the new synchronization is planned like any other one
		out, diags := planSync(m.to, c.Seen, m.Addr())
		out.Actual, out.Compared = cty.NilVal, false // it belongs to the synchronization, not to the migration
		return out, diags
	}
	if err := s.checkRest(); err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(m.Resource(), "Cannot plan", err.Error())}
	}
	s.takeOver(c.Abandoned)
	out := planner.Outline{Action: planner.Migrate}
	q := &planner.Sequence{Addr: m.Addr().String()}
	if role := s.left(); role != "" {
		out.Replaced = s.replaced()
		out.Findings = s.restFindings(role)
		s.rest(q, role)
		unaffected(q.Steps, nil)
		out.Steps = q.Steps
		return out, nil
	}
	out.Replaced = s.replaced()
	findings, diags := s.findings(nil, nil)
	out.Findings = findings
	if diags.HasErrors() {
		return out, diags
	}
	switch {
	case s.finished():
		s.last(q)
		unaffected(q.Steps, nil)
	case s.apart():
		if err := s.checkCloud(); err != nil {
			return out, append(diags, problem(m.Resource(), "Cannot plan", err.Error()))
		}
		s.stepsApart(q)
		unaffected(q.Steps, m)
	default:
		s.prepare(q)
		s.build(q)
		s.finish(q)
		unaffected(q.Steps, m)
	}
	out.Steps = q.Steps
	return out, diags
}

// planSync plans a synchronization that is declared without a migration, or that the migration at addr has led to.
func planSync(s *synchronization, seen *planner.Observations, addr schema.Addr) (planner.Outline, hcl.Diagnostics) {
	found, needs, err := look(s, seen)
	if err == nil && len(needs) > 0 {
		err = fmt.Errorf("%s: %w", needs[0], planner.ErrNotObserved)
	}
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(s.Resource(), "Cannot plan", err.Error())}
	}
	p := &syncPlan{synchronization: s, found: found, q: &planner.Sequence{Addr: addr.String()}, path: "self"}
	if addr != s.Addr() {
		p.path = "to"
	}
	actual := actualSync(s, found)
	if p.create = actual.IsNull(); !p.create {
		p.diff = planner.Compare(s.Resource().Value, actual)
	}
	if s.direct() {
		p.planDirect()
	} else {
		p.behindFirewall()
	}
	unaffected(p.q.Steps, nil)
	out := planner.Outline{Action: planner.Update, Actual: actual, Compared: !p.create, Diff: p.diff,
		Steps: p.q.Steps, Findings: p.findings}
	switch {
	case p.create:
		out.Action = planner.Create
	case len(out.Steps) == 0 && len(out.Findings) == 0:
		out.Action = planner.NoChange
	}
	return out, nil
}

// syncPlan is a plan in progress.
type syncPlan struct {
	*synchronization

	found    []*live // in the order of holders
	path     string  // path of its facts: "self", or "to" for a migration
	q        *planner.Sequence
	diff     []planner.Difference
	create   bool
	findings []planner.Finding
}

func (p *syncPlan) planDirect() {
	l := p.found[0]
	status := "STOPPED"
	if l.found() {
		status = l.Status
	} else {
		p.q.Then(createStep(p.synchronization, l))
		if len(p.IssueTypes) == 0 {
			p.findings = append(p.findings, planner.Finding{Rule: product + "/" + ruleNoIssueTypes, Severity: planner.Refuse,
				Op: opCreate, Summary: fmt.Sprintf("%s is to be created without an issue type", p.name()),
				Detail: "Backbone refuses to start it. Declare issue_types in " + p.Addr().String() + "."})
		}
	}
	// a change while it runs requires a restart (RESTART REQUIRED)
	if p.needsConfiguring() && (status == "RUNNING" || status == "RESTART REQUIRED") {
		p.q.Then(p.stateStep(opStop, status, l))
		status = "STOPPED"
	}
	p.configure()
	p.state(status, l)
}

// needsConfiguring reports whether anything but the state differs from the declaration.
func (p *syncPlan) needsConfiguring() bool {
	return slices.ContainsFunc(p.diff, func(d planner.Difference) bool { return d.Path != "state" })
}

func (p *syncPlan) behindFirewall() {
	if at := slices.IndexFunc(p.diff, func(d planner.Difference) bool { return d.Path == "transport" }); at >= 0 {
		p.findings = append(p.findings, planner.Finding{Rule: product + "/" + ruleTransport, Severity: planner.Refuse,
			Summary: fmt.Sprintf("%s uses %s, declared is %s", p.name(), p.diff[at].Actual, p.diff[at].Declared),
			Detail: "A synchronization cannot be switched between e-mail and file " +
				"(H/5.14/server/create-and-update-a-synchronization-email-file-exc): " +
				"declare the transport that it has, or delete it first."})
		return
	}
	for _, l := range p.found {
		if !l.found() {
			p.q.Then(createHalfStep(p.synchronization, l.end))
		}
	}
	p.configure()
	for _, l := range p.found {
		status := "STOPPED"
		if l.found() {
			status = l.Status
		}
		p.state(status, l)
	}
}

// configure adds the person's step that makes the configuration as declared. It names each difference.
func (p *syncPlan) configure() {
	diff := slices.DeleteFunc(slices.Clone(p.diff), func(d planner.Difference) bool { return d.Path == "state" })
	if len(diff) == 0 && (!p.create || len(p.Fields) == 0 && p.IssueTypes == nil) {
		return
	}
	because := "the configuration is not what is declared"
	if p.create {
		because = "a new synchronization has no configuration"
	}
	if len(diff) > 0 {
		because += ": " + differences(diff)
	}
	s := configureStep(p.synchronization, because, p.names())
	if !p.create {
		s.Effect.Change = 1
	}
	p.q.Then(s)
}

// names returns the server's own spelling of names, as far as it has a configuration.
func (p *syncPlan) names() spelling {
	for _, l := range p.found {
		if l.found() {
			return spelled(l.Configuration, false)
		}
	}
	return spelling{}
}

func differences(diff []planner.Difference) string {
	var lines []string
	for _, d := range diff {
		lines = append(lines, fmt.Sprintf("%s is %s, declared %s", d.Path, d.Actual, d.Declared))
	}
	return strings.Join(lines, "; ")
}

// facts returns the facts that tie a step to the synchronization that was seen when planning, not to one that took
// its place. A synchronization that does not exist yet has no key.
func (p *syncPlan) facts(l *live) []planner.Fact {
	if !l.found() {
		return nil
	}
	path := p.path
	if !p.direct() {
		path += "." + l.end.name
	}
	return []planner.Fact{{Name: path + ".integration", Value: l.Key}}
}

// state adds the steps from a status to the declared state.
func (p *syncPlan) state(status string, l *live) {
	want := strings.ToUpper(p.State)
	finding := func(rule, summary, detail string) {
		p.findings = append(p.findings, planner.Finding{Rule: product + "/" + rule, Severity: planner.Warn,
			Summary: summary, Detail: detail})
	}
	switch {
	case status == want:
	case status == "":
		finding(ruleStatusUnknown, fmt.Sprintf("whether %s on %s is %s cannot be read over REST", p.name(),
			l.end.server.Addr(), p.State),
			"Look at Backbone's overview.")
	case status == "RESTART REQUIRED" && want == "RUNNING":
		p.q.Then(p.stateStep(opStop, status, l))
		p.q.Then(p.stateStep(opStart, status, l))
	case status == "STOPPED":
		p.q.Then(p.stateStep(opStart, status, l))
	case want == "STOPPED" && (status == "RUNNING" || status == "RESTART REQUIRED"):
		p.q.Then(p.stateStep(opStop, status, l))
	default:
		finding(ruleStatus, fmt.Sprintf("%s on %s is %s", p.name(), l.end.server.Addr(), status),
			"The two halves have to settle this between them (handshake, or the slave's admin taking over the master's "+
				"changes) before it can be started.")
	}
}

// actualSync returns what was found, in the shape of its declaration; null if nothing was found. A part that could
// not be read is left out, so that it is not compared.
func actualSync(s *synchronization, found []*live) cty.Value {
	v := map[string]cty.Value{}
	l := found[0] // the end that configures
	if slices.IndexFunc(found, (*live).found) < 0 {
		return cty.NullVal(cty.EmptyObject)
	}
	status := ""
	if l.found() {
		status = l.Status
		configured(v, s.endNames(), l)
	}
	if len(found) == 2 && (!l.found() || !found[1].found() || found[1].Status != status) {
		status = "" // the halves differ; each is shown on its own
	}
	if status != "" {
		v["state"] = cty.StringVal(stateWord(status))
	}
	if !s.direct() && l.found() && l.Channel != "" {
		v["transport"] = cty.StringVal(strings.ToLower(l.Channel))
	}
	return cty.ObjectVal(v)
}

// stateWord returns a status in the words of the language.
func stateWord(status string) string { return strings.ToLower(strings.ReplaceAll(status, " ", "_")) }

// configured adds the parts of the configuration that could be read.
func configured(v map[string]cty.Value, ends [2]string, l *live) {
	c := l.Configuration
	if l.Summary != nil {
		v["name"] = cty.StringVal(*l.Summary)
	}
	if c.IssueTypes != nil {
		types := map[string]cty.Value{}
		for k, e := range c.IssueTypes {
			types[k] = cty.StringVal(e)
		}
		v["issue_types"] = mapOf(types, cty.String)
	}
	if c.Fields != nil {
		fields := map[string]cty.Value{}
		for _, f := range c.Fields {
			to := cty.NullVal(cty.String)
			if f.Second != f.First {
				to = cty.StringVal(f.Second)
			}
			members := map[string]cty.Value{"mapping": cty.StringVal(f.Mapping), "to": to}
			if f.Direction != "" {
				members["direction"] = cty.StringVal(f.Direction)
			}
			fields[f.First] = cty.ObjectVal(members)
		}
		v["field"] = cty.ObjectVal(fields) // its elements may have members of their own
	}
	for name, on := range map[string]*bool{"comments": c.Comments, "attachments": c.Attachments} {
		if on != nil {
			v[name] = cty.BoolVal(*on)
		}
	}
	for i, jql := range []*string{c.FirstJQL, c.SecondJQL} {
		if jql != nil {
			v[ends[i]] = cty.ObjectVal(map[string]cty.Value{"jql": cty.StringVal(*jql)})
		}
	}
}

func mapOf(m map[string]cty.Value, t cty.Type) cty.Value {
	if len(m) == 0 {
		return cty.MapValEmpty(t)
	}
	return cty.MapVal(m)
}
