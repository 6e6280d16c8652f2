// Package survey describes what is on a Teamwork Cloud server, as observations, and what a synchronization selects
// there.
package survey

import (
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/schema"
)

// The triggers and states of a synchronization.
const (
	EveryCommit = "every_commit"
	CommitTag   = "commit_tag"
	Manual      = "manual"

	Active  = "active"
	Removed = "removed"
)

// The ends of a synchronization.
const (
	AtSource = "source"
	AtTarget = "target"
)

// Sync is the declaration of a synchronization.
type Sync struct {
	declare.Block

	Source         *schema.Resource `decl:"source"`
	Target         *schema.Resource `decl:"target"`
	Resources      []string         `decl:"resources"`
	Categories     []string         `decl:"categories"`
	TargetCategory string           `decl:"target_category"`
	Trigger        string           `decl:"trigger"`
	Tag            string           `decl:"tag"`
	TLS            *bool            `decl:"tls"`
	Upstream       *schema.Resource `decl:"upstream"`
	State          string           `decl:"state"`
	Verify         *Verify          `decl:"verify"`
}

// Verify is how copies are compared with their originals.
type Verify struct {
	declare.Block

	Compare []revision.Part `decl:"compare"`
	Within  time.Duration   `decl:"within"`
}

// Declared decodes the declaration of a synchronization. It returns nil for nil. Values that are not known yet are
// absent.
func Declared(r *schema.Resource) *Sync {
	s, _ := declare.Decode[Sync](r)
	return s
}

// Address returns the address of the declaration.
func (s *Sync) Address() string { return s.Addr().String() }

// SourceServer returns the declaration of the source.
func (s *Sync) SourceServer() *connect.Server { return connect.Declared(s.Source) }

// TargetServer returns the declaration of the target.
func (s *Sync) TargetServer() *connect.Server { return connect.Declared(s.Target) }

// Server returns the declaration of the server at an end.
func (s *Sync) Server(end string) *connect.Server {
	if end == AtSource {
		return s.SourceServer()
	}
	return s.TargetServer()
}

// UpstreamSync returns the synchronization that brings resources to the source, or nil if there is none.
func (s *Sync) UpstreamSync() *Sync { return Declared(s.Upstream) }

// IsRemoved reports whether the declaration says that no configurations should exist.
func (s *Sync) IsRemoved() bool { return s.State == Removed }

// Chain returns the synchronizations that lead to the source: upstream first, then its upstream, and so on.
func (s *Sync) Chain() []*Sync {
	var out []*Sync
	for up := s.UpstreamSync(); up != nil; up = up.UpstreamSync() {
		out = append(out, up)
	}
	return out
}

// Within returns how long resources may take to arrive.
func (s *Sync) Within() time.Duration {
	if s.Verify == nil || s.Verify.Within <= 0 {
		return 30 * time.Minute
	}
	return s.Verify.Within
}

// Parts returns what is compared between copies and originals. The default is everything.
func (s *Sync) Parts() []revision.Part {
	if s.Verify == nil || !s.Verify.Has("compare") {
		return revision.Optional()
	}
	return slices.Clone(s.Verify.Compare)
}
