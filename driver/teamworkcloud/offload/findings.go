package offload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
)

// A stage is the time at which findings are made.
type stage int

const (
	whenPlanned stage = iota
	atPreflight       // right before anything is changed: confirmations of runs are unknown, and there are no steps
)

// findings adds what a person must know about an offload. transfers means that something is brought to the target or
// removed from the source.
func (o *plan) findings(at stage, transfers bool) {
	switch {
	case transfers:
		o.out = append(o.out, o.sharing.Findings(o.l)...)
		o.bringing()
		if o.removes() {
			o.removing()
			o.used()
			o.losing()
		}
	case at == whenPlanned: // uses the confirmations of runs
		o.missing()
	}
	if o.removes() {
		o.marked()
	}
	if o.reactivates() {
		o.reactivating()
	}
	if len(o.l.Steps) == 0 {
		return
	}
	o.configurations()
	for _, end := range o.stopping() {
		o.machineWork(end)
	}
}

// find adds a finding. It is about step op if the plan has that step.
func (o *plan) find(rule string, severity planner.Severity, op, summary, detail string) {
	if !o.has(op) {
		op = ""
	}
	o.out = append(o.out, planner.Finding{Rule: product + "/" + rule, Severity: severity, Op: op, Summary: summary,
		Detail: detail})
}

func (o *plan) has(op string) bool {
	return slices.ContainsFunc(o.l.Steps, func(s planner.Step) bool { return s.Op == op })
}

func (o *plan) refuse(rule, detail, format string, args ...any) {
	o.find(rule, planner.Refuse, "", fmt.Sprintf(format, args...), detail)
}

// missing is about declared items that are on neither server. After everything was moved, somebody may have renamed
// them on the target.
func (o *plan) missing() {
	for i := range o.sharing.Facts.Items {
		item := &o.sharing.Facts.Items[i]
		if item.Problem == "" {
			continue
		}
		what := fmt.Sprintf("%s %q is neither on %s nor, as far as can be told, on %s", item.Kind, item.Declared,
			o.addr(atSource), o.addr(atTarget))
		if len(o.confirmed) > 0 {
			o.find(share.RuleNotFound, planner.Note, "", what,
				"Runs have worked on this offload; it may have been renamed since. If its end is reached, take the block out.")
			continue
		}
		detail := "Write it as it is called there, with its category path, or as its id."
		if len(item.Similar) > 0 {
			detail = "Did you mean " + strings.Join(share.Quotes(item.Similar), " or ") + "? " + detail
		}
		o.refuse(share.RuleNotFound, detail, "%s", what)
	}
}

// bringing is about what is brought to the target.
func (o *plan) bringing() {
	for i := range o.sharing.Items {
		s := &o.sharing.Items[i]
		if s.Unconfigured && !isComplete(s) && o.sharing.CannotReplace(s) {
			o.refuse(share.RuleReconfigure, "Before 2024x Refresh1 a deleted configuration leaves a record behind that "+
				"stands in the way of another one (TWCloud2024x 137987228). Remove the copies on the target with Data Manager "+
				"(-dr), which takes the record with them, and plan again: nothing has been removed from the source.",
				"the configuration of %s %q on %s was removed before all had come, and cannot be made again while the copies "+
					"are there", s.Kind, s.Path, o.facts.Sync.Target.String())
		}
	}
	var coming []string
	for _, r := range o.present {
		if r.Coming {
			coming = append(coming, r.Name)
		}
	}
	if len(coming) > 0 {
		o.refuse(ruleOffloadComing, "Plan again once they have come.", "%s: not on %s yet", wording.QuotedList(coming),
			o.addr(atSource))
	}
}

