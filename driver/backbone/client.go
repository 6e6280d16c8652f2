package backbone

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// api is the base path of all of Backbone's endpoints (H/5.14/server/monitoring-backbone-issue-sync).
const api = "/plugins/servlet/backbone-issue-sync/api/1"

// reader asks one Jira and its Backbone. It has no method that changes anything.
type reader struct {
	server *schema.Resource
	rest   *rest.Client
	cloud  bool
	verb   *atomic.Value // the verb of start and stop that this server takes, once known
}

// writer is a reader that may also change things. Only Execute gets one.
type writer struct{ *reader }

func (c *reader) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.explain(c.rest.Get(ctx, rest.Request{Path: path, Query: query}, into))
}

// explain says which declared server an error is about and, where it can be told, what mends it.
func (c *reader) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	hint := ""
	switch {
	case err == nil:
		return nil
	case rest.IsStatus(err, http.StatusUnauthorized):
		hint = fmt.Sprintf("it does not accept the credentials of user %q: check user, and password or token", c.server.Text("user"))
	case rest.IsStatus(err, http.StatusForbidden):
		hint = fmt.Sprintf("user %q may not do this: Backbone wants a system or project administrator", c.server.Text("user"))
	case errors.As(err, &unknown):
		hint = "its certificate is by an authority that is not known here: name it with ca or ca_file"
	}
	if hint != "" {
		err = fmt.Errorf("%s (%w)", hint, err)
	}
	return planner.About(c.server, fmt.Errorf("%s: %w", c.server.Addr, err))
}

// integrations lists the synchronizations of a project. projectKey is required for project administrators
// (HC/5.2/cloud/integration-synchronization-actions) and harmless for others.
func (c *reader) integrations(ctx context.Context, project string) ([]integration, error) {
	if c.cloud {
		return nil, fmt.Errorf("listing synchronizations: Backbone in the cloud has no documented interface")
	}
	var list []integration
	if err := c.get(ctx, api+"/integrations", url.Values{"projectKey": {project}}, &list); err != nil {
		return nil, fmt.Errorf("listing the synchronizations of project %s: %w", project, err)
	}
	return list, nil
}

// integration returns one synchronization with all its details.
func (c *reader) integration(ctx context.Context, key string) (*integration, error) {
	var i integration
	if err := c.get(ctx, integrationPath(key), nil, &i); err != nil {
		return nil, fmt.Errorf("reading synchronization %s: %w", key, err)
	}
	return &i, nil
}

func integrationPath(key string) string { return api + "/integrations/" + url.PathEscape(key) }

func connectorPath(key string) string { return api + "/connectors/" + url.PathEscape(key) }

// exists tells whether the project has a synchronization of that key. A 404 alone proves nothing, since a disabled app, a
// proxy or a lost permission answer one too: it is gone when the project's list comes and does not have it either.
func (c *reader) exists(ctx context.Context, project, key string) (bool, error) {
	_, err := c.integration(ctx, key)
	if err == nil || !rest.IsStatus(err, http.StatusNotFound) {
		return err == nil, err
	}
	all, err := c.integrations(ctx, project)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(i integration) bool { return i.Key == key }), nil
}

// statusOf uses the status that came with a list, where there was one.
func (c *reader) statusOf(ctx context.Context, i *integration) (*syncStatus, error) {
	if i.Status != nil && i.Status.Status != "" {
		return i.Status, nil
	}
	return c.status(ctx, i.Key)
}

// status reads GET .../status. ASSUMED: no copy of the documents shows the answer; it is taken to be the status object of
// the lists, alone or wrapped in "status".
func (c *reader) status(ctx context.Context, key string) (*syncStatus, error) {
	var raw json.RawMessage
	if err := c.get(ctx, integrationPath(key)+"/status", nil, &raw); err != nil {
		return nil, fmt.Errorf("reading the status of %s: %w", key, err)
	}
	var s syncStatus
	if err := json.Unmarshal(raw, &s); err == nil && s.Status != "" {
		return &s, nil
	}
	var wrapped struct {
		Status syncStatus `json:"status"`
	}
	if err := json.Unmarshal(raw, &wrapped); err != nil || wrapped.Status.Status == "" {
		return nil, fmt.Errorf("reading the status of %s: the answer has no status", key)
	}
	return &wrapped.Status, nil
}

// conflicts returns the validation conflicts of the configuration as lines for people, none if there is none.
func (c *reader) conflicts(ctx context.Context, key string) ([]string, error) {
	var raw any
	if err := c.get(ctx, integrationPath(key)+"/conflicts", nil, &raw); err != nil {
		return nil, fmt.Errorf("reading the conflicts of %s: %w", key, err)
	}
	return conflictTexts(raw), nil
}

