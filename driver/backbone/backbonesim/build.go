package backbonesim

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// Open makes a World from a seed; doc.go describes it. Errors in its JSON name line and column, others the member.
func Open(data []byte) (*World, error) {
	var in seedWorld
	if err := seed.Decode(data, &in); err != nil {
		return nil, fmt.Errorf("read the seed of backbonesim: %w", err)
	}
	w := &World{servers: map[string]*server{}, assumed: in.AssumedMembers == nil || *in.AssumedMembers, batch: in.MessagesPerTick}
	if err := w.build(&in); err != nil {
		return nil, fmt.Errorf("read the seed of backbonesim: %w", err)
	}
	return w, nil
}

func (w *World) build(in *seedWorld) error {
	switch in.Dates {
	case "", "plain":
		w.layout = "2006-01-02T15:04:05-0700"
	case "colon":
		w.layout = "2006-01-02T15:04:05-07:00"
	default:
		return fmt.Errorf("dates: %q is neither plain nor colon", in.Dates)
	}
	if w.batch < 0 {
		return errors.New("messages_per_tick: less than 0")
	}
	if w.batch == 0 {
		w.batch = 50
	}
	now, err := seed.Instant(in.Now, time.Date(2020, 11, 6, 12, 0, 0, 0, time.UTC))
	if err != nil {
		return fmt.Errorf("now: %w", err)
	}
	w.now = now
	if len(in.Servers) == 0 {
		return errors.New("servers: there is none")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Servers)) {
		if in.Servers[name] == nil {
			return fmt.Errorf("servers.%s: is null", name)
		}
		s, err := w.buildServer(name, in.Servers[name])
		if err != nil {
			return fmt.Errorf("servers.%s: %w", name, err)
		}
		w.servers[name] = s
	}
	for n, one := range in.Syncs {
		if one == nil {
			return fmt.Errorf("syncs[%d]: is null", n)
		}
		if err := w.buildSync(one, rand.New(rand.NewPCG(in.Random, uint64(n)))); err != nil {
			return fmt.Errorf("syncs[%d]: %w", n, err)
		}
	}
	return nil
}

var contextPath = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)*$`)

func (w *World) buildServer(name string, in *seedServer) (*server, error) {
	if name == "" || strings.ContainsAny(name, "/ ") {
		return nil, errors.New("a server's name has no slash and no blank")
	}
	for _, err := range []error{
		seed.OneOf("deployment", &in.Deployment, "data_center", "cloud"),
		seed.OneOf("status_words", &in.StatusWords, "words", "enum"),
		seed.OneOf("repeat", &in.Repeat, "accept", "refuse"),
		seed.OneOf("project_admins", &in.ProjectAdmins, "allowed", "refused"),
	} {
		if err != nil {
			return nil, err
		}
	}
	if !contextPath.MatchString(in.ContextPath) {
		return nil, fmt.Errorf("context_path: %q is not like /jira", in.ContextPath)
	}
	s := &server{
		name: name, contextPath: in.ContextPath, url: in.ContextPath, cloud: in.Deployment == "cloud",
		backbone: in.BackboneVersion, jira: in.JiraVersion, verbs: in.Verbs, requireXSRF: in.RequireXSRF,
		statusInLists: in.StatusInLists == nil || *in.StatusInLists, statusEnum: in.StatusWords == "enum",
		refuseRepeat: in.Repeat == "refuse", refuseAdmins: in.ProjectAdmins == "refused",
		syncUser: in.SyncUser, env: in.Env, projects: map[string]*project{},
		ids: counters{issue: 10000, comment: 10000, attachment: 10000},
	}
	if s.cloud {
		s.ids = counters{issue: 20000, comment: 20000, attachment: 20000}
	}
	if s.cloud && s.backbone != "" {
		return nil, errors.New("backbone_version: the Backbone of a cloud site has no REST interface to simulate; leave it out")
	}
	if s.jira == "" {
		s.jira = map[bool]string{false: "9.12.2", true: "1001.0.0-SNAPSHOT"}[s.cloud]
	}
	for _, v := range in.Verbs {
		if v != "PUT" && v != "POST" {
			return nil, fmt.Errorf("verbs: %q is neither PUT nor POST", v)
		}
	}
	if len(s.verbs) == 0 {
		s.verbs = verbs(s.backbone)
	}
	if err := s.buildUsers(in); err != nil {
		return nil, err
	}
	for n, p := range in.Projects {
		if p == nil {
			return nil, fmt.Errorf("projects[%d]: is null", n)
		}
		if err := w.buildProject(s, p); err != nil {
			return nil, fmt.Errorf("projects[%d]: %w", n, err)
		}
	}
	return s, nil
}

func (s *server) buildUsers(in *seedServer) error {
	for n, u := range in.Users {
		if u == nil || u.Name == "" {
			return fmt.Errorf("users[%d]: needs a name", n)
		}
		if s.user(u.Name) != nil {
			return fmt.Errorf("users[%d]: %s is there twice", n, u.Name)
		}
		if err := seed.OneOf("permission", &u.Permission, noPermission, projectAdmin, systemAdmin); err != nil {
			return fmt.Errorf("users[%d]: %w", n, err)
		}
		if s.cloud && u.Password != "" {
			return fmt.Errorf("users[%d]: a cloud site takes no passwords, only tokens", n)
		}
		if u.DisplayName == "" {
			u.DisplayName = u.Name
		}
		s.users = append(s.users, &user{
			name: u.Name, display: u.DisplayName, email: u.Email, password: u.Password, token: u.Token, hidden: u.EmailHidden,
			permission: u.Permission, projects: u.Projects,
		})
	}
	if s.syncUser != "" && s.user(s.syncUser) == nil {
		return fmt.Errorf("sync_user: there is no user %s", s.syncUser)
	}
	if s.env != nil {
		if a := s.admin(); s.env.Account == "" && a != nil {
			s.env.Account = a.name
		}
		if s.user(s.env.Account) == nil {
			return fmt.Errorf("env: there is no user %q whose credentials could be given", s.env.Account)
		}
	}
	return nil
}

var projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,31}$`)

