package planner

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/schema"
)

// A plan over sites is carried out in turns: one site carries out all it can and hands over a bundle, then another
// continues. The site that makes the plan has the first turn, even if all it has to do is hand over the plan.

// PlanSite is a site that takes part in a plan.
type PlanSite struct {
	Name string `json:"name"` // the name of its block
	// MaxAge is how old a verification made at this site may be if a step of another site relies on it.
	MaxAge Duration `json:"max_age"`
	// Observed is the age of the observations of its servers that the plan was made from. It is absent if they were
	// made for this plan. It does not count for Plan.Hash.
	Observed *Age `json:"observed,omitempty"`
}

// Turn is a group of steps that one site carries out before it hands over.
type Turn struct {
	Site  string `json:"site"`  // who acts
	Steps int    `json:"steps"` // how many of the plan's next steps
}

// Exchanges returns how many times a bundle is handed from one site to another until all steps are done: the minimum
// that is possible, or the best that was found with three sites and more. It is zero without sites.
func (p *Plan) Exchanges() int { return max(0, len(p.Turns)-1) }

// SiteOf returns a site that takes part in the plan, or nil if no such site does.
func (p *Plan) SiteOf(name string) *PlanSite {
	for i := range p.Sites {
		if p.Sites[i].Name == name {
			return &p.Sites[i]
		}
	}
	return nil
}

// takeTurns gives each step its site and orders the steps so that few exchanges are needed. A step belongs to the site
// of the servers that it contacts. If it contacts none, whoever has the turn carries it out. The first
// turn belongs to maker, the site that makes the plan; if maker is "", to the first site that has a step.
func (p *Plan) takeTurns(cfg *schema.Config, maker string) error {
	if len(cfg.Settings.Sites) == 0 {
		return nil
	}
	var names []string
	if maker != "" {
		names = append(names, maker)
	}
	for i := range p.Steps {
		site, err := siteOfStep(cfg, &p.Steps[i])
		if err != nil {
			return err
		}
		if p.Steps[i].Site = site; site != "" && !slices.Contains(names, site) {
			names = append(names, site)
		}
	}
	if len(names) == 0 {
		return nil
	}
	first := names[0] // without a maker, as in a test, the first site that has a step begins
	slices.Sort(names)
	g := newTurnGraph(p.Steps, names)
	var sorted []Step
	for _, t := range g.carry(g.sequence(slices.Index(names, first))) {
		p.Turns = append(p.Turns, Turn{Site: names[t.site], Steps: len(t.steps)})
		for _, i := range t.steps {
			s := p.Steps[i]
			s.Site = names[t.site]
			sorted = append(sorted, s)
		}
	}
	p.Steps = sorted
	p.askForApprovals()
	for _, s := range cfg.Settings.Sites {
		if slices.Contains(names, s.Name) {
			p.Sites = append(p.Sites, PlanSite{Name: s.Name, MaxAge: Duration(s.MaxAge)})
		}
	}
	return nil
}

// siteOfStep returns the site of the servers that a step contacts, or the site that the driver set. It returns "" if
// there is neither.
func siteOfStep(cfg *schema.Config, s *Step) (string, error) {
	site, of := s.Site, "what it does" // the driver may set the site of a step that contacts no server
	for _, name := range s.Servers {
		addr, err := schema.ParseAddr(name)
		r := cfg.Lookup(addr)
		if err != nil || r == nil || r.Site == site {
			continue
		}
		if site != "" {
			return "", fmt.Errorf("step %s contacts %s in site %q and %s in site %q, and no process reaches both: this is "+
				"not supported over sites", s.ID, of, site, name, r.Site)
		}
		site, of = r.Site, name
	}
	return site, nil
}

// askForApprovals sets the sites that must have approved the plan on each irreversible step: all sites that carry out
// a step of the same declaration.
func (p *Plan) askForApprovals() {
	sites := map[string][]string{}
	for i := range p.Steps {
		sites[p.Steps[i].Addr] = append(sites[p.Steps[i].Addr], p.Steps[i].Site)
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Irreversible() {
			s.Approvals = unique(slices.Clone(sites[s.Addr]))
		}
	}
}

// turnGraph holds the steps by number: which site carries out each, and which steps need it.
type turnGraph struct {
	site   []int // -1: any site
	open   []int // how many other steps each one needs
	needed [][]int
	sites  int
}

func newTurnGraph(steps []Step, names []string) *turnGraph {
	g := &turnGraph{site: make([]int, len(steps)), open: make([]int, len(steps)), needed: make([][]int, len(steps)),
		sites: len(names)}
	place := make(map[string]int, len(steps))
	for i := range steps {
		place[steps[i].ID] = i
		g.site[i] = slices.Index(names, steps[i].Site)
		g.open[i] = len(steps[i].Needs)
		for _, id := range steps[i].Needs {
			g.needed[place[id]] = append(g.needed[place[id]], i)
		}
	}
	return g
}

// progress says how far a sequence of turns has come.
type progress struct {
	turns []int
	open  []int
	ready [][]int // by site
	left  int
}

