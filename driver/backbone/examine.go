package backbone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Doctor = (*Driver)(nil)

// Examine checks whether a Jira answers, which user it takes the credentials for, and whether that user may use
// Backbone in each project that a synchronization needs. No interface shows the version of Backbone.
func (d *Driver) Examine(ctx context.Context, r *schema.Resource, users []*schema.Resource) []driver.Examination {
	server, err := declared(declare.Decode[serverBlock], r)
	var c *reader
	if err == nil {
		c, err = d.reader(server)
	}
	if err != nil {
		return []driver.Examination{{
			What: driver.WhatReached, State: driver.Fail, Seen: wording.OneLine(err.Error()),
			Advice: "Correct its declaration.",
		}}
	}
	now := d.env.Now
	if now == nil {
		now = time.Now
	}
	name, err := c.myself(ctx)
	found := driver.ExamineEndpoint(ctx, c.rest.Endpoint(), server.URL.String(), err, now())
	if c.rest.Endpoint() == nil || errors.Is(err, rest.ErrAddress) {
		return found
	}
	found = append(found, examined(driver.WhatCredentials, "accepted, as "+name, err,
		"Check user, and password or token."))
	if err != nil {
		return found
	}
	version, err := c.jiraVersion(ctx)
	found = append(found, examined(whatVersion, version, err, "Look at it in the administration of Jira."))
	for _, key := range projectsOf(users, server) {
		found = append(found, c.examineProject(ctx, key))
	}
	return found
}

// examined returns the result of an examination by one request. A refusal is a failure; any other error leaves the
// answer unknown.
func examined(what, seen string, err error, advice string) driver.Examination {
	x := driver.Examination{What: what, State: driver.OK, Seen: wording.OneLine(seen)}
	if err == nil {
		return x
	}
	x.State, x.Seen, x.Advice = driver.Unknown, wording.OneLine(err.Error()), advice
	if rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound) {
		x.State = driver.Fail
	}
	return x
}

// projectsOf returns the keys of the projects on a server that the given declarations synchronize, sorted.
func projectsOf(users []*schema.Resource, server *serverBlock) []string {
	var keys []string
	for _, user := range users {
		if user.Addr.Kind != schema.Sync {
			continue
		}
		s, diags := decodeSync(user)
		if diags.HasErrors() {
			continue // planning reports it, at its line
		}
		for _, e := range []*end{s.one, s.two} {
			if e.server.Addr() == server.Addr() {
				keys = append(keys, e.Project)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// examineProject asks for the synchronizations of a project. Backbone shows them only to administrators of the
// project. In the cloud Backbone has no documented interface, so only the project is asked for, which may not exist
// yet: it moves there during the migration.
func (c *reader) examineProject(ctx context.Context, key string) driver.Examination {
	what := whatProject + " " + key
	if c.cloud() {
		found, err := c.hasProject(ctx, key)
		if err == nil && !found {
			return driver.Examination{
				What: what, State: driver.Warn, Seen: fmt.Sprintf("not found, or user %q may not see it", c.server.User),
				Advice: "Nothing before the project has moved here; afterwards let the user browse it.",
			}
		}
		return examined(what, "the user may see it", err, "Let the user browse the project.")
	}
	list, err := c.integrations(ctx, key)
	return examined(what, fmt.Sprintf("the user administers it; it has %s", wording.Plural(len(list), "synchronization")),
		err, "Make the user an administrator of the project, or of Jira; check the key of the project.")
}

// myself returns the user to whom the credentials belong.
func (c *reader) myself(ctx context.Context) (string, error) {
	raw, err := c.document(ctx, c.jira("myself"), nil)
	if rest.IsStatus(err, http.StatusNotFound) {
		err = fmt.Errorf("is there a Jira? %w (%w)", rest.ErrAddress, err)
	}
	if err != nil {
		return "", fmt.Errorf("asking who the user is: %w", err)
	}
	o, err := parseObject(raw)
	if err != nil {
		return "", fmt.Errorf("asking who the user is: %w", err)
	}
	for _, member := range []string{"name", "emailAddress", "displayName", "accountId"} {
		if name := o.text(member); name != "" {
			return name, nil
		}
	}
	return "", errors.New("asking who the user is: the answer names nobody")
}

// jiraVersion returns the version of Jira.
func (c *reader) jiraVersion(ctx context.Context) (string, error) {
	raw, err := c.document(ctx, c.jira("serverInfo"), nil)
	if err != nil {
		return "", fmt.Errorf("asking for its version: %w", err)
	}
	o, err := parseObject(raw)
	if err == nil && o.word("version") == "" {
		err = errors.New("the answer has no version")
	}
	if err != nil {
		return "", fmt.Errorf("asking for its version: %w", err)
	}
	return o.word("version"), nil
}
