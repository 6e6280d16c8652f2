// Package reporttest provides example plans and runs, so that everything that shows them is tested with the same ones.
package reporttest

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// Hostile holds names with a special meaning in HTML, Markdown, Mermaid, DOT, terminals, or layout.
var Hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</code></details></svg></style><b>`, `{{.}} ${x} %s`,
	"[link](javascript:alert(1)) ![i](//x) **b** _i_ ~~s~~ `c` | # h",
	"@everyone #1 !2 https://evil.example www.evil.example",
	"\x1b[31mred\x1b[0m\x9b2J\a", "\u202egnp.exe\u2066\u200f", "a\nb\r\n- c\n```\n</details>\n", "```mermaid",
	"end", `x"] --> y["z`, "%%{init: {}}%%", `\N \G "} ]; a -> b`, "&lt;b&gt; &amp;#39;", "שלום عربي", "", " ",
	"1. one", ":tada:",
	"\u0000\ufeff\u200b", "\xff\xfe",
}

// Small is a plan of three steps at one server: one that the program carries out, one for a person, and one that cannot
// be undone.
func Small() *planner.Plan {
	const addr, server = "sync.depot.tools", "server.depot.north"
	paint := planner.Act("paint", planner.MarkChange, planner.CheckFirst, "paint tools red")
	paint.Because, paint.Undo, paint.Effect = "it is blue at the depot", "paint it blue", &planner.Effect{Change: 1}
	paint.Facts = []planner.Fact{{Name: "color", Value: "blue"}}
	label := planner.Person("label", "label tools", planner.Manual{Where: "the depot", Do: []string{"Stick the label on."},
		Values:   []planner.Value{{Name: "label", Label: "Label text", Value: "heavy"}},
		Commands: []string{"# print it\nprint --copies=1 'heavy label'"}})
	scrap := planner.Final("scrap", "scrap old", 1, "the box old", addr+"/paint")
	p := &planner.Plan{
		Format: planner.Format, Syncctl: "1.2.3", Digest: "d",
		Declared: []planner.Declared{
			{Addr: server, Site: "acme", Links: []planner.Link{{Path: "keystore", To: "keystore.jks.north"}}},
			{Addr: "keystore.jks.north", Seen: []planner.Shown{{Name: "tls valid until", Value: "2027-01-31"}}},
			{Addr: addr, Links: []planner.Link{{Path: "server", To: server, Flow: schema.FlowTo}},
				Brief: []planner.Shown{{Name: "color", Value: "red"}}},
		},
		Changes: []planner.ResourceChange{{Addr: addr, Action: planner.Update,
			Diff: []planner.Difference{{Path: "color", Declared: `"red"`, Actual: `"blue"`}}}},
		Findings: []planner.Finding{
			{Rule: "depot/wet", Severity: planner.Warn, Addr: addr, Op: "paint", Summary: "paint is wet at first"},
			{Rule: "depot/old", Severity: planner.Note, Addr: addr, Summary: "it is old", Detail: "Older than most."},
		},
	}
	return sequence(p, addr, server, paint, label, scrap)
}

// sequence appends steps that follow each other.
func sequence(p *planner.Plan, addr, server string, steps ...planner.Step) *planner.Plan {
	last := ""
	for _, s := range steps {
		s.Addr, s.ID, s.Verb = addr, planner.StepID(addr, s.Op), s.Op
		if s.Servers == nil && server != "" {
			s.Servers = []string{server}
		}
		if last != "" {
			s.Needs = append(s.Needs, last)
		}
		last = s.ID
		p.Steps = append(p.Steps, s)
	}
	return p
}