// removing is about what must not be removed.
func (o *plan) removing() {
	n := len(o.present)
	allow := o.decl.RemoveFromSource.Allow
	if n > allow {
		o.refuse(ruleRemoveAllow, fmt.Sprintf("Set allow = %d in remove_from_source once you have read what is removed.", n),
			"the plan removes %s from %s, remove_from_source allows %d", wording.Plural(n, "resource"), o.addr(atSource), allow)
	}
	if up := o.sync.UpstreamSync(); up != nil {
		o.refuse(ruleOffloadCopy,
			"Remove them where they come from, or end that synchronization first. Data Manager would remove its "+
				"configuration with the copies, too ("+managerPage+").",
			"what is to be removed from %s are copies that %s brings there", o.addr(atSource), up.Address())
	}
	for _, f := range o.facts.Sync.Feeds {
		o.refuse(ruleOffloadCopy,
			"Take them out of that synchronization first. Data Manager would remove its configuration with the copies, too ("+
				managerPage+").",
			"%s of %s are copies that %s brings there", wording.QuotedList(f.Resources), o.addr(atSource), f.Chain[0])
	}
	for _, f := range o.facts.Readers {
		o.refuse(ruleOffloadRead,
			"Take them out of that synchronization first, or set its state to removed: it would lose what it reads.",
			"%s reads %s from %s", f.Chain[0], wording.QuotedList(f.Resources), o.addr(atSource))
	}
}

// marked is about resources marked as deleted, which are still in the source's database.
func (o *plan) marked() {
	for i := range o.sharing.Items {
		if s := &o.sharing.Items[i]; s.IsRemoved() {
			o.refuse(ruleOffloadMarked,
				"What is marked as deleted is not synchronized (VN 261624215), so it cannot be verified. Restore it, or take "+
					"it out of the declaration.",
				"resource %q is marked as deleted on %s", s.Declared, o.addr(atSource))
		}
	}
}

// losing is about what is removed, and whose it is.
func (o *plan) losing() {
	op := opRemove
	if !o.hasHost(atSource) {
		op = opMaintain + atSource
	}
	people := map[string]int{}
	var lines []string
	for _, r := range o.present {
		if o.overSites() { // only the source's own site may know whose they are
			lines = append(lines, fmt.Sprintf("%s  %s, %s, %s: the last on %s", r.ID, joinPath(r.Path, r.Name),
				wording.Plural(r.Source.Branches, "branch"), wording.Plural(r.Source.Revisions, "revision"), r.Source.LatestAt))
			continue
		}
		people[r.Source.LatestBy]++
		lines = append(lines, fmt.Sprintf("%s  %s, %s, %s: the last by %s on %s%s", r.ID, joinPath(r.Path, r.Name),
			wording.Plural(r.Source.Branches, "branch"),
			wording.Plural(r.Source.Revisions, "revision"), r.Source.LatestBy, r.Source.LatestAt, created(r)))
	}
	summary := fmt.Sprintf("removed from %s: %s", o.addr(atSource), wording.Plural(len(o.present), "resource"))
	if len(people) > 0 {
		summary += "; the newest revisions are by " + printable.Line(byCount(people))
	}
	for i, line := range lines { // names of people and resources have no lines of their own
		lines[i] = printable.Line(line)
	}
	o.find(ruleWhose, planner.Warn, op, summary, strings.Join(lines, "\n"))
	for i := range o.sharing.Items {
		if s := &o.sharing.Items[i]; s.Kind == survey.KindCategory && len(s.Removed) > 0 {
			o.find(ruleMarkedStays, planner.Note, op,
				fmt.Sprintf("category %q of %s has %s marked as deleted, which stay as they are: %s", s.Path, o.addr(atSource),
					wording.Plural(len(s.Removed), "resource"), wording.List(s.Removed)),
				"datamanager -drd, which removes all that is marked, is never used.")
		}
	}
	if len(o.facts.Locks) > 0 {
		var words []string
		for _, l := range o.facts.Locks {
			words = append(words, l.String())
		}
		o.find(ruleLocked, planner.Warn, opIdle+atSource,
			fmt.Sprintf("there are locks on resources that are to be removed: %s", wording.List(words)),
			"Their owners have not committed: the run continues only once there are no locks.")
	}
	o.find(ruleSpace, planner.Note, op, "the database gives its disk space back only when it is compacted",
		"Cassandra does so in time; nodetool compact does it at once.")
}

