package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/schema"
)

// Sizes of the picture of servers, in pixels.
const (
	boxWidth   = 244
	lineHeight = 17
	boxPadding = 10
	gapWidth   = 88 // between a column of servers and one of synchronizations
	between    = 18 // boxes of a column
	siteHead   = 26
	margin     = 14
	inBox      = 31 // characters of a line that fit into a box
)

// box is a node with its place.
type box struct {
	node  *report.Node
	lines []line
	x, y  float64
	h     float64
	ports map[bool][]*edge // by whether they are on the right side
}

func (b *box) middle() float64 { return b.y + b.h/2 }

// edge is a line from a synchronization to one of its servers.
type edge struct {
	sync, server *box
	right        bool // of the server
	flow         schema.Flow
	ys, ye       float64 // at the server, at the synchronization
}

// layout is the picture of servers on the way.
type layout struct {
	r       *report.Report
	columns []*column
	edges   []*edge
	width   float64
	height  float64
	left    int // declarations that are left out
}

// column is a group of servers, with the synchronizations to the right of it.
type column struct {
	site    *report.Site
	servers []*box
	syncs   []*box
	x       float64
	height  float64 // of the group of servers
}

// arrange gives everything its place: a column for each group of servers, and one for the synchronizations between it
// and the next group, so that no line has to cross a box of its neighbours.
func arrange(r *report.Report) *layout {
	l := &layout{r: r}
	sites, syncs, left := shown(r.Topology)
	l.left = left
	boxes, place := map[*report.Node]*box{}, map[*report.Node]int{}
	for i, s := range sites {
		c := &column{site: s}
		for _, n := range s.Servers {
			boxes[n], place[n] = l.box(n), i
			c.servers = append(c.servers, boxes[n])
		}
		l.columns = append(l.columns, c)
	}
	if len(l.columns) == 0 {
		l.columns = []*column{{site: &report.Site{}}} // for those without a server
	}
	for _, n := range syncs {
		b := l.box(n)
		at := -1
		for _, e := range n.Ends {
			if at < 0 || place[e.Node] < at {
				at = place[e.Node]
			}
		}
		at = max(at, 0)
		l.columns[at].syncs = append(l.columns[at].syncs, b)
		for _, e := range n.Ends {
			l.edges = append(l.edges, &edge{sync: b, server: boxes[e.Node], right: place[e.Node] <= at, flow: e.Flow})
		}
	}
	l.place()
	return l
}

func (l *layout) box(n *report.Node) *box {
	b := &box{node: n, lines: lines(l.r, n), ports: map[bool][]*edge{}}
	b.h = float64(len(b.lines)*lineHeight + 2*boxPadding)
	return b
}

// top is where boxes begin: below the names of sites, if there are any.
func (l *layout) top() float64 {
	if slices.ContainsFunc(l.columns, func(c *column) bool { return siteTitle(c.site) != "" }) {
		return margin + siteHead
	}
	return margin
}

// place stacks the servers of each column, and puts synchronizations beside their servers as far as there is room.
func (l *layout) place() {
	x := float64(margin)
	for _, c := range l.columns {
		c.x = x
		y := l.top()
		for _, b := range c.servers {
			b.x, b.y = x+margin, y
			y += b.h + between
		}
		c.height = y - between
		x += boxWidth + 2*margin
		if len(c.syncs) > 0 {
			for _, b := range c.syncs {
				b.x = x + gapWidth
			}
			x += gapWidth + boxWidth
		}
		x += gapWidth
	}
	l.width = x - gapWidth + margin
	for _, c := range l.columns {
		l.stack(c)
	}
	l.height = 0
	for _, c := range l.columns {
		l.height = max(l.height, c.height+margin)
		for _, b := range c.syncs {
			l.height = max(l.height, b.y+b.h+margin)
		}
	}
	l.ports()
}

// stack puts the synchronizations of a column in the order of what they link, each near the middle of it.
func (l *layout) stack(c *column) {
	want := map[*box]float64{}
	for _, b := range c.syncs {
		sum, n := 0.0, 0
		for _, e := range l.edges {
			if e.sync == b {
				sum += e.server.middle()
				n++
			}
		}
		want[b] = sum/max(1, float64(n)) - b.h/2
	}
	slices.SortStableFunc(c.syncs, func(a, b *box) int { return cmp.Compare(want[a], want[b]) })
	y := l.top()
	for _, b := range c.syncs {
		b.y = max(y, want[b])
		y = b.y + b.h + between
	}
}

// ports spreads the lines along the sides of the boxes.
func (l *layout) ports() {
	for _, e := range l.edges {
		e.server.ports[e.right] = append(e.server.ports[e.right], e)
		e.sync.ports[!e.right] = append(e.sync.ports[!e.right], e)
	}
	spread := func(b *box) {
		for _, side := range []bool{false, true} {
			list := b.ports[side]
			slices.SortStableFunc(list, func(x, y *edge) int {
				return cmp.Compare(x.other(b).middle(), y.other(b).middle())
			})
			for i, e := range list {
				at := b.y + b.h*float64(i+1)/float64(len(list)+1)
				if e.server == b {
					e.ys = at
				} else {
					e.ye = at
				}
			}
		}
	}
	for _, c := range l.columns {
		for _, b := range slices.Concat(c.servers, c.syncs) {
			spread(b)
		}
	}
}