func (w *World) buildProject(s *server, in *seedProject) error {
	if !projectKey.MatchString(in.Key) {
		return fmt.Errorf("key: %q is not like ABC", in.Key)
	}
	if s.projects[in.Key] != nil {
		return fmt.Errorf("%s is there twice", in.Key)
	}
	if in.Next < 0 || in.Next > 1_000_000_000 {
		return errors.New("next: out of range")
	}
	types := in.IssueTypes
	if len(types) == 0 {
		types = []string{"Bug", "Task", "Epic"}
	}
	p := s.newProject(in.Key, in.Name, types)
	p.next = max(1, in.Next)
	for n, one := range in.Issues {
		if one == nil {
			return fmt.Errorf("issues[%d]: is null", n)
		}
		i, err := w.buildIssue(s, p, one)
		if err != nil {
			return fmt.Errorf("issues[%d]: %w", n, err)
		}
		p.add(i)
	}
	return nil
}

func (s *server) newProject(key, name string, types []string) *project {
	if name == "" {
		name = key
	}
	p := &project{id: fmt.Sprint(10100 + len(s.projects)), key: key, name: name, issueTypes: types, byKey: map[string]*issue{}, next: 1}
	s.projects[key] = p
	return p
}

var issueNumber = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)

func (w *World) buildIssue(s *server, p *project, in *seedIssue) (*issue, error) {
	if n, ok := strings.CutPrefix(in.Key, p.key+"-"); !ok || !issueNumber.MatchString(n) {
		return nil, fmt.Errorf("key: %q is no issue of %s", in.Key, p.key)
	}
	if p.byKey[in.Key] != nil {
		return nil, fmt.Errorf("%s is there twice", in.Key)
	}
	if in.Summary == "" {
		return nil, fmt.Errorf("%s: needs a summary", in.Key)
	}
	if err := seed.OneOf("type", &in.Type, p.issueTypes...); err != nil {
		return nil, err
	}
	if in.Status == "" {
		in.Status = "Open"
	}
	created, err := seed.Instant(in.Created, w.now.Add(-30*24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("created: %w", err)
	}
	updated, err := seed.Instant(in.Updated, created)
	if err != nil {
		return nil, fmt.Errorf("updated: %w", err)
	}
	i := &issue{
		id: in.ID, key: in.Key, typ: in.Type, created: created.UnixMilli(), updated: updated.UnixMilli(),
		fields: maps.Clone(in.Fields), panels: map[string]*panel{},
	}
	if i.fields == nil {
		i.fields = map[string]string{}
	}
	for name, value := range map[string]string{
		"summary": in.Summary, "status": in.Status, "description": in.Description, "priority": in.Priority,
		"assignee": in.Assignee, "reporter": in.Reporter,
	} {
		if value != "" {
			i.fields[name] = value
		}
	}
	taken(&s.ids.issue, i.id)
	if i.id == "" {
		i.id = next(&s.ids.issue)
	}
	return i, w.buildIssueParts(s, i, in)
}

func (w *World) buildIssueParts(s *server, i *issue, in *seedIssue) error {
	for n, c := range in.Comments {
		if c == nil {
			return fmt.Errorf("comments[%d]: is null", n)
		}
		at, err := seed.Instant(c.Created, time.UnixMilli(i.updated))
		if err != nil {
			return fmt.Errorf("comments[%d]: %w", n, err)
		}
		taken(&s.ids.comment, c.ID)
		if c.ID == "" {
			c.ID = next(&s.ids.comment)
		}
		i.comments = append(i.comments, &comment{id: c.ID, author: c.Author, body: c.Body, created: at.UnixMilli()})
	}
	for n, a := range in.Attachments {
		if a == nil {
			return fmt.Errorf("attachments[%d]: is null", n)
		}
		at, err := seed.Instant(a.Created, time.UnixMilli(i.updated))
		if err != nil {
			return fmt.Errorf("attachments[%d]: %w", n, err)
		}
		taken(&s.ids.attachment, a.ID)
		if a.ID == "" {
			a.ID = next(&s.ids.attachment)
		}
		i.attachments = append(i.attachments, &attachment{
			id: a.ID, filename: a.Filename, author: a.Author, size: a.Size, created: at.UnixMilli(),
		})
	}
	return nil
}
