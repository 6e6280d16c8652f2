package survey

import (
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
)

// Shared is a resource that two servers have under one id, and neither has marked as deleted.
type Shared struct {
	Original, Copy *osmc.Resource // on the source, and on the target

	Refused bool                // one of the two histories may not be read
	Diff    revision.Comparison // as if it went from the source to the target
	Back    revision.Comparison // as if it went the other way
}

// Shared finds what two servers have under one id, in the order of the target's list. settled are ids that nobody asks
// about. It returns nil while observations are missing.
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

// comparedParts adds to the parts of a comparison what is compared between servers of these releases alone.
func comparedParts(parts []revision.Part, source, target *Server) []revision.Part {
	keeps := func(s *Server) bool { return !s.Release.IsZero() && !s.Release.Before(osmc.KeepsNumbers2026) }
	if keeps(source) && keeps(target) {
		return append(parts, revision.Number)
	}
	return parts
}
