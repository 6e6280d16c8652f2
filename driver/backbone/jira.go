package backbone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
)

// jira is the path of a Jira REST resource; Data Center and cloud speak different versions.
func (c *reader) jira(path string) string {
	if c.cloud() {
		return "/rest/api/3/" + path
	}
	return "/rest/api/2/" + path
}

// hasProject tells whether the project answers to this user.
func (c *reader) hasProject(ctx context.Context, key string) (bool, error) {
	raw, err := c.document(ctx, c.jira("project/"+url.PathEscape(key)), nil)
	if rest.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading project %s: %w", key, err)
	}
	p, err := parseObject(raw)
	return err == nil && p.text("key") == key, nil
}

// mostKeys is how many issues one search asks for: Jira's own page size.
const mostKeys = 50

// summaries reads the summaries of issues by key; nil where there is none to read. A key without an issue, or whose
// issue has moved to another key, is left out.
func (c *reader) summaries(ctx context.Context, keys []string) (map[string]*string, error) {
	out := map[string]*string{}
	for part := range slices.Chunk(keys, mostKeys) {
		if err := c.search(ctx, part, out); err != nil {
			return nil, fmt.Errorf("reading the summaries of %d issues from %s on: %w", len(part), part[0], err)
		}
	}
	return out, nil
}

// search asks for several issues at once. Jira refuses a search for a key that does not exist (400): then each is
// asked for alone.
func (c *reader) search(ctx context.Context, keys []string, out map[string]*string) error {
	path := c.jira("search")
	if c.cloud() {
		path = c.jira("search/jql") // the older search is gone from the cloud
	}
	query := url.Values{"jql": {"key in (" + strings.Join(keys, ",") + ")"}, "fields": {"summary"},
		"maxResults": {strconv.Itoa(mostKeys)}}
	raw, err := c.document(ctx, path, query)
	if rest.IsStatus(err, http.StatusBadRequest) {
		return c.each(ctx, keys, out)
	}
	if err != nil {
		return err
	}
	found, err := parseObject(raw)
	if err != nil {
		return fmt.Errorf("searching for issues: %w", err)
	}
	issues, ok := found.objects("issues")
	if !ok {
		return errors.New("searching for issues: the answer has no list of issues")
	}
	for _, i := range issues {
		if key := i.text("key"); slices.Contains(keys, key) {
			out[key] = summaryOf(i)
		}
	}
	return nil
}

func summaryOf(issue object) *string { return member[string](issue.object("fields"), "summary") }

func (c *reader) each(ctx context.Context, keys []string, out map[string]*string) error {
	for _, key := range keys {
		raw, err := c.document(ctx, c.jira("issue/"+url.PathEscape(key)), url.Values{"fields": {"summary"}})
		if rest.IsStatus(err, http.StatusNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if i, err := parseObject(raw); err == nil && i.text("key") == key {
			out[key] = summaryOf(i)
		}
	}
	return nil
}
