package teamworkcloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// resources: each of them can be read, and is what the target takes it for.
func (f *finder) resources() {
	src, tgt := f.facts.Source.Addr, f.facts.Target.Addr
	for _, r := range f.facts.resources() {
		what := fmt.Sprintf("resource %q (%s)", r.Name, r.ID)
		if !r.Readable {
			f.refuse("readable", "Give the user Read Resources on it, for instance with the role Resource Reviewer ("+wizardPage+").",
				"user %s may not read %s of %s", f.facts.Source.User, what, src)
		}
		for _, c := range r.Taken {
			f.taken(what, r, c)
		}
		switch {
		case r.Target.Removed:
			f.refuse("taken", "The product checks the resource id against what is marked as deleted too. Remove it there for good with Data Manager, or restore it.",
				"%s has %s already, marked as deleted", tgt, what)
		case r.Target.There && r.Diff.State == revision.Differs:
			f.refuse("not-a-copy", "Its history is not that of the source, so it cannot be a copy of it: was it edited there? Where a server changes what it copies in this field, leave the field out of verify { compare }.",
				"%s on %s is not a copy of that on %s: %s", what, tgt, src, r.Diff.Difference)
		}
		f.unknownParts(what, r)
	}
}

// unknownParts: what the servers do not give cannot be compared. Nothing is removed on that.
func (f *finder) unknownParts(what string, r *resourceFacts) {
	why := r.Diff.Unknown
	if missing := slices.DeleteFunc(slices.Clone(r.Source.Unknown), func(p revision.Part) bool {
		return !slices.Contains(declaredParts(f.sync), p)
	}); why == "" && len(missing) > 0 {
		why = fmt.Sprintf("%s does not give%s of each revision", f.facts.Source.Addr, strings.TrimPrefix(revision.List(missing), ","))
	}
	if why == "" {
		return
	}
	severity := planner.Warn
	if f.owner != f.sync.Addr.String() {
		severity = planner.Refuse
	}
	f.add("unknown-history", severity, "", fmt.Sprintf("%s cannot be compared completely: %s", what, why),
		fmt.Sprintf("To accept the copies without comparing that, leave it out of verify { compare } of %s.", f.sync.Addr))
}

func (f *finder) taken(what string, r *resourceFacts, c collisionFact) {
	value := r.Name
	if c.By == "project id" {
		value = r.ProjectID
	}
	if c.Within {
		f.refuse("taken", "The product checks that project id, resource id and project name are unique on the target ("+syncPage+"). Take one of the two out of the declaration, or rename it.",
			"%s and %q (%s), which is selected too, have the same %s %q", what, c.Name, c.ID, c.By, value)
		return
	}
	marked := ""
	if c.Removed {
		marked = ", marked as deleted"
	}
	f.refuse("taken", "The product checks that project id, resource id and project name are unique on the target, also against what is marked as deleted ("+syncPage+"). Rename or remove one of the two.",
		"%s cannot be synchronized: %s has another one, %q (%s%s), with the same %s %q", what, f.facts.Target.Addr, c.Name, c.ID, marked, c.By, value)
}

// targetSide: the category and the right to put something into it. They matter only when something is to be configured.
func (f *finder) targetSide() {
	c, r := f.facts.Category, f.facts.Role
	if c.Problem != "" {
		f.refuse("target-category", "Write the path of the category; a path that is not there is created.", "target_category: %s", c.Problem)
	}
	if len(f.todo) == 0 {
		return
	}
	if c.ID == "" && c.Problem == "" {
		f.add("category-missing", planner.Note, opCreateCategory, fmt.Sprintf("target_category %q is not on %s and is created", c.Path, f.facts.Target.Addr), "")
	}
	switch {
	case !r.Known:
		f.add("role", planner.Note, "", fmt.Sprintf("whether %s has the role %s on category %q of %s cannot be read", orNobody(r.User), r.Name, c.Path, f.facts.Target.Addr),
			"Without it the page does not let them create a configuration.")
	case r.Held:
	case r.MayGrant:
		f.add("role", planner.Note, opGrantRole, fmt.Sprintf("%s gets the role %s on category %q of %s", r.User, r.Name, c.Path, f.facts.Target.Addr), "")
	default:
		f.refuse("role", "Have somebody with the permission Manage User Permissions give it.",
			"%s has not the role %s on category %q of %s, and may not give it", r.User, r.Name, c.Path, f.facts.Target.Addr)
	}
	for s := range f.items {
		if s := &f.items[s]; s.replace && f.todo[s] && f.cannotReplace(s) {
			f.refuse("reconfigure", "Before 2024x Refresh1 a deleted configuration leaves a record behind that stands in the way of another one (TWCloud2024x 137987228): delete it on the page, remove the copies on the target with Data Manager (-dr), and plan again. Or declare what there is.",
				"the configuration of %s %q on %s cannot be made anew while the copies are there", s.Kind, s.Path, f.facts.Target.says())
		}
	}
}

