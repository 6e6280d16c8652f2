package picture

import (
	"cmp"
	"slices"

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
	between    = 18 // between boxes of a group
	siteHead   = 26
	margin     = 14
	laneGap    = 10   // between lines that pass boxes
	inBox      = 31   // maximum characters of a line in a box
	pageWidth  = 1160 // of a screen: a picture within it need not be scrolled
)

// box is a node with its position, or a lane: the place where a line passes the boxes of a column. If groups are
// columns, u is the horizontal and v the vertical direction; if groups are rows, they are swapped.
type box struct {
	node  *report.Node // nil for a lane
	lines []line
	h     float64
	u, v  float64
	ports map[bool][]*edge // by whether they are on the far side
}

// edge is a line from a server to a synchronization.
type edge struct {
	sync, server *box
	far          bool // it leaves the server on the far side
	flow         schema.Flow
	vs, ve       float64 // at the server, at the synchronization
	first, last  *column // the columns of the server and of the synchronization
	lanes        []lane  // from the server on
}

// lane is the place where a line passes a column.
type lane struct {
	*box

	of *column
}

// layout is the picture of servers while it is laid out. Groups of servers are columns or rows, each followed by the
// synchronizations that begin there. A line to a later group passes the boxes between them in lanes, so that no line
// crosses a box.
type layout struct {
	r      *report.Report
	rows   bool
	groups []*group
	edges  []*edge
	u, v   float64 // the size of the picture
	left   int     // number of declarations that are left out
}

type group struct {
	site           *report.Site
	servers, syncs *column
	v              float64 // the end of its servers in direction v
}

// column holds boxes of the same u, and the lanes of the lines that pass them.
type column struct {
	boxes, lanes []*box
	place        int     // its index among all columns
	u, to        float64 // where nothing else is
}

// arrange lays out everything: in columns if they fit on a screen, otherwise in rows if those do.
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
		g := newGroup(s, i)
		for _, n := range s.Servers {
			boxes[n], place[n] = l.box(n), i
			g.servers.boxes = append(g.servers.boxes, boxes[n])
		}
		l.groups = append(l.groups, g)
	}
	if len(l.groups) == 0 {
		l.groups = []*group{newGroup(&report.Site{}, 0)} // for synchronizations without a server
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
		last := l.groups[at].syncs
		last.boxes = append(last.boxes, b)
		for _, e := range n.Ends {
			l.edges = append(l.edges, &edge{sync: b, server: boxes[e.Node], far: place[e.Node] <= at, flow: e.Flow,
				first: l.groups[place[e.Node]].servers, last: last})
		}
	}
	l.pass()
	l.place()
	return l
}

func newGroup(s *report.Site, i int) *group {
	return &group{site: s, servers: &column{place: 2 * i}, syncs: &column{place: 2*i + 1}}
}

// pass gives each line a lane in every column that it passes.
func (l *layout) pass() {
	for _, e := range l.edges {
		for at := e.first.place - 1; at > e.last.place; at-- {
			of := l.groups[at/2].servers
			if at%2 == 1 {
				of = l.groups[at/2].syncs
			}
			if at%2 == 1 && len(of.boxes) == 0 {
				continue
			}
			b := &box{}
			of.lanes = append(of.lanes, b)
			e.lanes = append(e.lanes, lane{b, of})
		}
	}
}

func (l *layout) box(n *report.Node) *box {
	b := &box{node: n, lines: lines(l.r, n), ports: map[bool][]*edge{}}
	b.h = float64(len(b.lines)*lineHeight + 2*boxPadding)
	return b
}

// size returns the size of a box along its group's direction, and across it.
func (l *layout) size(b *box) (u, v float64) {
	switch {
	case b.node == nil:
		return 0, 0
	case l.rows:
		return b.h, boxWidth
	}
	return boxWidth, b.h
}

func (l *layout) middle(b *box) float64 {
	_, v := l.size(b)
	return b.v + v/2
}

// at returns the coordinates of a position.
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

// titled returns the room for the names of sites, or 0 if there are none.
func (l *layout) titled() float64 {
	if slices.ContainsFunc(l.groups, func(g *group) bool { return siteTitle(g.site) != "" }) {
		return siteHead
	}
	return 0
}

