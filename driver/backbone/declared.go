package backbone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/schema"
)

// endNames returns the names of the two end blocks. The end that configures the synchronization comes first.
func (s *syncBlock) endNames() [2]string {
	if s.Transport == direct {
		return [2]string{first, second}
	}
	return [2]string{master, slave}
}

// end returns the end block of that name, or nil if there is none.
func (s *syncBlock) end(name string) *endBlock {
	return map[string]*endBlock{first: s.First, second: s.Second, master: s.Master, slave: s.Slave}[name]
}

func (s *syncBlock) ends() [2]*endBlock {
	names := s.endNames()
	return [2]*endBlock{s.end(names[0]), s.end(names[1])}
}

// field is one field mapping, declared or read from a server.
type field struct {
	First     string `json:"first"`
	Second    string `json:"second"`
	Mapping   string `json:"mapping"`
	Direction string `json:"direction,omitempty"` // "": unknown
}

func (f field) String() string {
	name := f.First
	if f.Second != f.First {
		name += " -> " + f.Second
	}
	name += " (" + f.Mapping + ")"
	if f.Direction != "" && f.Direction != bidirectional {
		name += ", " + f.Direction
	}
	return name
}

// turned returns the same mapping as seen from the other end.
func (f field) turned() field {
	f.First, f.Second = f.Second, f.First
	switch f.Direction {
	case firstToSecond:
		f.Direction = secondToFirst
	case secondToFirst:
		f.Direction = firstToSecond
	}
	return f
}

// fields returns the declared field mappings, sorted by the first end's name.
func (s *syncBlock) fields() []field {
	out := make([]field, 0, len(s.Fields))
	for name, f := range s.Fields {
		to := name
		if f.To != nil && *f.To != "" {
			to = *f.To
		}
		out = append(out, field{First: name, Second: to, Mapping: f.Mapping, Direction: f.Direction})
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.First, b.First) })
	return out
}

// name returns the name in Backbone's overview.
func (s *syncBlock) name() string {
	if s.Name != nil && *s.Name != "" {
		return *s.Name
	}
	ends := s.ends()
	return ends[0].Project + " <> " + ends[1].Project
}

// end is one end of a declared synchronization, with its server.
type end struct {
	*endBlock

	name   string // master, slave, first or second
	server *serverBlock
}

// synchronization is a declared synchronization with its ends.
type synchronization struct {
	*syncBlock

	one, two *end // first and second, or master and slave; end one configures
}

func (s *synchronization) end(name string) *end {
	if s.two.name == name {
		return s.two
	}
	return s.one
}

func (s *synchronization) direct() bool { return s.Transport == direct }

// holders returns the ends whose servers have the synchronization. A direct one is administered on one Jira only
// (HC/5.0/server/glossary). Of one by e-mail or file, each end's server has a half.
func (s *synchronization) holders() []*end {
	if s.direct() {
		return []*end{s.one}
	}
	return []*end{s.one, s.two}
}

func decodeSync(r *schema.Resource) (*synchronization, hcl.Diagnostics) {
	block, diags := declare.Decode[syncBlock](r)
	s := &synchronization{syncBlock: block}
	names, blocks := s.endNames(), s.ends()
	for i, into := range []**end{&s.one, &s.two} {
		e := &end{endBlock: blocks[i], name: names[i]}
		if e.endBlock == nil || e.Server == nil {
			return nil, append(diags, problem(r, "Missing end", fmt.Sprintf("%s has no block %s with a server.", r.Addr,
				names[i])))
		}
		var more hcl.Diagnostics
		e.server, more = declare.Decode[serverBlock](e.Server)
		diags = append(diags, more...)
		*into = e
	}
	return s, diags
}

// migration is a declared migration with the synchronizations that it owns.
type migration struct {
	*migrationBlock

	from             *synchronization // nil if it is no longer declared
	to               *synchronization
	moving, staying  string // master or slave
	deleteOriginal   bool
	sample, newPairs int
	within           time.Duration
}

const (
	defaultSample = 50
	defaultWithin = 30 * time.Minute
)

func decodeMigration(r *schema.Resource) (*migration, hcl.Diagnostics) {
	block, diags := declare.Decode[migrationBlock](r)
	m := &migration{migrationBlock: block, sample: defaultSample, within: defaultWithin}
	if m.To == nil {
		return nil, append(diags, problem(r, "The new synchronization is not declared",
			"to must name a declared synchronization.", "to"))
	}
	var more hcl.Diagnostics
	m.to, more = decodeSync(m.To)
	diags = append(diags, more...)
	if m.From != nil {
		m.from, more = decodeSync(m.From)
		diags = append(diags, more...)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	m.moving, m.staying = m.Migrating, other(m.Migrating)
	m.deleteOriginal = m.DeleteOriginal != nil
	if v := m.Verify; v != nil {
		m.sample, m.newPairs, m.within = v.Sample, v.NewPairs, v.Within
	}
	return m, diags
}

func (m *migration) stay() *serverBlock { return m.to.one.server } // the server that stays and configures
func (m *migration) site() *serverBlock { return m.to.two.server } // the cloud site

// allows reports whether the declaration lets a check fail: a person decided that when they declared it.
func (m *migration) allows(check syncinfo.Rule) bool { return slices.Contains(m.Allow, string(check)) }

// declared decodes a task's declaration for Execute and Verify. Planning has already decoded it without an error.
func declared[T any](decode func(*schema.Resource) (T, hcl.Diagnostics), r *schema.Resource) (T, error) {
	v, diags := decode(r)
	if diags.HasErrors() {
		return v, fmt.Errorf("reading the declaration of %s: %w", r.Addr, diags)
	}
	return v, nil
}

var errNotDeclared = errors.New("the original is not declared any more")

func other(name string) string {
	switch name {
	case master:
		return slave
	case slave:
		return master
	case first:
		return second
	}
	return first
}
