package backbone

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/planner"
)

// findings are what a person must know before the migration starts; preflight looks for them once more and stops at a refusal.
// said tells which person's words are recorded: what cannot be read is refused without. When planning, none is needed yet,
// and said is nil: the plan asks for them.
func (m *migrating) findings(said func(op string) bool) ([]planner.Finding, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	if m.from == nil {
		return nil, append(diags, problem(m.r, "The original is not declared",
			fmt.Sprintf("%s is in none of the files, and the migration has not reached its end: without the declaration nobody can say what is to be migrated.", m.r.Text("from")), "from"))
	}
	for _, role := range []string{master, slave} {
		if !m.facts.end(role).Found {
			diags = append(diags, m.missing(role))
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	var out []planner.Finding
	for _, role := range []string{master, slave} {
		out = append(out, m.endFindings(role)...)
		out = append(out, m.unknownFindings(role, said)...)
	}
	out = append(out, m.newFindings()...)
	out = append(out, m.pairFindings()...)
	return append(out, m.caveats()...), diags
}

func (m *migrating) missing(role string) *hcl.Diagnostic {
	where := m.from.Ref(role, "server").Addr
	detail := fmt.Sprintf("On %s there is no synchronization by %s of project %s.", where, m.from.Text("transport"), m.from.Text(role, "project"))
	if m.facts.end(other(role)).Found {
		if n := m.facts.New; n.Found && n.Status != "RUNNING" {
			return problem(m.r, "The original is not there", detail+fmt.Sprintf(" The %s's half is still there, and %s has taken over but is %s: start it, then plan again.", other(role), n.Key, n.Status), "from")
		}
		detail += fmt.Sprintf(" The %s's half is still there: was this migration begun with another working directory? Its run's files hold the pairs; go on from there.", other(role))
	}
	return problem(m.r, "The original is not there", detail, "from")
}

func (m *migrating) endFindings(role string) []planner.Finding {
	h := m.facts.end(role)
	name := fmt.Sprintf("the %s's half %s on %s", role, h.Key, h.Server)
	var out []planner.Finding
	refuse := func(rule, summary, detail string) {
		out = append(out, planner.Finding{Rule: "backbone/" + rule, Severity: planner.Refuse, Op: opPreflight, Summary: summary, Detail: detail})
	}
	if h.InError != nil && *h.InError > 0 {
		detail := "Open the troubleshooting tab of " + h.Key + " and solve what is there, then plan again (" + guide + ", prerequisites)."
		if len(m.facts.Flying) > 0 {
			detail = "By their message numbers: " + strings.Join(m.facts.Flying, "; ") + ". " + detail
		}
		refuse("issues-in-error", fmt.Sprintf("%s in error on %s", plural(*h.InError, "issue"), name), detail)
	}
	if len(h.Conflicts) > 0 {
		refuse("conflicts", fmt.Sprintf("%s has %s", name, plural(len(h.Conflicts), "conflict")), strings.Join(h.Conflicts, "; "))
	}
	if want := strings.ToUpper(role); h.Role != "" && h.Role != want {
		refuse("role", fmt.Sprintf("%s is the %s, not the %s", name, strings.ToLower(h.Role), role), "Exchange the blocks master and slave of "+m.from.Addr.String()+".")
	}
	if want := strings.ToUpper(m.from.Text("transport")); h.Channel != "" && h.Channel != want {
		refuse("transport", fmt.Sprintf("%s goes by %s, not by %s", name, strings.ToLower(h.Channel), m.from.Text("transport")), "Set transport in "+m.from.Addr.String()+" to what is there.")
	}
	switch h.Status {
	case "RUNNING", "STOPPED", "":
	default:
		refuse("status", fmt.Sprintf("%s is %s", name, h.Status), "Bring it to RUNNING or STOPPED first: in this state its data may not be complete.")
	}
	if h.Role == "" || h.Channel == "" || h.Partner == "" {
		out = append(out, planner.Finding{Rule: "backbone/not-readable", Severity: planner.Note, Op: opPreflight,
			Summary: fmt.Sprintf("role, transport and partner of %s cannot all be read over REST; which one it is shows in its project, "+
				"its single connector and its pairs", name)})
	}
	return out
}

// unknownFindings: what cannot be read of a half is not taken for fine.
func (m *migrating) unknownFindings(role string, said func(op string) bool) []planner.Finding {
	h := m.facts.end(role)
	var out []planner.Finding
	add := func(rule, op, summary, detail string) {
		f := planner.Finding{Rule: "backbone/" + rule, Severity: planner.Warn, Op: op, Summary: summary, Detail: detail}
		if said != nil && op == opNoErrors+role && !said(op) {
			f.Severity, f.Op = planner.Refuse, opPreflight
		}
		out = append(out, f)
	}
	name := fmt.Sprintf("the %s's half %s on %s", role, h.Key, h.Server)
	const detail = "It was not in the answer. A person looks at the web page and confirms it in a step of this plan."
	if h.InError == nil {
		add("errors-unknown", opNoErrors+role, "how many issues are in error on "+name+" cannot be read over REST", detail)
	}
	if h.Conflicts == nil {
		add("conflicts-unknown", opNoErrors+role, "whether "+name+" has conflicts cannot be read over REST",
			"The answer was "+h.ConflictsAnswer+". A person looks at the web page and confirms it in a step of this plan.")
	}
	if h.Status == "" {
		add("status-unknown", opStopByHand+role, "the status of "+name+" cannot be read over REST",
			"It was not in the answer. A person stops it and confirms that it stands still.")
	}
	return out
}

// newFindings: what is there of the new synchronization must be of this migration, or nothing yet.
func (m *migrating) newFindings() []planner.Finding {
	n := m.facts.New
	stay, move := m.facts.end(m.staying).Pairs, m.facts.end(m.moving).Pairs
	more := number(m.r, 0, "verify", "new_pairs")
	fits := func(have, want int) bool { return have >= want && have <= want+more }
	empty := n.FirstPairs == 0 && n.SecondPairs == 0
	ours := (n.FirstPairs == 0 || fits(n.FirstPairs, stay)) && (n.SecondPairs == 0 || fits(n.SecondPairs, move))
	switch {
	case !n.Found || ours && !empty || empty && (n.Status == "STOPPED" || stay+move == 0):
		return nil
	case empty && n.Status == "":
		return []planner.Finding{{Rule: "backbone/new-status-unknown", Severity: planner.Refuse, Op: opCreate,
			Summary: fmt.Sprintf("%s has no pairs, and whether it runs cannot be read over REST: if it did, it would make every issue a second time", n.Key),
			Detail:  "Resume the run that it was created in, or delete it on the web page."}}
	case empty:
		return []planner.Finding{{Rule: "backbone/new-runs", Severity: planner.Refuse, Op: opCreate,
			Summary: fmt.Sprintf("%s is %s without the pairs: it would make every issue a second time", n.Key, n.Status),
			Detail:  "Stop it before anything else."}}
	}
	return []planner.Finding{{Rule: "backbone/new-has-pairs", Severity: planner.Refuse, Op: opCreate,
		Summary: fmt.Sprintf("%s has pairs that are not the original's: %d and %d, the original has %d and %d", n.Key, n.FirstPairs, n.SecondPairs, stay, move),
		Detail:  "Delete it on the web page, and look for issues that it made twice; or allow pairs made since with verify { new_pairs }."}}
}

func (m *migrating) pairFindings() []planner.Finding {
	var out []planner.Finding
	f := &m.facts
	if f.InFlight > 0 && !anyInError(f) {
		out = append(out, planner.Finding{Rule: "backbone/in-flight", Severity: planner.Warn, Op: opDrained,
			Summary: fmt.Sprintf("%s in flight now; the migration goes on only once there is none", plural(f.InFlight, "message")),
			Detail:  strings.Join(f.Flying, "; ")})
	}
	if f.Uncompared > 0 {
		severity := planner.Refuse
		if m.allows(string(syncinfo.SeqDiffer)) {
			severity = planner.Warn
		}
		out = append(out, planner.Finding{Rule: "backbone/counters-unknown", Severity: severity, Op: opDrained,
			Summary: fmt.Sprintf("whether messages are in flight cannot be told for %s: an end does not say how many it has sent or applied",
				plural(f.Uncompared, "direction of a pair")),
			Detail: "If you know that nothing is in flight, allow = [\"" + string(syncinfo.SeqDiffer) + "\"] in the migration says so."})
	}
	out = append(out, m.partnerFindings()...)
	if f.Unmatched > 0 {
		severity := planner.Refuse
		if m.allows("unmatched") {
			severity = planner.Warn
		}
		out = append(out, planner.Finding{Rule: "backbone/unmatched-pairs", Severity: severity, Op: opMerge,
			Summary: fmt.Sprintf("%s without a mirror on the other end", plural(f.Unmatched, "pair")),
			Detail:  strings.Join(f.Lonely, "; ") + ". The merge refuses them; allow = [\"unmatched\"] carries them over all the same."})
	}
	if f.Master.Pairs == 0 && f.Slave.Pairs == 0 {
		out = append(out, planner.Finding{Rule: "backbone/no-pairs", Severity: planner.Warn, Op: opMerge, Summary: "neither end has a pair: there is nothing to carry over"})
	}
	half := f.Master.HalfComments + f.Slave.HalfComments + f.Master.HalfAttachments + f.Slave.HalfAttachments
	if half > 0 {
		detail := "The end that wrote a comment keeps its own id only. They are carried over as they are."
		if flag(m.r, "complete_comments") {
			detail = "The merge fills in what the other end's export knows (complete_comments = true)."
		}
		out = append(out, planner.Finding{Rule: "backbone/half-pairs", Severity: planner.Note, Op: opMerge,
			Summary: fmt.Sprintf("%s know one of their two ids only (master: %d comments, %d attachments; slave: %d comments, %d attachments)",
				plural(half, "comment and attachment pair"), f.Master.HalfComments, f.Master.HalfAttachments, f.Slave.HalfComments, f.Slave.HalfAttachments),
			Detail: detail})
	}
	return out
}

func anyInError(f *migrationFacts) bool {
	for _, h := range []*half{&f.Master, &f.Slave} {
		if h.InError != nil && *h.InError > 0 {
			return true
		}
	}
	return false
}

// partnerFindings: that two halves belong together shows in their partners' projects, or in their pairs. Where neither does,
// the keys of both must be declared.
func (m *migrating) partnerFindings() []planner.Finding {
	f := &m.facts
	if f.Matched > 0 || f.Master.Partner != "" && f.Slave.Partner != "" {
		return nil
	}
	if m.from.Text(master, "key") != "" && m.from.Text(slave, "key") != "" {
		return nil
	}
	return []planner.Finding{{Rule: "backbone/partner-unknown", Severity: planner.Refuse, Op: opPreflight,
		Summary: fmt.Sprintf("nothing shows that %s and %s are the two halves of one synchronization", f.Master.Key, f.Slave.Key),
		Detail: fmt.Sprintf("They have no pair in common, and their partners cannot be read over REST. If they are, set key = %q in the block master "+
			"and key = %q in the block slave of %s.", f.Master.Key, f.Slave.Key, m.from.Addr)}}
}

func (m *migrating) allows(check string) bool {
	v := m.r.Get("allow")
	if !known(v) {
		return false
	}
	for _, e := range v.AsValueSlice() {
		if known(e) && e.AsString() == check {
			return true
		}
	}
	return false
}

// caveats are the vendor's, with numbers from the real data.
func (m *migrating) caveats() []planner.Finding {
	var out []planner.Finding
	moving := m.facts.end(m.moving)
	if n := moving.Comments; n > 0 && flag(m.to, "comments") {
		out = append(out, planner.Finding{Rule: "backbone/BAC-1449", Severity: planner.Warn, Op: opStart,
			Summary: fmt.Sprintf("up to %s on paired issues may be duplicated", plural(n, "comment")),
			Detail:  "The vendor names this in the guide as BAC-1449. Comment and attachment ids change when a project moves to the cloud, so the ids in the pairs go stale."})
	}
	if m.moving == slave {
		out = append(out, planner.Finding{Rule: "backbone/vendor-sample", Severity: planner.Note, Op: opMerge,
			Summary: "the guide's merged example for this variant is not valid JSON, and its sentence names the wrong file",
			Detail:  "A comma is missing between the two arrays and one too many stands at the end. The merge here writes what the example means: master first, slave second."})
	}
	d := m.r.Get("delete_original")
	if d.IsNull() {
		return append(out, planner.Finding{Rule: "backbone/original-kept", Severity: planner.Note,
			Summary: "the original stays, stopped, on both ends: there is no delete_original block"})
	}
	if allow := number(m.r, 0, "delete_original", "allow"); allow < 2 {
		out = append(out, planner.Finding{Rule: "backbone/delete-allow", Severity: planner.Refuse, Op: opDelete + m.moving,
			Summary: fmt.Sprintf("the plan deletes 2 halves, delete_original allows %d", allow),
			Detail:  "Set allow = 2 in delete_original once you have read what is deleted."})
	}
	return out
}
