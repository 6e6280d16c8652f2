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
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

// Need identifies one observation: the server, the kind of thing observed, and which one of that kind.
type Need struct {
	// address of the declaration whose server is asked: a server, or a keystore's machine
	Server string `json:"server"`
	What   string `json:"what"`         // the driver's word, such as "integrations" or "history"
	Of     string `json:"of,omitempty"` // which one, such as a project's key or a resource's ID
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
	At   time.Time       `json:"at"`           // when the server was asked
	By   string          `json:"by,omitempty"` // who asked the server
	Body json.RawMessage `json:"body"`         // the driver's own type
	// MAC authenticates an observation with a key of the site that sent it, see Observations.Vouch. It is "" if the
	// observation was not sent.
	MAC string `json:"mac,omitempty"`
}

// Observations is everything that a plan is made from besides the declarations. Each observation is made once, even if
// several declarations need it. It is safe for concurrent use.
type Observations struct {
	mu   sync.Mutex
	made map[Need]*observed
	raw  bytes.Reader  // what dec reads
	dec  *json.Decoder // see decode
}

type observed struct {
	at   time.Time
	by   string
	body any             // of the driver's type; nil until raw is decoded
	raw  json.RawMessage // as read from a file; nil if the observation was made by this process
	mac  string
}

// ErrNotObserved is the error for an observation that has not been made.
var ErrNotObserved = errors.New("not observed")

// NewObservations returns an empty set of observations.
func NewObservations() *Observations { return &Observations{made: map[Need]*observed{}} }

// Put records what a server showed. body must survive being written as JSON and read again.
func (o *Observations) Put(n Need, at time.Time, by string, body any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made[n] = &observed{at: at, by: by, body: body}
}

// Has reports whether an observation has been made.
func (o *Observations) Has(n Need) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.made[n] != nil
}

// Observed returns the body of an observation. The error wraps ErrNotObserved if the observation has not been made. If
// it was read from a file and is not a valid T, the error says what is wrong.
func Observed[T any](o *Observations, n Need) (*T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.made[n]
	if x == nil {
		return nil, fmt.Errorf("%s: %w", n, ErrNotObserved)
	}
	if x.body == nil {
		body := new(T)
		if err := o.decode(x.raw, body); err != nil {
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

// decode reads a body. Most are small, and a decoder for each would take more memory than they do. raw is one whole
// value, so that an error leaves nothing in the decoder.
func (o *Observations) decode(raw json.RawMessage, body any) error {
	if o.dec == nil {
		o.dec = json.NewDecoder(&o.raw)
		o.dec.DisallowUnknownFields()
	}
	o.raw.Reset(raw)
	return o.dec.Decode(body)
}

// Servers returns the addresses of the observed servers, sorted.
func (o *Observations) Servers() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	servers := map[string]bool{}
	for n := range o.made {
		servers[n.Server] = true
	}
	return slices.Sorted(maps.Keys(servers))
}

// Without returns the observations of all servers except the given ones. Bodies are shared with o and never changed.
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

// needs returns the needs of all observations, sorted.
func (o *Observations) needs() []Need {
	return slices.SortedFunc(maps.Keys(o.made), Need.compare)
}

// line returns the observation as one line of JSON. The bytes are the same before and after it was written and read.
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

// DecodeObservations reads what Encode wrote. A duplicate observation is an error.
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

// observe makes all observations that the declarations need. Of the first round with a failure it reports every server
// that could not be read, each once. Later rounds are given up (see gathering).
func observe(ctx context.Context, in Input, all []*schema.Resource) (*Observations, hcl.Diagnostics) {
	seen := in.Observations
	if seen == nil {
		seen = NewObservations()
	}
	var diags hcl.Diagnostics
	// A process that only observes its own servers makes no plan from what others sent, so its age does not matter.
	if !in.ownOnly && in.Again == "" {
		diags = in.outdated(seen)
	}
	g := newGathering(in, seen)
	for i, r := range all {
		g.turn(&asker{index: i, r: r})
	}
	switch wrong := append(diags, g.diags()...); {
	case wrong.HasErrors():
		return seen, wrong
	case in.ObservedOnly:
		diags = append(wrong, g.missing()...)
	default:
		g.run(ctx)
		if diags = append(diags, g.diags()...); diags.HasErrors() {
			return seen, diags
		}
	}
	if !in.ownOnly {
		diags = append(diags, notSent(in, g.absent)...)
	}
	return seen, diags
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
