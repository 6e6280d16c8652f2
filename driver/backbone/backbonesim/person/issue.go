package person

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// editor returns who works on an issue: the user in the values, or the first administrator.
func editor(s *state.Server, v map[string]string) (string, error) {
	if name := v["user"]; name != "" {
		if s.User(name) == nil {
			return "", fmt.Errorf("there is no user %q on %s", name, s.Name)
		}
		return name, nil
	}
	if a := s.Admin(); a != nil {
		return a.Name, nil
	}
	return "", fmt.Errorf("%s has no administrator; say which user", s.Name)
}

func edited(s *state.Server, v map[string]string) (*state.Project, *state.Issue, string, error) {
	i := s.Issue(v["issue"])
	if i == nil {
		return nil, nil, "", fmt.Errorf("there is no issue %q on %s", v["issue"], s.Name)
	}
	who, err := editor(s, v)
	return s.Projects[state.ProjectOf(i.Key)], i, who, err
}

func editIssue(w *state.World, s *state.Server, v map[string]string) (string, error) {
	p, i, who, err := edited(s, v)
	if err != nil {
		return "", err
	}
	i.Fields[v["field"]] = v["value"]
	p.ChangedBy(i, state.Change{At: w.Stamp(), User: who, Field: v["field"]})
	return fmt.Sprintf("%s: %s set to %q", i.Key, v["field"], v["value"]), nil
}

func addComment(w *state.World, s *state.Server, v map[string]string) (string, error) {
	p, i, who, err := edited(s, v)
	if err != nil {
		return "", err
	}
	at := w.Stamp()
	c := &state.Comment{ID: state.Next(&s.IDs.Comment), Author: who, Body: v["body"], Created: at}
	i.Comments = append(i.Comments, c)
	p.ChangedBy(i, state.Change{At: at, User: who})
	return fmt.Sprintf("%s: comment %s added", i.Key, c.ID), nil
}

func addAttachment(w *state.World, s *state.Server, v map[string]string) (string, error) {
	p, i, who, err := edited(s, v)
	if err != nil {
		return "", err
	}
	at := w.Stamp()
	a := &state.Attachment{ID: state.Next(&s.IDs.Attachment), Filename: v["filename"], Size: 1024, Author: who,
		Created: at}
	i.Attachments = append(i.Attachments, a)
	p.ChangedBy(i, state.Change{At: at, User: who, Attachment: a.ID})
	return fmt.Sprintf("%s: %s attached", i.Key, a.Filename), nil
}

func createIssue(w *state.World, s *state.Server, v map[string]string) (string, error) {
	p := s.Projects[v["project"]]
	if p == nil {
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.Name)
	}
	typ := v["type"]
	if err := seed.OneOf("type", &typ, p.IssueTypes...); err != nil {
		return "", err
	}
	who, err := editor(s, v)
	if err != nil {
		return "", err
	}
	if v["summary"] == "" {
		return "", fmt.Errorf("summary is required")
	}
	at := w.Stamp()
	i := &state.Issue{
		ID: state.Next(&s.IDs.Issue), Key: p.Key + "-" + strconv.Itoa(p.Next), Typ: typ, Created: at,
		Panels: map[string]*state.Panel{},
		Fields: map[string]string{"summary": v["summary"], "status": "Open", "reporter": who},
	}
	p.Add(i)
	p.ChangedBy(i, state.Change{At: at, User: who, Field: "created"})
	return i.Key + " created", nil
}

// moveProject does what the Jira Cloud Migration Assistant does. Keys stay. The ids of issues, comments and
// attachments change (confluence.atlassian.com/migrationkb, page 1388159626), and app data such as the sync info
// panel does not move. ASSUMED: users are matched by their email.
func moveProject(w *state.World, s *state.Server, v map[string]string) (string, error) {
	to, err := find(w, v["cloud_server"])
	if err != nil {
		return "", err
	}
	p := s.Projects[v["project"]]
	switch {
	case !to.Cloud || s.Cloud:
		return "", fmt.Errorf("a project moves from a Data Center to a cloud site, not from %s to %s", s.Name, to.Name)
	case p == nil:
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.Name)
	case to.Projects[p.Key] != nil:
		return "", fmt.Errorf("%s has a project %s already", to.Name, p.Key)
	}
	q := to.NewProject(p.Key, p.Name, slices.Clone(p.IssueTypes))
	for _, i := range p.Issues {
		q.Add(moved(i, s, to))
	}
	q.Next, q.Changed = p.Next, p.Changed
	return fmt.Sprintf("moved project %s with %d issues from %s to %s", p.Key, len(p.Issues), s.Name, to.Name), nil
}

func moved(i *state.Issue, from, to *state.Server) *state.Issue {
	n := &state.Issue{
		ID: state.Next(&to.IDs.Issue), Key: i.Key, Typ: i.Typ, Fields: maps.Clone(i.Fields), Created: i.Created,
		Updated: i.Updated,
		Panels:  map[string]*state.Panel{},
	}
	for _, name := range []string{"assignee", "reporter"} {
		if n.Fields[name] != "" {
			n.Fields[name] = migrated(to, from, n.Fields[name])
		}
	}
	for _, c := range i.Comments {
		n.Comments = append(n.Comments, &state.Comment{
			ID: state.Next(&to.IDs.Comment), Author: migrated(to, from, c.Author), Body: c.Body, Created: c.Created,
		})
	}
	files := map[string]string{}
	for _, a := range i.Attachments {
		files[a.ID] = state.Next(&to.IDs.Attachment)
		n.Attachments = append(n.Attachments, &state.Attachment{
			ID: files[a.ID], Filename: a.Filename, Author: migrated(to, from, a.Author), Size: a.Size, Created: a.Created,
		})
	}
	for _, c := range i.Changes {
		n.Changes = append(n.Changes, state.Change{
			At: c.At, User: migrated(to, from, c.User), Field: c.Field, Attachment: files[c.Attachment],
		})
	}
	return n
}

// migrated returns the account of a Data Center user on the cloud site, a new one if necessary.
func migrated(s *state.Server, from *state.Server, name string) string {
	old := from.User(name)
	if old == nil {
		return name
	}
	if u := s.UserByEmail(old.Email); u != nil {
		return u.Name
	}
	id := "migrated:" + from.Name + ":" + name
	if s.User(id) == nil {
		s.AddUser(&state.User{Name: id, Display: old.Display, Email: old.Email,
			Permission: state.NoPermission})
	}
	return id
}
