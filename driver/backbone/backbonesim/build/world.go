// Package build makes a world from its seed. It is strict: an error in the seed is reported with its place.
package build

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// World makes a World from a seed. The package comment of backbonesim describes the seed. Errors in its JSON name the
// line and column, other errors name the member.
func World(data []byte) (*state.World, error) {
	var in seedWorld
	if err := seed.Decode(data, &in); err != nil {
		return nil, fmt.Errorf("read the seed of backbonesim: %w", err)
	}
	w := &state.World{Named: map[string]*state.Server{}, Assumed: in.AssumedMembers == nil || *in.AssumedMembers,
		Batch: in.MessagesPerTick}
	if err := build(w, &in); err != nil {
		return nil, fmt.Errorf("read the seed of backbonesim: %w", err)
	}
	return w, nil
}

func build(w *state.World, in *seedWorld) error {
	switch in.Dates {
	case "", "plain":
		w.Layout = "2006-01-02T15:04:05-0700"
	case "colon":
		w.Layout = "2006-01-02T15:04:05-07:00"
	default:
		return fmt.Errorf("dates: %q is neither plain nor colon", in.Dates)
	}
	if w.Batch < 0 {
		return errors.New("messages_per_tick: less than 0")
	}
	if w.Batch == 0 {
		w.Batch = 50
	}
	now, err := seed.Instant(in.Now, time.Date(2020, 11, 6, 12, 0, 0, 0, time.UTC))
	if err != nil {
		return fmt.Errorf("now: %w", err)
	}
	w.Now = now
	if len(in.Servers) == 0 {
		return errors.New("servers: there is none")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Servers)) {
		if in.Servers[name] == nil {
			return fmt.Errorf("servers.%s: is null", name)
		}
		s, err := buildServer(w, name, in.Servers[name])
		if err != nil {
			return fmt.Errorf("servers.%s: %w", name, err)
		}
		w.Named[name] = s
	}
	left := maxItems
	for n, one := range in.Syncs {
		if one == nil {
			return fmt.Errorf("syncs[%d]: is null", n)
		}
		if one.Generate != nil {
			if left -= one.Generate.items(); left < 0 {
				return fmt.Errorf("syncs[%d]: generate: all together have more than %d issues, comments and attachments", n,
					maxItems)
			}
		}
		if err := buildSync(w, one, rand.New(rand.NewPCG(in.Random, uint64(n)))); err != nil {
			return fmt.Errorf("syncs[%d]: %w", n, err)
		}
	}
	return nil
}

var contextPath = lazyregexp.New(`^(/[A-Za-z0-9._-]+)*$`)

func buildServer(w *state.World, name string, in *seedServer) (*state.Server, error) {
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
	s := &state.Server{
		Name: name, ContextPath: in.ContextPath, URL: in.ContextPath, Cloud: in.Deployment == "cloud",
		Backbone: in.BackboneVersion, Jira: in.JiraVersion, Verbs: in.Verbs, RequireXSRF: in.RequireXSRF,
		StatusInLists: in.StatusInLists == nil || *in.StatusInLists, SearchPage: in.SearchPage,
		StatusEnum:   in.StatusWords == "enum",
		RefuseRepeat: in.Repeat == "refuse", RefuseAdmins: in.ProjectAdmins == "refused",
		SyncUser: in.SyncUser, Env: in.Env, Projects: map[string]*state.Project{},
		IDs: state.Counters{Issue: 10000, Comment: 10000, Attachment: 10000},
	}
	if s.Cloud {
		s.IDs = state.Counters{Issue: 20000, Comment: 20000, Attachment: 20000}
	}
	if s.Cloud && s.Backbone != "" {
		return nil, errors.New("backbone_version: the Backbone of a cloud site has no REST interface to simulate; " +
			"leave it out")
	}
	if s.Jira == "" {
		s.Jira = map[bool]string{false: "9.12.2", true: "1001.0.0-SNAPSHOT"}[s.Cloud]
	}
	for _, v := range in.Verbs {
		if v != "PUT" && v != "POST" {
			return nil, fmt.Errorf("verbs: %q is neither PUT nor POST", v)
		}
	}
	if len(s.Verbs) == 0 {
		s.Verbs = state.Verbs(s.Backbone)
	}
	if err := buildUsers(s, in); err != nil {
		return nil, err
	}
	for n, p := range in.Projects {
		if p == nil {
			return nil, fmt.Errorf("projects[%d]: is null", n)
		}
		if err := buildProject(w, s, p); err != nil {
			return nil, fmt.Errorf("projects[%d]: %w", n, err)
		}
	}
	return s, nil
}

