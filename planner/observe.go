package planner

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
	"golang.org/x/sync/errgroup"
)

// Need names one observation: of which server, of what, and of which one of these.
type Need struct {
	// address of the declaration whose server is asked: a server, or a keystore's machine
	Server string `json:"server"`
	What   string `json:"what"`         // the driver's word, such as "integrations" or "history"
	Of     string `json:"of,omitempty"` // which one, such as a project's key or a resource's id
}

func (n Need) String() string {
	if n.Of == "" {
		return n.What + " of " + n.Server
	}
	return n.What + " " + n.Of + " of " + n.Server
}

func (n Need) compare(other Need) int {
	return cmp.Or(strings.Compare(n.Server, other.Server), strings.Compare(n.What, other.What),
		strings.Compare(n.Of, other.Of))
}

// Observation is what one server showed: a document that can be written to a file and read again elsewhere. It holds
// no secret.
type Observation struct {
	Need
	At   time.Time       `json:"at"`
	By   string          `json:"by,omitempty"` // who asked the server
	Body json.RawMessage `json:"body"`         // the driver's own type
	// MAC is by a key of the site that has sent it, see Observations.Vouch; "": it was not sent.
	MAC string `json:"mac,omitempty"`
}

// Observations are all that a plan is made from beside the declarations: each made once, whoever needs it. They may
// be used by several goroutines.
type Observations struct {
	mu   sync.Mutex
	made map[Need]*observed
}

type observed struct {
	at   time.Time
	by   string
	body any             // of the driver's type; nil while only raw is known
	raw  json.RawMessage // as read from a file; nil while only body is known
	mac  string
}

// ErrNotObserved says that an observation has not been made.
var ErrNotObserved = errors.New("not observed")

// NewObservations returns none.
func NewObservations() *Observations { return &Observations{made: map[Need]*observed{}} }

// Put records what a server showed. body must survive being written as JSON and read again.
func (o *Observations) Put(n Need, at time.Time, by string, body any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made[n] = &observed{at: at, by: by, body: body}
}

// Has tells whether an observation has been made.
func (o *Observations) Has(n Need) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.made[n] != nil
}

// Observed returns the body of an observation. The error wraps ErrNotObserved where it has not been made, and says
// what is wrong where it was read from a file and does not have the form of a T.
func Observed[T any](o *Observations, n Need) (*T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.made[n]
	if x == nil {
		return nil, fmt.Errorf("%s: %w", n, ErrNotObserved)
	}
	if x.body == nil {
		body := new(T)
		dec := json.NewDecoder(strings.NewReader(string(x.raw)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(body); err != nil {
			return nil, fmt.Errorf("reading the observation %s: %w", n, err)
		}
		x.body = body
	}
	body, ok := x.body.(*T)
	if !ok {
		return nil, fmt.Errorf("reading the observation %s: it is a %T, not a %T", n, x.body, body)
	}
	return body, nil
}

// Servers are the addresses of the servers that were observed, sorted.
func (o *Observations) Servers() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	servers := map[string]bool{}
	for n := range o.made {
		servers[n.Server] = true
	}
	return slices.Sorted(maps.Keys(servers))
}

// Without returns the observations of all servers but those. Both share bodies, which nobody changes.
func (o *Observations) Without(servers map[string]bool) *Observations {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := NewObservations()
	for n, x := range o.made {
		if !servers[n.Server] {
			out.made[n] = x.clone()
		}
	}
	return out
}

func (x *observed) clone() *observed {
	out := *x
	return &out
}

// Encode writes all observations as JSON lines, sorted by server, what and of.
func (o *Observations) Encode(w io.Writer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.needs() {
		line, err := o.made[n].line(n, o.made[n].mac)
		if err == nil {
			_, err = w.Write(line)
		}
		if err != nil {
			return fmt.Errorf("writing the observation %s: %w", n, err)
		}
	}
	return nil
}

// needs are what was observed, sorted.
func (o *Observations) needs() []Need {
	return slices.SortedFunc(maps.Keys(o.made), Need.compare)
}

// line is an observation as it is written, the same before and after it was read.
func (x *observed) line(n Need, mac string) ([]byte, error) {
	raw := x.raw
	if raw == nil {
		b, err := json.Marshal(x.body)
		if err != nil {
			return nil, err
		}
		raw = b
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(Observation{Need: n, At: x.at, By: x.by, Body: raw, MAC: mac}); err != nil {
		return nil, err
	}
	return printable.JSON(line.Bytes()), nil
}

// DecodeObservations reads what Encode wrote. Two observations of the same are an error.
func DecodeObservations(r io.Reader) (*Observations, error) {
	o := NewObservations()
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	for n := 1; ; n++ {
		var x Observation
		err := dec.Decode(&x)
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading observation %d: %w", n, notWhole(err, "it does not have the form of one"))
		case x.Server == "" || x.What == "" || len(x.Body) == 0 || string(x.Body) == "null":
			return nil, fmt.Errorf("reading observation %d: server, what or body is missing", n)
		case o.made[x.Need] != nil:
			return nil, fmt.Errorf("reading observation %d: %s was observed twice", n, x.Need)
		}
		o.made[x.Need] = &observed{at: x.At, by: x.By, raw: x.Body, mac: x.MAC}
	}
}

// perServer is how many observations of one server are made at a time. The driver's client limits its requests by
// itself.
const perServer = 8

// observe makes all observations that the declarations need, round by round: what is needed of one server may depend
// on what another showed. Servers are asked side by side. All servers that could not be asked are reported, each
// once.
func observe(ctx context.Context, in Input, all []*schema.Resource) (*Observations, hcl.Diagnostics) {
	seen := in.Observations
	if seen == nil {
		seen = NewObservations()
	}
	failed := map[string]bool{}
	absent := map[string][]Need{} // by server, what its own site has not sent
	var diags hcl.Diagnostics
	// Who only looks at own servers makes no plan from what others sent, however old that is.
	if !in.ownOnly && in.Again == "" {
		diags = in.outdated(seen)
	}
	for asking := all; len(asking) > 0; {
		var next []*schema.Resource
		needs := map[string][]Need{} // by server
		asked := map[Need]bool{}
		for _, r := range asking {
			wanted, more := in.Drivers(r.Addr).Needs(r, seen)
			diags = append(diags, withAddr(more, r.Addr)...)
			again := false
			for _, n := range wanted {
				if failed[n.Server] || seen.Has(n) {
					continue
				}
				if in.elsewhere(n.Server) {
					absent[n.Server] = append(absent[n.Server], n)
					continue
				}
				again = true
				if !asked[n] {
					asked[n] = true
					needs[n.Server] = append(needs[n.Server], n)
				}
			}
			if again {
				next = append(next, r)
			}
		}
		if diags.HasErrors() {
			return seen, diags
		}
		if in.ObservedOnly {
			diags = append(diags, missing(in, needs)...)
			break
		}
		diags = append(diags, ask(ctx, in, seen, needs, failed)...)
		asking = next
	}
	if !in.ownOnly {
		diags = append(diags, notSent(in, absent)...)
	}
	return seen, diags
}

// missing reports what was not observed before, for each server.
func missing(in Input, needs map[string][]Need) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, server := range slices.Sorted(maps.Keys(needs)) {
		slices.SortFunc(needs[server], Need.compare)
		var what []string
		for _, n := range needs[server] {
			what = append(what, schema.SanitizeLine(strings.TrimSpace(n.What+" "+n.Of)))
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not among the saved observations",
			Detail: fmt.Sprintf("The plan needs of this server: %s. No server is read with -refresh=false. Save what the "+
				"servers show: syncctl plan -save-observations=FILE.", strings.Join(what, ", "))}
		if addr, err := schema.ParseAddr(server); err == nil {
			if r := in.Config.Lookup(addr); r != nil {
				d.Subject = r.Range.Ptr()
			}
			d = schema.WithAddr(d, addr)
		}
		diags = append(diags, d)
	}
	return diags
}

