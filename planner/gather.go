package planner

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
)

// perServer is how many observations of one server are made at the same time. The driver's client has its own limit
// for requests.
const perServer = 8

// gathering makes the observations that declarations need. What is needed of one server may depend on what another one
// showed. So a declaration has its next turn as soon as all observations that it has named are made, and a slow server
// delays only the declarations that need it. gathering is used by one goroutine, which starts another for each
// observation.
//
// What is reported does not depend on which server answers first. It is the same as if turns and observations came in
// rounds, each starting after the previous one ended: the failures of the first round that has any are reported, for
// each server its first one. Everything after it is given up.
type gathering struct {
	in     Input
	seen   *Observations
	lanes  map[string]*lane // by server
	asked  map[Need]*asking // observations that are running or queued
	ended  chan *asking
	active int
	last   int               // the last stage that still counts
	absent map[string][]Need // by server: observations that its own site has not sent
	said   []remark          // by the declarations
	faults []*asking
	fresh  []*lane // lanes that may have an observation to start
}

// asker is a declaration that names the observations it needs.
type asker struct {
	index   int // among the declarations
	r       *schema.Resource
	round   int // the number of its last turn, from 1
	waiting int // how many of the observations that it has named are not made yet
}

// asking is an observation to be made.
type asking struct {
	Need
	round  int // the turn in which it was first named
	askers []*asker
	stop   context.CancelFunc // nil until it has started
	given  bool               // given up: its result is not needed any more
	body   any
	err    error
}

// remark holds the diagnostics of one declaration's turn.
type remark struct {
	stage, index int
	diags        hcl.Diagnostics
}

// The stages, in order: the turns of each round, followed by the observations that were named in it.
func turnsOf(round int) int        { return 2 * round }
func observationsOf(round int) int { return 2*round + 1 }

// compare orders the observations of one server in the order in which they are started.
func (a *asking) compare(b *asking) int {
	return cmp.Or(cmp.Compare(a.round, b.round), a.Need.compare(b.Need))
}

// lane holds the observations of one server.
type lane struct {
	server *schema.Resource // nil if it is not declared
	queue  queue
	active map[*asking]bool
	failed *asking // the first that failed; observations after it are not made
}

// queue is a heap.
type queue []*asking

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*asking)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

func newGathering(in Input, seen *Observations) *gathering {
	return &gathering{in: in, seen: seen, lanes: map[string]*lane{}, asked: map[Need]*asking{},
		ended: make(chan *asking), last: math.MaxInt, absent: map[string][]Need{}}
}

// turn lets a declaration name the observations that it needs. It has no I/O.
func (g *gathering) turn(a *asker) {
	a.round++
	if turnsOf(a.round) > g.last {
		return
	}
	wanted, diags := g.in.Drivers(a.r.Addr).Needs(a.r, g.seen)
	if len(diags) > 0 {
		g.said = append(g.said, remark{turnsOf(a.round), a.index, withAddr(diags, a.r.Addr)})
	}
	if diags.HasErrors() {
		g.endAfter(turnsOf(a.round))
	}
	for _, n := range wanted {
		switch {
		case g.seen.Has(n):
		case g.in.elsewhere(n.Server):
			g.absent[n.Server] = append(g.absent[n.Server], n)
		default:
			g.name(a, n)
		}
	}
}

// name records that a declaration waits for an observation.
func (g *gathering) name(a *asker, n Need) {
	x := g.asked[n]
	if x == nil {
		x = &asking{Need: n, round: a.round}
		l := g.lane(n.Server)
		if l.failed != nil && x.compare(l.failed) >= 0 {
			return
		}
		heap.Push(&l.queue, x)
		g.asked[n], g.fresh = x, append(g.fresh, l)
	}
	a.waiting++
	x.askers = append(x.askers, a)
}

func (g *gathering) lane(server string) *lane {
	if l := g.lanes[server]; l != nil {
		return l
	}
	l := &lane{active: map[*asking]bool{}}
	if addr, err := schema.ParseAddr(server); err == nil {
		l.server = g.in.Config.Lookup(addr)
	}
	g.lanes[server] = l
	return l
}

// run makes the named observations, and those that are named as a result. It raises a fault after all have ended.
func (g *gathering) run(ctx context.Context) {
	for g.start(ctx); g.active > 0; g.start(ctx) {
		g.take(<-g.ended)
	}
	slices.SortFunc(g.faults, func(a, b *asking) int { return cmp.Or(strings.Compare(a.Server, b.Server), a.compare(b)) })
	for _, x := range g.faults {
		fault.Raise(x.err)
	}
}