func (e *edge) other(b *box) *box {
	if e.server == b {
		return e.sync
	}
	return e.server
}

// Topology draws servers and what links them as SVG, and tells how many declarations are left out. It has no style of
// its own: see Style.
func Topology(r *report.Report) (svg string, left int) {
	l := arrange(r)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="topology" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" `+
		`width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", printable.HTML(inWords(r)), l.width, l.height, l.width,
		l.height)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" ` +
		`orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>` + "\n")
	for _, c := range l.columns {
		if title := siteTitle(c.site); title != "" {
			fmt.Fprintf(&b, `<rect class="site" x="%.0f" y="%d" width="%d" height="%.0f" rx="10"/>`+"\n", c.x, margin/2,
				boxWidth+2*margin, c.height+margin/2)
			fmt.Fprintf(&b, `<text class="sitename" x="%.0f" y="%d">%s</text>`+"\n", c.x+margin, margin+14,
				printable.HTML(fit(title, inBox)))
		}
	}
	for _, e := range l.edges {
		e.draw(&b)
	}
	for _, c := range l.columns {
		for _, n := range slices.Concat(c.servers, c.syncs) {
			n.draw(&b, r)
		}
	}
	b.WriteString("</svg>\n")
	return b.String(), l.left
}

// inWords is the picture in words, for those who do not see it.
func inWords(r *report.Report) string {
	servers := 0
	for _, s := range r.Topology.Sites {
		servers += len(s.Servers)
	}
	return fmt.Sprintf("Picture of servers (%d) and synchronizations (%d). The list below it says the same.", servers,
		len(r.Topology.Syncs))
}

func (e *edge) draw(b *strings.Builder) {
	x1, x2 := e.server.x, e.sync.x+boxWidth
	if e.right {
		x1, x2 = e.server.x+boxWidth, e.sync.x
	}
	mid := (x1 + x2) / 2
	ends := ""
	if e.flow == schema.FlowTo || e.flow == schema.FlowBoth {
		ends += ` marker-start="url(#arrow)"`
	}
	if e.flow == schema.FlowFrom || e.flow == schema.FlowBoth {
		ends += ` marker-end="url(#arrow)"`
	}
	fmt.Fprintf(b, `<path class="edge" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"%s/>`+"\n", x1, e.ys, mid, e.ys, mid,
		e.ye, x2, e.ye, ends)
}

func (b *box) draw(w *strings.Builder, r *report.Report) {
	radius := 4
	if b.node.Kind == schema.Sync {
		radius = 16
	}
	fmt.Fprintf(w, `<g class="node %s"><title>%s</title><rect x="%.1f" y="%.1f" width="%d" height="%.1f" rx="%d"/>`,
		class(r, b.node), printable.HTML(b.node.Addr), b.x, b.y, boxWidth, b.h, radius)
	for i, line := range b.lines {
		kind, most := "", inBox+3
		if line.head {
			kind, most = ` class="name"`, inBox-4
		}
		fmt.Fprintf(w, `<text%s x="%.1f" y="%.1f">%s</text>`, kind, b.x+12, b.y+boxPadding+float64(i)*lineHeight+13,
			printable.HTML(fit(line.text, most)))
	}
	w.WriteString("</g>\n")
}

// fit cuts a text so that it is not wider than so many letters. Wide characters count twice.
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

// columns are how many letters wide a character is, at most.
func columns(r rune) int {
	if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r > 0x1f000 ||
		r >= 0xff00 && r <= 0xff60) {
		return 2
	}
	return 1
}

// Style is how the pictures look, for the sheet of a page: in the dark too.
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

// Colors are the colours of Style and of a page, each light and in the dark: text has a contrast of at least 4.5.
const Colors = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--muted:#57606a;--line:#d0d7de;--soft:#f3f5f7;--good:#1a7f37;
--good-soft:#ddf4e4;--warn:#8a5a00;--warn-soft:#fdf0d0;--bad:#c1252b;--bad-soft:#ffe3e1;
--blue:#0860c4;--blue-soft:#dcebff}
@media screen and (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--muted:#9aa5b1;--line:#3a424d;
--soft:#161b22;--good:#4cc167;--good-soft:#12311d;--warn:#e0a93a;--warn-soft:#3a2c0a;--bad:#ff7b72;--bad-soft:#451a1c;
--blue:#6cb0ff;--blue-soft:#112a4a}}
`

// Alone is an SVG that stands by itself, with its style.
func Alone(svg string) string {
	head, rest, _ := strings.Cut(svg, "\n")
	return head + "\n<style>" + Colors + "svg{background:var(--page)}" + Style + "</style>\n" + rest
}
