package teamworkcloud

import (
	"cmp"
	"context"
	"fmt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"
)

// readSync returns the facts of a sync, packed. Remote resource configurations cannot be read, so there is nothing that would
// be missing: never null.
func (d *Driver) readSync(ctx context.Context, sync *schema.Resource) (cty.Value, error) {
	f, err := d.readSyncFacts(ctx, sync)
	if err != nil {
		return cty.NullVal(cty.EmptyObject), err
	}
	return pack(f)
}

// readSyncFacts reads all that a sync's plan needs: what is selected, its histories on both servers, and what is around it.
func (d *Driver) readSyncFacts(ctx context.Context, sync *schema.Resource) (*syncFacts, error) {
	return d.newSurvey().syncFacts(ctx, sync)
}

// visitor is shown both histories of a resource, nil for one that is not there. It is called by one goroutine at a time.
type visitor func(r *resourceFacts, source, target *revision.History)

// readCopies reads what is selected and its histories, as they are compared at a certain time (see comparing.AsOf), and nothing
// around them. visit may be nil.
func (d *Driver) readCopies(ctx context.Context, sync *schema.Resource, asOf time.Time, visit visitor) (*syncFacts, error) {
	x, err := d.newSurvey().begin(ctx, sync)
	if err != nil {
		return nil, err
	}
	x.asOf, x.visit = asOf, visit
	return &x.facts, x.each(ctx, x.category, x.readable, x.histories)
}

func (s *look) syncFacts(ctx context.Context, sync *schema.Resource) (*syncFacts, error) {
	x, err := s.begin(ctx, sync)
	if err != nil {
		return nil, err
	}
	if err := x.each(ctx, x.chain, x.category, x.readable, x.histories, x.role, x.overlaps, x.encryption); err != nil {
		return nil, err
	}
	x.held()
	return &x.facts, nil
}

