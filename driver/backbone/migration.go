package backbone

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The verbs of a migration, in their order. Those with an end's name at the back exist once for each end.
const (
	opPreflight = "preflight"
	opStop      = "stop_"   // + master, slave
	opDrained   = "drained" //
	opExport    = "export_" // + master, slave
	opMove      = "move_project"
	opMerge     = "merge"
	opStill     = "still"
	opCreate    = "create_sync"
	opPair      = "pair_" // + first, second
	opPairAll   = "pair"  // a person uploads the merged file
	opConfigure = "configure"
	opStart     = "start"
	opResync    = "resync_" // + first, second
	opVerify    = "verify"
	opRest      = "verify_rest"
	opDelete    = "delete_" // + master, slave
)

// Names of the run's files.
const mergedFile = "merged.json"

func exportFile(role string) string { return role + ".json" }

// guide names the vendor's guide that the order follows.
const guide = `vendor's guide "Behind firewall"`

// migrating is a migration block beside what is there.
type migrating struct {
	r          *schema.Resource
	from, to   *schema.Resource
	facts      migrationFacts
	moving     string // master or slave
	staying    string
	stay, move *schema.Resource // the server that stays; the cloud site
}

func newMigrating(r *schema.Resource, f migrationFacts) *migrating {
	m := &migrating{r: r, from: r.Ref("from"), to: r.Ref("to"), facts: f, moving: r.Text("migrating")}
	m.staying = other(m.moving)
	m.stay, m.move = m.to.Ref(first, "server"), m.to.Ref(second, "server")
	return m
}

// ended tells whether the migration's end is reached: the new synchronization has the pairs, and the original is gone,
// or is to be kept and stands still.
func (m *migrating) ended() bool {
	n := m.facts.New
	if !n.Found {
		return false
	}
	if m.facts.FromGone || !m.facts.Master.Found && !m.facts.Slave.Found {
		return n.FirstPairs == n.SecondPairs
	}
	stay := m.facts.end(m.staying)
	kept := m.r.Get("delete_original").IsNull() && m.facts.Master.Found && m.facts.Slave.Found &&
		m.facts.Master.Status == "STOPPED" && m.facts.Slave.Status == "STOPPED"
	return kept && n.Status == "RUNNING" && n.FirstPairs == n.SecondPairs && n.FirstPairs >= stay.Pairs
}

// planMigration writes the seed's procedure down as steps.
func planMigration(m *migrating) (planner.Outline, hcl.Diagnostics) {
	out := planner.Outline{Action: planner.Migrate}
	if role := m.left(); role != "" {
		out.Findings, out.Steps = m.planRest(role)
		return out, nil
	}
	findings, diags := m.findings(nil)
	out.Findings = findings
	if diags.HasErrors() {
		return out, diags
	}
	b := &list{addr: m.r.Addr.String()}
	m.prepare(b)
	m.build(b)
	m.finish(b)
	out.Steps = b.steps
	return out, diags
}

// list collects steps; each follows the one before it unless it says what it needs.
type list struct {
	addr  string
	steps []planner.Step
	last  []string
}

func (l *list) id(op string) string { return planner.StepID(l.addr, op) }

// then adds steps that need everything added by the call before, but not each other.
func (l *list) then(steps ...planner.Step) {
	var ids []string
	for _, s := range steps {
		if s.Needs == nil {
			s.Needs = l.last
		}
		l.steps = append(l.steps, s)
		ids = append(ids, l.id(s.Op))
	}
	l.last = ids
}

