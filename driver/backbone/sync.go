package backbone

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// syncFacts are what a sync's plan needs beyond its attributes.
type syncFacts struct {
	Ends []half  `json:"ends"` // of an e-mail or file synchronization: master, slave
	New  newSync `json:"new"`  // of a direct one
}

// actualSync is a direct synchronization in the shape of its declaration. A part that could not be read is left out, so
// that it is not compared.
func actualSync(c configuration, name *string, status string) map[string]cty.Value {
	v := map[string]cty.Value{}
	if status != "" {
		v["state"] = cty.StringVal(stateWord(status))
	}
	if name != nil {
		v["name"] = cty.StringVal(*name)
	}
	if c.issueTypes != nil {
		types := map[string]cty.Value{}
		for k, e := range c.issueTypes {
			types[k] = cty.StringVal(e)
		}
		v["issue_types"] = mapOf(types, cty.String)
	}
	if c.fields != nil {
		fields := map[string]cty.Value{}
		t := cty.Object(map[string]cty.Type{"mapping": cty.String, "to": cty.String})
		for _, f := range c.fields {
			to := cty.NullVal(cty.String)
			if f.Second != f.First {
				to = cty.StringVal(f.Second)
			}
			fields[f.First] = cty.ObjectVal(map[string]cty.Value{"mapping": cty.StringVal(f.Mapping), "to": to})
		}
		v["field"] = mapOf(fields, t)
	}
	if c.comments != nil {
		v["comments"] = cty.BoolVal(*c.comments)
	}
	if c.attachments != nil {
		v["attachments"] = cty.BoolVal(*c.attachments)
	}
	for end, jql := range map[string]*string{first: c.firstJQL, second: c.secondJQL} {
		if jql != nil {
			v[end] = cty.ObjectVal(map[string]cty.Value{"jql": cty.StringVal(*jql)})
		}
	}
	return v
}

func mapOf(m map[string]cty.Value, t cty.Type) cty.Value {
	if len(m) == 0 {
		return cty.MapValEmpty(t)
	}
	return cty.MapVal(m)
}

// stateWord is a status in the language's words.
func stateWord(status string) string { return strings.ToLower(strings.ReplaceAll(status, " ", "_")) }

// planSync reconciles a synchronization that is declared alone, or that a migration has led to.
func planSync(sync *schema.Resource, actual cty.Value, addr string) (planner.Outline, error) {
	var f syncFacts
	if !actual.IsNull() {
		if err := unpack(actual.GetAttr("facts"), &f); err != nil {
			return planner.Outline{}, err
		}
	}
	var differences []planner.Difference
	if !actual.IsNull() {
		differences = planner.Compare(sync.Value, actual)
	}
	l := &list{addr: addr}
	p := &syncPlan{sync: sync, facts: f, l: l, create: actual.IsNull()}
	if sync.Text("transport") == direct {
		p.direct(differences)
	} else {
		p.behindFirewall(differences)
	}
	out := planner.Outline{Action: planner.Update, Steps: l.steps, Findings: p.findings}
	switch {
	case p.create:
		out.Action = planner.Create
	case len(l.steps) == 0 && len(p.findings) == 0:
		out.Action = planner.NoChange
	}
	return out, nil
}

type syncPlan struct {
	sync     *schema.Resource
	facts    syncFacts
	l        *list
	create   bool
	findings []planner.Finding
}

func (p *syncPlan) direct(diff []planner.Difference) {
	if p.create {
		p.l.then(createDirectStep(p.sync, newSync{}))
	}
	status, server := p.facts.New.Status, p.sync.Ref(first, "server").Addr.String()
	if p.create {
		status = "STOPPED"
	}
	if p.needsConfiguring(diff) && (status == "RUNNING" || status == "RESTART REQUIRED") { // what is changed while it runs asks for a restart (RESTART REQUIRED)
		p.l.then(p.stateStep("stop", status, "", server, "start it again"))
		status = "STOPPED"
	}
	p.configure(diff)
	p.state(status, "", server)
}

// needsConfiguring: something other than the state is not as declared.
func (p *syncPlan) needsConfiguring(diff []planner.Difference) bool {
	return slices.ContainsFunc(diff, func(d planner.Difference) bool { return d.Path != "state" })
}

func (p *syncPlan) behindFirewall(diff []planner.Difference) {
	if at := slices.IndexFunc(diff, func(d planner.Difference) bool { return d.Path == "transport" }); at >= 0 {
		p.findings = append(p.findings, planner.Finding{Rule: "backbone/transport", Severity: planner.Refuse,
			Summary: fmt.Sprintf("%s goes by %s, declared is %s", syncName(p.sync), diff[at].Actual, diff[at].Declared),
			Detail:  "A synchronization cannot be switched between e-mail and file (H/5.14/server/create-and-update-a-synchronization-email-file-exc): declare what is there, or delete it first."})
		return
	}
	ends := map[string]half{}
	for i, role := range []string{master, slave} {
		if i < len(p.facts.Ends) && p.facts.Ends[i].Found {
			ends[role] = p.facts.Ends[i]
			continue
		}
		p.l.then(createHalfStep(p.sync, role))
	}
	p.configure(diff)
	for _, role := range []string{master, slave} {
		status := "STOPPED"
		if h, ok := ends[role]; ok && h.Found {
			status = h.Status
		}
		p.state(status, "_"+role, p.sync.Ref(role, "server").Addr.String())
	}
}