// ask makes observations of several servers side by side, and marks the servers where one failed. A fault is raised
// once all have ended.
func ask(ctx context.Context, in Input, seen *Observations, needs map[string][]Need,
	failed map[string]bool) hcl.Diagnostics {
	servers := make([]string, 0, len(needs))
	for s := range needs {
		servers = append(servers, s)
	}
	slices.Sort(servers)
	problems, faults := make([]hcl.Diagnostics, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			defer fault.Catch(&faults[i])
			problems[i] = askServer(ctx, in, seen, server, needs[server])
		})
	}
	all.Wait()
	var diags hcl.Diagnostics
	for i, server := range servers {
		fault.Raise(faults[i])
		failed[server] = problems[i].HasErrors()
		diags = append(diags, problems[i]...)
	}
	return diags
}

func askServer(ctx context.Context, in Input, seen *Observations, server string, needs []Need) hcl.Diagnostics {
	addr, err := schema.ParseAddr(server)
	r := in.Config.Lookup(addr)
	if err != nil || r == nil {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot observe",
			Detail: fmt.Sprintf("%s is not declared.", server)}}
	}
	slices.SortFunc(needs, Need.compare)
	d := in.Drivers(addr)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(perServer)
	faults := make([]error, len(needs)) // apart from the first error, which does not hide them
	for i, n := range needs {
		g.Go(func() (err error) {
			defer func() {
				if fault.Is(err) {
					faults[i] = err
				}
			}()
			defer fault.Catch(&err)
			if gctx.Err() != nil {
				return gctx.Err()
			}
			defer in.reading(n.Server)()
			body, err := d.Observe(gctx, r, n)
			if err != nil {
				return err
			}
			seen.Put(n, in.now(), in.By, body)
			return nil
		})
	}
	err = g.Wait()
	fault.Raise(errors.Join(faults...))
	if err != nil {
		return hcl.Diagnostics{schema.WithAddr(&hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Cannot read the server",
			Detail: schema.Sanitize(err.Error()), Subject: r.Range.Ptr(),
		}, r.Addr)}
	}
	return nil
}

func (in Input) reading(server string) (end func()) {
	if in.Reading == nil {
		return func() {}
	}
	return in.Reading(server)
}

func withAddr(diags hcl.Diagnostics, a schema.Addr) hcl.Diagnostics {
	for i, d := range diags {
		if schema.AddrOf(d) == (schema.Addr{}) {
			diags[i] = schema.WithAddr(d, a)
		}
	}
	return diags
}