func joinPath(category, name string) string {
	if category == "" {
		return name
	}
	return category + "/" + name
}

func created(r *survey.Resource) string {
	if r.Source.Creator == "" || r.Source.Creator == r.Source.LatestBy {
		return ""
	}
	return ", the first by " + r.Source.Creator
}

// byCount lists people with their numbers, the highest first.
func byCount(people map[string]int) string {
	var all []string
	for p := range people {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(people[b], people[a]),
			strings.Compare(a, b))
	})
	for i, p := range all {
		all[i] = fmt.Sprintf("%s (%d)", orUnknown(p), people[p])
	}
	return wording.List(all)
}

func orUnknown(name string) string { return cmp.Or(name, "an unknown user") }

// configurations is about what happens to the configurations.
func (o *plan) configurations() {
	switch {
	case !o.unconfigures() && o.removes() && o.transfers():
		o.find(ruleConfigurationStays, planner.Warn, "",
			fmt.Sprintf("the remote resource configurations stay on %s, with nothing on %s that they could bring",
				o.addr(atTarget), o.addr(atSource)),
			"What a configuration does when its source disappears is not documented. remove_configuration = true has them "+
				"removed before.")
	case o.unconfigures() && o.removes() && o.documented() && o.transfers():
		o.find(ruleAsDocumented, planner.Warn, share.VerbUnconfigure,
			"the configurations are there while their source disappears, and what they do then is not documented",
			"order = \"verified\" has them removed before. What is on the target is looked at before and after.")
	}
	if o.unconfigures() && o.facts.Sync.Target.Release.OlderThan(osmc.SyncTLS2024R1) {
		o.find(ruleRecordStays, planner.Note, share.VerbUnconfigure,
			fmt.Sprintf("%s keeps a record of a deleted configuration", o.facts.Sync.Target.String()),
			"Before 2024x Refresh1 the same resource can be configured again only once Data Manager has removed its copy "+
				"(TWCloud2024x 137987228).")
	}
}

// reactivating is about clearing the read-only flag, which must never be done for what a configuration still brings.
func (o *plan) reactivating() {
	for _, f := range o.facts.Sync.Twice {
		o.refuse(ruleReactivateSynced,
			"Take them out of that synchronization first: without the flag, its next run leads to inconsistent versions ("+
				share.SyncPage+").",
			"%s brings %s to %s too, so their read-only flag must stay", f.Chain[0], wording.QuotedList(f.Resources),
			o.addr(atTarget))
	}
	for _, c := range o.facts.Copies {
		if c.Brought != "" {
			o.refuse(ruleReactivateSynced,
				"Take it out of one of the two: without the flag, the next run of that synchronization leads to inconsistent "+
					"versions ("+share.SyncPage+").",
				"%s brings %q (%s) to %s, so its read-only flag must stay", c.Brought, c.Name, c.ID, o.addr(atTarget))
		}
	}
	op := opReactivate
	if !o.hasHost(atTarget) {
		op = opMaintain + atTarget
	}
	var lines []string
	n := len(o.moved())
	if !o.has(op) {
		return
	}
	for _, c := range o.moved() {
		line := c.ID + "  " + c.Name
		switch {
		case !c.Alone:
		case c.LatestBy == "":
			line += ", on the target alone"
		default:
			line += fmt.Sprintf(", on the target alone, the last revision by %s on %s", c.LatestBy, c.LatestAt)
		}
		lines = append(lines, line)
	}
	grade := planner.Note
	if slices.ContainsFunc(o.moved(), o.supposed) {
		grade = planner.Warn
		lines = append(lines, fmt.Sprintf("What is in %q of %s and not on %s counts as moved from there.",
			o.facts.Sync.Category.Path, o.addr(atTarget), o.addr(atSource)))
	}
	o.find(ruleReactivated, grade, op, fmt.Sprintf("editable on %s afterwards: %s", o.addr(atTarget),
		wording.Plural(n, "resource")), strings.Join(lines, "\n"))
	if r := o.facts.Sync.Target.Release; !r.IsZero() && !r.Before(makeEditable2026R2) {
		o.find(ruleMakeEditable, planner.Note, op,
			fmt.Sprintf("%s has a button Make editable in its Resources application, which needs no stop",
				o.facts.Sync.Target.String()),
			"It came with 2026x Refresh2 (VN 261621685) and has no documented interface. To use it, leave "+
				"reactivate out.")
	}
}

