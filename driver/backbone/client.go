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
	"strings"
	"sync/atomic"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
)

// api is the base path of all of Backbone's endpoints (H/5.14/server/monitoring-backbone-issue-sync).
const api = "/plugins/servlet/backbone-issue-sync/api/1"

// reader asks one Jira and its Backbone. It has no method that changes anything.
type reader struct {
	server *serverBlock
	rest   *rest.Client
	verb   *atomic.Value // the verb of start and stop that this server takes, once known
}

func (c *reader) cloud() bool { return c.server.Deployment == cloud }

// writer is a reader that may also change things. Only Execute gets one.
type writer struct{ *reader }

// document reads a JSON document. The caller checks its shape.
func (c *reader) document(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	var raw json.RawMessage
	err := c.rest.Get(ctx, rest.Request{Path: path, Query: query}, &raw)
	return raw, c.explain(err)
}

// explain adds to an error which declared server it is about and, where possible, how to fix it.
func (c *reader) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	hint := ""
	switch {
	case err == nil:
		return nil
	case isLocked(err):
		hint = fmt.Sprintf("Jira has locked the account of user %q after failed logins and asks for a CAPTCHA: log in once "+
			"in a browser, check the password here, and try again", c.server.User)
	case rest.IsStatus(err, http.StatusUnauthorized):
		hint = fmt.Sprintf("it does not accept the credentials of user %q: check user, and password or token",
			c.server.User)
	case rest.IsStatus(err, http.StatusForbidden):
		hint = fmt.Sprintf("user %q may not do this: Backbone wants a system or project administrator", c.server.User)
	case errors.As(err, &unknown):
		hint = "its certificate is signed by an unknown authority: name it with ca or ca_file"
	}
	if hint != "" {
		err = fmt.Errorf("%s (%w)", hint, err)
	}
	return fmt.Errorf("%s: %w", c.server.Addr(), err)
}

// isLocked reports whether Jira demands a CAPTCHA of this user before it checks a password again
// (confluence.atlassian.com, "How to log in to JIRA if CAPTCHA is enabled").
func isLocked(err error) bool {
	var e *rest.Error
	if !errors.As(err, &e) || !rest.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		return false
	}
	return strings.Contains(e.Header("X-Authentication-Denied-Reason"), captcha) ||
		strings.Contains(e.Header("X-Seraph-LoginReason"), captcha)
}

const captcha = "CAPTCHA_CHALLENGE"

