package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"
)

// offloadFacts are what an offload's plan is made from.
type offloadFacts struct {
	SyncGone bool             `json:"sync_gone,omitempty"` // the synchronization is not declared any more
	Sync     syncFacts        `json:"sync"`
	Copies   []copyFacts      `json:"copies,omitempty"`  // on the target, of what the source has no more; by name and id
	Lines    []lineFacts      `json:"lines,omitempty"`   // of what is on the source, where a person compares them: by resource and name
	Readers  []overlapFacts   `json:"readers,omitempty"` // other declarations that bring what is selected from the source to elsewhere
	Locks    []lockFacts      `json:"locks,omitempty"`   // on selected resources of the source
	SourceIn machine.LoggedIn `json:"source_in"`         // as is TargetIn, only where the services of that end may be stopped
	TargetIn machine.LoggedIn `json:"target_in"`
}

// copyFacts are a resource of the target that was brought there and is not on the source any more.
type copyFacts struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Item     int    `json:"item"` // of syncFacts.Items: what it was selected by
	LatestBy string `json:"latest_by,omitempty"`
	LatestAt string `json:"latest_at,omitempty"`
	Brought  string `json:"brought,omitempty"` // the other declaration that brings it to the target
}

// lineFacts are a branch of a resource on the source.
type lineFacts struct {
	Resource  string `json:"resource"` // id
	ID        string `json:"id"`
	Name      string `json:"name"`
	Revisions int    `json:"revisions"` // those made on it
	Latest    int    `json:"latest,omitempty"`
}

// lockFacts are what one user has locked in one resource.
type lockFacts struct {
	Resource string `json:"resource"` // name
	User     string `json:"user"`
	Branch   string `json:"branch,omitempty"`
	Elements int    `json:"elements"`
}

func (l lockFacts) String() string {
	text := fmt.Sprintf("%s has %s of %s locked", l.User, wording.Plural(l.Elements, "element"), l.Resource)
	if l.Branch != "" {
		text += " (branch " + l.Branch + ")"
	}
	return text
}

// readMigration returns the facts of an offload, packed. What a migration is about is on servers, or was: never null.
func (d *Driver) readMigration(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	f, err := d.readOffload(ctx, r)
	if err != nil {
		return cty.NullVal(cty.EmptyObject), err
	}
	return pack(f)
}

func (d *Driver) readOffload(ctx context.Context, r *schema.Resource) (*offloadFacts, error) {
	sync := r.Ref("sync")
	if sync == nil {
		return &offloadFacts{SyncGone: true}, nil
	}
	s, f := d.newSurvey(), &offloadFacts{}
	x, err := s.begin(ctx, sync)
	if err != nil {
		return nil, err
	}
	if sync.Ref("source").Get("host").IsNull() && !r.Get("remove_from_source").IsNull() {
		x.visit = f.lines
	}
	if err := x.each(ctx, x.chain, x.category, x.readable, x.histories, x.role, x.overlaps); err != nil {
		return nil, err
	}
	x.held()
	f.Sync = x.facts
	return f, s.offloadOnly(ctx, r, f)
}

// lines notes the branches of a resource on the source.
func (f *offloadFacts) lines(r *resourceFacts, source, _ *revision.History) {
	if source == nil {
		return
	}
	for _, l := range source.Lines() {
		if l.Deleted {
			continue
		}
		n := lineFacts{Resource: r.ID, ID: l.ID, Name: l.Name, Revisions: len(l.Revisions)}
		if len(l.Revisions) > 0 {
			n.Latest = l.Revisions[len(l.Revisions)-1].Number
		}
		f.Lines = append(f.Lines, n)
	}
	slices.SortStableFunc(f.Lines, func(a, b lineFacts) int { return strings.Compare(a.Resource, b.Resource) })
}

// offloadOnly reads what an offload needs to know beyond its synchronization.
func (s *look) offloadOnly(ctx context.Context, r *schema.Resource, f *offloadFacts) error {
	sync := r.Ref("sync")
	source, err := s.inventory(ctx, sync.Ref("source"))
	if err != nil {
		return err
	}
	target, err := s.inventory(ctx, sync.Ref("target"))
	if err != nil {
		return err
	}
	if f.Copies, err = s.copies(ctx, sync, &f.Sync, source, target); err != nil {
		return err
	}
	if isTrue(r, "reactivate") {
		if f.TargetIn, err = loggedIn(ctx, target); err != nil {
			return err
		}
	}
	if r.Get("remove_from_source").IsNull() {
		return nil
	}
	if f.Readers, err = s.readers(ctx, sync, &f.Sync); err != nil {
		return err
	}
	var present []*resourceFacts
	for _, p := range f.Sync.resources() {
		if !p.Coming {
			present = append(present, p)
		}
	}
	if f.Locks, err = readLocks(ctx, source, present); err != nil {
		return err
	}
	f.SourceIn, err = loggedIn(ctx, source)
	return err
}

