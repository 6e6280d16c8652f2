package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

type searchBody struct {
	JQL        string   `json:"jql"`
	StartAt    int      `json:"startAt"`
	MaxResults *int     `json:"maxResults"`
	Fields     []string `json:"fields"`
	NextPage   string   `json:"nextPageToken"`
}

// serveSearch answers a search. Data Center has search with startAt and total. The cloud has removed that (410,
// developer.atlassian.com/changelog/#CHANGE-2046) in favour of search/jql with nextPageToken and no total.
func serveSearch(s *state.Server, r *request, rest []string, version string, rich bool) reply {
	newer := s.Cloud && slices.Equal(rest, []string{"jql"})
	switch {
	case s.Cloud && len(rest) == 0:
		return jiraError(http.StatusGone, "The requested API has been removed. Please migrate to the "+
			"/rest/api/3/search/jql API.")
	case len(rest) > 0 && !newer:
		return jiraError(http.StatusNotFound, "null for uri: "+r.URL.Path)
	}
	body, err := readSearch(r)
	if err != nil {
		return jiraError(http.StatusBadRequest, err.Error())
	}
	q, err := jql.Parse(body.JQL, s)
	if err == nil && newer && !q.Bounded {
		err = jql.Says("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
	}
	if err != nil {
		return jiraError(http.StatusBadRequest, err.Error())
	}
	found := Find(s, q)
	if newer {
		return searchPage(s, found, body, version, rich)
	}
	limit := 50
	if body.MaxResults != nil {
		limit = min(max(*body.MaxResults, 0), 1000)
	}
	limit = pageOf(s, limit)
	start := min(max(body.StartAt, 0), len(found))
	issues := []any{}
	for _, i := range found[start:min(start+limit, len(found))] {
		issues = append(issues, issueDocument(s, i, fieldsOf(body.Fields, "*navigable"), rich, version))
	}
	return jsonReply(http.StatusOK, object{
		"expand": "names,schema", "startAt": body.StartAt, "maxResults": limit, "total": len(found), "issues": issues,
	})
}

// searchPage answers search/jql. If no fields are asked for, an issue has only its id.
func searchPage(s *state.Server, found []*state.Issue, body searchBody, version string, rich bool) reply {
	limit := 50
	if body.MaxResults != nil {
		limit = min(max(*body.MaxResults, 1), 5000)
	}
	limit = pageOf(s, limit)
	start := 0
	if body.NextPage != "" {
		raw, err := base64.RawURLEncoding.DecodeString(body.NextPage)
		if err == nil {
			start, err = strconv.Atoi(string(raw))
		}
		if err != nil || start < 0 {
			return jiraError(http.StatusBadRequest, "The provided next page token is invalid or expired.")
		}
		start = min(start, len(found))
	}
	issues := []any{}
	end := min(start+limit, len(found))
	for _, i := range found[start:end] {
		if len(body.Fields) == 0 {
			issues = append(issues, object{"id": i.ID})
			continue
		}
		issues = append(issues, issueDocument(s, i, fieldsOf(body.Fields, "id"), rich, version))
	}
	out := object{"issues": issues, "isLast": end == len(found)}
	if end < len(found) {
		out["nextPageToken"] = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return jsonReply(http.StatusOK, out)
}

// pageOf returns the number of issues on a page. An administrator, or the size of the answer, may limit it to fewer
// than asked for.
func pageOf(s *state.Server, limit int) int {
	if s.SearchPage > 0 {
		return min(limit, s.SearchPage)
	}
	return limit
}

func readSearch(r *request) (searchBody, error) {
	var body searchBody
	switch r.Method {
	case http.MethodPost:
		if !r.hasJSON() {
			return body, fmt.Errorf("the body must be application/json")
		}
		if err := json.Unmarshal(r.body, &body); err != nil {
			return body, jql.Says("Invalid request payload. Refer to the REST API documentation and try again.")
		}
	case http.MethodGet:
		q := r.URL.Query()
		body.JQL, body.NextPage = q.Get("jql"), q.Get("nextPageToken")
		body.Fields = slices.DeleteFunc(fieldsOf(q["fields"], ""), func(f string) bool { return f == "" })
		start, err := number(q.Get("startAt"), 0)
		if err != nil {
			return body, err
		}
		limit, err := number(q.Get("maxResults"), 50)
		if err != nil {
			return body, err
		}
		body.StartAt, body.MaxResults = start, &limit
	default:
		return body, fmt.Errorf("use GET or POST")
	}
	return body, nil
}

func number(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return int(n), nil
}

// Find returns the issues that match a query, by project and number.
func Find(s *state.Server, q *jql.Query) []*state.Issue {
	var out []*state.Issue
	for _, p := range s.Projects {
		for _, i := range p.Issues {
			if q.Match(i) {
				out = append(out, i)
			}
		}
	}
	slices.SortFunc(out, func(a, b *state.Issue) int {
		order := strings.Compare(state.ProjectOf(a.Key), state.ProjectOf(b.Key))
		if order == 0 {
			order = a.Number - b.Number
		}
		if q.Descending {
			return -order
		}
		return order
	})
	return out
}