// integrations lists the synchronizations of a project, or those of the whole Jira if project is "". projectKey is
// required for project administrators (HC/5.2/cloud/integration-synchronization-actions) and harmless for others.
func (c *reader) integrations(ctx context.Context, project string) ([]integration, error) {
	if c.cloud() {
		return nil, fmt.Errorf("listing synchronizations: Backbone in the cloud has no documented interface")
	}
	query, what := url.Values{"projectKey": {project}}, "the synchronizations of project "+project
	if project == "" {
		query, what = nil, "all synchronizations"
	}
	raw, err := c.document(ctx, api+"/integrations", query)
	if rest.IsStatus(err, http.StatusNotFound) {
		err = fmt.Errorf("is Backbone installed there, and is %s with its context path right? (%w)", c.server.URL, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", what, err)
	}
	list, err := decodeIntegrations(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: listing %s: %w", c.server.Addr(), what, err)
	}
	return list, nil
}

// integration returns one synchronization with its configuration.
func (c *reader) integration(ctx context.Context, key string) (*integration, configuration, error) {
	raw, err := c.document(ctx, integrationPath(key), nil)
	if err != nil {
		return nil, configuration{}, fmt.Errorf("reading synchronization %s: %w", key, err)
	}
	o, err := parseObject(raw)
	var i *integration
	if err == nil {
		i, err = decodeIntegration(o)
	}
	if err == nil && i.Key != key {
		err = fmt.Errorf("the answer is about %s", i.Key)
	}
	if err != nil {
		return nil, configuration{}, fmt.Errorf("%s: reading synchronization %s: %w", c.server.Addr(), key, err)
	}
	return i, readConfiguration(o), nil
}

func integrationPath(key string) string { return api + "/integrations/" + url.PathEscape(key) }

func connectorPath(key string) string { return api + "/connectors/" + url.PathEscape(key) }

// errUnsure is returned when it cannot be told whether something still exists.
var errUnsure = errors.New("it cannot be told whether it is still there")

// exists reports whether the project has a synchronization with that key. A 404 alone proves nothing, because a
// disabled app, a proxy or a lost permission cause one too. So the project's list is read, and must lack the key. An
// empty list proves nothing either: then Backbone must answer that it is up (HC/5.5/cloud/introduction), and Jira
// must show the project to this user.
func (c *reader) exists(ctx context.Context, project, key string) (bool, error) {
	_, _, err := c.integration(ctx, key)
	if err == nil || !rest.IsStatus(err, http.StatusNotFound) {
		return err == nil, err
	}
	all, err := c.integrations(ctx, project)
	if err != nil {
		return false, err
	}
	if len(all) > 0 {
		return slices.ContainsFunc(all, func(i integration) bool { return i.Key == key }), nil
	}
	visible, err := c.hasProject(ctx, project)
	if err != nil {
		return false, err
	}
	if _, err := c.document(ctx, api+"/health", nil); err != nil || !visible {
		return false, errUnsure
	}
	return false, nil
}

// healthOf returns the status that came with the list if it is complete. Otherwise it asks for the status.
func (c *reader) healthOf(ctx context.Context, i *integration) (health, error) {
	var h health
	if i.status != nil {
		if h = i.status.health(i.ends()); h.complete() {
			return h, nil
		}
	}
	asked, err := c.health(ctx, i)
	if err != nil || asked.Status == "" {
		return h, err
	}
	return asked, nil
}

// health reads GET .../status. ASSUMED: the documents do not show the answer. It is taken to be the status object of
// the lists, alone or wrapped in "status". In any other shape all of it is unknown.
func (c *reader) health(ctx context.Context, i *integration) (health, error) {
	raw, err := c.document(ctx, integrationPath(i.Key)+"/status", nil)
	if err != nil {
		return health{}, fmt.Errorf("reading the status of %s: %w", i.Key, err)
	}
	o, err := parseObject(raw)
	if err != nil {
		return health{}, nil
	}
	if inner := o.object("status"); inner != nil {
		o = inner
	}
	return decodeStatus(o).health(i.ends()), nil
}

// conflicts returns the validation conflicts of the configuration as lines for people: an empty slice if there are
// none, nil if the answer cannot be understood. In that case shown is the answer.
func (c *reader) conflicts(ctx context.Context, key string) (texts []string, shown string, err error) {
	raw, err := c.document(ctx, integrationPath(key)+"/conflicts", nil)
	if err != nil {
		return nil, "", fmt.Errorf("reading the conflicts of %s: %w", key, err)
	}
	texts, ok := decodeConflicts(raw)
	if !ok {
		return nil, wording.Quote(string(raw)), nil
	}
	return texts, "", nil
}

// syncInformation streams a connector's pairs: a bare JSON array (H/3.9/server/connectors-121944268.html).
func (c *reader) syncInformation(ctx context.Context, connector string) (io.ReadCloser, error) {
	s, err := c.rest.Stream(ctx, rest.Request{Path: connectorPath(connector) + "/syncInformation"})
	if err != nil {
		return nil, fmt.Errorf("reading the pairs of connector %s: %w", connector, c.explain(err))
	}
	return s.Body, nil
}

// noXSRF lets requests that write pass Jira's cross-site check (HC/5.5/cloud/introduction).
var noXSRF = http.Header{"X-Atlassian-Token": {"nocheck"}}

// send sends a request that changes something. The request is not repeated if it may have been carried out.
func (c writer) send(ctx context.Context, method, path string, body func() (io.ReadCloser, error)) error {
	h := noXSRF.Clone()
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	_, err := c.rest.Do(ctx, rest.Request{Method: method, Path: path, Header: h, Body: body, Retry: rest.Never})
	return driver.Sent(err)
}

// startStop starts or stops a synchronization. The documents disagree on the verb: POST on the server pages up to
// 4.1, PUT on the cloud pages from 5.2. A server that does not know a verb answers 405 and does nothing. ASSUMED: some
// answer 404 instead. Then the other verb is tried. The one that works is remembered.
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

// importPairs uploads the pairs of a connector. ASSUMED: the documents only say "an array of sync information"
// (H/5.16/server/connectors). It is taken to be the array that GET returns, so every pair is read back afterwards.
func (c writer) importPairs(ctx context.Context, connector string, body func() (io.ReadCloser, error)) error {
	if err := c.send(ctx, http.MethodPost, connectorPath(connector)+"/syncInformation", body); err != nil {
		return fmt.Errorf("uploading pairs to connector %s: %w", connector, err)
	}
	return nil
}

// resync asks a connector to send all its issues again, with only the given field mapping (H/5.16/server/connectors).
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
