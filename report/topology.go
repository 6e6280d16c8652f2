package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Topology holds the servers and their links.
type Topology struct {
	Sites []*Site // sorted in the direction of the data flow where possible, including those without a name
	Syncs []*Node // synchronizations, and whatever else links servers

	nodes map[string]*Node
}

// Site is a network with its servers. Servers without a site are grouped by their position in the data flow.
type Site struct {
	Name    string // "": servers without a site
	Servers []*Node
}

// Node is one declaration in a picture.
type Node struct {
	Addr   string
	Kind   schema.Kind
	Type   string
	Name   string // includes its key
	Module string // the module that contains it, with its key; "" for the root module
	Site   string
	Labels []planner.Shown               // values to recognize it by; in a run, see Before
	Ends   []End                         // of a synchronization: the servers that it links
	Has    []*Node                       // of a server: the keystores that it refers to
	By     []*Node                       // of a synchronization: the migrations that carry it out
	Action planner.Action                // what the plan does to it
	Moves  map[string]planner.Difference // the differences by argument, shown next to labels
	Steps  []*Step                       // of a server, those that contact it; else its own and its owner's
	Apart  bool                          // its declaration is unknown: only steps name it
}

// End is a server at the end of a synchronization.
type End struct {
	Node *Node
	Path string
	Flow schema.Flow
}

func (t *Topology) site(addr string) string {
	if n := t.nodes[addr]; n != nil {
		return n.Site
	}
	return ""
}

// Node returns the declaration with an address, or nil if it is not in the picture.
func (t *Topology) Node(addr string) *Node { return t.nodes[addr] }

// Before is the prefix of the names of values observed when a run was planned: they may have changed since.
const Before = "before: "

func topology(r *Report) *Topology {
	t := &Topology{nodes: map[string]*Node{}}
	for i := range r.Plan.Declared {
		d := &r.Plan.Declared[i]
		n := t.node(d.Addr)
		n.Site, n.Apart = d.Site, false
		n.Labels = append(slices.Clone(d.Brief), d.Seen...)
		if r.Run != nil {
			for i := range n.Labels[len(d.Brief):] {
				n.Labels[len(d.Brief)+i].Name = Before + d.Seen[i].Name
			}
		}
	}
	var order []*Node
	for i := range r.Plan.Declared {
		order = append(order, t.nodes[r.Plan.Declared[i].Addr])
	}
	for _, s := range r.Steps { // plans of older programs name servers only here
		for _, addr := range s.Servers {
			if t.nodes[addr] == nil {
				order = append(order, t.node(addr))
			}
			n := t.nodes[addr]
			n.Steps = append(n.Steps, s)
		}
	}
	for _, c := range r.Plan.Changes {
		if n := t.nodes[c.Addr]; n != nil {
			n.Action = c.Action
			for _, d := range c.Diff {
				n.Moves[d.Path] = d
			}
		}
	}
	t.link(r)
	for _, n := range order {
		if n.Kind == schema.Sync {
			t.Syncs = append(t.Syncs, n)
		}
	}
	t.place(order)
	return t
}

func (t *Topology) node(addr string) *Node {
	if t.nodes[addr] == nil {
		n := &Node{Addr: addr, Name: addr, Apart: true, Moves: map[string]planner.Difference{}}
		if a, err := schema.ParseAddr(addr); err == nil {
			n.Kind, n.Type, n.Name, n.Module = a.Kind, a.Type, a.Name+a.Index, a.Module
		}
		t.nodes[addr] = n
	}
	return t.nodes[addr]
}

// link follows the references of declarations.
func (t *Topology) link(r *Report) {
	own := map[string][]*Step{} // by declaration
	for _, s := range r.Steps {
		own[s.Addr] = append(own[s.Addr], s)
	}
	for i := range r.Plan.Declared {
		d := &r.Plan.Declared[i]
		n := t.nodes[d.Addr]
		if n.Kind != schema.Server {
			n.Steps = own[d.Addr]
		}
	}
	for i := range r.Plan.Declared {
		d := &r.Plan.Declared[i]
		n := t.nodes[d.Addr]
		for _, l := range d.Links {
			to := t.nodes[l.To]
			switch {
			case to == nil:
			case n.Kind == schema.Sync && to.Kind == schema.Server:
				n.Ends = append(n.Ends, End{to, l.Path, l.Flow})
			case n.Kind == schema.Server && to.Kind == schema.Keystore:
				n.Has = append(n.Has, to)
			case n.Kind == schema.Migration && to.Kind == schema.Sync && l.Owns:
				to.By = append(to.By, n)
				to.Steps = append(slices.Clone(to.Steps), own[d.Addr]...)
				if to.Action == "" {
					to.Action = n.Action
				}
			}
		}
	}
}

// place groups servers, and keystores that no server refers to, by site. Without a site they are grouped by depth.
func (t *Topology) place(order []*Node) {
	held := map[*Node]bool{}
	for _, n := range order {
		for _, k := range n.Has {
			held[k] = true
		}
	}
	depth := t.depths(order)
	byKey := map[string]*Site{}
	sum := map[*Site]int{} // of the depths of its servers
	for _, n := range order {
		if n.Kind == schema.Sync || n.Kind == schema.Migration || n.Kind == schema.Keystore && held[n] {
			continue
		}
		key := n.Site
		if key == "" {
			key = "\x00" + strings.Repeat("x", depth[n]) // no site has such a name
		}
		if byKey[key] == nil {
			byKey[key] = &Site{Name: n.Site}
			t.Sites = append(t.Sites, byKey[key])
		}
		s := byKey[key]
		s.Servers = append(s.Servers, n)
		sum[s] += depth[n]
	}
	slices.SortStableFunc(t.Sites, func(a, b *Site) int {
		return cmp.Or(sum[a]*len(b.Servers)-sum[b]*len(a.Servers), strings.Compare(a.Name, b.Name))
	})
}

// depths returns, for each node, the maximum number of synchronizations that data passes before it arrives there.
// Cycles are cut. Data that flows both ways counts as flowing from the first end to the next.
func (t *Topology) depths(order []*Node) map[*Node]int {
	before := map[*Node][]*Node{}
	for _, n := range t.Syncs {
		for i, from := range n.Ends {
			for j, to := range n.Ends {
				forth := from.Flow == schema.FlowFrom && to.Flow == schema.FlowTo
				both := from.Flow != schema.FlowTo && to.Flow != schema.FlowFrom && !forth && i < j
				if from.Node != to.Node && (forth || both) {
					before[to.Node] = append(before[to.Node], from.Node)
				}
			}
		}
	}
	depth, open := map[*Node]int{}, map[*Node]bool{}
	var of func(n *Node) int
	of = func(n *Node) int {
		if d, known := depth[n]; known || open[n] {
			return d
		}
		open[n] = true
		d := 0
		for _, from := range before[n] {
			if !open[from] {
				d = max(d, of(from)+1)
			}
		}
		open[n], depth[n] = false, d
		return d
	}
	for _, n := range order {
		of(n)
	}
	return depth
}

// Servers returns all servers, and keystores that no server refers to.
func (t *Topology) Servers() []*Node {
	var out []*Node
	for _, s := range t.Sites {
		out = append(out, s.Servers...)
	}
	return out
}

// CountServers counts the servers, without keystores.
func (t *Topology) CountServers() int {
	n := 0
	for _, s := range t.Servers() {
		if s.Kind == schema.Server {
			n++
		}
	}
	return n
}

// SiteNames returns the names of the sites, sorted.
func (t *Topology) SiteNames() []string {
	var out []string
	for _, s := range t.Sites {
		if s.Name != "" {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out
}
