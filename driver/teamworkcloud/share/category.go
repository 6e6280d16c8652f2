package share

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

var createCategory = driver.Verb[*Sharing]{
	Name: VerbCreateCategory, Execute: (*Sharing).createCategory, Verify: (*Sharing).verifyCategory,
}

func (p *Plan) createCategoryStep() planner.Step {
	missing := p.missingCategories()
	return planner.Step{
		Op: VerbCreateCategory, Servers: []string{p.Facts.Target.Addr}, Mark: planner.MarkAdd, Repeat: planner.CheckFirst,
		Exclusive: []string{"categories of " + p.Facts.Target.Addr}, // several declarations may need the same
		Summary: fmt.Sprintf("create %s %s on %s", categoryWord(len(missing)), wording.QuotedList(missing),
			p.Facts.Target.Addr) + orBy(p.sharedWith(p.Facts.Category.Path, true)),
		Because: "the copies are to be put into " + strconv.Quote(p.Facts.Category.Path) + ", which does not exist",
		Args:    map[string]string{"path": p.Facts.Category.Path},
		Facts:   p.releaseFacts(atTarget),
		Effect:  &planner.Effect{Add: p.countedHere(missing)},
		Undo:    "remove the category in the Resources application; what is in it becomes uncategorized",
	}
}

// missingCategories returns the paths that have to be created, from the top.
func (p *Plan) missingCategories() []string {
	words := strings.Split(p.Facts.Category.Path, "/")
	var out []string
	for i := range words {
		if path := strings.Join(words[:i+1], "/"); !slices.ContainsFunc(p.Facts.Category.Existing,
			func(have string) bool { return schema.SameName(have, path) }) {
			out = append(out, path)
		}
	}
	return out
}

// sharedWith returns the declaration before this one that needs a category of the same target too, "" if there is
// none. Each has its own step, because each may be applied alone. The first to run creates the category, and only the
// step of the first declaration counts it.
func (p *Plan) sharedWith(path string, inside bool) string {
	if first := p.Sync.FirstIn(path, inside); first != nil {
		return first.Address()
	}
	return ""
}

// orBy mentions the declaration whose step may have done it before.
func orBy(other string) string {
	if other != "" {
		return ", unless " + other + " has by then"
	}
	return ""
}

func (p *Plan) countedHere(missing []string) int {
	n := 0
	for _, path := range missing {
		if p.sharedWith(path, true) == "" {
			n++
		}
	}
	return n
}

func categoryWord(n int) string {
	if n == 1 {
		return "category"
	}
	return "categories"
}

// createCategory creates the missing categories of a path, from the top.
func (w *Sharing) createCategory(ctx context.Context, t *executor.Task) (executor.Result, error) {
	inv, err := w.categories(ctx, t.Step.Args["path"])
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	to, err := w.Servers.Writer(w.Sync.Target)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	parent, path, created := "", "", false
	for _, name := range strings.Split(t.Step.Args["path"], "/") {
		path = strings.TrimPrefix(path+"/"+name, "/")
		if c := inv.CategoryAt(path); c != nil {
			parent = c.ID
			continue
		}
		if parent, err = to.CreateCategory(ctx, name, parent, inv.CategoryOf); err != nil {
			err = fmt.Errorf("creating category %q on %s: %w", path, w.Sync.Target.Addr, err)
			if created {
				return executor.Result{}, err
			}
			return executor.Result{}, connect.Sent(err)
		}
		created = true
	}
	return executor.Result{Outputs: map[string]string{"id": parent}}, nil
}

func (w *Sharing) verifyCategory(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	path := t.Step.Args["path"]
	inv, err := w.categories(ctx, path)
	if err != nil {
		return executor.Verdict{}, err
	}
	c := inv.CategoryAt(path)
	if c == nil {
		return executor.NotDone.Because("%s has no category %q", w.Sync.Target.Addr, path), nil
	}
	v := executor.Done.Because("category %q has the id %s", path, c.ID)
	v.Outputs = map[string]string{"id": c.ID}
	return v, nil
}

// categories returns the current categories of the target, for finding path.
func (w *Sharing) categories(ctx context.Context, path string) (inv *survey.Inventory, err error) {
	err = survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) {
		inv = v.Categories(w.Sync.TargetServer(), path)
	})
	return inv, err
}
