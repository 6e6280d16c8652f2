package share

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// selection is about whether the declared items exist, and what they include.
func (f *finder) selection() {
	for i := range f.Items {
		s := &f.Items[i]
		at := fmt.Sprintf("%s[%d] %q", listOf(s.Kind), s.Index, s.Declared)
		switch {
		case s.Problem != "":
			detail := "Write its name, its name with the category path, or its id."
			if len(s.Similar) > 0 {
				detail = "Did you mean " + strings.Join(Quotes(s.Similar), " or ") + "? " + detail
			}
			f.refuse(RuleNotFound, detail, "%s: %s", at, s.Problem)
			continue
		case s.IsRemoved():
			f.removedResource(at, s)
			continue
		case s.Waits != "":
			f.add(ruleWaitsUpstream, planner.Warn, "", fmt.Sprintf("%s is not on %s yet: %s", at, f.Facts.Source.Addr,
				s.Waits), "It is configured by the first plan after that.")
		}
		if len(s.Hidden) > 0 {
			f.refuse(ruleReadable, "Give the user the role Resource Reviewer on the category: a configuration brings only "+
				"what its user may read ("+WizardPage+").",
				"%s: user %s of %s may not read %s in it: %s", at, f.Facts.Source.User, f.Facts.Source.Addr,
				wording.Plural(len(s.Hidden), "resource"), wording.List(s.Hidden))
		}
		if s.Kind == survey.KindCategory && len(s.Removed) > 0 {
			f.add(ruleRemovedMarked, planner.Note, "", fmt.Sprintf("%s: marked as deleted on %s and not synchronized: %s",
				at, f.Facts.Source.Addr, wording.QuotedList(s.Removed)), "")
		}
		if s.Kind == survey.KindCategory && f.todo[s] {
			f.holds(at, s)
		}
	}
}

func listOf(kind string) string {
	return map[string]string{survey.KindCategory: "categories", survey.KindResource: "resources"}[kind]
}

// Quotes returns words in quotation marks.
func Quotes(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, fmt.Sprintf("%q", w))
	}
	return out
}

func (f *finder) removedResource(at string, s *Standing) {
	if slices.ContainsFunc(f.Facts.Held, func(h survey.Held) bool { return h.ID == s.ID }) {
		f.warn(ruleRemovedMarked, "What is marked as deleted is not synchronized (VN 261624215). Its copy stays as it "+
			"is; take it out of the declaration, or restore it on the source.",
			"%s is marked as deleted on %s", at, f.Facts.Source.Addr)
		return
	}
	f.refuse(ruleRemovedMarked, "What is marked as deleted is not synchronized (VN 261624215). Restore it on the "+
		"source, or take it out of the declaration.",
		"%s is marked as deleted on %s", at, f.Facts.Source.Addr)
}

// holds lists what a category brings now. Later it also brings what is put into it.
func (f *finder) holds(at string, s *Standing) {
	var all []string
	revisions, come := 0, 0
	for i := range s.Resources {
		r := &s.Resources[i]
		all = append(all, r.Name)
		revisions += r.Source.Revisions
		if !r.Target.Exists {
			come++
		}
	}
	summary := fmt.Sprintf("%s of %s holds nothing now", at, f.Facts.Source.Addr)
	if len(all) > 0 {
		summary = fmt.Sprintf("%s of %s holds %s now (%s): %s", at, f.Facts.Source.Addr, wording.Plural(len(all),
			"resource"), wording.Plural(revisions, "revision"), wording.List(all))
	}
	detail := fmt.Sprintf("%d of them are not on %s yet and will come.", come, f.Facts.Target.Addr)
	if come == 0 {
		detail = "None of them is new to " + f.Facts.Target.Addr + "."
	}
	f.add(ruleHolds, planner.Note, s.Op, summary, detail+" What is put into the category later comes too.")
}