// begin resolves what is selected and lists the target.
func (s *look) begin(ctx context.Context, sync *schema.Resource) (*syncReader, error) {
	var sel *selection
	var target *inventory
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		sel, err = s.resolve(gctx, sync)
		return err
	})
	g.Go(func() (err error) {
		target, err = s.inventory(gctx, sync.Ref("target"))
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	x := &syncReader{look: s, declared: sync, selection: sel, target: target}
	x.facts = syncFacts{Source: sel.source.facts, Target: target.facts}
	return x, nil
}

func (x *syncReader) each(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// syncReader fills in a sync's facts.
type syncReader struct {
	*look
	declared  *schema.Resource
	selection *selection
	target    *inventory
	facts     syncFacts
	upstream  *syncFacts      // only where something is still to come
	elsewhere map[string]bool // what other declarations bring to the target

	asOf  time.Time
	visit visitor // nil: nobody
	one   sync.Mutex
}

// chain reads the servers of the hops before this one.
func (x *syncReader) chain(ctx context.Context) error {
	for up := x.declared.Ref("upstream"); up != nil; up = up.Ref("upstream") {
		inv, err := x.inventory(ctx, up.Ref("source"))
		if err != nil {
			return err
		}
		x.facts.Chain = append(x.facts.Chain, hopFacts{Addr: up.Addr.String(), Source: inv.facts})
	}
	coming := slices.ContainsFunc(x.selection.items, func(i selected) bool {
		return slices.ContainsFunc(i.picked, func(p pick) bool { return p.coming })
	})
	if !coming {
		return nil
	}
	var err error
	x.upstream, err = x.syncFacts(ctx, x.declared.Ref("upstream"))
	return err
}

// category finds where the copies are put.
func (x *syncReader) category(context.Context) error {
	text := x.declared.Text("target_category")
	f := categoryFacts{Declared: text, Path: text}
	switch c := x.target.category(text); {
	case c != nil:
		f.ID, f.Path = c.ID, x.target.paths[c.ID]
	case isID(text):
		f.Problem = fmt.Sprintf("%s has no category of the id %s", x.facts.Target.Addr, text)
	}
	for path := f.Path; path != ""; path = path[:max(0, strings.LastIndexByte(path, '/'))] {
		if c := x.target.category(path); c != nil && x.target.paths[c.ID] == path {
			f.There = append(f.There, path)
		}
	}
	x.facts.Category = f
	return nil
}

// readable asks which of the selected resources the source's user may read (permission Read Resources, MCS 247047420).
func (x *syncReader) readable(ctx context.Context) error {
	src := x.selection.source
	may, asked := map[string]bool{}, map[string]bool{}
	blind := map[string]bool{}
	for _, item := range x.selection.items {
		for _, p := range item.picked {
			if p.coming || p.Category == "" || asked[p.Category] {
				continue
			}
			asked[p.Category] = true
			ids, err := src.client.ReadableResources(ctx, p.Category)
			if osmc.NotAllowed(err) || osmc.IsGone(err) {
				blind[p.Category] = true // reading the history will tell
				continue
			}
			if err != nil {
				return planner.About(src.server, fmt.Errorf("asking what %s may read in category %s of %s: %w", src.facts.User, x.selection.source.paths[p.Category], src.facts.Addr, err))
			}
			for _, id := range ids {
				may[id] = true
			}
		}
	}
	for _, item := range x.selection.items {
		f := item.selectionFacts
		f.Resource = []resourceFacts{}
		for _, p := range item.picked {
			f.Resource = append(f.Resource, resourceFacts{
				ID: p.ID, ProjectID: p.ProjectID, Name: p.Name, Path: p.path, Coming: p.coming,
				Readable: p.coming || p.Category == "" || blind[p.Category] || may[p.ID],
			})
		}
		x.facts.Items = append(x.facts.Items, f)
	}
	return nil
}

// histories reads every selected resource on both servers, and compares.
func (x *syncReader) histories(ctx context.Context) error {
	all := x.facts.resources()
	for _, r := range all {
		r.Taken = x.collisions(r)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, r := range all {
		g.Go(func() error { return x.resource(gctx, r) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	latest := ""
	if x.upstream != nil {
		latest = x.upstream.AsOf
	}
	byID := map[string]*resourceFacts{}
	for _, r := range all {
		latest = max(latest, r.Source.LatestAt) // RFC 3339 in UTC sorts by time
		byID[r.ID] = r
	}
	x.facts.AsOf = latest
	for i := range x.facts.Items { // one that is selected twice is read once
		for j, r := range x.facts.Items[i].Resource {
			x.facts.Items[i].Resource[j] = *byID[r.ID]
		}
	}
	return nil
}

// resource reads one resource on both servers.
func (x *syncReader) resource(ctx context.Context, r *resourceFacts) error {
	var original *revision.History
	if !r.Coming && r.Readable {
		src := x.selection.source
		h, err := revision.Read(ctx, src.client, r.ID)
		switch {
		case osmc.NotAllowed(err):
			r.Readable = false
		case err != nil:
			return planner.About(src.server, fmt.Errorf("reading %s of %s: %w", r.Name, src.facts.Addr, err))
		default:
			original, r.Source = h, h.Summary()
			if tag := x.declared.Text("tag"); tag != "" {
				r.Tagged = h.Tagged(tag)
			}
		}
	}
	if x.upstream != nil && r.Coming {
		r.Waits = x.waits(r.ID)
	}
	copied, err := x.copied(ctx, r)
	if err != nil {
		return err
	}
	if original != nil && copied != nil {
		r.Diff = revision.Compare(original, copied, x.comparing(r.Tagged))
	}
	if x.visit != nil {
		x.one.Lock()
		defer x.one.Unlock()
		x.visit(r, original, copied)
	}
	return nil
}

// copied reads the resource of the same id on the target, nil if there is none or it is marked as deleted.
func (x *syncReader) copied(ctx context.Context, r *resourceFacts) (*revision.History, error) {
	t := x.target.byID[r.ID]
	if t == nil {
		return nil, nil
	}
	r.Target = targetFacts{There: true, Removed: t.Removed, Name: t.Name, Category: t.Category, Path: x.target.paths[t.Category]}
	if t.Removed {
		return nil, nil
	}
	h, err := revision.Read(ctx, x.target.client, r.ID)
	if err != nil {
		return nil, planner.About(x.target.server, fmt.Errorf("reading %s of %s: %w", r.Name, x.target.facts.Addr, err))
	}
	r.Target.History = h.Summary()
	return h, nil
}

// waits says what upstream waits for before it brings a resource, "" if it brings it by itself.
func (x *syncReader) waits(id string) string {
	up := x.declared.Ref("upstream")
	for _, r := range x.upstream.resources() {
		switch {
		case r.ID != id:
		case r.Waits != "":
			return r.Waits
		case up.Text("trigger") == survey.CommitTag && !r.Coming && r.Tagged == 0:
			return fmt.Sprintf("%s brings it with the first commit that is tagged %q", up.Addr, up.Text("tag"))
		}
	}
	return ""
}

// comparing is what the declaration says about revision.Options, for a resource whose newest revision with the sync's tag is tagged.
func (x *syncReader) comparing(tagged int) revision.Options {
	return comparingOf(x.declared, &x.facts, tagged, x.asOf)
}

func comparingOf(sync *schema.Resource, f *syncFacts, tagged int, asOf time.Time) revision.Options {
	o := revision.Options{Parts: declaredParts(sync), AsOf: asOf}
	keeps := func(s *serverFacts) bool { return !s.Release.IsZero() && !s.Release.Before(osmc.KeepsNumbers2026) }
	if keeps(&f.Source) && keeps(&f.Target) {
		o.Parts = append(o.Parts, revision.Number)
	}
	if sync.Text("trigger") == survey.CommitTag {
		o.UpTo = cmp.Or(tagged, -1) // nothing is due before there is a tag
	}
	return o
}

// declaredParts are what a declaration has copies compared by: everything where it does not say.
func declaredParts(sync *schema.Resource) []revision.Part {
	declared := sync.Get("verify", "compare")
	if !known(declared) {
		return revision.Optional()
	}
	var parts []revision.Part
	for _, p := range texts(declared) {
		parts = append(parts, revision.Part(p))
	}
	return parts
}

// collisions are what the product takes for the same project: it checks project id, resource id and name (seed), also against
// what is marked as deleted.
func (x *syncReader) collisions(r *resourceFacts) []collisionFact {
	var out []collisionFact
	mine := map[string]bool{}
	for i := range x.facts.Items {
		for j := range x.facts.Items[i].Resource {
			other := &x.facts.Items[i].Resource[j]
			if by := collides(r.ID, r.ProjectID, r.Name, other.ID, other.ProjectID, other.Name); by != "" && !mine[other.ID] {
				out = append(out, collisionFact{By: by, ID: other.ID, Name: other.Name, Within: true})
			}
			mine[other.ID] = true
		}
	}
	for _, t := range x.target.resources {
		if mine[t.ID] && !t.Removed {
			continue // a copy of the selection gets its name and project id from there
		}
		if by := collides(r.ID, r.ProjectID, r.Name, t.ID, t.ProjectID, t.Name); by != "" {
			out = append(out, collisionFact{By: by, ID: t.ID, Name: t.Name, Removed: t.Removed})
		}
	}
	slices.SortFunc(out, func(a, b collisionFact) int { return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.By, b.By)) })
	return out
}

// collides says by what two resources with different ids are the same project.
func collides(id, project, name, otherID, otherProject, otherName string) string {
	switch {
	case id == otherID:
		return ""
	case project != "" && project == otherProject:
		return "project id"
	case name == otherName:
		return "name"
	}
	return ""
}
