package backbonesim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// editor gets who works on an issue: the user value, or the first administrator.
func (s *server) editor(v map[string]string) (string, error) {
	if name := v["user"]; name != "" {
		if s.user(name) == nil {
			return "", fmt.Errorf("there is no user %q on %s", name, s.name)
		}
		return name, nil
	}
	if a := s.admin(); a != nil {
		return a.name, nil
	}
	return "", fmt.Errorf("%s has no administrator; say which user", s.name)
}

func (s *server) edited(v map[string]string) (*project, *issue, string, error) {
	i := s.issue(v["issue"])
	if i == nil {
		return nil, nil, "", fmt.Errorf("there is no issue %q on %s", v["issue"], s.name)
	}
	who, err := s.editor(v)
	return s.projects[projectOf(i.key)], i, who, err
}

func (w *World) editIssue(s *server, v map[string]string) (string, error) {
	p, i, who, err := s.edited(v)
	if err != nil {
		return "", err
	}
	i.fields[v["field"]] = v["value"]
	p.changedBy(i, change{at: w.stamp(), user: who, field: v["field"]})
	return fmt.Sprintf("%s: %s set to %q", i.key, v["field"], v["value"]), nil
}

func (w *World) addComment(s *server, v map[string]string) (string, error) {
	p, i, who, err := s.edited(v)
	if err != nil {
		return "", err
	}
	at := w.stamp()
	c := &comment{id: next(&s.ids.comment), author: who, body: v["body"], created: at}
	i.comments = append(i.comments, c)
	p.changedBy(i, change{at: at, user: who})
	return fmt.Sprintf("%s: comment %s added", i.key, c.id), nil
}

func (w *World) addAttachment(s *server, v map[string]string) (string, error) {
	p, i, who, err := s.edited(v)
	if err != nil {
		return "", err
	}
	at := w.stamp()
	a := &attachment{id: next(&s.ids.attachment), filename: v["filename"], size: 1024, author: who, created: at}
	i.attachments = append(i.attachments, a)
	p.changedBy(i, change{at: at, user: who, attachment: a.id})
	return fmt.Sprintf("%s: %s attached", i.key, a.filename), nil
}

func (w *World) createIssue(s *server, v map[string]string) (string, error) {
	p := s.projects[v["project"]]
	if p == nil {
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.name)
	}
	typ := v["type"]
	if err := seed.OneOf("type", &typ, p.issueTypes...); err != nil {
		return "", err
	}
	who, err := s.editor(v)
	if err != nil {
		return "", err
	}
	if v["summary"] == "" {
		return "", fmt.Errorf("summary is required")
	}
	at := w.stamp()
	i := &issue{
		id: next(&s.ids.issue), key: p.key + "-" + strconv.Itoa(p.next), typ: typ, created: at, panels: map[string]*panel{},
		fields: map[string]string{"summary": v["summary"], "status": "Open", "reporter": who},
	}
	p.add(i)
	p.changedBy(i, change{at: at, user: who, field: "created"})
	return i.key + " created", nil
}

// moveProject is what the Jira Cloud Migration Assistant does: keys stay, the ids of issues, comments and attachments
// change (confluence.atlassian.com/migrationkb, page 1388159626), and app data such as the sync info panel is left
// behind. ASSUMED: users come along by their email.
func (w *World) moveProject(s *server, v map[string]string) (string, error) {
	to, err := w.find(v["cloud_server"])
	if err != nil {
		return "", err
	}
	p := s.projects[v["project"]]
	switch {
	case !to.cloud || s.cloud:
		return "", fmt.Errorf("a project moves from a Data Center to a cloud site, not from %s to %s", s.name, to.name)
	case p == nil:
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.name)
	case to.projects[p.key] != nil:
		return "", fmt.Errorf("%s has a project %s already", to.name, p.key)
	}
	q := to.newProject(p.key, p.name, slices.Clone(p.issueTypes))
	for _, i := range p.issues {
		q.add(i.moved(s, to))
	}
	q.next, q.changed = p.next, p.changed
	return fmt.Sprintf("moved project %s with %d issues from %s to %s", p.key, len(p.issues), s.name, to.name), nil
}

func (i *issue) moved(from, to *server) *issue {
	n := &issue{
		id: next(&to.ids.issue), key: i.key, typ: i.typ, fields: maps.Clone(i.fields), created: i.created, updated: i.updated,
		panels: map[string]*panel{},
	}
	for _, name := range []string{"assignee", "reporter"} {
		if n.fields[name] != "" {
			n.fields[name] = to.migrated(from, n.fields[name])
		}
	}
	for _, c := range i.comments {
		n.comments = append(n.comments, &comment{
			id: next(&to.ids.comment), author: to.migrated(from, c.author), body: c.body, created: c.created,
		})
	}
	files := map[string]string{}
	for _, a := range i.attachments {
		files[a.id] = next(&to.ids.attachment)
		n.attachments = append(n.attachments, &attachment{
			id: files[a.id], filename: a.filename, author: to.migrated(from, a.author), size: a.size, created: a.created,
		})
	}
	for _, c := range i.changes {
		n.changes = append(n.changes, change{
			at: c.at, user: to.migrated(from, c.user), field: c.field, attachment: files[c.attachment],
		})
	}
	return n
}

// migrated gives the account of a Data Center user on the cloud site, a new one if need be.
func (s *server) migrated(from *server, name string) string {
	old := from.user(name)
	if old == nil {
		return name
	}
	if u := s.userByEmail(old.email); u != nil {
		return u.name
	}
	id := "migrated:" + from.name + ":" + name
	if s.user(id) == nil {
		s.users = append(s.users, &user{name: id, display: old.display, email: old.email, permission: noPermission})
	}
	return id
}
