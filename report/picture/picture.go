// Package picture draws reports: servers and their links as Mermaid, DOT and SVG, and steps over time as SVG. All text
// comes from a report, and is escaped for its place by package printable.
package picture

import (
	"fmt"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// mostNodes is the maximum number of synchronizations, and of servers, in a picture. More would be unreadable, and too
// much for programs that render Mermaid.
const mostNodes = 100

// line is one line of a node.
type line struct {
	text string
	head bool // it is the name
}

// lines returns the lines of a node, the name first.
func lines(r *report.Report, n *report.Node) []line {
	out := []line{{n.Name, true}}
	if n.Module != "" {
		out = append(out, line{text: n.Module})
	}
	if !n.Apart {
		out = append(out, line{text: string(n.Kind) + " " + n.Type})
	}
	for _, l := range n.Labels {
		text := l.Name + ": " + l.Value
		if d, moves := n.Moves[l.Name]; moves && d.Actual != "null" {
			text += map[bool]string{true: ", before ", false: ", now "}[r.Run != nil] + d.Actual
		}
		out = append(out, line{text: text})
	}
	for _, m := range n.By {
		out = append(out, line{text: "by " + string(m.Kind) + " " + m.Name})
	}
	for _, k := range n.Has {
		text := "keystore " + k.Name
		if word := report.ActionWord(k.Action); word != "" {
			text += ": " + word
		}
		out = append(out, line{text: text})
		for _, l := range k.Labels {
			out = append(out, line{text: l.Name + " " + l.Value})
		}
	}
	return append(out, stepLines(r, n)...)
}

// stepLines returns what the plan does at a node, and how far a run has come there.
func stepLines(r *report.Report, n *report.Node) []line {
	var out []line
	word := report.ActionWord(n.Action)
	if len(n.Steps) > 0 {
		if word != "" {
			word += ", "
		}
		word += short(report.StepList(report.Numbers(n.Steps)), 26)
	}
	if word != "" {
		out = append(out, line{text: word})
	}
	if r.Run != nil && len(n.Steps) > 0 {
		done := 0
		for _, s := range n.Steps {
			if s.State == report.Done {
				done++
			}
		}
		text := fmt.Sprintf("%d of %d done", done, len(n.Steps))
		if s := state(r, n); s != report.Done && s != report.Open {
			text += ", " + string(s)
		}
		out = append(out, line{text: text})
	}
	return out
}

// state returns the most important state of a node's steps.
func state(r *report.Report, n *report.Node) report.State {
	if r.Run == nil || len(n.Steps) == 0 {
		return ""
	}
	has := map[report.State]bool{}
	for _, s := range n.Steps {
		has[s.State] = true
	}
	for _, s := range []report.State{report.Failed, report.Stuck, report.Interrupted, report.Waiting, report.Running,
		report.Again, report.Away} {
		if has[s] {
			return s
		}
	}
	if has[report.Open] {
		return report.Open
	}
	return report.Done
}

// class returns the style of a node: by what happens to it, and in a run by its progress.
func class(r *report.Report, n *report.Node) string {
	switch state(r, n) {
	case report.Failed, report.Stuck:
		return "failed"
	case report.Interrupted, report.Waiting, report.Running, report.Again, report.Away:
		return "waiting"
	case report.Done:
		return "done"
	}
	for _, s := range n.Steps {
		if s.Irreversible() && (s.Addr == n.Addr || n.Kind == schema.Sync) {
			return "final"
		}
	}
	switch n.Action {
	case planner.Create:
		return "add"
	case planner.Delete:
		return "delete"
	case planner.Update, planner.Migrate, planner.Replace:
		return "change"
	}
	if len(n.Steps) > 0 {
		return "touched"
	}
	return "same"
}

// short cuts a text.
func short(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// siteTitle returns the title of a group of servers, or "" for a group without a name.
func siteTitle(s *report.Site) string {
	if s.Name == "" {
		return ""
	}
	return "site " + s.Name
}

// shown returns the groups and synchronizations that fit in a picture, and how many declarations are left out.
func shown(t *report.Topology) (sites []*report.Site, syncs []*report.Node, left int) {
	here := map[*report.Node]bool{}
	room := mostNodes
	for _, s := range t.Sites {
		n := min(room, len(s.Servers))
		left += len(s.Servers) - n
		room -= n
		if n > 0 {
			sites = append(sites, &report.Site{Name: s.Name, Servers: s.Servers[:n]})
		}
		for _, server := range s.Servers[:n] {
			here[server] = true
		}
	}
	for _, n := range t.Syncs {
		ends := 0
		for _, e := range n.Ends {
			if here[e.Node] {
				ends++
			}
		}
		if ends < len(n.Ends) || len(syncs) == mostNodes {
			left++
			continue
		}
		syncs = append(syncs, n)
	}
	return sites, syncs, left
}