func orNobody(user string) string {
	if user == "" {
		return "the target's user"
	}
	return user
}

// progress: what the target lacks of what is configured.
func (f *finder) progress() {
	var late, waiting []string
	for i := range f.items {
		s := &f.items[i]
		if f.todo[s] || s.Problem != "" || s.waits != "" || f.sync.Text("trigger") == survey.Manual && s.appeared == 0 {
			continue // this plan has steps for it, or it is told otherwise
		}
		for _, r := range s.expected() {
			lacks := f.lacks(r)
			switch {
			case lacks == "":
			case f.sync.Text("trigger") == survey.EveryCommit || f.sync.Text("trigger") == survey.CommitTag && r.Tagged > 0 && (!r.Target.There || r.Diff.Due > 0):
				late = append(late, lacks)
			default:
				waiting = append(waiting, lacks)
			}
		}
	}
	if len(late) > 0 {
		f.add("behind", planner.Warn, "", fmt.Sprintf("%s has not everything that has come to %s of %s", f.facts.Target.Addr, wording.Plural(len(late), "resource"), f.facts.Source.Addr),
			strings.Join(wording.FirstTen(late), "; ")+". The list of configurations on the page shows their status; the reason of an Error is in its tooltip.")
	}
	if len(waiting) == 0 {
		return
	}
	what := "a person to press Synchronize on the page"
	if f.sync.Text("trigger") == survey.CommitTag {
		what = fmt.Sprintf("a commit tagged %q", f.sync.Text("tag"))
	}
	f.add("waiting", planner.Note, "", fmt.Sprintf("%s waiting for %s", areResources(len(waiting)), what), strings.Join(wording.FirstTen(waiting), "; ")+".")
}

func areResources(n int) string {
	if n == 1 {
		return "1 resource is"
	}
	return fmt.Sprintf("%d resources are", n)
}

// lacks says what the target lacks of a resource, "" if nothing or if it is no copy.
func (f *finder) lacks(r *resourceFacts) string {
	switch {
	case !r.Target.There && r.Coming:
		return ""
	case !r.Target.There:
		return fmt.Sprintf("%s is not there (%s)", r.Name, wording.Plural(r.Source.Revisions, "revision"))
	case r.Diff.State == revision.Behind:
		return fmt.Sprintf("%s: %s", r.Name, r.Diff.Why())
	}
	return ""
}

// drift: the source determines the metadata of what it gives (seed).
func (f *finder) drift() {
	c := f.facts.Category
	seen := map[string]bool{}
	for i := range f.items {
		s := &f.items[i]
		if s.removed || s.replace {
			continue
		}
		for j := range s.Resource {
			r := &s.Resource[j]
			if seen[r.ID] || !r.Target.There || r.Target.Removed || !r.Coming && !r.Diff.IsCopy() {
				continue
			}
			seen[r.ID] = true
			if r.Target.Name != r.Name {
				f.warn("drift", "The source determines the name: the next synchronization brings it back.",
					"%q of %s is called %q on %s", r.Name, f.facts.Source.Addr, r.Target.Name, f.facts.Target.Addr)
			}
			if c.ID != "" && r.Target.Category != c.ID {
				f.warn("drift", "The next synchronization brings it back to the category of the configuration.",
					"%q is in category %q of %s, not in %q", r.Name, r.Target.Path, f.facts.Target.Addr, c.Path)
			}
		}
	}
	for _, h := range f.facts.Left {
		f.warn("left-category", "It is not synchronized any more. Its copy stays; select it by itself, or remove the copy.",
			"%q is in category %q of %s now, which is not selected, and its copy is still in %q of %s", h.Name, h.Path, f.facts.Source.Addr, c.Path, f.facts.Target.Addr)
	}
}