// copies finds on the target what was selected and is not on the source any more: what is declared by id or name, and for a
// category whatever is in the target category and is neither on the source nor brought by another declaration.
func (s *look) copies(ctx context.Context, sync *schema.Resource, f *syncFacts, source, target *inventory) ([]copyFacts, error) {
	elsewhere, err := s.broughtByOthers(ctx, sync)
	if err != nil {
		return nil, err
	}
	var out []copyFacts
	seen := map[string]bool{}
	add := func(item int, r *osmc.Resource) {
		if !r.Removed && !source.lists(r.ID) && !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, copyFacts{ID: r.ID, Name: r.Name, Item: item, Brought: elsewhere[r.ID]})
		}
	}
	for i := range f.Items {
		item := &f.Items[i]
		switch {
		case item.Kind == kindCategory && f.Category.ID != "":
			for _, r := range target.members(f.Category.ID) {
				if elsewhere[r.ID] == "" {
					add(i, r)
				}
			}
		case item.Kind == kindResource && item.Problem != "":
			if r := target.copyOf(item.Declared, f.Category.ID); r != nil {
				add(i, r)
			}
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range out {
		g.Go(func() error {
			h, err := revision.Read(gctx, target.client, out[i].ID)
			if err != nil {
				return planner.About(target.server, fmt.Errorf("reading %s of %s: %w", out[i].Name, f.Target.Addr, err))
			}
			facts := h.Summary()
			out[i].LatestBy, out[i].LatestAt = facts.LatestBy, facts.LatestAt
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b copyFacts) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return out, nil
}

// lists tells whether a server names a resource anywhere, also one that its user may not see.
func (inv *inventory) lists(id string) bool {
	return inv.byID[id] != nil || slices.ContainsFunc(inv.categories, func(c osmc.Category) bool { return slices.Contains(c.Resources, id) })
}

// copyOf finds what a declaration of a resource meant: by id wherever it is now, by name or the end of a path in the target
// category, and else by name where only one is called so.
func (inv *inventory) copyOf(declared, category string) *osmc.Resource {
	name := declared[strings.LastIndexByte(declared, '/')+1:]
	var inside, anywhere []*osmc.Resource
	for i := range inv.resources {
		r := &inv.resources[i]
		switch {
		case r.Removed:
		case strings.EqualFold(r.ID, declared):
			return r
		case r.Name == declared || r.Name == name:
			anywhere = append(anywhere, r)
			if r.Category == category {
				inside = append(inside, r)
			}
		}
	}
	switch {
	case len(inside) == 1:
		return inside[0]
	case len(anywhere) == 1:
		return anywhere[0]
	}
	return nil
}

// broughtByOthers are the resources that other declarations bring to the same target, and which declaration does.
func (s *look) broughtByOthers(ctx context.Context, sync *schema.Resource) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range activePeers(sync) {
		if !sameServer(p.Ref("target"), sync.Ref("target")) {
			continue
		}
		sel, err := s.resolve(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, item := range sel.items {
			for _, r := range item.picked {
				out[r.ID] = p.Addr.String()
			}
		}
	}
	return out, nil
}

// readers are the other declarations that read what is selected from the same source.
func (s *look) readers(ctx context.Context, sync *schema.Resource, f *syncFacts) ([]overlapFacts, error) {
	mine := map[string]string{}
	for _, r := range f.resources() {
		mine[r.ID] = r.Name
	}
	var out []overlapFacts
	for _, p := range activePeers(sync) {
		if !sameServer(p.Ref("source"), sync.Ref("source")) || sameServer(p.Ref("target"), sync.Ref("target")) {
			continue
		}
		sel, err := s.resolve(ctx, p)
		if err != nil {
			return nil, err
		}
		theirs := map[string]string{}
		for _, item := range sel.items {
			for _, r := range item.picked {
				theirs[r.ID] = r.Name
			}
		}
		if both := common(mine, theirs); len(both) > 0 {
			out = append(out, overlapFacts{Chain: []string{p.Addr.String()}, Resources: both})
		}
	}
	return out, nil
}

// readLocks lists what is locked in resources, by resource, user and branch.
func readLocks(ctx context.Context, inv *inventory, resources []*resourceFacts) ([]lockFacts, error) {
	found := make([][]lockFacts, len(resources))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, r := range resources {
		g.Go(func() error {
			locks, err := inv.client.Locks(gctx, r.ID)
			if err != nil {
				return planner.About(inv.server, fmt.Errorf("reading who has locked elements of %s on %s: %w", r.Name, inv.facts.Addr, err))
			}
			found[i] = tallyLocks(r.Name, locks)
			return nil
		})
	}
	err := g.Wait()
	return slices.Concat(found...), err
}

func tallyLocks(resource string, locks []osmc.Lock) []lockFacts {
	var out []lockFacts
	for _, l := range locks {
		branch := cmp.Or(l.BranchName, l.Branch)
		at := slices.IndexFunc(out, func(f lockFacts) bool { return f.User == l.User && f.Branch == branch })
		if at < 0 {
			at = len(out)
			out = append(out, lockFacts{Resource: resource, User: l.User, Branch: branch})
		}
		out[at].Elements++
	}
	slices.SortFunc(out, func(a, b lockFacts) int {
		return cmp.Or(strings.Compare(a.User, b.User), strings.Compare(a.Branch, b.Branch))
	})
	return out
}

// loggedIn are the people who are logged in to a server.
func loggedIn(ctx context.Context, inv *inventory) (machine.LoggedIn, error) {
	in, err := machine.ReadLoggedIn(ctx, inv.client, inv.facts.Addr, inv.facts.User)
	if err != nil {
		err = planner.About(inv.server, err)
	}
	return in, err
}