// Fleet returns a plan for the given number of servers in three sites, in a chain of synchronizations, and of steps.
func Fleet(servers, steps int) *planner.Plan {
	p := &planner.Plan{Format: planner.Format, Syncctl: "1.2.3", Digest: "d"}
	name := func(i int) string { return fmt.Sprintf("server.depot.plant-%02d", i+1) }
	for i := range servers {
		site := []string{"acme", "globex", "initech"}[i*3/servers]
		key := fmt.Sprintf("keystore.pkcs12.plant-%02d", i+1)
		p.Declared = append(p.Declared,
			planner.Declared{Addr: name(i), Site: site, Links: []planner.Link{{Path: "tls.keystore", To: key}}},
			planner.Declared{Addr: key, Seen: []planner.Shown{{Name: "tls valid until", Value: "2027-03-01"}}})
	}
	syncs := max(1, servers-1)
	for i := range syncs {
		to := name(min(i+servers/3+1, servers-1))
		addr := fmt.Sprintf("module.share[%q].sync.depot.models", fmt.Sprintf("plant-%02d", i+1))
		p.Declared = append(p.Declared, planner.Declared{Addr: addr,
			Links: []planner.Link{{Path: "source", To: name(i), Flow: schema.FlowFrom},
				{Path: "target", To: to, Flow: schema.FlowTo}},
			Brief: []planner.Shown{{Name: "trigger", Value: "every_commit"}, {Name: "state", Value: "active"}}})
		p.Changes = append(p.Changes, planner.ResourceChange{Addr: addr, Action: planner.Create})
		var list []planner.Step
		for j := i; j < steps; j += syncs {
			list = append(list, fleetStep(i, j/syncs, to, name(i)))
		}
		sequence(p, addr, to, list...)
		p.Findings = append(p.Findings, planner.Finding{Rule: "depot/holds", Severity: planner.Note, Addr: addr,
			Summary: fmt.Sprintf("the source holds %d resources now", 7*i+3)})
	}
	return p
}

// Sites returns a plan of two sites: globex, which makes it, removes what acme has verified.
func Sites() *planner.Plan {
	const north, south, addr = "server.depot.north", "server.depot.south", "sync.depot.crates"
	at := time.Date(2027, 2, 3, 1, 0, 0, 0, time.UTC)
	p := &planner.Plan{Format: planner.Format, Syncctl: "1.2.3", Digest: "d",
		Declared: []planner.Declared{{Addr: north, Site: "acme"}, {Addr: south, Site: "globex"}},
		Sites: []planner.PlanSite{
			{Name: "acme", MaxAge: planner.Duration(36 * time.Hour), Observed: &planner.Age{At: at, By: "ann@acme"}},
			{Name: "globex", MaxAge: planner.Duration(90 * time.Minute)}},
		Turns: []planner.Turn{{Site: "globex"}, {Site: "acme", Steps: 1}, {Site: "globex", Steps: 1}}}
	compare := planner.Check("compare", "all crates have arrived", time.Minute)
	compare.Site, compare.Servers = "acme", []string{north}
	remove := planner.Final("remove", "remove the crates", 3, "three crates", planner.StepID(addr, "compare"))
	remove.Site, remove.Servers, remove.Approvals = "globex", []string{south}, []string{"acme", "globex"}
	return sequence(p, addr, "", compare, remove)
}

func fleetStep(i, j int, to, from string) planner.Step {
	op := fmt.Sprintf("copy_%d", j+1)
	switch j % 5 {
	case 0:
		s := planner.Act(op, planner.MarkAdd, planner.CheckFirst,
			fmt.Sprintf("create category \"From plant %d\" on %s", i+1, to))
		s.Effect, s.Undo = &planner.Effect{Add: 1}, "remove the category"
		return s
	case 1:
		return planner.Person(op, "create the remote resource configuration on "+to, planner.Manual{
			Where: "https://" + to + ".example:8443/webapp", Do: []string{"Open the page.", "Choose Add.", "Save."},
			Values: []planner.Value{{Name: "category", Label: "Category", Value: "Released/Powertrain"}}})
	case 2:
		s := planner.Check(op, "all resources have arrived, compared one by one", time.Minute)
		s.Servers = []string{from, to}
		return s
	case 3:
		s := planner.Act(op, planner.MarkChange, planner.Idempotent, "set the trigger to every commit")
		s.Effect = &planner.Effect{Change: 1}
		return s
	}
	s := planner.Final(op, "remove the resources from "+from, 12, "12 resources with 340 revisions",
		planner.StepID("sync.depot.other", "check"))
	s.Servers = []string{from}
	return s
}

