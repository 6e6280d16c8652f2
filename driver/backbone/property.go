package backbone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
)

// The properties of projects are documented in docs.atlassian.com/software/jira/docs/api/REST/9.12.0, api/2/project
// (getProperty, setProperty, deleteProperty), and for the cloud in
// developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-project-properties. A user who may browse a project
// can read them; a user who administers it, or Jira, can write them. A value is JSON of at most 32,768 characters, a
// key has at most 255.

func (c *reader) propertyPath(project, key string) string {
	return c.jira("project/" + url.PathEscape(project) + "/properties/" + url.PathEscape(key))
}

// errNotShown is returned when the server does not show this user whether a project has a property.
var errNotShown = errors.New("the server does not show it to this user")

// property reads a property of a project. It returns nil if the project has none with that key. Jira also answers 404
// for a project that it does not show to the user, so then the project itself is asked for.
func (c *reader) property(ctx context.Context, project, key string) (json.RawMessage, error) {
	raw, err := c.document(ctx, c.propertyPath(project, key), nil)
	var answer *rest.Error
	switch {
	case rest.IsStatus(err, http.StatusForbidden):
		return nil, fmt.Errorf("%w (%w)", errNotShown, err)
	case rest.IsStatus(err, http.StatusNotFound) && errors.As(err, &answer) && answer.Says("errorMessages"):
		shown, err := c.hasProject(ctx, project)
		if err == nil && !shown {
			err = fmt.Errorf("project %s of %s: %w", project, c.server.Addr(), errNotShown)
		}
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("reading the property %s of project %s: %w", key, project, err)
	}
	o, err := parseObject(raw)
	if value, ok := o["value"]; err == nil && ok && o.word("key") == key {
		return value, nil
	}
	return nil, fmt.Errorf("%s: reading the property %s of project %s: the answer does not say what it is",
		c.server.Addr(), key, project)
}

// setProperty writes a property of a project.
func (c writer) setProperty(ctx context.Context, project, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return executor.NotSent(err)
	}
	err = c.send(ctx, http.MethodPut, c.propertyPath(project, key), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	})
	if err != nil {
		return fmt.Errorf("writing the property %s of project %s of %s: %w", key, project, c.server.Addr(), err)
	}
	return nil
}

// deleteProperty removes a property of a project.
func (c writer) deleteProperty(ctx context.Context, project, key string) error {
	if err := c.send(ctx, http.MethodDelete, c.propertyPath(project, key), nil); err != nil {
		return fmt.Errorf("removing the property %s of project %s of %s: %w", key, project, c.server.Addr(), err)
	}
	return nil
}