func (g *turnGraph) begin() *progress {
	p := &progress{open: slices.Clone(g.open), ready: make([][]int, g.sites), left: len(g.open)}
	for i, n := range g.open {
		if n == 0 {
			g.offer(p, i)
		}
	}
	return p
}

// offer marks a step as ready. A step that any site may do is carried out at once.
func (g *turnGraph) offer(p *progress, i int) {
	for stack := []int{i}; len(stack) > 0; {
		i, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if g.site[i] >= 0 {
			p.ready[g.site[i]] = append(p.ready[g.site[i]], i)
			continue
		}
		stack = append(stack, g.done(p, i)...)
	}
}

// done marks a step as carried out, and returns the steps that are ready because of it.
func (g *turnGraph) done(p *progress, i int) []int {
	p.left--
	p.open[i] = -1
	var free []int
	for _, n := range g.needed[i] {
		if p.open[n]--; p.open[n] == 0 {
			free = append(free, n)
		}
	}
	return free
}

// take lets a site carry out all the steps it can.
func (g *turnGraph) take(p *progress, site int) {
	p.turns = append(p.turns, site)
	for len(p.ready[site]) > 0 {
		last := len(p.ready[site]) - 1
		i := p.ready[site][last]
		p.ready[site] = p.ready[site][:last]
		for _, n := range g.done(p, i) {
			g.offer(p, n)
		}
	}
}

func (p *progress) clone() *progress {
	out := &progress{turns: slices.Clone(p.turns), open: slices.Clone(p.open), ready: make([][]int, len(p.ready)),
		left: p.left}
	for i := range p.ready {
		out.ready[i] = slices.Clone(p.ready[i])
	}
	return out
}

// key identifies the set of steps that are done.
func (p *progress) key() string {
	bits := make([]byte, 0, len(p.open)/8+8)
	for i := 0; i < len(p.open); i += 64 {
		var word uint64
		for k := i; k < min(i+64, len(p.open)); k++ {
			if p.open[k] < 0 {
				word |= 1 << (k - i)
			}
		}
		bits = binary.LittleEndian.AppendUint64(bits, word)
	}
	return string(bits)
}

// With three or more sites, no fast algorithm for the fewest turns is known. So several sequences are followed side by
// side: at most widest, fewer in a large plan, and only one once mostCopied numbers have been copied. If there are
// more, those that have come furthest are kept.
const (
	widest     = 512
	widthTimes = 4_000_000
	mostCopied = 400_000_000
)

// sequence returns the sites' turns, beginning with the given site, and as few as it can find. A site with a turn does
// all it can, since doing less is never better. So with two sites there is only one sequence.
func (g *turnGraph) sequence(first int) []int {
	p := g.begin()
	g.take(p, first)
	ways := []*progress{p}
	copied := 0
	for {
		var next []*progress
		seen := map[string]bool{}
		for _, p := range ways {
			if p.left == 0 {
				return p.turns
			}
			able := p.goesOn()
			for _, site := range able {
				way := p
				if len(able) > 1 {
					way = p.clone()
					copied += len(p.open)
				}
				g.take(way, site)
				if g.sites < 3 {
					next = append(next, way)
				} else if key := way.key(); !seen[key] {
					seen[key] = true
					next = append(next, way)
				}
			}
		}
		if done := slices.IndexFunc(next, func(p *progress) bool { return p.left == 0 }); done >= 0 {
			return next[done].turns
		}
		width := min(widest, widthTimes/(len(g.open)+1)+1)
		if copied > mostCopied {
			width = 1
		}
		if len(next) > width {
			slices.SortStableFunc(next, func(a, b *progress) int { return a.left - b.left })
			next = next[:width]
		}
		ways = next
	}
}

// goesOn returns the sites that have something to do.
func (p *progress) goesOn() []int {
	var out []int
	for site, ready := range p.ready {
		if len(ready) > 0 {
			out = append(out, site)
		}
	}
	return out
}

// carried holds the steps of one turn, in order.
type carried struct {
	site  int
	steps []int
}

// carry puts the steps in the order of the turns, and in their original order within a turn.
func (g *turnGraph) carry(sequence []int) []carried {
	open := slices.Clone(g.open)
	ready := make([]places, g.sites+1) // the last: steps for any site
	offer := func(i int) {
		of := g.site[i]
		if of < 0 {
			of = g.sites
		}
		heap.Push(&ready[of], i)
	}
	for i, n := range open {
		if n == 0 {
			offer(i)
		}
	}
	var out []carried
	for _, site := range sequence {
		t := carried{site: site}
		for len(ready[site])+len(ready[g.sites]) > 0 {
			from := &ready[site]
			if all := &ready[g.sites]; len(*from) == 0 || len(*all) > 0 && (*all)[0] < (*from)[0] {
				from = all
			}
			i := heap.Pop(from).(int)
			t.steps = append(t.steps, i)
			for _, n := range g.needed[i] {
				if open[n]--; open[n] == 0 {
					offer(n)
				}
			}
		}
		out = append(out, t)
	}
	return out
}