// configure adds the person's step that brings the configuration to what is declared, naming each difference.
func (p *syncPlan) configure(diff []planner.Difference) {
	diff = slices.DeleteFunc(slices.Clone(diff), func(d planner.Difference) bool { return d.Path == "state" })
	declares := len(declaredFields(p.sync)) > 0 || known(p.sync.Get("issue_types"))
	if len(diff) == 0 && (!p.create || !declares) {
		return
	}
	because := "the configuration is not what is declared"
	if p.create {
		because = "a new synchronization has no configuration"
	}
	var lines []string
	for _, d := range diff {
		lines = append(lines, fmt.Sprintf("%s is %s, declared %s", d.Path, d.Actual, d.Declared))
	}
	if len(lines) > 0 {
		because += ": " + strings.Join(lines, "; ")
	}
	s := configureStep(p.sync, because)
	if !p.create {
		s.Effect.Change = 1
	}
	p.l.then(s)
}

func (p *syncPlan) stateStep(op, status, suffix, server, undo string) planner.Step {
	effect := planner.Effect{Change: 1}
	if p.create {
		effect.Change = 0 // counted as added already
	}
	return planner.Step{
		Op: op + suffix, Mark: planner.MarkChange, Repeat: planner.CheckFirst, Within: planner.Duration(2 * time.Minute),
		Summary: fmt.Sprintf("%s %s on %s (now %s)", op, syncName(p.sync), server, status),
		Because: "state is declared as " + p.sync.Text("state"),
		Facts:   p.keyFacts(strings.TrimPrefix(suffix, "_")),
		Effect:  &effect, Undo: undo,
	}
}

// keyFacts: the step is for the synchronization that was seen when planning, not for one that took its place. What is only
// about to be made has no key yet.
func (p *syncPlan) keyFacts(role string) []planner.Fact {
	path, key := "self", p.facts.New.Key
	if p.l.addr != p.sync.Addr.String() {
		path = "to"
	}
	for i, r := range []string{master, slave} {
		if r == role && i < len(p.facts.Ends) {
			path, key = "self."+role, p.facts.Ends[i].Key
		}
	}
	if key == "" {
		return nil
	}
	return []planner.Fact{{Name: path + ".integration", Value: key}}
}

// state adds what brings a status to the declared state.
func (p *syncPlan) state(status, suffix, server string) {
	want := strings.ToUpper(p.sync.Text("state"))
	stop := p.stateStep("stop", status, suffix, server, "start it again")
	start := p.stateStep("start", status, suffix, server, "stop it again")
	switch {
	case status == want:
	case status == "":
		p.findings = append(p.findings, planner.Finding{Rule: "backbone/status-unknown", Severity: planner.Warn,
			Summary: fmt.Sprintf("whether %s on %s is %s cannot be read over REST", syncName(p.sync), server, p.sync.Text("state")),
			Detail:  "Look at Backbone's overview."})
	case status == "RESTART REQUIRED" && want == "RUNNING":
		p.l.then(stop)
		p.l.then(start)
	case status == "STOPPED":
		p.l.then(start)
	case want == "STOPPED" && (status == "RUNNING" || status == "RESTART REQUIRED"):
		p.l.then(stop)
	default:
		p.findings = append(p.findings, planner.Finding{Rule: "backbone/status", Severity: planner.Warn,
			Summary: fmt.Sprintf("%s on %s is %s", syncName(p.sync), server, status),
			Detail:  "The two halves have to settle this between them (handshake, or the slave's admin taking over the master's changes) before it can be started."})
	}
}