// prepare: up to the merged file.
func (m *migrating) prepare(l *list) {
	for _, role := range []string{master, slave} {
		if len(m.facts.end(role).unknowns()) > 0 {
			l.then(m.noErrors(role))
		}
	}
	l.then(planner.Step{
		Op: opPreflight, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(5 * time.Second),
		Summary: fmt.Sprintf("both ends of %s can be migrated: reachable, %s, no issue in error, no conflicts, roles as declared", m.from.Addr, transportWord(m.from.Text("transport"))),
		Because: guide + ": errors in the troubleshooting tab are to be solved first",
		Facts:   append(m.keyFacts(master), m.keyFacts(slave)...),
	})
	l.then(m.stopOrAsk(master), m.stopOrAsk(slave))
	l.then(planner.Step{
		Op: opDrained, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(20 * time.Second),
		Summary: "nothing is in flight: for every issue, what one end sent the other has applied (message sequence ids)",
		Because: "a message that is still under way when the pairs are taken away is lost",
	})
	l.then(m.export(master), m.export(slave))
	l.then(m.moveStep(), planner.Step{
		Op: opMerge, Mark: planner.MarkAdd, Repeat: planner.Idempotent, Needs: []string{l.id(opExport + master), l.id(opExport + slave)},
		Summary: fmt.Sprintf("merge the two files into %s: the %s's data as firstConnector (it stays), the %s's as secondConnector (it migrates)", mergedFile, m.staying, m.moving),
		Because: guide + ", step 2; every pair must have its mirror on the other side",
	})
}

func transportWord(transport string) string {
	if transport == email {
		return "exchanging e-mail"
	}
	return "exchanging files"
}

func (m *migrating) keyFacts(role string) []planner.Fact {
	h := m.facts.end(role)
	path := "from." + role + "."
	return []planner.Fact{{Name: path + "connector", Value: h.fact("connector")}, {Name: path + "integration", Value: h.fact("integration")}}
}

// stopOrAsk is a person's where nothing would show that the half has stopped.
func (m *migrating) stopOrAsk(role string) planner.Step {
	if m.facts.end(role).Status == "" {
		return m.stopByHand(role)
	}
	return m.stop(role)
}

func (m *migrating) stop(role string) planner.Step {
	h := m.facts.end(role)
	return planner.Step{
		Op: opStop + role, Mark: planner.MarkChange, Repeat: planner.CheckFirst, Within: planner.Duration(2 * time.Minute),
		Summary: fmt.Sprintf("stop the %s's half %s on %s (project %s, now %s)", role, h.Key, m.from.Ref(role, "server").Addr, h.Project, h.Status),
		Because: guide + ", step 1: the exported data must not change any more",
		Args:    map[string]string{"integration": h.Key},
		Facts:   m.keyFacts(role),
		Effect:  &planner.Effect{},
		Undo:    fmt.Sprintf("start %s on %s again", h.Key, m.from.Ref(role, "server").Addr),
	}
}

func (m *migrating) export(role string) planner.Step {
	h := m.facts.end(role)
	return planner.Step{
		Op: opExport + role, Mark: planner.MarkAdd, Repeat: planner.Idempotent,
		Summary: fmt.Sprintf("download the synced issues of %s into the run's file %s (%s now)", h.Connector, exportFile(role), plural(h.Pairs, "pair")),
		Because: guide + ", step 1.2: the pairs are what the new synchronization needs to know the issues again",
		Args:    map[string]string{"connector": h.Connector, "integration": h.Key},
	}
}

func (m *migrating) moveStep() planner.Step {
	project := m.to.Text(second, "project")
	from := m.from.Ref(m.moving, "server")
	return planner.Step{
		Op: opMove, Mark: planner.MarkPerson, Repeat: planner.CheckFirst,
		Summary: fmt.Sprintf("move project %s from %s to the cloud site %s%s", project, from.Addr, m.move.Addr, map[bool]string{true: " (it is there already)"}[m.facts.Moved]),
		Because: "the new synchronization is with the project in the cloud; the move itself is Atlassian's (Jira Cloud Migration Assistant), not Backbone's",
		Manual: &planner.Manual{
			Where:  "Jira Cloud Migration Assistant of " + from.Text("url"),
			Action: "move_project_to_cloud",
			Do: []string{
				"Lock the project for everyone, so that nobody edits it while it moves.",
				fmt.Sprintf("Migrate project %s with its issues, comments and attachments to %s. Its key must stay %s.", project, m.move.Text("url"), project),
				"Wait until the assistant reports success, then come back.",
			},
			Values: []planner.Value{
				{Name: "server", Label: "From", Value: from.Text("url")},
				{Name: "project", Label: "Project", Value: project},
				{Name: "cloud_server", Label: "To", Value: m.move.Text("url")},
			},
		},
		Undo: "the project in the cloud is a copy: the one on the server is still there",
	}
}

