package share

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// targetSide is about the category, and the right to put something into it. They matter only if something has to be
// configured.
func (f *finder) targetSide() {
	c, r := f.Facts.Category, f.Facts.Role
	if c.Problem != "" {
		f.refuse(ruleTargetCategory, "Write the path of the category; a missing path is created.",
			"target_category: %s", c.Problem)
	}
	if len(f.todo) == 0 {
		return
	}
	if c.ID == "" && c.Problem == "" {
		f.add(ruleCategoryMissing, planner.Note, VerbCreateCategory, fmt.Sprintf("target_category %q is not on %s and is "+
			"created", c.Path, f.Facts.Target.Addr), "")
	}
	switch {
	case !r.Known:
		f.add(ruleRole, planner.Note, "", fmt.Sprintf("whether %s has the role %s on category %q of %s cannot be read",
			OrNobody(r.User), r.Name, c.Path, f.Facts.Target.Addr),
			"Without it the page does not let them create a configuration.")
	case r.Held:
	case r.MayGrant:
		f.add(ruleRole, planner.Note, VerbGrantRole, fmt.Sprintf("%s gets the role %s on category %q of %s", r.User,
			r.Name, c.Path, f.Facts.Target.Addr), "")
	default:
		f.refuse(ruleRole, "Have somebody with the permission Manage User Permissions give it.",
			"%s has not the role %s on category %q of %s, and may not give it", r.User, r.Name, c.Path, f.Facts.Target.Addr)
	}
	for s := range f.Items {
		if s := &f.Items[s]; s.Replaces && f.todo[s] && f.CannotReplace(s) {
			f.refuse(RuleReconfigure, "Before 2024x Refresh1 a deleted configuration leaves a record behind that stands in "+
				"the way of another one (TWCloud2024x 137987228): delete it on the page, remove the copies on the target "+
				"with Data Manager (-dr), and plan again. Or declare what there is.",
				"the configuration of %s %q on %s cannot be created again while the copies exist", s.Kind, s.Path,
				f.Facts.Target.String())
		}
	}
}

// OrNobody returns a user, or a description if the user is unknown.
func OrNobody(user string) string {
	if user == "" {
		return "the target's user"
	}
	return user
}

// progress is about what is configured and missing on the target.
func (f *finder) progress() {
	var late, waiting []string
	for i := range f.Items {
		s := &f.Items[i]
		if f.todo[s] || s.Problem != "" || s.Waits != "" || f.Sync.Trigger == survey.Manual && s.Appeared == 0 {
			continue // this plan has steps for it, or another finding covers it
		}
		for _, r := range s.Expected() {
			lacks := f.lacks(r)
			switch {
			case lacks == "":
			case f.Sync.Trigger == survey.EveryCommit || f.Sync.Trigger == survey.CommitTag && r.Tagged > 0 &&
				(!r.Target.Exists || r.Diff.Due > 0):
				late = append(late, lacks)
			default:
				waiting = append(waiting, lacks)
			}
		}
	}
	if len(late) > 0 {
		f.add(ruleBehind, planner.Warn, "", fmt.Sprintf("%s has not everything that has come to %s of %s",
			f.Facts.Target.Addr, wording.Plural(len(late), "resource"), f.Facts.Source.Addr),
			strings.Join(wording.FirstTen(late), "; ")+". The list of configurations on the page shows their status; the "+
				"reason of an Error is in its tooltip.")
	}
	if len(waiting) == 0 {
		return
	}
	what := "a person to press Synchronize on the page"
	if f.Sync.Trigger == survey.CommitTag {
		what = fmt.Sprintf("a commit tagged %q", f.Sync.Tag)
	}
	f.add(ruleWaiting, planner.Note, "", fmt.Sprintf("%s waiting for %s", areResources(len(waiting)), what),
		strings.Join(wording.FirstTen(waiting), "; ")+".")
}

func areResources(n int) string {
	if n == 1 {
		return "1 resource is"
	}
	return fmt.Sprintf("%d resources are", n)
}

// lacks returns what the target lacks of a resource. It returns "" if nothing is missing, or if it is not a copy.
func (f *finder) lacks(r *survey.Resource) string {
	switch {
	case !r.Target.Exists && r.Coming:
		return ""
	case !r.Target.Exists:
		return fmt.Sprintf("%s is missing (%s)", r.Name, wording.Plural(r.Source.Revisions, "revision"))
	case r.Diff.State == revision.Behind:
		return fmt.Sprintf("%s: %s", r.Name, r.Diff.Why())
	}
	return ""
}

// drift is about copies whose metadata differs, since the source determines it (seed).
func (f *finder) drift() {
	c := f.Facts.Category
	seen := map[string]bool{}
	for i := range f.Items {
		s := &f.Items[i]
		if s.Unconfigured || s.Replaces {
			continue
		}
		for j := range s.Resources {
			r := &s.Resources[j]
			if seen[r.ID] || !r.Target.Exists || r.Target.Removed || !r.Coming && !r.Diff.IsCopy() {
				continue
			}
			seen[r.ID] = true
			if r.Target.Name != r.Name {
				f.warn(ruleDrift, "The source determines the name: the next synchronization brings it back.",
					"%q of %s is called %q on %s", r.Name, f.Facts.Source.Addr, r.Target.Name, f.Facts.Target.Addr)
			}
			if c.ID != "" && r.Target.Category != c.ID {
				f.warn(ruleDrift, "The next synchronization brings it back to the category of the configuration.",
					"%q is in category %q of %s, not in %q", r.Name, r.Target.Path, f.Facts.Target.Addr, c.Path)
			}
		}
	}
	for _, h := range f.Facts.Left {
		f.warn(ruleLeftCategory, "It is not synchronized any more. Its copy stays; select it by itself, or remove the copy.",
			"%q is in category %q of %s now, which is not selected, and its copy is still in %q of %s", h.Name, h.Path,
			f.Facts.Source.Addr, c.Path, f.Facts.Target.Addr)
	}
}
