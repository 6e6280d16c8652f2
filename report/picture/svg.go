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
	gapAcross  = 72 // between a column of servers and one of synchronizations
	gapDown    = 44 // the same between rows
	between    = 18 // boxes of a group
	siteHead   = 26
	margin     = 14
	inBox      = 31   // characters of a line that fit into a box
	pageWidth  = 1160 // of a screen: what fits is not scrolled
)

// box is a node with its place. Where groups are columns, u is across and v is down; where they are rows, it is the
// other way round.
type box struct {
	node  *report.Node
	lines []line
	h     float64
	u, v  float64
	ports map[bool][]*edge // by whether they are on the far side
}

// edge is a line from a synchronization to one of its servers.
type edge struct {
	sync, server *box
	far          bool // it leaves the server on its far side
	flow         schema.Flow
	vs, ve       float64 // at the server, at the synchronization
}

// layout is the picture of servers on the way. Groups of servers are columns or rows, each with the synchronizations
// that begin there behind it, so that no line has to cross a box of its neighbours.
type layout struct {
	r      *report.Report
	rows   bool
	groups []*group
	edges  []*edge
	u, v   float64 // the size
	left   int     // declarations that are left out
}

type group struct {
	site    *report.Site
	servers []*box
	syncs   []*box
	u, to   float64 // where it begins, and its boxes end
	v       float64 // where its boxes end the other way
}

// arrange gives everything its place: in columns if that fits on a screen, or else in rows if they do.
func arrange(r *report.Report) *layout {
	columns := arrangeIn(r, false)
	if columns.width() <= pageWidth {
		return columns
	}
	if rows := arrangeIn(r, true); rows.width() < columns.width() {
		return rows
	}
	return columns
}