// build: the new synchronization, up to running. The project's move may take days, so that the original still stands
// still is looked at before anything is built on its export, and again before the pairs go up and before the start.
func (m *migrating) build(l *list) {
	l.then(planner.Step{
		Op: opStill, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(20 * time.Second),
		Summary: "both halves of the original still stand still, and are what was exported",
		Because: "a restart of Jira starts synchronizations again (HC/5.0/server/system-properties); what they do now would be missing in the new one, or done twice",
	})
	still := []string{l.id(opStill)}
	l.then(createDirectStep(m.to, m.facts.New))
	if m.r.Text("pair") == pairByPerson {
		l.then(m.pairByPerson(still))
	} else {
		l.then(m.pair(first, still))
		l.then(m.pair(second, still))
	}
	l.then(configureStep(m.to, "vendor's guide, step 3.3: the same issue types, fields, comments and attachments"))
	start := planner.Step{
		Op: opStart, Guards: still, Mark: planner.MarkChange, Repeat: planner.CheckFirst, Within: planner.Duration(2 * time.Minute),
		Summary: fmt.Sprintf("start %s on %s", syncName(m.to), m.stay.Addr),
		Because: guide + ", step 4.1",
		Effect:  &planner.Effect{}, Undo: "stop it again",
	}
	if m.newStatusUnreadable() {
		start = m.startByHand(start)
	}
	l.then(start)
	l.then(m.resync(first), m.resync(second))
}

func (m *migrating) pairByPerson(guards []string) planner.Step {
	return planner.Step{
		Op: opPairAll, Guards: guards, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(time.Minute),
		Summary: fmt.Sprintf("upload %s as pairs of issues that Backbone has synchronized before", mergedFile),
		Because: guide + ", step 3.2",
		Manual: &planner.Manual{
			Where:  m.stay.Text("url") + ", Backbone, " + syncName(m.to),
			Action: "pair_by_file",
			Do: []string{
				"Open the configuration, then ••• > Pair existing issues > Pair existing issues synced with Backbone before.",
				"Choose the file below. Leave \"update sync info panel\" unchecked.",
			},
			Values: []planner.Value{
				{Name: "server", Label: "Jira", Value: m.stay.Text("url")},
				{Name: "first_project", Label: "Project", Value: m.to.Text(first, "project")},
				{Name: "second_project", Label: "Partner project", Value: m.to.Text(second, "project")},
				{Name: "path", Label: "File", Value: mergedFile, File: true},
			},
		},
	}
}

func (m *migrating) pair(end string, guards []string) planner.Step {
	role, section := m.staying, "firstConnector"
	if end == second {
		role, section = m.moving, "secondConnector"
	}
	return planner.Step{
		Op: opPair + end, Guards: guards, Mark: planner.MarkAdd, Repeat: planner.Once, Within: planner.Duration(2 * time.Minute),
		Exclusive: []string{"backbone " + m.stay.Addr.String()},
		Summary:   fmt.Sprintf("upload the %s's pairs (%s of %s) into the %s connector: %s now", role, section, mergedFile, end, plural(m.facts.end(role).Pairs, "pair")),
		Because:   guide + ", step 3.2; the import is documented in one line and its body is not, so every pair is read back",
		Effect:    &planner.Effect{},
		Undo:      "delete the new synchronization",
	}
}

func (m *migrating) resync(end string) planner.Step {
	return planner.Step{
		Op: opResync + end, Mark: planner.MarkChange, Repeat: planner.CheckFirst,
		Within:    m.verifyWithin(),
		Exclusive: []string{"backbone " + m.stay.Addr.String()},
		Summary:   fmt.Sprintf("resync from the %s connector (%s), the summary field only", end, m.to.Text(end, "project")),
		Because:   guide + ", step 4.2: it recreates the information in the sync info panel",
		Effect:    &planner.Effect{},
	}
}