// place puts the servers of each group next to each other, then the lines that pass them, and synchronizations near
// their servers as far as there is room.
func (l *layout) place() {
	gap, first, head := float64(gapAcross), margin+l.titled(), 0.0
	if l.rows {
		gap, first, head = gapDown, 2*margin, l.titled()
	}
	for _, g := range l.groups {
		g.v, _ = l.line(g.servers.boxes, 0, first, nil)
		l.v = max(l.v, g.v+margin)
	}
	wanted := l.wanted()
	for _, g := range l.groups {
		byWanted(g.servers.lanes, wanted)
		end, _ := l.line(g.servers.lanes, 0, g.v+margin+laneGap, nil)
		if len(g.servers.lanes) > 0 {
			l.v = max(l.v, end)
		}
	}
	for _, e := range l.edges { // a lane of servers has its position now
		for i, x := range e.lanes[min(1, len(e.lanes)):] {
			if x.of.place%2 == 1 {
				wanted[x.box] = e.lanes[i].v
			}
		}
	}
	u := float64(margin)
	for _, g := range l.groups {
		g.servers.u = u
		_, end := l.line(g.servers.boxes, u+head+margin, first, nil)
		end += margin
		g.servers.to = end
		if len(g.syncs.boxes) > 0 {
			all := slices.Concat(g.syncs.boxes, g.syncs.lanes)
			byWanted(all, wanted)
			g.syncs.u = end + gap
			v, to := l.line(all, g.syncs.u, first, wanted)
			l.v = max(l.v, l.pull(all, first, v, l.v-margin))
			g.syncs.to, end = to, to
		}
		l.u = end + margin
		u = end + gap
	}
	l.v += margin
	l.ports()
}

func byWanted(list []*box, wanted map[*box]float64) {
	slices.SortStableFunc(list, func(a, b *box) int { return cmp.Compare(wanted[a], wanted[b]) })
}

// apart returns the distance between a box and the one before it.
func apart(before, b *box) float64 {
	if before.node == nil && b.node == nil {
		return laneGap
	}
	return between
}

// line puts boxes one after the other, each where it should be if there is room, and returns where they end.
func (l *layout) line(list []*box, at, first float64, want map[*box]float64) (v, u float64) {
	v, u = first, at
	for i, b := range list {
		if i > 0 {
			v += apart(list[i-1], b)
		}
		bu, bv := l.size(b)
		b.u, b.v = at, max(v, want[b])
		v, u = b.v+bv, max(u, at+bu)
	}
	return v, u
}

// pull moves boxes back that end outside the picture, as far as there is room, and returns where they end then.
func (l *layout) pull(list []*box, first, end, picture float64) float64 {
	need := 0.0
	for i, b := range list {
		_, v := l.size(b)
		if need += v; i > 0 {
			need += apart(list[i-1], b)
		}
	}
	picture = max(picture, first+need)
	if end <= picture {
		return end
	}
	bound := picture
	for i, b := range slices.Backward(list) {
		_, v := l.size(b)
		b.v = min(b.v, bound-v)
		if i > 0 {
			bound = b.v - apart(list[i-1], b)
		}
	}
	return picture
}

// wanted returns the best position of each box: synchronizations in the middle of what they link, lanes next to their
// server.
func (l *layout) wanted() map[*box]float64 {
	want, ends := map[*box]float64{}, map[*box]float64{}
	for _, e := range l.edges {
		want[e.sync] += l.middle(e.server)
		ends[e.sync]++
		for _, x := range e.lanes {
			want[x.box] = l.middle(e.server)
		}
	}
	for b, n := range ends {
		_, v := l.size(b)
		want[b] = want[b]/n - v/2
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
		for _, b := range slices.Concat(g.servers.boxes, g.syncs.boxes) {
			_, size := l.size(b)
			for _, side := range []bool{false, true} {
				list := b.ports[side]
				slices.SortStableFunc(list, func(x, y *edge) int {
					return cmp.Compare(l.middle(x.after(b)), l.middle(y.after(b)))
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

// after returns the next box on a line, from one of its ends.
func (e *edge) after(b *box) *box {
	switch n := len(e.lanes); {
	case n > 0 && e.server == b:
		return e.lanes[0].box
	case n > 0:
		return e.lanes[n-1].box
	case e.server == b:
		return e.sync
	}
	return e.server
}

// way returns the points of a line, from its server on: straight from the first to the second, where its box and the
// column end, then to the next column, straight again to the point after that, and so on.
func (l *layout) way(e *edge) [][2]float64 {
	server, _ := l.size(e.server)
	sync, _ := l.size(e.sync)
	if e.far {
		return [][2]float64{{e.server.u + server, e.vs}, {e.first.to, e.vs}, {e.last.u, e.ve}, {e.sync.u, e.ve}}
	}
	out := [][2]float64{{e.server.u, e.vs}, {e.first.u, e.vs}}
	for _, x := range e.lanes {
		out = append(out, [2]float64{x.of.to, x.v}, [2]float64{x.of.u, x.v})
	}
	return append(out, [2]float64{e.last.to, e.ve}, [2]float64{e.sync.u + sync, e.ve})
}
