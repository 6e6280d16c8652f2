package backbone

import (
	"context"
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
	if c.cloud {
		return "/rest/api/3/" + path
	}
	return "/rest/api/2/" + path
}

// hasProject tells whether the project answers to this user.
func (c *reader) hasProject(ctx context.Context, key string) (bool, error) {
	var p struct {
		Key string `json:"key"`
	}
	err := c.get(ctx, c.jira("project/"+url.PathEscape(key)), nil, &p)
	if rest.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading project %s: %w", key, err)
	}
	return p.Key == key, nil
}

// mostKeys is how many issues one search asks for: Jira's own page size.
const mostKeys = 50

// issue is what of an issue is compared.
type issue struct {
	Key    string `json:"key"`
	Fields struct {
		Summary string `json:"summary"`
	} `json:"fields"`
}

// summaries reads the summaries of issues by key. A key without an issue, or whose issue has moved to another key, is
// left out.
func (c *reader) summaries(ctx context.Context, keys []string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(keys, mostKeys) {
		if err := c.search(ctx, part, out); err != nil {
			return nil, fmt.Errorf("reading the summaries of %d issues from %s on: %w", len(part), part[0], err)
		}
	}
	return out, nil
}

// search asks for several issues at once. Jira refuses a search for a key that does not exist (400): then each is asked
// for alone.
func (c *reader) search(ctx context.Context, keys []string, out map[string]string) error {
	path := c.jira("search")
	if c.cloud {
		path = c.jira("search/jql") // the older search is gone from the cloud
	}
	var found struct {
		Issues []issue `json:"issues"`
	}
	query := url.Values{"jql": {"key in (" + strings.Join(keys, ",") + ")"}, "fields": {"summary"}, "maxResults": {strconv.Itoa(mostKeys)}}
	err := c.get(ctx, path, query, &found)
	if rest.IsStatus(err, http.StatusBadRequest) {
		return c.each(ctx, keys, out)
	}
	if err != nil {
		return err
	}
	for _, i := range found.Issues {
		if slices.Contains(keys, i.Key) {
			out[i.Key] = i.Fields.Summary
		}
	}
	return nil
}

func (c *reader) each(ctx context.Context, keys []string, out map[string]string) error {
	for _, key := range keys {
		var i issue
		err := c.get(ctx, c.jira("issue/"+url.PathEscape(key)), url.Values{"fields": {"summary"}}, &i)
		switch {
		case rest.IsStatus(err, http.StatusNotFound):
		case err != nil:
			return err
		case i.Key == key:
			out[key] = i.Fields.Summary
		}
	}
	return nil
}