// syncInformation streams a connector's pairs: a bare JSON array (H/3.9/server/connectors-121944268.html).
func (c *reader) syncInformation(ctx context.Context, connector string) (io.ReadCloser, error) {
	s, err := c.rest.Stream(ctx, rest.Request{Path: connectorPath(connector) + "/syncInformation"})
	if err != nil {
		return nil, fmt.Errorf("reading the pairs of connector %s: %w", connector, c.explain(err))
	}
	return s.Body, nil
}

// tally counts a connector's pairs.
func (c *reader) tally(ctx context.Context, connector string) (syncinfo.Tally, error) {
	var t syncinfo.Tally
	body, err := c.syncInformation(ctx, connector)
	if err != nil {
		return t, err
	}
	defer body.Close()
	r := syncinfo.NewArrayReader(connector, body, syncinfo.Counting(&t))
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return t, nil
		} else if err != nil {
			return t, fmt.Errorf("reading the pairs of connector %s: %w", connector, err)
		}
	}
}

// noXSRF lets writes through Jira's cross-site check (HC/5.5/cloud/introduction).
var noXSRF = http.Header{"X-Atlassian-Token": {"nocheck"}}

// send sends a request that changes something. It is not repeated when it may have been carried out.
func (c writer) send(ctx context.Context, method, path string, body func() (io.ReadCloser, error)) error {
	h := noXSRF.Clone()
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	_, err := c.rest.Do(ctx, rest.Request{Method: method, Path: path, Header: h, Body: body, Retry: rest.Never})
	return sentness(err)
}

// sentness tells the executor what the client knows: an error after which nothing can have been changed, or one that
// leaves it open. A refusal (4xx) changes nothing.
func sentness(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Status == http.StatusTooManyRequests { // not carried out, and welcome later
		after, ok := e.RetryAfter()
		if !ok {
			after = politePause
		}
		return &executor.Later{After: after, Err: err}
	}
	refused := e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout
	if refused || rest.WasSent(err) == rest.SentNo {
		return executor.NotSent(err)
	}
	return err
}

// politePause is waited where a server says that it is too much and not when to come again.
const politePause = 30 * time.Second

// startStop starts or stops a synchronization. The documents disagree on the verb (POST on the server pages to 4.1, PUT
// on the cloud pages from 5.2), and a server that does not know one refuses it with 405 without doing anything: then
// the other is asked for, and remembered.
func (c writer) startStop(ctx context.Context, key, what string) error {
	verbs := []string{http.MethodPut, http.MethodPost}
	if v, ok := c.verb.Load().(string); ok {
		verbs = []string{v}
	}
	var err error
	for _, v := range verbs {
		err = c.send(ctx, v, integrationPath(key)+"/"+what, nil)
		if err == nil {
			c.verb.Store(v)
			return nil
		}
		if !rest.IsStatus(err, http.StatusMethodNotAllowed) && !rest.IsStatus(err, http.StatusNotFound) {
			break
		}
	}
	return fmt.Errorf("asking to %s %s: %w", what, key, err)
}

// importPairs uploads a connector's pairs. ASSUMED: the documents say "an array of sync information"
// (H/5.16/server/connectors) and no more; it is taken to be the array that GET gives, so every pair is read back.
func (c writer) importPairs(ctx context.Context, connector string, body func() (io.ReadCloser, error)) error {
	if err := c.send(ctx, http.MethodPost, connectorPath(connector)+"/syncInformation", body); err != nil {
		return fmt.Errorf("uploading pairs to connector %s: %w", connector, err)
	}
	return nil
}

// resync asks a connector to send all its issues again, with the given field mapping alone (H/5.16/server/connectors).
func (c writer) resync(ctx context.Context, connector, mapping string) error {
	b, err := json.Marshal(map[string]any{"jql": "", "fieldMappings": []string{mapping}})
	if err != nil {
		return executor.NotSent(err)
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	if err := c.send(ctx, http.MethodPost, connectorPath(connector)+"/resync", body); err != nil {
		return fmt.Errorf("asking connector %s to resync: %w", connector, err)
	}
	return nil
}

// delete deletes a synchronization.
func (c writer) delete(ctx context.Context, key string) error {
	if err := c.send(ctx, http.MethodDelete, integrationPath(key), nil); err != nil {
		return fmt.Errorf("deleting synchronization %s: %w", key, err)
	}
	return nil
}
