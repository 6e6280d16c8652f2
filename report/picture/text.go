package picture

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// highlights are the styles of nodes that change. These languages do not know whether the background is light or dark,
// so the colours are visible on both.
var highlights = []struct {
	class, color string
	width        int
}{
	{"add", "#2f8f46", 3}, {"change", "#a06a00", 3}, {"delete", "#d1383d", 3}, {"final", "#d1383d", 4},
	{"touched", "#6b7683", 2}, {"done", "#2f8f46", 3}, {"waiting", "#a06a00", 3}, {"failed", "#d1383d", 4},
}

// mostOfLine is the maximum length of a node's line in these languages, in characters.
const mostOfLine = 60

// written collects the text of a picture.
type written struct {
	strings.Builder

	r     *report.Report
	sites []*report.Site
	syncs []*report.Node
	id    map[*report.Node]string
	left  int
}

func write(r *report.Report) *written {
	w := &written{r: r, id: map[*report.Node]string{}}
	w.sites, w.syncs, w.left = shown(r.Topology)
	for _, s := range w.sites {
		for _, n := range s.Servers {
			w.id[n] = fmt.Sprintf("n%d", len(w.id)+1)
		}
	}
	for _, n := range w.syncs {
		w.id[n] = fmt.Sprintf("n%d", len(w.id)+1)
	}
	return w
}

// label returns the lines of a node, each escaped.
func (w *written) label(n *report.Node, escape func(string) string, between string) string {
	var parts []string
	for _, l := range lines(w.r, n) {
		parts = append(parts, escape(short(printable.Line(l.text), mostOfLine)))
	}
	return strings.Join(parts, between)
}

// Mermaid draws servers and their links as a Mermaid flowchart. left is the number of declarations that are left out.
func Mermaid(r *report.Report) (text string, left int) {
	w := write(r)
	w.WriteString("flowchart LR\n")
	classes := map[string][]string{}
	node := func(n *report.Node, indent, begin, end string) {
		fmt.Fprintf(w, "%s%s%s\"%s\"%s\n", indent, w.id[n], begin, w.label(n, printable.MermaidLine, "<br/>"), end)
		classes[class(r, n)] = append(classes[class(r, n)], w.id[n])
	}
	for i, s := range w.sites {
		indent, title := "  ", siteTitle(s)
		if title != "" {
			fmt.Fprintf(w, "  subgraph site%d[%s]\n", i+1, printable.Mermaid(title))
			indent = "    "
		}
		for _, n := range s.Servers {
			node(n, indent, "[", "]")
		}
		if title != "" {
			w.WriteString("  end\n")
		}
	}
	for _, n := range w.syncs {
		node(n, "  ", "([", "])")
		for _, e := range n.Ends {
			from, arrow, to := w.id[e.Node], "-->", w.id[n]
			switch e.Flow {
			case schema.FlowFrom:
			case schema.FlowTo:
				from, to = to, from
			case schema.FlowBoth:
				arrow = "<-->"
			default:
				arrow = "---"
			}
			fmt.Fprintf(w, "  %s %s %s\n", from, arrow, to)
		}
	}
	for _, c := range highlights {
		if list := classes[c.class]; len(list) > 0 {
			fmt.Fprintf(w, "  classDef %s stroke:%s,stroke-width:%dpx\n  class %s %s\n", c.class, c.color, c.width,
				strings.Join(list, ","), c.class)
		}
	}
	return w.String(), w.left
}

// DOT draws servers and their links in the language of Graphviz. left is the number of declarations that are left out.
func DOT(r *report.Report) (text string, left int) {
	w := write(r)
	w.WriteString("digraph syncctl {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n")
	node := func(n *report.Node, indent, more string) {
		for _, c := range highlights {
			if c.class == class(r, n) {
				more += fmt.Sprintf(", color=%q, penwidth=%d", c.color, c.width)
			}
		}
		fmt.Fprintf(w, "%s%s [label=\"%s\"%s];\n", indent, w.id[n], w.label(n, printable.DOTLine, `\n`), more)
	}
	for i, s := range w.sites {
		indent, title := "  ", siteTitle(s)
		if title != "" {
			fmt.Fprintf(w, "  subgraph cluster_%d {\n    label=%s;\n", i+1, printable.DOT(title))
			indent = "    "
		}
		for _, n := range s.Servers {
			node(n, indent, "")
		}
		if title != "" {
			w.WriteString("  }\n")
		}
	}
	for _, n := range w.syncs {
		node(n, "  ", ", style=rounded")
		for _, e := range n.Ends {
			from, to, dir := w.id[e.Node], w.id[n], "none"
			switch e.Flow {
			case schema.FlowTo:
				from, to, dir = to, from, "forward"
			case schema.FlowFrom:
				dir = "forward"
			case schema.FlowBoth:
				dir = "both"
			}
			fmt.Fprintf(w, "  %s -> %s [dir=%s];\n", from, to, dir)
		}
	}
	w.WriteString("}\n")
	return w.String(), w.left
}