func buildUsers(s *state.Server, in *seedServer) error {
	for n, u := range in.Users {
		if u == nil || u.Name == "" {
			return fmt.Errorf("users[%d]: needs a name", n)
		}
		if s.User(u.Name) != nil {
			return fmt.Errorf("users[%d]: %s appears twice", n, u.Name)
		}
		if err := seed.OneOf("permission", &u.Permission, state.NoPermission, state.ProjectAdmin,
			state.SystemAdmin); err != nil {
			return fmt.Errorf("users[%d]: %w", n, err)
		}
		if s.Cloud && u.Password != "" {
			return fmt.Errorf("users[%d]: a cloud site takes no passwords, only tokens", n)
		}
		if u.DisplayName == "" {
			u.DisplayName = u.Name
		}
		s.AddUser(&state.User{
			Name: u.Name, Display: u.DisplayName, Email: u.Email, Password: u.Password, Token: u.Token, Hidden: u.EmailHidden,
			Permission: u.Permission, Projects: u.Projects,
		})
	}
	if s.SyncUser != "" && s.User(s.SyncUser) == nil {
		return fmt.Errorf("sync_user: there is no user %s", s.SyncUser)
	}
	if s.Env != nil {
		if a := s.Admin(); s.Env.Account == "" && a != nil {
			s.Env.Account = a.Name
		}
		if s.User(s.Env.Account) == nil {
			return fmt.Errorf("env: there is no user %q whose credentials could be given", s.Env.Account)
		}
	}
	return nil
}

var projectKey = lazyregexp.New(`^[A-Z][A-Z0-9_]{1,31}$`)

func buildProject(w *state.World, s *state.Server, in *seedProject) error {
	if !projectKey.MatchString(in.Key) {
		return fmt.Errorf("key: %q is not like ABC", in.Key)
	}
	if s.Projects[in.Key] != nil {
		return fmt.Errorf("%s appears twice", in.Key)
	}
	if in.Next < 0 || in.Next > 1_000_000_000 {
		return errors.New("next: out of range")
	}
	types := in.IssueTypes
	if len(types) == 0 {
		types = []string{"Bug", "Task", "Epic"}
	}
	p := s.NewProject(in.Key, in.Name, types)
	p.Next = max(1, in.Next)
	for n, one := range in.Issues {
		if one == nil {
			return fmt.Errorf("issues[%d]: is null", n)
		}
		i, err := buildIssue(w, s, p, one)
		if err != nil {
			return fmt.Errorf("issues[%d]: %w", n, err)
		}
		p.Add(i)
	}
	return nil
}

var issueNumber = lazyregexp.New(`^[1-9][0-9]{0,8}$`)

func buildIssue(w *state.World, s *state.Server, p *state.Project, in *seedIssue) (*state.Issue, error) {
	if n, ok := strings.CutPrefix(in.Key, p.Key+"-"); !ok || !issueNumber.MatchString(n) {
		return nil, fmt.Errorf("key: %q is not an issue of %s", in.Key, p.Key)
	}
	if p.ByKey[in.Key] != nil {
		return nil, fmt.Errorf("%s appears twice", in.Key)
	}
	if in.Summary == "" {
		return nil, fmt.Errorf("%s: needs a summary", in.Key)
	}
	if err := seed.OneOf("type", &in.Type, p.IssueTypes...); err != nil {
		return nil, err
	}
	if in.Status == "" {
		in.Status = "Open"
	}
	created, err := seed.Instant(in.Created, w.Now.Add(-30*24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("created: %w", err)
	}
	updated, err := seed.Instant(in.Updated, created)
	if err != nil {
		return nil, fmt.Errorf("updated: %w", err)
	}
	i := &state.Issue{
		ID: in.ID, Key: in.Key, Typ: in.Type, Created: created.UnixMilli(), Updated: updated.UnixMilli(),
		Fields: maps.Clone(in.Fields), Panels: map[string]*state.Panel{},
	}
	if i.Fields == nil {
		i.Fields = map[string]string{}
	}
	for name, value := range map[string]string{
		"summary": in.Summary, "status": in.Status, "description": in.Description, "priority": in.Priority,
		"assignee": in.Assignee, "reporter": in.Reporter,
	} {
		if value != "" {
			i.Fields[name] = value
		}
	}
	state.Taken(&s.IDs.Issue, i.ID)
	if i.ID == "" {
		i.ID = state.Next(&s.IDs.Issue)
	}
	return i, buildIssueParts(s, i, in)
}

func buildIssueParts(s *state.Server, i *state.Issue, in *seedIssue) error {
	for n, c := range in.Comments {
		if c == nil {
			return fmt.Errorf("comments[%d]: is null", n)
		}
		at, err := seed.Instant(c.Created, time.UnixMilli(i.Updated))
		if err != nil {
			return fmt.Errorf("comments[%d]: %w", n, err)
		}
		state.Taken(&s.IDs.Comment, c.ID)
		if c.ID == "" {
			c.ID = state.Next(&s.IDs.Comment)
		}
		i.Comments = append(i.Comments, &state.Comment{ID: c.ID, Author: c.Author, Body: c.Body, Created: at.UnixMilli()})
	}
	for n, a := range in.Attachments {
		if a == nil {
			return fmt.Errorf("attachments[%d]: is null", n)
		}
		at, err := seed.Instant(a.Created, time.UnixMilli(i.Updated))
		if err != nil {
			return fmt.Errorf("attachments[%d]: %w", n, err)
		}
		state.Taken(&s.IDs.Attachment, a.ID)
		if a.ID == "" {
			a.ID = state.Next(&s.IDs.Attachment)
		}
		i.Attachments = append(i.Attachments, &state.Attachment{
			ID: a.ID, Filename: a.Filename, Author: a.Author, Size: a.Size, Created: at.UnixMilli(),
		})
	}
	return nil
}