// supposed reports whether the only evidence that a resource was moved is that it is in the target category and not on
// the source.
func (o *plan) supposed(c copyFacts) bool {
	return c.Alone && o.facts.Sync.Items[c.Item].Kind == survey.KindCategory
}

// machineWork is about a server whose services are stopped.
func (o *plan) machineWork(end string) {
	in := o.facts.SourceIn
	if end == atTarget {
		in = o.facts.TargetIn
	}
	o.onCommandLines(end)
	switch allowed := o.decl.AllowLoggedIn; {
	case in.Unasked:
	case !in.Known && !allowed:
		o.find(machine.RuleLoggedIn, planner.Note, opAnnounce+end,
			fmt.Sprintf("%s may not see who is logged in to %s, so a person says that nobody is",
				share.OrNobody(o.observed(end).User), o.addr(end)), "")
	case len(in.Users) > 0 && allowed:
		o.find(machine.RuleLoggedIn, planner.Warn, opIdle+end,
			fmt.Sprintf("logged in to %s now: %s; they are cut off when its services stop", o.addr(end),
				wording.List(in.Users)), "allow_logged_in = true")
	case len(in.Users) > 0:
		o.find(machine.RuleLoggedIn, planner.Warn, opIdle+end, fmt.Sprintf("logged in to %s now: %s", o.addr(end),
			wording.List(in.Users)), "Its services are stopped only once nobody else is.")
	}
	if !o.hasHost(end) {
		o.find(ruleNoHost, planner.Note, opMaintain+end,
			fmt.Sprintf("%s has no host block, so a person works at its machine, with the lines below", o.addr(end)),
			"The lines are the vendor's for an installation on Linux; with a host block syncctl runs them and compares what "+
				"Data Manager lists.")
	}
	o.together(end)
}

// onCommandLines refuses IDs that a server has made up for a command line, which a person may paste, or a program run.
func (o *plan) onCommandLines(end string) {
	ids := o.ids()
	if end == atTarget {
		ids = o.movedIDs()
		if category := o.wholeCategory(); category != "" {
			ids = append(ids, category)
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := machine.CheckIDs(ids); err != nil {
		o.refuse(ruleOddID, "The commands for Data Manager name it.", "at the machine of %s: %s", o.addr(end), err)
	}
}

// together is about other offloads that stop the services of the same server: one must come after the other.
func (o *plan) together(end string) {
	for r := range o.decl.Resource().Peers() {
		p := Declared(r)
		other := survey.Declared(p.Sync)
		if other == nil || slices.Contains(o.decl.Resource().DependsOn, r.Addr) ||
			slices.Contains(r.DependsOn, o.decl.Addr()) {
			continue
		}
		if p.RemoveFromSource != nil && other.SourceServer().IsSame(o.server(end)) || p.Reactivate &&
			other.TargetServer().IsSame(o.server(end)) {
			o.find(ruleTogether, planner.Warn, "", fmt.Sprintf("%s may stop and start the services of %s at the same time",
				r.Addr, o.addr(end)),
				fmt.Sprintf("Write depends_on = [%s] here, or the other way round, so that one follows the other.", r.Addr))
		}
	}
}

// makeEditable2026R2 is the release in which the Resources application got a button that clears the flag (VN
// 261621685).
var makeEditable2026R2 = osmc.Release{Year: 2026, Refresh: 2}