func arrangeIn(r *report.Report, rows bool) *layout {
	l := &layout{r: r, rows: rows}
	sites, syncs, left := shown(r.Topology)
	l.left = left
	boxes, place := map[*report.Node]*box{}, map[*report.Node]int{}
	for i, s := range sites {
		g := &group{site: s}
		for _, n := range s.Servers {
			boxes[n], place[n] = l.box(n), i
			g.servers = append(g.servers, boxes[n])
		}
		l.groups = append(l.groups, g)
	}
	if len(l.groups) == 0 {
		l.groups = []*group{{site: &report.Site{}}} // for those without a server
	}
	for _, n := range syncs {
		b := l.box(n)
		at := len(l.groups)
		for _, e := range n.Ends {
			at = min(at, place[e.Node])
		}
		if at == len(l.groups) {
			at = 0
		}
		l.groups[at].syncs = append(l.groups[at].syncs, b)
		for _, e := range n.Ends {
			l.edges = append(l.edges, &edge{sync: b, server: boxes[e.Node], far: place[e.Node] <= at, flow: e.Flow})
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

// size is how large a box is along its group's direction, and across it.
func (l *layout) size(b *box) (u, v float64) {
	if l.rows {
		return b.h, boxWidth
	}
	return boxWidth, b.h
}

func (l *layout) middle(b *box) float64 {
	_, v := l.size(b)
	return b.v + v/2
}

// at is a place in the picture.
func (l *layout) at(u, v float64) (x, y float64) {
	if l.rows {
		return v, u
	}
	return u, v
}

func (l *layout) width() float64 {
	x, _ := l.at(l.u, l.v)
	return x
}

// titled is the room for the names of sites, if there are any.
func (l *layout) titled() float64 {
	if slices.ContainsFunc(l.groups, func(g *group) bool { return siteTitle(g.site) != "" }) {
		return siteHead
	}
	return 0
}

// place puts the servers of each group beside each other, and synchronizations near their servers as far as there is
// room.
func (l *layout) place() {
	gap, first, head := float64(gapAcross), margin+l.titled(), 0.0
	if l.rows {
		gap, first, head = gapDown, 2*margin, l.titled()
	}
	u := float64(margin)
	for _, g := range l.groups {
		g.u = u
		g.v, g.to = l.line(g.servers, u+head+margin, first, nil)
		u = g.to + margin
		l.v = max(l.v, g.v+margin)
	}
	// Synchronizations are placed once all servers are, and move the groups behind them.
	shift := 0.0
	for _, g := range l.groups {
		g.u, g.to = g.u+shift, g.to+shift
		for _, b := range g.servers {
			b.u += shift
		}
		end := g.to + margin
		if len(g.syncs) > 0 {
			want := l.wanted(g)
			slices.SortStableFunc(g.syncs, func(a, b *box) int { return cmp.Compare(want[a], want[b]) })
			v, to := l.line(g.syncs, end+gap, first, want)
			v = l.pull(g.syncs, first, v, l.v-margin)
			l.v = max(l.v, v)
			end = to
		}
		shift += end - g.to - margin + gap
		l.u = end + margin
	}
	l.v += margin
	l.ports()
}

// line puts boxes one after the other, each where it wants to be if there is room, and tells where they end.
func (l *layout) line(list []*box, at, first float64, want map[*box]float64) (v, u float64) {
	v, u = first-between, at
	for _, b := range list {
		bu, bv := l.size(b)
		b.u, b.v = at, max(v+between, want[b])
		v, u = b.v+bv, max(u, at+bu)
	}
	return v, u
}

// pull moves boxes back that end behind the picture, if there is room for all of them, and tells where they end then.
func (l *layout) pull(list []*box, first, end, picture float64) float64 {
	need := -float64(between)
	for _, b := range list {
		_, v := l.size(b)
		need += v + between
	}
	if end <= picture || first+need > picture {
		return end
	}
	bound := picture
	for _, b := range slices.Backward(list) {
		_, v := l.size(b)
		b.v = min(b.v, bound-v)
		bound = b.v - between
	}
	return picture
}

// wanted is the middle of what each synchronization of a group links.
func (l *layout) wanted(g *group) map[*box]float64 {
	want := map[*box]float64{}
	for _, b := range g.syncs {
		sum, n := 0.0, 0
		for _, e := range l.edges {
			if e.sync == b {
				sum += l.middle(e.server)
				n++
			}
		}
		_, v := l.size(b)
		want[b] = sum/max(1, float64(n)) - v/2
	}
	return want
}

// ports spreads the lines along the sides of the boxes.
func (l *layout) ports() {
	for _, e := range l.edges {
		e.server.ports[e.far] = append(e.server.ports[e.far], e)
		e.sync.ports[!e.far] = append(e.sync.ports[!e.far], e)
	}
	for _, g := range l.groups {
		for _, b := range slices.Concat(g.servers, g.syncs) {
			_, size := l.size(b)
			for _, side := range []bool{false, true} {
				list := b.ports[side]
				slices.SortStableFunc(list, func(x, y *edge) int {
					return cmp.Compare(l.middle(x.other(b)), l.middle(y.other(b)))
				})
				for i, e := range list {
					at := b.v + size*float64(i+1)/float64(len(list)+1)
					if e.server == b {
						e.vs = at
					} else {
						e.ve = at
					}
				}
			}
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
		for _, n := range slices.Concat(g.servers, g.syncs) {
			x, y := l.at(n.u, n.v)
			n.draw(&b, r, x, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.String(), l.left
}

// site draws the frame of a group that has a name.
func (l *layout) site(b *strings.Builder, g *group) {
	title := siteTitle(g.site)
	if title == "" {
		return
	}
	x, y := l.at(g.u, margin/2)
	w, h := l.at(g.to-g.u+margin, g.v+margin/2)
	if l.rows {
		x, w = margin, w-margin/2
	}
	fmt.Fprintf(b, `<rect class="site" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="10"/>`+"\n", x, y, w, h)
	fmt.Fprintf(b, `<text class="sitename" x="%.0f" y="%.0f">%s</text>`+"\n", x+margin, y+21,
		printable.HTML(fit(title, inBox)))
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

func (l *layout) drawEdge(b *strings.Builder, e *edge) {
	server, _ := l.size(e.server)
	sync, _ := l.size(e.sync)
	from, to := e.server.u, e.sync.u+sync
	if e.far {
		from, to = e.server.u+server, e.sync.u
	}
	ends := ""
	if e.flow == schema.FlowTo || e.flow == schema.FlowBoth {
		ends += ` marker-start="url(#arrow)"`
	}
	if e.flow == schema.FlowFrom || e.flow == schema.FlowBoth {
		ends += ` marker-end="url(#arrow)"`
	}
	b.WriteString(`<path class="edge" d="`)
	for i, p := range [][2]float64{{from, e.vs}, {(from + to) / 2, e.vs}, {(from + to) / 2, e.ve}, {to, e.ve}} {
		x, y := l.at(p[0], p[1])
		fmt.Fprintf(b, "%s%.1f %.1f", []string{"M", "C", " ", " "}[i], x, y)
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
