package survey

import (
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// Used says how the models on a server use some of its resources, in the newest revision of each resource's main
// branch.
type Used struct {
	By      []Use
	Unknown []string // names of resources whose uses are unknown
}

// Use is a resource whose model uses others.
type Use struct {
	By   string   // category and name
	Uses []string // names
}

// String says which resource uses which.
func (u Use) String() string { return strconv.Quote(u.By) + " uses " + wording.List(u.Uses) }

// UsedBy finds the other resources of a server that use those with the given IDs. It returns nil while that has not
// been observed.
func (v *View) UsedBy(server *connect.Server, ids []string) *Used {
	inv := v.Inventory(server)
	if inv == nil {
		return nil
	}
	out := &Used{}
	asked, what := inv.usable(ids), AboutUses
	if v.scope != Whole {
		what = aboutUsesLately
	}
	given := map[string]bool{}
	for _, id := range ids {
		given[id] = true
	}
	for i := range inv.Resources {
		r := &inv.Resources[i]
		if r.Removed || given[r.ID] {
			continue
		}
		uses := Look[Uses](v, server.Resource(), what, r.ID)
		switch {
		case uses == nil:
		case uses.Why != "":
			out.Unknown = append(out.Unknown, inv.FullName(r))
		default:
			if names := asked.namesOf(uses.URIs); len(names) > 0 {
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

// usable maps what the address of a used project may contain to resources, each written as ID, NUL and name.
type usable map[string][]string

func (inv *Inventory) usable(ids []string) usable {
	out := usable{}
	for _, id := range ids {
		r := inv.Resource(id)
		if r == nil {
			r = &osmc.Resource{ID: id, Name: id}
		}
		for _, key := range osmc.UseKeys(r) {
			out[key] = append(out[key], id+"\x00"+r.Name)
		}
	}
	return out
}

// namesOf returns the names of the resources that the addresses mean, sorted, without duplicates.
func (u usable) namesOf(uris []string) []string {
	found := map[string]bool{}
	for _, uri := range uris {
		for _, key := range osmc.KeysOfUse(uri) {
			for _, one := range u[key] {
				found[one] = true
			}
		}
	}
	var out []string
	for one := range found {
		_, name, _ := strings.Cut(one, "\x00")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
