package survey

import (
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
)

// Shared is a resource with the same ID on two servers that is not marked as deleted on either.
type Shared struct {
	Original, Copy *osmc.Resource // on the source, and on the target

	Refused bool                // the user may not read one of the two histories
	Diff    revision.Comparison // compared as if copied from source to target
	Back    revision.Comparison // compared as if copied from target to source
}

// Shared finds the resources with the same ID on two servers, in the target's order. It leaves out IDs for which
// settled returns true. Shared returns nil while observations are missing.
func (v *View) Shared(source, target *connect.Server, settled func(id string) bool) []Shared {
	from, to := v.Server(source), v.Server(target)
	there, here := v.Inventory(source), v.Inventory(target)
	if v.Lacks() {
		return nil
	}
	options := revision.Options{Parts: comparedParts(revision.Optional(), from, to)}
	var out []Shared
	for i := range here.Resources {
		r := &here.Resources[i]
		o := there.Resource(r.ID)
		if o == nil || o.Removed || r.Removed || settled(r.ID) {
			continue
		}
		s := Shared{Original: o, Copy: r}
		original, copied := v.History(source, r.ID), v.History(target, r.ID)
		if original == nil || copied == nil {
			continue // to be observed
		}
		if s.Refused = original.Refused || copied.Refused; !s.Refused {
			s.Diff = revision.Compare(original.History, copied.History, options)
			s.Back = revision.Compare(copied.History, original.History, options)
		}
		out = append(out, s)
	}
	if v.Lacks() {
		return nil
	}
	return out
}

// comparedParts adds the parts that are compared only between servers of certain releases.
func comparedParts(parts []revision.Part, source, target *Server) []revision.Part {
	keeps := func(s *Server) bool { return !s.Release.IsZero() && !s.Release.Before(osmc.KeepsNumbers2026) }
	if keeps(source) && keeps(target) {
		return append(parts, revision.Number)
	}
	return parts
}
