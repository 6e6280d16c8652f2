package picture

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// Topology draws servers and their links as SVG, without a style of its own: see Style. left is the number of
// declarations that are left out.
func Topology(r *report.Report) (svg string, left int) {
	l := arrange(r)
	var b strings.Builder
	w, h := l.at(l.u, l.v)
	fmt.Fprintf(&b, `<svg class="topology" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" `+
		`width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", printable.HTML(inWords(r)), w, h, w, h)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" ` +
		`orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>` + "\n")
	for _, g := range l.groups {
		l.site(&b, g)
	}
	for _, e := range l.edges {
		l.drawEdge(&b, e)
	}
	for _, g := range l.groups {
		for _, n := range slices.Concat(g.servers.boxes, g.syncs.boxes) {
			x, y := l.at(n.u, n.v)
			n.draw(&b, r, x, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.String(), l.left
}

// site draws the frame of a group with a name.
func (l *layout) site(b *strings.Builder, g *group) {
	title := siteTitle(g.site)
	if title == "" {
		return
	}
	x, y := l.at(g.servers.u, margin/2)
	w, h := l.at(g.servers.to-g.servers.u, g.v+margin/2)
	if l.rows {
		x, w = margin, w-margin/2
	}
	fmt.Fprintf(b, `<rect class="site" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="10"/>`+"\n", x, y, w, h)
	fmt.Fprintf(b, `<text class="sitename" x="%.0f" y="%.0f">%s</text>`+"\n", x+margin, y+21,
		printable.HTML(fit(title, inBox)))
}

// inWords describes the picture in words, for people who cannot see it.
func inWords(r *report.Report) string {
	servers := 0
	for _, s := range r.Topology.Sites {
		servers += len(s.Servers)
	}
	return fmt.Sprintf("Picture of servers (%d) and synchronizations (%d). The list below it says the same.", servers,
		len(r.Topology.Syncs))
}

func (l *layout) drawEdge(b *strings.Builder, e *edge) {
	ends := ""
	if e.flow == schema.FlowTo || e.flow == schema.FlowBoth {
		ends += ` marker-start="url(#arrow)"`
	}
	if e.flow == schema.FlowFrom || e.flow == schema.FlowBoth {
		ends += ` marker-end="url(#arrow)"`
	}
	b.WriteString(`<path class="edge" d="`)
	write := func(command string, points ...[2]float64) {
		b.WriteString(command)
		for i, p := range points {
			x, y := l.at(p[0], p[1])
			fmt.Fprintf(b, "%s%.1f %.1f", []string{"", " "}[min(i, 1)], x, y)
		}
	}
	way := l.way(e)
	write("M", way[0])
	for i, p := range way[1:] {
		switch from := way[i]; {
		case p == from:
		case i%2 == 0: // next to a box, or in its lane next to others
			write("L", p)
		default:
			mid := (from[0] + p[0]) / 2
			write("C", [2]float64{mid, from[1]}, [2]float64{mid, p[1]}, p)
		}
	}
	b.WriteString(`"` + ends + "/>\n")
}

func (b *box) draw(w *strings.Builder, r *report.Report, x, y float64) {
	radius := 4
	if b.node.Kind == schema.Sync {
		radius = 16
	}
	fmt.Fprintf(w, `<g class="node %s"><title>%s</title><rect x="%.1f" y="%.1f" width="%d" height="%.1f" rx="%d"/>`,
		class(r, b.node), printable.HTML(b.node.Addr), x, y, boxWidth, b.h, radius)
	for i, line := range b.lines {
		kind, most := "", inBox+3
		if line.head {
			kind, most = ` class="name"`, inBox-4
		}
		fmt.Fprintf(w, `<text%s x="%.1f" y="%.1f">%s</text>`, kind, x+12, y+boxPadding+float64(i)*lineHeight+13,
			printable.HTML(fit(line.text, most)))
	}
	w.WriteString("</g>\n")
}

// fit cuts a text to a width in letters. Wide characters count twice.
func fit(s string, most int) string {
	s = printable.Line(s)
	width := 0
	for _, r := range s {
		width += columns(r)
	}
	if width <= most {
		return s
	}
	width = 1
	for i, r := range s {
		if width += columns(r); width > most {
			return s[:i] + "…"
		}
	}
	return s
}

// columns returns the maximum width of a character, in letters.
func columns(r rune) int {
	if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r > 0x1f000 ||
		r >= 0xff00 && r <= 0xff60) {
		return 2
	}
	return 1
}

// Style is the style sheet of the pictures, also for dark pages.
const Style = `
svg text{font:12px system-ui,sans-serif;fill:var(--text)}
svg .name{font-weight:600;font-size:13px}
svg .site{fill:var(--soft);stroke:var(--line)}
svg .sitename{font-weight:600;fill:var(--muted)}
svg .edge{fill:none;stroke:var(--muted);stroke-width:1.5}
svg .tip{fill:var(--muted)}
svg .node rect{fill:var(--page);stroke:var(--muted);stroke-width:1}
svg .touched rect{stroke-width:2}
svg .add rect,svg .done rect{stroke:var(--good);stroke-width:2.5}
svg .change rect{stroke:var(--warn);stroke-width:2.5}
svg .waiting rect{stroke:var(--warn);stroke-width:2.5;stroke-dasharray:6 3}
svg .delete rect,svg .final rect{stroke:var(--bad);stroke-width:3}
svg .failed rect{stroke:var(--bad);stroke-width:3;stroke-dasharray:6 3}
svg .row{fill:var(--soft)}
svg .lane{font-weight:600}
svg .small{font-size:11px;fill:var(--muted)}
svg .bar rect{stroke-width:1.5;fill:var(--page);stroke:var(--muted)}
svg .bar text{text-anchor:middle;font-size:11px}
svg .bar.add rect,svg .bar.done rect{stroke:var(--good);fill:var(--good-soft)}
svg .bar.change rect{stroke:var(--blue);fill:var(--blue-soft)}
svg .bar.person rect,svg .bar.waiting rect{stroke:var(--warn);fill:var(--warn-soft)}
svg .bar.delete rect{stroke:var(--bad);fill:var(--bad-soft)}
svg .bar.final rect,svg .bar.failed rect{stroke:var(--bad);fill:var(--bad-soft);stroke-width:2.5}
svg .bar.open rect{stroke-dasharray:3 2}
`

// Colors defines the colours of Style and of a page, each for light and dark. Text has a contrast of at least 4.5.
const Colors = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--muted:#57606a;--line:#d0d7de;--soft:#f3f5f7;--good:#1a7f37;
--good-soft:#ddf4e4;--warn:#8a5a00;--warn-soft:#fdf0d0;--bad:#c1252b;--bad-soft:#ffe3e1;
--blue:#0860c4;--blue-soft:#dcebff}
@media screen and (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--muted:#9aa5b1;--line:#3a424d;
--soft:#161b22;--good:#4cc167;--good-soft:#12311d;--warn:#e0a93a;--warn-soft:#3a2c0a;--bad:#ff7b72;--bad-soft:#451a1c;
--blue:#6cb0ff;--blue-soft:#112a4a}}
`

// Alone returns an SVG with its style, as a file of its own.
func Alone(svg string) string {
	head, rest, _ := strings.Cut(svg, "\n")
	return head + "\n<style>" + Colors + "svg{background:var(--page)}" + Style + "</style>\n" + rest
}