// createDirectStep: the body of POST /integrations is not documented, so a person creates the synchronization.
func createDirectStep(sync *schema.Resource, have newSync) planner.Step {
	stay, partner := sync.Ref(first, "server"), sync.Ref(second, "server")
	summary := fmt.Sprintf("create the direct synchronization %s on %s", syncName(sync), stay.Addr)
	effect, undo := planner.Effect{Add: 1}, "delete the new synchronization"
	if have.Found {
		summary += fmt.Sprintf(" (%s is there already)", have.Key)
		effect, undo = planner.Effect{}, ""
	}
	return planner.Step{
		Op: opCreate, Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Summary: summary,
		Because: "the end that stays configures it (" + guide + ", step 3.1); the interface's create call is documented without its body",
		Manual: &planner.Manual{
			Where:  stay.Text("url") + ", Backbone",
			Action: "create_sync",
			Do: []string{
				fmt.Sprintf("In project %s create a new synchronization with project %s on %s. Do not start it.", sync.Text(first, "project"), sync.Text(second, "project"), partner.Text("url")),
				"Choose a synchronization user of its own on either side: its changes are never synchronized.",
			},
			Values: []planner.Value{
				{Name: "server", Label: "Jira", Value: stay.Text("url")},
				{Name: "name", Label: "Name", Value: syncName(sync)},
				{Name: "transport", Label: "Connection", Value: direct},
				{Name: "first_project", Label: "Project", Value: sync.Text(first, "project")},
				{Name: "second_server_url", Label: "Partner Jira", Value: partner.Text("url")},
				{Name: "second_project", Label: "Partner project", Value: sync.Text(second, "project")},
			},
		},
		Effect: &effect,
		Undo:   undo,
	}
}

func createHalfStep(sync *schema.Resource, role string) planner.Step {
	s := sync.Ref(role, "server")
	do := []string{fmt.Sprintf("In project %s create a synchronization over %s, as %s.", sync.Text(role, "project"), sync.Text("transport"), role)}
	if role == master {
		do = append(do, "Download the handshake file and send it to the slave's admin.")
	} else {
		do = append(do, "Create it from the master's handshake file.")
	}
	return planner.Step{
		Op: "create_" + role, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(time.Minute),
		Summary: fmt.Sprintf("create the %s's half of %s on %s", role, syncName(sync), s.Addr),
		Because: "it is declared and not there; an e-mail or file synchronization is created in the web page only",
		Manual: &planner.Manual{
			Where: s.Text("url") + ", Backbone", Action: "create_half", Do: do,
			Values: []planner.Value{
				{Name: "server", Label: "Jira", Value: s.Text("url")},
				{Name: "project", Label: "Project", Value: sync.Text(role, "project")},
				{Name: "role", Label: "Role", Value: role},
				{Name: "transport", Label: "Communication channel", Value: sync.Text("transport")},
				{Name: "partner_project", Label: "Partner project", Value: sync.Text(other(role), "project")},
			},
		},
		Effect: &planner.Effect{Add: 1},
		Undo:   "delete it again",
	}
}

// configureStep: drafts have documented paths but no documented bodies, and none for comments and attachments, so a
// person configures. What can be read back is compared; the rest the person confirms.
func configureStep(sync *schema.Resource, because string) planner.Step {
	ends := endNames(sync)
	s := sync.Ref(ends[0], "server")
	types, fields := declaredTypes(sync), declaredFields(sync)
	do := []string{"Open the configuration of " + syncName(sync) + " and make it exactly as below; then save, or publish the draft."}
	values := []planner.Value{
		{Name: "server", Label: "Jira", Value: s.Text("url")},
		{Name: "first_project", Label: "Project", Value: sync.Text(ends[0], "project")},
		{Name: "second_project", Label: "Partner project", Value: sync.Text(ends[1], "project")},
	}
	add := func(label, name, human, machine string) {
		values = append(values, planner.Value{Name: name, Label: label, Value: machine, Shown: human})
	}
	if types != nil {
		add("Issue types", "issue_types", strings.Join(sortedPairs(types), ", "), jsonText(types))
	}
	if len(fields) > 0 {
		var lines []string
		for _, f := range fields {
			lines = append(lines, f.String())
		}
		add("Fields", "fields", strings.Join(lines, ", "), jsonText(fields))
	}
	for _, name := range []string{"comments", "attachments"} {
		if v := sync.Get(name); known(v) {
			add(strings.ToUpper(name[:1])+name[1:], name, map[bool]string{true: "on", false: "off"}[v.True()], fmt.Sprint(v.True()))
		}
	}
	for i, end := range ends {
		if jql := sync.Text(end, "jql"); jql != "" {
			add("Filter (JQL) of "+sync.Text(end, "project"), []string{"first_jql", "second_jql"}[i], jql, jql)
		}
	}
	return planner.Step{
		Op: opConfigure, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("configure %s as declared: %s, %s", syncName(sync), plural(len(types), "issue type"), plural(len(fields), "field mapping")),
		Because: because,
		Manual: &planner.Manual{Where: s.Text("url") + ", Backbone, " + syncName(sync), Action: "configure_sync", Do: do, Values: values,
			Attest: "the configuration is exactly as declared (parts of it cannot be read over REST)"},
		Effect: &planner.Effect{},
	}
}

func declaredTypes(sync *schema.Resource) map[string]string {
	v := sync.Get("issue_types")
	if !known(v) {
		return nil
	}
	out := map[string]string{}
	for k, e := range v.AsValueMap() {
		out[k] = schema.Text(e)
	}
	return out
}

func sortedPairs(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k, v := range m {
		out = append(out, k+" = "+v)
	}
	slices.Sort(out)
	return out
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
