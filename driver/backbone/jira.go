package backbone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/lazyregexp"
)

// jira returns the path of a resource of Jira's REST interface. Data Center and cloud have different versions.
func (c *reader) jira(path string) string {
	if c.cloud() {
		return "/rest/api/3/" + path
	}
	return "/rest/api/2/" + path
}

// hasProject reports whether Jira shows the project to this user.
func (c *reader) hasProject(ctx context.Context, key string) (bool, error) {
	raw, err := c.document(ctx, c.jira("project/"+url.PathEscape(key)), nil)
	var answer *rest.Error
	if rest.IsStatus(err, http.StatusNotFound) && errors.As(err, &answer) {
		if answer.Says("errorMessages") {
			return false, nil
		}
		err = fmt.Errorf("is there a Jira, and is %s with its context path right? (%w)", c.server.URL, err)
	}
	if err != nil {
		return false, fmt.Errorf("reading project %s: %w", key, err)
	}
	p, err := parseObject(raw)
	return err == nil && p.word("key") == key, nil
}

// mostKeys is the number of issues in one search: Jira's own page size.
const mostKeys = 50

// mostPages is the maximum number of pages of one search. Jira may put fewer issues on a page than were asked for.
const mostPages = 100

// issueSeen is what is read of an issue. Its members are nil if they are unknown.
type issueSeen struct {
	summary  *string
	comments *int // the number of comments
}

// issues reads issues by key. A key without an issue, or whose issue has moved to another key, is left out.
func (c *reader) issues(ctx context.Context, keys []string) (map[string]issueSeen, error) {
	out := map[string]issueSeen{}
	plain := make([]string, 0, len(keys))
	for _, key := range keys {
		if plainKey.MatchString(key) {
			plain = append(plain, key)
		} else if err := c.each(ctx, []string{key}, out); err != nil {
			return nil, fmt.Errorf("reading issue %s: %w", key, err)
		}
	}
	for part := range slices.Chunk(plain, mostKeys) {
		if err := c.search(ctx, part, out); err != nil {
			return nil, fmt.Errorf("reading %d issues from %s on: %w", len(part), part[0], err)
		}
	}
	return out, nil
}

// plainKey is what stands in a search as a key and as nothing else. Keys come from what other servers have exported,
// and may be any text. Other ones are asked for alone, by their address.
var plainKey = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]{0,254}-[0-9]{1,19}$`)

// search asks for several issues at once. Jira refuses a search with a key that does not exist (400); then the issues
// are asked for one by one.
func (c *reader) search(ctx context.Context, keys []string, out map[string]issueSeen) error {
	query := url.Values{"jql": {"key in (" + strings.Join(keys, ",") + ")"}, "fields": {"summary,comment"},
		"maxResults": {strconv.Itoa(mostKeys)}}
	for n, asked := 0, map[string]bool{}; ; {
		page, err := c.searchPage(ctx, query)
		if rest.IsStatus(err, http.StatusBadRequest) && n == 0 {
			return c.each(ctx, keys, out)
		}
		if err != nil {
			return fmt.Errorf("searching for issues, after the first %d: %w", n, err)
		}
		for _, i := range page.issues {
			if key := i.word("key"); slices.Contains(keys, key) {
				out[key] = decodeIssue(i)
			}
		}
		n += len(page.issues)
		switch {
		case page.next == nil:
			return nil
		case asked[page.next.Encode()] || !c.cloud() && len(page.issues) == 0:
			return fmt.Errorf("searching for issues: the answer does not advance after the first %d, and is not complete", n)
		case len(asked) == mostPages:
			return fmt.Errorf("searching for %d issues: the answer has more than %d pages: what answers there is not Jira's "+
				"search, or something changes it on the way", len(keys), mostPages)
		}
		asked[page.next.Encode()] = true
		maps.Copy(query, page.next)
	}
}

// searchPage is one page of an answer. next is the query for the next page, nil after the last one.
type searchPage struct {
	issues []object
	next   url.Values
}

// searchPage reads a page. Data Center numbers the issues (startAt, total), the cloud returns a token for the next
// page (developer.atlassian.com/changelog/#CHANGE-2046).
func (c *reader) searchPage(ctx context.Context, query url.Values) (searchPage, error) {
	path := c.jira("search")
	if c.cloud() {
		path = c.jira("search/jql") // the older search is gone from the cloud
	}
	raw, err := c.document(ctx, path, query)
	if err != nil {
		return searchPage{}, err
	}
	found, err := parseObject(raw)
	if err != nil {
		return searchPage{}, err
	}
	issues, ok := found.objects("issues")
	if !ok {
		return searchPage{}, errors.New("the answer has no list of issues")
	}
	p := searchPage{issues: issues}
	if c.cloud() {
		token, last := found.text("nextPageToken"), member[bool](found, "isLast")
		switch {
		case token != "":
			p.next = url.Values{"nextPageToken": {token}}
		case last == nil || !*last:
			return p, errors.New("the answer does not say that it is the last page, and names no next one")
		}
		return p, nil
	}
	start, total := found.count("startAt"), found.count("total")
	if start == nil || total == nil {
		return p, errors.New("the answer does not say how many issues there are, and which these are")
	}
	if want := cmp.Or(query.Get("startAt"), "0"); strconv.Itoa(*start) != want {
		return p, fmt.Errorf("the answer begins with issue %d, asked for was %s", *start, want)
	}
	if n := *start + len(issues); n < *total {
		p.next = url.Values{"startAt": {strconv.Itoa(n)}}
	}
	return p, nil
}

func decodeIssue(issue object) issueSeen {
	fields := issue.object("fields")
	return issueSeen{summary: member[string](fields, "summary"), comments: fields.object("comment").count("total")}
}

func (c *reader) each(ctx context.Context, keys []string, out map[string]issueSeen) error {
	for _, key := range keys {
		raw, err := c.document(ctx, c.jira("issue/"+url.PathEscape(key)), url.Values{"fields": {"summary,comment"}})
		if rest.IsStatus(err, http.StatusNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if i, err := parseObject(raw); err == nil && i.word("key") == key {
			out[key] = decodeIssue(i)
		}
	}
	return nil
}