// start starts as many observations of each server as are allowed at the same time.
func (g *gathering) start(ctx context.Context) {
	for _, l := range g.fresh {
		for len(l.queue) > 0 && len(l.active) < perServer {
			x := heap.Pop(&l.queue).(*asking)
			if observationsOf(x.round) > g.last {
				continue
			}
			own, stop := context.WithCancel(ctx)
			x.stop, l.active[x] = stop, true
			g.active++
			go func() {
				x.body, x.err = g.observe(own, l.server, x.Need)
				g.ended <- x
			}()
		}
	}
	g.fresh = g.fresh[:0]
}

func (g *gathering) observe(ctx context.Context, server *schema.Resource, n Need) (body any, err error) {
	defer fault.Catch(&err)
	if server == nil {
		return nil, fmt.Errorf("%s is not declared", n.Server)
	}
	defer g.in.reading(n.Server)()
	return g.in.Drivers(server.Addr).Observe(ctx, server, n)
}

// take processes the result of an observation.
func (g *gathering) take(x *asking) {
	l := g.lanes[x.Server]
	g.active--
	delete(l.active, x)
	x.stop()
	g.fresh = append(g.fresh, l)
	switch {
	case fault.Is(x.err):
		g.faults = append(g.faults, x)
		g.fail(l, x)
	case x.given:
	case x.err != nil:
		g.fail(l, x)
	default:
		g.seen.Put(x.Need, g.in.now(), g.in.By, x.body)
	}
	x.body = nil
	g.release(x)
}

// release continues the declarations that waited for an observation, which was made or will not be made.
func (g *gathering) release(x *asking) {
	if g.asked[x.Need] != x {
		return
	}
	delete(g.asked, x.Need)
	for _, a := range x.askers {
		if a.waiting--; a.waiting == 0 {
			g.turn(a)
		}
	}
}

// fail records a failed observation and gives up those of the same server that come after it.
func (g *gathering) fail(l *lane, x *asking) {
	if l.failed != nil && l.failed.compare(x) < 0 {
		return
	}
	l.failed = x
	g.endAfter(turnsOf(x.round + 1)) // errors of declarations in the next turns are reported with it
	after := slices.DeleteFunc(slices.Clone(l.queue), func(y *asking) bool { return y.compare(x) < 0 })
	l.queue = slices.DeleteFunc(l.queue, func(y *asking) bool { return y.compare(x) > 0 })
	heap.Init(&l.queue)
	for y := range l.active {
		if y.compare(x) > 0 {
			y.given = true
			y.stop()
		}
	}
	for _, y := range after {
		g.release(y)
	}
}

// endAfter gives up everything after a stage.
func (g *gathering) endAfter(stage int) {
	if stage >= g.last {
		return
	}
	g.last = stage
	for _, l := range g.lanes {
		for x := range l.active {
			if observationsOf(x.round) > stage {
				x.given = true
				x.stop()
			}
		}
	}
}

// diags returns the diagnostics of the declarations, and why servers could not be read, each once.
func (g *gathering) diags() hcl.Diagnostics {
	all := slices.Clone(g.said)
	for i, server := range slices.Sorted(maps.Keys(g.lanes)) {
		if l := g.lanes[server]; l.failed != nil {
			all = append(all, remark{observationsOf(l.failed.round), i, l.problem()})
		}
	}
	slices.SortStableFunc(all, func(a, b remark) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.index, b.index))
	})
	var out hcl.Diagnostics
	for _, r := range all {
		if r.stage <= g.last {
			out = append(out, r.diags...)
		}
	}
	return out
}

func (l *lane) problem() hcl.Diagnostics {
	if l.server == nil {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot observe",
			Detail: fmt.Sprintf("%s is not declared.", l.failed.Server)}}
	}
	return hcl.Diagnostics{schema.WithAddr(&hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Cannot read the server",
		Detail: schema.Sanitize(l.failed.err.Error()), Subject: l.server.Range.Ptr(),
	}, l.server.Addr)}
}

// missing reports, for each server, the observations that are needed but were not made before.
func (g *gathering) missing() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, server := range slices.Sorted(maps.Keys(g.lanes)) {
		l := g.lanes[server]
		slices.SortFunc(l.queue, (*asking).compare)
		var what []string
		for _, x := range l.queue {
			what = append(what, schema.SanitizeLine(strings.TrimSpace(x.What+" "+x.Of)))
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not among the saved observations",
			Detail: fmt.Sprintf("The plan needs of this server: %s. No server is read with -refresh=false. Save what the "+
				"servers show: syncctl plan -save-observations=FILE.", strings.Join(what, ", "))}
		if l.server != nil {
			d.Subject = l.server.Range.Ptr()
			d = schema.WithAddr(d, l.server.Addr)
		}
		diags = append(diags, d)
	}
	return diags
}
