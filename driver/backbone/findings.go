package backbone

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// findings returns what a person must know before the migration starts. Preflight makes them once more and stops at a
// refusal. said reports whether a person has confirmed in the step of an op; what cannot be read is refused without
// it. When planning, said is nil: no confirmation is needed yet, because the plan asks for it. own is the mark of
// this run, nil when planning.
func (s *standing) findings(said func(op string) bool, own *mark) ([]planner.Finding, hcl.Diagnostics) {
	if s.from == nil {
		return nil, hcl.Diagnostics{s.Problem("The original is not declared",
			"The synchronization that from names is in none of the files, and the migration has not reached its end: "+
				"without the declaration it is unknown what is to be migrated.", "from")}
	}
	var diags hcl.Diagnostics
	for _, role := range roles {
		if !s.half(role).found() {
			diags = append(diags, s.missing(role))
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	out := s.markFindings(own, roles...)
	for _, role := range roles {
		out = append(out, s.endFindings(role)...)
		out = append(out, s.unknownFindings(role, said)...)
	}
	if s.finished() {
		out = append(append(out, s.partnerFindings()...), s.narrowings()...)
		return append(out, s.allowed()...), nil
	}
	out = append(out, s.newFindings()...)
	out = append(out, s.partnerFindings()...)
	out = append(out, s.pairFindings()...)
	out = append(out, s.narrowings()...)
	return append(out, s.caveats()...), nil
}

func (s *standing) missing(role string) *hcl.Diagnostic {
	e := s.from.end(role)
	detail := fmt.Sprintf("On %s there is no synchronization by %s of project %s with project %s.", e.server.Addr(),
		s.from.Transport, e.Project, s.from.end(other(role)).Project)
	if others := s.half(role).others; len(others) > 0 {
		detail += " It has: " + wording.Foreign(others) + "."
	} else {
		detail += " It lists none at all of that project."
	}
	if s.half(other(role)).found() {
		if n := s.new; n.found() && n.Status != "RUNNING" {
			return s.Problem("The original was not found", detail+fmt.Sprintf(" The %s's half is still there, and %s "+
				"has taken over but is %s: start it, then plan again.",
				other(role), n.Key, cmp.Or(n.Status, "in a state that cannot be read")), "from")
		}
		detail += fmt.Sprintf(" The %s's half is still there: was this migration begun with another working "+
			"directory? Its run's files hold the pairs; resume that run.", other(role))
	}
	return s.Problem("The original was not found", detail, "from")
}

// refuse returns a finding that refuses, at the preflight step.
func refuse(rule, summary, detail string) planner.Finding {
	return planner.Finding{Rule: product + "/" + rule, Severity: planner.Refuse, Op: opPreflight, Summary: summary,
		Detail: detail}
}

func (l *live) halfName() string {
	return fmt.Sprintf("the %s's half %s on %s", l.end.name, l.Key, l.end.server.Addr())
}

func (s *standing) endFindings(role string) []planner.Finding {
	h := s.half(role)
	name := h.halfName()
	var out []planner.Finding
	if h.InError != nil && *h.InError > 0 {
		detail := "Open the troubleshooting tab of " + h.Key + " and solve the errors, " +
			"then plan again (" + guide + ", prerequisites)."
		if len(s.ends.flying) > 0 {
			detail = "By their message numbers: " + strings.Join(s.ends.flying, "; ") + ". " + detail
		}
		out = append(out, refuse(ruleIssuesInError, fmt.Sprintf("%s in error on %s", wording.Plural(*h.InError,
			"issue"), name), detail))
	}
	if len(h.Conflicts) > 0 {
		out = append(out, refuse(ruleConflicts, fmt.Sprintf("%s has %s", name, wording.Plural(len(h.Conflicts),
			"conflict")), wording.Foreign(h.Conflicts)))
	}
	if h.Role != "" && h.Role != strings.ToUpper(role) {
		out = append(out, refuse(ruleRole, fmt.Sprintf("%s is the %s, not the %s", name, strings.ToLower(h.Role), role),
			"Exchange the blocks master and slave of "+s.from.Addr().String()+"."))
	}
	if h.Channel != "" && h.Channel != strings.ToUpper(s.from.Transport) {
		out = append(out, refuse(ruleTransport, fmt.Sprintf("%s uses %s, not %s", name, strings.ToLower(h.Channel),
			s.from.Transport),
			fmt.Sprintf("Set transport = %q in %s.", strings.ToLower(h.Channel), s.from.Addr())))
	}
	switch h.Status {
	case "RUNNING", "STOPPED", "":
	default:
		out = append(out, refuse(ruleStatus, fmt.Sprintf("%s is %s", name, h.Status),
			"Bring it to RUNNING or STOPPED first: in this state its data may not be complete."))
	}
	if h.Role == "" || h.Channel == "" || h.Partner == "" {
		out = append(out, planner.Finding{Rule: product + "/" + ruleNotReadable, Severity: planner.Note, Op: opPreflight,
			Summary: fmt.Sprintf("role, transport and partner of %s cannot all be read over REST; which one it is shows "+
				"in its project, its single connector and its pairs", name)})
	}
	return out
}

// unknownFindings returns findings about what cannot be read of a half: it is not assumed to be fine.
func (s *standing) unknownFindings(role string, said func(op string) bool) []planner.Finding {
	h := s.half(role)
	var out []planner.Finding
	add := func(rule, op, summary, detail string) {
		f := planner.Finding{Rule: product + "/" + rule, Severity: planner.Warn, Op: op, Summary: summary, Detail: detail}
		if said != nil && rule != ruleStatusUnknown && !said(op) {
			f.Severity, f.Op = planner.Refuse, opPreflight
		}
		out = append(out, f)
	}
	name, word := h.halfName(), op(opNoErrors, role)
	const detail = "A person looks at the web page and confirms it in a step of this plan."
	if h.InError == nil {
		add(ruleErrorsUnknown, word, "how many issues are in error on "+name+" cannot be read over REST", detail)
	}
	if h.Conflicts == nil {
		add(ruleConflictsUnknown, word, "whether "+name+" has conflicts cannot be read over REST",
			"The answer was "+h.ConflictsAnswer+". "+detail)
	}
	if h.Status == "" {
		add(ruleStatusUnknown, op(opStopByHand, role), "the status of "+name+" cannot be read over REST",
			"A person stops it and confirms that it is stopped.")
	}
	return out
}

// newFindings checks the new synchronization: pairs that it already has must be those of this migration.
func (s *standing) newFindings() []planner.Finding {
	n := s.new
	if !n.found() {
		return nil
	}
	one, two := s.newTallies()
	stay, move := s.half(s.staying).own().Pairs, s.half(s.moving).own().Pairs
	fits := func(have, want int) bool { return have >= want && have <= want+s.newPairs }
	empty := one == 0 && two == 0
	ours := (one == 0 || fits(one, stay)) && (two == 0 || fits(two, move))
	create := func(rule, summary, detail string) []planner.Finding {
		return []planner.Finding{{Rule: product + "/" + rule, Severity: planner.Refuse, Op: opCreate, Summary: summary,
			Detail: detail}}
	}
	switch {
	case ours && !empty || empty && (n.Status == "STOPPED" || stay+move == 0):
		return nil
	case empty && n.Status == "":
		return create(ruleNewStatusUnknown, fmt.Sprintf("%s has no pairs, and whether it runs cannot be read over "+
			"REST: if it did, it would make every issue a second time", n.Key),
			"Resume the run that it was created in, or delete it on the web page.")
	case empty:
		return create(ruleNewRuns, fmt.Sprintf("%s is %s without the pairs: it would make every issue a second time",
			n.Key, n.Status), "Stop it before anything else.")
	}
	return create(ruleNewHasPairs, fmt.Sprintf("%s has pairs that are not the original's: %d and %d, the "+
		"original has %d and %d", n.Key, one, two, stay, move),
		"Delete it on the web page, and look for issues that it made twice; or allow pairs made since with "+
			"verify { new_pairs }.")
}

// belongTogether reports whether two halves are known to belong to one synchronization: by their partners' projects,
// or by their pairs. If neither shows it, the keys of both must be declared.
func belongTogether(a, b *live, matched int) bool {
	return matched > 0 || a.Partner != "" && b.Partner != "" || a.end.Key != "" && b.end.Key != ""
}

func (s *standing) partnerFindings() []planner.Finding {
	a, b := s.half(master), s.half(slave)
	if belongTogether(a, b, s.ends.matched) {
		return nil
	}
	return []planner.Finding{refuse(rulePartnerUnknown, fmt.Sprintf("nothing shows that %s and %s are the two "+
		"halves of one synchronization", a.Key, b.Key),
		fmt.Sprintf("They have no pair in common, and their partners cannot be read over REST. If they are, set key "+
			"= %q in the block master and key = %q in the block slave of %s.",
			a.Key, b.Key, s.from.Addr()))}
}

// severity returns the severity of a finding that the declaration may allow.
func (s *standing) severity(check syncinfo.Rule) planner.Severity {
	if s.allows(check) {
		return planner.Warn
	}
	return planner.Refuse
}

func (s *standing) pairFindings() []planner.Finding {
	var out []planner.Finding
	a, b, c := s.half(master), s.half(slave), s.ends
	inError := func(l *live) bool { return l.InError != nil && *l.InError > 0 }
	if c.inFlight > 0 && !inError(a) && !inError(b) {
		f := planner.Finding{Rule: product + "/" + ruleInFlight, Severity: planner.Warn, Op: opDrained,
			Detail: strings.Join(c.flying, "; "),
			Summary: fmt.Sprintf("%s in flight now; the migration continues only once there is none",
				wording.Plural(c.inFlight, "message"))}
		if c.unnamed {
			f.Summary, f.Detail = "messages are in flight now; the migration continues only once there is none",
				"The check names them."
		}
		out = append(out, f)
	}
	if c.uncompared > 0 {
		out = append(out, planner.Finding{Rule: product + "/" + ruleCountersUnknown, Op: opDrained,
			Severity: s.severity(syncinfo.SeqDiffer),
			Summary: fmt.Sprintf("whether messages are in flight cannot be told for %s", wording.Plural(c.uncompared,
				"pair")),
			Detail: fmt.Sprintf("An end does not say how many messages it has sent or applied. If you know that none "+
				"is in flight, allow = [%q] in the migration says so.", syncinfo.SeqDiffer)})
	}
	if c.unmatched > 0 {
		out = append(out, planner.Finding{Rule: product + "/" + ruleUnmatchedPairs, Severity: s.severity(syncinfo.Unmatched),
			Op:      opMerge,
			Summary: wording.Plural(c.unmatched, "pair") + " without a mirror on the other end",
			Detail: strings.Join(append(c.lonely, fmt.Sprintf("If they are new, let the messages through and plan again. "+
				"The merge refuses them; if one end has lost its half for good, allow = [%q] carries them over all the "+
				"same.", syncinfo.Unmatched)), "; ")})
	}
	if a.own().Pairs == 0 && b.own().Pairs == 0 {
		out = append(out, planner.Finding{Rule: product + "/" + ruleNoPairs, Severity: planner.Warn, Op: opMerge,
			Summary: "neither end has a pair: there is nothing to carry over"})
	}
	return append(out, s.halfPairs(a.own(), b.own())...)
}

// halfPairs notes comments and attachments where an end knows only its own ID.
func (s *standing) halfPairs(a, b *pairsSeen) []planner.Finding {
	half := a.HalfComments + b.HalfComments + a.HalfAttachments + b.HalfAttachments
	if half == 0 {
		return nil
	}
	detail := "The end that wrote a comment keeps its own id only. They are carried over as they are."
	if s.CompleteComments {
		detail = "The merge fills in what the other end's export knows (complete_comments = true)."
	}
	return []planner.Finding{{Rule: product + "/" + ruleHalfPairs, Severity: planner.Note, Op: opMerge,
		Summary: fmt.Sprintf("%s know one of their two ids only (master: %d comments, %d attachments; slave: %d "+
			"comments, %d attachments)",
			wording.Plural(half, "comment and attachment pair"), a.HalfComments, a.HalfAttachments, b.HalfComments,
			b.HalfAttachments),
		Detail: detail}}
}

// caveats are the warnings of the vendor's guide, with numbers from the real data, and what happens to the original.
func (s *standing) caveats() []planner.Finding {
	var out []planner.Finding
	if n := s.half(s.moving).own().Comments; n > 0 && s.to.Comments != nil && *s.to.Comments {
		start := opStart
		if s.likeNew().Status == "" {
			start = opStartByHand
		}
		out = append(out, planner.Finding{Rule: product + "/" + ruleBAC1449, Severity: planner.Warn, Op: start,
			Summary: fmt.Sprintf("up to %s on paired issues may be duplicated", wording.Plural(n, "comment")),
			Detail: "The vendor names this in the guide as BAC-1449. Comment and attachment ids change when a project " +
				"moves to the cloud, so the ids in the pairs go stale."})
	}
	out = append(out, planner.Finding{Rule: product + "/" + ruleVendorHelp, Severity: planner.Note, Op: opMove,
		Summary: "the vendor's other guides have a step that its guide for this case leaves out, Backbone Cloud Migration " +
			"preparation",
		Detail: "It translates the ids of issues, comments and attachments, which change in the cloud, in the exported " +
			"files. Ask the vendor whether it fits yours: help@k15t.com."})
	if s.moving == slave {
		out = append(out, planner.Finding{Rule: product + "/" + ruleVendorSample, Severity: planner.Note, Op: opMerge,
			Summary: "the guide's merged example for this variant is not valid JSON, and its sentence names the wrong file",
			Detail: "A comma is missing between the two arrays and there is one too many at the end. The merge here " +
				"writes what the example means: master first, slave second."})
	}
	if !s.deleteOriginal {
		return append(out, planner.Finding{Rule: product + "/" + ruleOriginalKept, Severity: planner.Note,
			Summary: "the original stays, stopped, on both ends: there is no delete_original block"})
	}
	return append(out, s.allowed()...)
}

// allowed refuses a plan that deletes more halves than the declaration allows.
func (s *standing) allowed() []planner.Finding {
	if allow := s.DeleteOriginal.Allow; allow < len(roles) {
		return []planner.Finding{deleteAllow(op(opDelete, s.moving), len(roles), allow)}
	}
	return nil
}

func deleteAllow(op string, deletes, allow int) planner.Finding {
	return planner.Finding{Rule: product + "/" + ruleDeleteAllow, Severity: planner.Refuse, Op: op,
		Summary: fmt.Sprintf("the plan deletes %d of the original's halves, delete_original allows %d", deletes, allow),
		Detail:  fmt.Sprintf("Set allow = %d in delete_original once you have read what is deleted.", deletes)}
}

// restFindings returns the findings of a plan that only deletes the remaining half.
func (s *standing) restFindings(role string) []planner.Finding {
	out := []planner.Finding{{Rule: product + "/" + ruleHalfLeft, Severity: planner.Warn, Op: op(opDelete, role),
		Summary: fmt.Sprintf("the %s's half of the original is gone already; only the %s's half %s is left",
			other(role), role, s.half(role).Key)}}
	out = append(out, s.markFindings(nil, role)...)
	out = append(out, s.narrowings()...)
	if allow := s.DeleteOriginal.Allow; allow < 1 {
		out = append(out, deleteAllow(op(opDelete, role), 1, allow))
	}
	return out
}