// Malign returns a plan in which every text is hostile.
func Malign() *planner.Plan {
	p := &planner.Plan{Format: planner.Format, Syncctl: Hostile[0], Digest: "d"}
	for i, name := range Hostile {
		server, addr := "server.depot."+name, fmt.Sprintf("sync.depot.%d%s", i, name)
		p.Declared = append(p.Declared,
			planner.Declared{Addr: server, Site: name, Seen: []planner.Shown{{Name: name, Value: name}}},
			planner.Declared{Addr: addr, Links: []planner.Link{{Path: name, To: server, Flow: schema.FlowBoth}},
				Brief: []planner.Shown{{Name: name, Value: name}}})
		p.Changes = append(p.Changes, planner.ResourceChange{Addr: addr, Action: planner.Action(name),
			Diff:     []planner.Difference{{Path: name, Declared: name, Actual: name}},
			Replaced: []planner.Replaced{{Part: name, Original: name, New: name, Becomes: planner.Becoming(name)}}})
		s := planner.Person("op"+name, name, planner.Manual{Where: name, Do: []string{name}, Attest: name,
			Commands: []string{name},
			Values:   []planner.Value{{Name: name, Label: name, Value: name}}})
		s.Because, s.Undo, s.Mark, s.Args = name, name, planner.Mark(name), map[string]string{name: name}
		s.Effect = &planner.Effect{Irreversible: true, Loses: name}
		s.Facts, s.Guards, s.Commands = []planner.Fact{{Name: name, Value: name}}, []string{name}, []string{name}
		sequence(p, addr, server, s)
		for _, severity := range []planner.Severity{planner.Refuse, planner.Warn, planner.Note} {
			p.Findings = append(p.Findings,
				planner.Finding{Rule: name, Severity: severity, Addr: addr, Op: "op" + name, Summary: name, Detail: name},
				planner.Finding{Rule: name, Severity: severity, Summary: name, Detail: name})
		}
	}
	return p
}

// Run returns a run of a plan, as a journal only: the first steps are done, the next one ends with the given event,
// and the others have not begun.
func Run(p *planner.Plan, done int, event, why string) *report.Run {
	at := time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC)
	var entries []journal.Entry
	add := func(key, event string, data map[string]string) {
		e := journal.Entry{Seq: len(entries) + 1, Time: at, Key: key, Event: event, Data: data}
		if s := p.Step(key); s != nil {
			e.Site = s.Site
		}
		entries = append(entries, e)
		at = at.Add(700 * time.Millisecond)
	}
	add(executor.RunKey, executor.EventOpened, nil)
	for i := range min(done, len(p.Steps)) {
		add(p.Steps[i].ID, executor.EventStarted, nil)
		at = at.Add(time.Duration(i%7) * time.Second)
		add(p.Steps[i].ID, executor.EventDone, nil)
		for _, site := range p.Sites { // each knows at once what another one has done
			entries = append(entries, journal.Entry{Seq: len(entries) + 1, Time: at, Site: site.Name, Key: executor.RunKey,
				Event: executor.EventReceived, Data: map[string]string{"site": p.Steps[i].Site, "entries": "1"}})
		}
	}
	state := "finished"
	if done < len(p.Steps) {
		state = "unfinished"
		add(p.Steps[done].ID, executor.EventStarted, nil)
		add(p.Steps[done].ID, event, map[string]string{"error": why, "sent": "no"})
	}
	return &report.Run{ID: "20270203T040506.000Z-" + strings.Repeat("ab", 3), State: state,
		Decision: executor.Next(p, entries, "", at), Entries: entries}
}
