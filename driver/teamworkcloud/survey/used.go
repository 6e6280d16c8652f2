package survey

import (
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// Used is what the models on a server say of their use of some of its resources: those of the newest revision of each
// resource's main branch.
type Used struct {
	By      []Use
	Unknown []string // names of resources of which it is unknown what they use
}

// Use is a resource whose model uses others.
type Use struct {
	By   string   // category and name
	Uses []string // names
}

// String says who uses what.
func (u Use) String() string { return strconv.Quote(u.By) + " uses " + wording.List(u.Uses) }

// UsedBy looks which of the other resources of a server use those of the given ids. Nil while that has not been
// observed.
func (v *View) UsedBy(server *connect.Server, ids []string) *Used {
	inv := v.Inventory(server)
	if inv == nil {
		return nil
	}
	out := &Used{}
	for i := range inv.Resources {
		r := &inv.Resources[i]
		if r.Removed || slices.Contains(ids, r.ID) {
			continue
		}
		uses := Look[Uses](v, server.Resource(), AboutUses, r.ID)
		switch {
		case uses == nil:
		case uses.Why != "":
			out.Unknown = append(out.Unknown, inv.FullName(r))
		default:
			if names := inv.namesOf(uses.URIs, ids); len(names) > 0 {
				out.By = append(out.By, Use{By: inv.FullName(r), Uses: names})
			}
		}
	}
	if v.Lacks() {
		return nil
	}
	slices.SortFunc(out.By, func(a, b Use) int { return strings.Compare(a.By, b.By) })
	slices.Sort(out.Unknown)
	return out
}

// namesOf are the names of those of the given resources that the addresses are of.
func (inv *Inventory) namesOf(uris, ids []string) []string {
	var out []string
	for _, id := range ids {
		r := inv.Resource(id)
		if r == nil {
			r = &osmc.Resource{ID: id, Name: id}
		}
		if slices.ContainsFunc(uris, func(uri string) bool { return osmc.IsUseOf(uri, r) }) {
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return out
}