// resources is about whether each resource can be read, and whether the target has something else in its place.
func (f *finder) resources() {
	src, tgt := f.Facts.Source.Addr, f.Facts.Target.Addr
	for _, r := range f.Facts.Resources() {
		what := fmt.Sprintf("resource %q (%s)", r.Name, r.ID)
		if !r.Readable {
			f.refuse(ruleReadable,
				"Give the user Read Resources on it, for instance with the role Resource Reviewer ("+WizardPage+").",
				"user %s may not read %s of %s", f.Facts.Source.User, what, src)
		}
		for _, c := range r.Taken {
			f.taken(what, r, c)
		}
		switch {
		case r.Target.Removed:
			f.refuse(ruleTaken, "The product checks the resource id against what is marked as deleted too. Remove it there "+
				"for good with Data Manager, or restore it.",
				"%s has %s already, marked as deleted", tgt, what)
		case r.Target.Exists && r.Diff.State == revision.Differs:
			f.refuse(ruleNotACopy, "Its history is not that of the source, so it cannot be a copy of it: was it edited "+
				"there? Where a server changes what it copies in this field, leave the field out of verify { compare }.",
				"%s on %s is not a copy of that on %s: %s", what, tgt, src, r.Diff.Difference)
		}
		f.unknownParts(what, r)
	}
	f.unknownProjects()
}

// unknownProjects is about project IDs that a server does not show, so that it is unknown whether they are unique.
func (f *finder) unknownProjects() {
	var unknown []string
	for _, r := range f.Facts.Resources() {
		if r.ProjectID == "" {
			unknown = append(unknown, r.Name)
		}
	}
	if len(unknown) == 0 {
		return
	}
	f.add(ruleUnknownProject, planner.Note, "", fmt.Sprintf("%s does not give the project id of %s: %s",
		f.Facts.Source.Addr,
		wording.Plural(len(unknown), "resource"), wording.QuotedList(unknown)),
		fmt.Sprintf("Whether %s has another resource with the same project id was not compared; their names were.",
			f.Facts.Target.Addr))
}

// unknownParts is about parts that cannot be compared, because the servers do not show them. Nothing is removed then.
func (f *finder) unknownParts(what string, r *survey.Resource) {
	why := r.Diff.Unknown
	if missing := slices.DeleteFunc(slices.Clone(r.Source.Unknown), func(p revision.Part) bool {
		return !slices.Contains(f.Sync.Parts(), p)
	}); why == "" && len(missing) > 0 {
		why = fmt.Sprintf("%s does not give%s of each revision", f.Facts.Source.Addr,
			strings.TrimPrefix(revision.List(missing), ","))
	}
	if why == "" {
		return
	}
	severity := planner.Warn
	if f.owner != f.Sync.Address() {
		severity = planner.Refuse
	}
	f.add(ruleUnknownHistory, severity, "", fmt.Sprintf("%s cannot be compared completely: %s", what, why),
		fmt.Sprintf("To accept the copies without comparing that, leave it out of verify { compare } of %s.", f.Sync.Addr()))
}

func (f *finder) taken(what string, r *survey.Resource, c survey.Collision) {
	value := r.Name
	if c.By == "project id" {
		value = r.ProjectID
	}
	if c.Within {
		f.refuse(ruleTaken,
			"The product checks that project id, resource id and project name are unique on the target ("+SyncPage+"). "+
				"Take one of the two out of the declaration, or rename it.",
			"%s and %q (%s), which is selected too, have the same %s %q", what, c.Name, c.ID, c.By, value)
		return
	}
	marked := ""
	if c.Removed {
		marked = ", marked as deleted"
	}
	f.refuse(ruleTaken, "The product checks that project id, resource id and project name are unique on the target, "+
		"also against what is marked as deleted ("+SyncPage+"). Rename or remove one of the two.",
		"%s cannot be synchronized: %s has another one, %q (%s%s), with the same %s %q", what, f.Facts.Target.Addr,
		c.Name, c.ID, marked, c.By, value)
}
