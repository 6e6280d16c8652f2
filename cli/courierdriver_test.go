package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// library is a world of two shelves in two sites, between which a book is moved: written off one shelf into a file,
// put onto the other, looked for at both, and removed from the first for good.
type library struct {
	t *testing.T

	mu      sync.Mutex
	shelves map[string]map[string]string // by server, the text of each book
	sent    map[string]int               // by server and verb, how often it was asked to change something
	applied map[string]bool              // the sites whose people have approved a plan
	down    error                        // what any server answers; nil: it is up
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	return &library{t: t, sent: map[string]int{}, applied: map[string]bool{}, shelves: map[string]map[string]string{
		"server.shelf.acme": {"atlas": "maps"}, "server.shelf.globex": {},
	}}
}

// mover is the driver of a process that acts for a site; "": of the only one, which reaches all shelves.
type mover struct {
	*library

	site string
}

type shelf struct {
	declare.Server
}

type move struct {
	declare.Block

	From *schema.Resource `decl:"from"`
	To   *schema.Resource `decl:"to"`
	Book string           `decl:"book"`
}

func (mover) Types() []schema.Type {
	ref := &schema.Ref{Kind: schema.Server, Type: "shelf"}
	return []schema.Type{
		declare.Type[shelf](schema.Type{Kind: schema.Server, Name: "shelf", Body: schema.Body{
			Attributes: declare.ServerAttributes("Address.", "User.", "Token.")}}, nil),
		declare.Type[move](schema.Type{Kind: schema.Sync, Name: "shelf", Body: schema.Body{Attributes: []schema.Attribute{
			{Name: "from", Doc: "From.", Required: true, Ref: ref}, {Name: "to", Doc: "To.", Required: true, Ref: ref},
			{Name: "book", Doc: "Book.", Required: true, Type: cty.String}}}}, nil),
	}
}

func (mover) Rules() []planner.Rule { return nil }

// seenBook is an observation.
type seenBook struct {
	There bool   `json:"there"`
	Text  string `json:"text"`
}

// at is a shelf, which only a process of its own site reaches.
func (m mover) at(server *schema.Resource) map[string]string {
	name := server.Addr.String()
	if m.site != "" && !strings.HasSuffix(name, "."+m.site) {
		m.t.Errorf("a process of %s contacts %s\n%s", m.site, name, debug.Stack())
	}
	return m.shelves[name]
}

func decoded(r *schema.Resource) (*move, hcl.Diagnostics) {
	return declare.Decode[move](r)
}

func bookNeed(server *schema.Resource, book string) planner.Need {
	return planner.Need{Server: server.Addr.String(), What: "book", Of: book}
}

func (m mover) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	if r.Addr.Kind == schema.Server {
		return nil, nil
	}
	d, diags := decoded(r)
	return []planner.Need{bookNeed(d.From, d.Book), bookNeed(d.To, d.Book)}, diags
}

func (m mover) Observe(_ context.Context, server *schema.Resource, n planner.Need) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return nil, m.down
	}
	text, ok := m.at(server)[n.Of]
	return &seenBook{ok, text}, nil
}

func (m mover) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	out := planner.Outline{Action: planner.NoChange}
	if c.Resource.Addr.Kind == schema.Server {
		return out, nil
	}
	d, diags := decoded(c.Resource)
	from, err := planner.Observed[seenBook](c.Seen, bookNeed(d.From, d.Book))
	if err != nil {
		return out, append(diags, d.Problem("Cannot plan", err.Error()))
	}
	to, err := planner.Observed[seenBook](c.Seen, bookNeed(d.To, d.Book))
	if err != nil {
		return out, append(diags, d.Problem("Cannot plan", err.Error()))
	}
	if !from.There {
		return out, diags
	}
	here, there := []string{d.From.Addr.String()}, []string{d.To.Addr.String()}
	q := &planner.Sequence{Addr: c.Resource.Addr.String()}
	file := d.Book + ".txt"
	if !to.There {
		q.Then(planner.Step{Op: "write", Mark: planner.MarkChange, Repeat: planner.CheckFirst, Summary: "write it off",
			Servers: here, Writes: []string{file}, Undo: "nothing"})
		q.Then(planner.Step{Op: "put", Mark: planner.MarkAdd, Repeat: planner.Once, Summary: "put it there", Servers: there,
			Reads: []string{file}, Effect: &planner.Effect{Add: 1}, Undo: "take it away"})
	}
	look, look2 := planner.Check("look", "look for it there", 0), planner.Check("look_here", "look for it here", 0)
	look.Servers, look2.Servers = there, here
	q.Then(look)
	q.Then(look2)
	last := planner.Final("remove", "remove it here", 1, "the book here", q.ID("look"), q.ID("look_here"))
	last.Servers = here
	q.Then(last)
	out.Action, out.Steps = planner.Update, q.Steps
	return out, diags
}

func (m mover) Facts(context.Context, *schema.Resource, []string) (map[string]string, error) {
	return nil, nil
}

func (m mover) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	d, diags := decoded(t.Resource)
	if diags.HasErrors() {
		return executor.Result{}, executor.NotSent(diags)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	file := d.Book + ".txt"
	switch t.Step.Op {
	case "write":
		text := m.at(d.From)[d.Book]
		_, err := t.Files.Create(ctx, file, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		return executor.Result{}, err
	case "put":
		f, err := t.Files.Open(file)
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		if err != nil {
			return executor.Result{}, executor.NotSent(err)
		}
		m.sent["put"]++
		m.at(d.To)[d.Book] = string(text)
	case "remove":
		m.sent["remove"]++
		if !m.applied["acme"] || !m.applied["globex"] {
			m.t.Errorf("the book is removed, and only %v have approved", m.applied)
		}
		if m.shelves[d.To.Addr.String()][d.Book] != m.shelves[d.From.Addr.String()][d.Book] {
			m.t.Error("the book is removed, and it is not at the other shelf")
		}
		delete(m.at(d.From), d.Book)
	default:
		return executor.Result{}, executor.NotSent(fmt.Errorf("unknown: %s", t.Step.Op))
	}
	return executor.Result{}, nil
}

func (m mover) Verify(_ context.Context, t *executor.Task) (executor.Verdict, error) {
	d, diags := decoded(t.Resource)
	if diags.HasErrors() {
		return executor.Verdict{}, diags
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	server, want := d.To, true
	switch t.Step.Op {
	case "write":
		f, err := t.Files.Open(d.Book + ".txt")
		if err != nil {
			return executor.NotDone.Because("there is no file"), nil
		}
		return executor.Done.Because("there is a file"), f.Close()
	case "look_here":
		server = d.From
	case "remove":
		server, want = d.From, false
	}
	if _, there := m.at(server)[d.Book]; there != want {
		return executor.NotDone.Because("the book is there: %t", there), nil
	}
	return executor.Done.Because("the book is there: %t", want), nil
}

// moved tells whether the world is as one process would have left it.
func (l *library) moved() bool {
	return maps.Equal(l.shelves["server.shelf.acme"], map[string]string{}) &&
		maps.Equal(l.shelves["server.shelf.globex"], map[string]string{"atlas": "maps"})
}

var _ driver.Driver = mover{}