func (m *migrating) verifyWithin() planner.Duration {
	d, err := parseDuration(m.r.Text("verify", "within"))
	if err != nil {
		d = 30 * time.Minute
	}
	return planner.Duration(d)
}

// finish: verification, and the end of the original.
func (m *migrating) finish(l *list) {
	m.words(l, master, slave)
	sample := number(m.r, 50, "verify", "sample")
	l.then(planner.Step{
		Op: opVerify, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: m.verifyWithin(),
		Summary: fmt.Sprintf("%s runs, no issue is in error, every exported pair is on both connectors, no more and no fewer; the summaries of %s are equal on both Jiras", syncName(m.to), plural(sample, "pair")),
		Because: guide + ", step 4.3: the original is deleted only once everything is verified",
		Args:    map[string]string{"sample": fmt.Sprint(sample)},
	})
	if m.r.Get("delete_original").IsNull() {
		return
	}
	for _, role := range []string{m.moving, m.staying} {
		l.then(m.deleteStep(role, l.id(opVerify)))
	}
}

func (m *migrating) deleteStep(role, guard string) planner.Step {
	h := m.facts.end(role)
	return planner.Step{
		Op: opDelete + role, Mark: planner.MarkFinal, Repeat: planner.Once, Guards: []string{guard},
		Summary: fmt.Sprintf("delete the %s's half %s of the original on %s", role, h.Key, m.from.Ref(role, "server").Addr),
		Because: guide + ", step 4.3",
		Args:    map[string]string{"integration": h.Key, "connector": h.Connector},
		Facts:   m.keyFacts(role),
		Effect: &planner.Effect{Destroy: 1, Irreversible: true,
			Loses: fmt.Sprintf("synchronization %s with %s, its messages and its information in the sync info panel; the exported pairs stay in the run's files", h.Key, plural(h.Pairs, "pair"))},
		Retires: []string{m.from.Addr.String()},
	}
}

// left is the half of the original that is left over when the other is gone and the new synchronization has taken over,
// "" in every other case.
func (m *migrating) left() string {
	f := &m.facts
	taken := f.New.Status == "RUNNING" || f.New.Found && f.New.Status == "" && f.New.FirstPairs > 0
	if m.from == nil || f.Master.Found == f.Slave.Found || !taken || m.r.Get("delete_original").IsNull() {
		return ""
	}
	if f.Master.Found {
		return master
	}
	return slave
}

// planRest finishes what another run, or somebody, has left: the half that is still there goes once the new
// synchronization has all its pairs.
func (m *migrating) planRest(role string) ([]planner.Finding, []planner.Step) {
	h := m.facts.end(role)
	l := &list{addr: m.r.Addr.String()}
	l.then(m.stopOrAsk(role))
	if m.facts.end(other(role)).Unlisted {
		l.then(m.gone(other(role)))
	}
	m.words(l, role)
	l.then(planner.Step{
		Op: opRest, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("%s runs without an issue in error, and has every pair of %s", m.facts.New.Key, h.Key),
		Because: "the export of the run that began is not at hand, so the live pairs are compared",
		Args:    map[string]string{"role": role},
		Facts:   m.keyFacts(role),
	})
	last := m.deleteStep(role, l.id(opRest))
	last.Effect.Loses = fmt.Sprintf("synchronization %s with %s, its messages and its information in the sync info panel", h.Key, plural(h.Pairs, "pair"))
	l.then(last)
	findings := []planner.Finding{{Rule: "backbone/half-left", Severity: planner.Warn, Op: opDelete + role,
		Summary: fmt.Sprintf("the %s's half of the original is gone already; only the %s's half %s is left", other(role), role, h.Key)}}
	if allow := number(m.r, 0, "delete_original", "allow"); allow < 1 {
		findings = append(findings, planner.Finding{Rule: "backbone/delete-allow", Severity: planner.Refuse, Op: opDelete + role,
			Summary: fmt.Sprintf("the plan deletes 1 half, delete_original allows %d", allow)})
	}
	return findings, l.steps
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "half") {
		return fmt.Sprintf("%d halves", n)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
